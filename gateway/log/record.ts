// A record as it lies in a segment: one element of tocsin.v1.RecordBatch, with every field up to the header at a fixed place, so
// that a scan reads numbers without parsing. Marks and records are told apart by their first byte; nothing is taken that its
// checksum does not vouch for.
//
//   0   1        5   6     10  11         19  20         28  29     33 34     35     37        53  54       57  58        61  62
//   0A  length4  0D  crc4  11  sequence8  19  logged_at8 25  flags4 28 lane1  32 10  frame_id  38  index3   40  events3   4A  length3
//   header …  7A  length4  event …                      (lengthN, indexN: varints of always N bytes)

import { crc32 } from 'node:zlib'
import { Lane as WireLane } from '../../proto/generated/types.ts'
import type { Lane, NewRecord } from './log.ts'
import { headerBytesMax, putHeader } from './record-header.ts'
import { getUint32, getUint53, room, setLength4, setUint32, setUint53, type Target } from './wire-bytes.ts'

export const recordTag = 0x0a
export const markTag = 0x12
/** Tag and length in front of a record. */
export const recordPrefixBytes = 5
/** Bytes of a record before its header. */
export const recordFixedBytes = 65
export const markBytes = 40
/** Tag and length of the event. */
const eventPrefixBytes = 5
/** A length of four varint bytes; validate.ts keeps events far below. */
export const recordBytesMax = 1 << 27

export const flagRemoved = 1
export const flagVoid = 2

export const laneNumbers = { urgent: WireLane.URGENT, routine: WireLane.ROUTINE } as const

export interface Stamp {
  readonly ns: bigint
  /** The two halves of nanoseconds since 1970, and the same in whole milliseconds. */
  readonly low: number
  readonly high: number
  readonly ms: number
}

export function stampOf(ns: bigint): Stamp {
  return {
    ns,
    low: Number(ns & 0xffffffffn),
    high: Number(ns >> 32n),
    ms: Number(ns / 1_000_000n),
  }
}

export const recordRoom = (record: NewRecord): number =>
  recordFixedBytes +
  eventPrefixBytes +
  (record.encodedHeader?.length ?? headerBytesMax(record.header)) +
  eventBytesMax(record)

export const eventBytesMax = (record: NewRecord): number => record.eventBytesMax ?? record.event.length

/** Writes the record without its crc, which `sealRecords` sets where the time is free. It is the `index`th of `frameEvents` of its frame. */
export function putRecord(
  target: Target,
  record: NewRecord,
  sequence: number,
  frameId: Uint8Array,
  index: number,
  frameEvents: number,
  stamp: Stamp,
): void {
  room(target, recordRoom(record))
  const { bytes, at: start } = target
  bytes[start] = recordTag
  bytes[start + 5] = 0x0d
  bytes[start + 10] = 0x11
  setUint53(bytes, start + 11, sequence)
  bytes[start + 19] = 0x19
  setUint32(bytes, start + 20, stamp.low)
  setUint32(bytes, start + 24, stamp.high)
  bytes[start + 28] = 0x25
  setUint32(bytes, start + 29, 0)
  bytes[start + 33] = 0x28
  bytes[start + 34] = laneNumbers[record.lane]
  bytes[start + 35] = 0x32
  bytes[start + 36] = 16
  bytes.set(frameId, start + 37)
  bytes[start + 53] = 0x38
  setLength3(bytes, start + 54, index)
  bytes[start + 57] = 0x40
  setLength3(bytes, start + 58, frameEvents)
  bytes[start + 61] = 0x4a
  target.at = start + recordFixedBytes
  if (record.encodedHeader) {
    bytes.set(record.encodedHeader, target.at)
    target.at += record.encodedHeader.length
  } else putHeader(target, record.header)
  setLength3(bytes, start + 62, target.at - start - recordFixedBytes)
  bytes[target.at] = 0x7a
  const eventAt = target.at + eventPrefixBytes
  const end = record.putEvent ? record.putEvent(bytes, eventAt) : put(bytes, eventAt, record.event)
  setLength4(bytes, target.at + 1, end - eventAt)
  target.at = end
  setLength4(bytes, start + 1, target.at - start - recordPrefixBytes)
}

function put(target: Buffer, at: number, bytes: Uint8Array): number {
  target.set(bytes, at)
  return at + bytes.length
}

export interface Mark {
  readonly commit: number
  readonly firstSequence: number
  readonly records: number
  /** Without the mark. */
  readonly bytes: number
  readonly parts: number
}

/** Writes a whole mark with its crc. */
export function setMark(bytes: Uint8Array, at: number, mark: Mark): void {
  bytes[at] = markTag
  bytes[at + 1] = markBytes - 2
  bytes[at + 2] = 0x0d
  bytes[at + 7] = 0x11
  setUint53(bytes, at + 8, mark.commit)
  bytes[at + 16] = 0x19
  setUint53(bytes, at + 17, mark.firstSequence)
  bytes[at + 25] = 0x25
  setUint32(bytes, at + 26, mark.records)
  bytes[at + 30] = 0x2d
  setUint32(bytes, at + 31, mark.bytes)
  bytes[at + 35] = 0x35
  setUint32(bytes, at + 36, mark.parts)
  setUint32(bytes, at + 3, crc32(bytes.subarray(at + 7, at + markBytes)))
}

export function sealRecord(bytes: Uint8Array, at: number): void {
  const end = at + recordPrefixBytes + lengthAt(bytes, at + 1)
  setUint32(bytes, at + 6, crc32(bytes.subarray(at + 10, end)))
}

