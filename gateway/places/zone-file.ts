// Shapes of forecast zones, from a file of the operator's: a GeoJSON FeatureCollection whose features name their zone (TXZ192). No
// package has them, they change every half year, and a whole state in place of a zone would be a lie. Read at start, within a bound.

import { readFileSync, statSync } from 'node:fs'
import { GatewayError } from '../../proto/errors.ts'
import { type AreaGeometry, type Rings, polygonsOf, rewound } from './geometry.ts'
import type { Area } from './us-areas.ts'

export interface Zones {
  /** Of which day the shapes are: the file's own `date`, else when it was last changed; "2026-03-03". */
  readonly date: string
  readonly size: number
  find(code: string): Area | undefined
}

/** The whole country fits, simplified to some 100 m (`mapshaper -simplify 5%`); at full detail it has 200 MB. */
const fileBytesMax = 48 * 1024 * 1024

/** Throws GatewayError settings_invalid. */
export function readZones(path: string): Zones {
  const wrong = (what: string): GatewayError => new GatewayError('settings_invalid', `places.zones: ${path} ${what}`)
  let text: string
  let changedAt: Date
  try {
    const { size, mtime } = statSync(path)
    if (size > fileBytesMax) throw wrong(`has ${size} bytes; at most ${fileBytesMax}, so simplify its shapes`)
    changedAt = mtime
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw wrong(`cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw wrong('is not JSON; a GeoJSON FeatureCollection is needed')
  }
  if (!isRecord(content) || !Array.isArray(content['features'])) throw wrong('is not a GeoJSON FeatureCollection')
  const shapes = new Map<string, Rings[]>()
  for (const feature of content['features'] as unknown[]) {
    const code = codeOf(feature)
    const rings = code === undefined ? [] : ringsOf(feature)
    // A zone may be several features: land and its islands.
    if (code !== undefined && rings.length > 0) shapes.set(code, [...(shapes.get(code) ?? []), ...rings])
  }
  if (shapes.size === 0) throw wrong('names no zone; each feature needs its code (TXZ192) as id, UGC or STATE_ZONE')
  const { date } = content
  return {
    date: typeof date === 'string' && date !== '' ? date.slice(0, 40) : changedAt.toISOString().slice(0, 10),
    size: shapes.size,
    find(code) {
      const coordinates = shapes.get(code)
      return coordinates && { by: 'zone', name: code, geometry: { type: 'MultiPolygon', coordinates } }
    },
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** As api.weather.gov has it (`id`), as the shapefiles of the NWS have it (`STATE_ZONE` "TX192", marine `ID`), or `UGC`. */
function codeOf(feature: unknown): string | undefined {
  if (!isRecord(feature)) return undefined
  const properties = isRecord(feature['properties']) ? feature['properties'] : {}
  const named = [properties['UGC'], properties['ugc'], properties['id'], properties['ID'], feature['id']]
  for (const name of named) {
    const code = typeof name === 'string' ? /([A-Z]{2}Z\d{3})$/.exec(name)?.[1] : undefined
    if (code !== undefined) return code
  }
  const stateZone = properties['STATE_ZONE']
  return typeof stateZone === 'string' && /^[A-Z]{2}\d{3}$/.test(stateZone)
    ? `${stateZone.slice(0, 2)}Z${stateZone.slice(2)}`
    : undefined
}

function ringsOf(feature: unknown): readonly Rings[] {
  const geometry = isRecord(feature) && isRecord(feature['geometry']) ? feature['geometry'] : {}
  if (geometry['type'] !== 'Polygon' && geometry['type'] !== 'MultiPolygon') return []
  const polygons = polygonsOf(geometry as unknown as AreaGeometry)
  return isShape(polygons) ? polygons.map(rewound) : []
}

const isShape = (polygons: unknown): boolean =>
  Array.isArray(polygons) &&
  polygons.every((polygon) => Array.isArray(polygon) && polygon.every((ring) => Array.isArray(ring) && isRing(ring)))

const isRing = (ring: readonly unknown[]): boolean =>
  ring.length >= 4 &&
  ring.every((point) => Array.isArray(point) && point.slice(0, 2).every((number) => Number.isFinite(number)))
