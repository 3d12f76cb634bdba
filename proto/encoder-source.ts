// Writes the text of generated/encode.ts: for tocsin.v1.Event and every message within it one function, straight through its fields by
// number, that writes the same bytes as protobufjs does. A kind of field that no event has is refused here, not written wrongly there.

import protobuf from 'protobufjs'

/** How a value that is there is written, and when proto3 leaves it out. */
interface Kind {
  readonly put: string
  readonly isSet: (value: string) => string
  /** Writes an element of a packed field. */
  readonly packed?: string
}

const truthy = (value: string): string => value
const notEmpty = (value: string): string => `${value}?.length`
/** -0 is not the default: it has other bits. */
const notPlusZero = (value: string): string => `${isPresent(value)} && !Object.is(${value}, 0)`
const isPresent = (value: string): string => `${value} !== undefined && ${value} !== null`

const kinds: Record<string, Kind> = {
  bool: { put: 'putBool', isSet: truthy },
  string: { put: 'putString', isSet: truthy },
  bytes: { put: 'putBytes', isSet: notEmpty },
  double: { put: 'putDouble', isSet: notPlusZero },
  uint32: { put: 'putUint32', isSet: truthy, packed: 'uint32' },
  int32: { put: 'putInt32', isSet: truthy, packed: 'int32' },
  enum: { put: 'putInt32', isSet: truthy, packed: 'int32' },
  int64: { put: 'putInt64', isSet: (value) => `isNonzero(${value})` },
  uint64: { put: 'putInt64', isSet: (value) => `isNonzero(${value})` },
}

/** Two bytes of tag hold the numbers up to here. */
const fieldNumberMax = 2_047

const lengthDelimited = 2

export function encoderSource(root: protobuf.Root): string {
  const event = root.lookupType('tocsin.v1.Event')
  const types = [...reachable(event, new Set())]
  const functions = types.map((type) => writerOf(type))
  const body = functions.join('\n')
  const used = [
    'isNonzero',
    'open',
    'close',
    'putKept',
    ...Object.values(kinds).flatMap(({ put, packed }) => [put, packed]),
  ]
  const runtime = [...new Set(used)].filter((name) => name && body.includes(`${name}(`)).toSorted()
  return [
    '// Generated from tocsin/v1/*.proto by generate.ts. Do not edit: change the .proto and run `npm run generate`.\n',
    `import {\n  type Kept,\n${['begin', 'finish', ...runtime].map((name) => `  ${name},\n`).join('')}} from '../byte-writer.ts'`,
    `import type {\n${types.map(({ name }) => `  ${name},\n`).join('')}} from './types.ts'\n`,
    "/** The bytes of an event; as `codec('tocsin.v1.Event').encode` of wire.ts, several times as fast. Never validates. */",
    'export function encodeEvent(event: Event): Uint8Array {\n  begin()\n  writeEvent(event)\n  return finish()\n}\n',
    body,
  ].join('\n')
}

function reachable(type: protobuf.Type, seen: Set<protobuf.Type>): Set<protobuf.Type> {
  if (seen.has(type)) return seen
  seen.add(type)
  for (const { resolvedType } of type.fieldsArray)
    if (resolvedType instanceof protobuf.Type) reachable(resolvedType, seen)
  return seen
}

function writerOf(type: protobuf.Type): string {
  const fields = type.fieldsArray.toSorted((a, b) => a.id - b.id)
  const lines: string[] = []
  for (const choice of choices(type)) lines.push(`const { ${choice.name} } = m`)
  for (let index = 0; index < fields.length;) {
    const choice = choiceOf(fields[index]!)
    const run = fields.slice(index)
    const end = run.findIndex((field) => choiceOf(field) !== choice)
    const same = choice ? run.slice(0, end < 0 ? undefined : end) : run.slice(0, 1)
    if (choice) lines.push(...switchOver(choice, same))
    else lines.push(...linesOf(same[0]!))
    index += same.length
  }
  lines.push('const { $unknowns } = m as Kept', 'if ($unknowns !== undefined) putKept($unknowns)')
  return `function write${type.name}(m: ${type.name}): void {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`
}

/** proto3 `optional` is stored as a oneof with one member, whose name starts with "_". */
const choices = (type: protobuf.Type): protobuf.OneOf[] => type.oneofsArray.filter(({ name }) => !name.startsWith('_'))

const choiceOf = ({ partOf }: protobuf.Field): protobuf.OneOf | undefined =>
  partOf && !partOf.name.startsWith('_') ? partOf : undefined

/** Neighbours by number of one oneof; only the one that its property names is written. */
function switchOver(choice: protobuf.OneOf, members: readonly protobuf.Field[]): string[] {
  const cases = members.flatMap((field) => [
    `  case '${field.name}':`,
    ...indented(indented(linesOf(field))),
    '    break',
  ])
  return [`switch (${choice.name}) {`, ...cases, '}']
}

function linesOf(field: protobuf.Field): string[] {
  const value = `m.${field.name}`
  if (field instanceof protobuf.MapField || field.delimited) throw unknownKind(field)
  if (field.resolvedType instanceof protobuf.Type) return messageLines(field, value, field.resolvedType.name)
  const kind = kinds[field.resolvedType instanceof protobuf.Enum ? 'enum' : field.type]
  if (!kind) throw unknownKind(field)
  if (field.repeated) return repeatedLines(field, value, kind)
  const condition = (field.hasPresence ? isPresent : kind.isSet)(value)
  return [`if (${condition}) ${kind.put}(${tagOf(field)}, ${value})`]
}

function messageLines(field: protobuf.Field, value: string, name: string): string[] {
  const write = (one: string) => [`const at = open(${tagOf(field)})`, `write${name}(${one})`, 'close(at)']
  const lines = field.repeated ? [`for (const one of ${value}) {`, ...indented(write('one')), '}'] : write(value)
  return [`if (${field.repeated ? notEmpty(value) : truthy(value)}) {`, ...indented(lines), '}']
}

function repeatedLines(field: protobuf.Field, value: string, { put, packed }: Kind): string[] {
  const each = `for (const one of ${value})`
  if (!packed) return [`if (${notEmpty(value)}) ${each} ${put}(${tagOf(field)}, one)`]
  if (!field.packed) throw unknownKind(field)
  const lines = [`const at = open(${tagOf(field, lengthDelimited)})`, `${each} ${packed}(one)`, 'close(at)']
  return [`if (${notEmpty(value)}) {`, ...indented(lines), '}']
}

/** The tag as byte-writer.ts takes it: the number, to be written as a varint of one or two bytes. */
function tagOf(field: protobuf.Field, wireType = wireTypeOf(field)): number {
  if (field.id > fieldNumberMax)
    throw new RangeError(`${field.fullName}: byte-writer.ts has tags for ${fieldNumberMax} fields`)
  return field.id * 8 + wireType
}

function wireTypeOf(field: protobuf.Field): number {
  if (field.resolvedType instanceof protobuf.Enum) return 0
  return protobuf.types.basic[field.type as keyof typeof protobuf.types.basic] ?? lengthDelimited
}

const unknownKind = (field: protobuf.Field): TypeError =>
  new TypeError(
    `${field.fullName}: byte-writer.ts cannot write such a field yet; give it one, and encoder-source.ts its kind`,
  )

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)
