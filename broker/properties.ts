// The properties of what an MQTT 5 client sends (§2.2.2): what each is made of, and where it may stand. Checked on the bytes, before
// a parser reads them that takes a repeated one for a list.

import type { Limits } from './limits.ts'
import { isPlainText, isText, textEnd, variableInteger } from './texts.ts'

export type Place = 'CONNECT' | 'will' | 'PUBLISH' | 'acknowledgement' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'DISCONNECT'

export interface BrokenProperties {
  /** Of a form that cannot be read; else readable and not allowed. */
  readonly malformed: boolean
  /** Allowed, and more than we take. */
  readonly tooMany?: boolean
  readonly why: string
}

interface Property {
  readonly name: string
  readonly form: 'byte' | 'two' | 'four' | 'variable' | 'text' | 'topic' | 'bytes' | 'pair'
  /** Nowhere: only a server sends it. */
  readonly in: readonly Place[]
  readonly most?: number
  readonly least?: number
}

const message: readonly Place[] = ['PUBLISH', 'will']
const everywhere: readonly Place[] = [
  'CONNECT',
  'will',
  'PUBLISH',
  'acknowledgement',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'DISCONNECT',
]
const userProperty = 0x26
export const sessionExpiry = 0x11

// MQTT 5 §2.2.2.2, table 2-4; the bounds are those of §3.1.2.11, §3.3.2.3 and §3.8.2.1.
const properties: Readonly<Record<number, Property>> = {
  0x01: { name: 'payload format indicator', form: 'byte', in: message, most: 1 },
  0x02: { name: 'message expiry interval', form: 'four', in: message },
  0x03: { name: 'content type', form: 'text', in: message },
  0x08: { name: 'response topic', form: 'topic', in: message },
  0x09: { name: 'correlation data', form: 'bytes', in: message },
  // A server sends it in PUBLISH; a client does not (§3.3.4).
  0x0b: { name: 'subscription identifier', form: 'variable', in: ['SUBSCRIBE'], least: 1 },
  [sessionExpiry]: { name: 'session expiry interval', form: 'four', in: ['CONNECT', 'DISCONNECT'] },
  0x12: { name: 'assigned client identifier', form: 'text', in: [] },
  0x13: { name: 'server keep alive', form: 'two', in: [] },
  0x15: { name: 'authentication method', form: 'text', in: ['CONNECT'] },
  0x16: { name: 'authentication data', form: 'bytes', in: ['CONNECT'] },
  0x17: { name: 'request problem information', form: 'byte', in: ['CONNECT'], most: 1 },
  0x18: { name: 'will delay interval', form: 'four', in: ['will'] },
  0x19: { name: 'request response information', form: 'byte', in: ['CONNECT'], most: 1 },
  0x1a: { name: 'response information', form: 'text', in: [] },
  // §3.14.2.2.5 has a server send it; a client that does says nothing that harms.
  0x1c: { name: 'server reference', form: 'text', in: ['DISCONNECT'] },
  0x1f: { name: 'reason string', form: 'text', in: ['acknowledgement', 'DISCONNECT'] },
  0x21: { name: 'receive maximum', form: 'two', in: ['CONNECT'], least: 1 },
  0x22: { name: 'topic alias maximum', form: 'two', in: ['CONNECT'] },
  0x23: { name: 'topic alias', form: 'two', in: ['PUBLISH'] },
  0x24: { name: 'maximum QoS', form: 'byte', in: [] },
  0x25: { name: 'retain available', form: 'byte', in: [] },
  [userProperty]: { name: 'user property', form: 'pair', in: everywhere },
  0x27: { name: 'maximum packet size', form: 'four', in: ['CONNECT'], least: 1 },
  0x28: { name: 'wildcard subscription available', form: 'byte', in: [] },
  0x29: { name: 'subscription identifier available', form: 'byte', in: [] },
  0x2a: { name: 'shared subscription available', form: 'byte', in: [] },
}

/** By identifier; all of them are below 64. */
const propertyOf: readonly (Property | undefined)[] = Array.from({ length: 256 }, (_, id) => properties[id])

