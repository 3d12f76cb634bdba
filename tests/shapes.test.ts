// The short way for a device's next message stores to the byte what the long way stores, and tells the same of it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Adapter, Frame } from '../adapters/adapter.ts'
import { senml } from '../adapters/senml/codec.ts'
import { createAccounting } from '../gateway/accounting.ts'
import { createIds } from '../gateway/ids.ts'
import type { Fate, Sender, Transport } from '../gateway/inputs/receive.ts'
import { makeBlocks } from '../gateway/log/frames.ts'
import { createGather, isRecordPart } from '../gateway/log/gather.ts'
import type { Log, NewFrame, Told } from '../gateway/log/log.ts'
import { itemBytes, markBytes, sealRecord, stampOf } from '../gateway/log/record.ts'
import { createPipeline } from '../gateway/pipeline.ts'
import { createUnknownQuantities } from '../gateway/quantities.ts'
import { createRoutes } from '../gateway/routes.ts'
import { Flag, MessageStatus, Quality, type Event } from '../proto/generated/types.ts'
import { codec } from '../proto/wire.ts'

const topic = 'tocsin/in/senml/gauge-7'
const start = 1_795_348_800_000_000_000n
const sender: Sender = { name: 'mqtt:gauge-7', authenticity: 'unverified', link: 'mqtt' }
const transport: Transport = { qos: 1, retain: false, resent: false }
const site = { gateway: 'g', jurisdiction: 'local', owner: '', messageStatus: MessageStatus.ACTUAL, labels: [] }
const events = codec('tocsin.v1.Event')

interface Said {
  readonly pack: string
  readonly receivedAt?: bigint
  readonly sender?: Sender
  readonly transport?: Transport
  readonly contentType?: string
  readonly properties?: Frame['properties']
}

/** A way in that keeps what it would append. Ids are the same for every house that is asked the same. */
function house(adapter: Adapter, mayPublish: (event: Event) => string | undefined = () => undefined) {
  const appended: NewFrame[] = []
  /** What the log writes of each when it has just been read, as it mostly does. */
  const atOnce: string[][] = []
  const failures: unknown[] = []
  let decoded = 0
  let seed = 1
  const counting: Adapter = {
    ...adapter,
    decoder(options) {
      const decoder = adapter.decoder!(options)
      return {
        ...decoder,
        decode(frame) {
          decoded++
          return decoder.decode(frame)
        },
      }
    },
  }
  const unknownQuantities = createUnknownQuantities()
  const { receive } = createPipeline({
    routes: createRoutes([{ name: 'senml', adapter: counting, topics: ['#'], options: undefined, site }]),
    log: {
      put(frame: NewFrame, told: Told) {
        appended.push(frame)
        atOnce.push(written(frame))
        queueMicrotask(() => told.stored(appended.length, []))
      },
    } as unknown as Log,
    ids: createIds((bytes) => {
      for (let at = 0; at < bytes.length; at++) bytes[at] = seed = (seed * 48271) % 0x7fffffff
    }),
    clock: { now: () => start, monotonic: () => 0n },
    accounting: createAccounting(),
    unknownQuantities,
    mayPublish: (_, event) => mayPublish(event),
    isKnown: () => false,
    whyUnread: () => '',
    adapterFailed: (_, error) => failures.push(error),
  })
  return {
    appended,
    atOnce,
    failures,
    unknownQuantities,
    get decoded() {
      return decoded
    },
    hear({ pack, receivedAt = start, contentType, properties, ...from }: Said): Promise<Fate> {
      const frame: Frame = {
        bytes: Buffer.from(pack),
        receivedAt,
        channel: topic,
        ...(contentType !== undefined && { contentType }),
        ...(properties && { properties }),
      }
      return receive(from.sender ?? sender, frame, from.transport ?? transport)
    },
    eventOf: (index: number) => events.decode(appended[index]!.records[0]!.event),
  }
}

/** The same adapter, of which nothing is known beforehand. */
const longWay: Adapter = {
  ...senml,
  decoder: (options) => {
    const { decode } = senml.decoder!(options)
    return { decode }
  },
}

