// <area>: where an alert holds. CAP writes latitude first, circles in kilometres and heights in feet.
//
//   <polygon>47.1,15.4 47.2,15.4 47.2,15.5 47.1,15.4</polygon>     a ring, its last pair equal to its first
//   <circle>47.1,15.4 2.5</circle>                                centre and radius
//   <geocode><valueName>SAME</valueName><value>048453</value></geocode>
//
// A polygon or circle that cannot be read is left out with a warning and a flag: an alert is not lost for a corner of its map.

import type { AlertArea, Circle, Geocode, Location, Point, Polygon } from '../../proto/generated/types.ts'
import { type Decimal, addDecimals, decimalNumber, parseDecimal } from '../decimal.ts'
import type { XmlElement } from '../xml.ts'
import { type Fields, type Notes, decimalOf, fieldsOf, neededText, text, textOf, warn } from './fields.ts'
import { namedValue } from './named-value.ts'

/** As the gateway's own bound. */
const polygonPointsMax = 10_000

export function readArea(element: XmlElement, notes: Notes): AlertArea {
  const fields = fieldsOf(element, notes, ['areaDesc', 'polygon', 'circle', 'geocode', 'altitude', 'ceiling'])
  const description = neededText(fields, 'areaDesc')
  const polygons = each(fields, 'polygon', readPolygon)
  const circles = each(fields, 'circle', readCircle)
  const geocodes = each(fields, 'geocode', readGeocode)
  const location: Location = {
    ...(polygons.length > 0 && { polygons }),
    ...(circles.length > 0 && { circles }),
    ...(geocodes.length > 0 && { geocodes }),
  }
  const altitudeM = height(fields, 'altitude')
  const ceilingM = height(fields, 'ceiling')
  if (ceilingM !== undefined && altitudeM === undefined) warn(notes, element, 'has a ceiling without an altitude')
  return {
    ...(description !== undefined && { description }),
    ...(Object.keys(location).length > 0 && { location }),
    ...(altitudeM !== undefined && { altitudeM }),
    ...(ceilingM !== undefined && { ceilingM }),
  }
}

function each<T>(fields: Fields, name: string, read: (element: XmlElement, notes: Notes) => T | undefined): T[] {
  return (fields.byName.get(name) ?? []).flatMap((element) => read(element, fields.notes) ?? [])
}

function readPolygon(element: XmlElement, notes: Notes): Polygon | undefined {
  const said = textOf(notes, element)
  if (said === undefined) return leftOut(notes, element, 'is empty')
  const points: Point[] = []
  let hasComma = false
  let isBeyond = false
  for (const pair of said.split(/\s+/)) {
    // Real senders put a comma after a pair.
    const plain = pair.replace(/,$/, '')
    if (plain !== pair) hasComma = true
    const point = readPoint(plain)
    if (!point) return leftOut(notes, element, `has no latitude,longitude at pair ${points.length + 1}`)
    if (point === 'range') return outOfRange(notes, element, `leaves the globe at pair ${points.length + 1}`)
    if (Math.abs(point.longitude) > 180) isBeyond = true
    points.push(onGlobe(point))
    if (points.length > polygonPointsMax) return leftOut(notes, element, `has more than ${polygonPointsMax} points`)
  }
  if (isBeyond) warn(notes, element, 'goes on beyond 180 degrees; read as the other side of the antimeridian')
  if (hasComma) warn(notes, element, 'has a comma after a pair, which is passed over')
  const [first, last] = [points[0]!, points.at(-1)!]
  if (first.latitude !== last.latitude || first.longitude !== last.longitude) {
    points.push({ ...first })
    warn(notes, element, 'is not closed; it was closed')
  }
  return points.length >= 4 ? { points } : leftOut(notes, element, `has ${points.length} points; at least 4`)
}

/** What crosses the antimeridian is often written on beyond it, −180.2 for 179.8. */
const onGlobe = ({ latitude, longitude }: Place): Point => ({
  latitude,
  longitude: Math.abs(longitude) <= 180 ? longitude : decimalNumber(addDecimals(exactly(longitude), turn(longitude))),
})
const exactly = (number: number): Decimal => parseDecimal(String(number)) ?? { digits: 0n, exponent: 0 }
const turn = (longitude: number): Decimal => ({ digits: longitude > 0 ? -360n : 360n, exponent: 0 })

/** No exponents and nothing that is no number; "+41.12" is seen. */
const degreesForm = /^[+-]?\d{1,4}(?:\.\d{0,20})?$/

interface Place {
  readonly latitude: number
  readonly longitude: number
}

function readPoint(pair: string): Place | 'range' | undefined {
  const [latitudeText = '', longitudeText = '', ...more] = pair.split(',')
  if (!degreesForm.test(latitudeText) || !degreesForm.test(longitudeText) || more.length > 0) return undefined
  // Zero has no sign on a globe.
  const point = { latitude: Number(latitudeText) + 0, longitude: Number(longitudeText) + 0 }
  return Math.abs(point.latitude) <= 90 && Math.abs(point.longitude) < 360 ? point : 'range'
}

/** Beyond half the way round the earth. */
const radiusMMax = 20_100_000

function readCircle(element: XmlElement, notes: Notes): Circle | undefined {
  const said = textOf(notes, element)
  const [pair = '', radiusText = '', ...more] = said?.split(/\s+/) ?? []
  const center = readPoint(pair)
  const radiusKm = decimalOf(radiusText)
  if (!center || !radiusKm || more.length > 0) return leftOut(notes, element, 'is not "latitude,longitude radius"')
  const radiusM = metresOf(radiusKm)
  if (center === 'range') return outOfRange(notes, element, 'is not on the globe')
  if (radiusM < 0 || radiusM > radiusMMax) return outOfRange(notes, element, 'has a radius below 0 or beyond the globe')
  return { center: onGlobe(center), radiusM }
}

/** Kilometres, exactly. */
export const metresOf = ({ digits, exponent }: Decimal): number => decimalNumber({ digits, exponent: exponent + 3 })

/** The international foot is 0.3048 m, exactly. */
export const metresOfFeet = ({ digits, exponent }: Decimal): number =>
  decimalNumber({ digits: digits * 3048n, exponent: exponent - 4 })

function height(fields: Fields, name: string): number | undefined {
  const [element] = fields.byName.get(name) ?? []
  const said = element && text(fields, name)
  if (!element || said === undefined) return undefined
  const feet = decimalOf(said)
  const metres = feet && metresOfFeet(feet)
  // Below the Dead Sea's floor and above the satellites nobody warns.
  if (metres !== undefined && metres > -12_000 && metres < 4e7) return metres
  return leftOut(fields.notes, element, 'is not a number of feet')
}

/** CAP 1.2 §3.2.4: schemes are named by the sender; "SAME", "UGC", "EMMA_ID", "profile:CAP-CP:Location:0.3" … */
function readGeocode(element: XmlElement, notes: Notes): Geocode | undefined {
  const named = namedValue(element, notes)
  return named && { scheme: named.name, code: named.value }
}

function leftOut(notes: Notes, element: XmlElement, what: string): undefined {
  warn(notes, element, `${what}; it is left out`)
}

function outOfRange(notes: Notes, element: XmlElement, what: string): undefined {
  notes.isOutOfRange = true
  leftOut(notes, element, what)
}
