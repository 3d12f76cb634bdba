// A filter of a request becomes a predicate on record headers, compiled once for each stream. Two filters that mean the same have
// the same key, so that their streams share bytes.

import { EventKind, Label, Lane as WireLane, MessageStatus, Severity } from '../../proto/generated/types.ts'
import type { Filter, RecordHeader } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Lane, StoredRecord } from '../log/log.ts'
import { topicFilterFault, topicMatches } from '../policy/topic-filters.ts'
import { createBoxTest } from './box.ts'

export interface CompiledFilter {
  readonly key: string
  readonly lanes: readonly Lane[]
  /** True when every record of `lanes` passes: bytes may be handed on without looking. */
  readonly all: boolean
  passes(record: Readable): boolean
  /** Only records with one of these values can pass; absent: any can. For an index; `passes` is still to be asked. */
  readonly selector: Selector | undefined
}

export interface Selector {
  readonly by: 'device' | 'subject' | 'kind'
  readonly values: readonly (string | number)[]
}

/** What a filter looks at. */
export type Readable = Pick<StoredRecord, 'header' | 'event' | 'removed'>

/** Filters are tried on every record, so their size is a cost to the gateway; a console that needs more filters for itself. */
const valuesMax = 1_000
const valueCharsMax = 1_024

type Test = (header: RecordHeader, record: Readable) => boolean

export function compileFilter(filter: Filter | undefined): CompiledFilter {
  const given = filter ?? {}
  checkSizes(given)
  const tests = [
    anyOf('kinds', given.kinds, (header) => header.kind ?? EventKind.UNSPECIFIED, EventKind),
    anyOf('message_statuses', given.messageStatuses, (header) => header.messageStatus ?? 0, MessageStatus),
    anyText(given.jurisdictions, (header) => header.jurisdiction),
    anyText(given.owners, (header) => header.owner),
    anyText(given.adapters, (header) => header.adapter),
    anyEnding('subjects', given.subjects, (header) => header.subject),
    anyEnding('devices', given.devices, (header) => header.device),
    anyTopic(given.topics),
    severityTest(given.minSeverity),
    labelsTest(given.labels),
    // Last: it is the dearest.
    boxTest(given.box),
  ].filter((test) => test !== undefined)
  return {
    key: keyOf(given),
    lanes: lanesOf(given.lanes),
    all: tests.length === 0,
    selector: selectorOf(given),
    passes: (record) => tests.every((test) => test(record.header, record)),
  }
}

/** The field that leaves least, by its nature: devices are many, kinds are few. */
function selectorOf({ devices = [], subjects = [], kinds = [] }: Filter): Selector | undefined {
  const isWhole = (values: readonly string[]): boolean =>
    values.length > 0 && !values.some((value) => value.endsWith('*'))
  if (isWhole(devices)) return { by: 'device', values: [...new Set(devices)] }
  if (isWhole(subjects)) return { by: 'subject', values: [...new Set(subjects)] }
  return kinds.length > 0 ? { by: 'kind', values: [...new Set(kinds)] } : undefined
}

const lists = [
  ['kinds', 'kinds'],
  ['messageStatuses', 'message_statuses'],
  ['lanes', 'lanes'],
  ['subjects', 'subjects'],
  ['jurisdictions', 'jurisdictions'],
  ['owners', 'owners'],
  ['adapters', 'adapters'],
  ['devices', 'devices'],
  ['topics', 'topics'],
  ['labels', 'labels'],
] as const

function checkSizes(filter: Filter): void {
  for (const [field, name] of lists) {
    const values: readonly (string | number)[] = filter[field] ?? []
    if (values.length > valuesMax)
      throw invalid(name, `may hold at most ${valuesMax} values; it holds ${values.length}`)
    const tooLong = values.some((value) => typeof value === 'string' && value.length > valueCharsMax)
    if (tooLong) throw invalid(name, `may hold values of at most ${valueCharsMax} characters`)
  }
}

/** Order and repetition of values mean nothing. */
function keyOf(filter: Filter): string {
  const parts: unknown[] = lists.map(([field]) => [...new Set<string | number>(filter[field] ?? [])].toSorted())
  const { box, minSeverity = 0 } = filter
  return JSON.stringify([...parts, minSeverity, box && [box.south ?? 0, box.west ?? 0, box.north ?? 0, box.east ?? 0]])
}

