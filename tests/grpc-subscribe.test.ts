// Subscribe, over real sockets and a real log: every start point, every kind of gap, order, and who may see what.

import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { View } from '../gateway/grpc/access.ts'
import { decodeCursor, encodeCursor } from '../gateway/grpc/cursor.ts'
import { EventKind, GapReason, Label } from '../proto/generated/types.ts'
import type { RecordHeader, SubscribeRequest } from '../proto/generated/types.ts'
import { duration, timestamp } from '../proto/time.ts'
import { toNumber } from '../proto/int64.ts'
import { systemClock } from '../gateway/clock.ts'
import { logSettingsDefault } from '../gateway/log/create-log.ts'
import { openTestLog } from './grpc-log.ts'
import {
  deviceEvent,
  devicesIn,
  eventOf,
  openAccess,
  openHouse,
  placeIn,
  seesAll,
  urgentEvent,
  type House,
} from './grpc-house.ts'

const latest: SubscribeRequest = { start: 'latest', latest: {} }
const earliest: SubscribeRequest = { start: 'earliest', earliest: {} }
const current: SubscribeRequest = { start: 'current', current: {} }
const after = (cursor: Uint8Array | undefined): SubscribeRequest => ({
  start: 'afterCursor',
  afterCursor: cursor ?? new Uint8Array(),
})
const seconds = (count: number) => duration(BigInt(count * 1_000) * 1_000_000n)

async function appendMany(house: House, count: number, name = 'gauge'): Promise<void> {
  for (let at = 0; at < count; at += 100) {
    const events = Array.from({ length: Math.min(100, count - at) }, (_, i) => deviceEvent(`${name}-${at + i}`))
    await house.append(...events)
  }
}

describe('starts', () => {
  test('with what comes, and says at once that it is live', async () => {
    await using house = await openHouse()
    await house.append(deviceEvent('before'))
    const reader = house.client().subscribe(latest)
    await reader.until(() => reader.count('caughtUp') === 1)
    await house.append(deviceEvent('after'), urgentEvent('evacuate'))
    await reader.until(() => reader.records.length === 2)
    expect(reader.records.map(placeIn)).toEqual(['urgent 1', 'routine 2'])
  })

  test('with all that is kept, in order within each lane, urgent first, each record once', async () => {
    await using house = await openHouse()
    await appendMany(house, 300)
    await house.append(urgentEvent('one'), urgentEvent('two'))
    await appendMany(house, 300, 'later')
    const reader = house.client().subscribe({ ...earliest, maxBatchRecords: 50 })
    await reader.until(() => reader.count('caughtUp') === 1)
    const routine = Array.from({ length: 600 }, (_, i) => `routine ${i + 1}`)
    expect(reader.records.map(placeIn)).toEqual(['urgent 1', 'urgent 2', ...routine])
    expect(reader.count('caughtUp')).toBe(1)
    expect(reader.count('gap')).toBe(0)
  })

  test('with what was logged at or after a time', async () => {
    await using house = await openHouse()
    await house.append(deviceEvent('old'), urgentEvent('old'))
    await sleep(20)
    const time = timestamp(BigInt(Date.now()) * 1_000_000n)
    await sleep(20)
    await house.append(deviceEvent('new'), urgentEvent('new'))
    const reader = house.client().subscribe({ start: 'afterTime', afterTime: time })
    await reader.until(() => reader.count('caughtUp') === 1)
    expect(reader.records.map(placeIn)).toEqual(['urgent 2', 'routine 2'])
  })

  test('with the last record of each subject, expired ones too, then live', async () => {
    await using house = await openHouse()
    const long = timestamp(1_000_000_000n)
    const alert = eventOf({ subject: 'urn:alert:7', body: 'alert', alert: {}, expiresAt: long })
    await house.append(deviceEvent('a'), deviceEvent('b'), alert)
    await house.append(deviceEvent('a'))
    const reader = house.client().subscribe(current)
    await reader.until(() => reader.count('caughtUp') === 1)
    expect(reader.records.map(placeIn)).toEqual(['urgent 1', 'routine 2', 'routine 3'])
    expect(reader.responses.every((response) => response.item !== 'batch' || response.batch.snapshot)).toBe(true)
    await house.append(deviceEvent('b'))
    await reader.until(() => reader.records.length === 4)
    expect(reader.responses.at(-1)).toMatchObject({ item: 'batch', batch: { snapshot: false } })
  })

  test('with the snapshot again when it was cut off in the middle of one', async () => {
    await using house = await openHouse()
    await appendMany(house, 200)
    const first = house.client().subscribe({ ...current, maxBatchRecords: 10 })
    await first.until(() => first.records.length >= 10)
    const batch = first.responses.find(({ item }) => item === 'batch')
    first.cancel()
    const cursor = batch?.item === 'batch' ? batch.batch.cursor : undefined
    const second = house.client().subscribe(after(cursor))
    await second.until(() => second.count('caughtUp') === 1)
    expect(second.records).toHaveLength(200)
  })

  test('after a cursor: exactly what had not come, whichever batch was the last', async () => {
    await using house = await openHouse()
    await appendMany(house, 500)
    await house.append(urgentEvent('one'))
    const seen: string[] = []
    let request: SubscribeRequest = earliest
    for (let round = 0; round < 200 && seen.length < 501; round++) {
      const reader = house.client().subscribe({ ...request, maxBatchRecords: 17 })
      await reader.until(() => reader.count('batch') >= 1)
      const batch = reader.responses.find(({ item }) => item === 'batch')
      if (batch?.item !== 'batch') throw new Error('no batch')
      reader.cancel()
      seen.push(...(batch.batch.records ?? []).map(placeIn))
      request = after(batch.batch.cursor)
    }
    expect(seen.toSorted()).toEqual([...new Set(seen)].toSorted())
    expect(seen).toHaveLength(501)
  })
})

