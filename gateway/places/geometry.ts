// GeoJSON out of our locations (RFC 7946): longitude first, outer rings counter-clockwise, nothing across the antimeridian. Circles
// become rings of 64 points on the sphere; each point of them is on the circle, so that the ring lies within it by at most 0.12 %.

import type { Circle, Point as Place, Polygon as Ring } from '../../proto/generated/types.ts'

/** Longitude, latitude. */
export type Position = readonly [number, number]
export type Rings = readonly (readonly Position[])[]
export type AreaGeometry =
  | { readonly type: 'Polygon'; readonly coordinates: Rings }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly Rings[] }
export type Geometry =
  | AreaGeometry
  | { readonly type: 'Point'; readonly coordinates: Position }
  | { readonly type: 'MultiPoint'; readonly coordinates: readonly Position[] }
  | { readonly type: 'GeometryCollection'; readonly geometries: readonly Geometry[] }

/** Mean radius of the earth, metres (IUGG). */
const earthRadiusM = 6_371_008.8
const circlePoints = 64

export const polygonsOf = (geometry: AreaGeometry): readonly Rings[] =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates

/** All of it as one geometry; null for nothing. */
export function together(polygons: readonly Rings[], points: readonly Position[]): Geometry | null {
  const [polygon] = polygons
  const [point] = points
  const areas: Geometry | undefined =
    polygon &&
    (polygons.length === 1
      ? { type: 'Polygon', coordinates: polygon }
      : { type: 'MultiPolygon', coordinates: polygons })
  const places: Geometry | undefined =
    point && (points.length === 1 ? { type: 'Point', coordinates: point } : { type: 'MultiPoint', coordinates: points })
  if (areas && places) return { type: 'GeometryCollection', geometries: [areas, places] }
  return areas ?? places ?? null
}

export const positionOf = ({ latitude = 0, longitude = 0 }: Place): Position => [longitude, latitude]

/** One ring of ours; two polygons where it crosses the antimeridian. */
export const ringPolygons = ({ points = [] }: Ring): Rings[] => cut(points.map(positionOf)).map((ring) => [wound(ring)])

export function circlePolygons({ center = {}, radiusM = 0 }: Circle): Rings[] {
  const latitude = radians(center.latitude ?? 0)
  const longitude = radians(center.longitude ?? 0)
  const angle = radiusM / earthRadiusM
  const ring = Array.from({ length: circlePoints }, (_, i): Position => {
    // Counter-clockwise: the bearing goes down.
    const bearing = -(i * 2 * Math.PI) / circlePoints
    const sine = Math.sin(latitude) * Math.cos(angle) + Math.cos(latitude) * Math.sin(angle) * Math.cos(bearing)
    const east = Math.sin(bearing) * Math.sin(angle) * Math.cos(latitude)
    const north = Math.cos(angle) - Math.sin(latitude) * sine
    return [wrapped(degrees(longitude + Math.atan2(east, north))), degrees(Math.asin(sine))]
  })
  return cut([...ring, ring[0]!]).map((part) => [wound(part)])
}

const radians = (angle: number): number => (angle * Math.PI) / 180
/** Seven decimals are a centimetre. */
const degrees = (angle: number): number => Math.round((angle * 180e7) / Math.PI) / 1e7
const wrapped = (longitude: number): number =>
  longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude

/** Rings of others, with their holes, made as GeoJSON wants them; four decimals are ten metres. */
export const rewound = (rings: Rings): Rings =>
  rings.map((ring, i) => {
    const rounded = ring.map(([x, y]): Position => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4])
    return i === 0 ? wound(rounded) : wound(rounded).toReversed()
  })

/** RFC 7946 §3.1.6: counter-clockwise. */
function wound(ring: readonly Position[]): readonly Position[] {
  let doubleArea = 0
  for (let i = 1; i < ring.length; i++) {
    const [x1, y1] = ring[i - 1]!
    const [x2, y2] = ring[i]!
    doubleArea += (x2 - x1) * (y2 + y1)
  }
  return doubleArea > 0 ? ring.toReversed() : ring
}

/** RFC 7946 §3.1.9. A step of more than half the globe is one across the antimeridian. A ring around a pole is left as it is. */
function cut(ring: readonly Position[]): (readonly Position[])[] {
  const straight: Position[] = []
  let turns = 0
  for (const [i, [x, y]] of ring.entries()) {
    const before = ring[i - 1]?.[0] ?? x
    if (x - before > 180) turns -= 360
    else if (before - x > 180) turns += 360
    straight.push([x + turns, y])
  }
  if (straight.every(([x]) => x >= -180 && x <= 180) || turns !== 0) return [ring]
  const edge = straight.some(([x]) => x > 180) ? 180 : -180
  const west = clipped(straight, edge, (x) => x <= edge)
  const east = clipped(straight, edge, (x) => x >= edge)
  const moved = (part: readonly Position[], by: number): Position[] => part.map(([x, y]) => [x + by, y])
  const parts = edge === 180 ? [west, moved(east, -360)] : [moved(west, 360), east]
  return parts.filter((part) => part.length >= 4)
}

/** The part of a ring on one side of a meridian (Sutherland and Hodgman). */
function clipped(ring: readonly Position[], edge: number, isInside: (x: number) => boolean): readonly Position[] {
  const kept: Position[] = []
  for (let i = 1; i < ring.length; i++) {
    const [from, to] = [ring[i - 1]!, ring[i]!]
    if (isInside(from[0]) !== isInside(to[0])) {
      const share = (edge - from[0]) / (to[0] - from[0])
      kept.push([edge, from[1] + share * (to[1] - from[1])])
    }
    if (isInside(to[0])) kept.push(to)
  }
  return kept.length > 0 ? [...kept, kept[0]!] : kept
}
