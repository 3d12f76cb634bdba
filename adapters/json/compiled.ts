// A mapping with its expressions compiled, ready to read messages.

import { Quality } from '../../proto/generated/types.ts'
import { type Unit, isSame, words } from '../units.ts'
import type { Expression, Repeat, Scope } from './expression.ts'
import { type JsonOptions, type Mapping, type MeasurementMapping, createCompiler } from './mapping.ts'
import { type Reading, missingKey, textAt, wordOf } from './reading.ts'

/** Fixed text, or an expression. */
export type Text = string | Expression
/** The expressions of a group of the mapping, such as `position`. */
export type Texts<Group extends 'position' | 'device_status'> = {
  readonly [name in keyof NonNullable<Mapping[Group]>]?: Expression
}

export interface CompiledMapping {
  readonly name: string
  readonly matches: (topic: string) => boolean
  readonly when: Expression | undefined
  readonly device: Text | undefined
  readonly subject: Text | undefined
  readonly status: Text | undefined
  readonly time: { readonly path: Expression; readonly format: string; readonly zone: string | undefined } | undefined
  readonly repeat: Repeat | undefined
  readonly measurements: readonly CompiledMeasurement[]
  readonly position: Texts<'position'> | undefined
  readonly deviceStatus: Texts<'device_status'> | undefined
  readonly attributes: Readonly<Record<string, Expression>>
}

export interface CompiledMeasurement {
  /** For people, such as `measurements[2]`. */
  readonly place: string
  /** All that is said of the value, where the settings fix it. */
  readonly facts: Facts | undefined
  readonly quantity: Text
  readonly value: Expression
  readonly unit: Text | undefined
  readonly channel: Text | undefined
  readonly quality: Text | undefined
  readonly aggregation: MeasurementMapping['aggregation']
  readonly as: MeasurementMapping['as']
  readonly missing: ReadonlySet<string>
  readonly required: boolean
  readonly repeat: Repeat | undefined
  /** Whether the unit changes the number, so that the source's own digits are kept beside it. */
  readonly isConverted: boolean
}

/** What is said of a value. */
export interface Facts {
  readonly quantity: string
  readonly unit: Unit | undefined
  readonly sourceUnit: string
  readonly channel: string
  readonly quality: Quality | undefined
}

export function compileMappings(options: JsonOptions): readonly CompiledMapping[] {
  const compile = createCompiler(options)
  const maybe = (text: string | undefined): Expression | undefined => (text === undefined ? undefined : compile(text))
  const text = (given: string | undefined): Text | undefined =>
    given?.startsWith('=') ? compile(given.slice(1)) : given
  const repeatOf = ({
    each,
    entries,
  }: {
    each?: string | undefined
    entries?: string | undefined
  }): Repeat | undefined => {
    if (entries !== undefined) return { of: 'entries', expression: compile(entries) }
    return each === undefined ? undefined : { of: 'each', expression: compile(each) }
  }
  const all = <Group extends object>(group: Group | undefined): { [name in keyof Group]?: Expression } | undefined =>
    group &&
    (Object.fromEntries(
      Object.entries(group).flatMap(([name, given]) => (given === undefined ? [] : [[name, compile(given as string)]])),
    ) as { [name in keyof Group]?: Expression })

  const measurementOf = (one: MeasurementMapping, at: number): CompiledMeasurement => ({
    place: `measurements[${at}]`,
    facts: fixedFacts(one),
    quantity: text(one.quantity) ?? '',
    value: compile(one.value),
    unit: text(one.unit),
    channel: text(one.channel),
    quality: text(one.quality),
    aggregation: one.aggregation,
    as: one.as,
    missing: new Set((one.missing ?? []).map(missingKey)),
    required: one.required ?? false,
    repeat: repeatOf(one),
    isConverted: isConverted(one.unit),
  })

  return options.mappings.map((one) => ({
    name: one.name,
    matches: topicMatcher(one.topics),
    when: maybe(one.when),
    device: text(one.device),
    subject: text(one.subject),
    status: text(one.status),
    time: one.time && { path: compile(one.time.path), format: one.time.format, zone: one.time.zone },
    repeat: repeatOf(one),
    measurements: (one.measurements ?? []).map(measurementOf),
    position: all(one.position),
    deviceStatus: all(one.device_status),
    attributes: Object.fromEntries(Object.entries(one.attributes ?? {}).map(([name, given]) => [name, compile(given)])),
  }))
}

/** Undefined where one of them is computed from the message. The settings' own check has seen that all are known. */
function fixedFacts({ quantity, unit, channel, quality }: MeasurementMapping): Facts | undefined {
  if ([quantity, unit, channel, quality].some((text) => text?.startsWith('='))) return undefined
  const known = unit === undefined ? undefined : words.get(unit)
  const judged = quality === undefined ? undefined : wordOf(Quality, quality)
  if ((unit !== undefined && !known) || (quality !== undefined && judged === undefined)) return undefined
  return { quantity, unit: known, sourceUnit: unit ?? '', channel: channel ?? '', quality: judged }
}

function isConverted(unit: string | undefined): boolean {
  if (unit === undefined) return false
  const known = words.get(unit)
  return unit.startsWith('=') || (known !== undefined && !isSame(known))
}

/** MQTT 5 §4.7: "+" is one level, "#" the rest and the parent; neither begins with "$". */
function topicMatcher(filters: readonly string[] | undefined): (topic: string) => boolean {
  if (!filters) return () => true
  const forms = filters.map((filter) => {
    const levels = filter
      .split('/')
      .map((level) => (level === '+' ? '[^/]*' : level.replaceAll(/[\\^$.*?()[\]{}|]/g, '\\$&')))
    const source = levels.join('/').replace(/\/#$/, '(?:/.*)?').replace(/^#$/, '.*')
    return new RegExp(`^${/^[+#]/.test(filter) ? '(?!\\$)' : ''}${source}$`, 's')
  })
  return (topic) => forms.some((form) => form.test(topic))
}

/** The text of a field that may be fixed or computed. */
export function constantOr(
  field: Text | undefined,
  scope: Scope,
  reading: Reading,
  place: string,
  bytesMax: number,
): string | undefined {
  return typeof field === 'string' ? field : textAt(reading, place, field, scope, bytesMax)
}
