// What gathers for the next commit: frames and their records, encoded straight into one buffer for each series, in the order in
// which they came. Sequences and frame numbers are given here; when a commit fails, what was gathered is encoded again with other ones.

import type { Frame } from '../../proto/generated/types.ts'
import { Fate } from '../../proto/generated/types.ts'
import { putFrame } from './frames.ts'
import type { Lane, NewRecord, Place } from './log.ts'
import { markBytes, putRecord, type Stamp, setMark } from './record.ts'
import { allSeries, framesSeries, recordSeriesCount, refusedSeries, seriesOf } from './series.ts'
import { room, setUint32, type Target } from './wire-bytes.ts'

/** Records of one lane with consecutive sequences, with a mark in front. */
export interface Run {
  readonly markAt: number
  readonly first: number
  records: number
  /** Where it ends. */
  end: number
  readonly loggedAtMs: number
  loggedAtMsLast: number
}

/** What one commit writes into one series. */
export interface Part {
  readonly series: number
  readonly bytes: Buffer
  readonly length: number
  readonly runs: readonly Run[]
  readonly keys?: Uint8Array
  readonly loggedAtMs: number
}

export interface CommitJob {
  readonly commit: number
  /** All of it is urgent: it may take the reserve of a full disk. */
  readonly urgent: boolean
  readonly parts: readonly Part[]
}

interface Open {
  readonly target: Target
  runs: Run[]
  keys: Target | undefined
  loggedAtMs: number
}

/** What the next record of each lane, and the next frame, are numbered. */
export type NextNumbers = Readonly<Record<Lane | 'frame', number>>

export interface Gather {
  readonly bytes: number
  /** Of the frame that was added last. */
  readonly frameNumber: number
  /** Where that one begins in its part. */
  readonly frameAt: number
  /** `rest`: see `NewFrame.encodedRest`. */
  add(frame: Frame, records: readonly NewRecord[], stamp: Stamp, rest?: Uint8Array): readonly Place[]
  /** Ends it: what was added, ready to be written. The numbers go on. */
  finish(commit: number, urgent: boolean): CommitJob
  /** Throws away what was added, and goes on from these numbers. */
  restart(next: NextNumbers): void
  /** A buffer that nobody needs any more. */
  giveBack(bytes: Buffer): void
}

const bufferBytesFirst = 64 * 1024
/** A buffer that grew beyond this for one large message is not kept. */
const bufferBytesKept = 4 * 1024 * 1024
const buffersKept = 12

