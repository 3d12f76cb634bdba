// Fields of packets that say their own length: texts in UTF-8 (MQTT 3.1.1 §1.5.3), bytes, and integers of variable length.

import { isUtf8 } from 'node:buffer'

// U+0000 is forbidden; U+0001 to U+001F and U+007F to U+009F (C2 80 to C2 9F) a server may refuse, and does: they make two names look
// alike in every log and on every screen.
const isControl = (byte: number, next = 0): boolean =>
  byte < 0x20 || byte === 0x7f || (byte === 0xc2 && next >= 0x80 && next < 0xa0)

/** Where a field with its length in front ends; undefined when that is beyond `end`. */
export function textEnd(bytes: Uint8Array, at: number | undefined, end: number): number | undefined {
  if (at === undefined || at + 2 > end) return undefined
  const after = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
  return after > end ? undefined : after
}

/** Of a text without its length. */
export function isPlainText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (isControl(bytes[i]!, bytes[i + 1])) return false
  return isUtf8(bytes.subarray(start, end))
}

/** What MQTT 5 §1.5.4 demands of every text, and no more. */
export function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === 0) return false
    // Most are plain ASCII, and short: a call into Node.js would cost more than the loop.
    if (byte >= 0x80) return isUtf8(bytes.subarray(start, end)) && !bytes.subarray(i, end).includes(0)
  }
  return true
}

/** Names and values that come again and again, in places that their bytes choose: most are there, and need not be made. */
const known: (string | undefined)[] = Array.from({ length: 1024 })
const knownBytesMax = 48

/** Of sound UTF-8. */
export function shortText(bytes: Buffer, start: number, end: number): string {
  if (end - start > knownBytesMax) return bytes.toString('utf8', start, end)
  let sum = end - start
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte >= 0x80) return bytes.toString('utf8', start, end)
    sum = (Math.imul(sum, 31) + byte) | 0
  }
  const place = (sum ^ (sum >>> 15)) & (known.length - 1)
  const text = known[place]
  if (text !== undefined && isSame(text, bytes, start, end)) return text
  return (known[place] = bytes.toString('latin1', start, end))
}

function isSame(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false
  return true
}

export interface VariableInteger {
  readonly value: number
  readonly end: number
}

/** MQTT 5 §1.5.5: of at most four bytes, and no more than it needs. */
export function variableInteger(bytes: Uint8Array, at: number, end: number): VariableInteger | undefined {
  let value = 0
  for (let i = 0; i < 4 && at + i < end; i++) {
    const byte = bytes[at + i]!
    value += (byte & 0x7f) << (7 * i)
    if (byte < 0x80) return byte === 0 && i > 0 ? undefined : { value, end: at + i + 1 }
  }
  return undefined
}
