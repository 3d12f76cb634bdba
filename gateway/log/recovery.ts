// What a start finds on the disk. Sealed segments are known by their companions; the others are scanned. Only the last commit
// after an unclean stop can be torn: of it, the frames that are whole are kept and the rest is cleared, because nobody was told
// that it is safe. Everything else that is not sound is damage: it is reported, and costs itself alone.

import { join, relative } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { type Disk, type DiskFile, isFull } from './disk.ts'
import { isRecordPart } from './gather.ts'
import type { Lane, LanePosition } from './log.ts'
import { lanes } from './log.ts'
import { applyPatches, endPatches, notePatches, redoPatches } from './patch.ts'
import { nextNonZero, type Scan, scanSegment, sectorBytes } from './scan.ts'
import { readCompanion, readHeader, readWhole, removeIfThere, sealSegment, seriesFolder } from './segment-file.ts'
import {
  companionOf,
  encodeHeader,
  newSegment,
  noTotals,
  numberOf,
  type Range,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  type Totals,
} from './segment.ts'
import { allSeries, framesSeries, refusedSeries, seriesOfLane } from './series.ts'
import { clearTorn, type Cleared } from './torn.ts'

export interface Damage {
  readonly path: string
  /** Bytes of the file. */
  readonly from: number
  readonly to: number
  /** Sequences that are lost, as far as the marks tell; 0: none, or it is not known. */
  readonly sequences: Range
}

export interface Recovered {
  /** undefined: there is no log yet. */
  readonly epoch: string | undefined
  /** By number of series, then of segment. */
  readonly segments: readonly Segment[][]
  readonly head: LanePosition
  /** Number of the last frame. */
  readonly frameHead: number
  readonly lastCommit: number
  readonly next: readonly { readonly next: number; readonly totals: Totals }[]
  readonly damage: readonly Damage[]
  /** Frames of a torn commit that were cut off: never acknowledged. */
  readonly cleared: number
}

interface Found {
  readonly segments: Segment[][]
  readonly scans: Scan[]
  readonly damage: Damage[]
  abandoned: Range[]
  epoch: string | undefined
  next: number[]
}

export function recover(disk: Disk, folder: string): Recovered {
  const found: Found = { segments: [], scans: [], damage: [], abandoned: [], epoch: undefined, next: [] }
  const voids = redoPatches(disk, folder)
  for (const { number } of allSeries) findSegments(disk, folder, number, found)
  for (const { segment } of found.scans) segment.voids.push(...(voids[relative(folder, segment.path)] ?? []))
  const sealed = found.segments.flat().filter((segment) => segment.sealed)
  const cleared = clearTorn({ scans: found.scans, sealed, abandoned: found.abandoned })
  const head = {} as Record<Lane, number>
  for (const lane of lanes) head[lane] = Math.max(0, ...ofLane(found, lane).map(({ last }) => last))
  if (cleared.torn) noteHoles(found, cleared.torn, head)
  clear(disk, folder, found.scans)
  const frameHead = frameHeadOf(found)
  for (const scan of found.scans) {
    if (isEmpty(scan)) drop(disk, folder, scan, found)
    else settle(disk, scan, found.damage)
  }
  endPatches(disk, folder)
  const commits = found.segments.flat().map(({ lastCommit }) => lastCommit)
  const lastCommit = Math.max(0, cleared.lastCommit, ...commits, ...found.abandoned.map(({ to }) => to))
  const next = found.segments.map((segments, series) => ({
    next: found.next[series]!,
    totals: totalsAfter(segments.at(-1)),
  }))
  const { epoch, damage } = found
  return { epoch, segments: found.segments, head, frameHead, lastCommit, next, damage, cleared: cleared.frames }
}

function findSegments(disk: Disk, folder: string, series: number, found: Found): void {
  const segments: Segment[] = []
  found.segments[series] = segments
  const names = disk.list(seriesFolder(folder, series))
  const numbers = names.flatMap((name) => numberOf(name) ?? []).toSorted((a, b) => a - b)
  found.next[series] = (numbers.at(-1) ?? 0) + 1
  for (const name of names) if (name.endsWith('.new')) removeIfThere(disk, join(seriesFolder(folder, series), name))
  for (const number of numbers) {
    const segment = openSegment(disk, folder, series, number, found, segments.at(-1))
    if (!segment) continue
    // A search goes through segments in order: one in which nothing is sound, or no frame has a number, keeps its place.
    if (segment.last === 0) segment.last = segments.at(-1)?.last ?? 0
    segments.push(segment)
  }
}

function openSegment(
  disk: Disk,
  folder: string,
  series: number,
  number: number,
  found: Found,
  previous: Segment | undefined,
): Segment | undefined {
  const path = join(seriesFolder(folder, series), `${String(number).padStart(8, '0')}.seg`)
  const file = disk.open(path, 'read')
  try {
    const read = readHeader(file)
    if (read === 'foreign') {
      throw new GatewayError(
        'log_foreign',
        `${path} was written by a newer version; start that version, or restore a backup of this one`,
      )
    }
    found.epoch ??= read?.epoch
    if (read) found.abandoned = [...found.abandoned, ...read.abandoned]
    const header = read ?? guessHeader(series, number, found, previous)
    const known = readCompanion(disk, series, path, header, file.size())
    if (known) return known
    const scan = scanSegment(newSegment(series, path, header), readWhole(disk, path)!)
    if (!read) repairHeader(scan, found.damage)
    found.scans.push(scan)
    return scan.segment
  } finally {
    file.close()
  }
}

