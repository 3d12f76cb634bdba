// What retention removes and what it never does; and holds, which must outlive the damage of a file.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHolds, holdsFile } from '../gateway/log/holds.ts'
import type { Hold } from '../gateway/log/log.ts'
import { carryOut, decideRemovals, holdMsDefault } from '../gateway/log/retention.ts'
import type { RetentionSituation, SegmentClass, SegmentDescription } from '../gateway/log/retention.ts'
import { openState } from '../gateway/log/state.ts'
import { tempFolder } from './tools/temp-folder.ts'

const day = 24n * 3600n * 1_000_000_000n
const dayMs = 24 * 3600 * 1000
const now = 1000n * day
const mebibytes = 1 << 20

/** Segment `number` of a series of ten, one for each day; the last is written to. */
function segment(number: number, change: Partial<SegmentDescription> = {}): SegmentDescription {
  const series = change.series ?? 'routine-standard'
  return {
    path: `/log/${series}/${number}`,
    series,
    number,
    class: 'standard',
    lane: 'routine',
    active: number === 10,
    bytes: mebibytes,
    records: 100,
    lastSequence: number * 100,
    firstLoggedAt: now - BigInt(11 - number) * day,
    lastLoggedAt: now - BigInt(10 - number) * day,
    ...change,
  }
}

const ten = (change: Partial<SegmentDescription> = {}) => Array.from({ length: 10 }, (_, n) => segment(n + 1, change))
const limits = { ageMs: 365 * dayMs, bytes: 1000 * mebibytes }

function situation(change: Partial<RetentionSituation> & { standard?: typeof limits } = {}): RetentionSituation {
  const { standard = limits, ...rest } = change
  const classes = { standard, record: limits, frames: limits, refused: limits }
  return {
    segments: ten(),
    settings: { classes, holdMs: holdMsDefault },
    now,
    stepped: false,
    pins: [],
    holds: [],
    ...rest,
  }
}

const numbers = (given: RetentionSituation) => decideRemovals(given).map(({ segment: { number } }) => number)
const hold = (from: bigint, to: bigint): Hold => ({ name: 'case 4711', reason: 'court', from, to })
const lastDays = (days: number) => ({ ageMs: days * dayMs, bytes: 1000 * mebibytes })

