// A frame that its sender says it sends again is the one before when key and payload are the same: while that is on its way, once it is on
// disk, and after a start.

import { beforeEach, expect, test } from 'vitest'
import type { Log, NewFrame } from '../gateway/log/log.ts'
import { openState, type State } from '../gateway/log/state.ts'
import { Fate } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { createFaultDisk, seededRandom } from './faults/fault-disk.ts'
import { faultFolder, frameId, openOn, testClock } from './faults/fault-log.ts'
import { tempFolder } from './tools/temp-folder.ts'

const clock = testClock()
let state: State
beforeEach(() => {
  state = openState({ dataDir: tempFolder('resend') })
})

const key = (packetId: number): Buffer => Buffer.alloc(16).fill(packetId, 12, 14)

function frame(packetId: number, text: string, resent: boolean, fate: Fate = Fate.CARRIED): NewFrame {
  const now = clock.now()
  const payload = Buffer.from(text)
  return {
    frame: { id: frameId(now), receivedAt: timestamp(now), channel: 'a', payload, fate, resendKey: key(packetId) },
    records: [],
    resent,
  }
}

const fates = async (log: Log, frames: readonly NewFrame[]): Promise<string[]> =>
  (await Promise.all(frames.map((one) => log.append(one)))).map(({ fate }) => fate)

const again = [frame(1, 'on', true), frame(1, 'off', true), frame(2, 'on', true)]

test('on its way: told when the one before is on disk, and not before', async () => {
  const { log } = await openOn(createFaultDisk(seededRandom(1)), faultFolder(), clock, {}, state)
  const told: string[] = []
  const note =
    (name: string) =>
    ({ fate }: { fate: string }) =>
      void told.push(`${name} ${fate}`)
  await Promise.all([
    log.append(frame(1, 'on', false)).then(note('press')),
    log.append(frame(1, 'on', true)).then(note('again')),
    log.append(frame(1, 'off', true)).then(note('another payload')),
    log.append(frame(2, 'on', true)).then(note('another key')),
  ])
  expect(told.toSorted()).toEqual(['again duplicate', 'another key stored', 'another payload stored', 'press stored'])
  expect(told.indexOf('press stored')).toBeLessThan(told.indexOf('again duplicate'))
  await log.close()
})

test('on disk, whatever became of it: known by what its payload is, for ten seconds', async () => {
  for (const fate of [Fate.CARRIED, Fate.IGNORED, Fate.REFUSED]) {
    const { log } = await openOn(createFaultDisk(seededRandom(1)), faultFolder(), clock, {}, state)
    await fates(log, [frame(9, '', false), frame(1, 'on', false, fate), frame(8, 'x'.repeat(5_000), false)])
    expect(await fates(log, again)).toEqual(['duplicate', 'stored', 'stored'])
    clock.ahead(15_000_000_000n)
    expect(await fates(log, [frame(1, 'on', true)])).toEqual(['stored'])
    await log.close()
  }
})

test('after the power went: known by what stands in the log', async () => {
  const disk = createFaultDisk(seededRandom(1))
  const dataDir = faultFolder()
  const { log } = await openOn(disk, dataDir, clock, {}, state)
  await fates(log, [frame(9, '', false), frame(1, 'on', false), frame(3, 'on', false, Fate.REFUSED)])
  disk.losePowerAt = disk.calls
  await log.append(frame(4, 'on', false)).catch(() => {})
  await log.close().catch(() => {})
  disk.losePowerAt = Infinity
  disk.restart()
  const { log: after } = await openOn(disk, dataDir, clock, {}, openState({ dataDir: tempFolder('resend') }))
  const more = [frame(3, 'on', true), frame(3, 'off', true), frame(4, 'on', true), frame(9, '', true)]
  expect(await fates(after, [...again, ...more])).toEqual([
    'duplicate',
    'stored',
    'stored',
    'duplicate',
    'stored',
    'stored',
    'duplicate',
  ])
  await after.close()
})

test('a disk that refuses: what was not taken is new when it comes again', async () => {
  const disk = createFaultDisk(seededRandom(1))
  const { log } = await openOn(disk, faultFolder(), clock, {}, state)
  disk.fault = (call) => (call === 'sync' ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined)
  await expect(log.append(frame(1, 'on', false))).rejects.toThrow('refuses to write')
  disk.fault = () => undefined
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect(await fates(log, [frame(1, 'on', true)])).toEqual(['stored'])
  expect(await fates(log, [frame(1, 'on', true)])).toEqual(['duplicate'])
  await log.close()
})