/** Where they end. */
export function propertiesEnd(
  bytes: Uint8Array,
  at: number,
  end: number,
  place: Place,
  { userPropertiesMax }: Pick<Limits, 'userPropertiesMax'>,
): number | BrokenProperties {
  if (at < end && bytes[at] === 0) return at + 1
  const length = variableInteger(bytes, at, end)
  if (!length || length.end + length.value > end) return malformed('properties longer than their packet')
  const after = length.end + length.value
  // Two numbers in place of a set: this is done for each message.
  let [seenLow, seenHigh] = [0, 0]
  let userProperties = 0
  for (let next = length.end; next < after;) {
    const id = bytes[next]!
    const property = propertyOf[id]
    if (!property) return malformed(`a property 0x${id.toString(16)}, which does not exist`)
    const valueEnd = fieldEnd(bytes, next + 1, after, property)
    if (valueEnd === undefined) return malformed(`a ${property.name} that is cut off or not UTF-8`)
    if (!property.in.includes(place)) {
      // §2.2.2.2 calls it malformed; mosquitto, and its cases, only in these two.
      return { malformed: place === 'SUBSCRIBE' || place === 'UNSUBSCRIBE', why: `a ${property.name} in ${place}` }
    }
    const bit = 1 << (id & 31)
    if ((id < 32 ? seenLow : seenHigh) & bit && id !== userProperty) return notAllowed(`a ${property.name} twice`)
    if (id === userProperty && ++userProperties > userPropertiesMax) {
      return { malformed: false, tooMany: true, why: `more than ${userPropertiesMax} user properties` }
    }
    if (!isSound(bytes, next + 1, valueEnd, property)) return notAllowed(`a ${property.name} of this value`)
    if (id < 32) seenLow |= bit
    else seenHigh |= bit
    next = valueEnd
  }
  if (seenLow & (1 << 0x16) && !(seenLow & (1 << 0x15))) return notAllowed('authentication data without a method')
  return after
}

/** Of sound properties, the one of that name, when it is there and a number. */
export function propertyNumber(bytes: Uint8Array, at: number, end: number, id: number): number | undefined {
  const length = variableInteger(bytes, at, end)
  if (!length) return undefined
  for (let next = length.end; next < length.end + length.value;) {
    const property = propertyOf[bytes[next]!]!
    const after = fieldEnd(bytes, next + 1, end, property)!
    if (bytes[next] === id) return numberOf(bytes, next + 1, after, property)
    next = after
  }
  return undefined
}

function numberOf(bytes: Uint8Array, at: number, end: number, { form }: Property): number {
  return form === 'variable'
    ? variableInteger(bytes, at, end)!.value
    : bytes.subarray(at, end).reduce((sum, byte) => sum * 256 + byte, 0)
}

function fieldEnd(bytes: Uint8Array, at: number, end: number, { form }: Property): number | undefined {
  switch (form) {
    case 'byte':
      return at + 1 > end ? undefined : at + 1
    case 'two':
      return at + 2 > end ? undefined : at + 2
    case 'four':
      return at + 4 > end ? undefined : at + 4
    case 'variable':
      return variableInteger(bytes, at, end)?.end
    case 'bytes':
      return textEnd(bytes, at, end)
    case 'text':
    case 'topic':
      return someTextEnd(bytes, at, end)
    case 'pair':
      return someTextEnd(bytes, someTextEnd(bytes, at, end), end)
  }
}

function someTextEnd(bytes: Uint8Array, at: number | undefined, end: number): number | undefined {
  const after = textEnd(bytes, at, end)
  return after !== undefined && isText(bytes, at! + 2, after) ? after : undefined
}

function isSound(bytes: Uint8Array, at: number, end: number, property: Property): boolean {
  const { form, least = 0, most = Infinity } = property
  // §3.3.2.3.5: a topic to be published on.
  if (form === 'topic') {
    const topic = bytes.subarray(at + 2, end)
    return topic.length > 0 && !topic.includes(0x2b) && !topic.includes(0x23) && isPlainText(bytes, at + 2, end)
  }
  if (least === 0 && most === Infinity) return true
  const value = numberOf(bytes, at, end, property)
  return value >= least && value <= most
}

const malformed = (why: string): BrokenProperties => ({ malformed: true, why })
const notAllowed = (why: string): BrokenProperties => ({ malformed: false, why })