/** What the log writes of it, in each of its series. */
function written({ frame, records, encodedRest }: NewFrame): string[] {
  gather.restart(firstNumbers)
  gather.add(frame, records, stampOf(start), encodedRest)
  return gather.finish(1, false).parts.map((part) => {
    const bytes = part.bytes.subarray(0, part.length)
    gather.giveBack(part.bytes)
    if (!isRecordPart(part)) return makeBlocks(bytes, 1, 0).bytes.toString('latin1')
    for (let at = markBytes; at < bytes.length; at += itemBytes(bytes, at, bytes.length)) sealRecord(bytes, at)
    return bytes.toString('latin1')
  })
}
const firstNumbers = { urgent: 1, routine: 1, frame: 1 }
const gather = createGather(firstNumbers)

/** Without what was encoded beforehand. */
const plainly = ({ frame, records }: NewFrame): NewFrame => ({
  frame,
  records: records.map(({ lane, retention, header, event }) => ({ lane, retention, header, event })),
})

/** Both ways hear the same, and answer the same; how many the short way took. */
async function agreed(said: readonly Said[]): Promise<number> {
  const [short, long] = [house(senml), house(longWay)]
  for (const one of said) {
    const [shortFate, longFate] = await Promise.all([short.hear(one), long.hear(one)])
    expect(shortFate).toStrictEqual(longFate)
  }
  expect(short.appended.map(plainly).map(written)).toStrictEqual(long.atOnce)
  expect(short.atOnce).toStrictEqual(long.atOnce)
  // After a commit that failed the log writes them once more.
  expect(short.appended.map(written)).toStrictEqual(long.atOnce)
  const framesOf = (one: NewFrame) => one.frame
  expect(short.appended.map(framesOf)).toStrictEqual(long.appended.map(framesOf))
  expect(short.unknownQuantities.counts).toStrictEqual(long.unknownQuantities.counts)
  expect(short.failures).toEqual([])
  return long.decoded - short.decoded
}

const rarely = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) => fc.oneof({ weight: 40, arbitrary: usual }, odd)
const oneOf = (...texts: readonly string[]) => fc.constantFrom(...texts)
const number = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 0, max: 400_000 }).map((value) => String(value / 10_000)) },
  fc.double({ min: -1_000, max: 100_000, noNaN: true }).map((value) => value.toFixed(2)),
)
const oddNumber = oneOf(
  '-0',
  '1e3',
  '99999999',
  '-99999',
  '1.',
  '00',
  '9007199254740993',
  '0.1234567890123456',
  'true',
  '"1"',
  '',
)
const time = fc
  .tuple(
    fc.integer({ min: 1_795_348_000, max: 1_795_348_900 }),
    oneOf('', '.5', '.001', '.999', '.123456789', '.000000001'),
  )
  .map((parts) => parts.join(''))
const oddTime = oneOf(
  '0',
  '1',
  '-5',
  '268435455',
  '268435456',
  '946684799',
  '946684800',
  '1795349099',
  '1795349100',
  '1795349101',
  '99999999999',
  '1.5e9',
  '253402300800',
)

/** What a device always says: "#" stands for a value and "@" for a time. */
const measurement = fc
  .record({
    n: oneOf('water-level', 'temperature', 'battery', 'hum', 'my-own', 'x/1', 'lat', ''),
    u: fc.option(oneOf('m', 'm', 'Cel', 'Cel', 'V', 'V', '%RH', 'lat', ''), { freq: 5 }),
    v: oneOf('"v":#', '"v":#', '"v":#', '"vb":true', '"vs":"open"'),
    t: rarely(fc.constant(null), oneOf('"t":@', '"t":-5', '"t":0')),
    space: oneOf('', '', ' ', '\n'),
  })
  .map(({ n, u, v, t, space }) =>
    [`"n":"${n}"`, ...(u === null ? [] : [`"u":"${u}"`]), v, ...(t === null ? [] : [t])].join(`,${space}`),
  )
