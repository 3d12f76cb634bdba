// JSON as devices and tools send it: the test cases of Telegraf's parser json_v2 against its expected lines, and status reports of
// Shelly switches, which have no expected values. Each is read by a mapping that stands here, as a site would write it.

import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import type { Decoded } from '../../adapters/adapter.ts'
import { decimal, literal, sameDecimal } from '../../adapters/decimal.ts'
import { json } from '../../adapters/json/codec.ts'
import { jsonOptions } from '../../adapters/json/mapping.ts'
import type { Event, Measurement } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { timestampNs } from '../../proto/time.ts'
import { type Line, parseLines } from './line-protocol.ts'
import { type CorpusReader, type FormatReport, count, createReport } from './report.ts'
import { type Fields, type Rows, type TelegrafCase, cannotBeWritten, telegrafCases } from './telegraf-cases.ts'

export const iotJson: CorpusReader = { format: 'iot-json', read }

const explanations: Readonly<Record<string, string>> = {}

function read(folder: string): FormatReport {
  const report = createReport('iot-json')
  const telegraf = join(folder, 'influxdata__telegraf/plugins/parsers/json_v2/testdata')
  for (const name of existsSync(telegraf) ? readdirSync(telegraf).toSorted() : []) readCase(report, telegraf, name)
  const xpath = join(folder, 'influxdata__telegraf/plugins/parsers/xpath')
  if (existsSync(xpath))
    report.notes.push('influxdata/telegraf xpath/testcases: paths over XML, MessagePack and protobuf; not read')
  readShelly(report, join(folder, 'home-assistant-libs__aioshelly'))
  return report
}

function readCase(report: FormatReport, home: string, name: string): void {
  const one = telegrafCases[name]
  if (!one) {
    report.notes.push(`${name}: ${cannotBeWritten[name] ?? 'NO MAPPING IS WRITTEN FOR IT'}`)
    return
  }
  const found: Row[] = []
  const inputs = readdirSync(join(home, name)).filter((file) => /^(?:input|nested_objects).*\.json$/.test(file))
  for (const input of inputs.toSorted()) {
    const bytes = Uint8Array.from(readFileSync(join(home, name, input)))
    const outcomes = one.rows.map((rows) => decode(mappingOf(rows), bytes))
    // The mappings of a case are one reading of a message, in parts.
    count(report, outcomes.find(({ outcome }) => outcome !== 'ignored') ?? outcomes[0]!)
    const refusal = outcomes.find((decoded) => decoded.outcome === 'refused')
    if (refusal?.outcome === 'refused') addRefusal(report, `${name}/${input}`, refusal.why)
    found.push(...outcomes.flatMap((decoded) => (decoded.outcome === 'events' ? decoded.events : [])).map(rowOf))
  }
  compare(report, name, found, parseLines(readFileSync(join(home, name, 'expected.out'), 'utf8')), one)
}

function addRefusal(report: FormatReport, file: string, what: string): void {
  const explained = explanations[file]
  report.refusals.push({ file, what, ...(explained !== undefined && { explained }) })
}

function mappingOf({ each, entries, tags = {}, fields, time }: Rows): object {
  return {
    name: 'case',
    ...(each && { each }),
    ...(entries && { entries }),
    ...(time && { time }),
    attributes: Object.fromEntries(Object.entries(tags).map(([name, path]) => [name, String(path)])),
    measurements: Object.entries(fields).map(([name, given]) => measurementOf(name, given)),
  }
}

function measurementOf(name: string, given: Fields[string]): object {
  const [value, as] = typeof given === 'string' ? [given, undefined] : given
  return { quantity: 'field', channel: name, value, ...(as && { as }) }
}

const receivedAt = 1_600_000_000_000_000_000n

function decode(mapping: object, bytes: Uint8Array): Decoded {
  const decoder = json.decoder!(jsonOptions.parse({ mappings: [mapping] }))
  return decoder.decode({ bytes, receivedAt, channel: 'tocsin/in/json/corpus' })
}

interface Row {
  readonly tags: ReadonlyMap<string, string>
  readonly fields: ReadonlyMap<string, string>
  readonly time: bigint | undefined
}

function rowOf(event: Event): Row {
  return {
    tags: new Map((event.attributes ?? []).map(({ name = '', value = '' }) => [name, value])),
    fields: new Map(
      (event.body === 'observation' ? (event.observation.measurements ?? []) : []).map((each) => [
        each.channel ?? '',
        textOf(each),
      ]),
    ),
    time: timestampNs(event.observedAt),
  }
}

function textOf(measurement: Measurement): string {
  if (measurement.sourceValue !== undefined) return measurement.sourceValue
  if (measurement.value === 'integer') return String(toBigInt(measurement.integer))
  return measurement.value === 'number'
    ? String(measurement.number)
    : measurement.value === 'flag'
      ? String(measurement.flag)
      : measurement.value === 'text'
        ? measurement.text
        : ''
}

