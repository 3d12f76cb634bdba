// Frames as they were received, on disk: blocks of compressed protobuf, each with its own checksum. A frame's id, digest, fate and
// payload stand at fixed places, so that blocks are made, searched and emptied without parsing.
//
//   block  0 'TFRB'  4 crc32 of all after it  8 bytes up to the next block  12 of them compressed  16 raw  20 frames
//          24 commit  32 time of the smallest id, ms  40 of the greatest  48 logged_at, ms  56 frames by fate (8 × 2 bytes; WAITING in the place of 0)  72 zstd …, or as it is
//          zeros where it stands in the place of a larger one; its last 20 bytes, absent in older blocks: first number  last number  'TFRN'
//   raw    for each frame: 0A length4 | 0A 10 id | 4A 20 sha256 | 58 fate | 42 length4 payload | A0 01 number | the rest of tocsin.v1.Frame

import { hash } from 'node:crypto'
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Frame, MqttEnvelope } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { codec } from '../../proto/wire.ts'
import { idTimeMs } from '../ids.ts'
import type { Lane, NewRecord } from './log.ts'
import { laneNumbers } from './record.ts'
import { putProperties } from './record-header.ts'
import type { Written } from './segment.ts'
import {
  getUint32,
  getUint53,
  putBytes,
  putNumber,
  putString,
  putTag,
  putVarint,
  room,
  setLength4,
  setUint32,
  setUint53,
  stringBytesMax,
  type Target,
} from './wire-bytes.ts'

export const blockHeaderBytes = 72
/** 'TFRB' as a little-endian number. */
const blockMagic = 0x42524654
/** 'TFRN' likewise. */
const numbersMagic = 0x4e524654
const numbersBytes = 20
/** Of one block, before compression, or half as much again: what one flipped bit can cost, and what a look-up of one frame reads. */
const blockRawBytesMax = 64 * 1024
const fateCount = 8
/** Where a fate is counted: that which a frame on disk never has lends its place to WAITING, which is 8. */
export const fateSlot = (fate: number): number => fate % fateCount

const waitingCodec = codec('tocsin.v1.WaitingFrame')
/** Level 1: 300 MB/s on one small core; more buys a tenth less disk at thrice the time. */
const zstdLevel = 1
/** Where a block must fit the place of an earlier one. */
const zstdLevelMost = 19
/** Setting up a compressor costs more than a lone message is worth. */
const packFromBytes = 1024

const prefixBytes = 5
const idOffset = 2
const shaOffset = 20
const fateOffset = 53
const payloadLengthOffset = 55
const payloadOffset = 59
/** All in front of the payload and, behind it, number, time and what is around the resend key. */
const firstFieldsBytesMax = payloadOffset + 64
/** Field 20, a varint. */
const numberTag = 0xa0

/**
 * Writes a frame but for its sha256, which the writer fills in. What is known of it only here is not looked for in `frame`. `rest`: what
 * `encodeFrameRest` has made of it before.
 */
export function putFrame(
  target: Target,
  frame: Frame,
  records: readonly NewRecord[],
  number: number,
  rest?: Uint8Array,
): void {
  const keyBytes = frame.resendKey?.length ?? 0
  room(target, firstFieldsBytesMax + (frame.payload?.length ?? 0) + keyBytes + (rest?.length ?? restRoom(frame)))
  const { bytes, at: start } = target
  const body = start + prefixBytes
  bytes[start] = 0x0a
  bytes[body] = 0x0a
  bytes[body + 1] = 16
  bytes.set(frame.id!, body + idOffset)
  bytes[body + 18] = 0x4a
  bytes[body + 19] = 32
  bytes[body + 52] = 0x58
  bytes[body + fateOffset] = frame.fate ?? 0
  bytes[body + 54] = 0x42
  const payloadLength = frame.payload?.length ?? 0
  setLength4(bytes, body + payloadLengthOffset, payloadLength)
  if (frame.payload) bytes.set(frame.payload, body + payloadOffset)
  target.at = body + payloadOffset + payloadLength
  putNumber(target, numberTag, number)
  putTime(target, 0x12, frame.receivedAt)
  putBytes(target, 0x8a, frame.resendKey)
  if (rest) {
    bytes.set(rest, target.at)
    target.at += rest.length
  } else putRest(target, frame, records)
  setLength4(bytes, start + 1, target.at - body)
}

/** Where the sha256 of a frame is that begins at `at`; the writer fills it in. */
export const shaAt = (at: number): number => at + prefixBytes + shaOffset

