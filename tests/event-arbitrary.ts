// Events of every shape that the schema allows, for fast-check: built from the schema itself, so that a new field is covered by being
// there. Each leads to one message of the type that is asked for, filled densely, so that rare types are tried as often as common ones.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import Long from 'long'
import protobuf from 'protobufjs/light.js'
import type { Event } from '../proto/generated/types.ts'

type Plain = Record<string, unknown>

const schema: protobuf.INamespace = JSON.parse(
  readFileSync(new URL('../proto/generated/schema.json', import.meta.url), 'utf8'),
)
const eventType = protobuf.Root.fromJSON(schema).resolveAll().lookupType('tocsin.v1.Event')

/** The fields that lead from the event to a message of each type within it. */
const paths = new Map<protobuf.Type, readonly protobuf.Field[]>()

function walk(type: protobuf.Type, path: readonly protobuf.Field[]): void {
  if (paths.has(type)) return
  paths.set(type, path)
  for (const field of type.fieldsArray) {
    if (field.resolvedType instanceof protobuf.Type) walk(field.resolvedType, [...path, field])
  }
}
walk(eventType, [])

/** Of all messages that an event may hold, and of the event itself. */
export const eventTypeNames: readonly string[] = [...paths.keys()].map(({ name }) => name)

/** How many levels below the drawn message are filled. */
const depth = 2

/** Events with a message of that type, densely filled. */
export function eventsWith(typeName: string): fc.Arbitrary<Event> {
  const [type, path] = [...paths].find(([{ name }]) => name === typeName)!
  return messageOf(type, depth).map((message) => within(path, message))
}

const within = (path: readonly protobuf.Field[], message: Plain): Event =>
  path.toReversed().reduce((inner, field) => wrapped(field, inner), message)

function wrapped(field: protobuf.Field, value: unknown): Plain {
  const choice = choiceOf(field)
  return { ...(choice && { [choice.name]: field.name }), [field.name]: field.repeated ? [value] : value }
}

const choiceOf = ({ partOf }: protobuf.Field): protobuf.OneOf | undefined =>
  partOf && !partOf.name.startsWith('_') ? partOf : undefined

const arbitraries = new Map<string, fc.Arbitrary<Plain>>()

function messageOf(type: protobuf.Type, levels: number): fc.Arbitrary<Plain> {
  const key = `${type.fullName} ${levels}`
  const made = arbitraries.get(key) ?? makeMessageOf(type, levels)
  arbitraries.set(key, made)
  return made
}

function makeMessageOf(type: protobuf.Type, levels: number): fc.Arbitrary<Plain> {
  const singles = type.fieldsArray.filter((field) => !choiceOf(field))
  const parts = singles.map((field) => sometimes(fieldOf(field, levels).map((value) => ({ [field.name]: value }))))
  for (const choice of type.oneofsArray.filter(({ name }) => !name.startsWith('_'))) {
    const members = choice.fieldsArray.map((field) => fieldOf(field, levels).map((value) => wrapped(field, value)))
    parts.push(fc.oneof({ weight: 1, arbitrary: fc.constant({}) }, { weight: 5, arbitrary: fc.oneof(...members) }))
  }
  return fc
    .tuple(fc.tuple(...parts), unknownFields)
    .map(([fields, unknowns]) => withUnknowns(Object.assign({}, ...fields) as Plain, unknowns))
}

const sometimes = (part: fc.Arbitrary<Plain>): fc.Arbitrary<Plain> => fc.oneof(fc.constant({}), part)

/** As protobufjs keeps what it does not know: beside the fields, not among them. */
function withUnknowns(message: Plain, chunks: readonly Uint8Array[]): Plain {
  if (chunks.length > 0) Object.defineProperty(message, '$unknowns', { value: chunks, enumerable: false })
  return message
}

/** Field 5000, as a varint and as bytes: what a later version of the schema might write. */
const unknownFields = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.constantFrom(
        Buffer.from([0xc0, 0xb8, 0x02, 0x07]),
        Buffer.from([0xc2, 0xb8, 0x02, 0x05, ...Buffer.from('newer')]),
      ),
      { maxLength: 3 },
    ),
  },
)

function fieldOf(field: protobuf.Field, levels: number): fc.Arbitrary<unknown> {
  const single = valueOf(field, levels)
  // Absent is also written down, by code that spreads what it does not have.
  return fc.oneof(
    { weight: 9, arbitrary: field.repeated ? fc.array(single, { maxLength: 4 }) : single },
    { weight: 1, arbitrary: fc.constantFrom(undefined, null) },
  )
}

function valueOf(field: protobuf.Field, levels: number): fc.Arbitrary<unknown> {
  const { resolvedType } = field
  if (resolvedType instanceof protobuf.Type) {
    return levels > 0 ? messageOf(resolvedType, levels - 1) : unknownFields.map((chunks) => withUnknowns({}, chunks))
  }
  if (resolvedType instanceof protobuf.Enum) {
    return fc.oneof(fc.constantFrom(...Object.values(resolvedType.values)), fc.integer())
  }
  const scalar = scalars[field.type]
  if (!scalar) throw new TypeError(`${field.fullName}: no values of ${field.type} are drawn here`)
  return scalar
}

const long = (min: bigint, max: bigint, unsigned: boolean): fc.Arbitrary<Long | number> =>
  fc.oneof(
    fc.bigInt(min, max).map((value) => Long.fromBigInt(value, unsigned)),
    unsigned ? fc.maxSafeNat() : fc.maxSafeInteger(),
    fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000),
  )

/** Around the lengths at which a length takes another byte or another way. */
const unitCounts = [39, 40, 41, 42, 43, 126, 127, 128, 129, 5_461, 5_462, 16_383, 16_384]
const longText = fc
  .tuple(fc.constantFrom('a', 'é', '水', '🚒'), fc.constantFrom(...unitCounts))
  .map(([unit, count]) => unit.repeat(count))

const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  double: fc.double(),
  int32: fc.integer(),
  uint32: fc.nat(0xffff_ffff),
  int64: long(-(2n ** 63n), 2n ** 63n - 1n, false),
  uint64: long(0n, 2n ** 64n - 1n, true),
  string: fc.oneof(
    { weight: 20, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
    { weight: 1, arbitrary: longText },
  ),
  bytes: fc.oneof(
    { weight: 20, arbitrary: fc.uint8Array({ maxLength: 50 }) },
    { weight: 1, arbitrary: fc.constantFrom(...unitCounts).map((count) => new Uint8Array(count).fill(7)) },
  ),
}
