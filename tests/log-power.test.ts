// Loss of power at any moment, also while a start puts right what an earlier one left: what was acknowledged is there, once, and
// frames are whole.

import { expect, test } from 'vitest'
import type { NewFrame } from '../gateway/log/log.ts'
import { createFaultDisk, type FaultDisk, type Random, seededRandom } from './faults/fault-disk.ts'
import { type Acknowledged, faultFolder, faults, openOn, readAll, someFrame, testClock } from './faults/fault-log.ts'

const seeds = 200
const lives = 3

test(`${seeds} losses of power: nothing acknowledged is missing or doubled, frames are whole`, async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const wrong = await liveAndDie(seed)
    expect(wrong, `seed ${seed}`).toEqual([])
  }
}, 60_000)

async function liveAndDie(seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  const disk = createFaultDisk(random)
  const [dataDir, clock] = [faultFolder(), testClock()]
  const acknowledged: Acknowledged[] = []
  const sent: NewFrame[] = []
  for (let life = 0; life < lives; life++) {
    disk.losePowerAt = disk.calls + 20 + Math.floor(random() * 400)
    disk.shortWrites = random() < 0.5 ? 0.2 : 0
    try {
      const { log } = await openOn(disk, dataDir, clock)
      await load(log.append, disk, random, clock.now, acknowledged, sent)
      await log.close()
    } catch (error) {
      // The power went while it started; anything else is wrong.
      if ((error as { code?: string }).code !== 'EIO') throw error
    }
    disk.restart()
  }
  const { log, said } = await openOn(disk, dataDir, clock)
  const wrong = faults(log, acknowledged, sent)
  const damaged = readAll(log).missing.filter(({ reason }) => reason === 'damaged')
  if (damaged.length > 0) wrong.push(`reported as damaged: ${JSON.stringify(damaged)} ${said.join(' ')}`)
  if (said.length > 0) wrong.push(...said)
  const { stored } = log.counts
  const whole = [...readAll(log).frames.keys()].length
  if (stored !== whole) wrong.push(`${stored} frames are counted, ${whole} have records`)
  await log.close()
  return wrong
}

async function load(
  append: (frame: NewFrame) => Promise<Acknowledged['appended']>,
  disk: FaultDisk,
  random: Random,
  now: () => bigint,
  acknowledged: Acknowledged[],
  sent: NewFrame[],
): Promise<void> {
  const senders = Array.from({ length: 1 + Math.floor(random() * 6) }, async () => {
    while (disk.calls < disk.losePowerAt) {
      const frame = someFrame(random, now())
      sent.push(frame)
      try {
        const appended = await append(frame)
        acknowledged.push({ frame, appended })
      } catch {
        return
      }
      for (let turns = Math.floor(random() * 3); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve))
    }
  })
  await Promise.all(senders)
}
