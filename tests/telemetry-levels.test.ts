// Levels in a real InfluxDB beside the contract that both stores keep (telemetry-contract.test.ts): values that InfluxDB itself removes,
// kills, outages, lost files, clocks and rights. No minute and no hour is lost or counted twice; where one cannot be made, it is said.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { createInfluxdbOutput } from '../gateway/outputs/influxdb/influxdb.ts'
import type { Touched } from '../gateway/outputs/influxdb/touched.ts'
import { createInfluxdbLevels } from '../gateway/telemetry/influxdb/levels.ts'
import { SeriesAggregate } from '../proto/generated/types.ts'
import { quietLogger } from './grpc-house.ts'
import { startContractServer } from './peers/influxdb-contract-server.ts'
import { observation, readingMs, recordsOf, settingsFor, temperature } from './peers/influxdb-readings.ts'
import { append, openStores, type StoreOptions, timeOf, valuesOf, windowMs } from './telemetry-house.ts'
import { startChild } from './tools/child.ts'
import { type Influxdb, startInfluxdb } from './tools/influxdb.ts'
import { describeWithTools } from './tools/present.ts'
import { tempFolder } from './tools/temp-folder.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Longer than the readings are old. */
const yearsMs = 1e12
const touchedFile = 'telemetry-touched.idx'

type Stores = Awaited<ReturnType<typeof openStores>>

