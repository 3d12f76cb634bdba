// Writing protobuf by hand into a buffer that is reused: strings and numbers go straight to their place, without objects in
// between. Only what the hot path needs; everything else is written by proto/wire.ts.

import type { Int64 } from '../../proto/int64.ts'

export interface Target {
  bytes: Buffer
  /** Where the next byte goes. Whoever writes has made sure of room (`room`). */
  at: number
}

/** Grows the buffer so that `count` more bytes fit. */
export function room(target: Target, count: number): void {
  if (target.at + count <= target.bytes.length) return
  let size = target.bytes.length * 2
  while (size < target.at + count) size *= 2
  const larger = Buffer.allocUnsafeSlow(size)
  target.bytes.copy(larger, 0, 0, target.at)
  target.bytes = larger
}

/** At most 5 bytes for numbers below 2^35; exact up to 2^53. */
export function putVarint(target: Target, value: number): void {
  const { bytes } = target
  let at = target.at
  let rest = value
  while (rest > 0x7fffffff) {
    bytes[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  target.at = at
}

/** A varint of always four bytes, for lengths that are known only afterwards: below 2^28. protobuf readers take it like any other. */
export function setLength4(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = (length & 0x7f) | 0x80
  bytes[at + 1] = ((length >>> 7) & 0x7f) | 0x80
  bytes[at + 2] = ((length >>> 14) & 0x7f) | 0x80
  bytes[at + 3] = (length >>> 21) & 0x7f
}

/** `tag` below 2^14: two bytes when above 127. */
export function putTag(target: Target, tag: number): void {
  if (tag > 0x7f) {
    target.bytes[target.at++] = (tag & 0x7f) | 0x80
    target.bytes[target.at++] = tag >>> 7
  } else target.bytes[target.at++] = tag
}

export function putNumber(target: Target, tag: number, value: number | undefined): void {
  if (!value) return
  putTag(target, tag)
  putVarint(target, value)
}

/** Longer than this, the loop over characters is slower than the call into C++. */
const loopCharsMax = 48

export function putString(target: Target, tag: number, value: string | undefined): void {
  if (!value) return
  putTag(target, tag)
  const { length } = value
  if (length <= loopCharsMax) {
    const { bytes } = target
    const start = target.at
    let at = start + 1
    let index = 0
    for (; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) break
      bytes[at++] = code
    }
    if (index === length) {
      bytes[start] = length
      target.at = at
      return
    }
  }
  putVarint(target, Buffer.byteLength(value))
  target.at += target.bytes.write(value, target.at)
}

export function putBytes(target: Target, tag: number, value: Uint8Array | undefined): void {
  if (!value || value.length === 0) return
  putTag(target, tag)
  putVarint(target, value.length)
  target.bytes.set(value, target.at)
  target.at += value.length
}

/** fixed64 and sfixed64. */
export function putFixed64(target: Target, tag: number, value: Int64 | undefined): void {
  if (!value) return
  const { bytes } = target
  if (typeof value === 'number') {
    putTag(target, tag)
    setUint32(bytes, target.at, value >>> 0)
    setUint32(bytes, target.at + 4, Math.floor(value / 4294967296) >>> 0)
  } else {
    if (value.low === 0 && value.high === 0) return
    putTag(target, tag)
    setUint32(bytes, target.at, value.low)
    setUint32(bytes, target.at + 4, value.high)
  }
  target.at += 8
}

export function setUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

export function getUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** Whole numbers below 2^53. */
export function setUint53(bytes: Uint8Array, at: number, value: number): void {
  setUint32(bytes, at, value >>> 0)
  setUint32(bytes, at + 4, Math.floor(value / 4294967296))
}

export function getUint53(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at) + getUint32(bytes, at + 4) * 4294967296
}

/** Room that a string may need beyond its characters. */
export const stringBytesMax = (value: string | undefined): number => (value ? value.length * 3 + 8 : 0)

/** Bytes as text, one character each: for keys of maps. */
export const latin1 = (bytes: Uint8Array, from = 0, to = bytes.length): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1', from, to)

export const utf8 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8', from, to)
