// What is left of a write that nobody was told is safe: the last commit before a stop, when not all of it reached the disk, and
// commits that failed and could not be cut off. Of the first, frames that are whole stay; everything else is zeroed.

import { makeBlock, blockLoggedAtMs } from './frames.ts'
import { isRecordPart } from './gather.ts'
import type { Lane } from './log.ts'
import { markBytes } from './record.ts'
import { type Gap, framesOf, type Item, rescan, type Scan } from './scan.ts'
import { type Range, type Segment, segmentHeaderBytes } from './segment.ts'
import { framesSeries, laneOfSeries, refusedSeries } from './series.ts'
import { latin1 } from './wire-bytes.ts'
import { decodeFrame } from './stored.ts'

export interface Cleared {
  /** How many frames were cut off. */
  readonly frames: number
  /** Of a torn commit: what is kept, and the last sequence before it; undefined: no commit was torn. */
  readonly torn: Readonly<Record<Lane, { readonly before: number; readonly kept: readonly number[] }>> | undefined
  readonly lastCommit: number
}

interface Situation {
  readonly scans: Scan[]
  readonly sealed: readonly Segment[]
  readonly abandoned: readonly Range[]
}

export function clearTorn({ scans, sealed, abandoned }: Situation): Cleared {
  for (const [index, scan] of scans.entries()) {
    const isLatest = scans[index + 1]?.segment.series !== scan.segment.series
    if (abandoned.length > 0) clearAbandoned(scan, abandoned, isLatest)
  }
  const sealedCommit = Math.max(0, ...sealed.map(({ lastCommit }) => lastCommit))
  clearHeadless(scans)
  const lastCommit = Math.max(0, ...scans.map(commitOf))
  const tails = scans.map((scan) => tailOf(scan, lastCommit > sealedCommit ? lastCommit : -1))
  const frames = countFrames(tails)
  if (!isTorn(tails, frames, lastCommit)) return { frames: 0, torn: undefined, lastCommit }

  if (!isDamaged(tails)) {
    const isUnfinished = idsOf(tails, lastCommit).some((id) => !isWhole(frames.get(id)!))
    keepBeginning(frames, isUnfinished ? numberBefore(tails, sealed) : 0)
  }
  const torn = { urgent: { before: 0, kept: [] as number[] }, routine: { before: 0, kept: [] as number[] } }
  for (const { series, last } of sealed) noteBefore(torn, series, last)
  for (const tail of tails) clearTail(tail, lastCommit, frames, torn)
  const gone = [...frames.values()].filter((frame) => !isWhole(frame)).length
  return { frames: gone, torn, lastCommit }
}

/**
 * A header is synced with the first commit of its segment: without it that commit was never acknowledged, and what the header said
 * of abandoned commits is not known. With more than one commit behind it, it is the header alone that was lost.
 */
function clearHeadless(scans: readonly Scan[]): void {
  const latest = Math.max(0, ...scans.map(commitOf))
  for (const scan of scans) {
    if (!scan.hasNoHeader || scan.before > 0 || (commitOf(scan) > 0 && commitOf(scan) < latest)) continue
    zero(scan, segmentHeaderBytes, scan.bytes.length)
    rescan(scan)
  }
}

/** What may be torn in one segment. */
interface Tail {
  readonly scan: Scan
  readonly items: readonly Item[]
  readonly gaps: readonly Gap[]
}

function tailOf(scan: Scan, commit: number): Tail {
  const inLast = (of: number): boolean => of === 0 || of === commit
  const gaps = scan.gaps.filter((gap) => inLast(gap.commit) && !gap.cleared)
  return { scan, items: scan.tail.filter((item) => inLast(item.commit)), gaps }
}

const commitOf = ({ marks, tail }: Scan): number => Math.max(0, marks[0]?.mark.commit ?? 0, tail.at(-1)?.commit ?? 0)

/** How many records of a frame there are and should be, and whether the frame itself is there. */
interface FrameCount {
  records: number
  wanted: number
  kept: boolean
  /** Of the frame itself; 0: it is not there, or is older than numbers are. */
  number: number
}

/** Somebody may append a frame twice: then there are twice as many. */
const isWhole = ({ records, wanted, kept }: FrameCount): boolean =>
  kept && (wanted === 0 ? records === 0 : records > 0 && records % wanted === 0)

function countFrames(tails: readonly Tail[]): Map<string, FrameCount> {
  const counts = new Map<string, FrameCount>()
  const countOf = (id: string, wanted: number): FrameCount => {
    const known = counts.get(id) ?? { records: 0, wanted, kept: false, number: 0 }
    counts.set(id, known)
    return known
  }
  for (const { scan, items } of tails) {
    for (const item of items) {
      if (isRecordPart(scan.segment)) countOf(item.frameId, item.frameEvents).records += 1
      else
        for (const entry of framesOf(scan, item)) {
          const { events = 0, number = 0n } = decodeFrame(entry)
          Object.assign(countOf(latin1(entry.id), events), { kept: true, number: Number(number) })
        }
    }
  }
  return counts
}

/**
 * What stays is a beginning, in the order in which the frames were appended: a sender that was not acknowledged sends all of them again,
 * and what stayed from the middle would stand before what came before it.
 */
