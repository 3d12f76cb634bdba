// How fast events become lines for InfluxDB, and what a row costs in CPU, beside the line encoder of the `influx` package with the
// same rows. One process, one core, interleaved runs; run it with `node bench/influxdb-lines.ts`.

import { randomFillSync } from 'node:crypto'
import { FieldType, InfluxDB, toNanoDate } from 'influx'
import type { IPoint } from 'influx'
import { createIds, counterOf, idText } from '../gateway/ids.ts'
import { createTagBudget, tagLimits } from '../gateway/outputs/influxdb/cardinality.ts'
import { createLines } from '../gateway/outputs/influxdb/line-protocol.ts'
import { newRowCounts, targetOf, writeRows } from '../gateway/outputs/influxdb/rows.ts'
import { Label, MessageStatus } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { timestamp, timestampNs } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'

const [batchRows, batches, runs] = [5_000, 20, 5]
const eventCodec = codec('tocsin.v1.Event')
const ids = createIds((bytes) => randomFillSync(bytes))
const events = Array.from({ length: batchRows }, (_, index) => reading(index))
const encoded = events.map((event) => eventCodec.encode(event))

function reading(index: number): Event {
  const at = 1_700_000_000_000_000_000n + BigInt(index) * 1_000_000n
  return {
    id: ids.next(at),
    subject: `urn:dev:ow:gauge-${index % 1_000}`,
    messageStatus: MessageStatus.ACTUAL,
    origin: {
      jurisdiction: 'county-a.example',
      owner: 'water.county-a.example',
      device: `gauge-${index % 1_000}`,
      adapter: 'senml',
    },
    observedAt: timestamp(at),
    receivedAt: timestamp(at),
    handling: { labels: [Label.OPS] },
    location: { latitude: 30.25 + index / 1e5, longitude: -97.75 },
    body: 'observation',
    observation: {
      measurements: [{ quantity: 'water_level', value: 'number', number: 1 + (index % 977) / 1_000, unit: 'm' }],
    },
  }
}

const lines = createLines()
const budget = createTagBudget(tagLimits, () => undefined)
const include = new Set<never>()

function writeOurs(event: Event, index: number): void {
  const counts = newRowCounts()
  if (targetOf(event, include, counts)) writeRows(event, { lines, budget, include, counts, sequence: index })
}

const ours = {
  'ours, lines only': () => {
    lines.clear()
    for (let index = 0; index < batchRows; index++) writeOurs(events[index]!, index)
    return lines.length
  },
  'ours, with reading the event': () => {
    lines.clear()
    for (let index = 0; index < batchRows; index++) writeOurs(eventCodec.decode(encoded[index]!), index)
    return lines.length
  },
}

// The package has no encoder to call, so its body is taken where it would be sent; the schema is what a careful user would give.
const client = new InfluxDB({
  host: '127.0.0.1',
  database: 'bench',
  schema: [
    {
      measurement: 'water_level',
      tags: ['quantity', 'device', 'agency', 'jurisdiction', 'device_class', 'status'],
      fields: {
        value: FieldType.FLOAT,
        unit: FieldType.STRING,
        latitude: FieldType.FLOAT,
        longitude: FieldType.FLOAT,
        subject: FieldType.STRING,
        event_id: FieldType.STRING,
        sequence: FieldType.INTEGER,
      },
    },
  ],
})
let bodyBytes = 0
Reflect.get(client, '_pool').discard = (request: { body: string }) => {
  bodyBytes = Buffer.byteLength(request.body)
  return Promise.resolve()
}

function point(event: Event, sequence: number): IPoint {
  if (event.body !== 'observation') throw new TypeError('a reading')
  const measurement = event.observation.measurements![0]!
  const { origin = {}, location = {} } = event
  const time = (timestampNs(event.observedAt) ?? 0n) + BigInt(counterOf(event.id!))
  return {
    measurement: 'water_level',
    tags: {
      quantity: measurement.quantity!,
      device: origin.device!,
      agency: origin.owner!,
      jurisdiction: origin.jurisdiction!,
      device_class: origin.adapter!,
      status: 'actual',
    },
    fields: {
      value: measurement.value === 'number' ? measurement.number : 0,
      unit: measurement.unit!,
      latitude: location.latitude!,
      longitude: location.longitude!,
      subject: event.subject!,
      event_id: idText(event.id!),
      sequence,
    },
    timestamp: toNanoDate(String(time)),
  }
}

const theirs = {
  'influx package, lines only': () => {
    void client.writePoints(events.map(point), { precision: 'n' })
    return bodyBytes
  },
}

const candidates = Object.entries({ ...ours, ...theirs })
const cpuMicros = new Map<string, number[]>(candidates.map(([name]) => [name, []]))
const bytes = new Map<string, number>()
for (let run = 0; run <= runs; run++) {
  for (const [name, batch] of candidates) {
    const before = process.cpuUsage()
    for (let index = 0; index < batches; index++) bytes.set(name, batch())
    const { user, system } = process.cpuUsage(before)
    // The first run warms up.
    if (run > 0) cpuMicros.get(name)!.push((user + system) / (batches * batchRows))
  }
}
for (const [name, micros] of cpuMicros) {
  const median = micros.toSorted((a, b) => a - b)[runs >> 1]!
  const perRow = Math.round(bytes.get(name)! / batchRows)
  const text = `${median.toFixed(2)} µs CPU a row, ${Math.round(1e6 / median).toLocaleString('en')} rows/s on one core, ${perRow} bytes a row`
  process.stdout.write(`${name.padEnd(30)} ${text}\n`)
}
