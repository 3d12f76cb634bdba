// Which sealed segments go, and why: a pure decision over a description of them, and the few lines that carry it out. It never
// names the active segment nor one that a hold covers, and within a series the oldest go first.

import { strict as assert } from 'node:assert'
import type { Hold, Lane, LanePosition, Removed } from './log.ts'

/** What is kept apart, each with limits of its own: the two retention classes of records, frames, and refused frames. */
export type SegmentClass = 'standard' | 'record' | 'frames' | 'refused'

export interface SegmentDescription {
  readonly path: string
  /** Segments of a series follow each other; the oldest has the lowest number. */
  readonly series: string
  readonly number: number
  readonly class: SegmentClass
  /** Undefined for frames, which no bookmark counts. */
  readonly lane: Lane | undefined
  /** The one that is written to. */
  readonly active: boolean
  readonly bytes: number
  readonly records: number
  /** Of records with a lane; 0 when there is none. */
  readonly lastSequence: number
  readonly firstLoggedAt: bigint
  readonly lastLoggedAt: bigint
}

export interface ClassLimits {
  readonly ageMs: number
  /** Of all segments of this class together. */
  readonly bytes: number
}

export interface RetentionSettings {
  readonly classes: Readonly<Record<SegmentClass, ClassLimits>>
  /** For so long a pinning bookmark holds back what its reader has not had. */
  readonly holdMs: number
}

/** architecture.md "The log": InfluxDB and each partner. */
export const holdMsDefault = 8 * 24 * 3600 * 1000

export interface RetentionSituation {
  readonly segments: readonly SegmentDescription[]
  readonly settings: RetentionSettings
  /** Log time, see log-time.ts. */
  readonly now: bigint
  /** Somebody set the clock: ages cannot be trusted, nothing goes. */
  readonly stepped: boolean
  /** Readers that hold retention back. */
  readonly pins: readonly { readonly name: string; readonly bookmark: LanePosition }[]
  readonly holds: readonly Hold[]
  /** Set once the disk is below its low-water mark and routine is no longer taken. */
  readonly shortOfBytes?: number
}

export interface Removal {
  readonly segment: SegmentDescription
  readonly reason: 'age' | 'size' | 'disk'
  /** Whose readers are told of a gap. */
  readonly pinnedBy: readonly string[]
}

export function decideRemovals(situation: RetentionSituation): readonly Removal[] {
  const { segments, settings, now, stepped, shortOfBytes = 0 } = situation
  if (stepped) return []
  const oldestFirst = segments.filter(({ active }) => !active).toSorted(byAge)
  const due = dueSegments(oldestFirst, segments, settings, now).filter(({ segment }) => !held(segment, situation.holds))

  const removals: Removal[] = []
  const waiting: Removal[] = []
  for (const { segment, reason } of due) {
    const pinnedBy = readersBefore(segment, situation.pins)
    const heldBack = pinnedBy.length > 0 && now - segment.lastLoggedAt <= milliseconds(settings.holdMs)
    ;(heldBack ? waiting : removals).push({ segment, reason, pinnedBy })
  }

  // No partner's lag stops intake for long: what only bookmarks keep goes, routine alone, the oldest first.
  let short = shortOfBytes - removals.reduce((sum, { segment }) => sum + segment.bytes, 0)
  for (const { segment, pinnedBy } of waiting) {
    if (short <= 0) break
    if (segment.lane !== 'routine') continue
    removals.push({ segment, reason: 'disk', pinnedBy })
    short -= segment.bytes
  }
  return removals.toSorted((a, b) => byAge(a.segment, b.segment))
}

interface Due {
  readonly segment: SegmentDescription
  readonly reason: 'age' | 'size'
}

/** Too old, or more than the class may take; without regard to who still wants it. */
function dueSegments(
  oldestFirst: readonly SegmentDescription[],
  all: readonly SegmentDescription[],
  settings: RetentionSettings,
  now: bigint,
): Due[] {
  const excess = new Map<SegmentClass, number>()
  for (const segment of all) {
    const before = excess.get(segment.class) ?? -settings.classes[segment.class].bytes
    excess.set(segment.class, before + segment.bytes)
  }
  const due: Due[] = []
  for (const segment of oldestFirst) {
    const over = excess.get(segment.class) ?? 0
    const old = now - segment.lastLoggedAt > milliseconds(settings.classes[segment.class].ageMs)
    if (!old && over <= 0) continue
    due.push({ segment, reason: old ? 'age' : 'size' })
    excess.set(segment.class, over - segment.bytes)
  }
  return due
}

function held(segment: SegmentDescription, holds: readonly Hold[]): boolean {
  return holds.some(({ from, to }) => segment.firstLoggedAt <= to && segment.lastLoggedAt >= from)
}

function readersBefore({ lane, lastSequence }: SegmentDescription, pins: RetentionSituation['pins']): string[] {
  if (lane === undefined) return []
  return pins.filter(({ bookmark }) => bookmark[lane] < lastSequence).map(({ name }) => name)
}

/** Oldest first over all series; within one series always by number. */
function byAge(a: SegmentDescription, b: SegmentDescription): number {
  if (a.series === b.series) return a.number - b.number
  if (a.lastLoggedAt !== b.lastLoggedAt) return a.lastLoggedAt < b.lastLoggedAt ? -1 : 1
  return a.series < b.series ? -1 : 1
}

const milliseconds = (ms: number): bigint => BigInt(Math.ceil(ms)) * 1_000_000n

export interface RemovalDisk {
  unlink(path: string): void
  syncFolder(path: string): void
}

/**
 * Removes the files, oldest first, and says what went, by series. `gone` is called after each, so that a reader never looks for
 * a file that is no longer there. Throws what the disk throws; what went before that is told by `gone`.
 */
export function carryOut(
  removals: readonly Removal[],
  parts: { disk: RemovalDisk; folderOf: (segment: SegmentDescription) => string; gone: (removal: Removal) => void },
): readonly Removed[] {
  const removed = new Map<string, Removed>()
  for (const removal of removals) {
    const { segment, pinnedBy } = removal
    assert(!segment.active, `${segment.path} is written to and cannot go`)
    parts.disk.unlink(segment.path)
    parts.gone(removal)
    const before = removed.get(segment.series)
    removed.set(segment.series, {
      series: segment.series,
      records: (before?.records ?? 0) + segment.records,
      bytes: (before?.bytes ?? 0) + segment.bytes,
      pinnedBy: [...new Set([...(before?.pinnedBy ?? []), ...pinnedBy])],
    })
  }
  for (const folder of new Set(removals.map(({ segment }) => parts.folderOf(segment)))) parts.disk.syncFolder(folder)
  return [...removed.values()]
}
