// Each format on its live path: published by mosquitto's own client (CAP: by HTTP) as a device does, on the device's own topic, and
// read back four ways (`tocsin watch`, `tocsin query`, REST, InfluxDB's own client) with the right value, unit, time and place.
// What is expected is worked out by hand from each format's own specification.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MessageStatus } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { type Child, startChild } from './tools/child.ts'
import { type Influxdb, startInfluxdb } from './tools/influxdb.ts'
import { mosquittoPub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

/** An hour ago, at a full second: nobody can take the time of the reception for it. */
const hourAgoS = Math.floor(Date.now() / 1_000) - 3_600
/** RFC 3339 in UTC with milliseconds, or shifted by whole hours and without an offset, as formats write local times. */
const at = (s: number, shiftH = 0): string => new Date((s + shiftH * 3_600) * 1_000).toISOString()

interface Message {
  readonly format: string
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly device: string
  readonly quantity: string
  readonly value: number
  readonly unit: string
  /** Where InfluxDB keeps the quantity. */
  readonly family: string
  readonly observedMs: number
  /** Absent: the format has none. */
  readonly place?: { readonly latitude: number; readonly longitude: number }
  /** What a person reads in `tocsin watch`. */
  readonly line: RegExp
}

const mapping = `
mappings:
  - name: tank
    topics: [plant/+/state]
    device: =$topic[1]
    time: {path: ts, format: unix_ms}
    measurements:
      - {quantity: water_level, value: level.cm, unit: cm}
    position: {latitude: gps.lat, longitude: gps.lon}
`

// RFC 8428 §4.1: names of one pack; lat and lon are units (§12.1), so that these three are one reading with its place.
const senmlJson = [
  { bn: 'urn:dev:ow:10e2073a01080063:', bt: hourAgoS + 0.5, n: 'water-level', u: 'm', v: 2.31 },
  { n: 'latitude', u: 'lat', v: 47.0707 },
  { n: 'longitude', u: 'lon', v: 15.4395 },
]

// RFC 8428 §6, byte by byte: a list of one map {0 (n): "water-temp", 1 (u): "Cel", 2 (v): 11.5, 6 (t): seconds}. As a half float
// 11.5 is 1.4375 × 2³, which is 0x49c0.
const senmlCbor = Buffer.concat([
  Buffer.from('81a4', 'hex'),
  Buffer.from([0x00, 0x6a]),
  Buffer.from('water-temp'),
  Buffer.from([0x01, 0x63]),
  Buffer.from('Cel'),
  Buffer.from('02f949c0', 'hex'),
  Buffer.from([0x06, 0x1a]),
  bigEndian(hourAgoS + 2),
])

function bigEndian(whole: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(whole)
  return bytes
}

const uplinkJson = {
  deduplicationId: '5b1c9f6e-0000-4000-8000-0000000000a1',
  time: `${at(hourAgoS + 3, 2).slice(0, 19)}.250+02:00`,
  deviceInfo: { applicationId: '3f0a9a52-6d5e-4f07-9a54-0d6b7f6f2b11', devEui: 'a84041000181c061' },
  fCnt: 17,
  fPort: 2,
  // The gateway stands elsewhere, which is not where the river is.
  rxInfo: [{ gatewayId: '0016c001f1000001', rssi: -81, snr: 9.2, location: { latitude: 48.25, longitude: 11.5 } }],
  object: { water_level_cm: 142.5, latitude: 46.5, longitude: 14.25 },
}

// The same by the numbers of ChirpStack's api/proto/integration/integration.proto (UplinkEvent, DeviceInfo) and struct.proto.
const uplinkProtobuf = Buffer.concat([
  delimited(1, Buffer.from('5b1c9f6e-0000-4000-8000-0000000000a2')),
  delimited(2, Buffer.concat([varint(1, hourAgoS + 4), varint(2, 750_000_000)])),
  delimited(3, delimited(8, Buffer.from('a84041000181c062'))),
  varint(7, 18),
  varint(8, 2),
  delimited(
    11,
    Buffer.concat([
      structNumber('water_level_m', 0.75),
      structNumber('latitude', -33.5),
      structNumber('longitude', 151.125),
    ]),
  ),
])

/** Protobuf's wire format: a key is number × 8 + type; 0 is a varint, 1 eight bytes, 2 bytes with their length. */
function varint(field: number, value: number): Buffer {
  return Buffer.from([field << 3, ...base128(value)])
}

function delimited(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...base128(bytes.length)]), bytes])
}

function base128(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...base128(Math.floor(value / 128))]
}

/** Struct.fields (1) is a map: key 1, value 2; Value.number_value is 2. */
function structNumber(name: string, value: number): Buffer {
  const double = Buffer.alloc(9)
  double[0] = (2 << 3) | 1
  double.writeDoubleLE(value, 1)
  return delimited(1, Buffer.concat([delimited(1, Buffer.from(name)), delimited(2, double)]))
}

