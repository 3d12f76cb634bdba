// The generated encoder writes an event as protobufjs does, byte for byte, whatever the event holds; protobufjs stays the judge.

import fc from 'fast-check'
import Long from 'long'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { encodedBytesMax } from '../proto/byte-writer.ts'
import { encoderSource } from '../proto/encoder-source.ts'
import { encodeEvent } from '../proto/generated/encode.ts'
import type { Certainty, Event, Flag, Measurement } from '../proto/generated/types.ts'
import { codec } from '../proto/wire.ts'
import { decoderFor, decodingAdapters, fixturesOf } from './adapters/fixtures.ts'
import { eventTypeNames, eventsWith } from './event-arbitrary.ts'

const eventCodec = codec('tocsin.v1.Event')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Of an event as it is, and of the same read by protobufjs, whose messages tell by their prototype what is set. */
function expectSameBytes(event: Event): void {
  const bytes = eventCodec.encode(event)
  expect(hex(encodeEvent(event))).toBe(hex(bytes))
  const read = eventCodec.decode(bytes)
  expect(hex(encodeEvent(read))).toBe(hex(eventCodec.encode(read)))
}

const observed = (...measurements: Measurement[]): Event => ({ body: 'observation', observation: { measurements } })

describe('the generated encoder writes the bytes that protobufjs writes', () => {
  test.each(eventTypeNames)(
    'for events of every shape with a %s, and with fields that the schema does not know',
    (name) => {
      fc.assert(fc.property(eventsWith(name), expectSameBytes), { numRuns: 60 })
    },
  )

  for (const adapter of decodingAdapters) {
    test.each(fixturesOf(adapter))(`for ${adapter.name}: $name`, (fixture) => {
      const decoded = decoderFor(adapter, fixture.options).decode(fixture.frame)
      for (const draft of decoded.outcome === 'events' ? decoded.events : []) expectSameBytes(draft)
    })
  }

  test.each([
    ['the smallest and the largest numbers of 64 bits', [Long.MIN_VALUE, Long.MAX_VALUE, Long.NEG_ONE, Long.ZERO]],
    ['whole numbers that are no Long', [-1, 0, 2 ** 53 - 1, -(2 ** 53 - 1), -(2 ** 32), 2 ** 32, -(2 ** 31)]],
  ])('for %s', (_, integers) => {
    expectSameBytes(observed(...integers.map((integer) => ({ quantity: 'n', value: 'integer' as const, integer }))))
  })

  test('for numbers that are no finite numbers, and both zeros', () => {
    const numbers = [NaN, Infinity, -Infinity, 0, -0, Number.MIN_VALUE]
    expectSameBytes(observed(...numbers.map((number) => ({ quantity: 'n', value: 'number' as const, number }))))
    for (const latitude of numbers) {
      expectSameBytes({ location: { polygons: [{ points: [{ latitude }] }] } })
    }
  })

  test.each(['a', 'é', '水', '🚒'])('for texts of every length around the bounds, of "%s"', (unit) => {
    for (const around of [
      0,
      40,
      42,
      127 / Buffer.byteLength(unit),
      127,
      5_461,
      16_383 / Buffer.byteLength(unit),
      16_383,
    ]) {
      for (let count = Math.max(0, Math.floor(around) - 3); count < around + 3; count++) {
        expectSameBytes({ subject: unit.repeat(count), texts: [{ headline: unit.repeat(count) }] })
      }
    }
  })

  test('for messages whose length takes one to four bytes', () => {
    for (const count of [
      0, 100, 119, 120, 121, 122, 123, 124, 125, 250, 16_370, 16_375, 16_380, 16_384, 2_097_140, 2_097_152,
    ]) {
      expectSameBytes(observed({ quantity: 'q', value: 'blob', blob: new Uint8Array(count).fill(3) }))
    }
  })
})

const points = Array.from({ length: 13 }, () => ({ latitude: 1 }))

