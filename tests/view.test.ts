// What each reader is given of a record: for every set of labels, over events of every shape that the schema allows.

import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import protobuf from 'protobufjs/light.js'
import { describe, expect, test } from 'vitest'
import type { View } from '../gateway/grpc/access.ts'
import { passing } from '../gateway/grpc/batches.ts'
import { compileFilter } from '../gateway/grpc/filter.ts'
import { indexSlice } from '../gateway/grpc/slice-index.ts'
import { lanes, type StoredRecord } from '../gateway/log/log.ts'
import { newRecord } from '../gateway/pipeline.ts'
import { type Included, includable } from '../gateway/policy/configured-view.ts'
import { type Narrowing, nothing } from '../gateway/policy/rights.ts'
import { createView } from '../gateway/policy/view.ts'
import { Discipline, EventKind, handlingOf, Label, Lane, MessageStatus } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { codec, messageType } from '../proto/wire.ts'
import { eventsWith, eventTypeNames } from './event-arbitrary.ts'
import { appendEvents, eventOf } from './grpc-house.ts'
import { openTestLog } from './grpc-log.ts'

const eventCodec = codec('tocsin.v1.Event')
const recordCodec = codec('tocsin.v1.Record')
const sender = { name: 'mqtt:test', authenticity: 'unverified', link: 'mqtt' } as const

/** As the log keeps it. */
function recordOf(event: Event): StoredRecord {
  const frame = { bytes: new Uint8Array(), receivedAt: 0n, channel: 'a/b' }
  const { header, event: bytes } = newRecord(event, sender, frame, undefined)
  const frameId = Buffer.alloc(16, 1)
  const wire = {
    crc: 1,
    sequence: 7,
    loggedAtNs: 5,
    flags: 0,
    lane: Lane.ROUTINE,
    frameId,
    frameEvents: 1,
    header,
    event: bytes,
  }
  return {
    lane: 'routine',
    sequence: 7,
    loggedAt: 5n,
    removed: false,
    bytes: recordCodec.encode(wire),
    header,
    event: bytes,
    frameId,
  }
}

const viewOf = (include: readonly Included[], only: Narrowing = {}): View =>
  createView({ ...nothing, reads: true, ops: true, include: new Set(include), only })

/** Every set of them. */
const sets: readonly (readonly Included[])[] = Array.from({ length: 1 << includable.length }, (_, bits) =>
  includable.filter((_each, at) => bits & (1 << at)),
)

/** The fields of a message without the fields whose label is beyond: by the schema's text form and nothing of ours. */
function without(value: unknown, type: protobuf.Type, isBeyond: (label: Label) => boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => without(each, type, isBeyond))
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return value
  const left = Object.entries(value).flatMap(([name, inner]) => {
    const field = type.fields[name]
    // The name of a choice.
    if (!field) return []
    const { resolvedType } = field
    const label = (handlingOf as Record<string, Label>)[`${type.fullName.slice(1)}.${name}`]
    if (label && isBeyond(label)) return []
    return [[name, resolvedType instanceof protobuf.Type ? without(inner, resolvedType, isBeyond) : inner]]
  })
  return Object.fromEntries(left)
}

const eventType = messageType('tocsin.v1.Event')
const numberOf = (name: Included): Label | undefined => (name === 'law_enforcement_position' ? undefined : Label[name])

describe.each(eventTypeNames)('of an event with %s', (name) => {
  test('nobody is given a field beyond his labels, and everybody all other fields', () => {
    fc.assert(
      fc.property(eventsWith(name), fc.constantFrom(...sets), (drawn, include) => {
        // Stated for the whole event they are tried below.
        const event = { ...eventOf(drawn), handling: {} } as Event
        // Others are refused before they come here.
        if (event.location) event.location = { ...event.location, latitude: 38.5, longitude: -121.5 }
        const record = recordOf(event)
        const shown = viewOf(include).shown(record)
        const isBeyond = (label: Label): boolean =>
          label > Label.OPS && !include.some((each) => numberOf(each) === label)
        const isPlaceBeyond =
          event.location !== undefined &&
          event.origin?.discipline === Discipline.LAW_ENFORCEMENT &&
          !include.includes('law_enforcement_position')
        if (isPlaceBeyond && event.body === 'position') return expect(shown).toBeUndefined()
        const whole = eventCodec.toPlain(eventCodec.decode(record.event)) as Record<string, unknown>
        if (isPlaceBeyond) delete whole['location']
        const given = eventCodec.toPlain(eventCodec.decode(shown!.event))
        expect(without(given, eventType, () => false)).toEqual(without(whole, eventType, isBeyond))
        if (shown !== record) expectCopy(shown!)
      }),
      { numRuns: 60 },
    )
  })
})

