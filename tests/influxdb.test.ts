// Telemetry from the log into a real InfluxDB, read back by InfluxDB's own client: through outages, swallowed answers, refused lines
// and hostile names, each reading is there once, or in quarantine with the reason.

import { randomFillSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { createIds } from '../gateway/ids.ts'
import { createLog } from '../gateway/log/create-log.ts'
import type { Log } from '../gateway/log/log.ts'
import type { Logger } from '../gateway/logger.ts'
import { createInfluxdbAdmin } from '../gateway/outputs/influxdb/admin.ts'
import { createInfluxdbOutput } from '../gateway/outputs/influxdb/influxdb.ts'
import type { InfluxdbOutput } from '../gateway/outputs/influxdb/influxdb.ts'
import { decodeText } from '../gateway/outputs/influxdb/line-protocol.ts'
import { createQuarantine } from '../gateway/outputs/influxdb/quarantine.ts'
import type { InfluxdbSettings } from '../gateway/outputs/influxdb/settings.ts'
import { runOutput } from '../gateway/outputs/run-output.ts'
import type { RunningOutput } from '../gateway/outputs/run-output.ts'
import { recordHeader } from '../gateway/record-header.ts'
import { Fate, MessageStatus } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { eventCodec, observation, readingMs, settingsFor, temperature } from './peers/influxdb-readings.ts'
import { startSilentProxy } from './peers/silent-proxy.ts'
import { startInfluxdb } from './tools/influxdb.ts'
import type { Influxdb } from './tools/influxdb.ts'
import { describeWithTools } from './tools/present.ts'
import { tempFolder } from './tools/temp-folder.ts'

const ids = createIds((bytes) => randomFillSync(bytes))

describeWithTools('a real InfluxDB', () => {
  test(
    'has every reading once after an outage under load and answers that were swallowed',
    { timeout: 60_000 },
    async () => {
      let influxdb = await startInfluxdb()
      onTestFinished(async () => void (await influxdb.stop()))
      await using proxy = await startSilentProxy(influxdb.port)
      const { log, output, running } = await house({ url: proxy.url, timeoutMs: 400, manage: true })

      // 4,000 readings a second for six seconds; of each tenth a second value, and some of an exercise.
      let sent = 0
      const load = (async () => {
        for (let turn = 0; turn < 120; turn++) {
          await Promise.all(Array.from({ length: 200 }, () => append(log, reading(sent++))))
          await sleep(30)
        }
      })()
      await expect.poll(() => output.metrics().rows, { timeout: 10_000 }).toBeGreaterThan(2_000)
      proxy.swallow = 4
      await expect.poll(() => proxy.swallow, { timeout: 10_000 }).toBe(0)
      await influxdb.kill()
      await sleep(1_500)
      const { port, dataDir } = influxdb
      influxdb = await startInfluxdb({ port, dataDir })
      await load
      await caughtUp(running)

      const { failures, rows, refused } = output.metrics()
      expect(proxy.swallowed).toEqual([204, 204, 204, 204])
      expect(failures.timeout).toBeGreaterThanOrEqual(3)
      expect(failures.connection).toBeGreaterThan(0)
      expect(refused).toBe(0)
      const exercises = Math.ceil(sent / 50)
      const main = sent - exercises
      expect(await count(influxdb, 'tocsin', 'value', 'temperature')).toBe(main)
      expect(await count(influxdb, 'tocsin', 'distinct(value)', 'temperature')).toBe(main)
      expect(await count(influxdb, 'tocsin_exercise', 'value', 'temperature')).toBe(exercises)
      expect(await count(influxdb, 'tocsin', 'value', 'humidity')).toBe(tenthsOf(sent))
      expect(rows).toBe(sent + tenthsOf(sent))
      expect(await influxdb.query("SELECT count(value) FROM temperature WHERE status != 'actual'", 'tocsin')).toEqual(
        [],
      )
    },
  )

  test(
    'refuses lines of another type and lines that are too old: exactly those are in quarantine, once',
    { timeout: 60_000 },
    async () => {
      await using influxdb = await startInfluxdb()
      await influxdb.query('CREATE DATABASE tocsin')
      await influxdb.query('CREATE DATABASE tocsin_exercise WITH DURATION 1h')
      const atNs = BigInt(readingMs) * 1_000_000n
      await fetch(`${influxdb.url}/write?db=tocsin`, { method: 'POST', body: `humidity,device=other value=7i ${atNs}` })
      const { log, output, running, raised } = await house({ url: influxdb.url })

      for (let index = 0; index < 3_000; index++) void append(log, reading(index))
      await expect.poll(() => log.head.routine, { timeout: 10_000 }).toBe(3_000)
      await caughtUp(running)

      const quarantine = log.frames({ fate: 'refused', channel: 'influxdb/tocsin', limit: 1_000 })
      expect(quarantine.length).toBe(tenthsOf(3_000))
      const lines = quarantine.map(({ payload }) => Buffer.from(payload ?? []).toString())
      expect(lines.every((line) => line.startsWith('humidity,'))).toBe(true)
      expect(new Set(lines).size).toBe(lines.length)
      expect(new Set(quarantine.map(({ why }) => why))).toEqual(
        new Set(['field type conflict: "value" of "humidity" is float and was integer before']),
      )
      const exercises = log.frames({ fate: 'refused', channel: 'influxdb/tocsin_exercise', limit: 1_000 })
      expect(exercises.length).toBe(60)
      expect(exercises[0]?.why).toBe('older than the retention policy keeps')
      expect(await count(influxdb, 'tocsin', 'value', 'temperature')).toBe(2_940)
      expect(output.metrics()).toMatchObject({ refused: tenthsOf(3_000) + 60, rows: 2_940 })
      expect(output.metrics().requests).toBeLessThan(100)
      expect(raised).toContain('output_refused')

      // The same lines put away a second time, as after a crash before the bookmark was kept.
      const put = createQuarantine({ log, ids, clock: systemClock })
      const [first] = quarantine
      const line = Buffer.from(first?.payload ?? [])
      const place = { lane: 'routine', sequence: 1 } as const
      await put({ database: 'tocsin', line, why: 'again', place, eventId: new Uint8Array(16), labels: 4 })
      expect(log.frames({ fate: 'refused', channel: 'influxdb/tocsin', limit: 1_000 }).length).toBe(quarantine.length)
    },
  )

  test('takes a device with the worst name for what it is', { timeout: 30_000 }, async () => {
    await using influxdb = await startInfluxdb()
    const { log, running } = await house({ url: influxdb.url, manage: true })
    const worst = 'x\ninjected,pwn=1 v=1 "q" \\ =\0\r\t #% %41 é水🚒 \\'
    await append(
      log,
      observation({ device: worst, measurements: [temperature(1), { quantity: worst, value: 'text', text: worst }] }),
    )
    await append(log, observation({ device: 'gauge-7', measurements: [temperature(Number.NaN)] }))
    await caughtUp(running)

    const names = await influxdb.query('SHOW MEASUREMENTS', 'tocsin')
    expect(names[0]?.values).toEqual([['other'], ['temperature']])
    const [other] = await influxdb.query('SELECT "device", "quantity", "text" FROM other', 'tocsin')
    expect(other?.values[0]?.slice(1).map((value) => decodeText(String(value)))).toEqual([worst, worst, worst])
    expect(await influxdb.query('SELECT count(value) FROM temperature', 'tocsin')).toMatchObject([{ values: [[0, 1]] }])
    expect(await influxdb.query('SELECT count(event_id) FROM temperature', 'tocsin')).toMatchObject([
      { values: [[0, 2]] },
    ])
  })

  test(
    'asks for a password: without it all is held, with it all is written, and neither shows it',
    { timeout: 30_000 },
    async () => {
      await using influxdb = await startInfluxdb({ http: 'auth-enabled = true' })
      const statement = new URLSearchParams({ q: `CREATE USER admin WITH PASSWORD 'secret word' WITH ALL PRIVILEGES` })
      await fetch(`${influxdb.url}/query`, { method: 'POST', body: statement })
      const wrong = await house({ url: influxdb.url, username: 'admin', password: 'wrong secret', manage: true })
      await append(wrong.log, observation())
      await expect.poll(() => wrong.running.failing(), { timeout: 5_000 }).toContain('401')
      await sleep(300)
      expect(wrong.running.lag().routine).toBe(1)
      expect(wrong.raised).toContain('output_stalled')
      expect(wrong.said.join() + wrong.running.failing()).not.toContain('secret')

      const settings = { url: influxdb.url, username: 'admin', password: 'secret word', manage: true }
      const right = await house(settings)
      await append(right.log, observation())
      await caughtUp(right.running)
      const admin = createInfluxdbAdmin(settingsFor(influxdb.url, settings))
      expect(await admin.databases()).toEqual(expect.arrayContaining(['tocsin', 'tocsin_exercise']))
      expect(await admin.query('tocsin', 'SELECT value FROM temperature')).toMatchObject([{ value: 21.5 }])
      expect(await admin.tagValues('tocsin', 'device')).toEqual(['gauge-7'])
      await admin.setRetentionPolicy('tocsin', { name: 'quarter', keepMs: 90 * 86_400_000, isDefault: false })
      await admin.setRetentionPolicy('tocsin', { name: 'quarter', keepMs: 91 * 86_400_000, isDefault: true })
      expect(JSON.stringify(await admin.query('tocsin', 'SHOW RETENTION POLICIES'))).toContain('2184h')
    },
  )
})

interface House {
  readonly log: Log
  readonly output: InfluxdbOutput
  readonly running: RunningOutput
  /** Codes of the alarms that were raised; what was logged. */
  readonly raised: string[]
  readonly said: string[]
}

/** The log and the output, as the gateway wires them. */
async function house(settings: { url: string } & Partial<InfluxdbSettings>): Promise<House> {
  const raised: string[] = []
  const said: string[] = []
  const say = (details: object, text: string) => void said.push(`${text} ${JSON.stringify(details)}`)
  const logger: Logger = { debug: say, info: say, warn: say, error: say }
  const alarms = createAlarms(systemClock, ({ code }, on) => void (on && raised.push(code)))
  const clock = systemClock
  const log = await createLog({
    dataDir: tempFolder('influxdb-log'),
    clock,
    alarms,
    settings: { segmentBytes: 4 << 20, urgentReserveBytes: 0, diskLowBytes: 0 },
    fatal: (error) => {
      throw error
    },
  })
  const quarantine = createQuarantine({ log, ids, clock })
  const output = createInfluxdbOutput(settingsFor(settings.url, settings), { clock, logger, alarms, quarantine })
  const running = runOutput(output, { log, alarms, logger, random: () => 0.5 })
  onTestFinished(async () => {
    await running.stop()
    await log.close()
  })
  return { log, output, running, raised, said }
}

/** Every reading has a value of its own, so that lost and doubled ones show; each tenth also has a humidity. */
function reading(index: number): Event {
  const event = observation({
    device: `gauge-${index % 100}`,
    atMs: readingMs + Math.floor(index / 20),
    messageStatus: index % 50 === 0 ? MessageStatus.EXERCISE : MessageStatus.ACTUAL,
    measurements: [temperature(index / 8)],
  })
  if (index % 10 === 5 && event.body === 'observation') {
    event.observation.measurements?.push({ quantity: 'relative_humidity', value: 'number', number: index, unit: '%' })
  }
  return event
}

const tenthsOf = (readings: number): number => Math.floor((readings + 4) / 10)

async function append(log: Log, event: Event): Promise<void> {
  const now = systemClock.now()
  const sender = { name: 'test', authenticity: 'authenticated', link: 'test' } as const
  const header = recordHeader(event, sender, { bytes: new Uint8Array(), receivedAt: now, channel: 'test' }, undefined)
  await log.append({
    frame: { id: ids.next(now), receivedAt: timestamp(now), adapter: 'senml', channel: 'test', fate: Fate.STORED },
    records: [{ lane: 'routine', retention: 'standard', header, event: eventCodec.encode(event) }],
  })
}

async function caughtUp(running: RunningOutput): Promise<void> {
  await expect.poll(() => running.lag(), { timeout: 30_000, interval: 50 }).toEqual({ urgent: 0, routine: 0 })
}

async function count(influxdb: Influxdb, database: string, what: string, measurement: string): Promise<unknown> {
  const [series] = await influxdb.query(`SELECT count(${what}) FROM "${measurement}"`, database)
  return series?.values[0]?.[1]
}
