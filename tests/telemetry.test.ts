// Series of values in the SQLite store, asked for by gRPC: the real log, the real threads, the real server.

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { createSeriesBuilder } from '../gateway/telemetry/aggregate.ts'
import { runOutput } from '../gateway/outputs/run-output.ts'
import { queryPlan } from '../gateway/telemetry/requests.ts'
import { createSqliteStore } from '../gateway/telemetry/sqlite/sqlite-store.ts'
import { MessageStatus, Quality, SeriesAggregate } from '../proto/generated/types.ts'
import type { ListSeriesResponse, Measurement, QuerySeriesResponse, SeriesPoint } from '../proto/generated/types.ts'
import { int64, toBigInt, toNumber } from '../proto/int64.ts'
import { timestamp, timestampNs } from '../proto/time.ts'
import { openHouse, quietLogger, type House } from './grpc-house.ts'
import { openTestLog } from './grpc-log.ts'
import { observation, readingMs, temperature } from './peers/influxdb-readings.ts'
import { tempFolder } from './tools/temp-folder.ts'

/** 2023-11-14T22:10:00Z, the begin of a window of five minutes; `readingMs` lies 200.123 s after it. */
const windowMs = 1_699_999_800_000
const timeOf = (ms: number) => timestamp(BigInt(ms) * 1_000_000n)
const range = { from: timeOf(windowMs), to: timeOf(windowMs + 3_600_000) }

async function openStore(folder = tempFolder('telemetry')) {
  const log = await openTestLog(folder)
  const clock = systemClock
  const store = createSqliteStore({ dataDir: folder, log, clock, logger: quietLogger, keepMs: 86_400_000 })
  await store.resume()
  const alarms = createAlarms(clock, () => {})
  const running = runOutput(store, { log, alarms, logger: quietLogger, random: () => 0.5 })
  const house = await openHouse({ log, telemetry: store })
  const client = house.client('tocsin.v1.TelemetryService')
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    await running.stop()
    await house[Symbol.asyncDispose]()
  }
  onTestFinished(close)
  return {
    folder,
    house,
    store,
    close,
    query: (request: object) => client.unary<QuerySeriesResponse>('QuerySeries', { ...range, ...request }),
    list: (request: object) => client.unary<ListSeriesResponse>('ListSeries', request),
    caughtUp: async () => {
      await expect.poll(() => running.lag(), { timeout: 10_000 }).toEqual({ urgent: 0, routine: 0 })
    },
  }
}

const append = (house: House, values: readonly Measurement[], atMs = readingMs, device = 'gauge-7') =>
  house.append(observation({ device, atMs, measurements: [...values] }))

const shown = (point: SeriesPoint): unknown => {
  if (point.value === 'number') return point.number
  if (point.value === 'integer') return toBigInt(point.integer)
  if (point.value === 'flag') return point.flag
  return point.value === 'text' ? point.text : undefined
}
const valuesOf = (answer: QuerySeriesResponse): unknown[][] =>
  (answer.series ?? []).map(({ points = [] }) => points.map(shown))

