// Moving series from one telemetry store into the other: the file, a real InfluxDB, the command's own function.

import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../gateway/clock.ts'
import { createInfluxdbPoints } from '../gateway/telemetry/influxdb/points.ts'
import { moveTelemetry, type StoreName } from '../gateway/telemetry/move.ts'
import { MessageStatus, Quality, SeriesAggregate } from '../proto/generated/types.ts'
import { int64 } from '../proto/int64.ts'
import { observation, readingMs, settingsFor, temperature } from './peers/influxdb-readings.ts'
import { append, openStores, range, timeOf, valuesOf, windowMs } from './telemetry-house.ts'
import { type Influxdb, startInfluxdb } from './tools/influxdb.ts'
import { describeWithTools } from './tools/present.ts'
import { tempFolder } from './tools/temp-folder.ts'

type Stores = Awaited<ReturnType<typeof openStores>>
const hourMs = 3_600_000
/** Longer than the readings are old. */
const yearsMs = 1e12

describeWithTools('telemetry move', () => {
  let influxdb: Influxdb
  let databases = 0
  beforeAll(async () => void (influxdb = await startInfluxdb()), 30_000)
  afterAll(() => influxdb.stop())
  const newDatabase = () => ({ url: influxdb.url, database: `moved_${++databases}` })

  const keepMs = { minutes: 2 * yearsMs, hours: 2 * yearsMs }
  const move = (dataDir: string, to: StoreName, database: string, signal = new AbortController().signal) => {
    const settings = settingsFor(influxdb.url, { database, exerciseDatabase: `${database}_exercise`, manage: true })
    const points = createInfluxdbPoints(settings, systemClock, { keepMs })
    return moveTelemetry({ dataDir, to, influxdb: points, signal, progress() {} })
  }

  const all = { quantities: [], messageStatuses: [MessageStatus.ACTUAL, MessageStatus.EXERCISE], includeBad: true }
  const quantities = ['air_temperature', 'rain_count', 'door', 'sky'] as const

  async function answers(store: Awaited<ReturnType<typeof openStores>>) {
    const found = []
    for (const quantity of quantities) {
      const { completeUntil: _until, ...answer } = await store.stores[0]!.querySeries(
        { ...range, ...all, quantity },
        undefined,
      )
      found.push(answer)
    }
    return found
  }

  async function fill(store: Awaited<ReturnType<typeof openStores>>): Promise<void> {
    for (let at = 0; at < 20; at++) await append(store.house, [temperature(at)], readingMs + at, `gauge-${at % 3}`)
    await append(store.house, [
      { quantity: 'rain_count', value: 'integer', integer: int64(9_007_199_254_740_993n) },
      { quantity: 'door', value: 'flag', flag: true },
      { quantity: 'sky', value: 'text', text: 'it\'s "raining"\nhard, 5 %0A=1' },
      { ...temperature(-999), quality: Quality.BAD },
      { quantity: 'sky', quality: Quality.MISSING },
    ])
    await store.house.append(observation({ measurements: [temperature(2)], messageStatus: MessageStatus.EXERCISE }))
    await store.caughtUp()
  }

  test('from the file into InfluxDB: the same answers, also when it is done twice', { timeout: 60_000 }, async () => {
    const from = await openStores(['sqlite'])
    await fill(from)
    const expected = await answers(from)
    expect(expected.flatMap(({ series = [] }) => series.flatMap(({ points = [] }) => points))).toHaveLength(26)
    await from.close()
    const place = newDatabase()
    expect(await move(from.folder, 'influxdb', place.database)).toEqual({ series: 9, points: 26, resumed: 0 })
    await move(from.folder, 'influxdb', place.database)
    // A log of its own, which is empty: what it answers was moved.
    expect(await answers(await openStores(['influxdb'], { influxdb: place }))).toEqual(expected)
  })

  test('from InfluxDB into the file: the same answers, with the log gone', { timeout: 60_000 }, async () => {
    const place = newDatabase()
    const from = await openStores(['influxdb'], { influxdb: place })
    await fill(from)
    const expected = await answers(from)
    await from.close()
    expect(await move(from.folder, 'sqlite', place.database)).toEqual({ series: 9, points: 26, resumed: 0 })
    rmSync(join(from.folder, 'log'), { recursive: true })
    const into = await openStores(['sqlite'], { folder: from.folder })
    await into.caughtUp()
    expect(await answers(into)).toEqual(expected)
  })

  describe.each([
    ['sqlite', 'influxdb'],
    ['influxdb', 'sqlite'],
  ] as const)('from %s into %s', (from, to) => {
    /** 23:00 of that evening: some readings stand before it, in levels only, and some behind it. */
    const horizonMs = Math.ceil(windowMs / hourMs) * hourMs
    const kept = { keepMs: { values: yearsMs, minutes: 2 * yearsMs, hours: 2 * yearsMs } }
    const clock: Clock = { ...systemClock, now: () => BigInt(horizonMs + yearsMs) * 1_000_000n }

    async function fillHours({ house, caughtUp }: Stores, shift = 0): Promise<void> {
      for (let at = -20; at < 20; at++) {
        const atMs = horizonMs + at * 400_000 + shift
        await append(house, [temperature(at + 0.1), { ...temperature(at), unit: at % 3 ? 'K' : '[degF]' }], atMs)
        await append(house, [{ quantity: 'sky', value: 'text', text: `it's %0A "${at}"` }], atMs, `gauge-${at % 2}`)
      }
      await house.append(observation({ atMs: horizonMs - 1, messageStatus: MessageStatus.EXERCISE }))
      await caughtUp()
    }

    async function everything({ stores }: Stores) {
      const [store] = stores
      const around = { from: timeOf(horizonMs - 9_000_000), to: timeOf(horizonMs + 9_000_000) }
      const found: unknown[] = [await store!.listSeries({}, undefined)]
      for (const quantity of ['air_temperature', 'sky'])
        for (const seconds of [60, 300, 3_600, undefined])
          for (const aggregate of seconds ? Object.values(SeriesAggregate) : [SeriesAggregate.UNSPECIFIED]) {
            const window = seconds === undefined ? {} : { window: { seconds }, aggregate }
            const request = { ...around, ...window, quantity, messageStatuses: all.messageStatuses }
            const { completeUntil: _until, ...answer } = await store!.querySeries(request, undefined)
            found.push(answer)
          }
      return found
    }

    test('minutes and hours whose values are gone come too, and twice is as once', { timeout: 60_000 }, async () => {
      const place = newDatabase()
      const before = await openStores([from], { ...kept, clock, influxdb: place })
      await fillHours(before)
      await before.expire()
      const expected = await everything(before)
      await before.close()
      const moved = await move(before.folder, to, place.database)
      // Minutes: 20 of each of the two values, 20 of the sky, one of the exercise. Hours: 3, 5 because the unit changes, 6, and one.
      expect(moved.levels).toEqual({ rows: 61 + 15, beforeMs: horizonMs })
      expect(await move(before.folder, to, place.database)).toEqual(moved)
      // A log of its own, which is empty: what it answers was moved.
      const folder = tempFolder('moved')
      if (to === 'sqlite') copyFileSync(join(before.folder, 'telemetry.sqlite'), join(folder, 'telemetry.sqlite'))
      const after = await openStores([to], { ...kept, clock, influxdb: place, folder })
      expect(await everything(after)).toEqual(expected)
      await after.expire()
      expect(await everything(after)).toEqual(expected)
    })

    test('what was there already stands beside them', { timeout: 60_000 }, async () => {
      const place = newDatabase()
      const there = await openStores([to], { influxdb: place })
      await append(there.house, [temperature(40)], horizonMs - hourMs, 'gauge-9')
      await there.caughtUp()
      await there.close()
      const before = await openStores([from], { ...kept, clock, influxdb: place })
      await append(before.house, [temperature(30)], horizonMs - hourMs)
      await before.caughtUp()
      await before.expire()
      await before.close()
      const file = (from === 'sqlite' ? before : there).folder
      await move(file, to, place.database)
      const folder = to === 'sqlite' ? there.folder : tempFolder('moved')
      const after = await openStores([to], { ...kept, clock, influxdb: place, folder })
      const window = { from: timeOf(0), to: timeOf(horizonMs), window: { seconds: 3_600 } }
      expect(valuesOf(await after.query({ ...window, quantity: 'air_temperature' }))).toEqual([[30], [40]])
    })
  })

  test('the databases keep rows for as long as the settings say', { timeout: 30_000 }, async () => {
    const place = newDatabase()
    const store = await openStores(['influxdb'], { influxdb: { ...place, keepMs: 3_650 * 86_400_000 } })
    await append(store.house, [temperature(1)])
    await store.caughtUp()
    for (const database of [place.database, `${place.database}_exercise`]) {
      const [policies] = await influxdb.query(`SHOW RETENTION POLICIES ON ${database}`)
      expect(policies?.values.map(([name, duration]) => [name, duration])).toEqual([['autogen', '87600h0m0s']])
    }
  })

  test('interrupted, goes on where it was', { timeout: 60_000 }, async () => {
    const from = await openStores(['sqlite'])
    await fill(from)
    const expected = await answers(from)
    await from.close()
    const place = newDatabase()
    const over = new AbortController()
    const settings = settingsFor(influxdb.url, {
      database: place.database,
      exerciseDatabase: `${place.database}_exercise`,
      manage: true,
    })
    const points = createInfluxdbPoints(settings, systemClock, { keepMs })
    const progress = (_what: string, done: number): void => {
      if (done === 3) over.abort(new Error('interrupted'))
    }
    const interrupted = moveTelemetry({
      dataDir: from.folder,
      to: 'influxdb',
      influxdb: points,
      signal: over.signal,
      progress,
    })
    await expect(interrupted).rejects.toThrow('interrupted')
    expect(await move(from.folder, 'influxdb', place.database)).toEqual({ series: 9, points: 26, resumed: 3 })
    expect(await answers(await openStores(['influxdb'], { influxdb: place }))).toEqual(expected)
  })
})