// A missing check of the room would lose bytes only where a buffer ends, so every kind of field is put there, byte by byte.
test.each<[string, Event]>([
  ['a list of enums', { flags: [-1 as Flag] }],
  ['a list of numbers', { body: 'radioCall', radioCall: { patches: [0xffff_ffff] } }],
  ['a number', { priority: 0xffff_ffff }],
  ['an enum', { certainty: -1 as Certainty }],
  ['a number of 64 bits', { expiresAt: { seconds: Long.NEG_ONE } }],
  ['a boolean', observed({ value: 'flag', flag: true })],
  ['a double', { location: { latitude: 1 } }],
  ['bytes', observed({ value: 'blob', blob: new Uint8Array(9).fill(9) })],
  ['a short text', { subject: 'é'.repeat(40) }],
  ['a longer text', { subject: '水'.repeat(50) }],
  ['a long text', { subject: '水'.repeat(5_462) }],
  ['a message', { location: { polygons: [{ points: [{}] }] } }],
  ['messages whose length takes two bytes', { location: { polygons: [{ points: points }] } }],
  [
    'fields of another version',
    Object.defineProperty({}, '$unknowns', { value: [Buffer.from('c2b80205'.padEnd(18, '7'), 'hex')] }),
  ],
])('the buffer grows in time for %s', (_, event) => {
  // What grew beyond a megabyte is let go, so that the next event begins with the first 16 KiB.
  const large = { dedupKey: new Uint8Array(1_100_000) }
  const tail = hex(encodeEvent(event))
  const leftMost = Math.min(tail.length / 2, 200) + 2
  for (let left = Math.max(0, leftMost - 40); left <= leftMost; left++) {
    encodeEvent(large)
    const filled = Object.defineProperties({}, Object.getOwnPropertyDescriptors(event)) as Event
    filled.dedupKey = new Uint8Array(16_384 - 3 - left)
    const written = hex(encodeEvent(filled))
    expect(written.slice((16_384 - left) * 2)).toBe(tail)
  }
})

test('of a oneof only the member is written that its property names, and none when it names none', () => {
  const measurement = { quantity: 'q', number: 5, text: 't', boolean: true }
  const written = (value: string | undefined) =>
    eventCodec.toPlain(eventCodec.decode(encodeEvent(observed({ ...measurement, value } as Measurement))))
  expect(written('text')).toEqual(observed({ quantity: 'q', value: 'text', text: 't' }))
  expect(written('number')).toEqual(observed({ quantity: 'q', value: 'number', number: 5 }))
  expect(written(undefined)).toEqual(observed({ quantity: 'q' } as Measurement))
  expect(encodeEvent({ observation: {} } as Event)).toHaveLength(0)
})

test.each([3, 39, 41, 300, 6_000])(
  'half of a surrogate pair among %i units becomes U+FFFD and can be read',
  (count) => {
    for (const half of ['\ud83d', '\ude92']) {
      const read = eventCodec.decode(encodeEvent({ subject: `${'a'.repeat(count)}${half}z`, action: 1 }))
      expect(read.subject).toBe(`${'a'.repeat(count)}\ufffdz`)
      expect(read.action).toBe(1)
    }
  },
)

test('an optional number of 64 bits that is absent stays absent, also in what was read', () => {
  const read = eventCodec.decode(encodeEvent({ body: 'deviceStatus', deviceStatus: {} }))
  expect(read.body === 'deviceStatus' && read.deviceStatus.session).toBeUndefined()
  expect(hex(encodeEvent(read))).toBe('c20200')
})

test('an event is a copy: the next one does not change it, nor does one that grew the buffer or was beyond the limit', () => {
  const first = { id: new Uint8Array(16).fill(1), subject: 'device:a/b' }
  const bytes = encodeEvent(first)
  const before = hex(bytes)
  encodeEvent({ subject: 'x'.repeat(3_000_000) })
  expect(() => encodeEvent({ subject: 'y', dedupKey: new Uint8Array(encodedBytesMax) })).toThrow(RangeError)
  encodeEvent({ id: new Uint8Array(16).fill(2), subject: 'device:c/d' })
  expect(hex(bytes)).toBe(before)
  expect(hex(encodeEvent(first))).toBe(before)
})

test.each([
  ['a float', 'float x = 1;'],
  ['a map', 'map<string, string> x = 1;'],
  ['a zigzag number', 'sint64 x = 1;'],
  ['a list of numbers that is not packed', 'repeated uint32 x = 1 [packed = false];'],
  ['a field number of three bytes of tag', 'string x = 2048;'],
])('%s, which no event has today, is refused when the encoder is generated', (_, field) => {
  const { root } = protobuf.parse(`syntax = "proto3"; package tocsin.v1; message Event { ${field} }`)
  root.resolveAll()
  expect(() => encoderSource(root)).toThrow(/Event\.x/)
})