function expectCopy(shown: StoredRecord): void {
  const wire = recordCodec.decode(shown.bytes)
  expect(wire.crc).toBe(crc32(shown.bytes.subarray(5)))
  expect(Buffer.from(wire.event!)).toEqual(Buffer.from(shown.event))
  expect(wire).toMatchObject({ lane: Lane.ROUTINE, frameEvents: 1 })
  expect(toNumber(wire.sequence)).toBe(7)
  expect(wire.withheldLabels?.length || wire.placeWithheld || wire.unknownFieldsWithheld).toBeTruthy()
}

describe('labels', () => {
  const call = (given: Event = {}): Event =>
    eventOf({ body: 'call', call: { callerName: 'Jane Doe', callback: '+1 555 0100' }, ...given } as Event)

  test('of fields take out those fields, and the copy says which labels they had', () => {
    const shown = viewOf([]).shown(recordOf(call()))!
    expect(Buffer.from(shown.bytes).includes('Jane')).toBe(false)
    expect(recordCodec.decode(shown.bytes)).toMatchObject({ withheldLabels: [Label.PII] })
    expect(recordOf(call()).header).toMatchObject({
      labels: (1 << Label.OPS) | (1 << Label.PII),
      fieldLabels: 1 << Label.PII,
    })
  })

  test('that are stated for the event as a whole withhold it whole, though a field has the same', () => {
    const record = recordOf(call({ handling: { labels: [Label.PII] } }))
    expect(viewOf([]).shown(record)).toBeUndefined()
    expect(viewOf(['PHI', 'CJI']).shown(record)).toBeUndefined()
    expect(viewOf(['PII']).shown(record)).toBe(record)
  })

  test('OPS, and what states none, are not for who reads PUBLIC only', () => {
    const view = createView({ ...nothing, reads: true })
    expect(view.shown(recordOf(eventOf()))).toBeUndefined()
    expect(view.shown(recordOf(eventOf({ handling: { labels: [Label.PUBLIC] } })))).toBeDefined()
  })

  test('a record of an older version, whose header says nothing of its fields, is opened all the same', () => {
    const { fieldLabels: _none, ...header } = recordOf(call()).header
    const old = { ...recordOf(call()), header: { ...header, labels: 1 << Label.OPS } }
    expect(Buffer.from(viewOf([]).shown(old)!.event).includes('Jane')).toBe(false)
  })

  test('what this version does not know may hold anything, and is taken out for who lacks any label', () => {
    // Field 5000 of the event, length-delimited.
    const unknown = Buffer.from([0xc2, 0xb8, 0x02, 0x08, ...Buffer.from('Jane Doe')])
    const base = eventOf({ origin: { adapter: 'tocsin', jurisdiction: 'county-a.example' } })
    const newer = eventCodec.decode(Buffer.concat([eventCodec.encode(base), unknown]))
    const record = recordOf(newer)
    expect(Buffer.from(record.event).includes('Jane')).toBe(true)
    const shown = viewOf(['PII', 'PHI']).shown(record)!
    expect(Buffer.from(shown.bytes).includes('Jane')).toBe(false)
    expect(recordCodec.decode(shown.bytes).unknownFieldsWithheld).toBe(true)
    expect(viewOf(['PII', 'PHI', 'CJI']).shown(record)).toBe(record)
  })

  test('who has no role that reads is shown nothing', () => {
    expect(createView(nothing).shown(recordOf(eventOf()))).toBeUndefined()
  })

  test('a reading without any of that is passed on as it lies on disk', () => {
    const record = recordOf(eventOf())
    expect(viewOf([]).shown(record)?.bytes).toBe(record.bytes)
  })
})

