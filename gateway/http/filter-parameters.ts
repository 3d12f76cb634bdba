// Which events: the parameters that every route for events takes, and the filter they mean. What a filter does is decided where
// gRPC's are compiled; here are only names.

import { EventKind, Label, Lane, MessageStatus, Severity } from '../../proto/generated/types.ts'
import type { Filter } from '../../proto/generated/types.ts'
import type { Given } from './given.ts'
import type { Parameter, Parameters } from './route.ts'

type Names = Readonly<Record<string, number>>

/** "unit-status" for UNIT_STATUS. */
const written = (name: string): string => name.toLowerCase().replaceAll('_', '-')
/** As a parameter writes them. */
export const namesOf = (of: Names): string[] =>
  Object.keys(of)
    .filter((name) => name !== 'UNSPECIFIED')
    .map(written)

/** `text` is one of `namesOf`. */
export function valueOf<Value extends number>(of: Readonly<Record<string, Value>>, text: string): Value {
  return of[text.toUpperCase().replaceAll('-', '_')]!
}

/** As `names` of parameters writes it; '' for none. */
export const nameOf = (of: Names, value: number | undefined): string =>
  value ? written(Object.keys(of).find((name) => of[name] === value) ?? String(value)) : ''

const many = (about: string, of?: Names): Parameter =>
  of ? { in: 'query', kind: 'names', of: namesOf(of), about } : { in: 'query', kind: 'texts', about }

export const filterParameters: Parameters = {
  kind: many('Only these kinds.', EventKind),
  lane: many('Only this lane.', Lane),
  status: many('Only these message statuses; all without it, so look at each before acting.', MessageStatus),
  severity: {
    in: 'query',
    kind: 'name',
    of: namesOf(Severity).filter((name) => name !== 'unknown'),
    about: 'At least this bad. Unknown counts as moderate; what states none passes only without this.',
  },
  device: many('Only these devices; a * at the end stands for any ending.'),
  subject: many('Only these subjects; a * at the end stands for any ending.'),
  jurisdiction: many('Only these jurisdictions.'),
  owner: many('Only these owning agencies.'),
  adapter: many('Only what these adapters read.'),
  topic: many('Only these channels, as MQTT topic filters with + (write %2B) and # (write %23).'),
  label: many('Only what carries no label beside these.', Label),
  bbox: {
    in: 'query',
    kind: 'box',
    about: 'Only what lies in this box: west,south,east,north in degrees. What has no place does not pass.',
    example: '-121.9,38.2,-120.8,38.9',
  },
}

export function filterOf(given: Given): Filter {
  const severity = given.text('severity')
  const box = given.box('bbox')
  return {
    kinds: given.texts('kind').map((text) => valueOf(EventKind, text)),
    lanes: given.texts('lane').map((text) => valueOf(Lane, text)),
    messageStatuses: given.texts('status').map((text) => valueOf(MessageStatus, text)),
    subjects: [...given.texts('subject')],
    devices: [...given.texts('device')],
    jurisdictions: [...given.texts('jurisdiction')],
    owners: [...given.texts('owner')],
    adapters: [...given.texts('adapter')],
    topics: [...given.texts('topic')],
    labels: given.texts('label').map((text) => valueOf(Label, text)),
    ...(severity !== undefined && { minSeverity: valueOf(Severity, severity) }),
    ...(box && { box }),
  }
}

/** Where a route takes one message status only. */
export function statusOf(given: Given): MessageStatus | undefined {
  const text = given.text('status')
  return text === undefined ? undefined : valueOf(MessageStatus, text)
}
