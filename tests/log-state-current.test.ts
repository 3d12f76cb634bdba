// The index of current records: what it keeps, what it lets go, and that a restart loses nothing of it.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCurrent } from '../gateway/log/current.ts'
import type { Current, CurrentParts, Noted } from '../gateway/log/current.ts'
import { lanes } from '../gateway/log/log.ts'
import type { Lane, LanePosition } from '../gateway/log/log.ts'
import { openState } from '../gateway/log/state.ts'
import { EventKind, MessageStatus } from '../proto/generated/types.ts'
import { tempFolder } from './tools/temp-folder.ts'

const none = { urgent: 0, routine: 0 }

function record(sequence: number, change: Partial<Noted> = {}): Noted {
  return {
    lane: 'routine',
    retention: 'standard',
    sequence,
    loggedAt: BigInt(sequence),
    kind: EventKind.OBSERVATION,
    status: MessageStatus.ACTUAL,
    subject: 'gauge-7',
    ...change,
  }
}

function open(dataDir: string, head: LanePosition, change: Partial<CurrentParts> = {}) {
  const state = openState({ dataDir })
  return { state, current: createCurrent({ state, epoch: 1n, head, ...change }) }
}

const sequences = (current: Current) => current.places().map(({ lane, sequence }) => `${lane[0]}${sequence}`)

describe('current', () => {
  test('is the last record of each subject and kind, urgent first', () => {
    const { state, current } = open(tempFolder('current'), none)
    current.note(record(1))
    current.note(record(2, { subject: 'gauge-8' }))
    current.note(record(3))
    current.note(record(4, { kind: EventKind.DEVICE_STATUS }))
    current.note(record(1, { kind: EventKind.ALERT, lane: 'urgent', subject: 'flood' }))
    current.note(record(5, { subject: '' }))
    expect(sequences(current)).toEqual(['u1', 'r2', 'r3', 'r4'])
    expect(current.places(new Set([EventKind.ALERT]))).toEqual([{ lane: 'urgent', sequence: 1 }])
    state.close()
  })

  test('an exercise does not hide what is actual', () => {
    const { state, current } = open(tempFolder('current'), none)
    current.note(record(1, { kind: EventKind.ALERT }))
    current.note(record(2, { kind: EventKind.ALERT, status: MessageStatus.EXERCISE }))
    expect(sequences(current)).toEqual(['r1', 'r2'])
    state.close()
  })

  test('between lanes the later one counts, in whatever order they are scanned', () => {
    const [urgent, routine] = [record(1, { lane: 'urgent', loggedAt: 50n }), record(900, { loggedAt: 40n })]
    for (const order of [
      [urgent, routine],
      [routine, urgent],
    ]) {
      const { state, current } = open(tempFolder('current'), none)
      order.forEach(current.note)
      expect(sequences(current)).toEqual(['u1'])
      current.note(record(901, { loggedAt: 60n }))
      expect(sequences(current)).toEqual(['r901'])
      state.close()
    }
  })

  test('lets go readings first and alerts last when there are too many, and counts it', () => {
    let told = 0
    const parts = { entriesMax: 100, crowded: () => (told += 1) }
    const dataDir = tempFolder('current')
    const { state, current } = open(dataDir, none, parts)
    for (let n = 1; n <= 50; n += 1)
      current.note(record(n, { lane: 'urgent', kind: EventKind.ALERT, subject: `alert ${n}` }))
    for (let n = 1; n <= 1000; n += 1) current.note(record(n, { subject: `junk ${n}` }))
    expect([current.size, current.evicted, told]).toEqual([100, 950, 1])
    expect(current.places().filter(({ lane }) => lane === 'urgent')).toHaveLength(50)
    expect(sequences(current)).toContain('r1000')
    current.advance({ urgent: 50, routine: 1000 })
    const before = sequences(current)
    current.close()
    state.close()
    const again = open(dataDir, { urgent: 50, routine: 1000 })
    expect(sequences(again.current)).toEqual(before)
    again.state.close()
  })

  test('keeps the subjects that speak, when many others speak once', () => {
    const { state, current } = open(tempFolder('current'), none, { entriesMax: 100 })
    for (let n = 1; n <= 5000; n += 1) current.note(record(n, n % 20 === 0 ? {} : { subject: `once ${n}` }))
    expect(sequences(current)).toContain('r5000')
    expect(current.size).toBe(100)
    state.close()
  })

  test('forgets what retention removed, of that lane and class only', () => {
    const { state, current } = open(tempFolder('current'), none)
    current.note(record(1))
    current.note(record(2, { subject: 'b', retention: 'record' }))
    current.note(record(1, { subject: 'c', lane: 'urgent' }))
    current.removed('routine', 'standard', 5)
    expect(sequences(current)).toEqual(['u1', 'r2'])
    state.close()
  })

  test('of another epoch, or ahead of a log that lost its end, is not believed', () => {
    for (const change of [{ epoch: 2n }, { head: { urgent: 0, routine: 4 } }]) {
      const dataDir = tempFolder('current')
      const first = open(dataDir, none)
      first.current.note(record(5))
      first.current.advance({ urgent: 0, routine: 5 })
      first.current.close()
      first.state.close()
      const again = open(dataDir, { urgent: 0, routine: 5 }, change)
      expect([again.current.checkpoint, again.current.size]).toEqual([none, 0])
      again.state.close()
      // Nor when the log has grown past it meanwhile.
      const grown = open(dataDir, { urgent: 0, routine: 50 })
      expect([grown.current.checkpoint, grown.current.size]).toEqual([none, 0])
      grown.state.close()
    }
  })
})

test('whatever is saved when the gateway is killed, loading it and noting what follows gives the same', () => {
  const lane = fc.constantFrom<Lane>('urgent', 'routine')
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ lane, subject: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f') }) },
    { weight: 2, arbitrary: fc.constant('flush' as const) },
    { weight: 1, arbitrary: fc.record({ removeTo: fc.nat(60) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const dataDir = tempFolder('current')
      const { state, current } = open(dataDir, none, { entriesMax: 1000 })
      const log: Noted[] = []
      const head = { urgent: 0, routine: 0 }
      const gone = { urgent: 0, routine: 0 }
      for (const [index, what] of steps.entries()) {
        if (what === 'flush') state.flush()
        else if ('removeTo' in what) {
          // Oldest first over both lanes, as retention does.
          for (const one of log)
            if (one.loggedAt <= what.removeTo) gone[one.lane] = Math.max(gone[one.lane], one.sequence)
          for (const each of lanes) current.removed(each, 'standard', gone[each])
        } else {
          head[what.lane] += 1
          log.push(record(head[what.lane], { ...what, loggedAt: BigInt(index) }))
          current.note(log.at(-1)!)
          current.advance(head)
        }
      }
      const expected = sequences(current)
      // What the next start finds is what was committed: a second connection sees nothing else.
      const next = open(dataDir, head)
      const { checkpoint } = next.current
      for (const one of log) {
        if (one.sequence > checkpoint[one.lane] && one.sequence > gone[one.lane]) next.current.note(one)
      }
      for (const each of lanes) next.current.removed(each, 'standard', gone[each])
      next.current.advance(head)
      expect(sequences(next.current)).toEqual(expected)
      next.state.close()
      state.close()
    }),
    { numRuns: 60 },
  )
})
