// At start: what the log keeps in memory is filled again from what is on the disk, from the latest stretch of it only.

import type { Current } from './current.ts'
import { type Duplicates, dedupWindowNs } from './duplicates.ts'

import { eachKey } from './gather.ts'
import type { LanePosition } from './log.ts'
import { flagsAt, flagVoid, headerAt, loggedAt as recordLoggedAt } from './record.ts'
import { currentFactsOf } from './record-header.ts'
import { type Resends, resendDigest, restoreAfter } from './resends.ts'
import { framesIn } from './search.ts'
import type { Segment } from './segment.ts'
import { framesSeries, laneOfSeries, recordSeriesCount, refusedSeries } from './series.ts'
import type { State } from './state.ts'
import { isRecordItem, itemsOf, offsetBefore, sequenceOf } from './walk.ts'
import type { Windows } from './windows.ts'
import { decodeFrame } from './stored.ts'

export interface MemoryParts {
  readonly segments: readonly (readonly Segment[])[]
  readonly windows: Windows
  readonly head: LanePosition
  readonly current: Current
  readonly duplicates: Duplicates
  readonly resends: Resends
  readonly state: State
  readonly now: bigint
  readonly lastLoggedAt: bigint | undefined
}

export const confirmedMark = 'resends confirmed'

export function restoreMemory(parts: MemoryParts): void {
  restoreDuplicates(parts)
  restoreResends(parts)
  restoreCurrent(parts)
}

function restoreDuplicates({ segments, duplicates, now }: MemoryParts): void {
  const since = now - dedupWindowNs
  const recent = segments
    .slice(0, recordSeriesCount)
    .flat()
    .filter(({ lastLoggedAtMs }) => BigInt(lastLoggedAtMs) * 1_000_000n >= since - 1_000_000n)
  for (const segment of recent.toSorted((a, b) => a.firstLoggedAtMs - b.firstLoggedAtMs)) {
    for (const keys of segment.keys)
      eachKey(keys, (key, loggedAt) => loggedAt >= since && duplicates.add(key, loggedAt))
  }
  // They stand in the companions; in memory they were needed for this alone.
  for (const segment of segments.flat()) segment.keys.length = 0
}

function restoreResends({ segments, windows, resends, state, lastLoggedAt }: MemoryParts): void {
  if (lastLoggedAt === undefined) return
  const afterMs = Number(restoreAfter(lastLoggedAt, state.mark(confirmedMark)) / 1_000_000n)
  for (const series of [framesSeries, refusedSeries]) {
    for (const segment of segments[series]!) {
      if (segment.lastLoggedAtMs < afterMs) continue
      const start = offsetBefore(segment, ({ loggedAtMs }) => loggedAtMs < afterMs)
      for (const found of itemsOf(windows, segment, start, () => {})) {
        const loggedAt = found.window.bytes.readBigUInt64LE(found.at + 48) * 1_000_000n
        for (const entry of framesIn(found)) {
          const { resendKey: key, sha256 } = decodeFrame(entry)
          if (key && key.length > 0) resends.restore(resendDigest(key, sha256!), loggedAt)
        }
      }
    }
  }
}

/** By series: of two records of a subject the later counts, whichever is noted first. */
function restoreCurrent({ segments, windows, head, current }: MemoryParts): void {
  for (let series = 0; series < recordSeriesCount; series++) {
    const [lane, retention] = [laneOfSeries(series), series % 2 === 1 ? 'record' : 'standard'] as const
    const after = current.checkpoint[lane]
    for (const segment of segments[series]!) {
      if (segment.last <= after) continue
      const start = offsetBefore(segment, (entry) => entry.sequence <= after)
      for (const found of itemsOf(windows, segment, start, () => {})) {
        const { bytes } = found.window
        if (!isRecordItem(found) || flagsAt(bytes, found.at) & flagVoid || sequenceOf(found) <= after) continue
        const { kind, status, subject } = currentFactsOf(headerAt(bytes, found.at))
        if (!kind || !status || !subject) continue
        current.note({
          lane,
          retention,
          sequence: sequenceOf(found),
          loggedAt: recordLoggedAt(bytes, found.at),
          kind,
          status,
          subject,
        })
      }
    }
  }
  for (const segment of segments.slice(0, recordSeriesCount).flatMap((list) => list[0] ?? [])) {
    const retention = segment.series % 2 === 1 ? 'record' : 'standard'
    if (segment.number > 1 && segment.first > 1)
      current.removed(laneOfSeries(segment.series), retention, segment.first - 1)
  }
  current.advance(head)
}
