// The examples of RFC 8428 from the repository of its authors: exN.json as in the text, exN.gen.json and .cbor generated from it,
// .wrap.json the same with other line breaks, and exN.gen.resolved.json, which is what resolving must give, value by value.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Event, Measurement } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { timestampNs } from '../../proto/time.ts'
import { senml as adapter } from '../../adapters/senml/codec.ts'
import { type CorpusReader, type FormatReport, count, createReport } from './report.ts'

const explanations: readonly [RegExp, string][] = [
  [/\.(?:xml|exi)$/, 'the XML and EXI forms are not read, and say so'],
  [
    /^ex7\./,
    'the expected file lacks the fourth record: its generator leaves out binary values; the other three agree',
  ],
]

export const senml: CorpusReader = { format: 'senml', read }

function read(folder: string): FormatReport {
  const report = createReport('senml')
  const home = join(folder, 'core-wg__senml-spec')
  for (const file of existsSync(home) ? readdirSync(home).toSorted() : []) {
    if (file.endsWith('.diag')) report.notes.push(`${file}: CBOR as text for people, no message`)
    else readOne(report, home, file)
  }
  report.notes.push('ex8 has a field of the RFC 8428 draft ("l"); it is passed over with a warning, all values agree')
  return report
}

function readOne(report: FormatReport, home: string, file: string): void {
  const expected = expectedOf(home, file)
  // "Now" was the moment at which the authors ran their generator; it stands in what they expect.
  const receivedAt = BigInt(Math.round((expected?.[0]?.t ?? 1_500_000_000) * 1e6)) * 1000n
  const bytes = Uint8Array.from(readFileSync(join(home, file)))
  const decoded = adapter.decoder!(undefined).decode({ bytes, receivedAt, channel: 'tocsin/in/senml/corpus' })
  count(report, decoded)
  const explained = explanations.find(([form]) => form.test(file))?.[1]
  const because = explained === undefined ? {} : { explained }
  if (decoded.outcome !== 'events') {
    report.refusals.push({ file, what: `${decoded.outcome}: ${decoded.why}`, ...because })
    return
  }
  if (!expected) return
  report.expected++
  report.values += expected.length
  const found = decoded.events.flatMap((event) => rowsOf(event, receivedAt))
  const what = differences(found, expected)
  if (what === undefined) report.agree++
  else report.disagreements.push({ file, what, ...because })
}

interface ExpectedRecord {
  readonly n: string
  readonly u?: string
  readonly t: number
  readonly v?: number
  readonly vs?: string
  readonly vb?: boolean
}

function expectedOf(home: string, file: string): ExpectedRecord[] | undefined {
  const example = /^ex\d+/.exec(file)?.[0] ?? ''
  const path = join(home, `${example}.gen.resolved.json`)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ExpectedRecord[]) : undefined
}

interface Row {
  readonly names: readonly string[]
  readonly key: string
}

const keyOf = (unit: string, ns: bigint, value: unknown): string => `${unit} ${ns} ${JSON.stringify(value)}`

/** An event's values as records that stand alone. A name is device and channel with what stood between them. */
function rowsOf(event: Event, receivedAt: bigint): Row[] {
  const device = event.origin?.device ?? ''
  const ns = timestampNs(event.observedAt) ?? receivedAt
  const { latitude, longitude } = event.location ?? {}
  const rows = (event.body === 'observation' ? (event.observation.measurements ?? []) : []).map((measurement) => {
    const { channel = '', unit = '', sourceUnit } = measurement
    const names =
      channel === '' ? [device] : device === '' ? [channel] : [`${device}:${channel}`, `${device}/${channel}`]
    return { names, key: keyOf(sourceUnit ?? unit, ns, valueOf(measurement)) }
  })
  if (latitude !== undefined) rows.push({ names: [device], key: keyOf('lat', ns, latitude) })
  if (longitude !== undefined) rows.push({ names: [device], key: keyOf('lon', ns, longitude) })
  return rows
}

function valueOf(measurement: Measurement): unknown {
  switch (measurement.value) {
    case 'number':
      return measurement.sourceValue === undefined ? measurement.number : Number(measurement.sourceValue)
    case 'integer':
      return Number(toBigInt(measurement.integer))
    case 'flag':
      return measurement.flag
    case 'text':
      return measurement.text
    default:
      return null
  }
}

function differences(found: readonly Row[], expected: readonly ExpectedRecord[]): string | undefined {
  const left = [...found]
  const missing = expected.filter(({ n, u = '', t, v, vs, vb }) => {
    const key = keyOf(u, BigInt(Math.round(t * 1e6)) * 1000n, v ?? vs ?? vb)
    const at = left.findIndex((row) => row.key === key && row.names.includes(n))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  if (missing.length === 0 && left.length === 0) return undefined
  const lists = [
    ...(missing.length > 0
      ? [`expected and not found: ${missing.map((each) => JSON.stringify(each)).join(', ')}`]
      : []),
    ...(left.length > 0
      ? [`found and not expected: ${left.map(({ names, key }) => `${names[0]} ${key}`).join(', ')}`]
      : []),
  ]
  return lists.join('; ')
}
