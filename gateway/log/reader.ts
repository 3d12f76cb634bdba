// Reads records by lane and sequence: from the tail in memory, else from the segments. A slice is one run of bytes as they lie on
// disk, of one retention class; readers at the same bookmark share it. What is gone is said, never skipped in silence.

import type { Lane, LanePosition, Missing, ReadLimit, Slice, StoredRecord } from './log.ts'
import { flagsAt, flagVoid, itemBytes, recordTag, sequenceAt, soundItemBytes } from './record.ts'
import type { Range, Segment } from './segment.ts'
import { seriesOfLane } from './series.ts'
import type { Tail } from './tail.ts'
import { type Damaged, type Found, isRecordItem, itemsOf, offsetBefore, sequenceOf } from './walk.ts'
import type { Windows } from './windows.ts'
import { storedRecord } from './stored.ts'

export interface Reader {
  read(lane: Lane, after: number, limit: ReadLimit): Slice | undefined
  /** Where a record is; the next one when it is gone. */
  locate(lane: Lane, sequence: number): Found | undefined
  /** Segments went or changed: what is remembered of them is forgotten. */
  forget(): void
}

export interface ReaderParts {
  readonly segments: readonly (readonly Segment[])[]
  readonly windows: Windows
  readonly tail: Tail
  readonly head: LanePosition
  readonly damaged: Damaged
}

/** Consoles with the same filter stand at the same few bookmarks. */
const slicesKept = 16
/** Where recent slices ended, so that the next one is found without a search. */
const hintsKept = 64

interface Hint {
  readonly segment: Segment
  readonly offset: number
}

export function createReader(parts: ReaderParts): Reader {
  const { segments, windows, tail, head, damaged } = parts
  const slices = new Map<string, Slice>()
  const hints = new Map<number, Hint>()

  function remember(key: string, made: Slice): Slice {
    slices.set(key, made)
    if (slices.size > slicesKept) slices.delete(slices.keys().next().value!)
    return made
  }

  /** The first record of a series from `sequence` on. */
  function seek(series: number, sequence: number): Found | undefined {
    for (const segment of fromSequence(segments[series]!, sequence)) {
      const hint = hints.get(sequence * 4 + series)
      const start =
        hint?.segment === segment ? hint.offset : offsetBefore(segment, (entry) => entry.sequence <= sequence)
      for (const found of itemsOf(windows, segment, start, damaged)) {
        if (isRecordItem(found) && sequenceOf(found) >= sequence) return found
      }
    }
    return undefined
  }

  function readSegments(lane: Lane, after: number, limit: ReadLimit): Slice {
    const found = seriesOfLane[lane].map((series) => seek(series, after + 1))
    const [one, two] = found.filter((item) => item !== undefined).toSorted((a, b) => sequenceOf(a) - sequenceOf(b))
    if (!one || sequenceOf(one) > head[lane]) {
      return slice(lane, after, head[lane], Buffer.alloc(0), true, holes(lane, after + 1, head[lane]))
    }
    const { window, at, segment } = one
    const below = Math.min(two ? sequenceOf(two) : Infinity, head[lane] + 1)
    const taken = take(
      window.bytes,
      at,
      Math.min(window.bytes.length, segment.length - window.base),
      limit,
      below,
      true,
    )
    const hint = { segment, offset: window.base + taken.end }
    hints.set((taken.through + 1) * 4 + segment.series, hint)
    if (hints.size > hintsKept) hints.delete(hints.keys().next().value!)
    const missing = holes(lane, after + 1, sequenceOf(one) - 1)
    return slice(lane, after, taken.through, window.bytes.subarray(at, taken.end), taken.clean, missing)
  }

  function holes(lane: Lane, from: number, to: number): Missing[] {
    if (from > to) return []
    const ofLane = seriesOfLane[lane].flatMap((series) => segments[series]!)
    const voids = ofLane.flatMap((segment) => segment.voids)
    const floor = retentionFloor(lane, segments)
    return without({ from, to }, voids).flatMap((range) => [
      ...(range.from <= floor
        ? [{ from: range.from, to: Math.min(range.to, floor), reason: 'retention' as const }]
        : []),
      ...(range.to > floor
        ? [{ from: Math.max(range.from, floor + 1), to: range.to, reason: 'damaged' as const }]
        : []),
    ])
  }

  return {
    read(lane, after, limit) {
      if (after >= head[lane]) return undefined
      const key = `${lane} ${after} ${limit.records} ${limit.bytes}`
      const known = slices.get(key)
      // A slice that ended at a head of then may be longer now, and is short: the reader comes again.
      if (known) return known
      const chunk = tail.find(lane, after + 1)
      if (!chunk) return remember(key, readSegments(lane, after, limit))
      const taken = take(chunk.bytes, chunk.at, chunk.bytes.length, limit, Infinity, false)
      return remember(key, slice(lane, after, taken.through, ownCopy(chunk.bytes, chunk.at, taken.end), true, []))
    },
    locate(lane, sequence) {
      const found = seriesOfLane[lane].flatMap((series) => seek(series, sequence) ?? [])
      return found.toSorted((a, b) => sequenceOf(a) - sequenceOf(b))[0]
    },
    forget() {
      slices.clear()
      hints.clear()
    },
  }
}

