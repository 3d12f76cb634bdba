// A filter on the header means what its sentence in the .proto says: held against a plain reading of that sentence.

import fc from 'fast-check'
import { latLngToCell } from 'h3-js'
import { describe, expect, test } from 'vitest'
import { compileFilter, type Readable } from '../gateway/grpc/filter.ts'
import { EventKind, Label, MessageStatus, Severity } from '../proto/generated/types.ts'
import type { Filter, Location, RecordHeader } from '../proto/generated/types.ts'
import { uint64 } from '../proto/int64.ts'
import { codec } from '../proto/wire.ts'

const eventCodec = codec('tocsin.v1.Event')
const headerCodec = codec('tocsin.v1.RecordHeader')

function recordOf(header: RecordHeader, location?: Location): Readable {
  return {
    // As the log gives it: decoded, with defaults from the prototype.
    header: headerCodec.decode(headerCodec.encode(header)),
    event: eventCodec.encode(location ? { location } : {}),
    removed: false,
  }
}

function recordAt(latitude: number, longitude: number): Readable {
  const cell = uint64(BigInt(`0x${latLngToCell(latitude, longitude, 9)}`))
  return recordOf({ cell }, { latitude, longitude })
}

const passes = (filter: Filter, record: Readable): boolean => compileFilter(filter).passes(record)
const few = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.array(arbitrary, { maxLength: 3 })
const word = fc.constantFrom('', 'a', 'ab', 'b', 'a/b', 'a/b/c', '$SYS/a', 'urn:x')
const ending = fc.constantFrom('a', 'ab', 'a*', 'urn:*', 'b', '*')
const topic = fc.constantFrom('a', 'a/b', 'a/+', 'a/#', '#', '+', '+/b', '+/+/c', 'a/+/c', '$SYS/#')
const kind = fc.constantFrom(...Object.values(EventKind))
const status = fc.constantFrom(...Object.values(MessageStatus))
const severity = fc.constantFrom(...Object.values(Severity))
const label = fc.constantFrom(...Object.values(Label))

const headers: fc.Arbitrary<RecordHeader> = fc.record({
  kind,
  messageStatus: status,
  subject: word,
  jurisdiction: word,
  owner: word,
  severity,
  labels: few(label).map((labels) => labels.reduce<number>((mask, one) => mask | (1 << one), 0)),
  topic: word,
  device: word,
  adapter: word,
})

const filters: fc.Arbitrary<Filter> = fc.record(
  {
    kinds: few(kind),
    messageStatuses: few(status),
    subjects: few(ending),
    jurisdictions: few(word),
    owners: few(word),
    minSeverity: severity,
    adapters: few(word),
    devices: few(ending),
    topics: few(topic),
    labels: few(label),
  },
  { requiredKeys: [] },
)

/** The sentences of event_service.proto, one by one and without any care for speed. */
function plainly(filter: Filter, header: RecordHeader): boolean {
  const any = <Value>(wanted: readonly Value[] | undefined, fits: (value: Value) => boolean) =>
    !wanted?.length || wanted.some(fits)
  const ends = (pattern: string, value = '') =>
    pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
  const order = [Severity.MINOR, Severity.MODERATE, Severity.SEVERE, Severity.EXTREME] as readonly Severity[]
  const ranked = (value: Severity) => order.indexOf(value === Severity.UNKNOWN ? Severity.MODERATE : value)
  const least = filter.minSeverity ?? Severity.UNSPECIFIED
  const carried = header.labels ? Object.values(Label).filter((one) => (header.labels! >> one) & 1) : [Label.OPS]
  return (
    any(filter.kinds, (value) => value === header.kind) &&
    any(filter.messageStatuses, (value) => value === header.messageStatus) &&
    any(filter.subjects, (value) => ends(value, header.subject)) &&
    any(filter.jurisdictions, (value) => value === header.jurisdiction) &&
    any(filter.owners, (value) => value === header.owner) &&
    any(filter.adapters, (value) => value === header.adapter) &&
    any(filter.devices, (value) => ends(value, header.device)) &&
    any(filter.topics, (value) => topicPattern(value).test(header.topic ?? '')) &&
    (least === Severity.UNSPECIFIED ||
      (header.severity !== Severity.UNSPECIFIED && ranked(header.severity!) >= ranked(least))) &&
    (!filter.labels?.length || carried.every((one) => filter.labels!.includes(one)))
  )
}

