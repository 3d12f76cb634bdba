// The calls that are no subscription: pages, single events, fates, publishing, the quarantine, state, health; and what they
// answer when something is wrong.

import type { ServiceError } from '@grpc/grpc-js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecentFate } from '../gateway/accounting.ts'
import { systemClock } from '../gateway/clock.ts'
import type { ReceiveEvents } from '../gateway/grpc/publish.ts'
import { createIds } from '../gateway/ids.ts'
import { Fate } from '../proto/generated/types.ts'
import type {
  Frame,
  GetEventResponse,
  GetFateResponse,
  GetStatusResponse,
  ListEventsRequest,
  ListEventsResponse,
  ListRefusalsResponse,
  PublishResponse,
  Record as StoredRecord,
  ReplayRefusalsResponse,
} from '../proto/generated/types.ts'
import { GatewayError } from '../proto/errors.ts'
import { toNumber } from '../proto/int64.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import {
  appendEvents,
  deviceEvent,
  eventIn,
  eventOf,
  openAccess,
  openHouse,
  placeIn,
  seesAll,
  urgentEvent,
  type House,
  type TestClient,
} from './grpc-house.ts'
import { emptyRoom, principals } from './tools/registry.ts'

const refusal = (code: number, name: string) =>
  expect.objectContaining({ code, metadata: expect.objectContaining({ internalRepr: expect.any(Map) }), tocsin: name })
const failing = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: ServiceError) => Object.assign(error, { tocsin: error.metadata.get('tocsin-code')[0] }),
  )

async function pages(client: TestClient, request: ListEventsRequest): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  let pageToken: Uint8Array = new Uint8Array()
  for (let page = 0; page < 500; page++) {
    const response = await client.unary<ListEventsResponse>('ListEvents', { ...request, pageToken })
    records.push(...(response.records ?? []))
    if (!response.nextPageToken?.length) return records
    pageToken = response.nextPageToken
  }
  throw new Error('the pages do not end')
}

async function fill(house: House): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await house.append(deviceEvent(`d-${i % 3}`), ...(i % 7 === 0 ? [urgentEvent(`u-${i}`)] : []))
  }
}

describe('ListEvents', () => {
  test('gives every record once, by time, in pages of any size, newest or oldest first', async () => {
    await using house = await openHouse()
    await fill(house)
    const client = house.client()
    const all = await pages(client, { pageSize: 1_000 })
    const times = all.map(({ loggedAtNs }) => toNumber(loggedAtNs))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(new Set(all.map(placeIn)).size).toBe(69)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 80 }), fc.boolean(), async (pageSize, newestFirst) => {
        const listed = await pages(client, { pageSize, newestFirst })
        const inOrder = newestFirst ? listed.toReversed() : listed
        for (const lane of ['urgent', 'routine']) {
          const places = (records: StoredRecord[]) => records.map(placeIn).filter((place) => place.startsWith(lane))
          expect(places(inOrder)).toEqual(places(all))
        }
        const given = inOrder.map(({ loggedAtNs }) => toNumber(loggedAtNs))
        expect(given).toEqual(given.toSorted((a, b) => a - b))
      }),
      { numRuns: 12 },
    )
  })

  test('keeps to its times and its filter', async () => {
    await using house = await openHouse()
    await fill(house)
    await new Promise((resolve) => setTimeout(resolve, 5))
    const middle = timestamp(systemClock.now())
    await new Promise((resolve) => setTimeout(resolve, 5))
    await fill(house)
    const client = house.client()
    expect(await pages(client, { to: middle })).toHaveLength(69)
    expect(await pages(client, { from: middle })).toHaveLength(69)
    expect(await pages(client, { from: middle, newestFirst: true, filter: { lanes: [1] } })).toHaveLength(9)
    expect(await pages(client, { filter: { devices: ['d-1'] }, pageSize: 7 })).toHaveLength(40)
    expect(await pages(client, { from: middle, to: middle })).toEqual([])
  })

  test('refuses a token of another request', async () => {
    await using house = await openHouse()
    await fill(house)
    const client = house.client()
    const { nextPageToken } = await client.unary<ListEventsResponse>('ListEvents', { pageSize: 5 })
    const stolen = client.unary('ListEvents', { pageSize: 5, newestFirst: true, pageToken: nextPageToken })
    expect(await failing(stolen)).toEqual(refusal(3, 'invalid_argument'))
  })
})

