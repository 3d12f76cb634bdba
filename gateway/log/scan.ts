// Reads a segment from its bytes alone. Whatever does not carry a right checksum is a gap, and the scan goes on at the next byte
// that begins something sound: a damaged record costs itself alone.

import { blockCommit, claimedBlockBytes, describeBlock, frameEntries, soundBlockBytes, unpackBlock } from './frames.ts'
import { dedupKeyOf } from './record-header.ts'
import {
  claimedBytes,
  flagsAt,
  flagVoid,
  frameEventsAt,
  frameIdAt,
  headerAt,
  itemBytes,
  loggedAt,
  loggedAtMsAt,
  type Mark,
  markAt,
  markBytes,
  markTag,
  recordTag,
  sequenceAt,
  soundItemBytes,
} from './record.ts'
import { newSegment, noteWritten, type Range, type Segment, segmentHeaderBytes } from './segment.ts'
import { isRecordPart } from './gather.ts'
import { latin1 } from './wire-bytes.ts'

export interface Gap {
  readonly start: number
  readonly end: number
  /** Only zeros: an earlier recovery cleared it. */
  readonly cleared: boolean
  /** A whole sector never reached the disk, as after a loss of power. */
  readonly torn: boolean
  /** The commit whose mark says that this is part of it; 0: no mark says so, and it may be of the last one; -1: it is not. */
  commit: number
  /** Sequences that the marks say are lost here. */
  readonly from: number
  readonly to: number
}

/** A record or a block of frames. */
export interface Item {
  readonly at: number
  readonly size: number
  /** 0: its mark is lost. */
  readonly commit: number
  readonly sequence: number
  /** Records: the frame and how many records it gave. */
  readonly frameId: string
  readonly frameEvents: number
}

export interface Scan {
  readonly segment: Segment
  readonly bytes: Buffer
  readonly gaps: Gap[]
  /** Of its last commit and of what follows without a mark. */
  readonly tail: Item[]
  /** Runs of its last commit: what their marks say. */
  marks: { readonly at: number; readonly mark: Mark }[]
  /** The last sequence before its last commit; frames: how many commits came before it. */
  before: number
  /** Of frames: the last number before its last commit. */
  numberBefore: number
  /** Its header never reached the disk. */
  hasNoHeader: boolean
  /** Bytes that differ from the file. */
  readonly changed: Range[]
}

export const sectorBytes = 512

export function scanSegment(segment: Segment, bytes: Buffer): Scan {
  const scan: Scan = {
    segment,
    bytes,
    gaps: [],
    tail: [],
    marks: [],
    before: 0,
    numberBefore: 0,
    hasNoHeader: false,
    changed: [],
  }
  if (isRecordPart(segment)) scanRecords(scan)
  else scanFrames(scan)
  return scan
}

/** After `bytes` were changed. */
export function rescan(scan: Scan): void {
  const { series, path, header, voids } = scan.segment
  Object.assign(scan.segment, newSegment(series, path, header), { voids })
  for (const list of [scan.gaps, scan.tail, scan.marks]) list.length = 0
  scan.before = 0
  scan.numberBefore = 0
  if (isRecordPart(scan.segment)) scanRecords(scan)
  else scanFrames(scan)
}

function scanRecords(scan: Scan): void {
  const { bytes } = scan
  const end = bytes.length
  let run: Run | undefined
  let at = segmentHeaderBytes
  while (at < end) {
    const size = soundItemBytes(bytes, at, end)
    if (size === 0) {
      const next = nextSound(bytes, at + 1, end, soundItemBytes, recordStart)
      if (next === end && nextNonZero(bytes, at) === end && !(run && at < run.end)) break
      at = addGap(scan, run, at, next)
      if (run && at >= run.end) run = closeRun(scan, run)
      continue
    }
    if (bytes[at] === markTag) {
      if (run) closeRun(scan, run)
      const mark = markAt(bytes, at)
      run = startRun(scan, mark, at)
    } else {
      if (run && at >= run.end) run = closeRun(scan, run)
      addRecord(scan, (run ??= lostRun(at)), at, size)
    }
    at += size
  }
  if (run) closeRun(scan, run)
}