describeWithTools('levels in InfluxDB', () => {
  let influxdb: Influxdb
  let databases = 0
  beforeAll(async () => void (influxdb = await startInfluxdb({ retentionCheck: '1s' })), 30_000)
  afterAll(() => influxdb.stop())
  const newDatabase = () => ({ url: influxdb.url, database: `levels_${++databases}` })

  /** Five readings an hour of two devices: sums of 10, 110, 210 … and 15, 115 … */
  async function fill({ house, caughtUp }: Stores, hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour++)
      for (let at = 0; at < 5; at++)
        for (const [device, more] of [
          ['gauge-1', 0],
          ['gauge-2', 1],
        ] as const)
          await append(house, [temperature(hour * 20 + at + more)], windowMs + hour * hourMs + at * 61_000, device)
    await caughtUp()
  }

  const day = { from: timeOf(windowMs - hourMs), to: timeOf(windowMs + 30 * dayMs) }
  const sums = async ({ query }: Stores, seconds = 3_600) =>
    valuesOf(
      await query({
        ...day,
        quantity: 'air_temperature',
        window: { seconds },
        aggregate: SeriesAggregate.SUM,
        maxPoints: 100_000,
      }),
    )
  const raw = async ({ query }: Stores) => valuesOf(await query({ ...day, quantity: 'air_temperature' }))
  const hourlySums = (hours: number) =>
    [10, 15].map((first) => Array.from({ length: hours }, (_, hour) => first + hour * 100))

  const counted = async (database: string) =>
    (await influxdb.query('SELECT count(value) FROM temperature', database))[0]?.values[0]?.[1] ?? 0

  /** Filled while everything is kept; opened again where a day is. */
  async function filled(hours: number, more: StoreOptions = {}) {
    const place = newDatabase()
    const first = await openStores(['influxdb'], { influxdb: place, keepMs: { values: yearsMs }, ...more })
    await fill(first, hours)
    await first.close()
    return { place, folder: first.folder }
  }

  test(
    'outlive the values that InfluxDB removes, and the policy is shortened only when they are there',
    { timeout: 60_000 },
    async () => {
      const { place, folder } = await filled(30)
      const store = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
      await store.caughtUp()
      await sleep(2_500)
      // InfluxDB looks each second, and would have removed them.
      expect(await counted(place.database)).toBe(300)
      await store.expire()
      await expect.poll(() => counted(place.database), { timeout: 20_000 }).toBe(0)
      expect(await raw(store)).toEqual([])
      expect(await sums(store)).toEqual(hourlySums(30))
      expect((await sums(store, 60)).map((values) => values.length)).toEqual([150, 150])
      const policies = await influxdb.query(`SHOW RETENTION POLICIES ON ${place.database}`)
      expect(policies[0]?.values.map(([name, keep]) => [name, keep])).toEqual([
        ['autogen', '24h0m0s'],
        ['tocsin_minutes', '277777h46m40s'],
        ['tocsin_hours', '277777h46m40s'],
      ])
      // Made again, they are the same rows.
      const rows = await influxdb.query('SELECT * FROM tocsin_hours.temperature', place.database)
      rmSync(join(folder, touchedFile))
      await store.close()
      const again = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
      await again.expire()
      expect(await influxdb.query('SELECT * FROM tocsin_hours.temperature', place.database)).toEqual(rows)
      expect(await sums(again)).toEqual(hourlySums(30))
      expect(again.raised).toEqual([])
    },
  )

  test(
    'are made of all that was there before them, and after their file is lost or damaged',
    { timeout: 60_000 },
    async () => {
      const place = newDatabase()
      // Kept for ever, so that no levels are made and nothing is noted.
      const before = await openStores(['influxdb'], { influxdb: place })
      await fill(before, 6)
      await before.close()
      writeFileSync(
        join(before.folder, touchedFile),
        'this is no file of SQLite, but long enough to be taken for one'.repeat(20),
      )
      const store = await openStores(['influxdb'], {
        influxdb: place,
        folder: before.folder,
        keepMs: { values: dayMs },
      })
      await store.expire()
      expect(await raw(store)).toEqual([])
      expect(await sums(store)).toEqual(hourlySums(6))
    },
  )

  test('are made too where only a policy of the site lets values expire, which is left as it is', async () => {
    const place = newDatabase()
    await influxdb.query(`CREATE DATABASE ${place.database} WITH DURATION 3650d`)
    const store = await openStores(['influxdb'], { influxdb: place })
    await fill(store, 2)
    await store.expire()
    const policies = await influxdb.query(`SHOW RETENTION POLICIES ON ${place.database}`)
    expect(policies[0]?.values.map(([name, keep]) => [name, keep])).toContainEqual(['autogen', '87600h0m0s'])
    const made = await influxdb.query('SELECT sum("sum") FROM tocsin_hours.temperature', place.database)
    expect(made[0]?.values[0]?.[1]).toBe(10 + 110 + 15 + 115)
    expect((await raw(store)).flat()).toHaveLength(20)
  })

  test('are not made where values are kept for ever', async () => {
    const place = newDatabase()
    const store = await openStores(['influxdb'], { influxdb: place })
    await fill(store, 2)
    await store.expire()
    const policies = await influxdb.query(`SHOW RETENTION POLICIES ON ${place.database}`)
    expect(policies[0]?.values.map(([name]) => name)).toEqual(['autogen'])
  })

  test('are whole after kill -9 at any moment, and the same as without', { timeout: 120_000 }, async () => {
    const hours = 150
    const { place, folder } = await filled(hours)
    const program = join(import.meta.dirname, 'peers/levels-process.ts')
    const start = () =>
      startChild(process.execPath, [program, folder, place.url, place.database, String(dayMs)], { input: '' })
    const made = async (): Promise<number> => {
      const query = new URLSearchParams({
        db: place.database,
        q: 'SELECT count("exact") FROM tocsin_hours.temperature',
      })
      const answer = (await (await fetch(`${place.url}/query?${query}`)).json()) as {
        results: { series?: { values: number[][] }[] }[]
      }
      return answer.results[0]?.series?.[0]?.values[0]?.[1] ?? 0
    }
    for (const enough of [1, 50, 100, 150, 200, 250]) {
      const child = start()
      while (child.running && (await made()) < enough) await sleep(2)
      expect(child.running).toBe(true)
      await child.kill()
    }
    expect(await made()).toBeLessThan(2 * hours)
    const last = start()
    await last.waitFor('done', 60_000)
    await last.stop()
    const store = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
    expect(await raw(store)).toEqual([])
    expect(await sums(store)).toEqual(hourlySums(hours))
  })

  test('do not hold up the end of the gateway, and are made after it', { timeout: 60_000 }, async () => {
    const { place, folder } = await filled(100)
    const store = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
    const making = store.expire()
    await sleep(300)
    const begun = performance.now()
    await store.close()
    await making
    expect(performance.now() - begun).toBeLessThan(3_000)
    const again = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
    await again.expire()
    expect(await raw(again)).toEqual([])
    expect(await sums(again)).toEqual(hourlySums(100))
  })

  test('wait for an InfluxDB that is away', { timeout: 60_000 }, async () => {
    let away = await startInfluxdb()
    const place = { url: away.url, database: 'away' }
    const first = await openStores(['influxdb'], { influxdb: place, keepMs: { values: yearsMs } })
    await fill(first, 3)
    await first.close()
    const store = await openStores(['influxdb'], { influxdb: place, folder: first.folder, keepMs: { values: dayMs } })
    await away.kill()
    await expect(store.expire()).rejects.toMatchObject({ code: 'peer_unreachable' })
    const { port, dataDir } = away
    away = await startInfluxdb({ port, dataDir })
    await store.expire()
    expect(await raw(store)).toEqual([])
    expect(await sums(store)).toEqual(hourlySums(3))
    // Its output says that it is away; its levels need not.
    expect(store.raised).toEqual([])
    await store.close()
    await away.stop()
  })

  test('do not take over while the clock is wrong', { timeout: 30_000 }, async () => {
    const { place, folder } = await filled(3)
    const store = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
    store.alarms.raise('clock_step', '', 'the clock of this machine jumped ahead')
    await store.expire()
    expect((await raw(store)).flat()).toHaveLength(30)
    store.alarms.clear('clock_step')
    // A horizon of the year 2040, of a start with a clock that nobody could know to be wrong.
    const line = 'tocsin_horizon before_ms=2208988800000i 2208988800000000000'
    const written = await fetch(`${place.url}/write?db=${place.database}&rp=tocsin_hours`, {
      method: 'POST',
      body: line,
    })
    expect(written.status).toBe(204)
    expect((await raw(store)).flat()).toHaveLength(30)
    await store.expire()
    expect(await raw(store)).toEqual([])
    expect(await sums(store)).toEqual(hourlySums(3))
  })

  test('say that values expired before they were made', { timeout: 60_000 }, async () => {
    const { place, folder } = await filled(30)
    const keepMs = { values: Math.floor((Date.now() - windowMs) / hourMs) * hourMs - 10 * hourMs }
    const store = await openStores(['influxdb'], { influxdb: place, folder, keepMs })
    await store.expire()
    // Noted, and then gone without a word.
    await append(store.house, [temperature(1)], windowMs + 25 * hourMs)
    await store.caughtUp()
    await influxdb.query('DROP MEASUREMENT temperature', place.database)
    await store.close()
    const late = await openStores(['influxdb'], { influxdb: place, folder, keepMs: { values: dayMs } })
    await late.expire()
    const begin = new Date(Math.floor((windowMs + 25 * hourMs) / hourMs) * hourMs).toISOString().replace('.000', '')
    expect(late.raised).toMatchObject([
      {
        code: 'retention_gap',
        about: 'influxdb levels',
        text: expect.stringContaining(`Values of 1 hours between ${begin}`),
      },
    ])
  })
})

