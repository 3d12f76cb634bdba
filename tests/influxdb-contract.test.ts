// Every class of InfluxDB's answers, of its versions 1, 2 and 3: nothing is lost, nothing is given up that could still be taken, and
// what is refused is refused by itself.

import { afterEach, describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import type { StoredRecord } from '../gateway/log/log.ts'
import type { Logger } from '../gateway/logger.ts'
import { createInfluxdbOutput } from '../gateway/outputs/influxdb/influxdb.ts'
import type { InfluxdbOutput } from '../gateway/outputs/influxdb/influxdb.ts'
import type { LineRefusal } from '../gateway/outputs/influxdb/quarantine.ts'
import type { InfluxdbSettings } from '../gateway/outputs/influxdb/settings.ts'
import { GatewayError } from '../proto/errors.ts'
import { startContractServer } from './peers/influxdb-contract-server.ts'
import type { ContractServer, Version } from './peers/influxdb-contract-server.ts'
import { observation, readingMs, recordsOf, settingsFor, temperature } from './peers/influxdb-readings.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

interface Bench {
  readonly server: ContractServer
  readonly output: InfluxdbOutput
  readonly refusals: LineRefusal[]
  readonly said: string[]
  /** Delivers once; the error when it failed. */
  deliver(records: readonly StoredRecord[]): Promise<unknown>
}

async function bench(version: Version, more: Partial<InfluxdbSettings> = {}): Promise<Bench> {
  const server = await startContractServer(version)
  cleanUps.push(async () => server[Symbol.asyncDispose]())
  const refusals: LineRefusal[] = []
  const said: string[] = []
  const say = (details: object, text: string) => void said.push(`${text} ${JSON.stringify(details)}`)
  const logger: Logger = { debug: say, info: say, warn: say, error: say }
  const alarms = createAlarms(systemClock, (alarm) => void said.push(alarm.text))
  const quarantine = async (refusal: LineRefusal) => void refusals.push(refusal)
  const output = createInfluxdbOutput(settingsFor(server.url, more), { clock: systemClock, logger, alarms, quarantine })
  cleanUps.push(() => output.close())
  const { signal } = new AbortController()
  const deliver = (records: readonly StoredRecord[]) =>
    output.deliver(records, signal).then(
      () => undefined,
      (error: unknown) => error,
    )
  return { server, output, refusals, said, deliver }
}

const readings = (count: number, value = (index: number) => index) =>
  recordsOf(
    Array.from({ length: count }, (_, index) =>
      observation({
        device: `gauge-${index % 10}`,
        atMs: readingMs + index,
        measurements: [temperature(value(index))],
      }),
    ),
  )

const versions: readonly Version[] = ['v1', 'v2', 'v3']

describe.each(versions)('InfluxDB %s', (version) => {
  test('is known by itself, and has every row with gzip and authorization', async () => {
    const { server, deliver, output } = await bench(version, { token: 'secret-token', org: 'county' })
    server.behaviour.authorization = version === 'v3' ? 'Bearer secret-token' : 'Token secret-token'
    expect(await deliver(readings(12_000))).toBeUndefined()
    expect(server.points('tocsin').size).toBe(12_000)
    const writes = server.requests.filter(({ method, url }) => method === 'POST' && url.pathname !== '/query')
    const rows = writes.map(({ body }) => body.split('\n').length - 1)
    // Two are on their way at once, and either may be first.
    expect(rows.toSorted((a, b) => b - a)).toEqual([5_000, 5_000, 2_000])
    expect(writes.every(({ gzip }) => gzip)).toBe(true)
    expect(output.metrics()).toMatchObject({ rows: 12_000, batches: 1, requests: 3, refused: 0 })
  })

  test('refuses some lines: exactly those are in quarantine, with the reason', async () => {
    const { server, deliver, refusals, output, said } = await bench(version)
    const records = readings(5_000, (index) => (index % 500 === 77 ? 999.5 : index))
    server.behaviour.refuses = (line) => line.includes('value=999.5')
    expect(await deliver(records)).toBeUndefined()
    expect(server.points('tocsin').size).toBe(4_990)
    const expected = records.filter((_, index) => index % 500 === 77).map(({ sequence }) => sequence)
    expect(refusals.map(({ place }) => place.sequence).toSorted((a, b) => a - b)).toEqual(expected)
    expect(refusals.every(({ line }) => line.includes('value=999.5') && line.at(-1) === 0x0a)).toBe(true)
    expect(refusals[0]?.why).toContain('field type conflict')
    expect(output.metrics()).toMatchObject({ rows: 4_990, refused: 10 })
    expect(said.join()).toContain('InfluxDB refuses lines')
  })

  test('refuses all lines of a batch: they are given up together, not one by one', async () => {
    const { server, deliver, refusals, output } = await bench(version)
    server.behaviour.refuses = () => true
    expect(await deliver(readings(3_000))).toBeUndefined()
    expect(refusals.length).toBe(3_000)
    expect(output.metrics().requests).toBeLessThan(10)
  })

  test('refuses one whole measurement among others: few requests find it', async () => {
    const { server, deliver, refusals, output } = await bench(version)
    server.behaviour.refuses = (line) => line.startsWith('water_level,')
    const events = Array.from({ length: 4_000 }, (_, index) => {
      const water = { quantity: 'water_level', value: 'number', number: index, unit: 'm' } as const
      return observation({ atMs: readingMs + index, measurements: [index % 2 ? water : temperature(index)] })
    })
    expect(await deliver(recordsOf(events))).toBeUndefined()
    expect(refusals.length).toBe(2_000)
    expect(server.points('tocsin').size).toBe(2_000)
    expect(output.metrics().requests).toBeLessThan(30)
  })

  test('takes less at once than is sent (413): it is sent in parts, and smaller from then on', async () => {
    const { server, deliver, output, refusals } = await bench(version)
    server.behaviour.bytesMax = 200_000
    expect(await deliver(readings(4_000))).toBeUndefined()
    expect(server.points('tocsin').size).toBe(4_000)
    const before = output.metrics().tooLarge
    expect(before).toBeGreaterThan(0)
    expect(await deliver(readings(4_000, (index) => index + 0.5))).toBeUndefined()
    expect(refusals).toEqual([])
    expect(output.metrics().tooLarge - before).toBeLessThanOrEqual(before)
  })

  test.each([
    [401, 'not_authenticated'],
    [403, 'not_allowed'],
    [404, 'not_found'],
  ] as const)('answers %i: everything is held, nothing dropped', async (status, failure) => {
    const { server, deliver, output, refusals } = await bench(version)
    server.answerNext({ status, body: '{"error":"secret reason"}' })
    const error = await deliver(readings(10))
    expect(error).toBeInstanceOf(GatewayError)
    expect(error).toMatchObject({ code: 'peer_refused', failure })
    expect(await deliver(readings(10))).toBeUndefined()
    expect(refusals).toEqual([])
    expect(output.metrics().failures[failure]).toBe(1)
  })

  test('is overloaded: it is left alone for as long as it asks, in seconds or until a date', async () => {
    const { server, deliver, output } = await bench(version)
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT'
    server.answerNext(
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT', date } },
      { status: 503, headers: { 'retry-after': '99999999' } },
      { status: 503, headers: { 'retry-after': 'soon' } },
      { status: 500, body: '{"error":"engine: cache maximum memory size exceeded"}' },
    )
    expect(await deliver(readings(1))).toMatchObject({
      code: 'peer_unreachable',
      failure: 'too_many_requests',
      retryAfterMs: 7_000,
    })
    expect(await deliver(readings(1))).toMatchObject({ failure: 'unavailable', retryAfterMs: 30_000 })
    expect(await deliver(readings(1))).toMatchObject({ failure: 'unavailable', retryAfterMs: 300_000 })
    expect(await deliver(readings(1))).toMatchObject({ failure: 'unavailable', retryAfterMs: 0 })
    expect(await deliver(readings(1))).toMatchObject({ failure: 'server_error' })
    expect(await deliver(readings(1))).toBeUndefined()
    expect(output.metrics().failures).toMatchObject({ too_many_requests: 1, unavailable: 3, server_error: 1 })
  })

  test('stores and keeps silent: what is sent again doubles nothing', async () => {
    const { server, deliver, output } = await bench(version, { timeoutMs: 200 })
    const records = readings(500)
    server.behaviour.silentAfterStoring = 3
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await deliver(records)).toMatchObject({ code: 'peer_unreachable', failure: 'timeout' })
      expect(server.points('tocsin').size).toBe(500)
    }
    expect(await deliver(records)).toBeUndefined()
    expect(server.points('tocsin').size).toBe(500)
    expect(output.metrics()).toMatchObject({ rows: 500, failures: { timeout: 3 } })
  })

  test('is too slow, or not there: that is told as such, and never with a secret', async () => {
    const { server, deliver, said } = await bench(version, {
      timeoutMs: 100,
      token: 'secret-token',
      username: 'u',
      password: 'secret-word',
    })
    expect(await deliver(readings(1))).toBeUndefined()
    server.behaviour.delayMs = 1_000
    const late = await deliver(readings(1))
    expect(late).toMatchObject({ failure: 'timeout' })
    await server[Symbol.asyncDispose]()
    cleanUps.shift()
    const gone = await deliver(readings(1))
    expect(gone).toMatchObject({ failure: 'connection' })
    for (const error of [late, gone]) expect(deepText(error)).not.toMatch(/secret/)
    expect(said.join()).not.toMatch(/secret/)
  })

  test('stands behind something that answers 400 to everything: nothing is given up for that', async () => {
    const { server, deliver, refusals, output } = await bench(version)
    server.answerNext(...Array.from({ length: 50 }, () => ({ status: 400, body: '<html>Bad Request</html>' })))
    expect(await deliver(readings(100))).toMatchObject({ code: 'peer_refused', failure: 'other_refusal' })
    expect(refusals).toEqual([])
    expect(output.metrics().requests).toBeLessThan(30)
  })

  test('gives a reason that nobody knows for one line: it is found all the same', async () => {
    const { server, deliver, refusals } = await bench(version)
    const poison = 'value=666'
    const answer = { status: 400, body: '{"error":"computer says no"}' }
    server.behaviour.refuses = () => false
    // The whole, its first half, and so on down to the line: the poison is the first line.
    server.answerNext(...Array.from({ length: 7 }, () => answer))
    expect(await deliver(readings(64, (index) => (index === 0 ? 666 : index)))).toBeUndefined()
    expect(refusals.map(({ line }) => line.toString().includes(poison))).toEqual([true])
    expect(server.points('tocsin').size).toBe(63)
  })
})

function deepText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${deepText(error.cause)}`
}
