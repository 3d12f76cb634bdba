// What every adapter promises, checked for each from its fixtures. A new adapter needs no code here: a folder with codec.ts,
// README.md and fixtures, and its line in adapters/index.ts.

import { describe, expect, test } from 'vitest'
import type { Adapter, Decoded, Frame } from '../adapters/adapter.ts'
import { adapters } from '../adapters/index.ts'
import { MessageStatus } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import { fieldLabels } from '../gateway/policy/labelled-fields.ts'
import { maskOf } from '../gateway/record-header.ts'
import { validate } from '../gateway/validate.ts'
import {
  type Fixture,
  adapterFolders,
  decoderFor,
  decodingAdapters,
  fixturesOf,
  readmeOf,
} from './adapters/fixtures.ts'
import { type Random, createRandom, seedOfRun } from './adapters/random.ts'
import { readableEvent, readableOutcome } from './adapters/readable.ts'

const eventCodec = codec('tocsin.v1.Event')
const seed = seedOfRun()

// A frame of a fixture takes far below a millisecond; this is what a loaded test machine may add, and no endless loop.
const callMsMax = 500
// Beyond this, places are drawn by the seed: a test of a second shall not become one of a minute.
const damagesMax = 2_000

test('every folder is registered under its own name', () => {
  expect([...adapters.keys()].toSorted()).toEqual(adapterFolders().toSorted())
})

for (const adapter of decodingAdapters) {
  describe(adapter.name, () => {
    const fixtures = fixturesOf(adapter)
    const encodable = adapter.encode ? fixtures.filter(isGood) : []

    test('says what it follows, and its README has the headings of all adapters', () => {
      expect(adapter.spec).not.toBe('')
      expect(adapter.version).toMatch(/^\d+$/)
      const headings = [...readmeOf(adapter).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
      expect(headings).toEqual([
        'What it is',
        'What becomes what',
        'What is refused or ignored',
        'Options',
        'Specification',
      ])
    })

    test('shows at least one good, one broken and one ignored message', () => {
      const outcomes = new Set(fixtures.map(({ decoded }) => decoded.outcome))
      expect([...outcomes].toSorted()).toEqual(['events', 'ignored', 'refused'])
    })

    test.each(fixtures)('$name: $about', (fixture) => {
      expect(readableOutcome(decodeOnce(adapter, fixture))).toEqual(fixture.decoded)
    })

    test.each(fixtures)('$name: a second decoder reads the same', (fixture) => {
      expect(decodeOnce(adapter, fixture)).toEqual(decodeOnce(adapter, fixture))
    })

    test.each(fixtures.filter(isGood))('$name: events survive the wire and are what the log takes', (fixture) => {
      for (const draft of eventsOf(decodeOnce(adapter, fixture))) {
        expect(eventCodec.toJson(eventCodec.decode(eventCodec.encode(draft)))).toEqual(eventCodec.toJson(draft))
        expect(validate(completed(draft, fixture.frame))).toBeUndefined()
      }
    })

    test('declares every label that a field of its events has', () => {
      for (const fixture of fixtures.filter(isGood)) {
        for (const draft of eventsOf(decodeOnce(adapter, fixture))) {
          expect(fieldLabels(draft) & ~maskOf(adapter.labels)).toBe(0)
        }
      }
    })

    test.each(fixtures)(
      '$name: cut short or with one bit flipped, it answers in time and does not throw',
      (fixture) => {
        const decoder = decoderFor(adapter, fixture.options)
        const wrong: string[] = []
        for (const { bytes, how } of damaged(fixture.frame.bytes, createRandom(seed))) {
          const begin = performance.now()
          const fault = faultOf(decoder.decode({ ...fixture.frame, bytes }))
          const tookMs = performance.now() - begin
          if (fault) wrong.push(`${how}: ${fault}`)
          if (tookMs > callMsMax) wrong.push(`${how}: took ${tookMs} ms`)
        }
        expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      },
    )

    test.each(encodable)('$name: what is encoded decodes again', (fixture) => {
      const drafts = draftsAs(MessageStatus.ACTUAL, adapter, fixture)
      const encoded = adapter.encode!(drafts, fixture.options)
      expect(encoded).toMatchObject({ outcome: 'bytes' })
      if (encoded.outcome !== 'bytes') return
      const { bytes, contentType, lost } = encoded
      const again = decoderFor(adapter, fixture.options).decode({ ...fixture.frame, bytes, contentType })
      const strip = (event: Event) => without(event, [...lost, 'messageStatus'])
      expect(eventsOf(again).map(strip)).toEqual(drafts.map(strip))
    })

    test.each(encodable)('$name: an exercise never leaves as actual', (fixture) => {
      const drafts = draftsAs(MessageStatus.EXERCISE, adapter, fixture)
      const encoded = adapter.encode!(drafts, fixture.options)
      if (encoded.outcome === 'unsupported') return
      const again = decoderFor(adapter, fixture.options).decode({ ...fixture.frame, bytes: encoded.bytes })
      for (const event of eventsOf(again)) expect(event.messageStatus).toBe(MessageStatus.EXERCISE)
    })
  })
}

const isGood = (fixture: Fixture): boolean => fixture.decoded.outcome === 'events'

const decodeOnce = (adapter: Adapter, { frame, options }: Fixture): Decoded =>
  decoderFor(adapter, options).decode(frame)

const eventsOf = (decoded: Decoded): readonly Event[] => (decoded.outcome === 'events' ? decoded.events : [])

const draftsAs = (messageStatus: MessageStatus, adapter: Adapter, fixture: Fixture): Event[] =>
  eventsOf(decodeOnce(adapter, fixture)).map((draft) => Object.assign({}, draft, { messageStatus }))

/** What normalise adds at the least, so that the log's own check can be asked. */
function completed(draft: Event, { receivedAt }: Frame): Event {
  return { messageStatus: MessageStatus.ACTUAL, ...draft, id: new Uint8Array(16), receivedAt: timestamp(receivedAt) }
}

/** Whether it is one of the outcomes, with what belongs to it. */
function faultOf(decoded: Decoded): string | undefined {
  if (decoded.outcome === 'events') {
    for (const draft of decoded.events) eventCodec.encode(draft)
    return decoded.events.length === 0 ? 'events, but none of them' : undefined
  }
  if (decoded.outcome !== 'ignored' && decoded.outcome !== 'refused') return 'no outcome'
  return decoded.why === '' ? 'no reason' : undefined
}

function without(event: Event, fields: readonly string[]): unknown {
  const readable = readableEvent(event) as Record<string, unknown>
  return Object.fromEntries(Object.entries(readable).filter(([name]) => !fields.includes(name)))
}

interface Damage {
  readonly bytes: Uint8Array
  readonly how: string
}

function* damaged(bytes: Uint8Array, random: Random): Generator<Damage> {
  for (const length of places(bytes.length, random)) yield { bytes: bytes.subarray(0, length), how: `cut at ${length}` }
  for (const bit of places(bytes.length * 8, random)) {
    const copy = Uint8Array.from(bytes)
    copy[bit >> 3]! ^= 1 << (bit & 7)
    yield { bytes: copy, how: `bit ${bit} flipped` }
  }
}

/** Every place, or as many as are allowed. */
function* places(count: number, random: Random): Generator<number> {
  for (let n = 0; n < Math.min(count, damagesMax); n++) yield count > damagesMax ? random.below(count) : n
}