describe('GetEvent', () => {
  test('gives the event as it is kept, and its frame', async () => {
    await using house = await openHouse()
    const event = eventOf({ texts: [{ headline: 'Flood' }] })
    await house.append(event)
    const found = await house.client().unary<GetEventResponse>('GetEvent', { id: event.id, includeRaw: true })
    expect(eventIn(found.record!).texts?.[0]?.headline).toBe('Flood')
    expect(Buffer.from(found.frame?.payload ?? []).toString()).toBe('frame of 1')
  })

  test('does not tell one that is not there from one that is not for this reader', async () => {
    const view = {
      key: 'none',
      everything: false,
      mayPassWhole: () => false,
      mayRead: () => false,
      shown: () => undefined,
      mayReadFrame: () => false,
    }
    await using house = await openHouse({ access: { ...openAccess, view: () => view } })
    const event = eventOf()
    await house.append(event)
    const client = house.client()
    const [hidden, absent] = [
      await failing(client.unary('GetEvent', { id: event.id })),
      await failing(client.unary('GetEvent', { id: new Uint8Array(16) })),
    ]
    expect(hidden).toEqual(refusal(5, 'not_found'))
    expect((hidden as Error).message).toBe((absent as Error).message)
    expect(await failing(client.unary('GetEvent', { id: new Uint8Array(3) }))).toEqual(refusal(3, 'invalid_argument'))
    expect(await client.unary<GetFateResponse>('GetFate', { id: event.id })).toMatchObject({ fates: [] })
  })
})

test('GetFate knows what is stored, what was ignored, and what never got into the log', async () => {
  const receivedAt = systemClock.now()
  const lost: RecentFate = {
    frameId: new Uint8Array(16).fill(9),
    channel: 'a/b',
    sender: 'mqtt:x',
    adapter: '',
    receivedAt,
    settledAt: receivedAt,
    fate: 'not_taken',
    why: 'the disk is full',
  }
  const recentFates = { recent: (match: (fate: RecentFate) => boolean) => [lost].filter(match) }
  await using house = await openHouse({ recentFates })
  const event = eventOf()
  await house.append(event, urgentEvent('x'))
  await appendEvents(house.log, [], 'a/b')
  const client = house.client()
  const byEvent = await client.unary<GetFateResponse>('GetFate', { id: event.id })
  expect(byEvent.fates).toMatchObject([{ fate: Fate.STORED, sender: 'mqtt:test', channel: 'tocsin/in/senml/gauge-1' }])
  expect(byEvent.fates?.[0]?.places?.map(placeIn).toSorted()).toEqual(['routine 1', 'urgent 1'])
  const byFrame = await client.unary<GetFateResponse>('GetFate', { id: byEvent.fates?.[0]?.frameId })
  expect(byFrame.fates).toHaveLength(1)
  const byChannel = await client.unary<GetFateResponse>('GetFate', { channel: 'a/b', limit: 10 })
  expect(byChannel.fates?.map(({ fate }) => fate).toSorted()).toEqual([Fate.IGNORED, Fate.NOT_TAKEN])
  const notTaken = await client.unary<GetFateResponse>('GetFate', { id: lost.frameId })
  expect(notTaken.fates).toMatchObject([{ fate: Fate.NOT_TAKEN, why: 'the disk is full' }])
  expect(await failing(client.unary('GetFate', {}))).toEqual(refusal(3, 'invalid_argument'))
})

