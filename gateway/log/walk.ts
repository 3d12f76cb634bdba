// Walks over the sound records and frame blocks of a series, from a place near what is sought. What is damaged is stepped over
// and told.

import { claimedBlockBytes, blockHeaderBytes, soundBlockBytes } from './frames.ts'
import { isRecordPart } from './gather.ts'
import { claimedBytes, recordFixedBytes, recordTag, sequenceAt, soundItemBytes } from './record.ts'
import { recordStart } from './scan.ts'
import { type IndexEntry, type Segment, segmentHeaderBytes } from './segment.ts'
import type { Window, Windows } from './windows.ts'

/** A sound item in memory. */
export interface Found {
  readonly segment: Segment
  readonly window: Window
  /** In the window. */
  readonly at: number
  readonly size: number
}

export type Damaged = (segment: Segment, from: number, to: number) => void

/** Items of one segment from an offset on, marks included. */
export function* itemsOf(windows: Windows, segment: Segment, from: number, damaged: Damaged): Generator<Found> {
  for (let offset = from; offset < segment.length;) {
    const found = soundAt(windows, segment, offset)
    if (found) {
      yield found
      offset += found.size
      continue
    }
    const next = nextOffset(windows, segment, offset + 1)
    if (!isCleared(windows, segment, offset, next)) damaged(segment, offset, next)
    offset = next
  }
}

export function soundAt(windows: Windows, segment: Segment, offset: number): Found | undefined {
  const isRecords = isRecordPart(segment)
  const fixed = isRecords ? recordFixedBytes : blockHeaderBytes
  let window = windows.at(segment, offset, fixed)
  let at = offset - window.base
  const claimed = (isRecords ? claimedBytes : claimedBlockBytes)(window.bytes, at, window.bytes.length)
  if (claimed === 0 || offset + claimed > segment.length) return undefined
  window = windows.at(segment, offset, claimed)
  at = offset - window.base
  const size = (isRecords ? soundItemBytes : soundBlockBytes)(window.bytes, at, window.bytes.length)
  return size === 0 ? undefined : { segment, window, at, size }
}

const searchBytes = 64 * 1024
const magicBytes = Buffer.from('TFRB', 'latin1')

function nextOffset(windows: Windows, segment: Segment, from: number): number {
  const isRecords = isRecordPart(segment)
  const fixed = isRecords ? recordFixedBytes : blockHeaderBytes
  for (let offset = from; offset < segment.length; offset += searchBytes) {
    const window = windows.at(segment, offset, searchBytes + fixed)
    const start = offset - window.base
    const part = window.bytes.subarray(start, start + searchBytes + fixed)
    const next = (at: number): number => (isRecords ? shapeStart(part, at) : part.indexOf(magicBytes, at))
    for (let at = next(0); at >= 0 && at < searchBytes; at = next(at + 1)) {
      if (soundAt(windows, segment, offset + at)) return offset + at
    }
  }
  return segment.length
}

/** Where a record or mark may begin: also one that ends beyond these bytes. */
function shapeStart(part: Buffer, from: number): number {
  const whole = recordStart(part, from)
  for (
    let at = part.indexOf(recordTag, from);
    at >= 0 && (whole < 0 || at < whole);
    at = part.indexOf(recordTag, at + 1)
  ) {
    if (part[at + 5] === 0x0d && part[at + 10] === 0x11 && part[at + 19] === 0x19) return at
  }
  return whole
}

function isCleared(windows: Windows, segment: Segment, from: number, to: number): boolean {
  const window = windows.at(segment, from, to - from)
  return window.bytes.subarray(from - window.base, to - window.base).every((byte) => byte === 0)
}

/** Where to begin to look for the first item that `isBefore` does not hold of; entries are in the order of the log. */
export function offsetBefore(segment: Segment, isBefore: (entry: IndexEntry) => boolean): number {
  const { entries } = segment
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(entries[middle]!)) low = middle + 1
    else high = middle
  }
  return entries[low - 1]?.offset ?? segmentHeaderBytes
}

export function isRecordItem({ window, at }: Found): boolean {
  return window.bytes[at] === recordTag
}

export const sequenceOf = ({ window, at }: Found): number => sequenceAt(window.bytes, at)
