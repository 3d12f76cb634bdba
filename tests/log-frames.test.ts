// Frames as a series of their own: numbered in the order in which they were appended, told to those who follow them, and read by
// number. A number that somebody was told of stands for the same frame for ever.

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup, restore } from '../gateway/log/backup.ts'
import { createCommitWriter } from '../gateway/log/commit-writer.ts'
import { putFrame } from '../gateway/log/frames.ts'
import type { AppendedFrame, FrameLimit, Log, NewFrame } from '../gateway/log/log.ts'
import { recover } from '../gateway/log/recovery.ts'
import { Fate } from '../proto/generated/types.ts'
import type { Frame } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { codec } from '../proto/wire.ts'
import { createFaultDisk, diskError, type FaultDisk, type Random, seededRandom } from './faults/fault-disk.ts'
import { faultFolder, openOn, someFrame, testClock } from './faults/fault-log.ts'
import { openTestLog } from './grpc-log.ts'
import { tempFolder } from './tools/temp-folder.ts'

const some: FrameLimit = { frames: 7, bytes: 3000 }
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

/** A third gives no record, and half of those are refused; a quarter is of MQTT. */
function newFrame(random: Random, now: bigint): NewFrame {
  const made = someFrame(random, now, random() < 0.33 ? { records: 0 } : {})
  if (random() < 0.75) return made
  const mqtt = { qos: 1, ...(random() < 0.5 && { retain: true }), clientId: `c${Math.floor(random() * 9)}` }
  return { ...made, frame: { ...made.frame, mqtt } }
}

/** What tells one frame from another, whoever gives it. */
const said = (number: number, { id, fate, payload, mqtt }: Frame): string =>
  `${number} ${hex(id)} ${fate} ${hex(payload)} ${JSON.stringify(mqtt)}`

interface Followed {
  /** By number: what was told. */
  readonly told: Map<number, string>
  readonly wrong: string[]
}

/** Keeps what listeners are told, and what is wrong with it. */
function follow(log: Log, { told, wrong }: Followed): void {
  let last = log.frameHead
  log.onFrames((frames) => {
    for (const { number, frame } of frames) {
      if (number !== last + 1) wrong.push(`${number} comes after ${last}`)
      if (told.has(number)) wrong.push(`${number} is told twice`)
      told.set(number, said(number, frame))
      last = number
    }
    if (log.frameHead !== last) wrong.push(`the head is ${log.frameHead} when ${last} is told`)
  })
}

function readAll(log: Log, limit: FrameLimit, after = 0): { read: Map<number, string>; wrong: string[] } {
  const [read, wrong]: [Map<number, string>, string[]] = [new Map(), []]
  let through = after
  for (let slice = log.readFrames(after, limit); slice; slice = log.readFrames(through, limit)) {
    if (slice.through <= through) throw new Error(`it does not go on after ${through}`)
    if (slice.frames.length > limit.frames) wrong.push(`${slice.frames.length} at once`)
    const sizes = slice.frames.map(({ frame }) => codec('tocsin.v1.Frame').encode(frame).length)
    if (sizes.length > 1 && sizes.reduce((sum, size) => sum + size, 0) > limit.bytes)
      wrong.push('too many bytes at once')
    for (const { number, frame } of slice.frames) {
      if (number <= through || number > slice.through)
        wrong.push(`${number} is between ${through} and ${slice.through}`)
      if (toNumber(frame.number) !== number) wrong.push(`${number} says that it is ${toNumber(frame.number)}`)
      read.set(number, said(number, frame))
      through = number
    }
    through = slice.through
  }
  if (through !== Math.max(after, log.frameHead)) wrong.push(`it ends at ${through}, not at ${log.frameHead}`)
  return { read, wrong }
}

