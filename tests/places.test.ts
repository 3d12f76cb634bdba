// Where events are placed on a map, and in which words; the shapes of counties are the ones that npm brought.

import { statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Geometry, type Position, circlePolygons, ringPolygons } from '../gateway/places/geometry.ts'
import { createPlaces } from '../gateway/places/places.ts'
import { stateNumbers } from '../gateway/places/us-states.ts'
import { readZones } from '../gateway/places/zone-file.ts'
import type { AlertArea, Event, Location } from '../proto/generated/types.ts'
import { tempFolder } from './tools/temp-folder.ts'

const places = createPlaces()
const alertIn = (...locations: Location[]): Event => {
  const areas: AlertArea[] = locations.map((location) => ({ description: 'somewhere', location }))
  return { body: 'alert', alert: { infos: [{ areas }] } }
}
const coded = (scheme: string, ...codes: string[]): Event =>
  alertIn({ geocodes: codes.map((code) => ({ scheme, code })) })
const square = [
  [47, 15],
  [47, 16],
  [48, 16],
  [48, 15],
  [47, 15],
].map(([latitude = 0, longitude = 0]) => ({ latitude, longitude }))

/** By the sum of crossings of a ray to the east. */
function contains(geometry: Geometry | null, [x, y]: Position): boolean {
  const polygons =
    geometry?.type === 'Polygon'
      ? [geometry.coordinates]
      : geometry?.type === 'MultiPolygon'
        ? geometry.coordinates
        : []
  return polygons.some((rings) => {
    let crossings = 0
    for (const ring of rings)
      for (let i = 1; i < ring.length; i++) {
        const [[x1, y1], [x2, y2]] = [ring[i - 1]!, ring[i]!]
        if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) crossings++
      }
    return crossings % 2 === 1
  })
}

describe('what the sender drew', () => {
  test('a polygon comes out longitude first and counter-clockwise', () => {
    const { by, words, geometry } = places.place(alertIn({ polygons: [{ points: square.toReversed() }] }))
    expect({ by, words }).toEqual({ by: 'polygon', words: 'polygon of the sender' })
    const ring = [[15, 47], [16, 47], [16, 48], [15, 48], [15, 47]] // prettier-ignore
    expect(geometry).toEqual({ type: 'Polygon', coordinates: [ring] })
  })

  test('a circle becomes a ring of its radius, a circle of no radius a point', () => {
    const center = { latitude: 60, longitude: 10 }
    const { by, geometry } = places.place(alertIn({ circles: [{ center, radiusM: 10_000 }] }))
    expect(by).toBe('circle')
    // A degree of latitude is 111.195 km on the sphere, of longitude at 60° north half of that.
    const ring = geometry?.type === 'Polygon' ? geometry.coordinates[0]! : []
    expect(Math.max(...ring.map(([, y]) => y)) - 60).toBeCloseTo(10 / 111.195, 5)
    expect(Math.max(...ring.map(([x]) => x)) - 10).toBeCloseTo(20 / 111.195, 3)
    expect(places.place(alertIn({ circles: [{ center, radiusM: 0 }] }))).toMatchObject({
      by: 'point',
      geometry: { type: 'Point', coordinates: [10, 60] },
    })
  })

  test('codes beside a polygon are not drawn, since they cover what it draws', () => {
    const geocodes = [{ scheme: 'SAME', code: '048453' }]
    expect(places.place(alertIn({ polygons: [{ points: square }], geocodes }))).toMatchObject({
      by: 'polygon',
      geometry: { type: 'Polygon' },
      unplaced: [],
    })
  })

  test('an area that is said in two languages is drawn once', () => {
    const area = { location: { polygons: [{ points: square }] } }
    const event: Event = { body: 'alert', alert: { infos: [{ areas: [area] }, { areas: [structuredClone(area)] }] } }
    expect(places.place(event).geometry?.type).toBe('Polygon')
  })

  test('a sensor with a position is a point; an event without a place is unplaced, and says so', () => {
    expect(places.place({ location: { latitude: 0, longitude: 0 } })).toMatchObject({
      by: 'point',
      geometry: { type: 'Point', coordinates: [0, 0] },
    })
    expect(places.place({})).toEqual({
      by: 'unplaced',
      geometry: null,
      words: 'no place was given',
      parts: [],
      unplaced: [],
    })
  })
})

