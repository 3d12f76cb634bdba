// JSON bytes to values under limits, with faults as values: invalid UTF-8 and syntax errors say at which byte, and never quote
// the payload. Digits that a double cannot hold are there for those who ask (`exact`), and cost only them.

import type { Fault } from './adapter.ts'
import { parseLiterals } from './json-literals.ts'

export interface JsonLimits {
  readonly bytesMax: number
  readonly depthMax: number
}

export type JsonText =
  | {
      readonly value: unknown
      /** Whether a number has more digits than a double is sure to hold. */
      readonly long: boolean
      /** The same document with each number as its literal text. */
      exact(): unknown
    }
  | { readonly fault: Fault; readonly why: string }

// A byte order mark is dropped (RFC 8259 §8.1 lets a reader do so).
const utf8 = new TextDecoder('utf-8', { fatal: true })

export function parseJson(bytes: Uint8Array, limits: JsonLimits): JsonText {
  if (bytes.length > limits.bytesMax)
    return { fault: 'length', why: `${bytes.length} bytes, at most ${limits.bytesMax}` }
  if (bytes.length === 0) return { fault: 'length', why: 'no bytes' }
  const { depth, digits } = scan(bytes)
  if (digits > digitBytesMax) return { fault: 'length', why: `a number of more than ${digitBytesMax} digits` }
  if (depth > limits.depthMax) return { fault: 'length', why: `nested deeper than ${limits.depthMax}` }
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return { fault: 'syntax', why: `not UTF-8 at byte ${invalidUtf8At(bytes)}` }
  }
  try {
    const value: unknown = JSON.parse(text)
    return { value, long: digits > safeDigitBytes, exact: () => parseLiterals(text) }
  } catch (error) {
    return { fault: 'syntax', why: `not JSON${placeOf(error, text)}` }
  }
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]
const [dot, nought, nine] = [0x2e, 0x30, 0x39]

/** Fifteen digits always survive a double. A point counts as one, which at worst costs a second look. */
const safeDigitBytes = 15

/** RFC 8428 §5 asks for less than 19; printf's %f of the largest double has 309. */
const digitBytesMax = 330

/** One pass over the bytes: how deep they nest, and how many digits the longest number has without its exponent. */
function scan(bytes: Uint8Array): { depth: number; digits: number } {
  let [level, depth, run, digits] = [0, 0, 0, 0]
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if ((byte >= nought && byte <= nine) || byte === dot) {
      if (++run > digits) digits = run
      continue
    }
    run = 0
    if (byte === quote) {
      for (at++; at < bytes.length && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++
    } else if (byte === openArray || byte === openObject) {
      if (++level > depth) depth = level
    } else if (byte === closeArray || byte === closeObject) level--
  }
  return { depth, digits }
}

/** The engine's message quotes the payload, so only its position is used. */
function placeOf(error: unknown, text: string): string {
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined
  if (position === undefined) {
    return error instanceof SyntaxError && /end of JSON/.test(error.message) ? ': it ends too early' : ''
  }
  return ` at byte ${Buffer.byteLength(text.slice(0, Number(position)))}`
}

/** Halving: a stream decoder throws on a prefix exactly when the first fault lies in it. */
function invalidUtf8At(bytes: Uint8Array): number {
  let [sound, faulty] = [0, bytes.length + 1]
  while (faulty - sound > 1) {
    const middle = (sound + faulty) >> 1
    if (isSoundStart(bytes.subarray(0, middle))) sound = middle
    else faulty = middle
  }
  return Math.min(sound, bytes.length)
}

function isSoundStart(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}