describe('a cursor that does not fit', () => {
  test('of another epoch is told as a gap in each lane and goes on by time', async () => {
    await using house = await openHouse()
    await appendMany(house, 10)
    const reader = house.client().subscribe(earliest)
    await reader.until(() => reader.count('caughtUp') === 1)
    const cursor = decodeCursor(reader.cursor!, 'cursor')
    await sleep(20)
    await appendMany(house, 5, 'later')
    const foreign = encodeCursor({ ...cursor, epoch: cursor.epoch + 1n, bookmark: { urgent: 900, routine: 3 } })
    const resumed = house.client().subscribe(after(foreign))
    await resumed.until(() => resumed.count('caughtUp') === 1)
    const gaps = resumed.responses.flatMap((response) => (response.item === 'gap' ? [response.gap] : []))
    expect(gaps.map(({ lane, reason }) => [lane, reason])).toEqual([
      [1, GapReason.FOREIGN_EPOCH],
      [2, GapReason.FOREIGN_EPOCH],
    ])
    expect(resumed.error).toBeUndefined()
    // By time: nothing of later is missing, and little of before comes again.
    const devices = devicesIn(resumed.records)
    expect(devices.slice(-5)).toEqual(['later-0', 'later-1', 'later-2', 'later-3', 'later-4'])
    expect(devices.length).toBeLessThanOrEqual(15)
  })

  test('beyond the head is told as a gap of what is not there and goes on with what comes', async () => {
    await using house = await openHouse()
    await appendMany(house, 10)
    const reader = house.client().subscribe(earliest)
    await reader.until(() => reader.count('caughtUp') === 1)
    const cursor = decodeCursor(reader.cursor!, 'cursor')
    const beyond = encodeCursor({ ...cursor, bookmark: { urgent: 0, routine: 4_000 } })
    const resumed = house.client().subscribe(after(beyond))
    await resumed.until(() => resumed.count('caughtUp') === 1)
    const [gap] = resumed.responses
    expect(gap).toMatchObject({ item: 'gap', gap: { lane: 2, reason: GapReason.BEYOND_HEAD } })
    if (gap?.item === 'gap') expect([toNumber(gap.gap.from), toNumber(gap.gap.to)]).toEqual([11, 4_000])
    await house.append(deviceEvent('new'))
    await resumed.until(() => devicesIn(resumed.records).includes('new'))
    expect(resumed.error).toBeUndefined()
  })

  test('behind what retention has left is told what is gone, and goes on with what is there', async () => {
    const classes = { ...logSettingsDefault.retention.classes, standard: { ageMs: 1e12, bytes: 4 << 20 } }
    const log = await openTestLog(undefined, { retention: { ...logSettingsDefault.retention, classes } })
    await using house = await openHouse({ log })
    const texts = [{ description: 'x'.repeat(10_000) }]
    for (let i = 0; i < 15; i++) {
      await house.append(...Array.from({ length: 100 }, (_, at) => deviceEvent(`d-${i}-${at}`, { texts })))
    }
    await log.retain(systemClock.now())
    const { routine: oldest } = log.oldest
    expect(oldest).toBeGreaterThan(100)
    const loggedAt = { urgent: 0n, routine: 0n }
    const cursor = encodeCursor({ epoch: log.epoch, bookmark: { urgent: 0, routine: 10 }, loggedAt, inSnapshot: false })
    const reader = house.client().subscribe(after(cursor))
    await reader.until(() => reader.count('caughtUp') === 1, 15_000)
    const [gap] = reader.responses
    if (gap?.item !== 'gap') throw new Error('no gap')
    expect(gap.gap.reason).toBe(GapReason.RETENTION)
    expect([toNumber(gap.gap.from), toNumber(gap.gap.to)]).toEqual([11, oldest - 1])
    expect(reader.records.map(({ sequence }) => toNumber(sequence))).toEqual(
      Array.from({ length: 1_500 - oldest + 1 }, (_, i) => oldest + i),
    )
  })

  test.each([
    ['empty', new Uint8Array()],
    ['rubbish', Buffer.from('rubbish')],
    ['zeros', new Uint8Array(46)],
  ])('is refused when it is none: %s', async (_name, bytes) => {
    await using house = await openHouse()
    const reader = house.client().subscribe(after(bytes))
    await reader.until(() => reader.error !== undefined)
    expect(reader.error).toMatchObject({ code: 3, details: expect.stringContaining('after_cursor') })
    expect(reader.error?.metadata.get('tocsin-code')).toEqual(['invalid_argument'])
  })
})