describe('the SQLite store', () => {
  test('gives values as they are: kinds, large whole numbers, repeated quantities, nothing that is bad', async () => {
    const { house, query, caughtUp } = await openStore()
    await append(house, [temperature(21.5), temperature(22.5), { ...temperature(-999), quality: Quality.BAD }])
    await append(house, [
      { quantity: 'rain_count', value: 'integer', integer: int64(9_007_199_254_740_993n) },
      { quantity: 'door', value: 'flag', flag: true },
      { quantity: 'sky', value: 'text', text: 'raining' },
    ])
    await caughtUp()
    const answer = await query({ quantity: 'air_temperature' })
    expect(valuesOf(answer)).toEqual([[21.5], [22.5]])
    expect(answer.series?.map(({ series }) => series?.index)).toEqual([undefined, 1])
    expect(answer.series?.[0]?.series).toMatchObject({
      device: 'gauge-7',
      subject: 'urn:dev:ow:gauge-7',
      jurisdiction: 'county-a.example',
      owner: 'water.county-a.example',
      deviceClass: 'senml',
      unit: 'Cel',
    })
    expect(timestampNs(answer.series?.[0]?.points?.[0]?.at)).toBe(BigInt(readingMs) * 1_000_000n)
    expect(valuesOf(await query({ quantity: 'air_temperature', includeBad: true }))).toEqual([[21.5], [22.5], [-999]])
    expect(valuesOf(await query({ quantity: 'rain_count' }))).toEqual([[9_007_199_254_740_993n]])
    expect(valuesOf(await query({ quantity: 'door' }))).toEqual([[true]])
    expect(valuesOf(await query({ quantity: 'sky' }))).toEqual([['raining']])
  })

  test('gives windows that begin at multiples of their length, and none where there is no value', async () => {
    const { house, query, caughtUp } = await openStore()
    for (const [minute, value] of [
      [0, 1],
      [4, 3],
      [5, 10],
      [16, 7],
    ] as const)
      // prettier-ignore
      await append(house, [temperature(value)], windowMs + minute * 60_000)
    await caughtUp()
    const window = { seconds: 300 }
    const ask = (aggregate: SeriesAggregate) => query({ quantity: 'air_temperature', window, aggregate })
    const means = await ask(SeriesAggregate.UNSPECIFIED)
    expect(valuesOf(means)).toEqual([[2, 10, 7]])
    const points = means.series?.[0]?.points ?? []
    expect(points.map((point) => Number(timestampNs(point.at)! / 1_000_000n) - windowMs)).toEqual([0, 300_000, 900_000])
    expect(points.map(({ count }) => toNumber(count))).toEqual([2, 1, 1])
    expect(valuesOf(await ask(SeriesAggregate.SUM))).toEqual([[4, 10, 7]])
    expect(valuesOf(await ask(SeriesAggregate.MAXIMUM))).toEqual([[3, 10, 7]])
    expect(valuesOf(await ask(SeriesAggregate.FIRST))).toEqual([[1, 10, 7]])
    expect(valuesOf(await ask(SeriesAggregate.COUNT))).toEqual([[2n, 1n, 1n]])
  })

  test('keeps exercises apart and drops what is labelled', async () => {
    const { house, query, caughtUp } = await openStore()
    await house.append(
      observation({ measurements: [temperature(1)] }),
      observation({ measurements: [temperature(2)], messageStatus: MessageStatus.EXERCISE }),
      observation({ measurements: [temperature(3)], labels: [4] }),
    )
    await caughtUp()
    expect(valuesOf(await query({ quantity: 'air_temperature' }))).toEqual([[1]])
    const exercise = { quantity: 'air_temperature', messageStatuses: [MessageStatus.EXERCISE] }
    expect(valuesOf(await query(exercise))).toEqual([[2]])
  })

  test('says when there is more, lists series in pages, and tells what was wrong with a request', async () => {
    const { house, query, list, caughtUp } = await openStore()
    for (let at = 0; at < 5; at++) await append(house, [temperature(at)], readingMs + at, `gauge-${at % 3}`)
    await caughtUp()
    const few = await query({ quantity: 'air_temperature', maxSeries: 2, maxPoints: 1 })
    expect(few).toMatchObject({ truncated: true, series: [{ truncated: true }, { truncated: true }] })
    expect(valuesOf(few)).toEqual([[0], [1]])
    const page = await list({ devices: ['gauge-*'], pageSize: 2 })
    expect(page.series?.map(({ device }) => device)).toEqual(['gauge-0', 'gauge-1'])
    const next = await list({ devices: ['gauge-*'], pageSize: 2, pageToken: page.nextPageToken })
    expect(next.series?.map(({ device }) => device)).toEqual(['gauge-2'])
    expect(next.nextPageToken ?? new Uint8Array()).toHaveLength(0)
    const other = list({ devices: ['gauge-1'], pageToken: page.nextPageToken })
    await expect(other).rejects.toMatchObject({ code: 3, details: expect.stringContaining('another request') })
    await expect(query({})).rejects.toMatchObject({ code: 3, details: expect.stringContaining('quantity') })
    const noWindow = query({ quantity: 'x', aggregate: SeriesAggregate.MEAN })
    await expect(noWindow).rejects.toMatchObject({ code: 3, details: expect.stringContaining('needs window') })
  })

  test('is made anew from the log when the file is gone, and read twice has every value once', async () => {
    const first = await openStore()
    for (let at = 0; at < 50; at++) await append(first.house, [temperature(at)], readingMs + at)
    await first.caughtUp()
    await first.close()
    const file = join(first.folder, 'telemetry.sqlite')
    expect(existsSync(file)).toBe(true)
    for (const part of ['', '-wal', '-shm']) rmSync(file + part, { force: true })
    const second = await openStore(first.folder)
    await second.caughtUp()
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))[0]).toHaveLength(50)
    await second.store.expire()
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))).toEqual([])
  })

  test('tells a caller where there is none', async () => {
    await using house = await openHouse()
    const asked = house.client('tocsin.v1.TelemetryService').unary('QuerySeries', { quantity: 'x', ...range })
    await expect(asked).rejects.toMatchObject({ code: 9, details: expect.stringContaining('telemetry.store') })
  })
})

test('windows count every value once, and their sums are the sum of all', () => {
  const value = fc.integer({ min: -1_000, max: 1_000 })
  const readings = fc.array(fc.tuple(fc.integer({ min: 0, max: 3_599_999 }), value), { maxLength: 200 })
  fc.assert(
    fc.property(readings, fc.integer({ min: 1, max: 900 }), (unordered, seconds) => {
      const request = { quantity: 'x', ...range, window: { seconds }, aggregate: SeriesAggregate.SUM }
      const builder = createSeriesBuilder(queryPlan(request, 0n))
      for (const [ms, number] of unordered.toSorted(([a], [b]) => a - b))
        builder.add({
          atMs: windowMs + ms,
          counter: 0,
          value: { kind: 'number', value: number },
          quality: Quality.GOOD,
        })
      const { points } = builder.finish()
      expect(points.reduce((sum, { count }) => sum + toNumber(count), 0)).toBe(unordered.length)
      const sum = points.reduce((total, point) => total + Number(shown(point)), 0)
      expect(sum).toBe(unordered.reduce((total, [, number]) => total + number, 0))
    }),
  )
})
