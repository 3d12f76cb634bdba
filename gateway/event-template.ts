// An encoded event with the places where its like differ from it: id, times, numbers. Filled with others, it is to the byte what
// encodeEvent would make of the event that has them, at the cost of a few copies.

import type { PatternNumbers } from '../adapters/adapter.ts'
import { timestamp } from '../proto/time.ts'

export interface EventTemplate {
  readonly bytesMax: number
  /** Writes it where there is room for `bytesMax`; answers where it ends. */
  put(target: Buffer, at: number, id: Uint8Array, receivedAt: bigint, read: PatternNumbers): number
}

/** Field numbers of event.proto and observation.proto, and the wire types that a field of them has. */
const [idField, provenanceField, observedAtField, receivedAtField, observationField] = [1, 9, 10, 11, 14]
const provenanceReceivedAtField = 2
const [measurementField, numberField] = [1, 2]

const idBytes = 16
/** Tag and length in front of a short field. */
const prefixBytes = 2
const oneByteLengthMax = 0x7f
/** Seconds of the year 9999 and nanoseconds, each with its tag. */
const timeBytesMax = 13

/** Undefined for an event that is built in another way. `measurements` and `hasTime` as a pattern has them. */
export function eventTemplate(
  event: Uint8Array,
  { measurements, hasTime }: { readonly measurements: readonly number[]; readonly hasTime: boolean },
): EventTemplate | undefined {
  const fields = fieldsOf(event, 0, event.length)
  const place = fields.findIndex(({ number }) => number === provenanceField)
  const [id, provenance, observed, received, observation] = [
    fields[0],
    fields[place],
    fields[place + 1],
    fields[place + 2],
    fields.find(({ number }) => number === observationField),
  ]
  const isUsual =
    id?.number === idField &&
    id.to - id.from === idBytes &&
    observed?.number === observedAtField &&
    received?.number === receivedAtField
  if (!isUsual || !provenance || !observation) return undefined
  const time = fieldsOf(event, provenance.from, provenance.to).find(
    ({ number }) => number === provenanceReceivedAtField,
  )
  if (!time) return undefined
  const doubles = doublesOf(event, observation)
  const slots = measurements.map((measurement) => doubles[measurement] ?? -1)
  if (slots.some((slot) => slot < 0)) return undefined

  const beforeProvenance = event.slice(id.to, provenance.at)
  const gateway = event.slice(provenance.from, time.at)
  const link = event.slice(time.to, provenance.to)
  const rest = event.slice(received.to)
  const linkBytes = gateway.length + prefixBytes + link.length
  if (linkBytes + timeBytesMax > oneByteLengthMax) return undefined
  const fixedBytes =
    prefixBytes + idBytes + beforeProvenance.length + prefixBytes + linkBytes + 2 * prefixBytes + rest.length
  const places = slots.map((slot) => slot - received.to)

  function put(target: Buffer, start: number, newId: Uint8Array, receivedAt: bigint, read: PatternNumbers): number {
    encodeReceivedAt(receivedAt)
    if (hasTime) encodeTime(own, read.seconds, read.nanos)
    target[start] = (idField << 3) | lengthDelimited
    target[start + 1] = idBytes
    let at = putShort(target, start + prefixBytes, newId, idBytes)
    target.set(beforeProvenance, at)
    at += beforeProvenance.length
    target[at] = (provenanceField << 3) | lengthDelimited
    target[at + 1] = linkBytes + gateways.length
    at = putShort(target, at + prefixBytes, gateway, gateway.length)
    at = putTime(target, at, provenanceReceivedAtField, gateways)
    at = putShort(target, at, link, link.length)
    at = putTime(target, at, observedAtField, hasTime ? own : gateways)
    at = putTime(target, at, receivedAtField, gateways)
    target.set(rest, at)
    for (let slot = 0; slot < places.length; slot++) target.writeDoubleLE(read.numbers[slot]!, at + places[slot]!)
    return at + rest.length
  }

  return { put, bytesMax: fixedBytes + 3 * timeBytesMax }
}

const lengthDelimited = 2

/** A google.protobuf.Timestamp without tag and length. */
interface EncodedTime {
  readonly bytes: Uint8Array
  length: number
}

const own: EncodedTime = { bytes: new Uint8Array(timeBytesMax), length: 0 }
const gateways: EncodedTime = { bytes: new Uint8Array(timeBytesMax), length: 0 }
let latest = -1n

/** Many have the same. */
function encodeReceivedAt(receivedAt: bigint): void {
  if (receivedAt === latest) return
  const { seconds, nanos = 0 } = timestamp(receivedAt)
  encodeTime(gateways, seconds as number, nanos)
  latest = receivedAt
}

function encodeTime(time: EncodedTime, seconds: number, nanos: number): void {
  const at = seconds === 0 ? 0 : putNumber(time.bytes, 0, 0x08, seconds)
  time.length = nanos === 0 ? at : putNumber(time.bytes, at, 0x10, nanos)
}

function putNumber(bytes: Uint8Array, start: number, tag: number, value: number): number {
  let at = start
  bytes[at++] = tag
  let rest = value
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  return at
}

function putTime(bytes: Uint8Array, at: number, field: number, time: EncodedTime): number {
  bytes[at] = (field << 3) | lengthDelimited
  bytes[at + 1] = time.length
  return putShort(bytes, at + prefixBytes, time.bytes, time.length)
}

/** A loop: so few that a call into the engine costs more. */
function putShort(target: Uint8Array, at: number, bytes: Uint8Array, length: number): number {
  for (let index = 0; index < length; index++) target[at + index] = bytes[index]!
  return at + length
}

export interface Field {
  readonly number: number
  /** Where its tag is. */
  readonly at: number
  /** Its value, without a length. */
  readonly from: number
  readonly to: number
}

/** Of a message that we encoded ourselves. */
export function fieldsOf(bytes: Uint8Array, from: number, to: number): Field[] {
  const fields: Field[] = []
  let next = from
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[next++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (next < to) {
    const at = next
    const tag = varint()
    let [start, length] = [next, 0]
    if ((tag & 7) === lengthDelimited) {
      length = varint()
      start = next
    } else if ((tag & 7) === 1) length = 8
    else if ((tag & 7) === 5) length = 4
    else varint()
    if (length > 0) next = start + length
    fields.push({ number: tag >>> 3, at, from: start, to: next })
  }
  return fields
}

/** Where the number of each measurement stands; −1: it has none. */
const doublesOf = (event: Uint8Array, { from, to }: Field): number[] =>
  fieldsOf(event, from, to)
    .filter(({ number }) => number === measurementField)
    .map((one) => fieldsOf(event, one.from, one.to).find(({ number }) => number === numberField)?.from ?? -1)
