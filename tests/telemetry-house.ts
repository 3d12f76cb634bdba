// What the tests of telemetry stores share: a real log with one store or two behind it, filled as the gateway fills them, asked by gRPC.

import { onTestFinished, expect } from 'vitest'
import { type Alarm, createAlarms } from '../gateway/alarms.ts'
import { type Clock, systemClock } from '../gateway/clock.ts'
import { createInfluxdbOutput } from '../gateway/outputs/influxdb/influxdb.ts'
import type { TagLimits } from '../gateway/outputs/influxdb/cardinality.ts'
import type { LineRefusal } from '../gateway/outputs/influxdb/quarantine.ts'
import { runOutput } from '../gateway/outputs/run-output.ts'
import { createInfluxdbStore } from '../gateway/telemetry/influxdb/influxdb-store.ts'
import { createInfluxdbLevels } from '../gateway/telemetry/influxdb/levels.ts'
import { createSqliteStore } from '../gateway/telemetry/sqlite/sqlite-store.ts'
import type { TelemetryStore } from '../gateway/telemetry/store.ts'
import type { ListSeriesResponse, Measurement, QuerySeriesResponse, SeriesPoint } from '../proto/generated/types.ts'
import { toBigInt } from '../proto/int64.ts'
import { timestamp } from '../proto/time.ts'
import { openHouse, quietLogger, type House } from './grpc-house.ts'
import { openTestLog } from './grpc-log.ts'
import type { InfluxdbSettings } from '../gateway/outputs/influxdb/settings.ts'
import { observation, readingMs, settingsFor } from './peers/influxdb-readings.ts'
import { tempFolder } from './tools/temp-folder.ts'

/** 2023-11-14T22:10:00Z, the begin of a window of five minutes; `readingMs` lies 200.123 s after it. */
export const windowMs = 1_699_999_800_000
export const timeOf = (ms: number) => timestamp(BigInt(ms) * 1_000_000n)
export const range = { from: timeOf(windowMs), to: timeOf(windowMs + 3_600_000) }

export type StoreKind = 'sqlite' | 'influxdb'

export interface StoreOptions {
  readonly folder?: string
  /** Where InfluxDB is, for stores that are one. */
  readonly influxdb?: { readonly url: string; readonly database: string } & Partial<InfluxdbSettings>
  readonly tagLimits?: TagLimits
  readonly diskLowBytes?: number
  readonly clock?: Clock
  /** Where `values` is not given, InfluxDB keeps them for ever, and has no levels. */
  readonly keepMs?: { readonly values?: number; readonly minutes?: number; readonly hours?: number }
}

/** Asks the store of the kind through a server of its own; `both` are asked side by side. */
export async function openStores(kinds: readonly StoreKind[], options: StoreOptions = {}) {
  const keep = { values: 86_400_000, minutes: 1e12, hours: 1e12, ...options.keepMs }
  const { folder = tempFolder('telemetry'), influxdb, tagLimits, diskLowBytes = 0 } = options
  const log = await openTestLog(folder)
  const { clock = systemClock } = options
  const logger = quietLogger
  const raised: Alarm[] = []
  const alarms = createAlarms(clock, (alarm, isRaised) => void (isRaised && raised.push(alarm)))
  const outputs = { log, alarms, logger, random: () => 0.5 }
  const sqlite = kinds.includes('sqlite')
    ? createSqliteStore({ dataDir: folder, log, clock, logger, keepMs: keep, diskLowBytes })
    : undefined
  await sqlite?.resume()
  const running = sqlite ? [runOutput(sqlite, outputs)] : []
  const stores: TelemetryStore[] = sqlite ? [sqlite] : []
  const closing: (() => Promise<void>)[] = []
  const refused: LineRefusal[] = []
  let levels: ReturnType<typeof createInfluxdbLevels> | undefined
  if (kinds.includes('influxdb')) {
    const { url, ...place } = influxdb!
    const keepMs = options.keepMs?.values
    const settings = settingsFor(url, {
      exerciseDatabase: `${place.database}_exercise`,
      manage: true,
      ...(keepMs && { keepMs }),
      ...place,
    })
    const quick = { clock, logger, alarms, gatherMs: 0 }
    levels = createInfluxdbLevels({ dataDir: folder, settings, keepMs: keep, ...quick })
    closing.push(levels.close)
    const quarantine = async (refusal: LineRefusal) => void refused.push(refusal)
    const parts = { clock, logger, alarms, quarantine, touched: levels, ...(tagLimits && { tagLimits }) }
    running.push(runOutput(createInfluxdbOutput(settings, parts), outputs))
    const store = createInfluxdbStore({ settings, log, clock })
    stores.push(store)
    closing.push(store.close)
  }
  const house = await openHouse({ log, telemetry: stores[0]! })
  const client = house.client('tocsin.v1.TelemetryService')
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    for (const each of running) await each.stop()
    for (const each of closing) await each()
    await house[Symbol.asyncDispose]()
  }
  onTestFinished(close)
  return {
    folder,
    house,
    stores,
    sqlite,
    running,
    alarms,
    /** Alarms that were raised, and lines that InfluxDB refused. */
    raised,
    refused,
    /** Makes levels, and lets values expire. */
    expire: async () => {
      await sqlite?.expire()
      await levels?.expire()
    },
    close,
    query: (request: object) => client.unary<QuerySeriesResponse>('QuerySeries', { ...range, ...request }),
    list: (request: object) => client.unary<ListSeriesResponse>('ListSeries', request),
    caughtUp: async () => {
      for (const { lag } of running) await expect.poll(lag, { timeout: 20_000 }).toEqual({ urgent: 0, routine: 0 })
    },
  }
}

export const append = (house: House, values: readonly Measurement[], atMs = readingMs, device = 'gauge-7') =>
  house.append(observation({ device, atMs, measurements: [...values] }))

export const shown = (point: SeriesPoint): unknown => {
  if (point.value === 'number') return point.number
  if (point.value === 'integer') return toBigInt(point.integer)
  if (point.value === 'flag') return point.flag
  return point.value === 'text' ? point.text : undefined
}
export const valuesOf = (answer: QuerySeriesResponse): unknown[][] =>
  (answer.series ?? []).map(({ points = [] }) => points.map(shown))
