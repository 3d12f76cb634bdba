// Reading: from memory and from segments, over both classes of a lane, by id and by time; what is removed and what is read again.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { createLog, type LogSettings } from '../gateway/log/create-log.ts'
import { frameEntries, putFrame } from '../gateway/log/frames.ts'
import type { Log, NewFrame, NewRecord } from '../gateway/log/log.ts'
import { currentFactsOf, dedupKeyOf, putHeader } from '../gateway/log/record-header.ts'
import type { EventKind, Frame, MqttEnvelope, RecordHeader } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import { seededRandom } from './faults/fault-disk.ts'
import { readAll, someFrame } from './faults/fault-log.ts'
import { tempFolder } from './tools/temp-folder.ts'

const random = seededRandom(11)
const small: Partial<LogSettings> = { segmentBytes: 64 * 1024, urgentReserveBytes: 0, diskLowBytes: 0 }
const limit = { records: 100, bytes: 1024 * 1024 }

async function open(dataDir: string, settings: Partial<LogSettings> = {}): Promise<Log> {
  const fatal = (error: Error): void => {
    throw error
  }
  return createLog({
    dataDir,
    clock: systemClock,
    alarms: createAlarms(systemClock, () => {}),
    settings: { ...small, ...settings },
    fatal,
  })
}

async function fill(log: Log, count: number): Promise<NewFrame[]> {
  const frames = Array.from({ length: count }, () => someFrame(random, systemClock.now()))
  for (let at = 0; at < count; at += 20) await Promise.all(frames.slice(at, at + 20).map((frame) => log.append(frame)))
  return frames
}

test('segments rotate, the log is the same after it was closed and opened again, and sequences have no holes', async () => {
  const dataDir = tempFolder('log')
  let log = await open(dataDir)
  const frames = await fill(log, 600)
  const total = frames.reduce((sum, { records }) => sum + records.length, 0)
  const [before, head, counts] = [readAll(log), log.head, log.counts]
  expect(before.events.size).toBe(total)
  expect(before.missing).toEqual([])
  expect(head.urgent + head.routine).toBe(total)
  expect(
    readdirSync(join(dataDir, 'log', 'routine-standard')).filter((name) => name.endsWith('.seg')).length,
  ).toBeGreaterThan(2)
  await log.close()
  log = await open(dataDir)
  expect([log.head, log.counts]).toEqual([head, counts])
  expect(readAll(log)).toEqual(before)
  expect(counts.stored + counts.ignored + counts.refused).toBe(frames.length)
  await fill(log, 10)
  expect(readAll(log).missing).toEqual([])
  await log.close()
})

test('records of both classes come in the order of their sequences, whatever the limit', async () => {
  const log = await open(tempFolder('log'), { tailBytesMax: 1000 })
  await fill(log, 300)
  for (const records of [1, 7, 10_000]) {
    let [after, seen] = [0, 0]
    for (
      let slice = log.read('routine', 0, { ...limit, records });
      slice;
      slice = log.read('routine', after, { ...limit, records })
    ) {
      expect(slice.records.map(({ sequence }) => sequence)).toEqual(slice.records.map((_, index) => after + 1 + index))
      expect(slice.records.length).toBeLessThanOrEqual(records)
      after = slice.through
      seen += slice.records.length
    }
    expect(seen).toBe(log.head.routine)
  }
  await log.close()
})

test('a slice is a RecordBatch as it lies on disk, and readers at the same bookmark share it', async () => {
  const log = await open(tempFolder('log'))
  await fill(log, 50)
  const slice = log.read('routine', 0, limit)!
  expect(log.read('routine', 0, limit)).toBe(slice)
  const batch = codec('tocsin.v1.RecordBatch').decode(slice.batch)
  expect(batch.records?.map(({ sequence }) => Number(sequence))).toEqual(slice.records.map(({ sequence }) => sequence))
  expect(batch.records?.map(({ event }) => Buffer.from(event!))).toEqual(
    slice.records.map(({ event }) => Buffer.from(event)),
  )
  expect(batch.marks?.length).toBeGreaterThan(0)
  expect(batch.records?.[0]?.header?.topic).toBe('a/b')
  await log.close()
})

test('an append resolves when the head covers it, and listeners are told once for each commit', async () => {
  const log = await open(tempFolder('log'))
  let told = 0
  const stop = log.onAdvance(() => (told += 1))
  const frames = Array.from({ length: 30 }, () => someFrame(random, systemClock.now(), { lane: 'urgent', records: 1 }))
  const heads = await Promise.all(frames.map((frame) => log.append(frame).then(() => log.head.urgent)))
  expect(heads).toEqual(heads.map(() => 30))
  await Promise.resolve()
  expect(told).toBe(1)
  stop()
  await fill(log, 3)
  expect(told).toBe(1)
  await log.close()
})