interface Run {
  readonly at: number
  readonly commit: number
  readonly first: number
  readonly last: number
  /** Where the mark says that it ends. */
  readonly end: number
  found: number
  latest: number
  end2: number
  loggedAtMs: number
  loggedAtMsLast: number
}

function startRun(scan: Scan, mark: Mark, at: number): Run {
  const previous = scan.marks.at(-1)
  if (previous && previous.mark.commit !== mark.commit) {
    scan.marks = []
    scan.before = previous.mark.firstSequence + previous.mark.records - 1
    // What stands without a mark between two commits may be of either; what stands further back was whole once.
    const tail = scan.tail.filter((item) => item.commit === 0 && item.at > previous.at)
    scan.tail.splice(0, scan.tail.length, ...tail)
    for (const gap of scan.gaps) if (gap.commit === 0 && gap.start < previous.at) gap.commit = -1
  }
  scan.marks.push({ at, mark })
  const { commit, firstSequence: first, records } = mark
  const last = first + records - 1
  const end = at + markBytes + mark.bytes
  return {
    at,
    commit,
    first,
    last,
    end,
    found: 0,
    latest: first - 1,
    end2: at + markBytes,
    loggedAtMs: 0,
    loggedAtMsLast: 0,
  }
}

/** Records whose mark is lost. */
const lostRun = (at: number): Run => ({
  at,
  commit: 0,
  first: 0,
  last: 0,
  end: Number.MAX_SAFE_INTEGER,
  found: 0,
  latest: 0,
  end2: at,
  loggedAtMs: 0,
  loggedAtMsLast: 0,
})

function closeRun({ segment }: Scan, run: Run): undefined {
  const { at: offset, commit, found: records, loggedAtMs, loggedAtMsLast } = run
  const first = run.first || run.latest - records + 1
  const last = Math.max(run.last, run.latest)
  const bytes = Math.max(run.end2, run.commit === 0 ? 0 : run.end) - offset
  noteWritten(segment, {
    offset,
    bytes,
    commit,
    first,
    last,
    records,
    loggedAtMs,
    loggedAtMsLast,
    idMsMin: 0,
    idMsMax: 0,
  })
  return undefined
}

function addRecord({ segment, bytes, tail }: Scan, run: Run, at: number, size: number): void {
  const sequence = sequenceAt(bytes, at)
  run.latest = Math.max(run.latest, sequence)
  run.end2 = at + size
  run.loggedAtMsLast = loggedAtMsAt(bytes, at)
  run.loggedAtMs ||= run.loggedAtMsLast
  if (flagsAt(bytes, at) & flagVoid) return
  run.found += 1
  const key = dedupKeyOf(headerAt(bytes, at))
  if (key && key.length > 0) segment.keys.push(keyEntry(key, loggedAt(bytes, at)))
  const frameId = latin1(frameIdAt(bytes, at))
  tail.push({ at, size, commit: run.commit, sequence, frameId, frameEvents: frameEventsAt(bytes, at) })
}

function keyEntry(key: Uint8Array, at: bigint): Uint8Array {
  const entry = Buffer.allocUnsafe(9 + key.length)
  entry.writeBigInt64LE(at)
  entry[8] = key.length
  entry.set(key, 9)
  return entry
}

/** Returns where the scan goes on. */
function addGap({ bytes, gaps }: Scan, run: Run | undefined, start: number, next: number): number {
  const inRun = run && run.commit > 0 && start < run.end
  // A gap ends where its run does, so that what follows is judged for itself.
  const end =
    next === bytes.length ? Math.min(bytes.length, Math.max(lastNonZero(bytes, start) + 1, inRun ? run.end : 0)) : next
  // Where nothing sound follows, it ends where its run does, or where what begins here says that it ends.
  const said = inRun ? run.end : start + Math.max(claimedBytes(bytes, start, bytes.length), markBytes)
  const claimed = next === bytes.length ? Math.max(end, said) : end
  const nextSequence = next < bytes.length && bytes[next] === recordTag ? sequenceAt(bytes, next) : 0
  const to = !run || run.commit === 0 ? 0 : nextSequence > 0 && nextSequence <= run.last ? nextSequence - 1 : run.last
  const from = run && run.commit > 0 && run.latest < to ? run.latest + 1 : 0
  gaps.push({
    start,
    end,
    cleared: nextNonZero(bytes, start) >= end,
    torn: lacksSector(bytes, start, claimed, next === bytes.length),
    commit: inRun ? run.commit : 0,
    from,
    to: from === 0 ? 0 : to,
  })
  if (run && from > 0) run.latest = to
  return Math.max(end, start + 1)
}