describe('places of law-enforcement units', () => {
  const unit = (body: Event): Event =>
    eventOf({
      origin: { discipline: Discipline.LAW_ENFORCEMENT, device: 'car-12' },
      location: { latitude: 38.5, longitude: -121.5 },
      ...body,
    } as Event)
  const box = compileFilter({ box: { south: 38, west: -122, north: 39, east: -121 } })

  test('are not told, nor told by a filter, nor by a cell of the header', () => {
    const status = recordOf(unit({ body: 'unitStatus', unitStatus: { local: 'en route' } } as Event))
    const shown = viewOf(['PII']).shown(status)!
    expect(eventCodec.decode(shown.event).location).toBeUndefined()
    expect(shown.header.cell).toBeUndefined()
    expect(recordCodec.decode(shown.bytes).placeWithheld).toBe(true)
    expect(passing({ filter: box, view: viewOf(['PII']) }, status)).toBeUndefined()
    expect(passing({ filter: box, view: viewOf(['law_enforcement_position']) }, status)).toBeDefined()
  })

  test('a position says nothing else, and is not shown at all', () => {
    const position = recordOf(unit({ body: 'position', position: {} } as Event))
    expect(viewOf(['PII', 'PHI', 'CJI']).shown(position)).toBeUndefined()
    expect(viewOf(['law_enforcement_position']).shown(position)).toBeDefined()
  })
})

test('a slice passes as a whole only where every record of it would pass as it is, and a slice of plain readings does', async () => {
  const log = await openTestLog()
  let wholes = 0
  for (const name of eventTypeNames) {
    const drawn = fc.sample(eventsWith(name), 3).map((event) => ({ ...eventOf(event), handling: {} }) as Event)
    for (const event of drawn) if (event.location) event.location = { latitude: 38.5, longitude: -121.5 }
    const before = { ...log.head }
    await appendEvents(log, drawn)
    for (const lane of lanes) {
      const slice = log.read(lane, before[lane], { records: 100, bytes: 1 << 20 })
      if (!slice) continue
      const facts = indexSlice(slice).facts()
      for (const include of sets) {
        const view = viewOf(include)
        if (!view.mayPassWhole(facts)) continue
        wholes += 1
        for (const record of slice.records) expect(view.shown(record)).toBe(record)
      }
    }
  }
  const before = { ...log.head }
  await appendEvents(log, [eventOf(), eventOf({ handling: { labels: [Label.PUBLIC] } })])
  const slice = log.read('routine', before.routine, { records: 100, bytes: 1 << 20 })!
  expect(viewOf([]).mayPassWhole(indexSlice(slice).facts())).toBe(true)
  expect(createView({ ...nothing, reads: true }).mayPassWhole(indexSlice(slice).facts())).toBe(false)
  expect(viewOf([], { owners: ['x'] }).mayPassWhole(indexSlice(slice).facts())).toBe(false)
  expect(wholes).toBeGreaterThan(20)
  await log.close()
})

describe('a reader may be narrowed', () => {
  const reading = recordOf(
    eventOf({
      messageStatus: MessageStatus.EXERCISE,
      origin: { jurisdiction: 'county-a.example', owner: 'fire.county-a.example' },
      location: { latitude: 38.5, longitude: -121.5 },
    } as Event),
  )
  test.each<[string, Narrowing, Narrowing]>([
    ['kinds', { kinds: [EventKind.OBSERVATION] }, { kinds: [EventKind.CALL] }],
    ['statuses', { messageStatuses: [MessageStatus.EXERCISE] }, { messageStatuses: [MessageStatus.ACTUAL] }],
    ['jurisdictions', { jurisdictions: ['county-a.example'] }, { jurisdictions: ['county-b.example'] }],
    ['owning agencies', { owners: ['fire.county-a.example'] }, { owners: ['sheriff.county-a.example'] }],
    [
      'areas',
      { areas: [{ south: 38, west: -122, north: 39, east: -121 }] },
      { areas: [{ south: 39, west: -122, north: 40, east: -121 }] },
    ],
  ])('to %s', (_what, within, outside) => {
    expect(viewOf([], within).shown(reading)).toBe(reading)
    expect(viewOf([], outside).shown(reading)).toBeUndefined()
  })

  test('and is then given no messages as they were received', () => {
    const rights = { ...nothing, reads: true, ops: true, frames: true }
    expect(createView(rights).mayReadFrame({})).toBe(true)
    expect(createView({ ...rights, only: { kinds: [EventKind.ALERT] } }).mayReadFrame({})).toBe(false)
    expect(createView(rights).mayReadFrame({ labels: 1 << Label.PHI })).toBe(false)
    expect(createView({ ...rights, frames: false }).mayReadFrame({})).toBe(false)
  })

  test('equal rights have equal keys, whatever the order in which they were given', () => {
    expect(viewOf(['PII', 'CJI']).key).toBe(viewOf(['CJI', 'PII']).key)
    expect(viewOf(['PII']).key).not.toBe(viewOf(['PHI']).key)
    expect(viewOf([], { owners: ['a'] }).key).not.toBe(viewOf([], { owners: ['b'] }).key)
  })
})
