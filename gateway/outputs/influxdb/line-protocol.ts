// Line protocol, written into one reused buffer. Its promise: whatever the text, a line is one line, and who reads it back finds
// exactly the names, values and time that went in; nothing a device sends can forge a point, a tag or a field.
//
//   measurement,tag=value,tag=value field=1.5,field=2i,field="text",field=true 1700000000123000042
//
// Line protocol has no way to write a line break, and its versions disagree on backslashes, so both are made visible: control
// characters anywhere, and backslashes in names and tags, are written as `%` and the hex digits of their UTF-8 bytes ("%0A").
// A `%` that stands before two hex digits becomes "%25", so that no two texts are written alike and `decodeText` gives
// back what was meant.

import { strict as assert } from 'node:assert'
import type { Int64 } from '../../../proto/int64.ts'

export interface Lines {
  /** Bytes of all whole lines. */
  readonly length: number
  /** Whole lines. */
  readonly count: number
  /** Opens a line; one that was left open is forgotten. */
  begin(measurement: string): void
  /** An empty value is left out: line protocol cannot say it, and InfluxDB reads an absent tag as empty. Tags stand before fields. */
  tag(key: string, value: string): void
  /** False, and nothing is written, when the value is not finite: InfluxDB knows no such number. */
  float(key: string, value: number): boolean
  /** False, and nothing is written, when the value does not fit int64. */
  integer(key: string, value: Int64 | bigint): boolean
  flag(key: string, value: boolean): void
  text(key: string, value: string): void
  /** The text form of a UUID of 16 bytes. */
  id(key: string, value: Uint8Array): void
  /** Bytes that stood so in a line that was written here. */
  again(part: Uint8Array): void
  /** Closes the line at `ms` milliseconds and `restNs` (0 to 999,999) nanoseconds since 1970. False, and it is forgotten, when it has no field. */
  end(ms: number, restNs: number): boolean
  /** The line's bytes with its line feed; valid until the next change. */
  line(index: number): Buffer
  /** All whole lines; valid until the next change. */
  bytes(): Buffer
  clear(): void
}

const comma = 0x2c
const space = 0x20
const equals = 0x3d
const quote = 0x22
const backslash = 0x5c
const percent = 0x25
const hyphen = 0x2d
const lineFeed = 0x0a
const hexDigits = Buffer.from('0123456789abcdef')

// What a character needs: 0 nothing, 1 a backslash before it, 2 a closer look (see `escape`).
const inMeasurement = careTable([comma, space], '\\%#')
const inName = careTable([comma, space, equals], '\\%')
const inText = careTable([quote, backslash], '%')

function careTable(withBackslash: readonly number[], closer: string): Uint8Array {
  const table = new Uint8Array(128)
  table.fill(2, 0, 0x20)
  table[0x7f] = 2
  for (const character of closer) table[character.charCodeAt(0)] = 2
  for (const code of withBackslash) table[code] = 1
  return table
}

