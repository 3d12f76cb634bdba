// Look-ups by id and by time. Ids are UUIDv7, so they tell about when to look; one that another gateway gave long before is
// sought backwards through what was logged last, up to a bound, because the gateway does nothing else meanwhile.

import type { Frame } from '../../proto/generated/types.ts'
import { Fate } from '../../proto/generated/types.ts'
import { idTimeMs } from '../ids.ts'
import { type FrameEntry, frameEntries, holdsFate, unpackBlock } from './frames.ts'
import type { FrameQuery, Lane, LanePosition, StoredRecord } from './log.ts'
import { lanes } from './log.ts'
import { eventRange, frameEventsAt, loggedAt } from './record.ts'
import { type Segment, segmentHeaderBytes } from './segment.ts'
import { framesSeries, recordSeriesCount, refusedSeries, seriesOfLane } from './series.ts'
import { type Damaged, type Found, isRecordItem, itemsOf, offsetBefore, sequenceOf } from './walk.ts'
import type { Windows } from './windows.ts'
import { decodeFrame, storedRecord } from './stored.ts'

export interface SearchParts {
  readonly segments: readonly (readonly Segment[])[]
  readonly windows: Windows
  readonly head: LanePosition
  readonly damaged: Damaged
}

/** Between the time in an id and the time it was logged: queues, retries, clocks of two threads. */
const slackMsBefore = 2_000
const slackMsAfter = 60_000
/** About 0.1 s of looking; what is older than this and was named by another gateway is not found by its id. */
const backwardBytesMax = 128 * 1024 * 1024