describe('while it runs', () => {
  test('an urgent record overtakes the routine backlog of a reader that catches up slowly', async () => {
    await using house = await openHouse()
    const text = 'x'.repeat(4_000)
    for (let i = 0; i < 40; i++) {
      await house.append(
        ...Array.from({ length: 100 }, (_, at) =>
          deviceEvent(`d-${i}-${at}`, { subject: text.slice(0, 250), texts: [{ description: text }] }),
        ),
      )
    }
    const reader = house.client().subscribe({ ...earliest, maxBatchRecords: 10 })
    await reader.until(() => reader.records.length > 0)
    reader.pause()
    await sleep(300)
    await house.append(urgentEvent('evacuate'))
    await sleep(50)
    const readBefore = reader.records.length
    reader.resume()
    await reader.until(() => reader.count('caughtUp') === 1, 15_000)
    const at = reader.records.findIndex(({ lane }) => lane === 1)
    expect(reader.records).toHaveLength(4_001)
    // 16 MB wait. On its way already were two batches, the window of the connection, and 16 messages in the client itself.
    expect(at - readBefore).toBeLessThan(300)
  })

  test('heartbeats tell both heads every two seconds, with a cursor that moves although nothing passes', async () => {
    await using house = await openHouse()
    const reader = house
      .client()
      .subscribe({ ...latest, filter: { devices: ['nobody'] }, heartbeatInterval: seconds(1) })
    await reader.until(() => reader.count('caughtUp') === 1)
    const startedAt = performance.now()
    await appendMany(house, 3)
    await reader.until(() => reader.count('heartbeat') === 2)
    expect(performance.now() - startedAt).toBeGreaterThan(3_000)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    const beat = reader.responses.at(-1)
    if (beat?.item !== 'heartbeat') throw new Error('no heartbeat')
    expect([toNumber(beat.heartbeat.urgentHead), toNumber(beat.heartbeat.routineHead)]).toEqual([0, 3])
    expect(decodeCursor(beat.heartbeat.cursor!, 'cursor').bookmark).toEqual({ urgent: 0, routine: 3 })
  })

  test('batches keep the distance that was asked for, and it ends when its time is over', async () => {
    await using house = await openHouse()
    const interval = duration(200_000_000n)
    const startedAt = performance.now()
    const reader = house.client().subscribe({ ...latest, minBatchInterval: interval, expiresIn: seconds(1.5) })
    await reader.until(() => reader.count('caughtUp') === 1)
    for (let i = 0; i < 60 && !reader.ended; i++) {
      await house.append(deviceEvent(`d-${i}`))
      await sleep(10)
    }
    await reader.until(() => reader.ended)
    expect(reader.count('batch')).toBeGreaterThanOrEqual(3)
    // One at the start and one for each interval that went by, however long the machine made it.
    expect(reader.count('batch')).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 200)
    expect(reader.error).toBeUndefined()
  })

  test('frames as received come beside their records to a reader who asks and may', async () => {
    await using house = await openHouse()
    await house.append(deviceEvent('a'), deviceEvent('b'))
    const reader = house.client().subscribe({ ...earliest, includeRaw: true })
    await reader.until(() => reader.count('caughtUp') === 1)
    const [batch] = reader.responses
    if (batch?.item !== 'batch') throw new Error('no batch')
    expect(batch.batch.frames?.map(({ payload }) => Buffer.from(payload!).toString())).toEqual(['frame of 2'])
    expect(batch.batch.frames?.[0]?.id).toEqual(batch.batch.records?.[0]?.frameId)
  })
})