function keepBeginning(frames: Map<string, FrameCount>, before: number): void {
  const byNumber = [...frames.values()].filter(({ number }) => number > 0).toSorted((a, b) => a.number - b.number)
  const first = byNumber[0]?.number ?? 1
  // A commit that failed may stand elsewhere under the numbers that were given again: then only what follows a hole goes.
  let last = before > 0 && before < first ? before : first - 1
  for (const frame of byNumber) {
    if (frame.number === last + 1 && isWhole(frame)) last += 1
    else frame.kept = false
  }
}

/** The frames that are surely of this commit, by what is there of them. */
const idsOf = (tails: readonly Tail[], commit: number): string[] =>
  tails.flatMap(({ scan, items }) =>
    items
      .filter((item) => item.commit === commit)
      .flatMap((item) =>
        isRecordPart(scan.segment) ? item.frameId : framesOf(scan, item).map(({ id }) => latin1(id)),
      ),
  )

/** What is missing for another reason than a loss of power says nothing of what was acknowledged. */
const isDamaged = (tails: readonly Tail[]): boolean =>
  tails.some(({ gaps }) => gaps.some(({ torn, cleared }) => !torn && !cleared))

/** The number of the last frame before a commit that was surely cut through; 0: not known. */
function numberBefore(tails: readonly Tail[], sealed: readonly Segment[]): number {
  const ofFrames = (series: number): boolean => series === framesSeries || series === refusedSeries
  const numbers = [
    ...sealed.filter(({ series }) => ofFrames(series)).map(({ last }) => last),
    ...tails
      .filter(({ scan }) => ofFrames(scan.segment.series))
      .map(({ scan, items }) => (items.length > 0 ? scan.numberBefore : scan.segment.last)),
  ]
  return Math.max(0, ...numbers)
}

function isTorn(tails: readonly Tail[], frames: ReadonlyMap<string, FrameCount>, lastCommit: number): boolean {
  const gaps = tails.flatMap((tail) => tail.gaps)
  if (gaps.some(({ torn }) => torn)) return true
  const present = new Set(tails.filter(({ items }) => items.length > 0).map(({ scan }) => scan.segment.series))
  const claimed = tails.flatMap(({ scan }) => scan.marks).filter(({ mark }) => mark.commit === lastCommit)
  const hasTail = tails.some(({ items }) => items.length > 0)
  // Damage is never taken for a torn write: what is missing then is missing for that reason.
  if (!hasTail || gaps.length > 0) return false
  if (
    claimed.some(({ mark }) => [0, 1, 2, 3, 4, 5].some((series) => mark.parts & (1 << series) && !present.has(series)))
  )
    return true
  return [...frames.values()].some((frame) => !isWhole(frame))
}

type Torn = Record<Lane, { before: number; kept: number[] }>

function noteBefore(torn: Torn, series: number, last: number): void {
  if (series > 3) return
  const lane = torn[laneOfSeries(series)]
  lane.before = Math.max(lane.before, last)
}

function clearTail(
  { scan, items, gaps }: Tail,
  lastCommit: number,
  frames: ReadonlyMap<string, FrameCount>,
  torn: Torn,
): void {
  const { series } = scan.segment
  const isRecords = isRecordPart(scan.segment)
  noteBefore(torn, series, items.length + gaps.length > 0 ? scan.before : scan.segment.last)
  if (items.length + gaps.length === 0) return
  for (const { start, end } of gaps) zero(scan, start, end)
  for (const item of items) {
    if (!isRecords) clearFrames(scan, item, frames)
    else if (isWhole(frames.get(item.frameId)!)) torn[laneOfSeries(series)].kept.push(item.sequence)
    else zero(scan, item.at, item.at + item.size)
  }
  // A mark that has nothing behind it any more would give sequences away.
  for (const { at, mark } of scan.marks) {
    const end = at + markBytes + mark.bytes
    const kept = items.some((item) => item.at > at && item.at < end && isWhole(frames.get(item.frameId)!))
    if (isRecords && !kept && mark.commit === lastCommit) zero(scan, at, at + markBytes)
  }
  rescan(scan)
}

/** Frames whose records are not all there go from their block, which keeps its place. */
function clearFrames(scan: Scan, { at, size, commit }: Item, frames: ReadonlyMap<string, FrameCount>): void {
  const entries = framesOf(scan, { at } as Item)
  const kept = entries.filter(({ id }) => isWhole(frames.get(latin1(id))!))
  if (kept.length === entries.length) return
  if (kept.length === 0) return zero(scan, at, at + size)
  const raw = Buffer.concat(kept.map(({ whole }) => whole))
  const block = makeBlock(raw, commit, blockLoggedAtMs(scan.bytes, at), size)
  if (!block) return
  block.copy(scan.bytes, at)
  scan.changed.push({ from: at, to: at + size })
}

function zero(scan: Scan, start: number, end: number): void {
  scan.bytes.fill(0, start, end)
  scan.changed.push({ from: start, to: end })
}

function clearAbandoned(scan: Scan, abandoned: readonly Range[], isLatest: boolean): void {
  const gone = (commit: number): boolean => abandoned.some(({ from, to }) => commit >= from && commit <= to)
  const starts = [
    ...scan.marks.filter(({ mark }) => gone(mark.commit)).map(({ at }) => at),
    ...scan.tail.filter(({ commit }) => gone(commit) || (commit === 0 && !isLatest)).map(({ at }) => at),
    ...scan.gaps.filter(({ commit }) => gone(commit) || (commit === 0 && !isLatest)).map(({ start }) => start),
  ]
  if (starts.length === 0) return
  // Nothing was written to a segment after a commit had failed in it.
  zero(scan, Math.min(...starts), scan.bytes.length)
  rescan(scan)
}
