// Metres → the kilometres and feet of CAP, as the shortest text that is read back as the same number of metres.

import { decimal, decimalText } from '../decimal.ts'
import { metresOfFeet } from './area.ts'
import { decimalOf } from './fields.ts'

export function kilometresText(metres: number): string {
  const exact = decimal(metres)
  return exact ? decimalText({ digits: exact.digits, exponent: exact.exponent - 3 }) : ''
}

export function feetText(metres: number): string {
  for (let digits = 1; digits <= 17; digits++) {
    const text = plainText(Number((metres / 0.3048).toPrecision(digits)))
    const feet = decimalOf(text)
    if (feet && metresOfFeet(feet) === metres) return text
  }
  // Between two doubles of feet: 25 digits are closer than any double is to its neighbour.
  const exact = decimal(metres)
  if (!exact) return ''
  const spare = 25
  return decimalText({ digits: (exact.digits * 10n ** BigInt(spare + 4)) / 3048n, exponent: exact.exponent - spare })
}

function plainText(number: number): string {
  const exact = decimal(number)
  return exact ? decimalText(exact) : ''
}
