// The series of segments that make up the log: the records of each lane and retention class, the frames as they were received,
// and the frames that were refused.

import type { Lane, Retention } from './log.ts'

export interface Series {
  /** Bit n of CommitMark.parts. */
  readonly number: number
  /** Also the name of its folder. */
  readonly name: string
  /** Absent for frames. */
  readonly lane?: Lane
  readonly retention?: Retention
}

export const allSeries = [
  { number: 0, name: 'urgent-standard', lane: 'urgent', retention: 'standard' },
  { number: 1, name: 'urgent-record', lane: 'urgent', retention: 'record' },
  { number: 2, name: 'routine-standard', lane: 'routine', retention: 'standard' },
  { number: 3, name: 'routine-record', lane: 'routine', retention: 'record' },
  { number: 4, name: 'frames' },
  { number: 5, name: 'refused' },
] as const satisfies readonly Series[]

export const framesSeries = 4
export const refusedSeries = 5
export const recordSeriesCount = 4

export const seriesOf = (lane: Lane, retention: Retention): number =>
  (lane === 'urgent' ? 0 : 2) + (retention === 'record' ? 1 : 0)

export const laneOfSeries = (series: number): Lane => (series < 2 ? 'urgent' : 'routine')
export const seriesOfLane: Readonly<Record<Lane, readonly number[]>> = { urgent: [0, 1], routine: [2, 3] }