const rtl433 = {
  // Of a receiver in a zone an hour ahead: -M time:iso:tz:usec
  time: `${at(hourAgoS + 5, 1).slice(0, 19)}.125000+0100`,
  model: 'Acurite-Tower',
  id: 2532,
  channel: 'A',
  battery_ok: 1,
  temperature_F: 70.7,
  mic: 'CHECKSUM',
}

const tocsinEvent = codec('tocsin.v1.Event').encode({
  subject: 'urn:gauge:mill-bridge',
  messageStatus: MessageStatus.ACTUAL,
  observedAt: timestamp(BigInt(hourAgoS + 6) * 1_000_000_000n),
  location: { latitude: 30.25, longitude: -97.75 },
  body: 'observation',
  observation: { measurements: [{ quantity: 'wind_speed', value: 'number', number: 12.5, unit: 'm/s' }] },
})

const messages: readonly Message[] = [
  {
    format: 'SenML as JSON',
    topic: 'tocsin/in/senml/gauge-7',
    payload: JSON.stringify(senmlJson),
    device: 'urn:dev:ow:10e2073a01080063',
    quantity: 'water_level',
    value: 2.31,
    unit: 'm',
    family: 'water_level',
    observedMs: hourAgoS * 1_000 + 500,
    place: { latitude: 47.0707, longitude: 15.4395 },
    line: /urn:dev:ow:10e2073a01080063 .*water level 2\.31 m .*@ 47\.0707,15\.4395/,
  },
  {
    format: 'SenML as CBOR',
    topic: 'tocsin/in/senml/gauge-8',
    payload: senmlCbor,
    device: 'gauge-8',
    quantity: 'water_temperature',
    value: 11.5,
    unit: 'Cel',
    family: 'water_quality',
    observedMs: (hourAgoS + 2) * 1_000,
    line: /gauge-8 .*water temperature .*11\.5 °C/,
  },
  {
    format: 'JSON by a mapping',
    topic: 'plant/tank-7/state',
    payload: JSON.stringify({ ts: hourAgoS * 1_000 + 123, level: { cm: 142.5 }, gps: { lat: 47.5, lon: 15.25 } }),
    device: 'tank-7',
    quantity: 'water_level',
    value: 1.425,
    unit: 'm',
    family: 'water_level',
    observedMs: hourAgoS * 1_000 + 123,
    place: { latitude: 47.5, longitude: 15.25 },
    line: /tank-7 .*water level 1\.425 m .*@ 47\.5,15\.25/,
  },
  {
    format: 'ChirpStack as JSON',
    topic: 'application/3f0a9a52-6d5e-4f07-9a54-0d6b7f6f2b11/device/a84041000181c061/event/up',
    payload: JSON.stringify(uplinkJson),
    device: 'a84041000181c061',
    quantity: 'water_level',
    value: 1.425,
    unit: 'm',
    family: 'water_level',
    observedMs: (hourAgoS + 3) * 1_000 + 250,
    place: { latitude: 46.5, longitude: 14.25 },
    line: /a84041000181c061 .*water level .*1\.425 m .*@ 46\.5,14\.25/,
  },
  {
    format: 'ChirpStack as protobuf',
    topic: 'application/3f0a9a52-6d5e-4f07-9a54-0d6b7f6f2b11/device/a84041000181c062/event/up',
    payload: uplinkProtobuf,
    device: 'a84041000181c062',
    quantity: 'water_level',
    value: 0.75,
    unit: 'm',
    family: 'water_level',
    observedMs: (hourAgoS + 4) * 1_000 + 750,
    place: { latitude: -33.5, longitude: 151.125 },
    line: /a84041000181c062 .*water level .*0\.75 m .*@ -33\.5,151\.125[^\n]*\n[^\n]*device status +a84041000181c062 +heard/,
  },
  {
    format: 'rtl_433',
    topic: 'rtl_433/roof/events',
    payload: JSON.stringify(rtl433),
    device: 'Acurite-Tower/A/2532',
    quantity: 'temperature',
    // (70.7 − 32) ÷ 1.8
    value: 21.5,
    unit: 'Cel',
    family: 'temperature',
    observedMs: (hourAgoS + 5) * 1_000 + 125,
    line: /Acurite-Tower\/A\/2532 .*temperature 21\.5 °C[^\n]*\n[^\n]*Acurite-Tower\/A\/2532 .*battery ok/,
  },
  {
    format: 'an event of our own schema',
    topic: 'tocsin/in/tocsin/mast-3',
    payload: tocsinEvent,
    device: 'mast-3',
    quantity: 'wind_speed',
    value: 12.5,
    unit: 'm/s',
    family: 'wind',
    observedMs: (hourAgoS + 6) * 1_000,
    place: { latitude: 30.25, longitude: -97.75 },
    line: /mast-3 .*wind speed 12\.5 m\/s .*@ 30\.25,-97\.75/,
  },
]