describeWithTools('an InfluxDB that asks who it is', () => {
  test('lets levels be made when an administrator has run what the alarm says', { timeout: 60_000 }, async () => {
    await using influxdb = await startInfluxdb({ http: 'auth-enabled = true' })
    const ask = async (q: string, user?: string) => {
      const response = await fetch(`${influxdb.url}/query`, {
        method: 'POST',
        headers: user ? { authorization: `Basic ${btoa(`${user}:secret-word`)}` } : {},
        body: new URLSearchParams({ q }),
      })
      const text = await response.text()
      expect(text).not.toContain('error')
      return text
    }
    await ask(`CREATE USER boss WITH PASSWORD 'secret-word' WITH ALL PRIVILEGES`)
    await ask(`CREATE USER gateway WITH PASSWORD 'secret-word'`, 'boss')
    for (const name of ['county', 'county_exercise']) {
      await ask(`CREATE DATABASE ${name}`, 'boss')
      await ask(`GRANT ALL ON ${name} TO gateway`, 'boss')
    }
    const user = { username: 'gateway', password: 'secret-word', manage: false }
    const place = { url: influxdb.url, database: 'county', ...user }
    const store = await openStores(['influxdb'], { influxdb: place, keepMs: { values: yearsMs } })
    await append(store.house, [temperature(5)])
    await store.caughtUp()
    await expect(store.expire()).rejects.toMatchObject({ code: 'peer_refused' })
    const [alarm] = store.raised
    expect(alarm).toMatchObject({ code: 'output_stalled', about: 'influxdb levels' })
    expect(alarm?.text).not.toContain('secret-word')
    const statements = alarm?.text.match(/CREATE RETENTION POLICY [^;]+/g) ?? []
    expect(statements).toHaveLength(4)
    for (const statement of statements) await ask(statement, 'boss')
    await store.expire()
    expect(store.alarms.list()).toEqual([])
    expect(await ask('SELECT "exact" FROM county.tocsin_minutes.temperature', 'boss')).toContain('n5')
  })

  test('says so too where the gateway may not make databases', { timeout: 60_000 }, async () => {
    await using influxdb = await startInfluxdb({ http: 'auth-enabled = true' })
    const place = { url: influxdb.url, database: 'county', username: 'nobody', password: 'secret-word' }
    const store = await openStores(['influxdb'], { influxdb: place, keepMs: { values: yearsMs } })
    await expect(store.expire()).rejects.toThrow(/40[13].*CREATE RETENTION POLICY "tocsin_hours" ON "county_exercise"/)
  })
})

