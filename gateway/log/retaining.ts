// Carries out what retention.ts decides: whole segments go, with their companions, and what is in memory of them.

import { join } from 'node:path'
import type { Alarms } from '../alarms.ts'
import type { Current } from './current.ts'
import type { Disk } from './disk.ts'
import type { Bookmarks, Holds, Removed } from './log.ts'
import type { LogTime } from './log-time.ts'
import { carryOut, decideRemovals, type Removal, type RetentionSettings, type SegmentDescription } from './retention.ts'
import { removeIfThere } from './segment-file.ts'
import { companionOf, type Segment } from './segment.ts'
import { allSeries, type Series } from './series.ts'

export interface RetainingParts {
  readonly disk: Disk
  readonly folder: string
  readonly segments: readonly Segment[][]
  readonly settings: RetentionSettings
  readonly diskLowBytes: number
  readonly logTime: LogTime
  readonly bookmarks: Bookmarks
  readonly holds: Holds
  readonly current: Current
  readonly alarms: Pick<Alarms, 'raise'>
  forget(segment: Segment): void
}

export function createRetaining(parts: RetainingParts): (now: bigint) => Promise<readonly Removed[]> {
  const { disk, folder, segments, settings, diskLowBytes, logTime, bookmarks, holds, current, alarms, forget } = parts

  function gone({ segment: { path, series: name }, pinnedBy }: Removal): void {
    const series: Series = allSeries.find((one) => one.name === name)!
    const list = segments[series.number]!
    const index = list.findIndex((segment) => segment.path === path)
    const [segment] = list.splice(index, 1)
    removeIfThere(disk, companionOf(path))
    forget(segment!)
    if (series.lane && series.retention) current.removed(series.lane, series.retention, segment!.last)
    for (const reader of pinnedBy) {
      alarms.raise(
        'retention_gap',
        reader,
        `${reader} had not read all of ${path}, which was removed to make room: it is told of a gap.`,
      )
    }
  }

  return async (now) => {
    const short = diskLowBytes - disk.freeBytes(folder)
    const removals = decideRemovals({
      segments: segments.flatMap((list) => list.map((segment) => describe(segment, segment === list.at(-1)))),
      settings,
      now,
      stepped: logTime.stepped(),
      pins: bookmarks.list().filter(({ pins }) => pins),
      holds: holds.list(),
      ...(short > 0 && { shortOfBytes: short }),
    })
    return carryOut(removals, { disk, folderOf: ({ series }) => join(folder, series), gone })
  }
}

function describe(segment: Segment, active: boolean): SegmentDescription {
  const series: Series = allSeries[segment.series]!
  return {
    path: segment.path,
    series: series.name,
    number: segment.number,
    class: series.retention ?? (series.name === 'refused' ? 'refused' : 'frames'),
    lane: series.lane,
    active,
    bytes: segment.length,
    records: segment.totals.records,
    lastSequence: segment.last,
    firstLoggedAt: BigInt(segment.firstLoggedAtMs) * 1_000_000n,
    // The millisecond is cut: what was logged within it is not older than its end.
    lastLoggedAt: BigInt(segment.lastLoggedAtMs + 1) * 1_000_000n,
  }
}