const alertXml = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>mill-creek-7</identifier>
  <sender>warnings@weather.example</sender>
  <sent>${at(hourAgoS + 7, -5).slice(0, 19)}-05:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <category>Met</category>
    <event>Flash Flood Warning</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Observed</certainty>
    <expires>${at(hourAgoS + 7_200).slice(0, 19)}+00:00</expires>
    <headline>Mill Creek leaves its bed</headline>
    <area>
      <areaDesc>Mill Creek</areaDesc>
      <polygon>30.25,-97.75 30.25,-97.5 30.5,-97.5 30.25,-97.75</polygon>
    </area>
  </info>
</alert>`

interface Shown {
  readonly lane: string
  readonly eventId: string
  readonly event: Readonly<Record<string, unknown>> & {
    readonly subject?: string
    readonly origin?: { readonly device?: string }
    readonly observedAt?: string
    readonly receivedAt?: string
    readonly location?: unknown
    readonly observation?: { readonly measurements: readonly Readonly<Record<string, unknown>>[] }
    readonly alert?: unknown
  }
}

describeWithTools('a message on its live path', () => {
  let influxdb: Influxdb
  let gateway: GatewayProcess
  let forPeople: Child
  let forPrograms: Child
  /** From the acknowledgement to the line of `tocsin watch`. */
  const delaysMs: number[] = []

  const command = (...args: string[]): string[] => [join(projectHome, 'bin/tocsin'), ...args, '--server', gateway.grpc]
  const tocsin = (...args: string[]): Promise<Outcome> =>
    run(nodePath, command(...args), { cwd: tempFolder('cli'), timeoutMs: 30_000 })
  const watch = (...args: string[]): Child =>
    startChild(nodePath, command('watch', ...args), { cwd: tempFolder('cli'), input: '' })

  beforeAll(async () => {
    influxdb = await startInfluxdb()
    const file = join(tempFolder('settings'), 'tocsin.yaml')
    writeFileSync(file, mapping)
    const settings = { INFLUX_URL: influxdb.url, TELEMETRY_STORE: 'sqlite' }
    gateway = await startGatewayProcess({ file, settings })
    forPeople = watch()
    forPrograms = watch('--json')
    await Promise.all([forPeople.waitFor('started', 30_000), forPrograms.waitFor('started', 30_000)])
  }, 90_000)
  afterAll(async () => {
    await Promise.all([forPeople?.stop(), forPrograms?.stop()])
    await gateway?.stop()
    await influxdb?.stop()
  })

  /** The event as `tocsin watch --json` shows it. */
  async function shown(isIt: (event: Shown['event']) => boolean): Promise<Shown> {
    const acknowledgedMs = performance.now()
    while (performance.now() - acknowledgedMs < 10_000) {
      const lines = forPrograms.stdout.split('\n').slice(0, -1)
      const found = lines.map((line) => JSON.parse(line) as Shown).find(({ event }) => isIt(event))
      if (found) {
        delaysMs.push(performance.now() - acknowledgedMs)
        return found
      }
      await sleep(10)
    }
    throw new Error(`tocsin watch did not show it:\n${forPrograms.stdout.slice(-2_000)}${forPrograms.stderr}`)
  }

  async function overHttp(path: string): Promise<unknown> {
    const answer = await fetch(gateway.http + path)
    expect([path, answer.status]).toEqual([path, 200])
    return answer.json()
  }

  test.each(messages)('$format', { timeout: 40_000 }, async (message) => {
    const { topic, payload, device, quantity, value, unit, family, observedMs, place } = message
    const published = await mosquittoPub(['-p', String(gateway.mqttPort), '-q', '1', '-t', topic, '-s'], payload)
    expect(published).toMatchObject({ code: 0, stderr: '' })

    const { event, eventId } = await shown(({ origin, observation }) => origin?.device === device && !!observation)
    const isRight = ({ observedAt, receivedAt, location, observation }: Shown['event']): void => {
      expect(Date.parse(observedAt!)).toBe(observedMs)
      expect(Date.now() - Date.parse(receivedAt!)).toBeLessThan(60_000)
      expect(location).toEqual(place)
      const measurement = observation!.measurements.find((each) => each['quantity'] === quantity)
      expect(measurement).toMatchObject({ number: value, unit })
    }
    isRight(event)
    await forPeople.waitFor(message.line, 10_000)

    const rest = (await overHttp(`/v1/events/${eventId}`)) as Shown & { readonly topic: string }
    expect(rest.topic).toBe(topic)
    isRight(rest.event)

    const [from, to] = [observedMs, observedMs + 1].map((ms) => new Date(ms).toISOString()) as [string, string]
    const which = ['--device', device, '--from', from, '--to', to, '--format', 'csv']
    await expect
      .poll(async () => csvRows((await tocsin('query', quantity, ...which)).stdout), { timeout: 20_000 })
      .toEqual([expect.objectContaining({ time: whole(from), value: String(value), quantity, device, unit })])

    const columns = 'value, unit, latitude, longitude, event_id'
    const statement = `SELECT ${columns} FROM ${family} WHERE device = '${device}' AND quantity = '${quantity}'`
    const rows = async () => (await influxdb.query(statement, 'tocsin'))[0]?.values ?? []
    await expect.poll(rows, { timeout: 15_000 }).toHaveLength(1)
    const [[time, ...fields] = []] = await rows()
    // Below the millisecond stands a counter that tells readings apart.
    expect(Number(BigInt(time as bigint) / 1_000_000n)).toBe(observedMs)
    expect(fields).toEqual([value, unit, place?.latitude ?? null, place?.longitude ?? null, eventId])
  })

  test('CAP, which is an alert: on the map and in no database of series', { timeout: 40_000 }, async () => {
    const leftOut = await metric('tocsin_influxdb_left_out_records_total{reason="not_telemetry"}')
    const headers = { 'content-type': 'application/cap+xml' }
    const answer = await fetch(`${gateway.http}/v1/ingest/cap/weather`, { method: 'POST', headers, body: alertXml })
    expect(answer.status).toBe(201)

    const { event, eventId, lane } = await shown(({ alert }) => !!alert)
    expect(answer.headers.get('location')).toBe(`/v1/events/${eventId}`)
    const isRight = (alert: Shown['event']): void =>
      expect(alert).toMatchObject({
        messageStatus: 'MESSAGE_STATUS_ACTUAL',
        severity: 'SEVERITY_SEVERE',
        sentAt: whole(at(hourAgoS + 7)),
        expiresAt: whole(at(hourAgoS + 7_200)),
        alert: { identifier: 'mill-creek-7', sender: 'warnings@weather.example' },
      })
    isRight(event)
    expect(lane).toBe('urgent')
    await forPeople.waitFor(/SEVERE +alert .*Flash Flood Warning · Mill Creek leaves its bed · Mill Creek/, 10_000)
    isRight(((await overHttp(`/v1/events/${eventId}`)) as Shown).event)

    // The same by MQTT, as from a second relay, is the same alert.
    const topic = 'tocsin/in/cap/weather'
    const again = await mosquittoPub(['-p', String(gateway.mqttPort), '-q', '1', '-t', topic, '-s'], alertXml)
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect((await tocsin('fate', '--topic', topic)).stdout).toMatch(/^DUPLICATE /)

    const map = (await overHttp('/v1/alerts.geojson')) as { readonly features: readonly object[] }
    // CAP writes latitude first, GeoJSON longitude (RFC 7946 §3.1.1); the ring goes round counterclockwise (§3.1.6).
    const ring = [[-97.75, 30.25], [-97.5, 30.25], [-97.5, 30.5], [-97.75, 30.25]] // prettier-ignore
    expect(map.features).toEqual([
      expect.objectContaining({ id: eventId, geometry: { type: 'Polygon', coordinates: [ring] } }),
    ])

    await expect
      .poll(() => metric('tocsin_influxdb_left_out_records_total{reason="not_telemetry"}'), { timeout: 10_000 })
      .toBe(leftOut + 1)
    const ids = async (database: string) =>
      (await influxdb.query('SELECT event_id FROM /.*/', database)).flatMap(({ values }) => values.map(([, id]) => id))
    expect(await ids('tocsin')).not.toEqual([])
    expect(await ids('tocsin')).not.toContain(eventId)
    expect(await ids('tocsin_exercise')).toEqual([])
  })

  test('is shown by `tocsin watch` within a second of its acknowledgement', () => {
    expect(delaysMs).toHaveLength(messages.length + 1)
    // The median, since a loaded machine may halt any one of them.
    expect(delaysMs.toSorted((a, b) => a - b)[Math.floor(delaysMs.length / 2)]).toBeLessThan(1_000)
  })

  async function metric(series: string): Promise<number> {
    const text = await (await fetch(`${gateway.http}/metrics`)).text()
    const line = text.split('\n').find((each) => each.startsWith(`${series} `))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
})

/** As our times are written: without a fraction that is zero. */
const whole = (time: string): string => time.replace('.000Z', 'Z')

/** Of a table whose fields hold no quotes: one object for each row. */
function csvRows(text: string): Record<string, string>[] {
  const [header = [], ...rows] = text
    .split('\r\n')
    .filter(Boolean)
    .map((line) => line.split(','))
  return rows.map((row) => Object.fromEntries(header.map((name, column) => [name, row[column] ?? ''])))
}