export function createLines(bytesMin = 64 << 10): Lines {
  let bytes = Buffer.allocUnsafe(bytesMin)
  let at = 0
  let whole = 0
  let fields = 0
  const ends: number[] = []

  function reserve(more: number): void {
    if (at + more <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, at + more))
    bytes.copy(larger, 0, 0, at)
    bytes = larger
  }

  /** Most text is short, plain ASCII: byte by byte is faster than a call into native code. */
  function write(text: string, care: Uint8Array): void {
    const { length } = text
    reserve(length * 2)
    const out = bytes
    let to = at
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      const need = code < 128 ? care[code]! : 2
      if (need === 2) return writeEscaped(text, care)
      if (need === 1) out[to++] = backslash
      out[to++] = code
    }
    at = to
  }

  function writeEscaped(text: string, care: Uint8Array): void {
    const escaped = escape(text, care)
    reserve(Buffer.byteLength(escaped))
    at += bytes.write(escaped, at, 'utf8')
  }

  function writeAscii(text: string): void {
    const { length } = text
    reserve(length)
    const out = bytes
    const from = at
    for (let i = 0; i < length; i++) out[from + i] = text.charCodeAt(i)
    at = from + length
  }

  function writeKey(key: string): void {
    reserve(1)
    bytes[at++] = fields++ === 0 ? space : comma
    write(key, inName)
    reserve(2)
    bytes[at++] = equals
  }

  /** Digits of a whole number from 0 below 10^15, at least `width` of them. */
  function writeDigits(value: number, width: number): void {
    let digits = 1
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++
    digits = Math.max(digits, width)
    reserve(digits)
    for (let i = at + digits - 1, rest = value; i >= at; i--) {
      const next = Math.floor(rest / 10)
      bytes[i] = 0x30 + (rest - next * 10)
      rest = next
    }
    at += digits
  }

  return {
    get length() {
      return whole
    },
    get count() {
      return ends.length
    },
    begin(measurement) {
      at = whole
      fields = 0
      write(measurement, inMeasurement)
    },
    tag(key, value) {
      assert(fields === 0, 'tags stand before fields')
      if (value === '') return
      reserve(1)
      bytes[at++] = comma
      write(key, inName)
      reserve(1)
      bytes[at++] = equals
      write(value, inName)
    },
    float(key, value) {
      if (!Number.isFinite(value)) return false
      writeKey(key)
      writeAscii(Object.is(value, -0) ? '-0' : String(value))
      return true
    },
    integer(key, value) {
      if (typeof value === 'number' && !Number.isSafeInteger(value)) return false
      const text = String(value)
      if (!fitsInt64(text)) return false
      writeKey(key)
      writeAscii(text)
      reserve(1)
      bytes[at++] = 0x69
      return true
    },
    flag(key, value) {
      writeKey(key)
      writeAscii(value ? 'true' : 'false')
    },
    text(key, value) {
      writeKey(key)
      bytes[at++] = quote
      write(value, inText)
      reserve(1)
      bytes[at++] = quote
    },
    id(key, value) {
      writeKey(key)
      reserve(38)
      const out = bytes
      let to = at
      out[to++] = quote
      for (let i = 0; i < 16; i++) {
        if (i === 4 || i === 6 || i === 8 || i === 10) out[to++] = hyphen
        const byte = value[i] ?? 0
        out[to++] = hexDigits[byte >> 4]!
        out[to++] = hexDigits[byte & 15]!
      }
      out[to++] = quote
      at = to
    },
    again(part) {
      reserve(part.length)
      bytes.set(part, at)
      at += part.length
    },
    end(ms, restNs) {
      assert(
        Number.isSafeInteger(ms) && restNs >= 0 && restNs < 1_000_000,
        'a time in milliseconds and a rest of nanoseconds',
      )
      if (fields === 0) {
        at = whole
        return false
      }
      reserve(1)
      bytes[at++] = space
      if (ms >= 0 && ms < 1e15) {
        if (ms > 0) writeDigits(ms, 1)
        writeDigits(restNs, ms > 0 ? 6 : 1)
      } else {
        writeAscii(String(BigInt(ms) * 1_000_000n + BigInt(restNs)))
      }
      reserve(1)
      bytes[at++] = lineFeed
      whole = at
      ends.push(at)
      return true
    },
    line: (index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index]),
    bytes: () => bytes.subarray(0, whole),
    clear() {
      at = 0
      whole = 0
      fields = 0
      ends.length = 0
    },
  }
}

/** The text that was meant by a name, tag or text field read back from InfluxDB. */
export function decodeText(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}

/** A tag as it stands in the database, for questions. */
export function encodeTag(text: string): string {
  return text.replaceAll(/[\p{Cc}\\]|%(?=[0-9A-Fa-f]{2})/gu, (character) => percentEncoded(character))
}

// C0, DEL and C1 controls.
const isControl = (code: number): boolean => code < 0x20 || (code >= 0x7f && code <= 0x9f)

function escape(text: string, care: Uint8Array): string {
  let escaped = ''
  let index = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (isControl(code)) escaped += percentEncoded(character)
    else if (code >= 128 || care[code] === 0) escaped += character
    else if (care[code] === 1) escaped += `\\${character}`
    else if (code === backslash) escaped += '%5C'
    else if (code === percent) escaped += isHexPair(text, index + 1) ? '%25' : '%'
    // What is left is #: a line that begins with it is a comment.
    else escaped += index === 0 ? '%23' : character
    index += character.length
  }
  return escaped
}

const isHexPair = (text: string, at: number): boolean => /^[0-9A-Fa-f]{2}$/.test(text.slice(at, at + 2))

function percentEncoded(character: string): string {
  return Buffer.from(character, 'utf8').toString('hex').toUpperCase().replaceAll(/../g, '%$&')
}

const int64Max = '9223372036854775807'
const int64Min = '9223372036854775808'

function fitsInt64(text: string): boolean {
  if (text.length < int64Max.length) return true
  const negative = text.charCodeAt(0) === 0x2d
  const digits = negative ? text.slice(1) : text
  return (
    digits.length < int64Max.length || (digits.length === int64Max.length && digits <= (negative ? int64Min : int64Max))
  )
}
