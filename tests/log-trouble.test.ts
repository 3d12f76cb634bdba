// A disk that fails, and one that is full: nothing that was acknowledged is lost, whoever sends is told, urgent goes on, and all
// is well again when the disk is.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { NewFrame } from '../gateway/log/log.ts'
import { createFaultDisk, diskError, seededRandom } from './faults/fault-disk.ts'
import { type Acknowledged, faultFolder, faults, openOn, readAll, someFrame, testClock } from './faults/fault-log.ts'

const seeds = 60
const probeMs = 200

function bench(seed: number) {
  const random = seededRandom(seed)
  const disk = createFaultDisk(random)
  const [dataDir, clock] = [faultFolder(), testClock()]
  const acknowledged: Acknowledged[] = []
  const sent: NewFrame[] = []
  return {
    random,
    disk,
    dataDir,
    clock,
    acknowledged,
    sent,
    open: (settings = {}) => openOn(disk, dataDir, clock, settings),
  }
}

test(`failing writes, syncs and renames lose and double nothing (${seeds} seeds)`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { random, disk, clock, acknowledged, sent, open } = bench(seed)
    disk.shortWrites = 0.1
    const rate = random() * 0.1
    let { log } = await open()
    disk.fault = () => (random() < rate ? diskError('EIO') : undefined)
    for (let round = 0; round < 30; round++) {
      const frames = Array.from({ length: 1 + Math.floor(random() * 4) }, () => someFrame(random, clock.now()))
      sent.push(...frames)
      const settled = await Promise.allSettled(frames.map((frame) => log.append(frame)))
      settled.forEach((one, index) => {
        if (one.status === 'fulfilled') acknowledged.push({ frame: frames[index]!, appended: one.value })
        else expect(one.reason.code, `seed ${seed}`).toBe('log_failed')
      })
      expect(faults(log, acknowledged, sent), `seed ${seed} round ${round}`).toEqual([])
    }
    const powerIsLost = random() < 0.5
    if (powerIsLost) disk.losePowerAt = disk.calls
    await log.close()
    disk.fault = undefined
    if (powerIsLost) disk.restart()
    ;({ log } = await open())
    expect(faults(log, acknowledged, sent), `seed ${seed} reopened`).toEqual([])
    expect(readAll(log).missing, `seed ${seed}`).toEqual([])
    await log.close()
  }
}, 60_000)

test('one failing sync is made good by writing elsewhere: the sender notices nothing', async () => {
  const { random, disk, clock, open } = bench(1)
  const { log, alarms } = await open()
  const first = await log.append(someFrame(random, clock.now(), { records: 2, lane: 'routine' }))
  let failures = 1
  disk.fault = (call) => (call === 'sync' && failures-- > 0 ? diskError('EIO') : undefined)
  const second = await log.append(someFrame(random, clock.now(), { records: 2, lane: 'routine' }))
  expect([first, second].map((one) => one.fate === 'stored' && one.places.map(({ sequence }) => sequence))).toEqual([
    [1, 2],
    [3, 4],
  ])
  expect(alarms.list()).toEqual([])
  expect(readAll(log).missing).toEqual([])
  await log.close()
})

test('a disk that fails for a while refuses at once, raises an alarm, and is used again when it works', async () => {
  const { random, disk, clock, acknowledged, sent, open } = bench(2)
  const { log, alarms } = await open()
  await log.append(someFrame(random, clock.now()))
  disk.fault = (call) => (call === 'sync' ? diskError('EIO') : undefined)
  const frame = someFrame(random, clock.now(), { records: 3 })
  await expect(log.append(frame)).rejects.toMatchObject({ code: 'log_failed' })
  expect(alarms.list().map(({ code }) => code)).toEqual(['disk_failed'])
  const calls = disk.calls
  await expect(log.append(frame)).rejects.toMatchObject({ code: 'log_failed' })
  expect(disk.calls).toBe(calls)
  disk.fault = undefined
  await sleep(probeMs + 20)
  acknowledged.push({ frame, appended: await log.append(frame) })
  expect(alarms.list()).toEqual([])
  expect(faults(log, acknowledged, sent)).toEqual([])
  expect(readAll(log).missing).toEqual([])
  await log.close()
})