/** Bytes of the record or mark that begins here by its shape alone; 0: none does, or it would end beyond `end`. */
export function itemBytes(bytes: Uint8Array, at: number, end: number): number {
  const tag = bytes[at]
  if (tag === markTag) {
    return bytes[at + 1] === markBytes - 2 && bytes[at + 2] === 0x0d && at + markBytes <= end ? markBytes : 0
  }
  if (tag !== recordTag || at + recordFixedBytes + eventPrefixBytes > end) return 0
  // The length is outside of what the checksum covers: a bit of it that does not count here would mislead other readers.
  const isLength4 = (bytes[at + 1]! & bytes[at + 2]! & bytes[at + 3]! & 0x80) !== 0 && (bytes[at + 4]! & 0x80) === 0
  const shaped =
    isLength4 &&
    bytes[at + 5] === 0x0d &&
    bytes[at + 10] === 0x11 &&
    bytes[at + 19] === 0x19 &&
    bytes[at + 28] === 0x25 &&
    bytes[at + 33] === 0x28 &&
    bytes[at + 36] === 16
  if (!shaped) return 0
  const size = recordPrefixBytes + lengthAt(bytes, at + 1)
  return size >= recordFixedBytes + eventPrefixBytes && at + size <= end ? size : 0
}

/** As `itemBytes`, and its checksum is right. */
export function soundItemBytes(bytes: Uint8Array, at: number, end: number): number {
  const size = itemBytes(bytes, at, end)
  if (size === 0) return 0
  const crcAt = bytes[at] === markTag ? at + 3 : at + 6
  return getUint32(bytes, crcAt) === crc32(bytes.subarray(crcAt + 4, at + size)) ? size : 0
}

/** How many bytes a record that begins here would take, even when they are not all in `bytes`; 0: it cannot be told. */
export function claimedBytes(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === markTag) return markBytes
  if (bytes[at] !== recordTag) return 0
  if (at + recordPrefixBytes > end) return recordFixedBytes
  const size = recordPrefixBytes + lengthAt(bytes, at + 1)
  return size <= recordBytesMax ? size : 0
}

export const sequenceAt = (bytes: Uint8Array, at: number): number => getUint53(bytes, at + 11)
export const flagsAt = (bytes: Uint8Array, at: number): number => getUint32(bytes, at + 29)
export const laneAt = (bytes: Uint8Array, at: number): Lane =>
  bytes[at + 34] === WireLane.URGENT ? 'urgent' : 'routine'
export const frameEventsAt = (bytes: Uint8Array, at: number): number => length3At(bytes, at + 58)
export const indexAt = (bytes: Uint8Array, at: number): number => length3At(bytes, at + 54)
export const frameIdAt = (bytes: Uint8Array, at: number): Uint8Array => bytes.subarray(at + 37, at + 53)
export const loggedAtMsAt = (bytes: Uint8Array, at: number): number =>
  Math.floor((getUint32(bytes, at + 20) + getUint32(bytes, at + 24) * 4294967296) / 1e6)
export const headerAt = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.subarray(at + recordFixedBytes, at + recordFixedBytes + length3At(bytes, at + 62))

/** `RecordHeader.labels`, without decoding the header: fields lie in the order of their numbers, and the mask is below 128. */
export function labelsAt(bytes: Uint8Array, at: number): number {
  let next = at + recordFixedBytes
  const end = next + length3At(bytes, at + 62)
  while (next < end) {
    const tag = bytes[next++]!
    if (tag === labelsTag) return bytes[next]!
    if (tag > labelsTag) return 0
    let value = 0
    for (let shift = 0; next < end; shift += 7) {
      const byte = bytes[next++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    // What stands before it is a number or text.
    if ((tag & 7) === 2) next += value
  }
  return 0
}

const labelsTag = 0x38

/** `RecordHeader.kind`, which is its first field. */
export const kindAt = (bytes: Uint8Array, at: number): number =>
  bytes[at + recordFixedBytes] === 0x08 ? bytes[at + recordFixedBytes + 1]! : 0

/** `RecordHeader.law_enforcement_place`, which is its last field; true also of a few headers that end in the same three bytes. */
export function mayTellPlaceAt(bytes: Uint8Array, at: number): boolean {
  const end = at + recordFixedBytes + length3At(bytes, at + 62)
  return bytes[end - 3] === 0xa8 && bytes[end - 2] === 0x01 && bytes[end - 1] === 0x01
}

export function loggedAt(bytes: Uint8Array, at: number): bigint {
  return BigInt(getUint32(bytes, at + 20)) | (BigInt(getUint32(bytes, at + 24)) << 32n)
}

/** Where the event's bytes are. */
export function eventRange(bytes: Uint8Array, at: number): { start: number; end: number } {
  const tagAt = at + recordFixedBytes + length3At(bytes, at + 62)
  return { start: tagAt + eventPrefixBytes, end: tagAt + eventPrefixBytes + lengthAt(bytes, tagAt + 1) }
}

export function markAt(bytes: Uint8Array, at: number): Mark {
  return {
    commit: getUint53(bytes, at + 8),
    firstSequence: getUint53(bytes, at + 17),
    records: getUint32(bytes, at + 26),
    bytes: getUint32(bytes, at + 31),
    parts: getUint32(bytes, at + 36),
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! & 0x7f) |
    ((bytes[at + 1]! & 0x7f) << 7) |
    ((bytes[at + 2]! & 0x7f) << 14) |
    ((bytes[at + 3]! & 0x7f) << 21)
  )
}

function setLength3(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = (length & 0x7f) | 0x80
  bytes[at + 1] = ((length >>> 7) & 0x7f) | 0x80
  bytes[at + 2] = (length >>> 14) & 0x7f
}

function length3At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 0x7f) | ((bytes[at + 1]! & 0x7f) << 7) | ((bytes[at + 2]! & 0x7f) << 14)
}
