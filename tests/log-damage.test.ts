// One flipped bit, anywhere in the records of a log, costs at most the record that it is in, and is reported.

import { expect, test } from 'vitest'
import { createFaultDisk, seededRandom } from './faults/fault-disk.ts'
import { type Acknowledged, faultFolder, openOn, readAll, someFrame, testClock } from './faults/fault-log.ts'

const seeds = 150
const segmentHeaderBytes = 4096
const markBytes = 40

/** A log with some records; sealed, or left as a crash leaves it. */
async function filled(seed: number, isClosed: boolean) {
  const random = seededRandom(seed)
  const disk = createFaultDisk(random)
  const [dataDir, clock] = [faultFolder(), testClock()]
  const { log } = await openOn(disk, dataDir, clock)
  const acknowledged: Acknowledged[] = []
  for (let round = 0; round < 8; round++) {
    const frames = Array.from({ length: 1 + Math.floor(random() * 5) }, () => someFrame(random, clock.now()))
    const appended = await Promise.all(frames.map((frame) => log.append(frame)))
    appended.forEach((one, index) => acknowledged.push({ frame: frames[index]!, appended: one }))
  }
  if (!isClosed) disk.losePowerAt = disk.calls
  await log.close()
  disk.restart()
  return { disk, dataDir, clock, random, acknowledged, open: () => openOn(disk, dataDir, clock) }
}

const recordFiles = (files: readonly string[]): string[] =>
  files.filter((file) => file.endsWith('.seg') && /(urgent|routine)-/.test(file))

test(`a flipped bit in what a crash left costs one record and is reported (${seeds} seeds)`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { disk, random, acknowledged, open } = await filled(seed, false)
    const files = recordFiles(disk.files())
    const file = files[Math.floor(random() * files.length)]!
    const used = disk.bytesOf(file).length
    const bit = segmentHeaderBytes * 8 + Math.floor(random() * (used - segmentHeaderBytes) * 8)
    disk.flipBit(file, bit)
    const { log, said } = await open()
    expect(lost(log, acknowledged), `seed ${seed} ${file} bit ${bit}`).toBeLessThanOrEqual(1)
    expect(said.join(), `seed ${seed}`).toContain('record_damaged')
    expect(reported(log), `seed ${seed}`).toBe(lost(log, acknowledged))
    await log.close()
  }
}, 60_000)

test('a bit that flips later, in a sealed segment, is found when it is read', async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const { disk, random, acknowledged, open } = await filled(seed, true)
    const files = recordFiles(disk.files())
    const file = files[Math.floor(random() * files.length)]!
    const bit = segmentHeaderBytes * 8 + Math.floor(random() * (disk.bytesOf(file).length - segmentHeaderBytes) * 8)
    const { log, said } = await open()
    disk.flipBit(file, bit)
    const gone = lost(log, acknowledged)
    expect(gone, `seed ${seed} ${file} bit ${bit}`).toBeLessThanOrEqual(1)
    expect(said.join(), `seed ${seed}`).toContain('record_damaged')
    await log.close()
    const again = await open()
    expect(lost(again.log, acknowledged), `seed ${seed}`).toBe(gone)
    await again.log.close()
  }
}, 60_000)

test('each part of a record and of a mark may be hit: length, checksum, sequence, header, event', async () => {
  const { disk, acknowledged, open } = await filled(7, false)
  const file = recordFiles(disk.files())[0]!
  const record = segmentHeaderBytes + markBytes
  // Offsets in the record; see gateway/log/record.ts.
  const places = { tag: 0, length: 1, crc: 6, sequence: 11, loggedAt: 20, flags: 29, frame: 37, header: 70 }
  for (const [name, offset] of Object.entries(places)) {
    disk.flipBit(file, (record + offset) * 8 + 1)
    const { log, said } = await open()
    expect(lost(log, acknowledged), name).toBe(1)
    expect(said.join(), name).toContain('record_damaged')
    await log.close()
    disk.flipBit(file, (record + offset) * 8 + 1)
    for (const one of disk.files()) if (one.endsWith('.idx')) disk.unlink(one)
  }
  disk.flipBit(file, (segmentHeaderBytes + 20) * 8)
  const { log, said } = await open()
  expect(lost(log, acknowledged), 'a mark').toBe(0)
  expect(said.join()).toContain('record_damaged')
  await log.close()
})

test('a damaged header of a segment costs nothing', async () => {
  const { disk, acknowledged, open } = await filled(3, false)
  for (const file of disk.files()) if (file.endsWith('.seg')) disk.flipBit(file, 30 * 8 + 3)
  const { log, said } = await open()
  expect(lost(log, acknowledged)).toBe(0)
  expect(said.join()).toContain('record_damaged')
  await log.close()
})

test('a damaged or missing companion is made again from its segment', async () => {
  const { disk, acknowledged, open } = await filled(4, true)
  const companions = disk.files().filter((file) => file.endsWith('.idx'))
  companions.forEach((file, index) => (index % 2 ? disk.unlink(file) : disk.flipBit(file, 200)))
  const { log, said } = await open()
  expect(lost(log, acknowledged)).toBe(0)
  expect(said).toEqual([])
  await log.close()
})

test('a flipped bit in a block of frames leaves the other blocks', async () => {
  const { disk, acknowledged, open } = await filled(5, true)
  const file = disk.files().find((name) => name.includes('/frames/') && name.endsWith('.seg'))!
  disk.flipBit(file, (segmentHeaderBytes + 100) * 8)
  const { log, said } = await open()
  const stored = acknowledged.filter(({ frame }) => frame.records.length > 0)
  const found = stored.filter(({ frame }) => log.findFrame(frame.frame.id!))
  expect(found.length).toBeGreaterThan(stored.length / 2)
  expect(found.length).toBeLessThan(stored.length)
  expect(said.join()).toContain('record_damaged')
  await log.close()
})

type OpenedLog = Awaited<ReturnType<typeof openOn>>['log']

function lost(log: OpenedLog, acknowledged: readonly Acknowledged[]): number {
  const { events } = readAll(log)
  const all = acknowledged.flatMap(({ frame }) => frame.records)
  return all.filter(({ event }) => !events.has(Buffer.from(event).toString('hex'))).length
}

const reported = (log: OpenedLog): number =>
  readAll(log)
    .missing.filter(({ reason }) => reason === 'damaged')
    .reduce((sum, { from, to }) => sum + to - from + 1, 0)