export function createGather(first: NextNumbers): Gather {
  const pool: Buffer[] = []
  const next = { ...first }
  const usual = allSeries.map(() => bufferBytesFirst)
  let open: (Open | undefined)[] = []
  // The series of the lane's latest record: a run ends where the class changes, so that sequences of a run are dense.
  let latest: Record<Lane, number> = { urgent: -1, routine: -1 }
  let bytes = 0
  let frameAt = 0

  /** One from the pool, or a new one as large as its series took lately: growing means copying. */
  function emptyBuffer(bytesWanted: number): Buffer {
    const index = pool.findIndex(({ length }) => length >= bytesWanted && length <= bytesWanted * 4)
    return index < 0 ? Buffer.allocUnsafeSlow(bytesWanted) : pool.splice(index, 1)[0]!
  }

  function opened(series: number, stamp: Stamp): Open {
    const known = open[series]
    if (known) return known
    const target: Target = { bytes: emptyBuffer(usual[series]!), at: 0 }
    return (open[series] = { target, runs: [], keys: undefined, loggedAtMs: stamp.ms })
  }

  function addRecord(record: NewRecord, frameId: Uint8Array, index: number, frameEvents: number, stamp: Stamp): Place {
    const { lane } = record
    const series = seriesOf(lane, record.retention)
    const part = opened(series, stamp)
    const { target, runs } = part
    const before = target.at
    const sequence = next[lane]++
    let run = runs.at(-1)
    if (latest[lane] !== series || !run) {
      latest[lane] = series
      room(target, markBytes)
      run = { markAt: before, first: sequence, records: 0, end: 0, loggedAtMs: stamp.ms, loggedAtMsLast: stamp.ms }
      runs.push(run)
      target.at += markBytes
    }
    putRecord(target, record, sequence, frameId, index, frameEvents, stamp)
    run.records += 1
    run.end = target.at
    run.loggedAtMsLast = stamp.ms
    bytes += target.at - before
    const key = record.header.dedupKey
    if (key && key.length > 0) putKey((part.keys ??= { bytes: Buffer.allocUnsafeSlow(1024), at: 0 }), key, stamp)
    return { lane, sequence }
  }

  return {
    get bytes() {
      return bytes
    },
    get frameNumber() {
      return next.frame - 1
    },
    get frameAt() {
      return frameAt
    },
    add(frame, records, stamp, rest) {
      const frames = opened(seriesOfFrame(frame), stamp)
      const before = frames.target.at
      frameAt = before
      putFrame(frames.target, frame, records, next.frame++, rest)
      bytes += frames.target.at - before
      const [only] = records
      if (only && records.length === 1) return [addRecord(only, frame.id!, 0, 1, stamp)]
      return records.map((record, index) => addRecord(record, frame.id!, index, records.length, stamp))
    },
    finish(commit, urgent) {
      let mask = 0
      for (const { number } of allSeries) if (open[number]) mask |= 1 << number
      const parts = open.flatMap((part, series) => {
        if (!part) return []
        const { target, runs, keys, loggedAtMs } = part
        usual[series] = Math.max(
          bufferBytesFirst,
          Math.min(target.at * 1.25, usual[series]! * 0.9 + target.at * 0.2) | 0,
        )
        for (const run of runs) {
          const { markAt, first: firstSequence, records, end } = run
          setMark(target.bytes, markAt, {
            commit,
            firstSequence,
            records,
            bytes: end - markAt - markBytes,
            parts: mask,
          })
        }
        const done = { series, bytes: target.bytes, length: target.at, runs, loggedAtMs }
        return [keys ? { ...done, keys: Uint8Array.prototype.slice.call(keys.bytes, 0, keys.at) } : done]
      })
      open = []
      latest = { urgent: -1, routine: -1 }
      bytes = 0
      return { commit, urgent, parts }
    },
    restart(numbers) {
      open.forEach((part) => part && pool.push(part.target.bytes))
      open = []
      latest = { urgent: -1, routine: -1 }
      bytes = 0
      Object.assign(next, numbers)
    },
    giveBack(buffer) {
      if (buffer.length <= bufferBytesKept && pool.length < buffersKept) pool.push(buffer)
    },
  }
}

export const seriesOfFrame = ({ fate }: Frame): number =>
  fate === Fate.REFUSED || fate === Fate.WAITING ? refusedSeries : framesSeries

export const isRecordPart = (part: { readonly series: number }): boolean => part.series < recordSeriesCount

function putKey(target: Target, key: Uint8Array, stamp: Stamp): void {
  room(target, 9 + key.length)
  setUint32(target.bytes, target.at, stamp.low)
  setUint32(target.bytes, target.at + 4, stamp.high)
  target.bytes[target.at + 8] = key.length
  target.bytes.set(key, target.at + 9)
  target.at += 9 + key.length
}

/** Calls back for each key of a companion's `keys`. */
export function eachKey(keys: Uint8Array, see: (key: string, loggedAt: bigint) => void): void {
  const buffer = Buffer.from(keys.buffer, keys.byteOffset, keys.length)
  for (let at = 0; at + 9 <= buffer.length;) {
    const length = buffer[at + 8]!
    see(buffer.toString('latin1', at + 9, at + 9 + length), buffer.readBigInt64LE(at))
    at += 9 + length
  }
}
