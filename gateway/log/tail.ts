// The end of each lane in memory, as it was written: what a reader that keeps up is given without a look at the disk. Bounded;
// whoever is further behind reads the segments.

import type { Lane } from './log.ts'
import { itemBytes, markTag, sequenceAt } from './record.ts'

export interface Tail {
  /** A run of records with its mark; sequences follow the one before, or what was there is forgotten. */
  push(lane: Lane, first: number, last: number, bytes: Buffer): void
  /** Where the record with this sequence, or the mark in front of it, begins. */
  find(lane: Lane, sequence: number): { readonly bytes: Buffer; readonly at: number } | undefined
  clear(): void
}

interface Chunk {
  readonly first: number
  readonly last: number
  readonly bytes: Buffer
}

export function createTail(bytesMax: number): Tail {
  const chunks: Record<Lane, Chunk[]> = { urgent: [], routine: [] }
  const sizes: Record<Lane, number> = { urgent: 0, routine: 0 }

  function clear(lane: Lane): void {
    chunks[lane] = []
    sizes[lane] = 0
  }

  return {
    push(lane, first, last, bytes) {
      if (chunks[lane].length > 0 && chunks[lane].at(-1)!.last !== first - 1) clear(lane)
      chunks[lane].push({ first, last, bytes })
      sizes[lane] += bytes.length
      // Urgent and routine have half each: a flood of one leaves the other's readers alone.
      while (sizes[lane] > bytesMax / 2 && chunks[lane].length > 1) sizes[lane] -= chunks[lane].shift()!.bytes.length
    },
    find(lane, sequence) {
      const list = chunks[lane]
      if (list.length === 0 || sequence < list[0]!.first) return undefined
      for (let index = list.length - 1; index >= 0; index--) {
        const { first, last, bytes } = list[index]!
        if (sequence < first) continue
        return sequence > last ? undefined : { bytes, at: sequence === first ? 0 : recordAt(bytes, sequence) }
      }
      return undefined
    },
    clear() {
      clear('urgent')
      clear('routine')
    },
  }
}

function recordAt(bytes: Buffer, sequence: number): number {
  let at = 0
  while (bytes[at] === markTag || sequenceAt(bytes, at) < sequence) at += itemBytes(bytes, at, bytes.length)
  return at
}