/** A topic filter as a regular expression: another way than the one under test. */
function topicPattern(filter: string): RegExp {
  const body = filter.replaceAll('$', '\\$').replace(/\/#$/, '(/.*)?').replace(/^#$/, '.*').replaceAll('+', '[^/]*')
  return new RegExp(`^${/^[+#]/.test(filter) ? '(?!\\$)' : ''}${body}$`, 's')
}

test('lets pass exactly what each of its sentences says', () => {
  fc.assert(
    fc.property(filters, headers, (filter, header) => {
      expect(passes(filter, recordOf(header))).toBe(plainly(filter, header))
    }),
    { numRuns: 3_000 },
  )
})

test('has one key for what means the same, and another for what does not', () => {
  const key = (filter: Filter) => compileFilter(filter).key
  expect(key({ kinds: [EventKind.ALERT, EventKind.CALL] })).toBe(
    key({ kinds: [EventKind.CALL, EventKind.ALERT, EventKind.CALL] }),
  )
  expect(key({})).toBe(compileFilter(undefined).key)
  expect(key({ subjects: ['a'] })).not.toBe(key({ devices: ['a'] }))
  expect(key({ subjects: ['a', 'b'] })).not.toBe(key({ subjects: ['a,b'] }))
  expect(compileFilter({ lanes: [1] }).all).toBe(true)
})

test.each<[Filter, string]>([
  [{ subjects: ['a*b'] }, 'filter.subjects'],
  [{ topics: ['a/#/b'] }, 'filter.topics'],
  [{ topics: ['a+'] }, 'filter.topics'],
  [{ lanes: [7 as never] }, 'filter.lanes'],
  [{ kinds: [99 as never] }, 'filter.kinds'],
  [{ minSeverity: 9 as never }, 'filter.min_severity'],
  [{ box: { south: 10, north: -10, west: 0, east: 1 } }, 'filter.box'],
  [{ box: { south: Number.NaN, north: 1, west: 0, east: 1 } }, 'filter.box'],
  [{ devices: Array.from({ length: 1_001 }, () => 'x') }, 'filter.devices'],
])('names the field that is wrong in %j', (filter, field) => {
  expect(() => compileFilter(filter)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(field) }),
  )
})

describe('a box', () => {
  const degrees = {
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  }

  test('holds exactly the points in it, although the header knows only their cells', () => {
    const edges = fc.record({
      a: degrees.latitude,
      b: degrees.latitude,
      west: degrees.longitude,
      east: degrees.longitude,
    })
    fc.assert(
      fc.property(edges, fc.record(degrees), ({ a, b, west, east }, { latitude, longitude }) => {
        const [south, north] = [Math.min(a, b), Math.max(a, b)]
        const inside =
          latitude >= south &&
          latitude <= north &&
          (west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east)
        expect(passes({ box: { south, west, north, east } }, recordAt(latitude, longitude))).toBe(inside)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is exact near its edge, within one cell', () => {
    const metre = 1 / 111_195
    const offset = fc.integer({ min: -600, max: 600 })
    fc.assert(
      fc.property(offset, offset, fc.integer({ min: 1, max: 900 }), (north, east, size) => {
        const box = { south: 30, west: -97, north: 30 + size * metre, east: -97 + size * metre }
        const [latitude, longitude] = [30 + north * metre, -97 + east * metre]
        const inside = latitude >= box.south && latitude <= box.north && longitude >= box.west && longitude <= box.east
        expect(passes({ box }, recordAt(latitude, longitude))).toBe(inside)
      }),
      { numRuns: 2_000 },
    )
  })

  test('takes 0,0 for a place and absence for none', () => {
    const box = { south: -1, west: -1, north: 1, east: 1 }
    expect(passes({ box }, recordAt(0, 0))).toBe(true)
    expect(passes({ box }, recordOf({}))).toBe(false)
    expect(passes({ box }, recordOf({ hasArea: true }, { polygons: [] }))).toBe(false)
  })

  test('lets an area pass that reaches into it, also across 180°', () => {
    const ring = (points: [number, number][]) => ({
      points: points.map(([latitude, longitude]) => ({ latitude, longitude })),
    })
    const fiji = recordOf(
      { hasArea: true },
      {
        polygons: [
          ring([
            [-20, 178],
            [-16, 178],
            [-16, -178],
            [-20, -178],
            [-20, 178],
          ]),
        ],
      },
    )
    expect(passes({ box: { south: -18, west: 179, north: -17, east: 180 } }, fiji)).toBe(true)
    expect(passes({ box: { south: -18, west: -180, north: -17, east: -179 } }, fiji)).toBe(true)
    expect(passes({ box: { south: -18, west: 170, north: -17, east: -170 } }, fiji)).toBe(true)
    expect(passes({ box: { south: -18, west: 0, north: -17, east: 10 } }, fiji)).toBe(false)
    const storm = recordOf(
      { hasArea: true },
      { circles: [{ center: { latitude: 30, longitude: -97 }, radiusM: 50_000 }] },
    )
    expect(passes({ box: { south: 30.4, west: -97.1, north: 31, east: -96.9 } }, storm)).toBe(true)
    expect(passes({ box: { south: 30.5, west: -97.1, north: 31, east: -96.9 } }, storm)).toBe(false)
  })

  test('goes by the cell when the payload was removed', () => {
    const removed = { ...recordAt(30, -97), event: new Uint8Array(100), removed: true }
    expect(passes({ box: { south: 29, west: -98, north: 31, east: -96 } }, removed)).toBe(true)
    expect(passes({ box: { south: 40, west: -98, north: 41, east: -96 } }, removed)).toBe(false)
  })
})
