// The way in and out, simulated from seeds: whatever the disk and the clock do, what was acknowledged reaches every reader once and in
// order, and the books add up. TOCSIN_SEED=n runs one seed; TOCSIN_SEEDS=n so many.

import { expect, test } from 'vitest'
import type { Log } from '../gateway/log/log.ts'
import { type Faults, simulate } from './faults/simulation.ts'

const only = process.env['TOCSIN_SEED']
const seeds = Number(process.env['TOCSIN_SEEDS'] ?? 25)

const storms: readonly (readonly [string, Partial<Faults>])[] = [
  ['calm weather', {}],
  ['loss of power', { power: true }],
  ['writes, syncs and renames that fail', { disk: true }],
  ['every third sync failing', { everySync: 3 }],
  ['a full disk', { full: true }],
  ['clock jumps of hours', { clock: true }],
  ['all of it at once', { power: true, disk: true, full: true, clock: true }],
]

test.each(storms)(
  '%s: nothing acknowledged is lost, doubled or out of order',
  { timeout: 60_000 },
  async (_, faults) => {
    let [acknowledged, withheld] = [0, 0]
    const last = only === undefined ? seeds : Number(only)
    for (let seed = only === undefined ? 1 : Number(only); seed <= last; seed++) {
      const result = await simulate({ seed, lives: 3, framesEachLife: 30, faults })
      const { lost, doubled, repeats, inverted, invented, examples } = result.verdict
      const wrong = { lost, doubled, repeats, inverted, invented, examples, accounting: result.accounting }
      const none = { lost: 0, doubled: 0, repeats: 0, inverted: 0, invented: 0, examples: [], accounting: [] }
      expect(wrong, `TOCSIN_SEED=${seed}\n${result.trace.join('\n')}`).toEqual(none)
      acknowledged += result.acknowledged
      withheld += result.withheld
    }
    expect(acknowledged).toBeGreaterThan(0)
    // The storm was one: frames were withheld in it, and none where the disk was well.
    if (only !== undefined) return
    if (faults.power || faults.disk || faults.full) expect(withheld).toBeGreaterThan(0)
    else if (!faults.everySync) expect(withheld).toBe(0)
  },
)

async function planted(faults: Partial<Faults>, sabotage: (log: Log) => Log) {
  const sum = { lost: 0, twice: 0, inverted: 0 }
  for (let seed = 1; seed <= 10; seed++) {
    const { verdict } = await simulate({ seed, lives: 3, framesEachLife: 30, faults, sabotage })
    sum.lost += verdict.lost
    sum.twice += verdict.repeats + verdict.doubled
    sum.inverted += verdict.inverted
  }
  return sum
}

test('a gateway that acknowledges before the disk has it is found out', async () => {
  const { lost } = await planted({ power: true }, (log) => ({
    ...log,
    put(frame, told) {
      log.append(frame).catch(() => {})
      queueMicrotask(() => told.stored(1, []))
    },
  }))
  expect(lost).toBeGreaterThan(0)
})

test('a gateway that stores again what is sent again is found out', async () => {
  const { twice, lost } = await planted({ power: true }, (log) => ({
    ...log,
    put: (frame, told) => log.put({ ...frame, resent: false }, told),
  }))
  expect(twice).toBeGreaterThan(0)
  expect(lost).toBe(0)
})

test('a gateway whose readers are given commits out of order is found out', async () => {
  const { inverted } = await planted({}, (log) => ({
    ...log,
    read(lane, after, limit) {
      const slice = log.read(lane, after, limit)
      return slice && { ...slice, records: slice.records.toReversed() }
    },
  }))
  expect(inverted).toBeGreaterThan(0)
})

test('the same seed is the same run, to the last call of the disk', async () => {
  const once = (seed: number) => simulate({ seed, lives: 3, framesEachLife: 30, faults: { power: true, disk: true } })
  const [a, b, other] = [await once(7), await once(7), await once(8)]
  expect(a).toEqual(b)
  expect(other.trace).not.toEqual(a.trace)
})