test('frames of both series are numbered as they came, told before they are acknowledged, and read back the same', async () => {
  const [disk, dataDir, clock, random] = [createFaultDisk(seededRandom(1)), faultFolder(), testClock(), seededRandom(2)]
  let { log } = await openOn(disk, dataDir, clock)
  expect([log.frameHead, log.readFrames(0, some), log.readFrame(1)]).toEqual([0, undefined, undefined])
  const followed: Followed = { told: new Map(), wrong: [] }
  follow(log, followed)
  const objects: AppendedFrame[] = []
  const stop = log.onFrames((frames) => objects.push(...frames))
  const sent = Array.from({ length: 400 }, () => newFrame(random, clock.now()))
  for (let at = 0; at < sent.length; at += 25) {
    const appended = await Promise.all(
      sent.slice(at, at + 25).map((frame) =>
        log.append(frame).then((one) => {
          const number = one.fate === 'stored' ? one.number : 0
          expect(followed.told.has(number)).toBe(true)
          return number
        }),
      ),
    )
    expect(appended).toEqual(appended.map((_, index) => at + index + 1))
  }
  stop()
  // The objects that were appended, not copies of them.
  objects.forEach(({ frame, records, number, loggedAt }, index) => {
    expect(frame).toBe(sent[index]!.frame)
    expect(records).toBe(sent[index]!.records)
    expect(number).toBe(index + 1)
    expect(loggedAt).toBeGreaterThan(1_790_000_000_000_000_000n)
  })
  expect(log.frameHead).toBe(400)
  await log.append(newFrame(random, clock.now()))
  expect([objects.length, followed.told.size]).toEqual([400, 401])
  const refused = sent.flatMap(({ frame }, index) => (frame.fate === Fate.REFUSED ? [index + 1] : []))
  expect(refused.length).toBeGreaterThan(20)

  for (let round = 0; round < 2; round++) {
    for (const limit of [some, { frames: 1, bytes: 1 }, { frames: 1000, bytes: 1e9 }]) {
      expect(readAll(log, limit)).toEqual({ read: followed.told, wrong: [] })
    }
    const late = readAll(log, some, 333)
    expect([...late.read.keys()]).toEqual(Array.from({ length: 68 }, (_, index) => 334 + index))
    for (const number of [1, 2, 401, 200, ...refused, 199]) {
      expect(said(number, log.readFrame(number)!)).toBe(followed.told.get(number))
    }
    expect([log.readFrame(0), log.readFrame(402), log.readFrames(401, some)]).toEqual([undefined, undefined, undefined])
    await log.close()
    ;({ log } = await openOn(disk, dataDir, clock))
    expect(log.frameHead).toBe(401)
  }
  expect(followed.wrong).toEqual([])
  expect(await log.append(newFrame(random, clock.now()))).toMatchObject({ number: 402 })
  await log.close()
})

test('a duplicate has no number and is not told', async () => {
  const [clock, random] = [testClock(), seededRandom(3)]
  const { log } = await openOn(createFaultDisk(random), faultFolder(), clock)
  const made = someFrame(random, clock.now(), { records: 1 })
  const header = { ...made.records[0]!.header, dedupKey: Buffer.from('once') }
  const frame: NewFrame = { ...made, records: [{ ...made.records[0]!, header }] }
  const numbers: number[] = []
  log.onFrames((frames) => numbers.push(...frames.map(({ number }) => number)))
  expect(await log.append(frame)).toMatchObject({ fate: 'stored', number: 1 })
  expect(await log.append(frame)).toEqual({ fate: 'duplicate' })
  expect(await log.append(newFrame(random, clock.now()))).toMatchObject({ number: 2 })
  expect(numbers).toEqual([1, 2])
  await log.close()
})

const seeds = 60

test(`${seeds} lives with a disk that refuses and power that goes: a number that was told never stands for another frame`, async () => {
  for (let seed = 1; seed <= seeds; seed++) expect(await liveAndDie(seed), `seed ${seed}`).toEqual([])
}, 60_000)

async function liveAndDie(seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  const disk = createFaultDisk(random)
  const [dataDir, clock] = [faultFolder(), testClock()]
  const followed: Followed = { told: new Map(), wrong: [] }
  const { told, wrong } = followed
  for (let life = 0; life < 3; life++) {
    disk.losePowerAt = disk.calls + 20 + Math.floor(random() * 300)
    disk.shortWrites = random() < 0.5 ? 0.2 : 0
    const refusing = random() < 0.7 ? 0.08 : 0
    try {
      const { log } = await openOn(disk, dataDir, clock)
      disk.fault = (call) => (call !== 'unlink' && random() < refusing ? diskError('EIO') : undefined)
      follow(log, followed)
      await load(log, disk, random, clock.now, followed)
      await log.close()
    } catch (error) {
      if ((error as { code?: string }).code !== 'EIO') throw error
    }
    disk.fault = undefined
    disk.restart()
    const { log } = await openOn(disk, dataDir, clock)
    const { read, wrong: misread } = readAll(log, some)
    wrong.push(...misread)
    for (const [number, was] of told)
      if (read.get(number) !== was) wrong.push(`${number} was ${was}, is ${read.get(number)}`)
    // What is there beside it was cut off before anybody was told: it comes after all that was told before.
    const lastTold = Math.max(0, ...told.keys())
    for (const [number, is] of read) {
      if (told.has(number)) continue
      if (number < lastTold) wrong.push(`${number} was never told, and ${lastTold} was`)
      told.set(number, is)
    }
    await log.close()
  }
  return wrong
}

