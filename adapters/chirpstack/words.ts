// What a device's word means: the quantity, and the unit where the word itself says it ("temp_c", "distance_mm", CayenneLPP's
// "barometer") or nobody uses another (temperature in degrees Celsius). Nothing is guessed from a value: a battery of 3.6 and one of
// 98 stay numbers without a unit. To add a word: a line in the table it belongs to.

import { type QuantityName, type WordTable, quantityOf, snakeCase } from '../quantities.ts'
import { type Unit, words as units } from '../units.ts'
import { Aggregation } from '../../proto/generated/types.ts'

export interface Meaning {
  readonly quantity: string
  readonly unit?: Unit
  /** As the source would write it. */
  readonly sourceUnit?: string
  readonly aggregation?: Aggregation
  /** The number in the word, such as 2 in `temperature_2`. */
  readonly number?: number
}

/** The end of a word → unit. Those of one letter mean it only behind the words of `shortEndings`. */
const endings: Readonly<Record<string, string>> = {
  celsius: 'Cel',
  degc: 'Cel',
  deg_c: 'Cel',
  fahrenheit: '[degF]',
  degf: '[degF]',
  deg_f: '[degF]',
  percent: '%',
  percentage: '%',
  pct: '%',
  mv: 'mV',
  volt: 'V',
  volts: 'V',
  ma: 'mA',
  pa: 'Pa',
  hpa: 'hPa',
  kpa: 'kPa',
  mbar: 'mbar',
  ppm: 'ppm',
  ppb: 'ppb',
  lux: 'lx',
  mm: 'mm',
  cm: 'cm',
  km: 'km',
  kwh: 'kWh',
  wh: 'Wh',
  kw: 'kW',
  hz: 'Hz',
  dbm: 'dBm',
  kmh: 'km/h',
  mph: 'mph',
  mps: 'm/s',
  m_s: 'm/s',
  mm_h: 'mm/h',
  ug_m3: 'ug/m3',
  usv_h: 'uSv/h',
  deg: 'deg',
  degrees: 'deg',
}

const shortEndings: readonly (readonly [RegExp, string])[] = [
  [/^(.*temp(?:erature)?(?:_?\d+)?|dew_?point)_c$/, 'Cel'],
  [/^(.*temp(?:erature)?(?:_?\d+)?|dew_?point)_f$/, '[degF]'],
  [/^(.*(?:bat|batt|battery|voltage|supply|vdd|vcc))_?v$/, 'V'],
  [/^(.*(?:distance|depth|level|height|altitude|stage))_m$/, 'm'],
]

/** Words that say more than the registry reads in them, in snake case → the registry's word and the source's unit. */
const vendors: Readonly<Record<string, readonly [word: QuantityName, unit: string, aggregation?: Aggregation]>> = {
  // Elsys, after its document "LoRa payload": millivolts, lux, decibels, hectopascals beside words of their own.
  vdd: ['battery_voltage', 'mV'],
  light: ['illuminance', 'lx'],
  sound_peak: ['sound_pressure_level', 'dBA', Aggregation.MAXIMUM],
  sound_avg: ['sound_pressure_level', 'dBA', Aggregation.MEAN],
  // Types of CayenneLPP whose names need no channel.
  temperature_sensor: ['temperature', 'Cel'],
  humidity_sensor: ['relative_humidity', '%'],
  illuminance_sensor: ['illuminance', 'lx'],
  presence_sensor: ['occupancy', ''],
  // Battery voltages as Dragino and others call them.
  bat_v: ['battery_voltage', 'V'],
  batt_v: ['battery_voltage', 'V'],
  battery_v: ['battery_voltage', 'V'],
  battery_voltage: ['battery_voltage', ''],
  battery_mv: ['battery_voltage', 'mV'],
  bat_mv: ['battery_voltage', 'mV'],
  temp_c_sht: ['temperature', 'Cel'],
  temp_c_ds: ['temperature', 'Cel'],
  hum_sht: ['relative_humidity', '%'],
  battery_percent: ['battery_level', '%'],
  battery_percentage: ['battery_level', '%'],
  battery_level: ['battery_level', '%'],
  bat_percent: ['battery_level', '%'],
}

/** For the page of quantities. */
export const chirpstackWords: WordTable = Object.fromEntries(
  Object.entries(vendors).map(([word, [quantity]]) => [word, quantity]),
)

/** The types of CayenneLPP as ChirpStack's own decoder names them, with the units that CayenneLPP gives them. */
const cayenne: Readonly<Record<string, readonly [quantity: string, unit: string, aggregation?: Aggregation]>> = {
  barometer: ['pressure', 'hPa'],
  accelerometer_x: ['acceleration_x', '[g]'],
  accelerometer_y: ['acceleration_y', '[g]'],
  accelerometer_z: ['acceleration_z', '[g]'],
  gyrometer_x: ['rotation_x', 'deg/s'],
  gyrometer_y: ['rotation_y', 'deg/s'],
  gyrometer_z: ['rotation_z', 'deg/s'],
}