/** Written anew. One that is all zeros never reached the disk. */
function repairHeader(scan: Scan, damage: Damage[]): void {
  const { segment, bytes, changed } = scan
  const isLost = nextNonZero(bytes, 0) >= Math.min(sectorBytes, bytes.length)
  scan.hasNoHeader = isLost
  if (!isLost) damage.push({ path: segment.path, from: 0, to: segmentHeaderBytes, sequences: { from: 0, to: 0 } })
  if (bytes.length < segmentHeaderBytes) return
  encodeHeader(segment.header).copy(bytes)
  changed.push({ from: 0, to: segmentHeaderBytes })
}

/** A damaged header costs nothing: its facts stand elsewhere too. */
function guessHeader(series: number, number: number, found: Found, previous: Segment | undefined): SegmentHeader {
  const before = totalsAfter(previous)
  const { name } = allSeries[series]!
  return { epoch: found.epoch ?? '', series: name, number, createdAtMs: 0, firstSequence: 0, before, abandoned: [] }
}

export function totalsAfter(segment: Segment | undefined): Totals {
  if (!segment) return noTotals()
  const { before } = segment.header
  return {
    records: before.records + segment.totals.records,
    fates: before.fates.map((count, fate) => count + (segment.totals.fates[fate] ?? 0)),
  }
}

const ofLane = ({ segments }: Found, lane: Lane): Segment[] =>
  seriesOfLane[lane].flatMap((series) => segments[series] ?? [])

/** Far more frames than gather between two commits. */
const lostFramesMax = 1 << 20

/**
 * How many frames stood where the end of a series is damaged is not known, and they were acknowledged: their numbers are not given
 * again. Marks tell it of records.
 */
function frameHeadOf({ segments, scans }: Found): number {
  const head = Math.max(
    0,
    ...[framesSeries, refusedSeries].flatMap((series) => segments[series]!.map(({ last }) => last)),
  )
  const damaged = scans.filter(
    ({ segment, gaps }) =>
      !isRecordPart(segment) && gaps.some(({ start, cleared }) => !cleared && start >= segment.length),
  )
  for (const { segment } of damaged) segment.last = head + lostFramesMax
  return damaged.length > 0 ? head + lostFramesMax : head
}

/** Sequences that a torn commit left out are void: no reader is told of them. */
function noteHoles(found: Found, torn: NonNullable<Cleared['torn']>, head: LanePosition): void {
  for (const lane of lanes) {
    const { before, kept } = torn[lane]
    const scan = found.scans.findLast(({ segment }) => allSeries[segment.series]!.name.startsWith(lane))
    if (!scan || head[lane] === before) continue
    let expected = before + 1
    for (const sequence of [...kept.toSorted((a, b) => a - b), head[lane] + 1]) {
      if (sequence > expected) scan.segment.voids.push({ from: expected, to: sequence - 1 })
      expected = sequence + 1
    }
  }
}

/** Prepared and not used, or all that was in it was torn. */
const isEmpty = ({ segment, gaps }: Scan): boolean =>
  segment.totals.records === 0 && gaps.every(({ cleared }) => cleared)

function drop(disk: Disk, folder: string, { segment }: Scan, found: Found): void {
  const list = found.segments[segment.series]!
  list.splice(list.indexOf(segment), 1)
  disk.unlink(segment.path)
  removeIfThere(disk, companionOf(segment.path))
  disk.syncFolder(seriesFolder(folder, segment.series))
}

/**
 * All is cleared before anything is sealed, because a companion says that the commits of its segment were whole; and it is noted
 * first, so that a stop in between changes nothing. A disk without room for the note is cleared all the same.
 */
function clear(disk: Disk, folder: string, scans: readonly Scan[]): void {
  const patches = scans.flatMap(({ segment, bytes, changed }) => {
    const path = relative(folder, segment.path)
    return changed.map(({ from, to }) => ({ path, offset: from, bytes: bytes.subarray(from, to) }))
  })
  if (patches.length === 0) return
  const voids = scans.map(({ segment }) => [relative(folder, segment.path), segment.voids] as const)
  try {
    notePatches(disk, folder, patches, Object.fromEntries(voids))
  } catch (error) {
    if (!isFull(error)) throw error
  }
  applyPatches(disk, folder, patches)
}

/** The segment is closed for good, and its companion is written. */
function settle(disk: Disk, { segment, gaps }: Scan, damage: Damage[]): void {
  for (const { start, end, cleared, from, to } of gaps) {
    if (cleared && from > 0) segment.voids.push({ from, to })
    if (cleared) continue
    if (from > 0) segment.damaged.push({ from, to })
    damage.push({ path: segment.path, from: start, to: end, sequences: { from, to } })
  }
  const file: DiskFile = disk.open(segment.path, 'write')
  try {
    sealSegment(disk, file, segment)
  } finally {
    file.close()
  }
}
