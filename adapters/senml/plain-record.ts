// One record of a plain pack: the JSON that nearly every device sends, flat, in ASCII, without escapes or exponents, read in one pass
// over its bytes into a record that is used again for the next. It takes less than JSON does and never more: whatever it does not
// take is left to the exact reader (records.ts), which also says what is wrong.

/** Labels by number: bits in `has`, places in the columns. Texts, then true or false, then numbers. */
export const [bn, bu, n, u, vs, vb, bt, t, v] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const
const labels = 9
const lastText = vs

export interface PlainRecord {
  /** Which labels it has, a bit for each. */
  has: number
  /** Which of its numbers are below zero. */
  negative: number
  flag: boolean
  /** Where a label's text or number begins and ends. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** A number is whole + fraction ÷ 10^scale. */
  readonly whole: Float64Array
  readonly fraction: Float64Array
  readonly scale: Int32Array
}

export const createPlainRecord = (): PlainRecord => ({
  has: 0,
  negative: 0,
  flag: false,
  from: new Int32Array(labels),
  to: new Int32Array(labels),
  whole: new Float64Array(labels),
  fraction: new Float64Array(labels),
  scale: new Int32Array(labels),
})

export const has = (record: PlainRecord, label: number): boolean => (record.has & (1 << label)) !== 0

// Every number of fifteen digits is a double's own (2^53 has sixteen), alone and as a part of one with a point.
const digitsMax = 15
// Longer texts are for the reader that knows the limit of each.
const textBytesMax = 1_024

const [quote, backslash, comma, colon, minus, dot] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x2e]
const [nought, nine, space, tilde, openObject, closeObject] = [0x30, 0x39, 0x20, 0x7e, 0x7b, 0x7d]

/** Behind the record that begins at `start`; −1 for one that is not plain. */
export function readPlainRecord(bytes: Uint8Array, start: number, record: PlainRecord): number {
  record.has = 0
  record.negative = 0
  if (bytes[start] !== openObject) return -1
  let at = afterSpace(bytes, start + 1)
  for (;;) {
    const label = labelAt(bytes, at)
    // Of a label that stands twice JSON.parse takes the last.
    if (label < 0 || has(record, label)) return -1
    record.has |= 1 << label
    at = afterSpace(bytes, at + (bytes[at + 2] === quote ? 3 : 4))
    if (bytes[at] !== colon) return -1
    at = readValue(bytes, afterSpace(bytes, at + 1), record, label)
    if (at < 0) return -1
    at = afterSpace(bytes, at)
    if (bytes[at] === closeObject) return at + 1
    if (bytes[at] !== comma) return -1
    at = afterSpace(bytes, at + 1)
  }
}

/** RFC 8259 §2: white space. */
export function afterSpace(bytes: Uint8Array, start: number): number {
  let at = start
  for (;;) {
    const byte = bytes[at]!
    // Nearly always, and also behind the last byte.
    if (!(byte <= space)) return at
    if (byte !== space && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at++
  }
}

/** Of one or two letters, between quotes. */
function labelAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quote) return -1
  if (bytes[at + 2] === quote) return labelOfOne(bytes[at + 1]!)
  return bytes[at + 3] === quote ? labelOfTwo(bytes[at + 1]!, bytes[at + 2]!) : -1
}

const [letterB, letterN, letterS, letterT, letterU, letterV] = [0x62, 0x6e, 0x73, 0x74, 0x75, 0x76]

function labelOfOne(letter: number): number {
  if (letter === letterN) return n
  if (letter === letterU) return u
  if (letter === letterV) return v
  return letter === letterT ? t : -1
}

function labelOfTwo(first: number, second: number): number {
  if (first === letterB) {
    if (second === letterN) return bn
    if (second === letterT) return bt
    return second === letterU ? bu : -1
  }
  if (first !== letterV) return -1
  if (second === letterB) return vb
  return second === letterS ? vs : -1
}

function readValue(bytes: Uint8Array, at: number, record: PlainRecord, label: number): number {
  record.from[label] = at
  if (label > vb) return readNumber(bytes, at, record, label)
  if (label <= lastText) return readText(bytes, at, record, label)
  if (says(bytes, at, 'true')) {
    record.flag = true
    return at + 4
  }
  record.flag = false
  return says(bytes, at, 'false') ? at + 5 : -1
}

function says(bytes: Uint8Array, start: number, word: string): boolean {
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word.charCodeAt(at)) return false
  return true
}

function readText(bytes: Uint8Array, start: number, record: PlainRecord, label: number): number {
  if (bytes[start] !== quote) return -1
  let at = start + 1
  for (;;) {
    const byte = bytes[at]!
    if (byte === quote) break
    // The comparison is false behind the last byte, too.
    if (!(byte >= space && byte <= tilde) || byte === backslash) return -1
    at++
  }
  record.from[label] = start + 1
  record.to[label] = at
  return at - start > textBytesMax ? -1 : at + 1
}

/** RFC 8259 §6, without an exponent and without the zero below zero, which only a double can say. Answers where it ends; −1: not plain. */
export function readNumber(bytes: Uint8Array, start: number, record: PlainRecord, label: number): number {
  const isNegative = bytes[start] === minus
  const first = isNegative ? start + 1 : start
  let at = first
  let whole = 0
  let fraction = 0
  let scale = 0
  for (; isDigit(bytes[at]); at++) whole = whole * 10 + (bytes[at]! - nought)
  const digits = at - first
  if (digits === 0 || digits > digitsMax || (digits > 1 && bytes[first] === nought)) return -1
  if (bytes[at] === dot) {
    const point = at
    for (at++; isDigit(bytes[at]); at++) fraction = fraction * 10 + (bytes[at]! - nought)
    scale = at - point - 1
    if (scale === 0 || scale > digitsMax) return -1
  }
  if (isNegative) {
    if (whole === 0 && fraction === 0) return -1
    record.negative |= 1 << label
  }
  record.to[label] = at
  record.whole[label] = whole
  record.fraction[label] = fraction
  record.scale[label] = scale
  // Time is a whole number of nanoseconds, value one double: both need their own bound on the digits together.
  return (label === v ? digits + scale > digitsMax : digits > secondDigitsMax || scale > nanoDigits) ? -1 : at
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= nought && byte <= nine

// The year 9999 has twelve digits; a nanosecond is the ninth place behind the point.
const secondDigitsMax = 12
const nanoDigits = 9

const powersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]

/** The double of the value: of two whole numbers that are doubles themselves the quotient is the nearest to the decimal. */
export function plainNumber(record: PlainRecord): number {
  const power = powersOfTen[record.scale[v]!]!
  const number = (record.whole[v]! * power + record.fraction[v]!) / power
  return record.negative & (1 << v) ? -number : number
}

/** Whole seconds and nanoseconds, both of the number's sign; never −0. */
export function plainSeconds(record: PlainRecord, label: number): number {
  return record.negative & (1 << label) ? 0 - record.whole[label]! : record.whole[label]!
}

export function plainNanos(record: PlainRecord, label: number): number {
  const nanos = record.fraction[label]! * powersOfTen[nanoDigits - record.scale[label]!]!
  return record.negative & (1 << label) ? 0 - nanos : nanos
}