const manner = fc
  .tuple(
    oneOf('"bn":"gauge-7:",', '"bn":"urn:dev:mac:0024befffe804ff1/",', '"bn":"a",'),
    oneOf('', '"bt":@,', '"bt":@,', '"bt":@,', '"bu":"m",'),
    fc.array(measurement, { minLength: 1, maxLength: 4 }),
  )
  .map(([base, also, all]) => `[${all.map((one, at) => `{${at === 0 ? base + also : ''}${one}}`).join(',')}]`)

const filled = (said: string, values: readonly string[], times: readonly string[]): string => {
  let [value, at] = [0, 0]
  return said.replaceAll('#', () => values[value++ % values.length]!).replaceAll('@', () => times[at++ % times.length]!)
}

/** As MQTT clients send it, in version 5 with what else an envelope can hold; of correlation data another each time. */
const usualEnvelope = fc.constantFrom(
  ...['gauge-7', 'gauge-7', 'b'].map((clientId) => ({ qos: 1, retain: false, clientId })),
  { qos: 1, retain: false, clientId: 'gauge-7', messageExpirySeconds: 5 },
  { qos: 1, retain: false, clientId: 'gauge-7', responseTopic: 'a/b', payloadFormatIndicator: 1 },
)
const correlation = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ minLength: 8, maxLength: 8 }) },
  fc.uint8Array({ minLength: 0, maxLength: 200 }),
  fc.constantFrom(Buffer.from('gauge-7'), Buffer.alloc(2_000, 1)),
)
const usualProperties = fc.constantFrom<Frame['properties']>(
  undefined,
  undefined,
  [['a', 'b']],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['a', 'b'],
  ],
)
const oddProperties = fc.constantFrom<Frame['properties']>(
  undefined,
  [['a', 'c']],
  [['c', 'b']],
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [['a', 'x'.repeat(600)]],
)

const history = fc.tuple(manner, manner, usualEnvelope, usualProperties).chain(([usual, other, envelope, always]) =>
  fc.array(
    fc
      .record({
        said: rarely(fc.constant(usual), fc.constant(other)),
        values: fc.array(rarely(number, oddNumber), { minLength: 1, maxLength: 4 }),
        times: fc.array(rarely(time, oddTime), { minLength: 1, maxLength: 2 }),
        receivedAt: fc.nat({ max: 3 }).map((ms) => start + BigInt(ms) * 1_000_000n),
        sender: rarely(
          fc.constant(sender),
          oneOf('mqtt:gauge-7', 'mqtt:b').map((name) => ({ ...sender, name })),
        ),
        transport: rarely(
          correlation.map((correlationData): Transport => ({
            ...transport,
            envelope: always ? { ...envelope, correlationData } : envelope,
          })),
          fc.constantFrom<Transport>(
            { ...transport, envelope: { ...envelope, clientId: 'c' } },
            { ...transport, retain: true },
            { ...transport, qos: 0 as const },
          ),
        ),
        contentType: rarely(
          fc.constant(undefined),
          oneOf('application/senml+json', 'application/senml+json; q=1', 'text/plain'),
        ),
        properties: rarely(fc.constant(always), oddProperties),
      })
      .map(({ said, values, times, contentType, properties, ...rest }) => ({
        ...rest,
        pack: filled(said, values, times),
        ...(contentType !== undefined && { contentType }),
        ...(properties && { properties }),
      })),
    { minLength: 6, maxLength: 16 },
  ),
)

const reading = (value: string, seconds = '1795348700.25') =>
  `[{"bn":"gauge-7:","bt":${seconds},"n":"water-level","u":"m","v":${value}},{"n":"temperature","u":"Cel","v":11.7}]`