describe('Publish', () => {
  const ids = createIds((bytes) => void bytes.fill(1))

  function publishStream(client: TestClient) {
    const call = (
      client.raw['Publish'] as (this: unknown) => import('@grpc/grpc-js').ClientDuplexStream<object, PublishResponse>
    ).call(client.raw)
    const answers: PublishResponse[] = []
    call.on('data', (answer: PublishResponse) => answers.push(answer))
    const over = new Promise<ServiceError | undefined>((resolve) =>
      call.on('error', resolve).on('end', () => resolve(undefined)),
    )
    return { call, answers, over }
  }

  test('answers each batch in order, when it is settled, however fast they come', async () => {
    let running = 0
    let runningMost = 0
    const receiveEvents: ReceiveEvents = async (_principal, events) => {
      runningMost = Math.max(runningMost, ++running)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
      running -= 1
      return events.map((_event, i) => ({
        frameId: ids.next(0n),
        fate: 'stored',
        places: [{ lane: 'routine', sequence: i + 1 }],
        eventIds: [ids.next(0n)],
      }))
    }
    await using house = await openHouse({ receiveEvents })
    const { call, answers, over } = publishStream(house.client())
    for (let batch = 1; batch <= 100; batch++) call.write({ batch, events: [Buffer.from('a'), Buffer.from('b')] })
    call.end()
    expect(await over).toBeUndefined()
    expect(answers.map(({ batch }) => toNumber(batch))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    expect(answers[0]?.results).toMatchObject([{ fate: Fate.STORED, place: { lane: 2 } }, { fate: Fate.STORED }])
    expect(runningMost).toBeGreaterThan(1)
    expect(runningMost).toBeLessThanOrEqual(9)
  })

  test('says so when the gateway takes nothing now, after what it did take', async () => {
    let batches = 0
    const receiveEvents: ReceiveEvents = async () => {
      if (++batches > 2) throw new GatewayError('log_full', 'The disk is full.')
      return [{ frameId: ids.next(0n), fate: 'duplicate' }]
    }
    await using house = await openHouse({ receiveEvents })
    const { call, answers, over } = publishStream(house.client())
    for (let batch = 1; batch <= 4; batch++) call.write({ batch, events: [Buffer.from('a')] })
    expect(await over).toMatchObject({ code: 8, details: 'The disk is full.' })
    expect(answers.map(({ batch }) => toNumber(batch))).toEqual([1, 2])
  })

  test('refuses a batch that is too large', async () => {
    await using house = await openHouse()
    const { call, over } = publishStream(house.client())
    call.write({ batch: 1, events: Array.from({ length: 1_001 }, () => new Uint8Array(1)) })
    expect(await over).toMatchObject({ code: 3, details: expect.stringContaining('1000 events') })
  })
})

describe('AdminService', () => {
  const frameCodec = codec('tocsin.v1.Frame')

  async function refuseFrame(house: House, channel: string): Promise<void> {
    const id = createIds((bytes) => void crypto.getRandomValues(bytes)).next(systemClock.now())
    const receivedAt = timestamp(systemClock.now())
    const frame: Frame = {
      id,
      receivedAt,
      channel,
      sender: 'mqtt:x',
      adapter: 'senml',
      payload: Buffer.from('?'),
      fate: Fate.REFUSED,
      fault: 'syntax',
      why: 'no JSON',
    }
    await house.log.append({ frame, records: [] })
  }

  test('lists the quarantine newest first, in pages, without payload unless asked, and replays it', async () => {
    const replayed: string[] = []
    const admin = {
      status: () => ({ version: '1' }),
      readers: () => [],
      replay: async (frame: Frame) => (replayed.push(frame.channel ?? ''), { fate: 'stored', why: '' } as const),
      audit: { list: async () => Buffer.alloc(0) },
      principals: principals(),
      room: emptyRoom,
    }
    await using house = await openHouse({ admin })
    for (let i = 0; i < 5; i++) await refuseFrame(house, `t/${i}`)
    const client = house.client('tocsin.v1.AdminService')
    const first = await client.unary<ListRefusalsResponse>('ListRefusals', { pageSize: 2 })
    const second = await client.unary<ListRefusalsResponse>('ListRefusals', {
      pageSize: 10,
      pageToken: first.nextPageToken,
      includePayload: true,
    })
    const frames = [...(first.frames ?? []), ...(second.frames ?? [])].map((bytes) => frameCodec.decode(bytes))
    expect(frames.map(({ channel }) => channel)).toEqual(['t/4', 't/3', 't/2', 't/1', 't/0'])
    expect(frames.map(({ payload }) => payload?.length)).toEqual([0, 0, 1, 1, 1])
    const call = (client.raw['ReplayRefusals'] as (this: unknown, request: object) => NodeJS.EventEmitter).call(
      client.raw,
      { matching: { channels: ['t/+'] } },
    )
    const answers: ReplayRefusalsResponse[] = []
    await new Promise((resolve, reject) =>
      call
        .on('data', (answer) => answers.push(answer))
        .on('end', resolve)
        .on('error', reject),
    )
    expect(replayed).toEqual(['t/0', 't/1', 't/2', 't/3', 't/4'])
    expect([toNumber(answers.at(-1)?.total), toNumber(answers.at(-1)?.stored), answers.at(-1)?.done]).toEqual([
      5,
      5,
      true,
    ])
  })

  test('tells the state of the log, and only to whom policy allows', async () => {
    await using house = await openHouse()
    await house.append(deviceEvent('a'), urgentEvent('b'))
    house.log.bookmarks.set('influxdb', { urgent: 0, routine: 1 }, { pins: true })
    const client = house.client('tocsin.v1.AdminService')
    const status = await client.unary<GetStatusResponse>('GetStatus', {})
    expect(status.lanes?.map(({ head, oldest }) => [toNumber(head), toNumber(oldest)])).toEqual([
      [1, 1],
      [1, 1],
    ])
    const { bookmarks } = await client.unary<{ bookmarks: { reader: string; urgentLag: never; holds: boolean }[] }>(
      'ListBookmarks',
      {},
    )
    expect(bookmarks).toMatchObject([{ reader: 'influxdb', holds: true }])
    expect(toNumber(bookmarks[0]?.urgentLag)).toBe(1)
    await using strict = await openHouse({ access: { ...openAccess, view: () => seesAll, may: () => false } })
    expect(await failing(strict.client('tocsin.v1.AdminService').unary('GetStatus', {}))).toEqual(
      refusal(7, 'not_allowed'),
    )
  })
})

test('bytes that are no request are answered as such, and calls are counted', async () => {
  await using house = await openHouse()
  const { raw } = house.client()
  const identity = (bytes: Buffer): Buffer => bytes
  const broken = new Promise((resolve) =>
    raw.makeUnaryRequest('/tocsin.v1.EventService/GetEvent', identity, identity, Buffer.from([0x0a, 0x7f]), resolve),
  )
  expect(await broken).toMatchObject({ code: 3 })
  const unknown = new Promise((resolve) =>
    raw.makeUnaryRequest('/tocsin.v1.EventService/Nothing', identity, identity, Buffer.alloc(0), resolve),
  )
  expect(await unknown).toMatchObject({ code: 12 })
  expect(house.server.metrics().calls.get('/tocsin.v1.EventService/GetEvent')?.get(3)).toBe(1)
})

test('a port that is taken is told with its name', async () => {
  await using house = await openHouse()
  const second = openHouse({ address: { host: '127.0.0.1', port: house.server.port } })
  await expect(second).rejects.toMatchObject({ code: 'port_taken' })
})
