// The options that say which events, the same for every command, and the filter they mean.

import { EventKind, Lane, MessageStatus, Severity } from '../../proto/generated/types.ts'
import type { Box, Filter } from '../../proto/generated/types.ts'
import { nearest } from '../nearest.ts'
import { type Given, type Option, UsageError } from './command.ts'

export const filterOptions: Readonly<Record<string, Option>> = {
  kind: {
    value: 'KIND',
    many: true,
    of: () => namesOf(EventKind),
    about: 'Only these kinds, such as observation, alert, unit-status.',
  },
  lane: { value: 'LANE', many: true, of: () => namesOf(Lane), about: 'Only this lane: urgent or routine.' },
  subject: { value: 'SUBJECT', many: true, about: 'Only these subjects; a * at the end stands for any ending.' },
  device: { value: 'DEVICE', many: true, about: 'Only these devices; a * at the end stands for any ending.' },
  topic: { value: 'FILTER', many: true, about: 'Only these MQTT topics, with + and #.' },
  status: {
    value: 'STATUS',
    many: true,
    of: () => namesOf(MessageStatus),
    about: 'Only these: actual, exercise, system, test, draft.',
  },
  severity: {
    value: 'LEAST',
    of: () => namesOf(Severity),
    about: 'At least this bad: minor, moderate, severe or extreme.',
  },
  adapter: { value: 'NAME', many: true, of: adapterNames, about: 'Only what these adapters read, such as senml.' },
  box: { value: 'S,W,N,E', about: 'Only what lies between these degrees: south, west, north, east.' },
}

/** Adapters bring libraries with them that these commands do without. */
export async function adapterNames(): Promise<readonly string[]> {
  return [...(await import('../../adapters/index.ts')).adapters.keys()]
}

export function filterOf(given: Given): Filter {
  const severity = given.text('severity')
  const box = given.text('box')
  return {
    kinds: given.texts('kind').map((text) => named(EventKind, text, 'kind')),
    lanes: given.texts('lane').map((text) => named(Lane, text, 'lane')),
    messageStatuses: given.texts('status').map((text) => named(MessageStatus, text, 'status')),
    subjects: [...given.texts('subject')],
    devices: [...given.texts('device')],
    topics: [...given.texts('topic')],
    adapters: [...given.texts('adapter')],
    ...(severity !== undefined && { minSeverity: named(Severity, severity, 'severity') }),
    ...(box !== undefined && { box: parseBox(box) }),
  }
}

/** "unit-status" for UNIT_STATUS; throws UsageError with the nearest name or all of them. */
export function named<Value extends number>(of: Readonly<Record<string, Value>>, text: string, option: string): Value {
  const names = namesOf(of)
  const wanted = text.trim().toLowerCase().replaceAll('_', '-')
  const value = names.includes(wanted) ? of[wanted.toUpperCase().replaceAll('-', '_')] : undefined
  if (value !== undefined) return value
  const near = nearest(wanted, names)
  const hint = near ? `did you mean ${near}?` : `it may be ${names.join(', ')}`
  throw new UsageError(`--${option}: "${text}" is none; ${hint}`)
}

/** As people write them: "unit-status" for UNIT_STATUS. */
export const namesOf = (of: object): string[] =>
  Object.keys(of)
    .filter((name) => name !== 'UNSPECIFIED')
    .map((name) => name.toLowerCase().replaceAll('_', '-'))

export function parseBox(text: string): Box {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  const [south = Number.NaN, west = 0, north = Number.NaN, east = 0] = numbers
  const isBox =
    numbers.length === 4 &&
    numbers.every(Number.isFinite) &&
    [south, north].every((degrees) => Math.abs(degrees) <= 90) &&
    south <= north &&
    [west, east].every((degrees) => Math.abs(degrees) <= 180)
  if (isBox) return { south, west, north, east }
  throw new UsageError(
    `--box must be south,west,north,east in degrees, such as 38.2,-121.9,38.9,-120.8; it is "${text}"`,
  )
}