describe('a message like the one before', () => {
  test('is stored to the byte as the long way stores it, whatever devices say', async () => {
    let short = 0
    let all = 0
    await fc.assert(
      fc.asyncProperty(history, async (said) => {
        short += await agreed(said)
        all += said.length
      }),
      { numRuns: 150 },
    )
    // Or nothing was shown.
    expect(short).toBeGreaterThan(all / 10)
  })

  test('is not decoded, from the third one on', async () => {
    expect(await agreed(['1', '2.5', '-3', '0', '2.125'].map((value) => ({ pack: reading(value) })))).toBe(3)
  })

  test('is not decoded either with what MQTT 5 says beside it, as long as its device says the same of itself', async () => {
    const said = (value: number, properties: Frame['properties']): Said => {
      const correlationData = Buffer.from(`question-${value}`)
      const envelope = { qos: 1, retain: false, clientId: 'gauge-7', responseTopic: 'a', correlationData }
      return { pack: reading(String(value)), properties, transport: { ...transport, envelope } }
    }
    const same = [1, 2, 3, 4, 5].map((value) => said(value, [['firmware', '2']]))
    expect(await agreed(same)).toBe(3)
    expect(await agreed([...same, said(6, [['firmware', '3']]), said(7, [['firmware', '2']])])).toBe(4)
    expect(await agreed([1, 2, 3, 4, 5].map((value) => said(value, [['n', `${value}`]])))).toBe(0)
    expect(await agreed([1, 2, 3, 4, 5].map((value) => said(value, [['much', 'x'.repeat(600)]])))).toBe(0)
  })

  test('with a value that cannot be is judged: marked as bad, and flagged', async () => {
    const { hear, eventOf } = house(senml)
    for (const value of ['1', '2', '3', '99999']) await hear({ pack: reading(value) })
    expect(eventOf(2).flags ?? []).toEqual([])
    const event = eventOf(3)
    expect(event.flags).toEqual([Flag.OUT_OF_RANGE])
    expect(event.body === 'observation' && event.observation.measurements![0]!.quality).toBe(Quality.BAD)
  })

  test('with the time of a clock that is wrong is flagged, and its device told', async () => {
    const { hear } = house(senml)
    for (const seconds of ['1795348700', '1795348701']) await hear({ pack: reading('1', seconds) })
    expect(await hear({ pack: reading('1', '1795349100') })).not.toHaveProperty('clockFault')
    expect(await hear({ pack: reading('1', '1795349101') })).toHaveProperty('clockFault.aheadNs', 301_000_000_000n)
    expect(await hear({ pack: reading('1', '900000000') })).toHaveProperty('clockFault')
  })

  test('is refused from the moment at which its sender may not say it any more', async () => {
    let forbidden: string | undefined
    const { hear } = house(senml, () => forbidden)
    for (const value of ['1', '2', '3']) expect((await hear({ pack: reading(value) })).fate).toBe('stored')
    forbidden = 'no more'
    expect(await hear({ pack: reading('4') })).toMatchObject({ fate: 'refused', fault: 'forbidden', why: 'no more' })
  })

  test('is counted where the registry does not know what was measured', async () => {
    const { hear, unknownQuantities } = house(senml)
    const pack = (value: number) => `[{"bn":"gauge-7:","n":"my-own","v":${value}}]`
    for (let value = 0; value < 5; value++) await hear({ pack: pack(value) })
    expect(unknownQuantities.counts.get('senml')!.measurements).toBe(5)
  })

  test('takes the long way where a device says something else each time, and so costs no more than it did', async () => {
    let asked = 0
    const { hear } = house({
      ...senml,
      decoder: (options) => {
        const decoder = senml.decoder!(options)
        return {
          ...decoder,
          pattern(frame, event) {
            asked++
            return decoder.pattern!(frame, event)
          },
        }
      },
    })
    for (let n = 0; n < 1_000; n++) await hear({ pack: `[{"bn":"gauge-7:","n":"s${n}","v":1}]` })
    expect(asked).toBeLessThan(12)
  })

  test('takes the long way when its adapter fails on it, and the operator is told', async () => {
    const { hear, failures, appended } = house({
      ...senml,
      decoder: (options) => ({
        ...senml.decoder!(options),
        pattern: () => {
          throw new Error('a bug')
        },
      }),
    })
    for (const value of ['1', '2', '3']) expect((await hear({ pack: reading(value) })).fate).toBe('stored')
    expect(failures.map(String)).toEqual(['Error: a bug'])
    expect(appended).toHaveLength(3)
  })
})