describe('what only a code names', () => {
  const austin: Position = [-97.743, 30.267]

  test.each([
    ['SAME', '048453'],
    ['UGC', 'TXC453'],
    ['FIPS6', '048453'],
    ['FIPS', '48453'],
  ])('%s %s is a whole county, and is called so', (scheme, code) => {
    const placed = places.place(coded(scheme, code))
    expect(placed).toMatchObject({ by: 'county', words: 'whole county: Travis, TX', unplaced: [] })
    expect(contains(placed.geometry, austin)).toBe(true)
    expect(contains(placed.geometry, [-95.37, 29.76]), 'Houston').toBe(false)
  })

  test('a part of a county is drawn whole, and the words say that less is meant', () => {
    expect(places.place(coded('SAME', '148453')).words).toBe('whole county: Travis, TX (a part of it is meant)')
  })

  test.each([
    ['SAME', '048000'],
    ['UGC', 'TXC000'],
    ['UGC', 'TXZALL'],
  ])('%s %s is a whole state', (scheme, code) => {
    const placed = places.place(coded(scheme, code))
    expect(placed).toMatchObject({ by: 'state', words: 'whole state: Texas' })
    expect(contains(placed.geometry, austin) && contains(placed.geometry, [-106.4, 31.8])).toBe(true)
  })

  test('SAME 000000 is the whole country', () => {
    const placed = places.place(coded('SAME', '000000'))
    expect(placed).toMatchObject({ by: 'state', words: 'whole country: USA' })
    expect(contains(placed.geometry, austin)).toBe(true)
  })

  test('every state and territory of the table has a shape', () => {
    for (const letters of stateNumbers.keys()) expect(places.place(coded('UGC', `${letters}C000`)).by).toBe('state')
  })

  test('the same county in two schemes is drawn once', () => {
    const geocodes = [
      { scheme: 'SAME', code: '048453' },
      { scheme: 'UGC', code: 'TXC453' },
    ]
    expect(places.place(alertIn({ geocodes })).words).toBe('whole county: Travis, TX')
  })

  test.each([
    ['UGC', 'TXZ192', 'no shapes of forecast zones; set places.zones'],
    ['UGC', 'TXC999', 'no county or state of this code'],
    ['SAME', '075158', 'no county or state of this code'],
    ['EMMA_ID', 'AT001', 'no shapes for this scheme'],
  ])('%s %s is listed as unplaced, never guessed', (scheme, code, why) => {
    expect(places.place(coded(scheme, code))).toEqual({
      by: 'unplaced',
      geometry: null,
      words: `not placed: ${scheme} ${code}`,
      parts: [],
      unplaced: [{ scheme, code, why }],
    })
  })

  test('of an alert of which a part has no shape, the rest is drawn and the words name both', () => {
    expect(places.place(coded('UGC', 'TXC453', 'TXZ192'))).toMatchObject({
      by: 'county',
      words: 'whole county: Travis, TX; not placed: UGC TXZ192',
      unplaced: [{ code: 'TXZ192' }],
    })
  })

  test('of several ways the least exact is named', () => {
    const event = alertIn({ polygons: [{ points: square }] }, { geocodes: [{ scheme: 'UGC', code: 'TXC453' }] })
    expect(places.place(event)).toMatchObject({
      by: 'county',
      geometry: { type: 'MultiPolygon' },
      words: 'polygon of the sender; whole county: Travis, TX',
    })
  })
})