export function createSearch({ segments, windows, head, damaged }: SearchParts) {
  const recordSeries = Array.from({ length: recordSeriesCount }, (_, series) => series)

  /** Items logged in a span of time, in the order of the log. */
  function* between(series: number, fromMs: number, toMs: number): Generator<Found> {
    for (const segment of segments[series]!) {
      if (segment.lastLoggedAtMs < fromMs) continue
      if (segment.firstLoggedAtMs > toMs) return
      const start = offsetBefore(segment, ({ loggedAtMs }) => loggedAtMs < fromMs)
      for (const found of itemsOf(windows, segment, start, damaged)) {
        if (isRecordItem(found) && Number(loggedAt(found.window.bytes, found.at) / 1_000_000n) > toMs) return
        yield found
      }
    }
  }

  /** Everything, the latest stretch first, until the bound. */
  function* backwards(series: readonly number[]): Generator<Found> {
    let bytes = 0
    for (const name of series) {
      for (const segment of segments[name]!.toReversed()) {
        const starts = [segmentHeaderBytes, ...segment.entries.map(({ offset }) => offset)]
        let end = segment.length
        for (const start of starts.toReversed()) {
          for (const found of itemsOf(windows, segment, start, damaged)) {
            if (found.window.base + found.at >= end) break
            yield found
          }
          bytes += end - start
          end = start
          if (bytes > backwardBytesMax) return
        }
      }
    }
  }

  function findRecord(wanted: (found: Found) => boolean, ms: number): StoredRecord | undefined {
    const isIt = (found: Found): boolean => isRecordItem(found) && wanted(found)
    for (const series of recordSeries) {
      for (const found of between(series, ms - slackMsBefore, ms + slackMsAfter))
        if (isIt(found)) return recordOf(found)
    }
    for (const found of backwards(recordSeries)) if (isIt(found)) return recordOf(found)
    return undefined
  }

  function* frameBlocks(ms: number): Generator<Found> {
    for (const series of [framesSeries, refusedSeries]) {
      for (const segment of segments[series]!) {
        for (const [index, entry] of segment.entries.entries()) {
          if (entry.idMsMin > ms || entry.idMsMax < ms) continue
          const end = segment.entries[index + 1]?.offset ?? segment.length
          for (const found of itemsOf(windows, segment, entry.offset, damaged)) {
            if (found.window.base + found.at >= end) break
            yield found
          }
        }
      }
    }
  }

  function findFrameEntry(id: Uint8Array): (FrameEntry & { readonly found: Found }) | undefined {
    for (const found of frameBlocks(idTimeMs(id))) {
      const entry = framesIn(found).find((one) => one.id.equals(id))
      if (entry) return { ...entry, found }
    }
    return undefined
  }

  return {
    findEvent(id: Uint8Array): StoredRecord | undefined {
      if (id.length !== 16) return undefined
      return findRecord(({ window: { bytes }, at }) => {
        const { start } = eventRange(bytes, at)
        // Event.id is its first field: 0A 10 and 16 bytes.
        return bytes[start] === 0x0a && bytes[start + 1] === 16 && bytes.compare(id, 0, 16, start + 2, start + 18) === 0
      }, idTimeMs(id))
    },

    findFrameRecords(frameId: Uint8Array, receivedAt: bigint): readonly StoredRecord[] {
      const ms = Number(receivedAt / 1_000_000n)
      const records: StoredRecord[] = []
      for (const series of recordSeries) {
        for (const found of between(series, ms - slackMsBefore, ms + slackMsAfter)) {
          const { window, at } = found
          if (!isRecordItem(found) || window.bytes.compare(frameId, 0, 16, at + 37, at + 53) !== 0) continue
          records.push(recordOf(found))
          if (records.length === frameEventsAt(window.bytes, at)) return byIndex(records)
        }
      }
      return byIndex(records)
    },

    findFrameEntry,
    findFrame(id: Uint8Array): Frame | undefined {
      const entry = findFrameEntry(id)
      return entry && decodeFrame(entry)
    },

    /** Newest first. */
    *frameEntries({ channel, fate, before }: Omit<FrameQuery, 'limit'>): Generator<FrameEntry> {
      let isPast = before === undefined
      const from =
        fate === 'refused' || fate === 'waiting'
          ? [refusedSeries]
          : fate
            ? [framesSeries]
            : [refusedSeries, framesSeries]
      for (const found of mergedBlocks(from.map((series) => backwardBlocks(series)))) {
        if (isPast && fate && !holdsFate(found.window.bytes, found.at, fates[fate])) continue
        for (const entry of framesIn(found).toReversed()) {
          if (!isPast) isPast = entry.id.equals(before!)
          else if ((!fate || entry.fate === fates[fate]) && (!channel || decodeFrame(entry).channel === channel))
            yield entry
        }
      }
    },

    /** The bookmark just before the first record logged at or after `time`. */
    before(time: bigint): LanePosition {
      const ms = Number(time / 1_000_000n)
      const position = {} as Record<Lane, number>
      for (const lane of lanes) {
        const firsts = seriesOfLane[lane].flatMap((series) => {
          for (const found of between(series, ms, Infinity)) {
            if (isRecordItem(found) && loggedAt(found.window.bytes, found.at) >= time) return [sequenceOf(found)]
          }
          return []
        })
        position[lane] = Math.min(head[lane], ...firsts.map((sequence) => sequence - 1))
      }
      return position
    },
  }

  function* backwardBlocks(series: number): Generator<Found> {
    for (const segment of segments[series]!.toReversed()) {
      for (let index = segment.entries.length - 1; index >= 0; index--) {
        const end = segment.entries[index + 1]?.offset ?? segment.length
        const stretch: Found[] = []
        for (const found of itemsOf(windows, segment, segment.entries[index]!.offset, damaged)) {
          if (found.window.base + found.at >= end) break
          stretch.push(found)
        }
        yield* stretch.toReversed()
      }
    }
  }
}

export type Search = ReturnType<typeof createSearch>

const fates = {
  stored: Fate.STORED,
  refused: Fate.REFUSED,
  ignored: Fate.IGNORED,
  carried: Fate.CARRIED,
  waiting: Fate.WAITING,
} as const

export const framesIn = ({ window, at }: Found): FrameEntry[] => frameEntries(unpackBlock(window.bytes, at))

const recordOf = ({ window, at, size }: Found): StoredRecord => storedRecord(window.bytes, at, size)

const byIndex = (records: StoredRecord[]): StoredRecord[] => records.toSorted((a, b) => indexOf(a) - indexOf(b))

/** `bytes` of a stored record lack the tag and length in front. */
const indexOf = ({ bytes }: StoredRecord): number =>
  (bytes[49]! & 0x7f) | ((bytes[50]! & 0x7f) << 7) | ((bytes[51]! & 0x7f) << 14)

/** Of two series, the block with the later commit first. */
function* mergedBlocks(sources: readonly Generator<Found>[]): Generator<Found> {
  const heads = sources.map((source) => source.next())
  for (;;) {
    let best = -1
    for (const [index, one] of heads.entries()) {
      if (!one.done && (best < 0 || commitOf(one.value) > commitOf(heads[best]!.value as Found))) best = index
    }
    if (best < 0) return
    yield heads[best]!.value as Found
    heads[best] = sources[best]!.next()
  }
}

const commitOf = ({ window, at }: Found): number => Number(window.bytes.readBigUInt64LE(at + 24))
