// The schema: generated files are fresh, unknown fields survive a hop, and the names that code repeats are the schema's.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs/light.js'
import { expect, test } from 'vitest'
import { kindOf } from '../gateway/lane.ts'
import { normalise } from '../gateway/normalise.ts'
import { createIds } from '../gateway/ids.ts'
import { EventKind, MessageStatus, handlingOf } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import { generate } from '../proto/generate.ts'
import { timestamp } from '../proto/time.ts'
import { codec, messageType } from '../proto/wire.ts'

test('generated files are what the .proto files generate', () => {
  for (const [name, content] of generate()) {
    const kept = readFileSync(new URL(`../proto/generated/${name}`, import.meta.url))
    expect(Buffer.compare(kept, content), `proto/generated/${name}: run npm run generate`).toBe(0)
  }
})

test('buf lint finds nothing: STANDARD, and every message, field, value and call is commented', () => {
  expect(() => execFileSync('buf', ['lint', 'proto'], { stdio: 'pipe' })).not.toThrow()
  expect(readFileSync('proto/buf.yaml', 'utf8')).toContain('[STANDARD, COMMENTS]')
})

test('the kinds of events are the names of Event.body, in the same order', () => {
  const bodies = Object.keys(kindOf)
  expect(bodies.map((body) => body.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())).toEqual(
    Object.keys(EventKind).filter((name) => name !== 'UNSPECIFIED'),
  )
  expect(Object.values(kindOf)).toEqual(bodies.map((_, i) => i + 1))
})

test('every field that an event may hold has a label, or stands among those that somebody found to need none', () => {
  const found = new Map<string, string[]>()
  const walk = (type: protobuf.Type): void => {
    if (found.has(type.name)) return
    const unlabelled = type.fieldsArray.filter(({ fullName }) => !Object.hasOwn(handlingOf, fullName.slice(1)))
    found.set(
      type.name,
      unlabelled.map(({ name }) => name),
    )
    for (const { resolvedType } of type.fieldsArray) {
      if (resolvedType instanceof protobuf.Type && resolvedType.fullName.startsWith('.tocsin.')) walk(resolvedType)
    }
  }
  walk(messageType('tocsin.v1.Event'))
  const lines = readFileSync('proto/unlabelled-fields.txt', 'utf8').split('\n')
  const listed = new Map<string, string>()
  for (const line of lines) {
    const [, type, names = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (type !== undefined) listed.set(type, names)
  }
  for (const [type, names] of found) {
    const reviewed = listed.get(type)?.split(' ') ?? []
    const missing = names.filter((name) => !reviewed.includes(name))
    expect(missing, `${type}: label them in the .proto file, or list them in proto/unlabelled-fields.txt`).toEqual([])
    expect(
      reviewed.filter((name) => name !== '' && !names.includes(name)),
      `${type}: listed, and not there or labelled`,
    ).toEqual([])
  }
  expect([...listed.keys()].toSorted()).toEqual([...found.keys()].toSorted())
})

const eventCodec = codec('tocsin.v1.Event')

/** Field 5000, length-delimited, "newer": what a later version of the schema might write. */
const unknownField = Buffer.from([0xc2, 0xb8, 0x02, 0x05, ...Buffer.from('newer')])

const event: Event = {
  id: new Uint8Array(16).fill(7),
  subject: 'device:a/b',
  messageStatus: MessageStatus.ACTUAL,
  receivedAt: timestamp(1_790_000_000_123_456_789n),
  body: 'observation',
  observation: { measurements: [{ quantity: 'water_level', value: 'number', number: 1.5, unit: 'm' }] },
}

test('unknown fields survive being read and written, and the way through normalise', () => {
  const received = eventCodec.decode(Buffer.concat([eventCodec.encode(event), unknownField]))
  expect(Buffer.from(eventCodec.encode(received)).includes(unknownField)).toBe(true)

  const site = { gateway: 'g', jurisdiction: 'j', owner: 'o', messageStatus: MessageStatus.ACTUAL, labels: [] }
  const reading = {
    receivedAt: 5n,
    sender: { name: 's', authenticity: 'unverified', link: 'grpc' } as const,
    adapter: { name: 'tocsin', version: '1' },
    device: undefined,
    site,
    replayed: false,
  }
  const passed = eventCodec.encode(
    normalise(
      received,
      reading,
      createIds((bytes) => bytes.fill(1)),
    ),
  )
  expect(Buffer.from(passed).includes(unknownField)).toBe(true)
  expect(eventCodec.decode(passed).id).toEqual(Buffer.from(event.id!))
})

test('an event survives the wire with 64-bit numbers exact', () => {
  const big: Event = {
    ...event,
    observation: { measurements: [{ quantity: 'n', value: 'integer' as const, integer: 2 ** 53 - 1 }] },
  }
  const back = eventCodec.toPlain(eventCodec.decode(eventCodec.encode(big)))
  expect(back.body === 'observation' && back.observation.measurements?.[0]).toMatchObject({
    integer: 9007199254740991n,
  })
  expect(back.receivedAt).toEqual({ seconds: 1_790_000_000n, nanos: 123_456_789 })
})

test('fields that hold personal, medical or criminal-justice facts are labelled in the schema', () => {
  expect(Object.keys(handlingOf)).toContain('tocsin.v1.CivicAddress.street')
  expect(Object.keys(handlingOf).length).toBeGreaterThan(30)
})
