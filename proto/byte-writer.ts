// Where generated/encode.ts writes: protobuf bytes into one buffer that is kept from message to message, so that a message costs one
// copy and nothing else. Not re-entrant: `begin`, the fields in order, `finish`, without waiting in between.

import type { Int64 } from './int64.ts'

/** Twice the largest event that is taken: growing is for what will be refused. */
const scratchBytesKept = 1 << 20
const scratchBytesFirst = 16 * 1024
/** As much as the log takes in one record, and beyond what a valid event of the largest frame can be: more is a mistake of ours. */
export const encodedBytesMax = 1 << 27

let bytes = Buffer.allocUnsafeSlow(scratchBytesFirst)
let view = new DataView(bytes.buffer)
let at = 0

export function begin(): void {
  at = 0
}

/** A copy of the right size; a small one is a slice of Buffer's pool, for holders that let it go soon. */
export function finish(): Buffer {
  const done = Buffer.allocUnsafe(at)
  bytes.copy(done, 0, 0, at)
  if (bytes.length > scratchBytesKept) take(Buffer.allocUnsafeSlow(scratchBytesFirst))
  return done
}

function take(buffer: Buffer<ArrayBuffer>): void {
  bytes = buffer
  view = new DataView(buffer.buffer)
}

function room(count: number): void {
  if (at + count > bytes.length) grow(at + count)
}

function grow(wanted: number): void {
  if (wanted > encodedBytesMax) throw new RangeError(`an encoded message takes more than ${encodedBytesMax} bytes`)
  let size = bytes.length * 2
  while (size < wanted) size *= 2
  const larger = Buffer.allocUnsafeSlow(Math.min(size, encodedBytesMax))
  bytes.copy(larger, 0, 0, at)
  take(larger)
}

/** A tag has one or two bytes (fields up to 2,047); the generator refuses higher ones. */
function tagged(tag: number): void {
  if (tag > 0x7f) {
    bytes[at++] = (tag & 0x7f) | 0x80
    bytes[at++] = tag >>> 7
  } else bytes[at++] = tag
}

/** The bits of a number of 32 bits, unsigned. Whoever calls has made room. */
function varint(value: number): void {
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
}

/** The bits of a number of 64 bits, from its halves. */
function varint64(low: number, high: number): void {
  let rest = low >>> 0
  let above = high >>> 0
  while (above > 0) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest = ((rest >>> 7) | (above << 25)) >>> 0
    above >>>= 7
  }
  varint(rest)
}

/** An element of a packed field, and what stands behind a tag. */
export function uint32(value: number): void {
  room(5)
  varint(value)
}

/** int32 and enum: a negative one is extended to 64 bits. */
export function int32(value: number): void {
  room(10)
  signed(value | 0)
}

function signed(value: number): void {
  if (value < 0) varint64(value, -1)
  else varint(value)
}

export function putUint32(tag: number, value: number): void {
  room(7)
  tagged(tag)
  varint(value)
}

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
  else if (value >= 0 && value <= 0xffffffff) varint(value)
  else varint64(value, Math.floor(Math.trunc(value) / 0x100000000))
}

/** Neither absent nor the default that proto3 leaves out. */
export const isNonzero = (value: Int64 | undefined): value is Int64 =>
  typeof value === 'object' && value !== null ? value.low !== 0 || value.high !== 0 : Boolean(value)

export function putBool(tag: number, value: boolean): void {
  room(3)
  tagged(tag)
  bytes[at++] = value ? 1 : 0
}

export function putDouble(tag: number, value: number): void {
  room(10)
  tagged(tag)
  view.setFloat64(at, value, true)
  at += 8
}

export function putBytes(tag: number, value: Uint8Array): void {
  const { length } = value
  room(7 + length)
  tagged(tag)
  varint(length)
  if (length > loopBytesMax) bytes.set(value, at)
  else for (let index = 0; index < length; index++) bytes[at + index] = value[index]!
  at += length
}

/** Up to here a loop is quicker than a call into the engine. */
const loopBytesMax = 32
const loopCharsMax = 40
/** UTF-8 has at most three bytes for each UTF-16 unit: up to here, and from 128 on, the length takes two bytes. */
const twoByteCharsMax = 0x3fff / 3

export function putString(tag: number, value: string): void {
  const { length } = value
  if (length <= loopCharsMax) {
    room(3 + loopCharsMax * 3)
    tagged(tag)
    const lengthAt = at++
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) return writeBehind(lengthAt, value)
      bytes[at + index] = code
    }
    bytes[lengthAt] = length
    at += length
  } else putLongString(tag, value)
}

/** Half of a surrogate pair becomes U+FFFD, as everywhere in Node; protobufjs writes bytes that are no UTF-8 when the text is short. */
function writeBehind(lengthAt: number, value: string): void {
  at += bytes.write(value, at)
  close(lengthAt)
}

function putLongString(tag: number, value: string): void {
  const { length } = value
  const certain = length > 0x7f && length <= twoByteCharsMax
  const lengthBytes = certain ? 2 : 1
  room(8 + (length <= twoByteCharsMax ? length * 3 : Buffer.byteLength(value)))
  tagged(tag)
  const lengthAt = at
  at += lengthBytes
  at += bytes.write(value, at)
  if (!certain) return close(lengthAt)
  const written = at - lengthAt - 2
  bytes[lengthAt] = (written & 0x7f) | 0x80
  bytes[lengthAt + 1] = written >>> 7
}

/** A message or a packed field: answers where its length goes, for `close`. */
export function open(tag: number): number {
  room(3)
  tagged(tag)
  return at++
}

/** One byte was left for the length; what was written moves up when it takes more. */
export function close(lengthAt: number): void {
  const length = at - lengthAt - 1
  if (length <= 0x7f) {
    bytes[lengthAt] = length
    return
  }
  const more = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : 3
  room(more)
  bytes.copyWithin(lengthAt + 1 + more, lengthAt + 1, at)
  at = lengthAt
  varint(length)
  at += length
}

/** Fields that this version does not know, as protobufjs kept them beside the message it read. */
export interface Kept {
  readonly $unknowns?: readonly Uint8Array[]
}

export function putKept(chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) {
    room(chunk.length)
    bytes.set(chunk, at)
    at += chunk.length
  }
}
