// The end of the log in memory: what it gives is what was put in, for as long as it fits, though its memory is used again and again.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Lane } from '../gateway/log/log.ts'
import { createGather } from '../gateway/log/gather.ts'
import { sequenceAt, stampOf } from '../gateway/log/record.ts'
import { createTail } from '../gateway/log/tail.ts'
import { Fate } from '../proto/generated/types.ts'

const bytesMax = 32_768
/** 65 before the header, 2 of header, 5 before the event. */
const recordBytes = (eventBytes: number): number => 72 + eventBytes
const markBytes = 40

/** Runs of records as commits write them, with events of these lengths. */
function createRuns() {
  const gather = createGather({ urgent: 1, routine: 1, frame: 1 })
  return (lane: Lane, eventLengths: readonly number[]) => {
    for (const length of eventLengths) {
      const record = { lane, retention: 'standard', header: { kind: 1 }, event: Buffer.alloc(length, length) } as const
      gather.add({ id: new Uint8Array(16), fate: Fate.STORED }, [record], stampOf(1n))
    }
    const [part] = gather.finish(1, false).parts
    const [run] = part!.runs
    return { first: run!.first, last: run!.first + run!.records - 1, bytes: part!.bytes.subarray(0, part!.length) }
  }
}

const pushes = fc.array(
  fc.record({
    lane: fc.constantFrom('urgent' as const, 'routine' as const),
    events: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
    clears: fc.integer({ min: 0, max: 30 }).map((number) => number === 0),
  }),
  { maxLength: 120, size: 'max' },
)

test('the tail gives each record as it was put in, keeps the newest that fit into half of its bytes, and no others', () => {
  fc.assert(
    fc.property(pushes, (all) => {
      const [tail, runOf] = [createTail(bytesMax), createRuns()]
      const kept: Record<Lane, { sequence: number; bytes: Buffer; size: number }[][]> = { urgent: [], routine: [] }
      for (const { lane, events, clears } of all) {
        if (clears) {
          tail.clear()
          kept.urgent = []
          kept.routine = []
        }
        const { first, last, bytes } = runOf(lane, events)
        tail.push(lane, first, last, bytes)
        const size = markBytes + events.reduce((sum, length) => sum + recordBytes(length), 0)
        expect(bytes.length).toBe(size)
        let at = markBytes
        const records = events.map((length, index) => {
          const record = {
            sequence: first + index,
            bytes: Buffer.from(bytes.subarray(at, at + recordBytes(length))),
            size,
          }
          at += recordBytes(length)
          return record
        })
        kept[lane].push(records)
        const held = () => kept[lane].reduce((sum, [one]) => sum + one!.size, 0)
        while (kept[lane].length > 1 && held() > bytesMax / 2) kept[lane].shift()
        // What a commit's buffer is used for afterwards changes nothing.
        bytes.fill(0xff)
        for (const each of ['urgent', 'routine'] as const) {
          const [oldest] = kept[each][0] ?? []
          if (oldest) expect(tail.find(each, oldest.sequence - 1)).toBeUndefined()
          for (const [index, { sequence, bytes: was }] of kept[each].flatMap((run) => [...run.entries()])) {
            const found = tail.find(each, sequence)!
            const start = found.at + (index === 0 ? markBytes : 0)
            expect(sequenceAt(found.bytes, start)).toBe(sequence)
            expect(found.bytes.subarray(start, start + was.length).equals(was)).toBe(true)
          }
        }
      }
    }),
  )
})
