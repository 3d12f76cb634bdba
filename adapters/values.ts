// Numbers of a payload → the value of a measurement: SI in `number`, whole where a double would round, and the source's own digits
// beside it wherever ours differ from them. One place, so that every adapter says the same.

import type { Measurement } from '../proto/generated/types.ts'
import { type Int64, int64 } from '../proto/int64.ts'
import { type Literal, type Numeral, decimal, decimalNumber, numeralText, sameDecimal, wholeNumber } from './decimal.ts'
import { type Unit, isSame, toSi } from './units.ts'

/** The parts of a measurement that hold the value itself. */
export type Value =
  | { value?: undefined }
  | { value: 'number'; number: number; sourceValue?: string }
  | { value: 'integer'; integer: Int64 }
  | { value: 'flag'; flag: boolean }
  | { value: 'text'; text: string }
  | { value: 'blob'; blob: Uint8Array }

export function numberValue(source: Numeral, unit?: Unit): Value {
  if (unit && !isSame(unit)) {
    return { value: 'number', number: toSi(Number(numeralText(source)), unit), sourceValue: numeralText(source) }
  }
  return typeof source === 'number' ? { value: 'number', number: source } : exactValue(source)
}

const int64Max = 2n ** 63n - 1n
const safeMax = 2n ** 53n

/** A whole number that a double cannot hold stays whole; other digits that it cannot hold stand beside it. */
function exactValue(source: bigint | Literal): Value {
  const text = numeralText(source)
  const exact = decimal(source)
  if (!exact) return { value: 'number', number: Number(text), sourceValue: text }
  const whole = wholeNumber(exact)
  if (whole !== undefined && (whole > safeMax || whole < -safeMax) && whole <= int64Max && whole >= -int64Max) {
    return { value: 'integer', integer: int64(whole) }
  }
  const number = decimalNumber(exact)
  const shortest = decimal(number)
  const isRounded = !shortest || !sameDecimal(shortest, exact)
  return { value: 'number', number, ...(isRounded && { sourceValue: text }) }
}

/** Where a message repeats a quantity, the place among its kind tells the values apart. */
export function tellApart(measurements: readonly Measurement[]): void {
  if (measurements.length <= pairwiseMax && !hasPair(measurements)) return
  if (measurements.length < 2) return
  const alike = Map.groupBy(measurements, ({ quantity }) => quantity)
  for (const several of alike.values()) {
    if (several.length > 1) for (const [index, measurement] of several.entries()) measurement.index = index
  }
}

// Among so few, looking at each pair is quicker than grouping them.
const pairwiseMax = 8

function hasPair(measurements: readonly Measurement[]): boolean {
  for (let one = 1; one < measurements.length; one++) {
    const { quantity } = measurements[one]!
    for (let other = 0; other < one; other++) if (measurements[other]!.quantity === quantity) return true
  }
  return false
}
