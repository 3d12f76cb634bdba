// Where generated/encode.ts writes: protobuf bytes into one buffer that is kept from message to message, so that a message costs one
// copy and nothing else. Not re-entrant: `begin`, the fields in order, `finish`, without waiting in between.

import type { Int64 } from './int64.ts'

/** Twice the largest event that the gateway takes: what grew beyond it is let go at the next message. */
const scratchBytesKept = 1 << 20
const scratchBytesFirst = 16 * 1024
/** As much as the log takes in one record, and more than the largest frame can make of a valid event: beyond it is a mistake of ours. */
export const encodedBytesMax = 1 << 27

interface Scratch {
  bytes: Buffer
  view: DataView
  /** Where the next byte goes. */
  at: number
}

const scratch = newScratch(scratchBytesFirst)

function newScratch(size: number): Scratch {
  const bytes = Buffer.allocUnsafeSlow(size)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, size), at: 0 }
}

export function begin(): void {
  if (scratch.bytes.length > scratchBytesKept) Object.assign(scratch, newScratch(scratchBytesFirst))
  scratch.at = 0
}

/** A copy of the right size; a small one is a slice of Buffer's pool, for holders that let it go soon. */
export function finish(): Buffer {
  const { bytes, at } = scratch
  const done = Buffer.allocUnsafe(at)
  done.set(bytes.subarray(0, at))
  return done
}

function room(count: number): void {
  if (scratch.at + count > scratch.bytes.length) grow(scratch.at + count)
}

function grow(wanted: number): void {
  if (wanted > encodedBytesMax) throw new RangeError(`an encoded message takes more than ${encodedBytesMax} bytes`)
  const { bytes, at } = scratch
  let size = bytes.length * 2
  while (size < wanted) size *= 2
  const larger = newScratch(size)
  bytes.copy(larger.bytes, 0, 0, at)
  scratch.bytes = larger.bytes
  scratch.view = larger.view
}

/** A tag has one or two bytes (fields up to 2,047); encoder-source.ts refuses higher ones. Whoever calls has made room. */
function tagged(tag: number): void {
  const { bytes } = scratch
  if (tag > 0x7f) {
    bytes[scratch.at++] = (tag & 0x7f) | 0x80
    bytes[scratch.at++] = tag >>> 7
  } else bytes[scratch.at++] = tag
}

/** A number of 32 bits, taken as unsigned. Whoever calls has made room. */
function varint(value: number): void {
  const { bytes } = scratch
  let next = scratch.at
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes[next++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[next++] = rest
  scratch.at = next
}

/** A number of 64 bits, from its halves. Whoever calls has made room. */
function varint64(low: number, high: number): void {
  let rest = low >>> 0
  let above = high >>> 0
  while (above > 0) {
    scratch.bytes[scratch.at++] = (rest & 0x7f) | 0x80
    rest = ((rest >>> 7) | (above << 25)) >>> 0
    above >>>= 7
  }
  varint(rest)
}

/** int32 and enum: a negative number is extended to 64 bits. */
function signed(value: number): void {
  if (value < 0) varint64(value, -1)
  else varint(value)
}

/** An element of a packed field. */
export function uint32(value: number): void {
  room(5)
  varint(value)
}

/** An element of a packed field of int32 or enum. */
export function int32(value: number): void {
  room(10)
  signed(value | 0)
}

export function putUint32(tag: number, value: number): void {
  room(7)
  tagged(tag)
  varint(value)
}

/** int32 and enum. */
export function putInt32(tag: number, value: number): void {
  room(12)
  tagged(tag)
  signed(value | 0)
}

/** int64 and uint64: the same bits. */
export function putInt64(tag: number, value: Int64): void {
  room(12)
  tagged(tag)
  if (typeof value === 'object') varint64(value.low, value.high)
  else if (value >= 0 && value <= 0xffff_ffff) varint(value)
  else varint64(value, Math.floor(Math.trunc(value) / 0x1_0000_0000))
}

/** Neither absent nor the default that proto3 leaves out. */
export const isNonzero = (value: Int64 | undefined): value is Int64 =>
  typeof value === 'object' && value !== null ? value.low !== 0 || value.high !== 0 : Boolean(value)

export function putBool(tag: number, value: boolean): void {
  room(3)
  tagged(tag)
  scratch.bytes[scratch.at++] = value ? 1 : 0
}

export function putDouble(tag: number, value: number): void {
  room(10)
  tagged(tag)
  scratch.view.setFloat64(scratch.at, value, true)
  scratch.at += 8
}

/** Up to here a loop is quicker than a call into the engine. */
const loopBytesMax = 32
const loopMoveBytesMax = 256
const loopCharsMax = 40
/** UTF-8 has at most three bytes for each UTF-16 unit: from 128 units to here, a length takes two bytes for sure. */
const twoByteCharsMax = 0x3fff / 3

export function putBytes(tag: number, value: Uint8Array): void {
  const { length } = value
  room(7 + length)
  tagged(tag)
  varint(length)
  const { bytes, at } = scratch
  if (length > loopBytesMax) bytes.set(value, at)
  else for (let index = 0; index < length; index++) bytes[at + index] = value[index]!
  scratch.at = at + length
}

export function putString(tag: number, value: string): void {
  const { length } = value
  if (length > loopCharsMax) return putLongString(tag, value)
  room(3 + loopCharsMax * 3)
  tagged(tag)
  const { bytes } = scratch
  const lengthAt = scratch.at++
  let next = scratch.at
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index)
    if (code > 0x7f) return writeUtf8(lengthAt, value)
    bytes[next++] = code
  }
  bytes[lengthAt] = length
  scratch.at = next
}

function putLongString(tag: number, value: string): void {
  const { length } = value
  room(8 + (length > twoByteCharsMax ? Buffer.byteLength(value) : length * 3))
  tagged(tag)
  const lengthAt = scratch.at++
  if (length <= 0x7f || length > twoByteCharsMax) return writeUtf8(lengthAt, value)
  const { bytes } = scratch
  const written = bytes.write(value, ++scratch.at)
  bytes[lengthAt] = (written & 0x7f) | 0x80
  bytes[lengthAt + 1] = written >>> 7
  scratch.at += written
}

/** Half of a surrogate pair becomes U+FFFD, as in all of Node; protobufjs makes of it, in a short text, what it refuses to read. */
function writeUtf8(lengthAt: number, value: string): void {
  scratch.at += scratch.bytes.write(value, scratch.at)
  close(lengthAt)
}

/** A message or a packed field: answers where its length goes, for `close`. */
export function open(tag: number): number {
  room(3)
  tagged(tag)
  return scratch.at++
}

/** One byte was left for the length; what was written moves up when that takes more. */
export function close(lengthAt: number): void {
  const length = scratch.at - lengthAt - 1
  if (length <= 0x7f) {
    scratch.bytes[lengthAt] = length
    return
  }
  const more = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : 3
  room(more)
  const { bytes, at } = scratch
  if (length > loopMoveBytesMax) bytes.copyWithin(lengthAt + 1 + more, lengthAt + 1, at)
  else for (let index = at - 1; index > lengthAt; index--) bytes[index + more] = bytes[index]!
  scratch.at = lengthAt
  varint(length)
  scratch.at += length
}

/** Fields that this version does not know, as protobufjs kept them beside the message it read. */
export interface Kept {
  readonly $unknowns?: readonly Uint8Array[]
}

export function putKept(chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) {
    room(chunk.length)
    scratch.bytes.set(chunk, scratch.at)
    scratch.at += chunk.length
  }
}
