// Decimal numbers, exact: times to the nanosecond and sums of base value and value come out as a person would write them, where
// doubles would round (1276020076.001 − 5, 20.1 + 0.2, counters beyond 2^53).

/** digits × 10^exponent */
export interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

const mark: unique symbol = Symbol('literal')

/** A number as its source wrote it, kept where a double would round it or its digits matter. */
export interface Literal {
  readonly [mark]: true
  readonly text: string
}

/** Marked, so that no object of a payload can pass for one. */
export const literal = (text: string): Literal => ({ [mark]: true, text })
export const isLiteral = (value: unknown): value is Literal =>
  typeof value === 'object' && value !== null && mark in value

/** A number from JSON or CBOR. Plain `number` wherever that is exact enough, since it costs nothing. */
export type Numeral = number | bigint | Literal

// Doubles end at 10^308 and begin at 10^−324; more digits than this no double and no int64 can need.
const exponentMax = 400
const lengthMax = 400

const decimalForm = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** Undefined for what is no decimal number, or is beyond what any field of ours holds. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > lengthMax) return undefined
  const match = decimalForm.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match
  const exponent = Number(exponentText) - fraction.length
  if (Math.abs(exponent) > exponentMax) return undefined
  const digits = BigInt(whole + fraction)
  return { digits: sign === '-' ? -digits : digits, exponent }
}

export function decimal(numeral: Numeral): Decimal | undefined {
  if (typeof numeral === 'bigint') return { digits: numeral, exponent: 0 }
  // The shortest text that reads back as the same double is what the source wrote, up to 15 digits.
  return parseDecimal(numeralText(numeral))
}

export function numeralText(numeral: Numeral): string {
  return typeof numeral === 'object' ? numeral.text : String(numeral)
}

// A double has 17 digits and a time of nanoseconds 19: beside what is so much larger, a part does not show.
const negligible = 1e-64

/** Exact, but for a part that is negligible beside the other, for which no thousand digits are written out. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [magnitudeA, magnitudeB] = [Math.abs(decimalNumber(a)), Math.abs(decimalNumber(b))]
  if (magnitudeB < magnitudeA * negligible) return a
  if (magnitudeA < magnitudeB * negligible) return b
  const exponent = Math.min(a.exponent, b.exponent)
  return { digits: scaled(a, exponent) + scaled(b, exponent), exponent }
}

const scaled = ({ digits, exponent }: Decimal, to: number): bigint => digits * 10n ** BigInt(exponent - to)

/** Plain digits without an exponent and without trailing zeros: "1276020071.001". */
export function decimalText({ digits, exponent }: Decimal): string {
  if (exponent >= 0) return String(digits * 10n ** BigInt(exponent))
  const sign = digits < 0n ? '-' : ''
  const text = String(digits < 0n ? -digits : digits).padStart(1 - exponent, '0')
  const fraction = withoutEndingZeros(text.slice(exponent))
  return `${sign}${text.slice(0, exponent)}${fraction === '' ? '' : `.${fraction}`}`
}

// A regular expression would try every run of zeros on its way.
function withoutEndingZeros(digits: string): string {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

/** The nearest double; ±Infinity where there is none. */
export const decimalNumber = ({ digits, exponent }: Decimal): number => Number(`${digits}e${exponent}`)

/** Whole seconds, as most devices send them, without the way through text. */
export const wholeSecondsNs = (seconds: number): bigint => BigInt(seconds) * 1_000_000_000n

// Below it neighbouring doubles are less than a microsecond apart, so that a time of up to six decimals is one double's and no other's.
const microsExactBelow = 2 ** 32

/** Seconds that a source wrote with at most six decimals, in microseconds and without the way through text; undefined: others. */
export function wholeMicros(seconds: Numeral): number | undefined {
  if (typeof seconds !== 'number' || Math.abs(seconds) >= microsExactBelow) return undefined
  const micros = Math.round(seconds * 1e6)
  return micros / 1e6 === seconds ? micros : undefined
}

/** Seconds to nanoseconds; what is finer than a nanosecond is cut off. */
export function nanoseconds({ digits, exponent }: Decimal): bigint {
  const shift = exponent + 9
  return shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
}

/** The whole number it is, if it is one. */
export function wholeNumber({ digits, exponent }: Decimal): bigint | undefined {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent)
  const divisor = 10n ** BigInt(-exponent)
  return digits % divisor === 0n ? digits / divisor : undefined
}

export const sameDecimal = (a: Decimal, b: Decimal): boolean => {
  const exponent = Math.min(a.exponent, b.exponent)
  return scaled(a, exponent) === scaled(b, exponent)
}
