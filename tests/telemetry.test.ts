// The SQLite store beside the contract that all stores keep (telemetry-contract.test.ts): its file, its retention; and windows.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSeriesBuilder } from '../gateway/telemetry/aggregate.ts'
import { queryPlan } from '../gateway/telemetry/requests.ts'
import { Quality, SeriesAggregate } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { openHouse } from './grpc-house.ts'
import { readingMs, temperature } from './peers/influxdb-readings.ts'
import { append, openStores, range, shown, timeOf, valuesOf, windowMs } from './telemetry-house.ts'

describe('the SQLite store', () => {
  test('is made anew from the log when the file is gone, and read twice has every value once', async () => {
    const first = await openStores(['sqlite'])
    for (let at = 0; at < 50; at++) await append(first.house, [temperature(at)], readingMs + at)
    await first.caughtUp()
    await first.close()
    const file = join(first.folder, 'telemetry.sqlite')
    expect(existsSync(file)).toBe(true)
    for (const part of ['', '-wal', '-shm']) rmSync(file + part, { force: true })
    const second = await openStores(['sqlite'], { folder: first.folder })
    await second.caughtUp()
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))[0]).toHaveLength(50)
    await second.sqlite!.expire()
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))).toEqual([])
  })

  test('leaves the last of the disk to the log, and catches up when there is room', async () => {
    const full = await openStores(['sqlite'], { diskLowBytes: Number.MAX_SAFE_INTEGER })
    await append(full.house, [temperature(21.5)])
    await expect.poll(() => full.running[0]!.failing()).toContain('log.disk_low')
    expect(full.running[0]!.lag()).toEqual({ urgent: 0, routine: 1 })
    await full.close()
    const roomy = await openStores(['sqlite'], { folder: full.folder })
    await roomy.caughtUp()
    expect(valuesOf(await roomy.query({ quantity: 'air_temperature' }))).toEqual([[21.5]])
  })

  test('begins a damaged file anew from the log, and keeps what was damaged', async () => {
    const first = await openStores(['sqlite'])
    await append(first.house, [temperature(21.5)])
    await first.caughtUp()
    await first.close()
    const file = join(first.folder, 'telemetry.sqlite')
    for (const part of ['-wal', '-shm']) rmSync(file + part, { force: true })
    writeFileSync(file, 'this is no database, and long enough that it is not taken for an empty one'.repeat(20))
    const second = await openStores(['sqlite'], { folder: first.folder })
    await second.caughtUp()
    expect(existsSync(`${file}.damaged`)).toBe(true)
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))).toEqual([[21.5]])
  })

  test('answers windows of minutes and hours when the values are gone, late and repeated ones included', async () => {
    const first = await openStores(['sqlite'], { keepMs: { values: 1e13 } })
    const readings: readonly (readonly [second: number, value: number])[] = [
      [0, 5],
      [59, 1],
      [60, 4],
      [400, 7],
      [3_000, -2],
    ]
    for (const [second, value] of readings) await append(first.house, [temperature(value)], windowMs + second * 1_000)
    await append(first.house, [{ ...temperature(-999), quality: Quality.BAD }], windowMs + 30_000)
    await first.caughtUp()
    // Levels are made, and the values are kept.
    await first.sqlite!.expire()
    // Late: levels are made anew with it.
    await append(first.house, [temperature(100)], windowMs + 1_000)
    await first.caughtUp()
    const expected = await windowsOf(first)
    expect(expected.flatMap((series) => series ?? [])).not.toEqual([])
    await first.close()

    const second = await openStores(['sqlite'], { folder: first.folder })
    await second.sqlite!.expire()
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))).toEqual([])
    expect(await windowsOf(second)).toEqual(expected)
    const [listed] = (await second.list({})).series ?? []
    expect(toNumber(listed?.firstAt?.seconds)).toBe(Math.floor(windowMs / 3_600_000) * 3_600)
    // Too late: the values that it would stand among are gone.
    await append(second.house, [temperature(1_000)], windowMs + 2_000)
    await second.caughtUp()
    await second.sqlite!.expire()
    expect(await windowsOf(second)).toEqual(expected)
  })

  test('forgets minutes and hours when their time is over', async () => {
    const { house, query, sqlite, caughtUp } = await openStores(['sqlite'], { keepMs: { minutes: 1 } })
    await append(house, [temperature(5)])
    await caughtUp()
    await sqlite!.expire()
    const ask = async (seconds: number) => {
      const from = timeOf(windowMs - 600_000)
      return valuesOf(await query({ quantity: 'air_temperature', from, window: { seconds } }))
    }
    expect(await ask(60)).toEqual([])
    expect(await ask(3_600)).toEqual([[5]])
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

/** Every aggregate over minutes, five minutes and hours. */
async function windowsOf({ query }: Awaited<ReturnType<typeof openStores>>) {
  const [from, to] = [timeOf(windowMs - 600_000), timeOf(windowMs + 7_200_000)]
  const answers = []
  for (const seconds of [60, 300, 3_600]) {
    for (const aggregate of Object.values(SeriesAggregate)) {
      const { series } = await query({ quantity: 'air_temperature', from, to, window: { seconds }, aggregate })
      answers.push(series)
    }
  }
  return answers
}