/** What many frames of one sender on one channel share, for `NewFrame.encodedRest`: all but id, payload, fate, times and keys. */
export function encodeFrameRest(frame: Frame, records: readonly NewRecord[]): Uint8Array {
  const target: Target = { bytes: Buffer.allocUnsafeSlow(restRoom(frame)), at: 0 }
  putRest(target, frame, records)
  return target.bytes.subarray(0, target.at)
}

function putRest(target: Target, frame: Frame, records: readonly NewRecord[]): void {
  putString(target, 0x1a, frame.adapter)
  putString(target, 0x22, frame.channel)
  putString(target, 0x2a, frame.sender)
  putString(target, 0x32, frame.contentType)
  if (frame.properties) putProperties(target, 0x3a, frame.properties)
  for (const warning of frame.warnings ?? []) putString(target, 0x52, warning)
  putString(target, 0x62, frame.why)
  putString(target, 0x6a, frame.fault)
  putNumber(target, 0x70, frame.labels)
  putNumber(target, 0x90, records.length)
  putNumber(target, 0x98, frame.authenticity)
  if (frame.mqtt) putEnvelope(target, frame.mqtt)
  if (records.length > 0) putLaneAndKind(target, records)
  if (frame.waiting) putBytes(target, 0xc2, waitingCodec.encode(frame.waiting))
}

function putLaneAndKind(target: Target, records: readonly NewRecord[]): void {
  let lane: Lane = 'routine'
  let kind = records[0]!.header.kind
  for (const record of records) {
    if (record.lane === 'urgent') lane = 'urgent'
    if (record.header.kind !== kind) kind = 0
  }
  putNumber(target, 0xb0, laneNumbers[lane])
  putNumber(target, 0xb8, kind)
}

function putEnvelope(target: Target, envelope: MqttEnvelope): void {
  putTag(target, 0xaa)
  const lengthAt = target.at
  target.at += 1
  putNumber(target, 0x08, envelope.qos)
  if (envelope.retain) putNumber(target, 0x10, 1)
  putString(target, 0x1a, envelope.clientId)
  putString(target, 0x22, envelope.responseTopic)
  const { correlationData, messageExpirySeconds, payloadFormatIndicator } = envelope
  if (correlationData?.length === 0) target.bytes.set([0x2a, 0], (target.at += 2) - 2)
  else putBytes(target, 0x2a, correlationData)
  if (messageExpirySeconds !== undefined) {
    putTag(target, 0x30)
    putVarint(target, messageExpirySeconds)
  }
  if (payloadFormatIndicator !== undefined) {
    putTag(target, 0x38)
    putVarint(target, payloadFormatIndicator)
  }
  const length = target.at - lengthAt - 1
  if (length > 0x7f) {
    // Rare, so that the many are written at once: room for a length of four bytes is made afterwards.
    target.bytes.copyWithin(lengthAt + 4, lengthAt + 1, target.at)
    setLength4(target.bytes, lengthAt, length)
    target.at += 3
  } else target.bytes[lengthAt] = length
}

function restRoom(frame: Frame): number {
  let size = 64 + stringBytesMax(frame.adapter) + stringBytesMax(frame.channel) + stringBytesMax(frame.sender)
  size += stringBytesMax(frame.contentType) + stringBytesMax(frame.why) + stringBytesMax(frame.fault)
  for (const warning of frame.warnings ?? []) size += stringBytesMax(warning)
  for (const { name, value } of frame.properties ?? []) size += 16 + stringBytesMax(name) + stringBytesMax(value)
  if (frame.mqtt) {
    size += stringBytesMax(frame.mqtt.clientId) + stringBytesMax(frame.mqtt.responseTopic)
    size += frame.mqtt.correlationData?.length ?? 0
  }
  if (frame.waiting) size += waitingCodec.encode(frame.waiting).length + 16
  return size
}

function putTime(target: Target, tag: number, time: Frame['receivedAt']): void {
  if (!time) return
  target.bytes[target.at++] = tag
  const lengthAt = target.at++
  const seconds = toNumber(time.seconds)
  // A negative varint takes ten bytes and a negative time of receipt is a broken clock: it is written as 1970.
  if (seconds > 0) {
    target.bytes[target.at++] = 0x08
    putVarint(target, seconds)
  }
  putNumber(target, 0x10, time.nanos)
  target.bytes[lengthAt] = target.at - lengthAt - 1
}

export interface Blocks {
  readonly bytes: Buffer
  /** Offsets from the start of `bytes`. */
  readonly written: readonly Written[]
}