describe('retention', () => {
  test('removes what is too old, and the oldest of what is too much', () => {
    expect(numbers(situation())).toEqual([])
    expect(numbers(situation({ standard: lastDays(7) }))).toEqual([1, 2])
    const bytes = 6 * mebibytes
    expect(decideRemovals(situation({ standard: { ...limits, bytes } })).map(({ reason }) => reason)).toEqual(
      Array(4).fill('size'),
    )
  })

  test('has limits of its own for each class, over the series of that class together', () => {
    const segments = [
      ...ten({ series: 'urgent-standard', lane: 'urgent' }),
      ...ten(),
      ...ten({ series: 'frames', class: 'frames', lane: undefined }),
    ]
    const removals = decideRemovals(situation({ segments, standard: { ...limits, bytes: 16 * mebibytes } }))
    expect(removals.map(({ segment: { series, number } }) => `${series} ${number}`)).toEqual([
      'routine-standard 1',
      'urgent-standard 1',
      'routine-standard 2',
      'urgent-standard 2',
    ])
  })

  test('is held back by a pinning bookmark for 8 days, and then tells whose reader has a gap', () => {
    const pins = [{ name: 'influx', bookmark: { urgent: 0, routine: 350 } }]
    const removals = decideRemovals(situation({ standard: lastDays(3), pins }))
    expect(removals.map(({ segment: { number }, pinnedBy }) => [number, pinnedBy])).toEqual([
      [1, []],
      [2, []],
      [3, []],
    ])
    // Segment 1 is nine days old; a reader that has had nothing of it could hold it for eight.
    const behind = [{ name: 'influx', bookmark: { urgent: 0, routine: 0 } }]
    expect(decideRemovals(situation({ standard: lastDays(3), pins: behind }))).toMatchObject([
      { segment: { number: 1 }, reason: 'age', pinnedBy: ['influx'] },
    ])
  })

  test('on a full disk, lets routine go that only bookmarks hold back, the oldest first, and no more than needed', () => {
    const pins = [{ name: 'partner', bookmark: { urgent: 0, routine: 0 } }]
    const segments = [...ten({ series: 'urgent-standard', lane: 'urgent' }), ...ten()]
    const given = situation({ segments, pins, standard: lastDays(3), shortOfBytes: 3.5 * mebibytes })
    expect(
      decideRemovals(given).map(({ segment: { series, number }, reason }) => `${series} ${number} ${reason}`),
    ).toEqual(['routine-standard 1 age', 'urgent-standard 1 age', 'routine-standard 2 disk', 'routine-standard 3 disk'])
  })

  test('removes nothing of a hold, nothing while the clock has stepped', () => {
    const standard = lastDays(2)
    const holds = [hold(now - 8n * day - 1n, now - 7n * day - 1n)]
    // Segments 2 and 3 overlap it by a nanosecond or more.
    expect(numbers(situation({ standard, holds }))).toEqual([1, 4, 5, 6, 7])
    expect(numbers(situation({ standard, stepped: true, shortOfBytes: 1e12 }))).toEqual([])
  })

  test('for any log, bookmarks and holds: never the active, never what is held, always the oldest of a series first', () => {
    const classes: SegmentClass[] = ['standard', 'record', 'frames', 'refused']
    const pin = fc.record({
      name: fc.constantFrom('a', 'b'),
      bookmark: fc.record({ urgent: fc.nat(1000), routine: fc.nat(1000) }),
    })
    const span = fc.tuple(fc.bigInt(0n, 12n), fc.bigInt(0n, 3n))
    const limit = fc.record({ ageMs: fc.integer({ min: 0, max: 12 * dayMs }), bytes: fc.nat(12 * mebibytes) })
    const drawn = fc.record({
      series: fc.array(fc.constantFrom(...classes), { minLength: 1, maxLength: 5 }),
      pins: fc.array(pin, { maxLength: 2 }),
      spans: fc.array(span, { maxLength: 2 }),
      limits: fc.record({ standard: limit, record: limit, frames: limit, refused: limit }),
      holdMs: fc.integer({ min: 0, max: 12 * dayMs }),
      shortOfBytes: fc.nat(20 * mebibytes),
    })
    fc.assert(
      fc.property(drawn, ({ series, pins, spans, limits: each, holdMs, shortOfBytes }) => {
        const segments = series.flatMap((name, index) =>
          ten({
            series: `${name} ${index}`,
            class: name,
            lane: name === 'frames' || name === 'refused' ? undefined : index % 2 ? 'urgent' : 'routine',
          }),
        )
        const holds = spans.map(([back, length]) => hold(now - back * day, now - (back - length) * day))
        const settings = { classes: each, holdMs }
        const removals = decideRemovals(situation({ segments, pins, holds, settings, shortOfBytes }))
        const gone = new Set(removals.map(({ segment: { path } }) => path))
        const kept = segments.filter(({ path }) => !gone.has(path))
        const isHeld = (one: SegmentDescription) =>
          holds.some(({ from, to }) => one.lastLoggedAt >= from && one.firstLoggedAt <= to)
        for (const [index, { segment: one, pinnedBy, reason }] of removals.entries()) {
          expect([one.active, isHeld(one)]).toEqual([false, false])
          const heldBack = pinnedBy.length > 0 && now - one.lastLoggedAt <= BigInt(holdMs) * 1_000_000n
          expect(!heldBack || (reason === 'disk' && one.lane === 'routine' && shortOfBytes > 0)).toBe(true)
          // Whatever is older in its series and stays, stays for a reason: a hold, or a bookmark.
          for (const older of kept.filter((other) => other.series === one.series && other.number < one.number)) {
            const pinned = pins.some(({ bookmark }) => older.lane && bookmark[older.lane] < older.lastSequence)
            expect(isHeld(older) || pinned).toBe(true)
          }
          const after = removals.slice(index + 1).filter(({ segment: { series: same } }) => same === one.series)
          expect(after.every((later) => later.segment.number > one.number)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('carried out: unlinks, tells of each, and sums up by series', () => {
    const calls: string[] = []
    const disk = {
      unlink: (path: string) => calls.push(`unlink ${path}`),
      syncFolder: (path: string) => calls.push(`sync ${path}`),
    }
    const removals = decideRemovals(
      situation({ standard: lastDays(7), pins: [{ name: 'a', bookmark: { urgent: 0, routine: 0 } }] }),
    )
    const removed = carryOut(removals, {
      disk,
      folderOf: () => '/log',
      gone: ({ segment: { number } }) => calls.push(`gone ${number}`),
    })
    expect(calls).toEqual(['unlink /log/routine-standard/1', 'gone 1', 'sync /log'])
    expect(removed).toEqual([{ series: 'routine-standard', records: 100, bytes: mebibytes, pinnedBy: ['a'] }])
  })
})

describe('holds', () => {
  const some: Hold = { name: 'case 1', reason: 'court order', from: 5n, to: 2n ** 62n }

  function open(dataDir: string, warnings: string[] = []) {
    const state = openState({ dataDir, warn: (text) => warnings.push(text) })
    return { state, holds: createHolds({ dataDir, state, warn: (text) => warnings.push(text) }) }
  }

  test('stay until they are released', () => {
    const dataDir = tempFolder('holds')
    const first = open(dataDir)
    first.holds.add(some)
    first.holds.add({ ...some, name: 'case 2' })
    first.holds.release('case 2')
    // No close: the gateway is killed.
    expect(open(dataDir).holds.list()).toEqual([some])
    first.holds.release('case 1')
    expect(open(dataDir).holds.list()).toEqual([])
  })

  test('survive the damage of either file', () => {
    for (const damaged of ['state.sqlite', holdsFile]) {
      const dataDir = tempFolder('holds')
      const first = open(dataDir)
      first.holds.add(some)
      first.state.close()
      writeFileSync(join(dataDir, damaged), 'x'.repeat(5000))
      const warnings: string[] = []
      const second = open(dataDir, warnings)
      expect([second.holds.list(), warnings.length]).toEqual([[some], 1])
      second.state.close()
      expect(readFileSync(join(dataDir, holdsFile), 'utf8')).toContain('case 1')
    }
  })

  test('are refused when they make no sense, and say what is wrong', () => {
    const { holds, state } = open(tempFolder('holds'))
    holds.add(some)
    for (const [wrong, text] of [
      [{ ...some, name: '' }, 'needs a name'],
      [{ ...some, name: 'b', from: 9n, to: 8n }, 'ends before it begins'],
      [some, 'already'],
    ] as const) {
      expect(() => holds.add(wrong)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(text) }),
      )
    }
    expect(() => holds.release('none')).toThrow(expect.objectContaining({ code: 'not_found' }))
    state.close()
  })

  test('that cannot be written are refused, and what held before still holds', () => {
    const dataDir = tempFolder('holds')
    const { holds, state } = open(dataDir)
    holds.add(some)
    rmSync(dataDir, { recursive: true })
    expect(() => holds.add({ ...some, name: 'case 2' })).toThrow(expect.objectContaining({ code: 'log_failed' }))
    expect(() => holds.release('case 1')).toThrow(expect.objectContaining({ code: 'log_failed' }))
    expect(holds.list()).toEqual([some])
    state.close()
  })
})
