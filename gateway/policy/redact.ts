// Takes out of an event what a view does not hold, field by field. It reads the field option `handling` and nothing else, so that a
// new field of the schema cannot be forgotten; what this version does not know of may hold anything, and is taken out as well.

import type { Event } from '../../proto/generated/types.ts'
import { type Included, labelsBeyond, mayTellPlace } from './configured-view.ts'
import { eventPlan, type Plan } from './labelled-fields.ts'

export type TakenOut = Included | 'unknown_fields'

/** In place. What was taken out; empty: the event is as it was. A position of law enforcement is for the caller to withhold whole. */
export function redact(event: Event, include: ReadonlySet<Included>): ReadonlySet<TakenOut> {
  const taken = new Set<TakenOut>()
  if (!mayTellPlace(event, include) && event.location) {
    delete event.location
    taken.add('law_enforcement_position')
  }
  const withheld = labelsBeyond.filter((label) => !include.has(label))
  if (withheld.length > 0) walk(event, eventPlan(), new Set(withheld), taken)
  return taken
}

function walk(message: object, plan: Plan, withheld: ReadonlySet<Included>, taken: Set<TakenOut>): void {
  if (Reflect.get(message, '$unknowns')) {
    Reflect.deleteProperty(message, '$unknowns')
    taken.add('unknown_fields')
  }
  for (const name of Object.keys(message)) {
    const label = plan.labelled.get(name)
    if (label && withheld.has(label)) {
      Reflect.deleteProperty(message, name)
      taken.add(label)
      continue
    }
    const inner = plan.inner.get(name)
    if (!inner) continue
    const value: unknown = Reflect.get(message, name)
    for (const each of Array.isArray(value) ? value : [value]) {
      if (typeof each === 'object' && each !== null) walk(each, inner, withheld, taken)
    }
  }
}