function lanesOf(lanes: readonly WireLane[] | undefined): readonly Lane[] {
  if (!lanes?.length) return ['urgent', 'routine']
  const known = lanes.every((lane) => lane === WireLane.URGENT || lane === WireLane.ROUTINE)
  if (!known) throw invalid('lanes', 'may be LANE_URGENT and LANE_ROUTINE')
  const chosen: Lane[] = []
  if (lanes.includes(WireLane.URGENT)) chosen.push('urgent')
  if (lanes.includes(WireLane.ROUTINE)) chosen.push('routine')
  return chosen
}

function anyOf<Value extends number>(
  name: string,
  values: readonly Value[] | undefined,
  valueOf: (header: RecordHeader) => Value,
  known: Readonly<Record<string, Value>>,
): Test | undefined {
  if (!values?.length) return undefined
  const names = new Set(Object.values(known))
  const strange = values.find((value) => !names.has(value))
  if (strange !== undefined) throw invalid(name, `holds ${strange}, which this gateway does not know`)
  const wanted = new Set(values)
  return (header) => wanted.has(valueOf(header))
}

function anyText(
  values: readonly string[] | undefined,
  valueOf: (header: RecordHeader) => string | undefined,
): Test | undefined {
  if (!values?.length) return undefined
  const wanted = new Set(values)
  return (header) => wanted.has(valueOf(header) ?? '')
}

function anyEnding(
  name: string,
  values: readonly string[] | undefined,
  valueOf: (header: RecordHeader) => string | undefined,
): Test | undefined {
  if (!values?.length) return undefined
  const whole = new Set(values.filter((value) => !value.endsWith('*')))
  const beginnings = values.filter((value) => value.endsWith('*')).map((value) => value.slice(0, -1))
  if ([...whole, ...beginnings].some((value) => value.includes('*'))) {
    throw invalid(name, 'may hold `*` only at the end of a value')
  }
  return (header) => {
    const value = valueOf(header) ?? ''
    return whole.has(value) || beginnings.some((beginning) => value.startsWith(beginning))
  }
}

function anyTopic(filters: readonly string[] | undefined): Test | undefined {
  if (!filters?.length) return undefined
  const fault = filters.map(topicFilterFault).find((each) => each !== undefined)
  if (fault !== undefined) throw invalid('topics', fault)
  const whole = new Set(filters.filter((filter) => !/[+#]/.test(filter)))
  const patterns = filters.filter((filter) => /[+#]/.test(filter))
  return ({ topic = '' }) => whole.has(topic) || patterns.some((pattern) => topicMatches(pattern, topic))
}

/** Higher is worse; UNKNOWN counts as MODERATE, never as MINOR; 0: not stated, which passes no threshold. */
const rank: Readonly<Record<Severity, number>> = {
  [Severity.UNSPECIFIED]: 0,
  [Severity.MINOR]: 1,
  [Severity.MODERATE]: 2,
  [Severity.UNKNOWN]: 2,
  [Severity.SEVERE]: 3,
  [Severity.EXTREME]: 4,
}

function severityTest(least: Severity | undefined): Test | undefined {
  if (!least) return undefined
  const threshold = rank[least]
  if (threshold === undefined) throw invalid('min_severity', `is ${least}, which this gateway does not know`)
  return ({ severity = Severity.UNSPECIFIED }) => (rank[severity] ?? rank[Severity.UNKNOWN]) >= threshold
}

function labelsTest(labels: readonly Label[] | undefined): Test | undefined {
  if (!labels?.length) return undefined
  const allowed = labels.reduce<number>((mask, label) => mask | (1 << label), 0)
  // A record that states no label is OPS (handling.proto).
  return ({ labels: carried = 0 }) => ((carried || 1 << Label.OPS) & ~allowed) === 0
}

function boxTest(box: Filter['box']): Test | undefined {
  if (!box) return undefined
  const test = createBoxTest(box)
  return (header, record) => test.contains(header, () => (record.removed ? undefined : record.event))
}

const invalid = (field: string, text: string): GatewayError =>
  new GatewayError('invalid_argument', `filter.${field} ${text}.`)
