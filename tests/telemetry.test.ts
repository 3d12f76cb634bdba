// The SQLite store beside the contract that all stores keep (telemetry-contract.test.ts): its file, its retention; and windows.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { readSettings } from '../gateway/settings.ts'
import { createSeriesBuilder } from '../gateway/telemetry/aggregate.ts'
import { configuredStore } from '../gateway/telemetry/configured-store.ts'
import { queryPlan } from '../gateway/telemetry/requests.ts'
import { Quality, SeriesAggregate } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { openHouse, quietLogger } from './grpc-house.ts'
import { openTestLog } from './grpc-log.ts'
import { readingMs, temperature } from './peers/influxdb-readings.ts'
import { append, openStores, range, shown, valuesOf, windowMs } from './telemetry-house.ts'

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

  test('removes nothing while the clock is wrong', async () => {
    const first = await openStores(['sqlite'])
    await append(first.house, [temperature(21.5)])
    await first.caughtUp()
    await first.close()
    const log = await openTestLog(first.folder)
    const alarms = createAlarms(systemClock, () => {})
    const settings = { ...readSettings({ environment: {} }), data_dir: first.folder }
    const parts = { settings, log, clock: systemClock, logger: quietLogger, alarms, levels: undefined }
    const configured = (await configuredStore(parts))!
    const values = async () =>
      valuesOf(await configured.store.querySeries({ ...range, quantity: 'air_temperature' }, undefined))
    alarms.raise('clock_step', '', 'the clock of this machine jumped ahead')
    await configured.expire()
    expect(await values()).toEqual([[21.5]])
    alarms.clear('clock_step')
    await configured.expire()
    expect(await values()).toEqual([])
    await configured.output?.close()
    await log.close()
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