async function load(
  log: Log,
  disk: FaultDisk,
  random: Random,
  now: () => bigint,
  { told, wrong }: Followed,
): Promise<void> {
  const senders = Array.from({ length: 1 + Math.floor(random() * 6) }, async () => {
    while (disk.calls < disk.losePowerAt) {
      const frame = newFrame(random, now())
      try {
        const appended = await log.append(frame)
        if (appended.fate !== 'stored') continue
        const is = told.get(appended.number)
        if (is !== said(appended.number, frame.frame)) wrong.push(`${appended.number} is acknowledged, ${is} was told`)
      } catch {
        if (random() < 0.1) return
      }
      for (let turns = Math.floor(random() * 3); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve))
    }
  })
  await Promise.all(senders)
}

const isFrames = (path: string): boolean => /\/(frames|refused)\/\d+\.seg$/.test(path)

async function filled(seed: number, count: number) {
  const [random, clock, dataDir] = [seededRandom(seed), testClock(), faultFolder()]
  const disk = createFaultDisk(random)
  const opened = await openOn(disk, dataDir, clock)
  const followed: Followed = { told: new Map(), wrong: [] }
  follow(opened.log, followed)
  for (let at = 0; at < count; at += 10)
    await Promise.all(Array.from({ length: 10 }, () => opened.log.append(newFrame(random, clock.now()))))
  return { ...opened, random, clock, dataDir, disk, told: followed.told }
}

test('a flipped bit costs the block that it is in, is told, and the numbers after it are read (30 seeds)', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { log, dataDir, disk, clock, random, told } = await filled(seed, 120)
    await log.close()
    const paths = disk.files().filter(isFrames)
    const path = paths[Math.floor(random() * paths.length)]!
    disk.flipBit(path, (4096 + Math.floor(random() * (disk.bytesOf(path).length - 4096))) * 8 + 3)
    const again = await openOn(disk, dataDir, clock)
    expect(again.log.frameHead, `seed ${seed}`).toBe(120)
    const { read, wrong } = readAll(again.log, some)
    const lost = [...told.keys()].filter((number) => !read.has(number))
    expect([lost.length > 0, lost.length <= 10, wrong], `seed ${seed}`).toEqual([true, true, []])
    for (const [number, is] of read) expect(is).toBe(told.get(number))
    for (const number of lost) expect(again.log.readFrame(number)).toBeUndefined()
    expect(again.said.filter((text) => text.startsWith('record_damaged'))).toHaveLength(1)
    await again.log.close()
  }
})

test('numbers that stood in a damaged end are not given again, whoever starts how often', async () => {
  const { log, dataDir, disk, clock, random } = await filled(77, 50)
  // Killed: nothing is sealed.
  disk.losePowerAt = disk.calls
  await log.close()
  disk.restart()
  const path = disk.files().findLast((name) => /\/frames\/\d+\.seg$/.test(name))!
  disk.flipBit(path, (disk.bytesOf(path).lastIndexOf('TFRB') + 80) * 8)
  let head = 0
  for (let start = 0; start < 3; start++) {
    const again = await openOn(disk, dataDir, clock)
    expect(again.log.frameHead).toBeGreaterThan(50)
    if (start > 0) expect(again.log.frameHead).toBe(head)
    head = again.log.frameHead
    if (start === 2) {
      expect(await again.log.append(newFrame(random, clock.now()))).toMatchObject({ number: head + 1 })
      const { read, wrong } = readAll(again.log, some)
      expect(wrong).toEqual([])
      expect(read.size).toBeGreaterThan(35)
      expect(again.log.readFrames(head, some)).toMatchObject({ frames: [{ number: head + 1 }], through: head + 1 })
    }
    await again.log.close()
  }
})

test('a frame whose payload was removed is stepped over; zeros that were sent are given', async () => {
  const [clock, random] = [testClock(), seededRandom(5)]
  const { log } = await openOn(createFaultDisk(random), faultFolder(), clock)
  const made = Array.from({ length: 3 }, (_, index): NewFrame => {
    const { frame, records } = someFrame(random, clock.now(), { records: 1, lane: 'routine' })
    return { frame: { ...frame, payload: index === 2 ? Buffer.alloc(64) : Buffer.from('secret') }, records }
  })
  await Promise.all(made.map((frame) => log.append(frame)))
  expect(log.readFrame(2)?.payload).toEqual(Buffer.from('secret'))
  await log.removePayload({ lane: 'routine', sequence: 2 })
  expect(log.readFrames(0, { frames: 10, bytes: 1e6 })?.frames.map(({ number }) => number)).toEqual([1, 3])
  expect(log.readFrames(1, { frames: 1, bytes: 1 })).toEqual({ frames: [], through: 2 })
  expect(log.readFrame(2)).toBeUndefined()
  expect(log.readFrame(3)?.payload).toEqual(Buffer.alloc(64))
  await log.close()
})