/** Memory of its own: a slice of Node's pool would keep 64 KiB alive for a few hundred bytes, for as long as a reader holds them. */
function ownCopy(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(to - from)
  bytes.copy(copy, 0, from, to)
  return copy
}

interface Taken {
  readonly end: number
  readonly through: number
  readonly clean: boolean
}

/** As many records as the limit allows from `start` on, while their sequences follow each other; at least one. */
function take(bytes: Buffer, start: number, end: number, limit: ReadLimit, below: number, check: boolean): Taken {
  let [at, stop, through, count, clean] = [start, start, 0, 0, true]
  while (at < end) {
    const size = (check ? soundItemBytes : itemBytes)(bytes, at, end)
    if (size === 0) break
    if (bytes[at] === recordTag) {
      const sequence = sequenceAt(bytes, at)
      if (sequence >= below || (count > 0 && sequence !== through + 1)) break
      if (count > 0 && (count >= limit.records || at + size - start > limit.bytes)) break
      through = sequence
      count += 1
      if (flagsAt(bytes, at) & flagVoid) clean = false
      stop = at + size
    }
    at += size
  }
  return { end: stop, through, clean }
}

function slice(lane: Lane, after: number, through: number, batch: Buffer, clean: boolean, missing: Missing[]): Slice {
  let records: StoredRecord[] | undefined
  return {
    lane,
    after,
    through,
    batch,
    clean,
    missing,
    get records() {
      return (records ??= recordsOf(batch))
    },
  }
}

function recordsOf(batch: Buffer): StoredRecord[] {
  const records: StoredRecord[] = []
  for (let at = 0; at < batch.length;) {
    const size = itemBytes(batch, at, batch.length)
    if (batch[at] === recordTag && !(flagsAt(batch, at) & flagVoid)) records.push(storedRecord(batch, at, size))
    at += size
  }
  return records
}

/** The first of the segments that can hold it, and those after. */
function fromSequence(segments: readonly Segment[], sequence: number): readonly Segment[] {
  let [low, high] = [0, segments.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (segments[middle]!.last < sequence) low = middle + 1
    else high = middle
  }
  return segments.slice(low, low + 3)
}

/** The last sequence that retention can have removed. */
export function retentionFloor(lane: Lane, segments: readonly (readonly Segment[])[]): number {
  const firsts = seriesOfLane[lane].map((series) => segments[series]![0]).filter((segment) => segment !== undefined)
  return Math.max(0, ...firsts.map((segment) => (segment.number > 1 ? segment.first - 1 : 0)))
}

function without(range: Range, taken: readonly Range[]): Range[] {
  let rest = [range]
  for (const { from, to } of taken) {
    rest = rest.flatMap((part) => {
      if (to < part.from || from > part.to) return [part]
      const before = { from: part.from, to: from - 1 }
      const after = { from: to + 1, to: part.to }
      return [before, after].filter((piece) => piece.from <= piece.to)
    })
  }
  return rest
}
