// A segment: one file of a series, with a header of 4,096 bytes in front, and what is known of it in memory. When it is full it
// gets a companion file `.idx` with that knowledge, so that a start reads a few kilobytes instead of the segment; a companion
// that is missing or damaged is made again from the segment.

import { crc32 } from 'node:zlib'
import { getUint32, setUint32 } from './wire-bytes.ts'

export const segmentHeaderBytes = 4096
export const formatVersion = 1
const magic = 'TOCSINLG'
/** Text of the header stands between the fixed part and the checksum's reach. */
const headerTextAt = 16

export interface Range {
  readonly from: number
  readonly to: number
}

/** Since the log began, in this series: how many frames of each fate (by number of `Fate`), or records. */
export interface Totals {
  records: number
  fates: number[]
}

export const noTotals = (): Totals => ({ records: 0, fates: [0, 0, 0, 0, 0, 0, 0, 0] })

export interface SegmentHeader {
  readonly epoch: string
  readonly series: string
  readonly number: number
  readonly createdAtMs: number
  /** 0: nothing was written when this header was. */
  readonly firstSequence: number
  /** What came before this segment. */
  readonly before: Totals
  /** Commits that failed and were rejected or written again: what bears their number elsewhere was never taken. */
  readonly abandoned: readonly Range[]
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes)
  bytes.write(magic, 0, 'latin1')
  const text = Buffer.from(JSON.stringify({ version: formatVersion, ...header }))
  if (headerTextAt + text.length > segmentHeaderBytes) throw new RangeError('the segment header is too long')
  text.copy(bytes, headerTextAt)
  setUint32(bytes, 12, text.length)
  setUint32(bytes, 8, crc32(bytes.subarray(12)))
  return bytes
}

/** Undefined when it is damaged; 'foreign' when it is sound and of a version that is not known here. */
export function decodeHeader(bytes: Uint8Array): SegmentHeader | 'foreign' | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < segmentHeaderBytes || buffer.toString('latin1', 0, 8) !== magic) return undefined
  if (getUint32(bytes, 8) !== crc32(bytes.subarray(12, segmentHeaderBytes))) return undefined
  const text = buffer.toString('utf8', headerTextAt, headerTextAt + getUint32(bytes, 12))
  const { version, ...header } = JSON.parse(text) as SegmentHeader & { version: number }
  return version === formatVersion ? header : 'foreign'
}

/** One entry of the sparse index: what lies from `offset` up to the next entry. Frames: their numbers for sequences, and times of their ids. */
export interface IndexEntry {
  readonly offset: number
  /** Of the first record or frame here; frames: 0: older than numbers are. */
  readonly sequence: number
  readonly loggedAtMs: number
  readonly idMsMin: number
  readonly idMsMax: number
}

export interface Segment {
  readonly series: number
  readonly number: number
  readonly path: string
  header: SegmentHeader
  /** Bytes in use, from the start of the file. */
  length: number
  sealed: boolean
  /** Sequences of its records, numbers of its frames; 0: none. */
  first: number
  last: number
  /** Records or frames in it. */
  readonly totals: Totals
  firstLoggedAtMs: number
  lastLoggedAtMs: number
  lastCommit: number
  readonly entries: IndexEntry[]
  /** Sequences that a torn write left out and that nobody was told of. */
  voids: Range[]
  /** Sequences that are lost. */
  damaged: Range[]
  /** dedup_key values: time (8 bytes, nanoseconds), length (1 byte), key; one after the other. */
  readonly keys: Uint8Array[]
}

export const segmentName = (number: number): string => `${String(number).padStart(8, '0')}.seg`
export const companionOf = (path: string): string => path.replace(/\.seg$/, '.idx')
export const numberOf = (name: string): number | undefined => {
  const match = /^(\d{8})\.seg$/.exec(name)
  return match ? Number(match[1]) : undefined
}

export function newSegment(series: number, path: string, header: SegmentHeader): Segment {
  return {
    series,
    number: header.number,
    path,
    header,
    length: segmentHeaderBytes,
    sealed: false,
    first: 0,
    last: 0,
    totals: noTotals(),
    firstLoggedAtMs: 0,
    lastLoggedAtMs: 0,
    lastCommit: 0,
    entries: [],
    voids: [],
    damaged: [],
    keys: [],
  }
}

/** One entry for so many bytes: a search reads at most about this much in vain. */
const indexStepBytes = 64 * 1024

