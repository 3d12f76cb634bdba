// The decoded object of an uplink → readings, in the words of the device: nested objects and lists laid flat, each value with the path
// to it. Keys are taken in order of the alphabet, because ChirpStack writes them in another order each time. A latitude and a
// longitude side by side are the device's place.

import type { Location } from '../../proto/generated/types.ts'
import { type Fields, type Reading, fail, isFields } from './reading.ts'
import { objectDepthMax } from './protobuf.ts'

export interface Leaf {
  /** What names the value: its key, or what stands beside it in the object. */
  readonly word: string
  /** Keys and places in lists, with dots. */
  readonly path: string
  /** Null: the device says that it has no value. */
  readonly value: string | number | boolean | null
  /** The unit that the object gives beside the value. */
  readonly unitText: string
  /** The channel or place in a list, where it has one. */
  readonly number?: number | undefined
  /** Whether the number was a channel under the word, as CayenneLPP has it. */
  readonly isNumbered?: boolean
}

export interface Contents {
  readonly leaves: Leaf[]
  place?: Location
}

/** What an event can hold (gateway/validate.ts). */
const leavesMax = 1_000

export function contentsOf(reading: Reading, object: Fields): Contents {
  const contents: Contents = { leaves: [] }
  walkObject(reading, object, { word: '', path: '' }, contents, objectDepthMax)
  return contents
}

interface At {
  readonly word: string
  readonly path: string
  readonly number?: number
  readonly isNumbered?: boolean
}

function walk(reading: Reading, value: unknown, at: At, contents: Contents, depth: number): void {
  if (reading.fault) return
  if (Array.isArray(value)) {
    if (depth === 0) return tooDeep(reading)
    for (const [index, each] of value.entries()) {
      walk(reading, each, { ...at, path: join(at.path, String(index)), number: index }, contents, depth - 1)
    }
  } else if (isFields(value)) {
    if (depth === 0) return tooDeep(reading)
    walkObject(reading, value, at, contents, depth)
  } else if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) {
    push(reading, contents, { ...at, value: value as Leaf['value'], unitText: '' })
  }
}

const tooDeep = (reading: Reading): undefined =>
  fail(reading, `object is nested deeper than ${objectDepthMax}`, 'length')

function push(reading: Reading, contents: Contents, leaf: Leaf): void {
  if (contents.leaves.length >= leavesMax) fail(reading, `object has more than ${leavesMax} values`, 'length')
  else contents.leaves.push(leaf)
}

function walkObject(reading: Reading, object: Fields, at: At, contents: Contents, depth: number): void {
  const described = describedValue(object, at)
  if (described) return push(reading, contents, described)
  const taken = contents.place ? undefined : placeIn(object)
  if (taken) contents.place = taken.place
  for (const key of Object.keys(object).toSorted(byName)) {
    if (taken?.keys.has(key)) continue
    walk(reading, object[key], below(at, key), contents, depth - 1)
  }
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** Numbers by their size: 2 before 10. */
function byName(a: string, b: string): number {
  const [one, other] = [Number(a), Number(b)]
  if (one !== other && Number.isInteger(one) && Number.isInteger(other)) return one - other
  return a < b ? -1 : a > b ? 1 : 0
}

/** Words that say nothing without the one above them. */
const dependent: ReadonlySet<string> = new Set(
  'x y z value val min max avg mean average minimum maximum alarm status state'.split(' '),
)

function below(at: At, key: string): At {
  const path = join(at.path, key)
  if (at.word !== '' && /^\d{1,3}$/.test(key)) return { word: at.word, path, number: Number(key), isNumbered: true }
  const isDependent = at.word !== '' && dependent.has(key.toLowerCase())
  const isSame = isDependent && ['value', 'val'].includes(key.toLowerCase())
  return { ...at, word: isSame ? at.word : isDependent ? `${at.word}_${key}` : key, path }
}

/** What may stand beside a value without being one. */
const beside: ReadonlySet<string> = new Set(
  'value measurementvalue unit units uom displayname name label type key quantity channel id measurementid measurement description desc'.split(
    ' ',
  ),
)

/** {"value": 21.5, "unit": "°C", "displayName": "Air temperature"}, as Decentlab and others have it. */
function describedValue(object: Fields, at: At): Leaf | undefined {
  const valueKey = 'value' in object ? 'value' : 'measurementValue' in object ? 'measurementValue' : undefined
  if (valueKey === undefined) return undefined
  const value = object[valueKey]
  if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) return undefined
  if (!Object.keys(object).every((key) => beside.has(key.toLowerCase()))) return undefined
  const text = (...names: string[]): string => {
    const found = names.map((name) => object[name]).find((each) => typeof each === 'string' && each !== '')
    return typeof found === 'string' ? found : ''
  }
  // In a list, and without a key above it, the name stands beside the value.
  const isListed = at.word === '' || (at.number !== undefined && at.isNumbered !== true)
  const named = isListed ? text('name', 'quantity', 'measurement', 'key', 'type', 'displayName', 'label') : ''
  return {
    word: named === '' ? at.word || 'value' : named,
    path: at.path === '' ? valueKey : at.path,
    value: value as Leaf['value'],
    unitText: text('unit', 'units', 'uom'),
    ...(named === '' && { number: at.number }),
    ...(at.isNumbered && { isNumbered: true }),
  }
}

const latitudes: ReadonlySet<string> = new Set(['latitude', 'lat', 'gps_lat', 'gps_latitude', 'gpslat', 'gpslatitude'])
const longitudes: ReadonlySet<string> = new Set(
  'longitude lon lng long gps_lon gps_lng gps_longitude gpslon gpslng gpslongitude'.split(' '),
)
const altitudes: ReadonlySet<string> = new Set(['altitude', 'alt', 'gps_alt', 'gps_altitude', 'gpsaltitude'])

/** Only a whole and possible place counts as one; half of it, and any second one, stay values. 0, 0 is a place. */
function placeIn(object: Fields): { place: Location; keys: ReadonlySet<string> } | undefined {
  const find = (words: ReadonlySet<string>): string | undefined =>
    Object.keys(object).find((key) => words.has(key.toLowerCase()) && Number.isFinite(object[key]))
  const [north, east, up] = [find(latitudes), find(longitudes), find(altitudes)]
  if (north === undefined || east === undefined) return undefined
  const [latitude, longitude] = [object[north] as number, object[east] as number]
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined
  return {
    place: { latitude, longitude, ...(up !== undefined && { altitudeM: object[up] as number }) },
    keys: new Set([north, east, ...(up === undefined ? [] : [up])]),
  }
}
