// Whether an event lies in a box of the map. The header's cell settles nearly all; only what is near the edge, or has areas, is
// opened. An area counts as soon as its bounds touch the box: a warning that reaches into it must be seen.

import { cellToLatLng } from 'h3-js'
import type { Box, Location, Point, RecordHeader } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Int64 } from '../../proto/int64.ts'
import { codec } from '../../proto/wire.ts'

export interface BoxTest {
  /** `event` is asked for only when the header cannot tell; undefined: the payload was removed. */
  contains(header: RecordHeader, event: () => Uint8Array | undefined): boolean
}

/** Bounds in degrees; east may be less than west, across 180°. */
interface Bounds {
  readonly south: number
  readonly west: number
  readonly north: number
  readonly east: number
}

/** No point of an H3 cell of resolution 9 is farther from its centre: longest edge 0.26 km (h3geo, table of cell statistics). */
const cellRadiusM = 300
const metresPerDegree = 111_195
const eventCodec = codec('tocsin.v1.Event')

export function createBoxTest(box: Box): BoxTest {
  const bounds = checkedBounds(box)
  return {
    contains(header, event) {
      const centre = centreOf(header.cell)
      if (!centre && !header.hasArea) return false
      if (centre && !header.hasArea) {
        const reach = reachOf(centre, bounds)
        if (reach !== 'edge') return reach === 'inside'
      }
      const bytes = event()
      // What was removed cannot be opened: its cell has to do.
      if (!bytes) return centre !== undefined && holds(bounds, centre)
      return locationTouches(eventCodec.decode(bytes).location, bounds)
    },
  }
}

export function locationTouches(location: Location | undefined, bounds: Bounds): boolean {
  if (!location) return false
  const { latitude, longitude, polygons = [], circles = [] } = location
  // Presence is asked for as such: 0,0 is a place, and an absent number reads as 0 or null.
  if (Object.hasOwn(location, 'latitude') && Object.hasOwn(location, 'longitude')) {
    if (holds(bounds, { latitude: latitude ?? 0, longitude: longitude ?? 0 })) return true
  }
  if (polygons.some(({ points = [] }) => points.length > 0 && overlap(bounds, boundsOf(points)))) return true
  return circles.some(({ center, radiusM = 0 }) => center && overlap(bounds, around(place(center), radiusM)))
}

interface Place {
  readonly latitude: number
  readonly longitude: number
}

const place = ({ latitude = 0, longitude = 0 }: Point): Place => ({ latitude, longitude })

function checkedBounds({ south = 0, west = 0, north = 0, east = 0 }: Box): Bounds {
  const sound = within(south, 90) && within(north, 90) && within(west, 180) && within(east, 180) && south <= north
  if (!sound) {
    const text = `filter.box must have −90 ≤ south ≤ north ≤ 90 and −180 ≤ west, east ≤ 180; it is ${south}, ${west}, ${north}, ${east}.`
    throw new GatewayError('invalid_argument', text)
  }
  return { south, west, north, east }
}

const within = (value: number, limit: number): boolean => Math.abs(value) <= limit

function holds({ south, west, north, east }: Bounds, { latitude, longitude }: Place): boolean {
  if (latitude < south || latitude > north) return false
  return west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east
}

/** Where a cell is: wholly inside, wholly outside, or so near the edge that only the event tells. */
function reachOf(centre: Place, bounds: Bounds): 'inside' | 'outside' | 'edge' {
  const cell = around(centre, cellRadiusM)
  if (!overlap(bounds, cell)) return 'outside'
  const corners = [cell.south, cell.north].flatMap((latitude) =>
    [cell.west, cell.east].map((longitude) => ({ latitude, longitude })),
  )
  // A box, or what it leaves out of the world, may be narrower than a cell and lie between its corners.
  const [span, leftOut] = [spanOf(bounds), 360 - spanOf(bounds)]
  const isWide = span > 2 * spanOf(cell) && (isAround(bounds) || leftOut > 2 * spanOf(cell))
  return isWide && corners.every((corner) => holds(bounds, corner)) ? 'inside' : 'edge'
}

const isAround = ({ west, east }: Bounds): boolean => west === -180 && east === 180
const spanOf = ({ west, east }: Bounds): number => (west <= east ? east - west : 360 - west + east)

function overlap(a: Bounds, b: Bounds): boolean {
  if (a.south > b.north || b.south > a.north) return false
  return pieces(a).some(([aWest, aEast]) => pieces(b).some(([bWest, bEast]) => aWest <= bEast && bWest <= aEast))
}

/** The meridians it spans, cut at 180° where it crosses. ±180 is one meridian. */
function pieces({ west, east }: Bounds): readonly (readonly [number, number])[] {
  if (west > east)
    return [
      [west, 180],
      [-180, east],
    ]
  const whole: (readonly [number, number])[] = [[west, east]]
  if (east === 180) whole.push([-180, -180])
  if (west === -180) whole.push([180, 180])
  return whole
}

function boundsOf(points: readonly Point[]): Bounds {
  const latitudes = points.map(({ latitude = 0 }) => latitude)
  const longitudes = points.map(({ longitude = 0 }) => longitude)
  const [south, north] = [Math.min(...latitudes), Math.max(...latitudes)]
  const [west, east] = [Math.min(...longitudes), Math.max(...longitudes)]
  if (east - west <= 180) return { south, west, north, east }
  // Nobody draws an area around half the world: it crosses 180°, and its west is the least of the eastern longitudes.
  const eastern = longitudes.filter((longitude) => longitude >= 0)
  const western = longitudes.filter((longitude) => longitude < 0)
  return { south, west: Math.min(...eastern), north, east: Math.max(...western) }
}

function around({ latitude, longitude }: Place, radiusM: number): Bounds {
  const reach = radiusM / metresPerDegree
  const south = Math.max(latitude - reach, -90)
  const north = Math.min(latitude + reach, 90)
  const narrowing = Math.cos((Math.max(Math.abs(south), Math.abs(north)) * Math.PI) / 180)
  const reachEast = reach / Math.max(narrowing, 1e-9)
  // Near a pole every meridian is near.
  if (reachEast >= 180) return { south, west: -180, north, east: 180 }
  return { south, west: wrapped(longitude - reachEast), north, east: wrapped(longitude + reachEast) }
}

const wrapped = (longitude: number): number =>
  longitude < -180 ? longitude + 360 : longitude > 180 ? longitude - 360 : longitude

/** Devices stand still or move from cell to cell: few cells are asked for again and again. */
const centresMax = 10_000
const centres = new Map<string, Place | undefined>()

function centreOf(cell: Int64 | undefined): Place | undefined {
  const key = hexOf(cell)
  if (key === undefined) return undefined
  if (centres.has(key)) return centres.get(key)
  if (centres.size >= centresMax) centres.clear()
  const centre = cellCentre(key)
  centres.set(key, centre)
  return centre
}

function cellCentre(cell: string): Place | undefined {
  try {
    const [latitude, longitude] = cellToLatLng(cell)
    return { latitude, longitude }
  } catch {
    // No cell of H3: as if there were none.
    return undefined
  }
}

function hexOf(cell: Int64 | undefined): string | undefined {
  if (cell === undefined || typeof cell === 'number') return cell ? cell.toString(16) : undefined
  return cell.isZero() ? undefined : cell.toUnsigned().toString(16)
}