describe('permissions', () => {
  const withoutPii = ({ labels = 0 }: RecordHeader): boolean => (labels & (1 << Label.PII)) === 0
  const masked: View = {
    key: 'no PII',
    everything: false,
    mayPassWhole: () => false,
    mayRead: withoutPii,
    shown: (record) => (withoutPii(record.header) ? record : undefined),
    mayReadFrame: () => false,
  }

  test('a record that a reader may not see is not sent to it in any part, at any start', async () => {
    await using house = await openHouse({ access: { ...openAccess, view: () => masked } })
    const secret = deviceEvent('secret-device', { handling: { labels: [Label.PII] } })
    await house.append(deviceEvent('open'), secret)
    for (const request of [earliest, current]) {
      const reader = house.client().subscribe({ ...request, includeRaw: true })
      await reader.until(() => reader.count('caughtUp') === 1)
      expect(devicesIn(reader.records)).toEqual(['open'])
      expect(reader.responses.some((response) => response.item === 'batch' && response.batch.frames?.length)).toBe(
        false,
      )
    }
  })

  test('a caller without the right credentials gets a status and no more', async () => {
    await using house = await openHouse({
      access: { ...openAccess, authenticate: async () => ({ refused: 'Send a token.' }) },
    })
    const reader = house.client().subscribe(latest)
    await reader.until(() => reader.error !== undefined)
    expect(reader.error).toMatchObject({ code: 16, details: 'Send a token.' })
    expect(reader.responses).toEqual([])
  })

  test('a principal whose rights are taken away loses its streams', async () => {
    await using house = await openHouse({ access: { ...openAccess, view: () => seesAll } })
    const reader = house.client().subscribe(latest)
    await reader.until(() => reader.count('caughtUp') === 1)
    house.server.cut('grpc:anonymous')
    await reader.until(() => reader.error !== undefined)
    expect(reader.error?.code).toBe(7)
  })
})

test('a filter picks by header among many, for each reader its own', async () => {
  await using house = await openHouse()
  const wanted = house.client().subscribe({ ...latest, filter: { devices: ['tank-1*'] } })
  const urgent = house.client().subscribe({ ...latest, filter: { lanes: [1] } })
  const none = house.client().subscribe({ ...latest, filter: { kinds: [EventKind.ALERT] } })
  const several = house.client().subscribe({ ...latest, filter: { devices: ['tank-150', 'tank-3', 'tank-7'] } })
  for (const reader of [wanted, urgent, none, several]) await reader.until(() => reader.count('caughtUp') === 1)
  await appendMany(house, 200, 'tank')
  await house.append(urgentEvent('one'))
  await wanted.until(() => wanted.records.length === 111)
  await urgent.until(() => urgent.records.length === 1)
  await several.until(() => several.records.length === 3)
  expect(devicesIn(several.records)).toEqual(['tank-3', 'tank-7', 'tank-150'])
  expect(new Set(devicesIn(wanted.records)).size).toBe(111)
  expect(none.records).toEqual([])
})

test('the gateway stops with a word to its readers', async () => {
  await using house = await openHouse()
  const reader = house.client().subscribe(latest)
  await reader.until(() => reader.count('caughtUp') === 1)
  await house.server.close()
  await reader.until(() => reader.error !== undefined)
  expect(reader.error).toMatchObject({ code: 14, details: expect.stringContaining('cursor') })
})