/** Makes the blocks of one commit: digests, compresses and seals. `raw` is what `putFrame` wrote. */
export function makeBlocks(raw: Buffer, commit: number, loggedAtMs: number): Blocks {
  const parts: Buffer[] = []
  const written: Written[] = []
  let offset = 0
  for (let start = 0; start < raw.length;) {
    // A small rest is made part of the last one: each costs as much as its first 50 kB.
    const bytesMax = raw.length - start < 1.5 * blockRawBytesMax ? raw.length : blockRawBytesMax
    let end = start
    while (end < raw.length && (end === start || end - start < bytesMax)) {
      const body = end + prefixBytes
      const payload = raw.subarray(
        body + payloadOffset,
        body + payloadOffset + length4(raw, body + payloadLengthOffset),
      )
      // As a text: a buffer for each would cost as much again.
      raw.write(hash('sha256', payload, 'binary'), body + shaOffset, 'latin1')
      end = body + length4(raw, end + 1)
    }
    const block = makeBlock(raw.subarray(start, end), commit, loggedAtMs)
    written.push(describeBlock(block, 0, offset))
    parts.push(block)
    offset += block.length
    start = end
  }
  return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), written }
}

/** `span`: bytes the block must take, padding included; undefined when it does not fit. */
export function makeBlock(raw: Buffer, commit: number, loggedAtMs: number): Buffer
export function makeBlock(raw: Buffer, commit: number, loggedAtMs: number, span: number): Buffer | undefined
export function makeBlock(raw: Buffer, commit: number, loggedAtMs: number, span?: number): Buffer | undefined {
  const of = tally(raw)
  const fixedBytes = blockHeaderBytes + (of.first > 0 ? numbersBytes : 0)
  const packed = pack(raw, span === undefined ? Infinity : span - fixedBytes)
  if (!packed) return undefined
  const block = Buffer.alloc(span ?? fixedBytes + packed.length)
  packed.copy(block, blockHeaderBytes)
  setUint32(block, 0, blockMagic)
  ;[block.length, packed.length, raw.length, of.count].forEach((value, index) => setUint32(block, 8 + index * 4, value))
  ;[commit, of.count === 0 ? 0 : of.min, of.max, loggedAtMs].forEach((value, i) => setUint53(block, 24 + i * 8, value))
  of.fates.forEach((value, fate) => block.writeUInt16LE(value, 56 + fate * 2))
  if (of.first > 0) setNumbers(block, of.first, of.last)
  setUint32(block, 4, crc32(block.subarray(8)))
  return block
}

/** What a block says of its frames, read without an object for each. */
function tally(raw: Buffer) {
  const fates = Array.from({ length: fateCount }, () => 0)
  // Frames of one block were all written by one version: all have numbers, or none.
  const of = { count: 0, min: Number.MAX_SAFE_INTEGER, max: 0, first: 0, last: 0, fates }
  for (let at = 0; at < raw.length;) {
    const body = at + prefixBytes
    const end = body + length4(raw, at + 1)
    const ms = idTimeMs(raw, body + idOffset)
    const fate = raw[body + fateOffset]!
    of.min = Math.min(of.min, ms)
    of.max = Math.max(of.max, ms)
    of.last = numberAt(raw, body + payloadOffset + length4(raw, body + payloadLengthOffset), end)
    if (of.count === 0) of.first = of.last
    of.count += 1
    fates[fateSlot(fate)]! += 1
    at = end
  }
  return of
}

/** As they are where compression does not pay; a block says so by both lengths being the same. */
function pack(raw: Buffer, bytesMax: number): Buffer | undefined {
  if (raw.length < packFromBytes && raw.length <= bytesMax) return raw
  for (const level of [zstdLevel, zstdLevelMost]) {
    const packed = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: level } })
    if (packed.length < raw.length && packed.length <= bytesMax) return packed
    if (raw.length <= bytesMax) return raw
  }
  return undefined
}

/** Bytes of the block that begins here, by its header alone; 0: none does. */
export function claimedBlockBytes(bytes: Uint8Array, at: number, end: number): number {
  if (at + blockHeaderBytes > end || getUint32(bytes, at) !== blockMagic) return 0
  const span = getUint32(bytes, at + 8)
  return span >= blockHeaderBytes + getUint32(bytes, at + 12) ? span : 0
}

export function soundBlockBytes(bytes: Uint8Array, at: number, end: number): number {
  const span = claimedBlockBytes(bytes, at, end)
  if (span === 0 || at + span > end) return 0
  return getUint32(bytes, at + 4) === crc32(bytes.subarray(at + 8, at + span)) ? span : 0
}