test('frames that retention removed are gone, what is left is read, and the numbers go on after a start', async () => {
  const [clock, random, dataDir] = [testClock(), seededRandom(6), faultFolder()]
  const disk = createFaultDisk(random)
  const limits = { ageMs: 1e9, bytes: 1e9 }
  const classes = { standard: limits, record: limits, frames: { ...limits, bytes: 1 }, refused: limits }
  const settings = { segmentBytes: 8 * 1024, retention: { classes, holdMs: 0 } }
  let { log } = await openOn(disk, dataDir, clock, settings)
  const sent = Array.from({ length: 200 }, () => newFrame(random, clock.now()))
  for (const frame of sent) await log.append(frame)
  const before = readAll(log, some).read
  expect(before.size).toBe(200)
  expect((await log.retain(clock.now())).map(({ series }) => series)).toEqual(['frames'])
  for (let round = 0; round < 2; round++) {
    const { read, wrong } = readAll(log, some)
    expect(wrong).toEqual([])
    const refused = sent.flatMap(({ frame }, index) => (frame.fate === Fate.REFUSED ? [index + 1] : []))
    expect(read.size).toBeLessThan(100)
    expect([...read.keys()]).toEqual(expect.arrayContaining(refused))
    for (const [number, is] of read) expect(is).toBe(before.get(number))
    const gone = [...before.keys()].filter((number) => !read.has(number))
    expect(gone.every((number) => log.readFrame(number) === undefined)).toBe(true)
    await log.close()
    ;({ log } = await openOn(disk, dataDir, clock, settings))
    expect(log.frameHead).toBe(200)
  }
  expect(await log.append(newFrame(random, clock.now()))).toMatchObject({ number: 201 })
  await log.close()
})

test('frames that an older gateway wrote in between have no number, and those around them are read', async () => {
  const { log, dataDir, disk, clock, random, told } = await filled(9, 100)
  await log.close()
  const folder = join(dataDir, 'log')
  const { lastCommit, next: series } = recover(disk, folder)
  const kept = { urgentReserveBytes: 0, diskLowBytes: 0, abandoned: [] }
  const writer = createCommitWriter(disk, { folder, epoch: '1', segmentBytes: 4096, series, ...kept }, () => 0)
  for (let commit = lastCommit + 1; commit < lastCommit + 5; commit++) {
    const target = { bytes: Buffer.alloc(4096), at: 0 }
    const { frame } = newFrame(random, clock.now())
    putFrame(target, frame, [], 0)
    const part = { bytes: target.bytes, length: target.at, runs: [], loggedAtMs: 1_790_000_000_000 }
    const parts = [
      { ...part, series: 4 },
      { ...part, series: 5, bytes: Buffer.from(target.bytes) },
    ]
    expect((await writer.write({ commit, urgent: false, parts })).failed).toBeUndefined()
  }
  await writer.close()
  const again = await openOn(disk, dataDir, clock)
  expect(again.log.frameHead).toBe(100)
  const added = await Promise.all(Array.from({ length: 30 }, () => again.log.append(newFrame(random, clock.now()))))
  expect(added.map((one) => one.fate === 'stored' && one.number)).toEqual(added.map((_, index) => 101 + index))
  const { read, wrong } = readAll(again.log, some)
  expect([wrong, [...read.keys()]]).toEqual([[], Array.from({ length: 130 }, (_, index) => index + 1)])
  for (const [number, was] of told) expect(said(number, again.log.readFrame(number)!)).toBe(was)
  expect(again.said).toEqual([])
  await again.log.close()
})

test('numbers go on in a log that was restored from a backup', async () => {
  const random = seededRandom(8)
  const [from, target, to] = [tempFolder('frames'), tempFolder('frames'), join(tempFolder('frames'), 'data')]
  const log = await openTestLog(from)
  for (let count = 0; count < 60; count++) await log.append(newFrame(random, BigInt(Date.now()) * 1_000_000n))
  const before = readAll(log, some)
  // While it runs: nothing of it is sealed.
  await backup({ dataDir: from, target, gatewayVersion: '0', madeAt: 1n })
  await log.close()
  await restore({ source: target, dataDir: to })
  const restored = await openTestLog(to)
  expect(restored.frameHead).toBe(60)
  expect(readAll(restored, some)).toEqual(before)
  expect(await restored.append(newFrame(random, BigInt(Date.now()) * 1_000_000n))).toMatchObject({ number: 61 })
  await restored.close()
})
