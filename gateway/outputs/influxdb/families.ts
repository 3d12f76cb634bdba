// The measurement a quantity is written to. Measurements are a closed list of families, so that a device that makes up names fills
// no table of its own; the quantity itself stands in the tag `quantity`. The registry says the family of what it knows; of other
// names it is guessed from their words.

import { quantityFamilies, quantityFamilyOf } from '../../../adapters/quantities.ts'

// The first family with a word of the quantity wins, so the particular stand before the general.
const families: readonly (readonly [family: string, words: readonly string[]])[] = [
  ['battery', ['battery']],
  ['signal', ['rssi', 'snr', 'signal', 'lqi']],
  ['temperature', ['temperature', 'temp', 'dew', 'dewpoint', 'chill', 'heat']],
  ['wind', ['wind', 'gust']],
  ['precipitation', ['rain', 'rainfall', 'precipitation', 'snow', 'snowfall', 'hail']],
  ['water_level', ['stage', 'tide', 'water_level', 'gauge_height']],
  ['water_flow', ['discharge', 'flow', 'streamflow']],
  [
    'water_quality',
    ['turbidity', 'ph', 'salinity', 'dissolved', 'chlorophyll', 'conductivity', 'conductance', 'redox'],
  ],
  ['radiation', ['radiation', 'radioactivity', 'dose', 'gamma', 'geiger']],
  [
    'air_quality',
    [
      'pm1',
      'pm2',
      'pm25',
      'pm4',
      'pm10',
      'aqi',
      'co2',
      'voc',
      'tvoc',
      'ozone',
      'o3',
      'no2',
      'so2',
      'dust',
      'particulate',
    ],
  ],
  [
    'gas',
    [
      'co',
      'carbon',
      'methane',
      'ch4',
      'propane',
      'lpg',
      'h2s',
      'hydrogen',
      'oxygen',
      'lel',
      'gas',
      'ammonia',
      'chlorine',
    ],
  ],
  ['fire', ['smoke', 'flame', 'fire']],
  ['soil', ['soil']],
  ['humidity', ['humidity', 'moisture']],
  ['pressure', ['pressure', 'barometer', 'barometric']],
  ['light', ['light', 'illuminance', 'irradiance', 'uv', 'solar', 'luminance', 'lux']],
  ['sound', ['sound', 'noise']],
  ['electricity', ['voltage', 'current', 'power', 'energy', 'charge', 'frequency', 'impedance', 'resistance']],
  [
    'motion',
    [
      'acceleration',
      'vibration',
      'tilt',
      'motion',
      'occupancy',
      'presence',
      'gyro',
      'shock',
      'heading',
      'speed',
      'velocity',
    ],
  ],
  ['body', ['heart', 'pulse', 'spo2', 'respiration', 'blood']],
  ['distance', ['distance', 'depth', 'height', 'length', 'visibility', 'range', 'level', 'elevation', 'altitude']],
  [
    'contact',
    [
      'door',
      'window',
      'contact',
      'switch',
      'relay',
      'valve',
      'lock',
      'tamper',
      'leak',
      'alarm',
      'button',
      'state',
      'open',
    ],
  ],
  ['count', ['count', 'counter', 'total', 'strokes']],
]

/** Where quantities go that no family names. */
const otherFamily = 'other'

export const measurementNames: readonly string[] = [
  ...new Set([...Object.keys(quantityFamilies), ...families.map(([family]) => family), otherFamily]),
]

/** Quantities are few, but a device may make some up: then they are looked up again. */
const knownMax = 4_096
const known = new Map<string, string>()

/** "air_temperature" → "temperature", "water_level" → "water_level", "frobs" → "other". */
export function familyOf(quantity: string): string {
  const family = known.get(quantity)
  if (family !== undefined) return family
  if (known.size >= knownMax) known.clear()
  const found = quantityFamilyOf(quantity) ?? lookUp(quantity)
  known.set(quantity, found)
  return found
}

function lookUp(quantity: string): string {
  const name = `_${quantity.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_`
  return families.find(([, words]) => words.some((word) => name.includes(`_${word}_`)))?.[0] ?? otherFamily
}
