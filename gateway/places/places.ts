// Where an event is on a map, and how that is known: by the sender's own polygon, circle or point, or only by a code, whose whole
// county, state or forecast zone is then shown and called so. What has no shape here is listed, never left out and never guessed.

import type { Event, Geocode, Location } from '../../proto/generated/types.ts'
import {
  type Geometry,
  type Position,
  type Rings,
  circlePolygons,
  polygonsOf,
  positionOf,
  ringPolygons,
  together,
} from './geometry.ts'
import { type Area, createUsAreas } from './us-areas.ts'
import type { Zones } from './zone-file.ts'

/** From the most to the least exact. */
const placedBys = ['polygon', 'circle', 'point', 'zone', 'county', 'state', 'unplaced'] as const
export type PlacedBy = (typeof placedBys)[number]

export interface Placed {
  /** Of several ways, the least exact one, so that nobody takes a whole county for an exact line. */
  readonly by: PlacedBy
  /** GeoJSON, longitude first; null when nothing of it can be placed. */
  readonly geometry: Geometry | null
  /** For people: "whole county: Travis, TX", "polygon of the sender". */
  readonly words: string
  readonly parts: readonly PlacedPart[]
  /** Codes for which there is no shape. Where there are any, the geometry is not all of it. */
  readonly unplaced: readonly UnplacedCode[]
}

export interface PlacedPart {
  readonly by: Exclude<PlacedBy, 'unplaced'>
  readonly words: string
}

export interface UnplacedCode {
  readonly scheme: string
  readonly code: string
  readonly why: string
}

export interface Places {
  place(event: Event): Placed
}

export interface PlacesParts {
  /** Forecast zones, from a file of the operator's; undefined: none were given. */
  readonly zones?: Zones | undefined
}

export function createPlaces({ zones }: PlacesParts = {}): Places {
  const usAreas = createUsAreas()

  function areaOf({ scheme = '', code = '' }: Geocode): Area | UnplacedCode {
    const isZone = scheme.toUpperCase() === 'UGC' && zoneForm.test(code)
    const found = isZone ? zones?.find(code) : usAreas.find(scheme, code)
    return found ?? { scheme, code, why: whyUnplaced(scheme, isZone, zones) }
  }

  return {
    place(event) {
      const sketch: Sketch = { polygons: [], points: [], parts: [], areas: new Map(), unplaced: new Map() }
      for (const location of locationsOf(event)) addLocation(sketch, location, areaOf)
      return placedOf(sketch, zones)
    },
  }
}

/** SSZnnn; SSZ000 is a state. */
const zoneForm = /^[A-Z]{2}Z(?!000)\d{3}$/

interface Sketch {
  readonly polygons: Rings[]
  readonly points: Position[]
  readonly parts: PlacedPart[]
  /** By code, so that an area named in two schemes or two languages is drawn once. */
  readonly areas: Map<string, Area>
  readonly unplaced: Map<string, UnplacedCode>
}

/** An alert says its areas once for each language, so the same area is taken once. */
function locationsOf(event: Event): Location[] {
  if (event.body !== 'alert') return event.location ? [event.location] : []
  const areas = (event.alert.infos ?? []).flatMap((info) => info.areas ?? [])
  const locations = areas.flatMap(({ location }) => (location ? [location] : []))
  if (locations.length === 0) return event.location ? [event.location] : []
  return [...new Map(locations.map((location) => [JSON.stringify(location), location])).values()]
}

/** CAP unites polygons, circles and codes of an area; senders add codes that cover what the polygon draws, so they only stand in. */
function addLocation(sketch: Sketch, location: Location, areaOf: (code: Geocode) => Area | UnplacedCode): void {
  const { polygons = [], circles = [], latitude, longitude, geocodes = [] } = location
  for (const polygon of polygons) sketch.polygons.push(...ringPolygons(polygon))
  if (polygons.length > 0) addPart(sketch, 'polygon', 'polygon of the sender')
  for (const circle of circles) {
    if ((circle.radiusM ?? 0) > 0) sketch.polygons.push(...circlePolygons(circle))
    else sketch.points.push(positionOf(circle.center ?? {}))
    if ((circle.radiusM ?? 0) > 0) addPart(sketch, 'circle', 'circle of the sender')
    else addPart(sketch, 'point', 'point of the sender')
  }
  if (polygons.length > 0 || circles.length > 0) return
  if (latitude !== undefined && longitude !== undefined) {
    sketch.points.push([longitude, latitude])
    addPart(sketch, 'point', 'point of the sender')
    return
  }
  for (const geocode of geocodes) {
    const area = areaOf(geocode)
    if ('geometry' in area) sketch.areas.set(`${area.by} ${area.name}`, area)
    else sketch.unplaced.set(`${area.scheme} ${area.code}`, area)
  }
}

function addPart(sketch: Sketch, by: PlacedPart['by'], words: string): void {
  if (!sketch.parts.some((part) => part.by === by)) sketch.parts.push({ by, words })
}

function placedOf(sketch: Sketch, zones: Zones | undefined): Placed {
  const { areas, points, unplaced } = sketch
  const parts = [...sketch.parts]
  for (const [by, several] of Map.groupBy(areas.values(), (area) => area.by)) parts.push(areaPart(by, several, zones))
  const polygons = [...sketch.polygons, ...[...areas.values()].flatMap(({ geometry }) => polygonsOf(geometry))]
  const codes = [...unplaced.values()]
  const missing =
    codes.length > 0 ? [`not placed: ${listed(codes.map(({ scheme, code }) => `${scheme} ${code}`))}`] : []
  const words = [...parts.map((part) => part.words), ...missing].join('; ')
  return {
    by: placedBys.findLast((by) => parts.some((part) => part.by === by)) ?? 'unplaced',
    geometry: together(polygons, points),
    words: words === '' ? 'no place was given' : words,
    parts,
    unplaced: codes,
  }
}

function areaPart(by: Area['by'], areas: readonly Area[], zones: Zones | undefined): PlacedPart {
  const names = listed(areas.map(({ name }) => name))
  const isOne = areas.length === 1
  if (by === 'zone') return { by, words: `forecast ${isOne ? 'zone' : 'zones'}, shapes of ${zones?.date}: ${names}` }
  const plural = by === 'county' ? 'counties' : 'states'
  if (isOne && areas[0]?.name === 'USA') return { by, words: 'whole country: USA' }
  return { by, words: isOne ? `whole ${by}: ${names}` : `whole ${plural}: ${names}` }
}

/** Enough for a line on a screen; `parts` and `unplaced` have them all. */
const namesMax = 10
const listed = (names: readonly string[]): string =>
  names.length <= namesMax
    ? names.join('; ')
    : `${names.slice(0, namesMax).join('; ')} and ${names.length - namesMax} more`

function whyUnplaced(scheme: string, isZone: boolean, zones: Zones | undefined): string {
  if (isZone)
    return zones ? 'the file of places.zones has no such zone' : 'no shapes of forecast zones; set places.zones'
  return usSchemes.has(scheme.toUpperCase()) ? 'no county or state of this code' : 'no shapes for this scheme'
}

const usSchemes: ReadonlySet<string> = new Set(['SAME', 'FIPS6', 'FIPS', 'FIPS5', 'UGC'])