const versions = [
  ['v2', 'buckets'],
  ['v3', 'databases'],
] as const

describe.each(versions)('levels in InfluxDB %s, as its documents have it', (version, places) => {
  const hour = Math.floor(windowMs / hourMs) * hourMs
  const named = ['tocsin/tocsin_minutes', 'tocsin/tocsin_hours']

  async function bench() {
    const server = await startContractServer(version)
    onTestFinished(async () => server[Symbol.asyncDispose]())
    const settings = { ...settingsFor(server.url, { token: 'secret-token', org: 'county' }), keepMs: dayMs }
    const alarms = createAlarms(systemClock, () => {})
    const [dataDir, keepMs] = [tempFolder('levels'), { minutes: yearsMs, hours: yearsMs }]
    const levels = createInfluxdbLevels({ dataDir, settings, keepMs, clock: systemClock, logger: quietLogger, alarms })
    onTestFinished(levels.close)
    // Two values a minute apart, in microseconds.
    server.behaviour.answers = (statements, database, policy) => {
      if (database !== 'tocsin' || policy !== undefined || !statements.includes('FROM "temperature"')) return undefined
      if (statements.includes('count('))
        return { series: [{ name: 'temperature', columns: ['time', 'count'], values: [[hour * 1_000, 2]] }] }
      const tags = { quantity: 'air_temperature', device: 'gauge-7', status: 'actual' }
      const values = [7.5, 8.5].map((value, at) => [(hour + at * 60_000) * 1_000, value, 'Cel'])
      return { series: [{ name: 'temperature', tags, columns: ['time', 'value', 'unit'], values }] }
    }
    return { server, levels, alarms }
  }

  test('are written when their places are there', async () => {
    const { server, levels, alarms } = await bench()
    for (const name of named) server.behaviour.databases.add(name)
    await levels.expire()
    const [minutes, hours] = named.map((name) => [...server.points(name)].map(([key, fields]) => `${key} ${fields}`))
    expect(minutes).toEqual([
      expect.stringMatching(/^temperature,quantity=air_temperature,device=gauge-7,status=actual .*count=1i,.*sum=7.5,/),
      expect.stringMatching(/sum=8.5,/),
    ])
    expect(hours).toEqual([
      expect.stringMatching(/count=2i,numbers=2i,sum=16,min=7.5,max=8.5,/),
      expect.stringMatching(/^tocsin_horizon /),
    ])
    const asked = server.requests.filter(({ body }) => body.includes('tocsin_horizon') && body.includes('last'))
    expect(asked.map(({ url }) => [url.searchParams.get('db'), url.searchParams.get('rp')])).toEqual([
      ['tocsin', 'tocsin_hours'],
    ])
    expect(alarms.list()).toEqual([])
  })

  test('name the places that are missing', async () => {
    const { levels, alarms } = await bench()
    await expect(levels.expire()).rejects.toThrow(places)
    expect(alarms.list()[0]?.text).toMatch(/"tocsin\/tocsin_minutes".*"tocsin_exercise\/tocsin_hours"/)
    expect(alarms.list()[0]?.text).not.toContain('secret-token')
  })
})

test('a delivery counts only when what it wrote is noted, after it was written', async () => {
  await using server = await startContractServer('v1')
  const noted: unknown[] = []
  let failures = 1
  const touched: Touched = {
    add: (...row) => void noted.push(row),
    flush: async () => {
      noted.push(server.points('tocsin').size)
      if (failures-- > 0) throw new Error('the disk is full')
    },
  }
  const alarms = createAlarms(systemClock, () => {})
  const parts = { clock: systemClock, logger: quietLogger, alarms, quarantine: async () => {}, touched }
  const output = createInfluxdbOutput(settingsFor(server.url), parts)
  onTestFinished(() => output.close())
  const records = recordsOf([observation({ measurements: [temperature(5)] })])
  const { signal } = new AbortController()
  await expect(output.deliver(records, signal)).rejects.toThrow('the disk is full')
  await output.deliver(records, signal)
  const row = ['main', 'temperature', readingMs, 'gauge-7']
  expect(noted).toEqual([row, 1, row, 1])
})
