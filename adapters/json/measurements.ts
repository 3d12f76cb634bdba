// The measurements that a mapping finds in one element of a message.

import { Aggregation, Quality } from '../../proto/generated/types.ts'
import type { Measurement } from '../../proto/generated/types.ts'
import { type Numeral, isLiteral, numeralText } from '../decimal.ts'
import { quantityOf } from '../quantities.ts'
import { type Unit, words } from '../units.ts'
import { type Value, numberValue, tellApart } from '../values.ts'
import { type CompiledMapping, type CompiledMeasurement, type Facts, constantOr } from './compiled.ts'
import type { Scope } from './expression.ts'
import {
  type Reading,
  exactValueAt,
  fail,
  flagOf,
  missingKey,
  numberOf,
  scopesOf,
  textOf,
  valueAt,
  wordOf,
} from './reading.ts'

const measurementsMax = 1_000 // gateway/validate.ts
const channelBytesMax = 64
const textBytesMax = 4_096
const unitBytesMax = 64

export function measurementsOf(mapping: CompiledMapping, scope: Scope, reading: Reading, place: string): Measurement[] {
  const found: Measurement[] = []
  for (const one of mapping.measurements) {
    const here = place + one.place
    if (one.repeat) {
      for (const each of scopesOf(`${here}.`, one.repeat, scope, reading, measurementsMax)) {
        measure(one, each, reading, here, found)
      }
    } else measure(one, scope, reading, here, found)
    if (reading.fault) return []
  }
  tellApart(found)
  return found
}

/** An array of values gives one measurement each. */
function measure(
  one: CompiledMeasurement,
  scope: Scope,
  reading: Reading,
  place: string,
  measurements: Measurement[],
): void {
  if (reading.fault) return
  const valuePlace = `${place}.value`
  const wantsDigits = one.isConverted || scope.exactHere !== undefined
  const found = wantsDigits
    ? exactValueAt(reading, valuePlace, one.value, scope)
    : valueAt(reading, valuePlace, one.value, scope)
  if (found === undefined) {
    if (one.required) fail(reading, valuePlace, 'is required and absent')
    return
  }
  const values = Array.isArray(found) && one.as !== 'text' ? (found as unknown[]) : undefined
  if (values && values.length > measurementsMax) {
    fail(reading, valuePlace, `has ${values.length} elements, at most ${measurementsMax}`, 'length')
    return
  }
  const facts = one.facts ?? factsOf(one, scope, reading, place)
  for (const value of values ?? [found]) {
    const measurement = value === null ? undefined : measurementOf(one, value, facts, reading, valuePlace)
    if (measurement) measurements.push(measurement)
  }
}

function factsOf(one: CompiledMeasurement, scope: Scope, reading: Reading, place: string): Facts {
  const sourceUnit = constantOr(one.unit, scope, reading, `${place}.unit`, unitBytesMax) ?? ''
  const unit = words.get(sourceUnit)
  if (!unit && sourceUnit !== '') reading.warnings.add('a unit is not known: kept as the source wrote it')
  const word = constantOr(one.quantity, scope, reading, `${place}.quantity`, textBytesMax) ?? ''
  const quality = constantOr(one.quality, scope, reading, `${place}.quality`, textBytesMax)
  const judged = quality === undefined ? undefined : wordOf(Quality, quality)
  if (quality !== undefined && judged === undefined) fail(reading, `${place}.quality`, 'is no quality such as GOOD')
  return {
    // A quantity that the settings name is taken at its word.
    quantity: typeof one.quantity === 'string' ? word : quantityOf(word, unit?.code ?? '', sourceUnit),
    unit,
    sourceUnit,
    channel: constantOr(one.channel, scope, reading, `${place}.channel`, channelBytesMax) ?? '',
    quality: judged,
  }
}

function measurementOf(
  one: CompiledMeasurement,
  found: unknown,
  { quantity, unit, sourceUnit, channel, quality }: Facts,
  reading: Reading,
  place: string,
): Measurement | undefined {
  const isMissing = one.missing.size > 0 && one.missing.has(missingKey(found))
  const value = isMissing ? {} : valueOf(one, found, unit, reading, place)
  if (!value) return undefined
  const judged = isMissing ? Quality.MISSING : quality
  return {
    quantity,
    ...(judged === Quality.MISSING ? {} : value),
    ...(unit && { unit: unit.code }),
    ...(sourceUnit !== '' && sourceUnit !== unit?.code && { sourceUnit }),
    ...(judged !== undefined && { quality: judged }),
    ...(channel !== '' && { channel }),
    ...(one.aggregation !== undefined && { aggregation: Aggregation[one.aggregation] }),
  }
}

function valueOf(
  one: CompiledMeasurement,
  found: unknown,
  unit: Unit | undefined,
  reading: Reading,
  place: string,
): Value | undefined {
  switch (one.as ?? kindOf(found, unit)) {
    case 'number':
      return finite(numberOf(found), unit, reading, place)
    case 'integer':
      return whole(numberOf(found), unit, reading, place)
    case 'flag': {
      const flag = flagOf(found)
      return flag === undefined ? fail(reading, place, 'is neither true nor false') : { value: 'flag', flag }
    }
    case 'text': {
      const text = textOf(found) ?? JSON.stringify(found)
      if (!text.isWellFormed()) return fail(reading, place, 'is not well-formed text')
      return Buffer.byteLength(text) > textBytesMax
        ? fail(reading, place, `is longer than ${textBytesMax} bytes`, 'length')
        : { value: 'text', text }
    }
    default:
      return fail(reading, place, 'is an object or array where a value is wanted')
  }
}

/** As JSON has it; but a text is a number where a unit says so. */
function kindOf(found: unknown, unit: Unit | undefined): 'number' | 'flag' | 'text' | undefined {
  if (typeof found === 'number' || isLiteral(found)) return 'number'
  if (typeof found === 'boolean') return 'flag'
  if (typeof found === 'string') return unit ? 'number' : 'text'
  return undefined
}

function finite(
  number: Numeral | undefined,
  unit: Unit | undefined,
  reading: Reading,
  place: string,
): Value | undefined {
  if (number === undefined) return fail(reading, place, 'is not a number')
  const value = numberValue(number, unit)
  if (value.value === 'number' && !Number.isFinite(value.number)) {
    return fail(reading, place, 'is beyond all numbers', 'range')
  }
  return value
}

/** What stands after the point is cut off. */
function whole(
  number: Numeral | undefined,
  unit: Unit | undefined,
  reading: Reading,
  place: string,
): Value | undefined {
  if (number === undefined) return fail(reading, place, 'is not a number')
  const text = numeralText(number)
  if (/^-?\d+$/.test(text)) return finite(number, unit, reading, place)
  const cut = Math.trunc(Number(text))
  return finite(cut, unit, reading, place)
}