/** In any order, since a site puts its mappings in another one than Telegraf its rows. */
function compare(
  report: FormatReport,
  name: string,
  found: readonly Row[],
  lines: readonly Line[],
  one: TelegrafCase,
): void {
  report.expected++
  report.values += lines.reduce((sum, { tags, fields }) => sum + tags.size + fields.size, 0)
  const hasTime = one.ignoresTime === undefined && one.rows.some(({ time }) => time)
  const left = [...found]
  const missing = lines.filter((line) => {
    const at = left.findIndex((row) => isSame(row, line, hasTime))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  if (one.ignoresTime) report.notes.push(`${name}: ${one.ignoresTime}`)
  if (missing.length === 0 && left.length === 0) {
    report.agree++
    return
  }
  const what = [
    ...missing.map((line) => `expected and not found: ${JSON.stringify([...line.tags, ...line.fields, line.time])}`),
    ...left.map((row) => `found and not expected: ${JSON.stringify([...row.tags, ...row.fields, String(row.time)])}`),
  ].join('; ')
  const explained = explanations[name]
  report.disagreements.push({ file: name, what, ...(explained !== undefined && { explained }) })
}

const isSame = (row: Row, line: Line, hasTime: boolean): boolean =>
  haveSame(row.tags, line.tags) && haveSame(row.fields, line.fields) && (!hasTime || String(row.time) === line.time)

const haveSame = (ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): boolean =>
  ours.size === theirs.size && [...theirs].every(([name, value]) => isSameValue(ours.get(name), value))

/** As text, or as exact decimal numbers: 2.643743e+06 is 2643743. */
function isSameValue(ours: string | undefined, theirs: string): boolean {
  if (ours === undefined || ours === theirs) return ours === theirs
  const [a, b] = [decimal(literal(ours)), decimal(literal(theirs))]
  return a !== undefined && b !== undefined && sameDecimal(a, b)
}

/** As in the manual: a mapping for the second generation of Shelly devices and one for the first. */
const shellyMappings = `
- name: shelly-gen2
  when: $exists(sys.mac)
  device: =sys.mac
  time: { path: sys.unixtime, format: unix_s }
  device_status: { uptime_s: sys.uptime, rssi_dbm: "wifi.rssi != 0 ? wifi.rssi : null" }
  measurements:
    - { entries: "$sift(function($v, $k) { $contains($k, /^switch:/) })", quantity: switch_on, value: output, channel: =$key }
    - { entries: "$sift(function($v, $k) { $contains($k, /^(switch|cover|pm1):/) })", quantity: power, value: apower, unit: W, channel: =$key }
    - { entries: "$sift(function($v, $k) { $contains($k, /^(switch|cover|pm1):/) })", quantity: energy, value: aenergy.total, unit: Wh, channel: =$key }
    - { entries: "$sift(function($v, $k) { $contains($k, /^(switch|cover|temperature):/) })", quantity: temperature, value: "$exists(tC) ? tC : temperature.tC", unit: Cel, channel: =$key }
    - { quantity: power, value: "\`em:0\`.total_act_power", unit: W, channel: em }
- name: shelly-gen1
  when: $exists(mac)
  device: =mac
  time: { path: unixtime, format: unix_s }
  device_status: { uptime_s: uptime, rssi_dbm: wifi_sta.rssi, battery_fraction: bat.value / 100 }
  measurements:
    - { each: relays, quantity: switch_on, value: ison }
    - { each: meters, quantity: power, value: power, unit: W }
    - { quantity: temperature, value: tmp.tC, unit: Cel }
    - { quantity: gas_concentration, value: concentration.ppm, unit: ppm }
`

function readShelly(report: FormatReport, home: string): void {
  const decoder = json.decoder!(jsonOptions.parse({ mappings: parse(shellyMappings) as unknown }))
  const files = globSync(['fixtures/*.json', 'tests/rpc_device/fixtures/*/Shelly.GetStatus'], { cwd: home })
  for (const file of files.toSorted()) {
    const content = JSON.parse(readFileSync(join(home, file), 'utf8')) as { status?: unknown }
    const bytes = Buffer.from(JSON.stringify(content.status ?? content))
    const decoded = decoder.decode({ bytes, receivedAt, channel: `shelly/${basename(file)}/status` })
    count(report, decoded)
    if (decoded.outcome !== 'events') addRefusal(report, basename(file), `${decoded.outcome}: ${decoded.why}`)
  }
  if (files.length > 0)
    report.notes.push(
      'home-assistant-libs/aioshelly: the status of a device is read, its settings (config) are not; no expected values',
    )
}
