// Holds what was measured against the registry of quantities: a value outside the physical range is BAD where its source did not
// judge it itself, and a quantity that the registry does not know passes under its own name and is counted.

import { quantities } from '../adapters/quantities.ts'
import type { Quantity } from '../adapters/quantity.ts'
import { Quality } from '../proto/generated/types.ts'
import type { Measurement } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'

export interface UnknownQuantities {
  /** One more measurement of a quantity that is not in the registry. */
  count(adapter: string, quantity: string): void
  /** By adapter. */
  readonly counts: ReadonlyMap<string, UnknownCount>
}

export interface UnknownCount {
  readonly measurements: number
  /** The first names that came, each with how often; others are in `measurements` only. */
  readonly names: ReadonlyMap<string, number>
}

/** A device that makes up names must not grow us; a site that has more has a device to look at first. */
const namesMax = 100

export function createUnknownQuantities(): UnknownQuantities {
  const counts = new Map<string, { measurements: number; names: Map<string, number> }>()
  return {
    // Adapters are a closed list, so there are few.
    count(adapter, quantity) {
      let one = counts.get(adapter)
      if (!one) counts.set(adapter, (one = { measurements: 0, names: new Map() }))
      one.measurements += 1
      const known = one.names.get(quantity)
      if (known !== undefined) one.names.set(quantity, known + 1)
      else if (one.names.size < namesMax) one.names.set(quantity, 1)
    },
    counts,
  }
}

/** What a value of this measurement may be; undefined: the registry cannot tell. */
export function rangeOf(measurement: Measurement): Pick<Quantity, 'min' | 'max'> | undefined {
  const known = quantities.get(measurement.quantity ?? '')
  return known && isComparable(measurement, known) ? known : undefined
}

/** A value in another unit than the row's (ppm beside µg/m³) cannot be held against its range. */
const isComparable = ({ unit }: Measurement, known: Quantity): boolean =>
  known.unit !== '' && (unit ?? '') === known.unit

/** Marks what cannot be; answers whether there was any. */
export function judge(
  measurements: readonly Measurement[] | undefined,
  adapter: string,
  unknown: UnknownQuantities | undefined,
): boolean {
  if (!measurements) return false
  let isOut = false
  for (const measurement of measurements) {
    const known = quantities.get(measurement.quantity!)
    if (!known) {
      if (measurement.quantity) unknown?.count(adapter, measurement.quantity)
      continue
    }
    if (!isComparable(measurement, known) || measurement.quality) continue
    const { value } = measurement
    if (value !== 'number' && value !== 'integer') continue
    const number = value === 'number' ? measurement.number : toNumber(measurement.integer)
    if (number >= known.min && number <= known.max) continue
    measurement.quality = Quality.BAD
    isOut = true
  }
  return isOut
}
