// Where a stream begins: each start point of a request as a place in the log. A cursor of another epoch, or beyond the head, is
// told as a gap and goes on by time; what may come twice then is the price of missing nothing.

import { GapReason } from '../../proto/generated/types.ts'
import type { SubscribeRequest } from '../../proto/generated/types.ts'
import { timestampNs } from '../../proto/time.ts'
import type { Clock } from '../clock.ts'
import type { Lane, LanePosition, Log, Place } from '../log/log.ts'
import type { ReaderPlace, ReadingPlan } from './batches.ts'
import { passing } from './batches.ts'
import { decodeCursor, type Cursor } from './cursor.ts'

export interface Start extends ReaderPlace {
  readonly gaps: readonly StartGap[]
  /** Of a `current` start: where the records of the snapshot stand. Places, not bytes: a reader that stops costs no memory. */
  readonly snapshot: readonly Place[] | undefined
}

export interface StartGap {
  readonly lane: Lane
  /** 0: not known. */
  readonly from: number
  readonly to: number
  readonly reason: GapReason
}

export function startOf(request: SubscribeRequest, plan: ReadingPlan, log: Log, clock: Clock): Start {
  switch (request.start) {
    case 'earliest':
      return plain(earliest(log), 0n)
    case 'afterTime': {
      const time = timestampNs(request.afterTime) ?? 0n
      return plain(log.before(time), time)
    }
    case 'afterCursor':
      return afterCursor(decodeCursor(request.afterCursor, 'after_cursor'), plan, log, clock)
    case 'current':
      return current(plan, log, clock)
    default:
      return plain({ ...log.head }, clock.now())
  }
}

const plain = (bookmark: LanePosition, time: bigint): Start => ({
  bookmark,
  loggedAt: { urgent: time, routine: time },
  gaps: [],
  snapshot: undefined,
})

const earliest = (log: Log): LanePosition => ({ urgent: log.oldest.urgent - 1, routine: log.oldest.routine - 1 })

function current(plan: ReadingPlan, log: Log, clock: Clock): Start {
  const live = plain({ ...log.head }, clock.now())
  const snapshot = log
    .current()
    .filter((record) => plan.filter.lanes.includes(record.lane) && passing(plan, record) !== undefined)
    .map(({ lane, sequence }) => ({ lane, sequence }))
    .toSorted((a, b) => (a.lane === b.lane ? a.sequence - b.sequence : a.lane === 'urgent' ? -1 : 1))
  return { ...live, snapshot }
}

function afterCursor(cursor: Cursor, plan: ReadingPlan, log: Log, clock: Clock): Start {
  if (cursor.inSnapshot) return current(plan, log, clock)
  const { loggedAt } = cursor
  const bookmark = { ...cursor.bookmark }
  const gaps: StartGap[] = []
  for (const lane of plan.filter.lanes) {
    const head = log.head[lane]
    if (cursor.epoch !== log.epoch) gaps.push({ lane, from: 0, to: 0, reason: GapReason.FOREIGN_EPOCH })
    else if (bookmark[lane] > head)
      gaps.push({ lane, from: head + 1, to: bookmark[lane], reason: GapReason.BEYOND_HEAD })
  }
  const lost = (lane: Lane): boolean => cursor.epoch !== log.epoch || bookmark[lane] > log.head[lane]
  for (const lane of ['urgent', 'routine'] as const) {
    if (lost(lane)) bookmark[lane] = Math.min(log.before(loggedAt[lane])[lane], log.head[lane])
  }
  return { bookmark, loggedAt, gaps, snapshot: undefined }
}
