// Writes commits into segments and syncs them; knows nothing of threads. A commit is durable when `write` resolves without
// `failed`; when it failed, nothing of it is left that could come back: its segments are cut where it began and never written
// again, and where even that is refused, the next segments name the commit as abandoned.

import { join } from 'node:path'
import { type Disk, type DiskFile, isFull, writeAll } from './disk.ts'
import { makeBlocks } from './frames.ts'
import { type CommitJob, isRecordPart, type Part } from './gather.ts'
import { itemBytes, markBytes, sealRecord } from './record.ts'
import { createReserve } from './reserve.ts'
import { createSegment, removeIfThere, sealSegment, segmentPath, seriesFolder } from './segment-file.ts'
import {
  encodeHeader,
  newSegment,
  noteWritten,
  type Range,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  type Totals,
  type Written,
} from './segment.ts'
import { allSeries } from './series.ts'

export interface WriterSettings {
  readonly folder: string
  readonly epoch: string
  readonly segmentBytes: number
  readonly urgentReserveBytes: number
  readonly diskLowBytes: number
  /** For each series: the number of its next segment, and what it has had before. */
  readonly series: readonly { readonly next: number; readonly totals: Totals }[]
  readonly abandoned: readonly Range[]
}

export interface PartResult {
  readonly series: number
  /** Given back. */
  readonly bytes: Buffer
  readonly segment: number
  /** Present when this commit is the first in its segment. */
  readonly header?: SegmentHeader
  readonly offset: number
  readonly written: readonly Written[]
}

export interface CommitResult {
  readonly commit: number
  readonly parts: readonly PartResult[]
  readonly failed?: { readonly full: boolean; readonly message: string }
  /** Less than `diskLowBytes` are free. */
  readonly low: boolean
}

export interface CommitWriter {
  write(job: CommitJob): Promise<CommitResult>
  /** One step of work that can wait (sealing, preparing, filling); false: there was none. */
  idle(): Promise<boolean>
  close(): Promise<void>
}

interface Active {
  readonly segment: Segment
  readonly file: DiskFile
  /** Zeros were written up to here, so that a commit changes no metadata of the file system. */
  filled: number
  /** Nothing of it is durable yet. */
  fresh: boolean
}

/** Where less was written, nothing is filled ahead: a new gateway starts with small files. */
const fillFromBytes = 512 * 1024
const fillSliceBytes = 1024 * 1024
const fillAheadBytes = 4 * 1024 * 1024
/** How often the free space is asked for at most. */
const freeCheckMs = 250
/** Far more than failures that a disk gets over; the header of a segment has room for this many. */
const abandonedMax = 64

const zeros = Buffer.alloc(fillSliceBytes)

