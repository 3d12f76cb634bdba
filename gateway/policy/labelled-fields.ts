// Which fields of the schema hold personal, medical or criminal-justice facts, and which lead to such fields: read from the field
// option `handling` and nowhere else, so that a new field of the schema cannot be forgotten.

import protobuf from 'protobufjs/light.js'
import { Discipline, Label, handlingOf } from '../../proto/generated/types.ts'
import type { Event } from '../../proto/generated/types.ts'
import { messageType } from '../../proto/wire.ts'
import { labelsBeyond } from './configured-view.ts'

/** Which fields of a message type have a label, and which lead to further messages of ours. */
export interface Plan {
  readonly labelled: Map<string, (typeof labelsBeyond)[number]>
  readonly inner: Map<string, Plan>
}

const plans = new Map<protobuf.Type, Plan>()
const handling: Readonly<Record<string, Label>> = handlingOf

function planOf(type: protobuf.Type): Plan {
  const known = plans.get(type)
  if (known) return known
  const plan: Plan = { labelled: new Map(), inner: new Map() }
  // Before its fields: a type may hold itself.
  plans.set(type, plan)
  for (const { fullName, name, resolvedType } of type.fieldsArray) {
    const label = labelsBeyond.find((each) => Label[each] === handling[fullName.slice(1)])
    if (label) plan.labelled.set(name, label)
    if (resolvedType instanceof protobuf.Type && resolvedType.fullName.startsWith('.tocsin.')) {
      plan.inner.set(name, planOf(resolvedType))
    }
  }
  return plan
}

/** Of the whole event. */
export const eventPlan = (): Plan => planOf(messageType('tocsin.v1.Event'))

/** Leads to a label, at any depth. */
function isLabelled(plan: Plan, seen: Set<Plan> = new Set()): boolean {
  if (seen.has(plan)) return false
  seen.add(plan)
  return plan.labelled.size > 0 || [...plan.inner.values()].some((inner) => isLabelled(inner, seen))
}

const bodies: ReadonlySet<string> = new Set(
  messageType('tocsin.v1.Event').oneofs['body']?.fieldsArray.map(({ name }) => name),
)
const labelledParts = [...eventPlan().inner].filter(([, plan]) => isLabelled(plan))
/** Of the envelope, asked for of every event; there are two. */
const envelope = labelledParts.filter(([name]) => !bodies.has(name))
const labelledBodies: ReadonlyMap<string, Plan> = new Map(labelledParts.filter(([name]) => bodies.has(name)))

/** Bodies of which no field has a label. */
export const isPlainBody = (name: string): boolean => !labelledBodies.has(name)

/** What a field may hold that this version does not know. */
const anything = labelsBeyond.reduce((mask, label) => mask | (1 << Label[label]), 0)

/** Labels of the fields that are set in an event, as a mask: bit n for label n. Those that this version does not know may hold anything. */
export function fieldLabels(event: Event): number {
  let mask = 0
  for (const [name, plan] of envelope) mask |= labelsIn(Reflect.get(event, name), plan)
  const plan = event.body && labelledBodies.get(event.body)
  if (plan) mask |= labelsIn(Reflect.get(event, event.body!), plan)
  return mask
}

function labelsIn(value: unknown, plan: Plan): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.reduce<number>((mask, each) => mask | labelsIn(each, plan), 0)
  let mask = 0
  for (const [name, label] of plan.labelled) if (isSet(Reflect.get(value, name))) mask |= 1 << Label[label]
  for (const [name, inner] of plan.inner) mask |= labelsIn(Reflect.get(value, name), inner)
  return mask
}

const isSet = (value: unknown): boolean =>
  Array.isArray(value) || typeof value === 'string' || value instanceof Uint8Array ? value.length > 0 : Boolean(value)

/** The same, where anything in it may be of a newer version: of events that a program or a neighbour wrote in our own schema. */
export const fieldLabelsOfForeign = (event: Event): number =>
  hasUnknownFields(event, eventPlan()) ? anything : fieldLabels(event)

function hasUnknownFields(value: unknown, plan: Plan): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((each) => hasUnknownFields(each, plan))
  if (Reflect.get(value, '$unknowns')) return true
  return [...plan.inner].some(([name, inner]) => hasUnknownFields(Reflect.get(value, name), inner))
}

export const tellsLawEnforcementPlace = ({ origin, location }: Event): boolean =>
  location !== undefined && origin?.discipline === Discipline.LAW_ENFORCEMENT