function setNumbers(block: Buffer, first: number, last: number): void {
  const at = block.length - numbersBytes
  setUint53(block, at, first)
  setUint53(block, at + 8, last)
  // Also so that the last byte is none: where a write was cut off, zeros tell.
  setUint32(block, at + 16, numbersMagic)
}

/** Of the first and last frame of a sound block; 0: it is older than numbers are. */
export function blockNumbers(bytes: Uint8Array, start: number): { readonly first: number; readonly last: number } {
  const [span, packedLength] = [getUint32(bytes, start + 8), getUint32(bytes, start + 12)]
  const at = start + span - numbersBytes
  const isThere = span >= blockHeaderBytes + packedLength + numbersBytes && getUint32(bytes, at + 16) === numbersMagic
  return isThere ? { first: getUint53(bytes, at), last: getUint53(bytes, at + 8) } : { first: 0, last: 0 }
}

export const blockCommit = (bytes: Uint8Array, at: number): number => getUint53(bytes, at + 24)
export const blockLoggedAtMs = (bytes: Uint8Array, at: number): number => getUint53(bytes, at + 48)

export function describeBlock(bytes: Buffer, at: number, offset: number): Written {
  const loggedAtMs = blockLoggedAtMs(bytes, at)
  return {
    offset,
    bytes: getUint32(bytes, at + 8),
    commit: blockCommit(bytes, at),
    ...blockNumbers(bytes, at),
    records: getUint32(bytes, at + 20),
    fates: Array.from({ length: fateCount }, (_, fate) => bytes.readUInt16LE(at + 56 + fate * 2)),
    loggedAtMs,
    loggedAtMsLast: loggedAtMs,
    idMsMin: getUint53(bytes, at + 32),
    idMsMax: getUint53(bytes, at + 40),
  }
}

/** Whether any frame of a sound block has this fate, by what its header says. */
export const holdsFate = (bytes: Buffer, at: number, fate: number): boolean =>
  bytes.readUInt16LE(at + 56 + fateSlot(fate) * 2) > 0

/** The raw frames of a sound block. */
export function unpackBlock(bytes: Buffer, at: number): Buffer {
  const [packedLength, rawLength] = [getUint32(bytes, at + 12), getUint32(bytes, at + 16)]
  const packed = bytes.subarray(at + blockHeaderBytes, at + blockHeaderBytes + packedLength)
  return packedLength === rawLength ? packed : zstdDecompressSync(packed, { maxOutputLength: rawLength })
}

export interface FrameEntry {
  /** The encoded Frame. */
  readonly bytes: Buffer
  readonly id: Buffer
  /** 0: it is older than numbers are. */
  readonly number: number
  readonly fate: number
  readonly payload: Buffer
  /** With the tag and length in front. */
  readonly whole: Buffer
}

export function frameEntries(raw: Buffer): FrameEntry[] {
  const entries: FrameEntry[] = []
  for (let at = 0; at < raw.length;) {
    const body = at + prefixBytes
    const end = body + length4(raw, at + 1)
    const payloadAt = body + payloadOffset
    const payloadEnd = payloadAt + length4(raw, body + payloadLengthOffset)
    entries.push({
      bytes: raw.subarray(body, end),
      id: raw.subarray(body + idOffset, body + idOffset + 16),
      number: numberAt(raw, payloadEnd, end),
      fate: raw[body + fateOffset]!,
      payload: raw.subarray(payloadAt, payloadEnd),
      whole: raw.subarray(at, end),
    })
    at = end
  }
  return entries
}

/** The field right behind the payload; 0: another one stands there. */
function numberAt(raw: Buffer, at: number, end: number): number {
  if (at + 2 > end || raw[at] !== ((numberTag & 0x7f) | 0x80) || raw[at + 1] !== numberTag >>> 7) return 0
  let [number, scale] = [0, 1]
  for (let next = at + 2; next < end; next++, scale *= 128) {
    number += (raw[next]! & 0x7f) * scale
    if (raw[next]! < 0x80) break
  }
  return number
}

/** True when the payload was removed: nothing but zeros, and not what the digest says. */
export function isEmptied({ bytes, payload }: FrameEntry): boolean {
  if (payload.length === 0 || payload.some((byte) => byte !== 0)) return false
  return !hash('sha256', payload, 'buffer').equals(bytes.subarray(shaOffset, shaOffset + 32))
}

function length4(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! & 0x7f) |
    ((bytes[at + 1]! & 0x7f) << 7) |
    ((bytes[at + 2]! & 0x7f) << 14) |
    ((bytes[at + 3]! & 0x7f) << 21)
  )
}