describe('a file of forecast zones', () => {
  const folder = tempFolder('zones')
  const file = (content: unknown): string => {
    const path = join(folder, `${Math.abs(JSON.stringify(content).length)}.geojson`)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const ring = square.map(({ latitude, longitude }) => [longitude, latitude])
  const shape = { type: 'Polygon', coordinates: [ring] }
  const zone = (properties: unknown) => ({ type: 'Feature', properties, geometry: shape })

  test.each([{ id: 'TXZ192' }, { UGC: 'TXZ192' }, { STATE_ZONE: 'TX192' }])('%j names a zone', (properties) => {
    const zones = readZones(file({ type: 'FeatureCollection', date: '2026-03-03', features: [zone(properties)] }))
    expect(createPlaces({ zones }).place(coded('UGC', 'TXZ192'))).toMatchObject({
      by: 'zone',
      words: 'forecast zone, shapes of 2026-03-03: TXZ192',
      geometry: { coordinates: [[[15, 47], [16, 47], [16, 48], [15, 48], [15, 47]]] }, // prettier-ignore
      unplaced: [],
    })
    expect(createPlaces({ zones }).place(coded('UGC', 'TXZ193')).unplaced[0]?.why).toContain('no such zone')
  })

  test('without a date of its own it has the day on which it was changed', () => {
    const path = file({ type: 'FeatureCollection', features: [zone({ id: 'TXZ1920' }), zone({ id: 'TXZ192' })] })
    utimesSync(path, statSync(path).atime, new Date('2025-10-01T12:00:00Z'))
    expect(readZones(path)).toMatchObject({ date: '2025-10-01', size: 1 })
  })

  test.each([
    ['[', 'is not JSON'],
    [{ type: 'Feature' }, 'is not a GeoJSON FeatureCollection'],
    [{ features: [zone({ name: 'x' })] }, 'names no zone'],
    [
      { features: [{ ...zone({ id: 'TXZ192' }), geometry: { type: 'Polygon', coordinates: [[[1]]] } }] },
      'names no zone',
    ],
  ])('%j is refused at start, with what is wrong', (content, what) => {
    expect(() => readZones(file(content))).toThrow(new RegExp(`places\\.zones: .*${what}`))
  })

  test('a file that is not there is named', () => {
    expect(() => readZones(join(folder, 'none.geojson'))).toThrow(/places\.zones: .*none\.geojson cannot be read/)
  })
})

describe('shapes', () => {
  test('a ring across the antimeridian becomes two polygons that end there', () => {
    const points = [[-20, 179], [-20, -179], [-10, -179], [-10, 179], [-20, 179]] // prettier-ignore
    const polygons = ringPolygons({ points: points.map(([latitude = 0, longitude = 0]) => ({ latitude, longitude })) })
    expect(polygons).toHaveLength(2)
    const longitudes = polygons.map(([outer]) => outer!.map(([x]) => x).toSorted((a, b) => a - b))
    expect(longitudes.map((each) => [each[0], each.at(-1)])).toEqual([
      [179, 180],
      [-180, -179],
    ])
  })

  test('a circle of any size at any place gives closed rings on the globe', () => {
    const place = { latitude: fc.double({ min: -90, max: 90, noNaN: true }), longitude: fc.double({ min: -180, max: 180, noNaN: true }) } // prettier-ignore
    fc.assert(
      fc.property(fc.record(place), fc.double({ min: 1, max: 5_000_000, noNaN: true }), (center, radiusM) => {
        for (const [ring = []] of circlePolygons({ center, radiusM })) {
          expect(ring.length).toBeGreaterThanOrEqual(4)
          expect(ring.at(-1)).toEqual(ring[0])
          for (const [x, y] of ring) expect(Math.abs(x) <= 180 && Math.abs(y) <= 90).toBe(true)
        }
      }),
    )
  })
})

test('the table is read when the first county is asked for, and takes below 32 MB', () => {
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 50; i++) createPlaces().place({ location: { latitude: 1, longitude: 1 } })
  const fresh = createPlaces()
  const begin = performance.now()
  fresh.place(coded('SAME', '048453'))
  expect(performance.now() - begin).toBeLessThan(1_000)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(32e6)
})
