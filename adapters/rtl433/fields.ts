// One key of a message → what it measures. What a key means is worked out once and remembered, within a bound: devices say the
// same few keys for ever. What is no quantity is left to the caller, who keeps it as an attribute.

import { Aggregation } from '../../proto/generated/types.ts'
import type { Measurement } from '../../proto/generated/types.ts'
import { quantityOf } from '../quantities.ts'
import { type Unit, isSame, words as unitWords } from '../units.ts'
import { numberValue } from '../values.ts'
import { notMeasured, rtl433Words, suffixUnits, unitsOfKeys } from './words.ts'

type Meaning =
  | { readonly kind: 'number'; readonly facts: Facts; readonly unit: Unit; readonly sourceUnit: string }
  | { readonly kind: 'flag'; readonly facts: Facts; readonly isInverse: boolean }
  | { readonly kind: 'button'; readonly facts: Facts }
  | { readonly kind: 'none' }

interface Facts {
  readonly quantity: string
  readonly channel?: string
  readonly aggregation?: Aggregation
}

/** Whether the sensor sits in a tyre: it says `"type": "TPMS"`, and its pressure is not the weather's. */
export interface Context {
  readonly isTyre: boolean
}

/** Undefined: the key or its value measures nothing. */
export function measurementOf(key: string, value: unknown, { isTyre }: Context): Measurement | undefined {
  const meaning = meaningOf(key)
  if (meaning.kind === 'none') return undefined
  const facts = isTyre ? inTyre(meaning.facts) : meaning.facts
  if (meaning.kind === 'flag') {
    // A valve that leaks is no water on the floor.
    if (isTyre && facts.quantity === 'water_leak') return undefined
    const flag = flagOf(value)
    return flag === undefined ? undefined : { ...facts, value: 'flag', flag: flag !== meaning.isInverse }
  }
  if (meaning.kind === 'button') return buttonOf(facts, value)
  const number = numberOf(value)
  if (number === undefined) return undefined
  const { unit, sourceUnit } = meaning
  return { ...facts, ...numberValue(number, unit), unit: unit.code, ...(sourceUnit !== '' && { sourceUnit }) }
}

const meanings = new Map<string, Meaning>()
const meaningsMax = 2_048

function meaningOf(key: string): Meaning {
  const known = meanings.get(key)
  if (known) return known
  const found = lookUp(key)
  if (meanings.size >= meaningsMax) meanings.clear()
  meanings.set(key, found)
  return found
}

const none: Meaning = { kind: 'none' }
const flagQuantities: ReadonlySet<string> = new Set([
  'contact_open',
  'switch_on',
  'motion',
  'water_leak',
  'raining',
  'alarm',
])
// temperature_C_ext (a second sensor on a wire) has its unit in the middle.
const unitInside = /^(.+)_(C|F)_(ext)$/
const keyLengthMax = 128

function lookUp(key: string): Meaning {
  if (notMeasured.has(key) || key.length > keyLengthMax) return none
  const whole = unitsOfKeys.get(key)
  if (whole !== undefined) return numberMeaning(key, whole, whole)
  const quantity = wordOf(key)
  if (quantity === 'button') return { kind: 'button', facts: factsOf(key, quantity) }
  if (quantity !== undefined && flagQuantities.has(quantity)) {
    return { kind: 'flag', facts: factsOf(key, quantity), isInverse: key === 'closed' }
  }
  const [, before = '', unitBefore = '', after = ''] = unitInside.exec(key) ?? []
  if (before !== '')
    return numberMeaning(`${before}_${after}`, suffixUnits.get(unitBefore)!, unitBefore, wordOf(before))
  for (let at = key.indexOf('_', 1); at > 0; at = key.indexOf('_', at + 1)) {
    const suffix = key.slice(at + 1)
    const unit = suffixUnits.get(suffix)
    if (unit !== undefined) return numberMeaning(key.slice(0, at), unit, suffix)
  }
  // humidity_2: a key of the table with a number.
  const numbered = withoutNumber(key)
  const unit = numbered === key ? undefined : unitsOfKeys.get(numbered)
  return unit === undefined ? none : numberMeaning(key, unit, unit)
}

