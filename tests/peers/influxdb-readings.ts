// Readings for the tests of the InfluxDB output: events as the pipeline makes them, and records as the log hands them out.

import { randomFillSync } from 'node:crypto'
import type { Event, Measurement } from '../../proto/generated/types.ts'
import { EventKind, Label, MessageStatus } from '../../proto/generated/types.ts'
import { timestamp } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { createIds } from '../../gateway/ids.ts'
import type { StoredRecord } from '../../gateway/log/log.ts'
import { labelsMask } from '../../gateway/record-header.ts'
import type { InfluxdbSettings } from '../../gateway/outputs/influxdb/settings.ts'

export const eventCodec = codec('tocsin.v1.Event')
const ids = createIds((bytes) => randomFillSync(bytes))

/** 2023-11-14T22:13:20.123Z; rows of it are beyond no retention policy that a test does not make. */
export const readingMs = 1_700_000_000_123

export interface Reading {
  readonly device?: string
  readonly atMs?: number
  readonly measurements?: Measurement[]
  readonly messageStatus?: MessageStatus
  readonly labels?: Label[]
}

export function observation(reading: Reading = {}): Event {
  const { device = 'gauge-7', atMs = readingMs, messageStatus = MessageStatus.ACTUAL, labels = [Label.OPS] } = reading
  const at = BigInt(atMs) * 1_000_000n
  return {
    id: ids.next(at),
    subject: `urn:dev:ow:${device}`,
    messageStatus,
    origin: { jurisdiction: 'county-a.example', owner: 'water.county-a.example', device, adapter: 'senml' },
    observedAt: timestamp(at),
    receivedAt: timestamp(at + 40_000_000n),
    handling: { labels },
    body: 'observation',
    observation: { measurements: reading.measurements ?? [temperature(21.5)] },
  }
}

export const temperature = (number: number): Measurement => ({
  quantity: 'air_temperature',
  value: 'number',
  number,
  unit: 'Cel',
})

export function recordOf(event: Event, sequence: number): StoredRecord {
  const bytes = eventCodec.encode(event)
  return {
    lane: 'routine',
    sequence,
    loggedAt: 0n,
    removed: false,
    bytes,
    header: { kind: EventKind.OBSERVATION, labels: labelsMask(event.handling?.labels) },
    event: bytes,
    frameId: new Uint8Array(16),
  }
}

export const recordsOf = (events: readonly Event[]): StoredRecord[] =>
  events.map((event, index) => recordOf(event, index + 1))

export const settingsFor = (url: string, more: Partial<InfluxdbSettings> = {}): InfluxdbSettings => ({
  url,
  version: 'auto',
  database: 'tocsin',
  exerciseDatabase: 'tocsin_exercise',
  gzip: true,
  timeoutMs: 5_000,
  batchRows: 5_000,
  include: [],
  manage: false,
  ...more,
})