test('who is turned away in a turn is not overtaken in it by what comes behind, although the disk is tried again by then', async () => {
  const { random, disk, clock, open } = bench(4)
  const { log } = await open()
  disk.fault = (call) => (call === 'sync' ? diskError('EIO') : undefined)
  const next = () => someFrame(random, clock.now(), { records: 1, lane: 'routine' })
  await expect(log.append(next())).rejects.toMatchObject({ code: 'log_failed' })
  disk.fault = undefined
  const began = performance.now()
  const time = vi.spyOn(performance, 'now').mockReturnValue(began + 1)
  const first = log.append(next())
  time.mockReturnValue(began + probeMs + 1)
  const behind = log.append(next())
  time.mockRestore()
  expect(await Promise.allSettled([first, behind])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  await sleep(probeMs + 20)
  expect(await log.append(next())).toMatchObject({ fate: 'stored' })
  await log.close()
})

test('on a full disk routine is refused within a second and urgent goes on in its reserve', async () => {
  const { random, disk, clock, acknowledged, sent, open } = bench(3)
  const segmentBytes = 64 * 1024
  const { log, alarms } = await open({ segmentBytes, urgentReserveBytes: 8 * segmentBytes })
  const size = { records: 1, eventBytes: 4000 }
  for (let round = 0; round < 4; round++) await log.append(someFrame(random, clock.now(), { ...size, lane: 'urgent' }))
  disk.capacityBytes = disk.files().reduce((sum, file) => sum + disk.bytesOf(file).length, 0) + 10_000
  let refusedAfterMs = Infinity
  for (let round = 0; round < 20 && refusedAfterMs === Infinity; round++) {
    const began = performance.now()
    const frame = someFrame(random, clock.now(), { ...size, lane: 'routine' })
    await log.append(frame).then(
      (appended) => acknowledged.push({ frame, appended }),
      (error) => {
        expect(error.code).toBe('log_full')
        refusedAfterMs = performance.now() - began
      },
    )
  }
  expect(refusedAfterMs).toBeLessThan(1000)
  expect(alarms.list().map(({ code }) => code)).toContain('disk_full')
  for (let round = 0; round < 30; round++) {
    const frame = someFrame(random, clock.now(), { ...size, lane: 'urgent' })
    acknowledged.push({ frame, appended: await log.append(frame) })
  }
  await expect(log.append(someFrame(random, clock.now(), { lane: 'routine', records: 1 }))).rejects.toMatchObject({
    code: 'log_full',
  })
  disk.capacityBytes = Infinity
  await sleep(probeMs + 20)
  const frame = someFrame(random, clock.now(), { ...size, lane: 'routine' })
  acknowledged.push({ frame, appended: await log.append(frame) })
  expect(alarms.list()).toEqual([])
  expect(faults(log, acknowledged, sent)).toEqual([])
  expect(readAll(log).missing).toEqual([])
  await log.close()
  const again = await open()
  expect(faults(again.log, acknowledged, sent)).toEqual([])
  await again.log.close()
})

test('below the low-water mark routine waits outside, urgent does not', async () => {
  const { random, disk, clock, open } = bench(4)
  disk.capacityBytes = 4 * 1024 * 1024
  const { log } = await open({ diskLowBytes: 8 * 1024 * 1024 })
  await expect(log.append(someFrame(random, clock.now(), { lane: 'routine', records: 1 }))).rejects.toMatchObject({
    code: 'log_full',
  })
  await log.append(someFrame(random, clock.now(), { lane: 'urgent', records: 1 }))
  expect(log.head).toEqual({ urgent: 1, routine: 0 })
  disk.capacityBytes = 40 * 1024 * 1024
  await sleep(2 * probeMs)
  await log.append(someFrame(random, clock.now(), { lane: 'routine', records: 1 }))
  expect(log.head).toEqual({ urgent: 1, routine: 1 })
  await log.close()
})

test('what is on its way is bounded: above the limit a frame is refused as overload', async () => {
  const { random, clock, open } = bench(5)
  const { log } = await open({ pendingBytesMax: 50_000 })
  const frames = Array.from({ length: 40 }, () => someFrame(random, clock.now(), { records: 1, eventBytes: 4000 }))
  const settled = await Promise.allSettled(frames.map((frame) => log.append(frame)))
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
  expect(new Set(refused)).toEqual(new Set(['overloaded']))
  expect(refused.length).toBeGreaterThan(20)
  expect(log.head.urgent + log.head.routine).toBe(frames.length - refused.length)
  await log.close()
})

test('a duplicate of what is on its way is answered when that is on disk, and is stored itself when that fails', async () => {
  const { random, disk, clock, open } = bench(6)
  const { log } = await open()
  const withKey = (): NewFrame => {
    const frame = someFrame(random, clock.now(), { records: 1, lane: 'routine' })
    const [record] = frame.records
    return { ...frame, records: [{ ...record!, header: { ...record!.header, dedupKey: Buffer.from('cap:1') } }] }
  }
  const fates = await Promise.all([withKey(), withKey(), withKey()].map((frame) => log.append(frame)))
  expect(fates.map(({ fate }) => fate)).toEqual(['stored', 'duplicate', 'duplicate'])
  expect((await log.append(withKey())).fate).toBe('duplicate')
  await log.close()
  const again = await open()
  expect((await again.log.append(withKey())).fate).toBe('duplicate')
  expect(again.log.counts.records.routine).toBe(1)
  disk.fault = (call) => (call === 'sync' ? diskError('EIO') : undefined)
  const other = withKey()
  const renamed = {
    ...other,
    records: [{ ...other.records[0]!, header: { ...other.records[0]!.header, dedupKey: Buffer.from('cap:2') } }],
  }
  const settled = await Promise.allSettled([again.log.append(renamed), again.log.append(renamed)])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  disk.fault = undefined
  await sleep(probeMs + 20)
  expect((await again.log.append(renamed)).fate).toBe('stored')
  expect(again.log.counts.records.routine).toBe(2)
  await again.log.close()
})
