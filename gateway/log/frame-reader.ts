// Reads frames by their numbers, over both series of them, from the segments. Numbers that are gone are stepped over: a frame is
// given as it was received, or not at all.

import type { Frame } from '../../proto/generated/types.ts'
import { blockNumbers, type FrameEntry, isEmptied } from './frames.ts'
import type { FrameLimit, FrameSlice, NumberedFrame } from './log.ts'
import { framesIn } from './search.ts'
import type { Segment } from './segment.ts'
import { framesSeries, refusedSeries } from './series.ts'
import { decodeFrame } from './stored.ts'
import { type Damaged, type Found, itemsOf, offsetBefore } from './walk.ts'
import type { Windows } from './windows.ts'

export interface FrameReader {
  read(after: number, limit: FrameLimit): FrameSlice | undefined
  find(number: number): Frame | undefined
  /** Segments went or changed: what is remembered of them is forgotten. */
  forget(): void
}

export interface FrameReaderParts {
  readonly segments: readonly (readonly Segment[])[]
  readonly windows: Windows
  head(): number
  readonly damaged: Damaged
}

/** An unpacked block. */
interface Block {
  readonly segment: Segment
  readonly offset: number
  readonly first: number
  readonly last: number
  readonly entries: readonly FrameEntry[]
  readonly bytes: number
}

/** Readers stand at a few places, and each goes through a block frame by frame. */
const blocksKept = 32
/** A lone large frame is not kept for the sake of a second look. */
const keptBytesMax = 4 * 1024 * 1024

export function createFrameReader({ segments, windows, head, damaged }: FrameReaderParts): FrameReader {
  /** The latest first. */
  let kept: Block[] = []

  function unpack(found: Found): Block {
    const { segment, window, at } = found
    const offset = window.base + at
    const known = kept.find((block) => block.offset === offset && block.segment === segment)
    const entries = known?.entries ?? framesIn(found)
    const bytes = known?.bytes ?? entries.reduce((sum, { whole }) => sum + whole.length, 0)
    const block = known ?? { segment, offset, ...blockNumbers(window.bytes, at), entries, bytes }
    if (kept[0] === block) return block
    kept = [block, ...kept.filter((other) => other !== block)].slice(0, blocksKept)
    for (let sum = kept.reduce((all, one) => all + one.bytes, 0); sum > keptBytesMax;) sum -= kept.pop()!.bytes
    return block
  }

  /** Where to begin to look for what is above `after`: what the index says, or a block that was read, whichever is nearer. */
  function startOf(segment: Segment, after: number): number {
    let offset = offsetBefore(segment, ({ sequence }) => sequence <= after + 1)
    for (const block of kept)
      if (block.segment === segment && block.first <= after + 1 && block.offset > offset) offset = block.offset
    return offset
  }

  function* blocksAfter(series: number, after: number): Generator<Block> {
    for (const segment of fromNumber(segments[series]!, after + 1)) {
      for (const found of itemsOf(windows, segment, startOf(segment, after), damaged)) {
        if (blockNumbers(found.window.bytes, found.at).last > after) yield unpack(found)
      }
    }
  }

  function* framesAfter(series: number, after: number): Generator<FrameEntry> {
    for (const { entries } of blocksAfter(series, after))
      for (const entry of entries) if (entry.number > after) yield entry
  }

  function read(after: number, limit: FrameLimit): FrameSlice | undefined {
    if (after >= head()) return undefined
    const frames: NumberedFrame[] = []
    let [through, seen, bytes] = [after, 0, 0]
    for (const entry of merged(framesAfter(framesSeries, after), framesAfter(refusedSeries, after))) {
      if (seen > 0 && (seen >= limit.frames || bytes + entry.bytes.length > limit.bytes)) return { frames, through }
      seen += 1
      bytes += entry.bytes.length
      through = entry.number
      if (!isEmptied(entry)) frames.push({ number: through, frame: decodeFrame(entry) })
    }
    return { frames, through: head() }
  }

  function entryOf({ entries }: Block, number: number): FrameEntry | undefined {
    let [low, high] = [0, entries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (entries[middle]!.number < number) low = middle + 1
      else high = middle
    }
    return entries[low]?.number === number ? entries[low] : undefined
  }

  function findEntry(number: number): FrameEntry | undefined {
    for (const block of kept) {
      const entry = block.first <= number && number <= block.last ? entryOf(block, number) : undefined
      if (entry) return entry
    }
    for (const series of [framesSeries, refusedSeries]) {
      for (const block of blocksAfter(series, number - 1)) {
        const entry = entryOf(block, number)
        if (entry) return entry
        break
      }
    }
    return undefined
  }

  return {
    read,
    find(number) {
      if (number < 1 || number > head()) return undefined
      const entry = findEntry(number)
      return entry && !isEmptied(entry) ? decodeFrame(entry) : undefined
    },
    forget() {
      kept = []
    },
  }
}

/** By number; each of the two is in order. */
function* merged(one: Generator<FrameEntry>, other: Generator<FrameEntry>): Generator<FrameEntry> {
  let [a, b] = [one.next(), other.next()]
  while (!a.done || !b.done) {
    if (b.done || (!a.done && a.value.number < b.value.number)) {
      yield a.value as FrameEntry
      a = one.next()
    } else {
      yield b.value
      b = other.next()
    }
  }
}

/** The first of the segments that can hold it, and those after. */
function fromNumber(segments: readonly Segment[], number: number): readonly Segment[] {
  let [low, high] = [0, segments.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (segments[middle]!.last < number) low = middle + 1
    else high = middle
  }
  return segments.slice(low)
}
