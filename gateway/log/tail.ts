// The end of each lane in memory, as it was written: what a reader that keeps up is given without a look at the disk. Bounded;
// whoever is further behind reads the segments. Its memory is used again and again, so that what goes through costs no collection.

import type { Lane } from './log.ts'
import { itemBytes, markTag, sequenceAt } from './record.ts'

export interface Tail {
  /** Copies a run of records with its mark; sequences follow the one before, or what was there is forgotten. */
  push(lane: Lane, first: number, last: number, bytes: Uint8Array): void
  /** Where the record with this sequence, or the mark in front of it, begins. Good until the next `push`: what is to last is copied. */
  find(lane: Lane, sequence: number): { readonly bytes: Buffer; readonly at: number } | undefined
  clear(): void
}

interface Chunk {
  readonly first: number
  readonly last: number
  readonly bytes: Buffer
  /** Absent: it is larger than one. */
  readonly slab: Slab | undefined
}

/** Chunks stand in it one behind the other; it is used again when the last of them is gone. */
interface Slab {
  readonly bytes: Buffer
  filled: number
  chunks: number
}

const slabsPerLane = 8

export function createTail(bytesMax: number): Tail {
  // Urgent and routine have half each: a flood of one leaves the other's readers alone.
  const lanes: Record<Lane, LaneTail> = { urgent: createLaneTail(bytesMax / 2), routine: createLaneTail(bytesMax / 2) }
  return {
    push: (lane, first, last, bytes) => lanes[lane].push(first, last, bytes),
    find: (lane, sequence) => lanes[lane].find(sequence),
    clear() {
      lanes.urgent.clear()
      lanes.routine.clear()
    },
  }
}

type LaneTail = ReturnType<typeof createLaneTail>

function createLaneTail(bytesMax: number) {
  const slabBytes = Math.ceil(bytesMax / slabsPerLane)
  const free: Slab[] = []
  let chunks: Chunk[] = []
  let size = 0
  let filling: Slab | undefined

  function drop({ bytes, slab }: Chunk): void {
    size -= bytes.length
    if (!slab || --slab.chunks > 0) return
    slab.filled = 0
    if (slab !== filling) free.push(slab)
  }

  function clear(): void {
    chunks.forEach(drop)
    chunks = []
  }

  function slabFor(length: number): Slab | undefined {
    if (length > slabBytes) return undefined
    if (!filling || filling.filled + length > slabBytes) {
      filling = free.pop() ?? { bytes: Buffer.allocUnsafeSlow(slabBytes), filled: 0, chunks: 0 }
    }
    return filling
  }

  return {
    clear,
    push(first: number, last: number, bytes: Uint8Array): void {
      if (chunks.length > 0 && chunks.at(-1)!.last !== first - 1) clear()
      while (chunks.length > 0 && size + bytes.length > bytesMax) drop(chunks.shift()!)
      const slab = slabFor(bytes.length)
      const target = slab?.bytes ?? Buffer.allocUnsafeSlow(bytes.length)
      const start = slab?.filled ?? 0
      target.set(bytes, start)
      if (slab) {
        slab.filled += bytes.length
        slab.chunks += 1
      }
      chunks.push({ first, last, bytes: target.subarray(start, start + bytes.length), slab })
      size += bytes.length
    },
    find(sequence: number): { readonly bytes: Buffer; readonly at: number } | undefined {
      if (chunks.length === 0 || sequence < chunks[0]!.first) return undefined
      for (let index = chunks.length - 1; index >= 0; index--) {
        const { first, last, bytes } = chunks[index]!
        if (sequence < first) continue
        return sequence > last ? undefined : { bytes, at: sequence === first ? 0 : recordAt(bytes, sequence) }
      }
      return undefined
    },
  }
}

function recordAt(bytes: Buffer, sequence: number): number {
  let at = 0
  while (bytes[at] === markTag || sequenceAt(bytes, at) < sequence) at += itemBytes(bytes, at, bytes.length)
  return at
}
