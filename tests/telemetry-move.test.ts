// Moving series from one telemetry store into the other: the file, a real InfluxDB, the command's own function.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../gateway/clock.ts'
import { createInfluxdbPoints } from '../gateway/telemetry/influxdb/points.ts'
import { moveTelemetry, type StoreName } from '../gateway/telemetry/move.ts'
import { MessageStatus, Quality } from '../proto/generated/types.ts'
import { int64 } from '../proto/int64.ts'
import { observation, readingMs, settingsFor, temperature } from './peers/influxdb-readings.ts'
import { append, openStores, range } from './telemetry-house.ts'
import { type Influxdb, startInfluxdb } from './tools/influxdb.ts'
import { describeWithTools } from './tools/present.ts'

describeWithTools('telemetry move', () => {
  let influxdb: Influxdb
  let databases = 0
  beforeAll(async () => void (influxdb = await startInfluxdb()), 30_000)
  afterAll(() => influxdb.stop())
  const newDatabase = () => ({ url: influxdb.url, database: `moved_${++databases}` })

  const move = (dataDir: string, to: StoreName, database: string, signal = new AbortController().signal) => {
    const settings = settingsFor(influxdb.url, { database, exerciseDatabase: `${database}_exercise`, manage: true })
    const points = createInfluxdbPoints(settings, systemClock)
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
    const points = createInfluxdbPoints(settings, systemClock)
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
