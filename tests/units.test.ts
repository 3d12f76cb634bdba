// Units: each conversion by a case worked out from the unit's definition, not from the table.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDecimals, decimal, decimalText, nanoseconds, parseDecimal } from '../adapters/decimal.ts'
import { quantityOf, snakeCase } from '../adapters/quantities.ts'
import { isSame, nearestUnit, senmlUnits, toSi, words } from '../adapters/units.ts'

// Some roundings of a double.
const relativeErrorMax = 1e-14

describe('what sources write becomes SI', () => {
  test.each([
    ['degF', 212, 100, 'Cel'],
    ['degF', -40, -40, 'Cel'],
    ['inHg', 29.92, 101320.75888, 'Pa'],
    ['hPa', 1013.25, 101325, 'Pa'],
    ['mph', 100, 44.704, 'm/s'],
    ['kt', 36, 18.52, 'm/s'],
    ['km/h', 36, 10, 'm/s'],
    ['ft', 100, 30.48, 'm'],
    ['in', 1, 0.0254, 'm'],
    ['mi', 1, 1609.344, 'm'],
    ['nmi', 1, 1852, 'm'],
    ['cm', 142.5, 1.425, 'm'],
    ['mm/h', 3.6, 0.000001, 'm/s'],
    ['psi', 1, 6894.757293168361, 'Pa'],
    ['mmHg', 760, 101325.0144354, 'Pa'],
    ['kWh', 1.5, 5_400_000, 'J'],
    ['mAh', 1000, 3600, 'C'],
    ['L/min', 60, 0.001, 'm3/s'],
    ['cfs', 1, 0.028316846592, 'm3/s'],
    ['gpm', 1, 0.0000630901964, 'm3/s'],
    ['gal', 1, 0.003785411784, 'm3'],
    ['lb', 1, 0.45359237, 'kg'],
    ['ms', 12, 0.012, 's'],
    ['rpm', 120, 2, '1/s'],
    ['uSv/h', 3.6, 1e-9, 'Sv/s'],
    ['uS/cm', 500, 0.05, 'S/m'],
    ['pCi/L', 4, 148, 'Bq/m3'],
    ['klx', 1.5, 1500, 'lx'],
    ['mg/L', 8, 0.008, 'kg/m3'],
    ['ug/L', 3, 3000, 'ug/m3'],
    ['dBm', -97, -127, 'dB[W]'],
    ['%', 87, 87, '%'],
    ['ppm', 35, 35, '[ppm]'],
    ['µg/m³', 12, 12, 'ug/m3'],
  ])('%s: %d is %d %s', (word, value, si, code) => {
    const unit = words.get(word)!
    expect(unit.code).toBe(code)
    expect(Math.abs(toSi(value, unit) - si)).toBeLessThanOrEqual(Math.abs(si) * relativeErrorMax)
  })

  test.each([
    ['%', 0.5, 0.5, '1'],
    ['%RH', 50, 50, '%'],
    ['/100', 50, 50, '%'],
    ['beat/min', 70, 70, '{beat}/min'],
    ['1/min', 90, 1.5, '1/s'],
    ['Wh/km', 150, 540, 'J/m'],
    ['kvarh', 1, 3_600_000, 'V.A.s{reactive}'],
    ['Mbit/s', 2, 2_000_000, 'bit/s'],
    ['B/s', 1, 8, 'bit/s'],
    ['KiB', 1, 1024, 'By'],
    ['l', 1, 0.001, 'm3'],
    ['dBm', 30, 0, 'dB[W]'],
    ['h', 1, 3600, 's'],
  ])('SenML %s: %d is %d %s', (name, value, si, code) => {
    const unit = senmlUnits.get(name)!
    expect(unit.code).toBe(code)
    expect(Math.abs(toSi(value, unit) - si)).toBeLessThanOrEqual(Math.abs(si) * relativeErrorMax)
  })
})

test('every code that we keep is itself a word, and means itself', () => {
  const codes = new Set([...words.values(), ...senmlUnits.values()].map(({ code }) => code))
  const strange = [...codes].filter((code) => {
    const unit = words.get(code)
    return !unit || unit.code !== code || !isSame(unit)
  })
  expect(strange).toEqual([])
})

test('a misspelt unit is answered with the nearest one', () => {
  expect(nearestUnit('degf')).toBe('degF')
  expect(nearestUnit('HPa')).toBe('hPa')
  expect(nearestUnit('inHG')).toBe('inHg')
})

test('quantities: a known word wins, then the unit, then the word as it is', () => {
  expect(quantityOf('Temp', 'Cel')).toBe('temperature')
  expect(quantityOf('inlet', 'Cel')).toBe('temperature')
  expect(quantityOf('Soil-Moisture 1', '%')).toBe('soil_moisture_1')
  expect(quantityOf('h1', '%', '%RH')).toBe('relative_humidity')
  expect(quantityOf('constructor', '')).toBe('constructor')
  expect(quantityOf('', '')).toBe('value')
  expect(quantityOf('温度', '')).toBe('value')
  expect(snakeCase('dewPointC')).toBe('dew_point_c')
})

describe('decimals are exact', () => {
  test('sums and times come out as written', () => {
    const [a, b] = [parseDecimal('20.1')!, parseDecimal('0.2')!]
    expect(decimalText(addDecimals(a, b))).toBe('20.3')
    expect(nanoseconds(parseDecimal('1.276020076001e+09')!)).toBe(1_276_020_076_001_000_000n)
    expect(nanoseconds(parseDecimal('-0.0000000019')!)).toBe(-1n)
    const long = parseDecimal(`1.${'0'.repeat(299)}1`)!
    expect(decimalText(addDecimals(long, parseDecimal('1')!))).toBe(`2.${'0'.repeat(299)}1`)
    expect(decimalText(addDecimals(parseDecimal('1e300')!, parseDecimal('1e-300')!))).toBe(`1${'0'.repeat(300)}`)
    expect(decimalText(addDecimals(parseDecimal('0')!, parseDecimal('1e-9')!))).toBe('0.000000001')
    expect(parseDecimal('1e999999999')).toBeUndefined()
    expect(parseDecimal('0x10')).toBeUndefined()
  })

  test('every double survives its decimal form', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(decimalText(decimal(value)!))).toBe(value === 0 ? 0 : value)
      }),
    )
  })

  test('sums of whole parts are the sums of bigints', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.bigInt(-(10n ** 30n), 10n ** 30n), (a, b) => {
        expect(decimalText(addDecimals(decimal(a)!, decimal(b)!))).toBe(String(a + b))
      }),
    )
  })
})