function numberMeaning(word: string, unitWord: string, written: string, quantity = wordOf(word)): Meaning {
  const unit = unitWords.get(unitWord)!
  const found = limitOf(word, unit) ?? inUnit(quantity ?? quantityOf(word, unit.code), unit)
  return { kind: 'number', facts: factsOf(word, found), unit, sourceUnit: isSame(unit) ? '' : written }
}

/** The table's own word, else without the number in it: temperature_2, power1, temp3. */
function wordOf(word: string): string | undefined {
  const table: Readonly<Record<string, string>> = rtl433Words
  if (Object.hasOwn(table, word)) return table[word]
  const numbered = withoutNumber(word)
  return Object.hasOwn(table, numbered) ? table[numbered] : undefined
}

const withoutNumber = (word: string): string => word.replace(/_?\d+(?=_|$)/, '')

/** What a thermometer is set to warn at is no temperature of anything. */
const limitOf = (word: string, unit: Unit): string | undefined =>
  unit.code === 'Cel' && /(?:^|_)(?:HI|LO|high|low|limit|max|min|setpoint)(?:_|$)/.test(word)
    ? 'setpoint_temperature'
    : undefined

/** One word, other units, other quantities: power_VA is no power_W. */
const byUnit: Readonly<Record<string, string>> = {
  'power V.A': 'apparent_power',
  'illuminance %': 'light_level',
  'energy C': 'charge',
}

function inUnit(quantity: string, { code }: Unit): string {
  const name = `${quantity} ${code}`
  return Object.hasOwn(byUnit, name) ? byUnit[name]! : quantity
}

const aggregations: Readonly<Record<string, Aggregation>> = {
  wind_speed: Aggregation.MEAN,
  wind_gust: Aggregation.MAXIMUM,
  rain: Aggregation.ACCUMULATED,
  lightning_strikes: Aggregation.ACCUMULATED,
  energy: Aggregation.ACCUMULATED,
  volume: Aggregation.ACCUMULATED,
  water_volume: Aggregation.ACCUMULATED,
  meter_reading: Aggregation.ACCUMULATED,
}

const channelLengthMax = 64

/** Words that say which one of several it is. */
const particular: ReadonlySet<string> = new Set([
  'ambient',
  'temperature_amb',
  'temperature_int',
  'estimated_pm10_0',
  'impulses_total',
  'reed_open',
  'button_str',
  'button_code',
  'button_id',
  'button_name',
])

/** The device's own word stays as channel wherever it says more than the quantity. */
function factsOf(word: string, quantity: string): Facts {
  const aggregation = Object.hasOwn(aggregations, quantity) ? aggregations[quantity] : undefined
  const isPlain = word === quantity || (Object.hasOwn(rtl433Words, word) && !particular.has(word))
  return {
    quantity,
    ...(!isPlain && { channel: word.slice(0, channelLengthMax) }),
    ...(aggregation !== undefined && { aggregation }),
  }
}

const tyreQuantities: Readonly<Record<string, string>> = {
  air_pressure: 'tyre_pressure',
  temperature: 'tyre_temperature',
}

function inTyre(facts: Facts): Facts {
  const quantity = Object.hasOwn(tyreQuantities, facts.quantity) ? tyreQuantities[facts.quantity]! : facts.quantity
  return quantity === facts.quantity ? facts : { ...facts, quantity }
}

export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const isNumeral = typeof value === 'string' && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)
  const number = isNumeral ? Number(value) : NaN
  return Number.isFinite(number) ? number : undefined
}

const flagWords: Readonly<Record<string, boolean>> = {
  '1': true,
  open: true,
  on: true,
  yes: true,
  true: true,
  moving: true,
  '0': false,
  closed: false,
  close: false,
  off: false,
  no: false,
  false: false,
  parked: false,
}

export function flagOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'number' || typeof value === 'string' ? String(value).toLowerCase() : ''
  return Object.hasOwn(flagWords, word) ? flagWords[word] : undefined
}

const textBytesMax = 4_096

function buttonOf(facts: Facts, value: unknown): Measurement | undefined {
  if (typeof value === 'number') return { ...facts, value: 'number', number: value }
  const isText = typeof value === 'string' && value !== '' && value.isWellFormed()
  return isText && Buffer.byteLength(value) <= textBytesMax ? { ...facts, value: 'text', text: value } : undefined
}
