// The registry of quantities: that its rows are sound, that it is asked rightly, and what becomes of values that cannot be.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dialects } from '../adapters/dialects.ts'
import { quantities, quantityFamilies, quantityFamilyOf, quantityOf, snakeCase } from '../adapters/quantities.ts'
import { isSame, senmlUnits, toSi, words as unitWords } from '../adapters/units.ts'
import { gatewayFamilies } from '../gateway/http/families.ts'
import { createAccounting } from '../gateway/accounting.ts'
import { createUnknownQuantities, judge } from '../gateway/quantities.ts'
import { quantitiesPage } from '../gateway/quantities-page.ts'
import { familyOf, measurementNames } from '../gateway/outputs/influxdb/families.ts'
import { Quality } from '../proto/generated/types.ts'
import type { Measurement } from '../proto/generated/types.ts'
import { int64 } from '../proto/int64.ts'

const rows = [...quantities].map(([name, row]) => ({ name, ...row }))

describe('a row of the registry', () => {
  test.each(rows)('$name: the unit is one that we keep', ({ unit }) => {
    if (unit === '') return
    expect(unitWords.get(unit)).toEqual({ code: unit })
  })

  test.each(rows)('$name: the range has an inside, and name, words and sentence have their form', (row) => {
    expect(row.min).toBeLessThan(row.max)
    expect(row.name.length).toBeLessThanOrEqual(64)
    expect(row.about).toMatch(/^[A-Z].+\.$/)
    for (const word of [row.name, ...row.words]) expect(snakeCase(word)).toBe(word)
  })

  test('stands in one family only, and no word means two quantities', () => {
    const names = Object.values(quantityFamilies).flatMap((family) => Object.keys(family))
    const words = rows.flatMap((row) => [row.name, ...row.words])
    const twice = (list: string[]) => list.filter((one, at) => list.indexOf(one) !== at)
    expect(twice(names)).toEqual([])
    expect(twice(words)).toEqual([])
  })
})

// What has been measured by somebody, each from its public record, and is odd enough to be thrown away by a narrow range.
test.each([
  ['air_pressure', 87_000, 'in the eye of typhoon Tip, 1979'],
  ['air_pressure', 33_700, 'on the summit of Everest'],
  ['sea_level_pressure', 108_480, 'at Tosontsengel, 2001'],
  ['air_temperature', -89.2, 'at Vostok, 1983'],
  ['air_temperature', 56.7, 'in Death Valley, 1913'],
  ['wind_gust', 113.2, 'on Barrow Island, 1996'],
  ['rain', 1.825, 'in a day on Réunion, 1966'],
  ['discharge', 300_000, 'of the Amazon in flood'],
  ['uv_index', 43.3, 'on Licancabur, 2003'],
  ['water_level', -430, 'of the Dead Sea above sea level'],
  ['pm2_5', 30_000, 'in the smoke of a bush fire'],
  ['dose_rate', 530 / 3600, 'Sv/s in the reactor of Fukushima'],
])('%s %d, %s, is possible', (name, value) => {
  const { min, max } = quantities.get(name)!
  expect(value).toBeGreaterThanOrEqual(min)
  expect(value).toBeLessThanOrEqual(max)
})

// What sensors say when they have nothing to say.
test.each([
  ['air_temperature', -999],
  ['temperature', -327.68],
  ['relative_humidity', 255],
  ['wind_speed', 655.35],
  ['wind_direction', 511],
  ['battery_level', 255],
  ['rain', -0.001],
  ['carbon_dioxide', -1],
  ['illuminance', 4_294_967_295],
])('%s %d is not possible', (name, value) => {
  const one = measured(name, value)
  expect(judge([one], 'senml', undefined)).toBe(true)
  expect(one).toMatchObject({ quality: Quality.BAD, number: value })
})

