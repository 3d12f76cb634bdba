// The registry of quantities: the lower-case names under which measurements are kept, with unit, physical range and the words that
// devices use for them. A quantity that is not here passes under its own name and is counted. To add one: a row in the file of its
// family (quantity.ts says how a row reads), then `npm run generate`.

import { airFamilies } from './quantities-air.ts'
import { deviceFamilies } from './quantities-devices.ts'
import { waterFamilies } from './quantities-water.ts'
import { weatherFamilies } from './quantities-weather.ts'
import type { Quantity } from './quantity.ts'

const families = { ...weatherFamilies, ...waterFamilies, ...airFamilies, ...deviceFamilies }

type NamesIn<Families> = { [Family in keyof Families]: keyof Families[Family] & string }[keyof Families]

/** Every name of the registry, so that the compiler checks an adapter's own word table. */
export type QuantityName = NamesIn<typeof families>
export type QuantityFamily = keyof typeof families

/** A dialect's word → what it means there: the table an adapter exports beside its codec. */
export type WordTable = Readonly<Record<string, QuantityName>>

/** Family → name → row, in the order of the reference page. */
export const quantityFamilies = families as Readonly<Record<QuantityFamily, Readonly<Record<string, Quantity>>>>

const rows = Object.entries(quantityFamilies).flatMap(([family, quantities]) =>
  Object.entries(quantities).map(([name, row]) => ({ name, family: family as QuantityFamily, row })),
)

/** By name. */
export const quantities: ReadonlyMap<string, Quantity> = new Map(rows.map(({ name, row }) => [name, row]))

/** Undefined: no quantity of the registry. */
export const quantityFamilyOf = (name: string): QuantityFamily | undefined => familyByName.get(name)
const familyByName = new Map(rows.map(({ name, family }) => [name, family]))

/** A device's word in snake case, or a quantity's own name → the quantity. */
const byWord = new Map(rows.flatMap(({ name, row }) => [name, ...row.words].map((word) => [word, name] as const)))

/** UCUM code → quantity, where the unit leaves no doubt. */
const byUnit: ReadonlyMap<string, QuantityName> = new Map<string, QuantityName>([
  ['Cel', 'temperature'],
  ['K', 'temperature'],
  ['Pa', 'pressure'],
  ['V', 'voltage'],
  ['A', 'current'],
  ['W', 'power'],
  ['J', 'energy'],
  ['Hz', 'frequency'],
  ['lx', 'illuminance'],
  ['Ohm', 'resistance'],
  ['S/m', 'conductivity'],
  ['kg', 'mass'],
  ['m/s', 'speed'],
  ['m/s2', 'acceleration'],
  ['m3/s', 'flow'],
  ['m3', 'volume'],
  ['W/m2', 'irradiance'],
  ['Sv/s', 'dose_rate'],
  ['[pH]', 'ph'],
  ['{beat}/min', 'heart_rate'],
  ['{beat}', 'heart_beats'],
  ['B[SPL]', 'sound_pressure_level'],
])

/** SenML units that say more than the UCUM code they become. */
const bySourceUnit: ReadonlyMap<string, QuantityName> = new Map<string, QuantityName>([
  ['%RH', 'relative_humidity'],
  ['%EL', 'battery_level'],
  ['EL', 'battery_time_left'],
  ['lat', 'latitude'],
  ['lon', 'longitude'],
])

const quantityLengthMax = 64 // observation.proto, Measurement.quantity

/**
 * Guessed from a device's own word and the unit: a word that everybody understands wins, then the unit, then the word as it is; a
 * guess never loses the word, which stays as channel.
 */
export function quantityOf(word: string, unitCode: string, sourceUnit = ''): string {
  // Most devices write the words of the table as they stand there.
  const asWritten = byWord.get(word)
  if (asWritten !== undefined) return asWritten
  const name = snakeCase(word)
  // "H2S" and "pH" are one word each, whatever their capitals.
  const known = byWord.get(name) ?? byWord.get(word.toLowerCase())
  return known ?? bySourceUnit.get(sourceUnit) ?? byUnit.get(unitCode) ?? (name === '' ? 'value' : name)
}

// Devices say the same few words again and again. Many that say others do no more than empty it.
const snakeCased = new Map<string, string>()
const snakeCasedMax = 1_024

/** "Soil-Moisture/1" → "soil_moisture_1": the form of every quantity's name. */
export function snakeCase(word: string): string {
  const known = snakeCased.get(word)
  if (known !== undefined) return known
  const made = inSnakeCase(word)
  if (snakeCased.size >= snakeCasedMax) snakeCased.clear()
  if (word.length <= quantityLengthMax) snakeCased.set(word, made)
  return made
}

function inSnakeCase(word: string): string {
  const parts = word.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return parts
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, quantityLengthMax)
}