/** A run of records or a block of frames, as written. */
export interface Written {
  readonly offset: number
  readonly bytes: number
  readonly commit: number
  /** Sequences of records, numbers of frames; 0: of frames that are older than numbers are. */
  readonly first: number
  readonly last: number
  readonly records: number
  readonly fates?: readonly number[]
  readonly loggedAtMs: number
  readonly loggedAtMsLast: number
  readonly idMsMin: number
  readonly idMsMax: number
}

export function noteWritten(segment: Segment, written: Written): void {
  const { offset, bytes, first, last, records, fates, loggedAtMs, idMsMin, idMsMax } = written
  if (segment.firstLoggedAtMs === 0) segment.firstLoggedAtMs = loggedAtMs
  segment.lastLoggedAtMs = Math.max(segment.lastLoggedAtMs, written.loggedAtMsLast)
  segment.lastCommit = Math.max(segment.lastCommit, written.commit)
  if (first > 0) {
    if (segment.first === 0) segment.first = first
    segment.last = Math.max(segment.last, last)
  }
  segment.totals.records += records
  fates?.forEach((count, fate) => (segment.totals.fates[fate]! += count))
  segment.length = Math.max(segment.length, offset + bytes)
  const entry = segment.entries.at(-1)
  if (!entry || offset - entry.offset >= indexStepBytes) {
    segment.entries.push({ offset, sequence: first, loggedAtMs, idMsMin, idMsMax })
  } else if (idMsMin < entry.idMsMin || idMsMax > entry.idMsMax) {
    const [min, max] = [Math.min(entry.idMsMin, idMsMin), Math.max(entry.idMsMax, idMsMax)]
    segment.entries[segment.entries.length - 1] = { ...entry, idMsMin: min, idMsMax: max }
  }
}

const companionMagic = 'TOCSINIX'
const companionFixedBytes = 24
const entryNumbers = 5

export function encodeCompanion(segment: Segment): Buffer {
  const { first, last, length, totals, firstLoggedAtMs, lastLoggedAtMs, lastCommit, voids, damaged } = segment
  const facts = { first, last, length, totals, firstLoggedAtMs, lastLoggedAtMs, lastCommit, voids, damaged }
  const text = Buffer.from(JSON.stringify(facts))
  const entries = Buffer.alloc(segment.entries.length * entryNumbers * 8)
  segment.entries.forEach((entry, index) => {
    const numbers = [entry.offset, entry.sequence, entry.loggedAtMs, entry.idMsMin, entry.idMsMax]
    numbers.forEach((number, place) => entries.writeDoubleLE(number, (index * entryNumbers + place) * 8))
  })
  const keys = Buffer.concat(segment.keys)
  const fixed = Buffer.alloc(companionFixedBytes)
  fixed.write(companionMagic, 0, 'latin1')
  ;[text, entries, keys].forEach((part, index) => setUint32(fixed, 12 + index * 4, part.length))
  const whole = Buffer.concat([fixed, text, entries, keys])
  setUint32(whole, 8, crc32(whole.subarray(12)))
  return whole
}

/** Undefined when it is damaged. */
export function decodeCompanion(
  bytes: Uint8Array,
  series: number,
  path: string,
  header: SegmentHeader,
): Segment | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < companionFixedBytes || buffer.toString('latin1', 0, 8) !== companionMagic) return undefined
  if (getUint32(bytes, 8) !== crc32(bytes.subarray(12))) return undefined
  const [textBytes, entryBytes, keyBytes] = [12, 16, 20].map((at) => getUint32(bytes, at)) as [number, number, number]
  const entriesAt = companionFixedBytes + textBytes
  const facts = JSON.parse(buffer.toString('utf8', companionFixedBytes, entriesAt)) as Partial<Segment>
  const segment: Segment = { ...newSegment(series, path, header), ...facts, sealed: true }
  for (let at = entriesAt; at < entriesAt + entryBytes; at += entryNumbers * 8) {
    const number = (place: number): number => buffer.readDoubleLE(at + place * 8)
    segment.entries.push({
      offset: number(0),
      sequence: number(1),
      loggedAtMs: number(2),
      idMsMin: number(3),
      idMsMax: number(4),
    })
  }
  if (keyBytes > 0) segment.keys.push(buffer.subarray(entriesAt + entryBytes, entriesAt + entryBytes + keyBytes))
  return segment
}