function scanFrames(scan: Scan): void {
  const { segment, bytes, gaps, tail } = scan
  const end = bytes.length
  let latest = 0
  for (let at = segmentHeaderBytes; at < end;) {
    const size = soundBlockBytes(bytes, at, end)
    if (size === 0) {
      const next = nextSound(bytes, at + 1, end, soundBlockBytes, blockStart)
      if (next === end && nextNonZero(bytes, at) === end) break
      const stop = next === end ? lastNonZero(bytes, at) + 1 : next
      const cleared = nextNonZero(bytes, at) >= stop
      const claimed = next === end ? Math.max(stop, at + claimedBlockBytes(bytes, at, end)) : stop
      const torn = lacksSector(bytes, at, claimed, next === end)
      gaps.push({ start: at, end: stop, cleared, torn, commit: 0, from: 0, to: 0 })
      at = stop
      continue
    }
    const commit = blockCommit(bytes, at)
    if (commit !== latest) {
      tail.length = 0
      if (latest > 0) scan.before += 1
      scan.numberBefore = segment.last
      for (const gap of gaps) if (gap.commit === 0 && latest > 0) gap.commit = -1
    }
    latest = commit
    noteWritten(segment, describeBlock(bytes, at, at))
    tail.push({ at, size, commit, sequence: 0, frameId: '', frameEvents: 0 })
    at += size
  }
}

/** The frames in blocks of a scan. */
export const framesOf = ({ bytes }: Scan, { at }: Item) => frameEntries(unpackBlock(bytes, at))

type Start = (bytes: Buffer, at: number) => number

/** Where something sound begins next; `end` when nothing does. */
function nextSound(bytes: Buffer, from: number, end: number, sound: typeof soundItemBytes, start: Start): number {
  for (let at = start(bytes, from); at >= 0 && at < end; at = start(bytes, at + 1)) {
    if (sound(bytes, at, end) > 0) return at
  }
  return end
}

/** A candidate by its shape, cheap to look for. */
export function recordStart(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === 0) {
      at = nextNonZero(bytes, at) - 1
      continue
    }
    if ((bytes[at] === recordTag || bytes[at] === markTag) && itemBytes(bytes, at, bytes.length) > 0) return at
  }
  return -1
}

const blockMagicBytes = Buffer.from('TFRB', 'latin1')
const blockStart: Start = (bytes, from) => bytes.indexOf(blockMagicBytes, from)

const zeroPage = Buffer.alloc(64 * 1024)

/** The length of `bytes` when there is none. */
export function nextNonZero(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length;) {
    const size = Math.min(zeroPage.length, bytes.length - at)
    if (bytes[at] === 0 && bytes.compare(zeroPage, 0, size, at, at + size) === 0) {
      at += size
      continue
    }
    while (at < bytes.length && bytes[at] === 0) at += 1
    return at
  }
  return bytes.length
}

function lastNonZero(bytes: Buffer, from: number): number {
  let end = bytes.length
  while (
    end - from > zeroPage.length &&
    bytes.compare(zeroPage, 0, zeroPage.length, end - zeroPage.length, end) === 0
  ) {
    end -= zeroPage.length
  }
  while (end > from && bytes[end - 1] === 0) end -= 1
  return end - 1
}

/**
 * Disks write sectors whole or not at all, so what a loss of power leaves out is zero from one sector's edge to the next (or, in
 * the sector that held older records before it, from where those end). `open`: nothing sound follows up to `end`.
 */
function lacksSector(bytes: Buffer, start: number, end: number, open: boolean): boolean {
  if (open && end > bytes.length) return true
  for (let at = start; at < end;) {
    const edge = Math.min(at - (at % sectorBytes) + sectorBytes, end)
    const telling = at === start || edge - at === sectorBytes || (open && edge === end)
    if (telling && bytes.compare(zeroPage, 0, edge - at, at, edge) === 0) return true
    at = edge
  }
  return false
}
