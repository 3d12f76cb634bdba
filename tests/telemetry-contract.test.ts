// The contract of telemetry stores: one set of tests for every store, SQLite and a real InfluxDB, asked by gRPC; and the same random
// readings in both, which must give the same answers.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../gateway/clock.ts'
import { tagLimits } from '../gateway/outputs/influxdb/cardinality.ts'
import type { TelemetryStore } from '../gateway/telemetry/store.ts'
import { MessageStatus, Quality, SeriesAggregate } from '../proto/generated/types.ts'
import type { ListSeriesRequest, Measurement, QuerySeriesRequest } from '../proto/generated/types.ts'
import { int64, toNumber } from '../proto/int64.ts'
import { timestampNs } from '../proto/time.ts'
import { observation, readingMs, temperature } from './peers/influxdb-readings.ts'
import {
  append,
  openStores,
  range,
  type StoreKind,
  type StoreOptions,
  timeOf,
  valuesOf,
  windowMs,
} from './telemetry-house.ts'
import { type Influxdb, startInfluxdb } from './tools/influxdb.ts'
import { describeWithTools } from './tools/present.ts'

let influxdb: Influxdb | undefined
let databases = 0
const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Longer than the readings of these tests are old. */
const yearsMs = 1e12
const newDatabase = () => ({ url: influxdb!.url, database: `contract_${++databases}` })

describe('the SQLite store', () => contract('sqlite', () => ({})))

describeWithTools('the InfluxDB store', () => {
  beforeAll(async () => void (influxdb ??= await startInfluxdb()), 30_000)
  contract('influxdb', () => ({ influxdb: newDatabase() }))
})
afterAll(() => influxdb?.stop())

/** `newPlace`: where a store keeps what it has, beside its folder. */
function contract(kind: StoreKind, newPlace: () => StoreOptions): void {
  const openStore = () => openStores([kind], newPlace())

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

  test('answers windows of minutes and hours when the values are gone, late and repeated ones included', async () => {
    const place = newPlace()
    const first = await openStores([kind], { ...place, keepMs: { values: yearsMs } })
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
    await first.expire()
    // Late: levels are made anew with it.
    await append(first.house, [temperature(100)], windowMs + 1_000)
    await first.caughtUp()
    const expected = await windowsOf(first)
    expect(expected.flatMap((series) => series ?? [])).not.toEqual([])
    await first.close()

    const second = await openStores([kind], { ...place, folder: first.folder, keepMs: { values: dayMs } })
    await second.expire()
    expect(valuesOf(await second.query({ quantity: 'air_temperature' }))).toEqual([])
    expect(await windowsOf(second)).toEqual(expected)
    const [listed] = (await second.list({})).series ?? []
    expect(toNumber(listed?.firstAt?.seconds)).toBe(Math.floor(windowMs / hourMs) * 3_600)
    expect(toNumber(listed?.lastAt?.seconds)).toBe(Math.floor((windowMs + 3_000_000) / hourMs) * 3_600)
    // Too late: the values that it would stand among are gone.
    await append(second.house, [temperature(1_000)], windowMs + 2_000)
    await second.caughtUp()
    await second.expire()
    expect(await windowsOf(second)).toEqual(expected)
    // That InfluxDB itself refuses it is an alarm of its output.
    expect(second.raised.filter(({ about }) => about !== 'influxdb')).toEqual([])
  })

  test('keeps sums that no number is large enough for', async () => {
    const place = newPlace()
    const first = await openStores([kind], { ...place, keepMs: { values: yearsMs } })
    // Each minute has an infinite sum, and the hour has none at all.
    for (const [second, value] of [
      [0, 1.7e308],
      [1, 1.7e308],
      [60, -1.7e308],
      [61, -1.7e308],
    ] as const)
      await append(first.house, [temperature(value)], windowMs + second * 1_000)
    await first.caughtUp()
    await first.expire()
    await first.close()
    const store = await openStores([kind], { ...place, folder: first.folder, keepMs: { values: dayMs } })
    await store.expire()
    const ask = (seconds: number) =>
      store.stores[0]!.querySeries(
        { ...range, from: timeOf(0), quantity: 'air_temperature', window: { seconds }, aggregate: SeriesAggregate.SUM },
        undefined,
      )
    expect(valuesOf(await ask(60))).toEqual([[Infinity, -Infinity]])
    expect(valuesOf(await ask(3_600))).toEqual([[NaN]])
  })

  test('forgets minutes and hours when their time is over', async () => {
    const place = newPlace()
    const first = await openStores([kind], { ...place, keepMs: { values: yearsMs } })
    await append(first.house, [temperature(5)])
    await first.caughtUp()
    await first.close()
    const keepMs = { values: dayMs, minutes: 1 }
    const { query, expire } = await openStores([kind], { ...place, folder: first.folder, keepMs })
    await expire()
    const ask = async (seconds: number) => {
      const from = timeOf(windowMs - 600_000)
      return valuesOf(await query({ quantity: 'air_temperature', from, window: { seconds } }))
    }
    expect(await ask(60)).toEqual([])
    expect(await ask(3_600)).toEqual([[5]])
  })
}

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