test('events and frames are found by their ids, frames newest first, and a bookmark by time', async () => {
  const log = await open(tempFolder('log'))
  const early = await fill(log, 100)
  await new Promise((resolve) => setTimeout(resolve, 5))
  const [position, time] = [log.head, systemClock.now()]
  await new Promise((resolve) => setTimeout(resolve, 5))
  const late = await fill(log, 100)
  expect(log.before(time)).toEqual(position)
  expect(log.before(0n)).toEqual({ urgent: 0, routine: 0 })
  expect(log.before(time * 2n)).toEqual(log.head)
  for (const { frame, records } of [early[3]!, late[50]!, early[99]!]) {
    const found = log.findFrame(frame.id!)!
    expect(Buffer.from(found.payload ?? [])).toEqual(Buffer.from(frame.payload!))
    expect(Buffer.from(found.sha256!).toString('hex')).toBe(
      (await import('node:crypto')).createHash('sha256').update(frame.payload!).digest('hex'),
    )
    expect(found.events ?? 0).toBe(records.length)
    const stored = log.findFrameRecords(frame.id!, systemClock.now())
    expect(stored.map(({ event }) => Buffer.from(event))).toEqual(records.map(({ event }) => Buffer.from(event)))
    for (const { event } of records) expect(log.findEvent(event.subarray(2, 18))?.event).toEqual(event)
  }
  const foreign = someFrame(random, systemClock.now() - 3_600_000_000_000n * 24n)
  await log.append(foreign)
  expect(log.findFrame(foreign.frame.id!)).toBeDefined()
  expect(log.findEvent(foreign.records[0]!.event.subarray(2, 18))).toBeDefined()
  const all = [...early, ...late, foreign].filter(({ frame }) => frame.fate === 1)
  const listed = log.frames({ fate: 'stored', limit: 1000 })
  expect(listed.map(({ id }) => Buffer.from(id!).toString('hex'))).toEqual(
    all.map(({ frame }) => Buffer.from(frame.id!).toString('hex')).toReversed(),
  )
  const page = log.frames({ fate: 'stored', limit: 10, before: listed[4]!.id! })
  expect(page).toEqual(listed.slice(5, 15))
  expect(log.frames({ channel: 'nobody', limit: 10 })).toEqual([])
  await log.close()
})

test('a removed payload is zeros in the record and in the frame, also after a restart', async () => {
  const dataDir = tempFolder('log')
  let log = await open(dataDir)
  const frames = await fill(log, 60)
  const victim = frames.find(({ records }) => records.some(({ lane }) => lane === 'routine'))!
  const record = log.findFrameRecords(victim.frame.id!, systemClock.now()).find(({ lane }) => lane === 'routine')!
  await log.removePayload({ lane: 'routine', sequence: record.sequence })
  for (let round = 0; round < 2; round++) {
    const after = log.read('routine', record.sequence - 1, { records: 1, bytes: 1 })!.records[0]!
    expect(after.removed).toBe(true)
    expect(after.header).toEqual(record.header)
    expect(after.event.every((byte) => byte === 0)).toBe(true)
    expect((log.findFrame(victim.frame.id!)!.payload ?? []).every((byte) => byte === 0)).toBe(true)
    expect(readAll(log).missing).toEqual([])
    await log.close()
    log = await open(dataDir)
  }
  expect(existsSync(join(dataDir, 'log', 'patch'))).toBe(false)
  await log.close()
})

test('a frame of the quarantine keeps what came of reading it again', async () => {
  const dataDir = tempFolder('log')
  let log = await open(dataDir)
  const refused = { ...someFrame(random, systemClock.now(), { records: 0 }) }
  const frame: NewFrame = { frame: { ...refused.frame, fate: 5, why: 'expected *6B', fault: 'checksum' }, records: [] }
  await log.append(frame)
  expect(log.frames({ fate: 'refused', limit: 5 })[0]).toMatchObject({ why: 'expected *6B', fault: 'checksum' })
  await log.markReplayed(frame.frame.id!, 5_000_000_000n, 'stored')
  expect(log.findFrame(frame.frame.id!)).toMatchObject({ replayFate: 1, replayedAt: { seconds: 5 } })
  await log.close()
  log = await open(dataDir)
  expect(log.frames({ fate: 'refused', limit: 5 })[0]).toMatchObject({ replayFate: 1 })
  expect(log.counts.refused).toBe(1)
  await log.close()
})

test('what retention removes is said to readers, and what is left is whole', async () => {
  const limits = { ageMs: 3_600_000, bytes: 1e9 }
  const classes = { standard: { ...limits, bytes: 1 }, record: limits, frames: limits, refused: limits }
  const dataDir = tempFolder('log')
  let log = await open(dataDir, { retention: { classes, holdMs: 1000 } })
  await fill(log, 500)
  const removed = await log.retain(systemClock.now())
  expect(removed.map(({ series }) => series)).toContain('routine-standard')
  const { missing } = readAll(log)
  expect(new Set(missing.map(({ reason }) => reason))).toEqual(new Set(['retention']))
  expect(log.oldest.routine).toBeGreaterThan(0)
  const counts = log.counts
  await log.close()
  log = await open(dataDir)
  expect(log.counts).toEqual(counts)
  expect(readAll(log).missing).toEqual(missing)
  await log.close()
})