describe('a measured value', () => {
  test('within the range is left as it is, and a source’s own judgement stands', () => {
    const sound = measured('air_temperature', 21.5)
    const judged = { ...measured('air_temperature', -999), quality: Quality.SUSPECT }
    expect(judge([sound, judged], 'senml', undefined)).toBe(false)
    expect(sound.quality).toBeUndefined()
    expect(judged.quality).toBe(Quality.SUSPECT)
  })

  test('is held against the range only in the unit of the row: ppm and mg/m³ do not convert', () => {
    expect(judge([{ ...measured('carbon_monoxide', 2e6), unit: 'mg/m3' }], 'json', undefined)).toBe(false)
    expect(judge([measured('carbon_monoxide', 2e6)], 'json', undefined)).toBe(true)
  })

  test('may be a whole number', () => {
    const strikes: Measurement = { quantity: 'lightning_strikes', unit: '1', value: 'integer', integer: int64(-1n) }
    expect(judge([strikes], 'json', undefined)).toBe(true)
  })

  test('is marked exactly when it is outside, whatever quantity and value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.double({ noNaN: true }), (row, value) => {
        const one = measured(row.name, value)
        const isOut = judge([one], 'senml', undefined)
        expect(isOut).toBe(row.unit !== '' && (value < row.min || value > row.max))
        expect(one.quality === Quality.BAD).toBe(isOut)
        expect(one).toMatchObject({ number: value })
      }),
    )
  })
})

describe('an unknown quantity', () => {
  test('passes under its own name and is counted by adapter', () => {
    const unknown = createUnknownQuantities()
    judge([measured('frobs', 1), measured('frobs', 2), measured('air_temperature', 3)], 'json', unknown)
    judge([measured('frobs', 4)], 'senml', unknown)
    expect([...unknown.counts].map(([adapter, { measurements, names }]) => [adapter, measurements, ...names])).toEqual([
      ['json', 2, ['frobs', 2]],
      ['senml', 1, ['frobs', 1]],
    ])
  })

  test('of a device that makes up names does not grow the memory, and all are counted', () => {
    const unknown = createUnknownQuantities()
    for (let n = 0; n < 10_000; n++) unknown.count('json', `made_up_${n}`)
    const { measurements, names } = unknown.counts.get('json')!
    expect(measurements).toBe(10_000)
    expect(names.size).toBe(100)
  })

  test('is a metric with the adapter as its only label', () => {
    const unknown = createUnknownQuantities()
    judge([measured('frobs', 1)], 'json', unknown)
    const none = { head: { urgent: 0n, routine: 0n }, oldest: { urgent: 0n, routine: 0n } }
    const families = gatewayFamilies({
      version: '0',
      accounting: createAccounting(),
      log: none as never,
      unknownQuantities: unknown,
      outputs: () => [],
      alarms: () => [],
    })
    const family = families.find(({ name }) => name === 'tocsin_unknown_quantities_total')
    expect([...family!.read()]).toEqual([{ labels: { adapter: 'json' }, value: 1 }])
  })
})

describe('words', () => {
  test('of a device are those of the registry, in any spelling', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.constantFrom('_', '-', ' ', '.'), (row, joint) => {
        for (const word of [row.name, ...row.words]) {
          expect(quantityOf(word, '')).toBe(row.name)
          expect(quantityOf(word.toUpperCase().replaceAll('_', joint), '')).toBe(row.name)
        }
      }),
    )
  })

  test.each([...dialects])('of %s name quantities of the registry', (_, words) => {
    for (const name of Object.values(words)) expect(quantities.has(name), name).toBe(true)
  })

  test('whatever they are, give a name that the schema takes', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('', ...unitWords.keys()), (word, unit) => {
        expect(quantityOf(word, unit)).toMatch(/^[a-z0-9][a-z0-9_]{0,63}$/)
      }),
    )
  })
})

test('every unit that a source may write converts into the unit of each quantity that has it', () => {
  for (const [word, unit] of [...unitWords, ...senmlUnits]) {
    if (!isSame(unit)) expect(Number.isFinite(toSi(1, unit)), word).toBe(true)
  }
})

test('the measurement of a known quantity is its family', () => {
  for (const { name } of rows) {
    expect(familyOf(name)).toBe(quantityFamilyOf(name))
    expect(measurementNames).toContain(familyOf(name))
  }
})

test('docs/quantities.md is what the registry generates', () => {
  expect(readFileSync('docs/quantities.md', 'utf8'), 'run npm run generate').toBe(quantitiesPage())
})

const measured = (quantity: string, number: number): Measurement => ({
  quantity,
  value: 'number',
  number,
  unit: quantities.get(quantity)?.unit ?? '',
})