export function createCommitWriter(disk: Disk, settings: WriterSettings, monotonicMs: () => number): CommitWriter {
  const { folder, epoch, segmentBytes, diskLowBytes } = settings
  const series = settings.series.map(({ next, totals }) => ({ next, totals: structuredClone(totals) }))
  const active: (Active | undefined)[] = []
  const prepared: (Active | undefined)[] = []
  const laterSealed: Active[] = []
  const reserve = createReserve(disk, join(folder, 'reserve'), settings.urgentReserveBytes, segmentBytes)
  let abandoned = [...settings.abandoned]
  let low = false
  let checkedAt = -Infinity

  function checkFree(): void {
    if (monotonicMs() - checkedAt < freeCheckMs) return
    checkedAt = monotonicMs()
    low = disk.freeBytes(folder) < diskLowBytes
  }

  function headerFor(number: number, name: number, first: number, createdAtMs: number): SegmentHeader {
    const before = structuredClone(series[name]!.totals)
    return { epoch, series: allSeries[name]!.name, number, createdAtMs, firstSequence: first, before, abandoned }
  }

  function open(name: number, first: number, createdAtMs: number, urgent: boolean): Active {
    const ready = prepared[name]
    prepared[name] = undefined
    const number = ready?.segment.number ?? series[name]!.next++
    const path = segmentPath(folder, name, number)
    const header = headerFor(number, name, first, createdAtMs)
    if (ready) {
      ready.segment.header = header
      try {
        writeAll(ready.file, encodeHeader(header), 0)
      } catch (error) {
        ready.file.close()
        throw error
      }
      return { ...ready, fresh: true }
    }
    disk.makeFolder(seriesFolder(folder, name))
    const file = createOrTake(path, header, urgent)
    return { segment: newSegment(name, path, header), file, filled: file.size(), fresh: true }
  }

  function createOrTake(path: string, header: SegmentHeader, urgent: boolean): DiskFile {
    try {
      return createSegment(disk, path, header)
    } catch (error) {
      if (!urgent || !isFull(error)) throw error
      removeIfThere(disk, path)
      const file = reserve.take(path)
      if (!file) throw error
      writeAll(file, encodeHeader(header), 0)
      return file
    }
  }

  /** The segment that takes `bytes` more; a full one is sealed later, when nobody waits. */
  function roomy(part: Part, bytes: number, urgent: boolean, touched: Active[]): Active {
    const name = part.series
    const now = active[name]
    if (now && (now.segment.length + bytes <= segmentBytes || now.segment.length === segmentHeaderBytes)) return now
    if (now) laterSealed.push(now)
    active[name] = undefined
    const opened = open(name, part.runs[0]?.first ?? 0, part.loggedAtMs, urgent)
    touched.push(opened)
    return (active[name] = opened)
  }

  function writePart(part: Part, job: CommitJob, touched: Active[]): PartResult {
    const { bytes, written } = isRecordPart(part)
      ? sealRecords(part, job.commit)
      : makeBlocks(part.bytes.subarray(0, part.length), job.commit, part.loggedAtMs)
    const to = roomy(part, bytes.length, job.urgent, touched)
    if (!touched.includes(to)) touched.push(to)
    const offset = to.segment.length
    writeAll(to.file, bytes, offset)
    return {
      series: part.series,
      bytes: part.bytes,
      segment: to.segment.number,
      offset,
      written: written.map((one) => ({ ...one, offset: one.offset + offset })),
      ...(to.fresh && { header: to.segment.header }),
    }
  }

  async function write(job: CommitJob): Promise<CommitResult> {
    const touched: Active[] = []
    try {
      checkFree()
      if (low && !job.urgent)
        return fail(job, touched, Object.assign(new Error('the disk is at its low-water mark'), { code: 'ENOSPC' }))
      const parts = job.parts.map((part) => writePart(part, job, touched))
      const synced = await Promise.allSettled(touched.map(({ file }) => file.sync()))
      for (const one of synced) if (one.status === 'rejected') throw one.reason
      for (const one of touched) if (one.fresh) disk.syncFolder(seriesFolder(folder, one.segment.series))
      for (const result of parts) note(job, result)
      return { commit: job.commit, parts, low }
    } catch (error) {
      return fail(job, touched, error)
    }
  }

  function note(job: CommitJob, { series: name, written }: PartResult): void {
    const to = active[name]!
    to.fresh = false
    for (const one of written) {
      noteWritten(to.segment, one)
      series[name]!.totals.records += one.records
      one.fates?.forEach((count, fate) => (series[name]!.totals.fates[fate]! += count))
    }
    to.filled = Math.max(to.filled, to.segment.length)
    const keys = job.parts.find((part) => part.series === name)?.keys
    if (keys) to.segment.keys.push(keys)
  }

  function fail(job: CommitJob, touched: readonly Active[], error: unknown): CommitResult {
    let clean = true
    for (const one of touched) {
      if (active[one.segment.series] === one) active[one.segment.series] = undefined
      clean = cutBack(one) && clean
    }
    if (!clean) {
      abandoned = abandon(abandoned, job.commit)
      // Their headers are on the disk already and do not name it.
      dropPrepared()
    }
    checkedAt = -Infinity
    const message = error instanceof Error ? error.message : String(error)
    const parts = job.parts.map(({ series: name, bytes }) => ({
      series: name,
      bytes,
      segment: 0,
      offset: 0,
      written: [],
    }))
    return { commit: job.commit, parts, failed: { full: isFull(error), message }, low }
  }

  function dropPrepared(): void {
    for (const one of prepared.splice(0)) {
      try {
        one?.file.close()
        if (one) removeIfThere(disk, one.segment.path)
      } catch {
        // It stays as an empty segment, which the next start removes.
      }
    }
  }

  /** After a failed sync the kernel may have dropped the pages and says "done" the next time: the file is never written again. */
  function cutBack({ segment, file, fresh }: Active): boolean {
    try {
      if (fresh) {
        file.close()
        removeIfThere(disk, segment.path)
        disk.syncFolder(seriesFolder(folder, segment.series))
      } else {
        sealSegment(disk, file, segment)
        file.close()
      }
      return true
    } catch {
      return false
    }
  }

  function seal(one: Active): void {
    sealSegment(disk, one.file, one.segment)
    one.file.close()
  }

  /** Zeros ahead of what is written. */
  async function fill(one: Active): Promise<boolean> {
    const wanted = Math.min(one.segment.length + fillAheadBytes, segmentBytes)
    if (low || one.segment.length < fillFromBytes || one.filled + fillSliceBytes > wanted) return false
    writeAll(one.file, zeros, one.filled)
    one.filled += fillSliceBytes
    return true
  }

  async function prepare(one: Active): Promise<boolean> {
    const name = one.segment.series
    if (low || prepared[name] || one.segment.length < segmentBytes * 0.75 || segmentBytes < fillAheadBytes) return false
    const number = series[name]!.next++
    const path = segmentPath(folder, name, number)
    const header = headerFor(number, name, 0, one.segment.lastLoggedAtMs)
    const file = createSegment(disk, path, header)
    // From here on a commit may take it, also while it is being synced: segments are used in the order of their numbers.
    prepared[name] = { segment: newSegment(name, path, header), file, filled: segmentHeaderBytes, fresh: true }
    await file.sync()
    disk.syncFolder(seriesFolder(folder, name))
    return true
  }

  async function step(): Promise<boolean> {
    const full = laterSealed.shift()
    if (full) {
      seal(full)
      return true
    }
    for (const one of active) if (one && ((await fill(one)) || (await prepare(one)))) return true
    return !low && (await reserve.fill(disk.freeBytes(folder) - diskLowBytes))
  }

  return {
    write,
    async idle() {
      try {
        return await step()
      } catch {
        // It can wait, or a start does it: the next commit tells of a disk that fails.
        return false
      }
    },
    async close() {
      for (const one of [...laterSealed, ...active]) {
        try {
          if (one) seal(one)
        } catch {
          // Everything acknowledged is durable already; the next start reads the segment instead of its companion.
        }
      }
      dropPrepared()
      reserve.close()
    },
  }
}

/** The crc of each record, which the front leaves to this thread; and where each run is. */
function sealRecords(part: Part, commit: number): { bytes: Buffer; written: Written[] } {
  const bytes = part.bytes.subarray(0, part.length)
  const written = part.runs.map((run) => {
    for (let at = run.markAt + markBytes; at < run.end; at += itemBytes(bytes, at, run.end)) sealRecord(bytes, at)
    const { first, records, loggedAtMs, loggedAtMsLast } = run
    const last = first + records - 1
    const span = { offset: run.markAt, bytes: run.end - run.markAt, commit, first, last, records }
    return { ...span, loggedAtMs, loggedAtMsLast, idMsMin: 0, idMsMax: 0 }
  })
  return { bytes, written }
}

/** Failures come in rows, so that they merge. */
function abandon(ranges: readonly Range[], commit: number): Range[] {
  const latest = ranges.at(-1)
  if (latest?.to === commit - 1) return [...ranges.slice(0, -1), { from: latest.from, to: commit }]
  return [...ranges, { from: commit, to: commit }].slice(-abandonedMax)
}