test('current gives the last record of each subject, also after a restart', async () => {
  const dataDir = tempFolder('log')
  let log = await open(dataDir)
  await fill(log, 100)
  const before = log.current().map(({ lane, sequence }) => `${lane} ${sequence}`)
  expect(before.length).toBeGreaterThan(20)
  await log.close()
  log = await open(dataDir)
  expect(log.current().map(({ lane, sequence }) => `${lane} ${sequence}`)).toEqual(before)
  await log.close()
})

test('the second gateway on a folder is refused', async () => {
  const dataDir = tempFolder('log')
  const log = await open(dataDir)
  await expect(open(dataDir)).rejects.toMatchObject({ code: 'folder_in_use' })
  await log.close()
  await (await open(dataDir)).close()
})

test('headers and frames written by hand are what the generic encoder writes', () => {
  const headers: RecordHeader[] = [
    {},
    { kind: 2, messageStatus: 1, subject: 'ö'.repeat(120), resendKey: Buffer.alloc(16) },
    {
      kind: 3,
      messageStatus: 1,
      subject: 'urn:x:ä',
      jurisdiction: 'us',
      owner: 'x'.repeat(300),
      severity: 4,
      labels: 0xffffffff,
    },
    {
      cell: 617700169958293504,
      sender: 's',
      topic: 'ü/'.repeat(60),
      qos: 2,
      retain: true,
      expiresAtNs: 1.7e18,
      hasArea: true,
      fieldLabels: 0xffffffff,
      lawEnforcementPlace: true,
    },
    {
      properties: [{ name: 'a', value: 'b'.repeat(200) }, { name: 'ö' }, {}],
      resendKey: Buffer.alloc(16, 7),
      dedupKey: Buffer.alloc(64, 9),
      device: 'd',
      adapter: 'senml',
    },
  ]
  for (const header of headers) {
    const target = { bytes: Buffer.alloc(8192), at: 0 }
    putHeader(target, header)
    const bytes = target.bytes.subarray(0, target.at)
    expect(bytes).toEqual(Buffer.from(codec('tocsin.v1.RecordHeader').encode(header)))
    const { kind = 0, messageStatus = 0, subject = '' } = header
    expect(currentFactsOf(bytes)).toEqual({ kind, status: messageStatus, subject })
    expect(dedupKeyOf(bytes)).toEqual(header.dedupKey)
  }
  const frame: Frame = {
    id: Buffer.alloc(16, 1),
    receivedAt: timestamp(1_790_000_000_123_456_789n),
    adapter: 'a',
    channel: 'c/ä',
    sender: 's',
    contentType: 't',
    properties: [{ name: 'n', value: 'v' }],
    payload: Buffer.alloc(1000, 5),
    warnings: ['one', 'two'],
    fate: 5,
    why: 'w',
    fault: 'f',
    labels: 6,
    resendKey: Buffer.alloc(16, 2),
    authenticity: 1,
  }
  const envelopes: MqttEnvelope[] = [
    {},
    { qos: 1, retain: true, clientId: 'gauge-7' },
    {
      qos: 2,
      clientId: 'ü'.repeat(60),
      correlationData: Buffer.alloc(0),
      messageExpirySeconds: 0,
      payloadFormatIndicator: 0,
    },
    {
      responseTopic: 'ä/'.repeat(9000),
      correlationData: Buffer.alloc(40_000, 3),
      messageExpirySeconds: 4294967295,
      payloadFormatIndicator: 1,
    },
  ]
  const generic = codec('tocsin.v1.Frame')
  const record = (lane: NewRecord['lane'], kind: EventKind): NewRecord => {
    return { lane, retention: 'standard', header: { kind }, event: new Uint8Array() }
  }
  const [urgent, routine, observation, alarm] = [1, 2, 1, 8] as const
  const calm = Array.from({ length: 300 }, () => record('routine', observation))
  const cases: [Frame, number, readonly NewRecord[], Frame][] = [
    [frame, 0, [], {}],
    [{}, 7, calm, { events: 300, lane: routine, kind: observation }],
    [frame, 8, [...calm, record('urgent', alarm)], { events: 301, lane: urgent }],
    [frame, 9, [record('urgent', alarm)], { events: 1, lane: urgent, kind: alarm }],
    ...envelopes.map((mqtt, index): (typeof cases)[number] => [{ ...frame, mqtt }, 2 ** (13 * (index + 1)), [], {}]),
  ]
  for (const [given, number, records, further] of cases) {
    const target = { bytes: Buffer.alloc(64), at: 0 }
    const whole = { id: frame.id!, ...given }
    putFrame(target, whole, records, number)
    const encoded = target.bytes.subarray(5, target.at)
    const decoded = generic.decode(encoded)
    const { sha256 = Buffer.alloc(0) } = decoded
    expect(generic.toJson(decoded)).toEqual(generic.toJson({ ...whole, ...further, number, sha256 }))
    const [entry] = frameEntries(target.bytes.subarray(0, target.at))
    expect([entry!.number, entry!.bytes]).toEqual([number, encoded])
  }
})