/** Quantity → the unit in which every device of this field sends it. */
const usual: Readonly<Record<string, string>> = {
  dew_point: 'Cel',
  relative_humidity: '%',
  carbon_dioxide: 'ppm',
  illuminance: 'lx',
  pm2_5: 'ug/m3',
  pm10: 'ug/m3',
  wind_direction: 'deg',
}

const aggregations: readonly (readonly [RegExp, Aggregation])[] = [
  [/^(.+)_(?:min|minimum)$/, Aggregation.MINIMUM],
  [/^(.+)_(?:max|maximum)$/, Aggregation.MAXIMUM],
  [/^(.+)_(?:avg|mean|average)$/, Aggregation.MEAN],
]

// A town's devices say some hundreds of words; one that invents words does no more than empty the table.
const meanings = new Map<string, Meaning>()
const meaningsMax = 2_048
const wordLengthMax = 128

/** `unitText`: what the device says itself; it wins over what its word says. */
export function meaningOf(word: string, unitText = '', isNumbered = false): Meaning {
  if (word.length + unitText.length > wordLengthMax) return read(word, unitText, isNumbered)
  const key = `${isNumbered ? '#' : ''}${word}\n${unitText}`
  let known = meanings.get(key)
  if (!known) {
    if (meanings.size >= meaningsMax) meanings.clear()
    meanings.set(key, (known = read(word, unitText, isNumbered)))
  }
  return known
}

function read(word: string, unitText: string, isNumbered: boolean): Meaning {
  const { name, number } = withoutNumber(snakeCase(word))
  const own = (isNumbered ? lookUp(cayenne, name) : undefined) ?? lookUp(vendors, name)
  if (own) return meaning(own[0], unitText === '' ? own[1] : unitText, number, own[2])
  const [rest, said] = withoutUnit(name)
  const inside = withoutNumber(rest)
  const { bare, aggregation } = withoutAggregation(inside.name)
  const asked = unitText === '' ? said : unitText
  const sourceUnit = asked === '' ? usualUnit(bare) : asked
  const quantity = quantityOf(bare, unitOf(sourceUnit)?.code ?? '', sourceUnit)
  return meaning(quantity, sourceUnit, number ?? inside.number, aggregation)
}

function meaning(quantity: string, sourceUnit: string, number: number | undefined, aggregation?: Aggregation): Meaning {
  const unit = unitOf(sourceUnit)
  return {
    quantity,
    ...(unit && { unit }),
    ...(sourceUnit !== '' && { sourceUnit }),
    ...(aggregation !== undefined && { aggregation }),
    ...(number !== undefined && { number }),
  }
}

const lookUp = <Found>(table: Readonly<Record<string, Found>>, name: string): Found | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

// Their last figure is part of the name.
const endsInFigure = /(?:^|_)(?:pm_?(?:1|2_5|25|4|10)|co_?2|no_?2|so_?2|o_?3|ch_?4|nh_?3|h_?2)$/

/** "temperature_2", "TempC1", but not "pm2_5" or "co2". */
function withoutNumber(name: string): { name: string; number?: number } {
  const match = endsInFigure.test(name) ? null : /^(.*?[a-z])_?(\d{1,3})$/.exec(name)
  return match ? { name: match[1]!, number: Number(match[2]) } : { name }
}

function withoutUnit(name: string): readonly [string, string] {
  for (const [form, unit] of shortEndings) {
    const match = form.exec(name)
    if (match) return [match[1]!, unit]
  }
  const parts = name.split('_')
  for (const taken of [2, 1]) {
    const unit = parts.length > taken ? lookUp(endings, parts.slice(-taken).join('_')) : undefined
    if (unit !== undefined) return [parts.slice(0, -taken).join('_'), unit]
  }
  return [name, '']
}

function withoutAggregation(name: string): { bare: string; aggregation?: Aggregation } {
  for (const [form, aggregation] of aggregations) {
    const match = form.exec(name)
    if (match) return { bare: match[1]!, aggregation }
  }
  return { bare: name }
}

function usualUnit(bare: string): string {
  if (/(?:^|_)temp(?:erature)?$/.test(bare)) return 'Cel'
  return lookUp(usual, quantityOf(bare, '')) ?? ''
}

const standardGravity: Unit = { code: 'm/s2', times: 9.80665 }
const degreesPerSecond: Unit = { code: 'deg/s' }
const superscripts: Readonly<Record<string, string>> = { '²': '2', '³': '3' }

/** Also "W⋅m⁻²", as Decentlab writes units. */
function unitOf(text: string): Unit | undefined {
  if (text === '') return undefined
  if (text === '[g]') return standardGravity
  if (text === 'deg/s' || text === '°/s') return degreesPerSecond
  const known = units.get(text)
  if (known) return known
  const plain = text
    .trim()
    .replaceAll(/\s*[⋅·*]\s*([A-Za-zµ°]+)⁻¹/g, '/$1')
    .replaceAll(
      /\s*[⋅·*]\s*([A-Za-zµ°]+)⁻([²³])/g,
      (_, name: string, power: string) => `/${name}${superscripts[power] ?? ''}`,
    )
    .replaceAll(/[²³]/g, (power) => superscripts[power] ?? '')
  return plain === 'm3/m3' ? { code: '1' } : units.get(plain)
}