describeWithTools('both stores', () => {
  beforeAll(async () => void (influxdb ??= await startInfluxdb()), 30_000)

  const texts = fc.constantFrom(
    'a',
    "it's",
    'a"b',
    String.raw`c\d`,
    'x\ny',
    '%0A',
    '100 %',
    'ä=1,b',
    '(over budget)',
    '*',
    '',
  )
  const names = fc.oneof(texts, fc.string({ maxLength: 6 }))
  const quality = fc.constantFrom(...Object.values(Quality))
  const measurement = fc
    .record({
      quantity: fc.constantFrom('air_temperature', 'wind_speed', "o'dd"),
      value: fc.oneof(
        fc.double({ noNaN: false }).map((number) => ({ value: 'number', number }) as const),
        fc
          .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
          .map((integer) => ({ value: 'integer', integer: int64(integer) }) as const),
        fc.integer({ min: -9, max: 9 }).map((integer) => ({ value: 'integer', integer }) as const),
        fc.boolean().map((flag) => ({ value: 'flag', flag }) as const),
        names.map((text) => ({ value: 'text', text }) as const),
        fc.constant({ value: 'blob', blob: new Uint8Array(3) } as const),
        fc.constant({}),
      ),
      unit: fc.constantFrom('Cel', '[degF]', '', 'm/s'),
      quality,
      index: fc.constantFrom(undefined, 0, 3),
    })
    .map(({ value, index, ...rest }) => ({ ...rest, ...value, ...(index !== undefined && { index }) }) as Measurement)
  const event = fc.record({
    device: fc.oneof(names, fc.constantFrom('g-1', 'g-2')),
    subject: fc.constantFrom('', 'urn:a', "urn:b'c"),
    atMs: fc.integer({ min: windowMs, max: windowMs + 3_600_000 }),
    messageStatus: fc.constantFrom(
      MessageStatus.ACTUAL,
      MessageStatus.ACTUAL,
      MessageStatus.EXERCISE,
      MessageStatus.TEST,
    ),
    jurisdiction: fc.constantFrom('county-a.example', ''),
    measurements: fc.array(measurement, { minLength: 1, maxLength: 4 }),
  })
  const query = fc
    .record({
      quantity: fc.constantFrom('air_temperature', 'wind_speed', "o'dd", 'none'),
      devices: fc.oneof(fc.constant<string[]>([]), fc.array(names, { maxLength: 3 })),
      subjects: fc.subarray(['urn:a', "urn:b'c"]),
      seconds: fc.constantFrom(undefined, 60, 700),
      aggregate: fc.constantFrom(...Object.values(SeriesAggregate)),
      messageStatuses: fc.subarray([MessageStatus.ACTUAL, MessageStatus.EXERCISE, MessageStatus.TEST]),
      includeBad: fc.boolean(),
      maxPoints: fc.constantFrom(0, 1, 3),
      maxSeries: fc.constantFrom(0, 1, 4),
      index: fc.constantFrom(undefined, 0, 1),
    })
    .map(({ seconds, aggregate, index, ...rest }): QuerySeriesRequest => ({
      ...range,
      ...rest,
      ...(seconds !== undefined && { window: { seconds }, aggregate }),
      ...(index !== undefined && { index }),
    }))
  const list = fc.record({
    quantities: fc.subarray(['air_temperature', "o'dd", 'none']),
    devices: fc.subarray(['g-*', 'g-1', "it's"]),
    jurisdictions: fc.subarray(['county-a.example']),
    pageSize: fc.constantFrom(0, 3),
    activeSince: fc.constantFrom(timeOf(0), timeOf(windowMs + 1_800_000)),
  })

  async function same(
    [sqlite, other]: readonly TelemetryStore[],
    queries: readonly QuerySeriesRequest[],
    lists: readonly ListSeriesRequest[],
  ): Promise<void> {
    for (const request of queries) {
      const { completeUntil: _a, ...expected } = await sqlite!.querySeries(request, undefined)
      const { completeUntil: _b, ...answer } = await other!.querySeries(request, undefined)
      expect(answer, JSON.stringify(request)).toEqual(expected)
    }
    for (const request of lists)
      expect(await other!.listSeries(request, undefined), JSON.stringify(request)).toEqual(
        await sqlite!.listSeries(request, undefined),
      )
  }

  test.each([
    ['within the budget of tags', tagLimits],
    ['with most devices over it', { ...tagLimits, device: 1 }],
  ])('give the same answers for random readings, %s', { timeout: 120_000 }, async (_how, limits) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 60 }),
        fc.array(query, { minLength: 40, maxLength: 40 }),
        fc.array(list, { minLength: 10, maxLength: 10 }),
        async (events, queries, lists) => {
          const { house, stores, caughtUp, close } = await openStores(['sqlite', 'influxdb'], {
            influxdb: newDatabase(),
            tagLimits: limits,
          })
          for (const { subject, jurisdiction, ...reading } of events) {
            const made = observation(reading)
            await house.append({ ...made, subject, origin: { ...made.origin, jurisdiction } })
          }
          await caughtUp()
          await same(stores, queries, lists)
          await close()
        },
      ),
      // To make a failing example smaller would take a gateway for each step.
      { numRuns: 5, endOnFailure: true },
    )
  })

  test.each([
    ['within the budget of tags', tagLimits],
    ['with most devices over it', { ...tagLimits, device: 1 }],
  ])(
    'give the same answers where levels stand before the horizon and values behind it, %s',
    { timeout: 180_000 },
    async (_how, limits) => {
      /** Half of the readings are older. */
      const horizonMs = Math.ceil(windowMs / hourMs) * hourMs
      const aroundMs = fc.integer({ min: -2 * hourMs, max: 2 * hourMs })
      const wherever = fc.tuple(event, aroundMs).map(([made, ms]) => ({ ...made, atMs: horizonMs + ms }))
      /** Many values of few series in a few minutes: sums that depend on their order, units that change, one that falls silent. */
      const usual = fc
        .record({
          subject: fc.constantFrom('urn:a', 'urn:a', 'urn:a', 'urn:a', "urn:b'c"),
          period: fc.integer({ min: -4, max: 2 }),
          // Some at once.
          second: fc.integer({ min: 0, max: 119 }),
          number: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((whole) => whole / 7),
          unit: fc.constantFrom('Cel', 'Cel', 'Cel', 'Cel', '[degF]'),
          silent: fc.boolean(),
        })
        .map(({ subject, period, second, number, unit, silent }) => ({
          device: silent && period < 0 ? 'g-2' : 'g-1',
          subject,
          atMs: horizonMs + period * 1_200_000 + second * 1_000,
          messageStatus: MessageStatus.ACTUAL,
          jurisdiction: 'county-a.example',
          measurements: [{ ...temperature(number), unit, quality: Quality.GOOD }],
        }))
      const reading = fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: wherever })
      const question = fc
        .tuple(query, aroundMs, aroundMs, fc.constantFrom(undefined, 60, 300, 3_600, 7_200, 86_400, 7))
        .map(([{ window: _window, aggregate, ...request }, a, b, seconds]): QuerySeriesRequest => ({
          ...request,
          from: timeOf(horizonMs + Math.min(a, b)),
          to: timeOf(horizonMs + Math.max(a, b)),
          ...(seconds !== undefined && { window: { seconds }, ...(aggregate !== undefined && { aggregate }) }),
        }))
      const around = { from: timeOf(horizonMs - 3 * hourMs), to: timeOf(horizonMs + 3 * hourMs) }
      const usually = [60, 300, 3_600, 7_200].flatMap((seconds) =>
        Object.values(SeriesAggregate).map((aggregate) => ({
          ...around,
          quantity: 'air_temperature',
          window: { seconds },
          aggregate,
        })),
      )
      await fc.assert(
        fc.asyncProperty(
          // In time, late, and too late for the levels that they would change.
          fc.tuple(...[150, 50, 20].map((maxLength) => fc.array(reading, { minLength: maxLength / 2, maxLength }))),
          fc.array(question, { minLength: 60, maxLength: 60 }),
          fc.array(list, { minLength: 10, maxLength: 10 }),
          async (batches, queries, lists) => {
            let horizonNow = horizonMs - dayMs
            const clock: Clock = { ...systemClock, now: () => BigInt(horizonNow + yearsMs) * 1_000_000n }
            const { house, stores, caughtUp, close, expire, raised } = await openStores(['sqlite', 'influxdb'], {
              influxdb: newDatabase(),
              keepMs: { values: yearsMs, minutes: 2 * yearsMs, hours: 2 * yearsMs },
              tagLimits: limits,
              clock,
            })
            for (const [at, events] of batches.entries()) {
              const made = events.map(({ subject, jurisdiction, ...rest }) => {
                const whole = observation(rest)
                return { ...whole, subject, origin: { ...whole.origin, jurisdiction } }
              })
              await house.append(...made)
              await caughtUp()
              if (at > 0) horizonNow = horizonMs
              await expire()
            }
            await same(stores, [...queries, ...usually], lists)
            expect(raised.filter(({ code }) => code !== 'cardinality_exceeded')).toEqual([])
            await close()
          },
        ),
        { numRuns: 5, endOnFailure: true },
      )
    },
  )
})
