// What the standard forbids in a packet from a client, checked on its bytes before anything else reads them. Pure; one packet at
// a time, whole. Says the MQTT 5 reason code and a sentence that quotes nothing.

import { isUtf8 } from 'node:buffer'

import type { Limits } from './limits.ts'
import { isReadBefore } from './message-properties.ts'
import { propertiesEnd, propertyNumber, sessionExpiry, type Place } from './properties.ts'
import { isPlainText, textEnd } from './texts.ts'

export interface PacketFault {
  readonly reasonCode: number
  readonly why: string
  /** Closed without a word (MQTT 5 §4.13.1 leaves it open): where packets begin and end is not sure, or who somebody is. */
  readonly silent?: boolean
}

export const packetType = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const

export const reasonCode = {
  noSubscribers: 0x10,
  noSubscription: 0x11,
  malformed: 0x81,
  protocol: 0x82,
  unsupportedVersion: 0x84,
  clientId: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  shuttingDown: 0x8b,
  authenticationMethod: 0x8c,
  keepAlive: 0x8d,
  takenOver: 0x8e,
  filter: 0x8f,
  topic: 0x90,
  receiveMaximum: 0x93,
  topicAlias: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrative: 0x98,
} as const

/** Of a packet in its first bytes; undefined while there are too few of them to tell. */
export function packetSize(bytes: Uint8Array, at: number): number | PacketFault | undefined {
  if (bytes[at]! < 0x10) return notForClients
  let length = 0
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) << (7 * (i - 1))
    if (byte < 0x80) return 1 + i + length
  }
  return { ...malformed('the length has more than four bytes'), silent: true }
}

/** `start` to `end` is one packet. `version` is that of its CONNECT. */
export function packetFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: number,
  limits: Limits,
): PacketFault | undefined {
  const first = bytes[start]!
  let body = start + 1
  while (bytes[body++]! >= 0x80);
  const flags = first & 0x0f
  switch (first >> 4) {
    case packetType.publish:
      return publishFault(bytes, body, end, flags, version, limits)
    case packetType.connect:
      // MQTT 3.1 §3.1 does not use them; 3.1.1 §2.2.2 reserves them.
      return flags === 0 || version === 3 ? connectFault(bytes, body, end, limits) : { ...wrongFlags, silent: true }
    case packetType.puback:
    case packetType.pubrec:
      return flags === 0 ? acknowledgementFault(bytes, body, end, version, publishReasons, limits) : wrongFlags
    case packetType.pubrel:
      return flags === 2 ? acknowledgementFault(bytes, body, end, version, releaseReasons, limits) : wrongLastFlags
    case packetType.pubcomp:
      return flags === 0 ? acknowledgementFault(bytes, body, end, version, releaseReasons, limits) : wrongFlags
    case packetType.subscribe:
      return flags === 2 ? filtersFault(bytes, body, end, version, true, limits) : wrongFlags
    case packetType.unsubscribe:
      return flags === 2 ? filtersFault(bytes, body, end, version, false, limits) : wrongFlags
    case packetType.pingreq:
      return flags === 0 ? emptyFault(body, end) : wrongFlags
    case packetType.disconnect:
      return flags === 0 ? disconnectFault(bytes, body, end, version, limits) : wrongLastFlags
    case pingresp:
      return flags === 0 ? (emptyFault(body, end) ?? notForClients) : wrongFlags
    case suback:
    case unsuback:
      return flags === 0 ? notForClients : wrongFlags
    default:
      return notForClients
  }
}

function publishFault(
  bytes: Uint8Array,
  at: number,
  end: number,
  flags: number,
  version: number,
  limits: Limits,
): PacketFault | undefined {
  const qos = (flags >> 1) & 3
  // MQTT 3.1.1 §3.3.1.1 and §3.3.1.2
  if (qos === 3) return malformed('QoS 3')
  if (qos === 0 && flags & 8) return malformed('DUP at QoS 0')
  const topic = textEnd(bytes, at, end)
  if (topic === undefined) return malformed('PUBLISH ends within its topic')
  // An empty topic is one that an alias stands for (MQTT 5 §3.3.2.3.4).
  if (topic > at + 2 || version !== 5) {
    const fault = topicFault(bytes, at + 2, topic, limits)
    if (fault) return fault
  }
  const fault = qos === 0 ? undefined : packetIdFault(bytes, topic, end)
  if (fault || version !== 5) return fault
  const propertiesAt = qos === 0 ? topic : topic + 2
  if (soundBy === limits && isReadBefore(bytes, propertiesAt, end)) return undefined
  const after = propertiesOf(bytes, propertiesAt, end, 'PUBLISH', limits)
  if (typeof after === 'object') return after
  soundBy = limits
  return undefined
}

/** What the properties that were read last were held to. */
let soundBy: Limits | undefined

/** A topic name: what is published to. One that is well formed and not taken is told apart (MQTT 5 §4.13, 0x90). */
export function topicFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: Pick<Limits, 'topicBytesMax' | 'topicLevelsMax'>,
): PacketFault | undefined {
  if (end === start) return malformed('an empty topic')
  if (end - start > limits.topicBytesMax) return badTopic(`a topic of ${end - start} bytes`)
  let levels = 1
  let ascii = true
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === 0x2f) levels++
    else if (byte >= 0x80) ascii = false
    else if (byte < 0x20 || byte === 0x7f) return malformed('a topic with a control character')
    else if (byte === 0x2b || byte === 0x23) return malformed('a topic with a wildcard')
  }
  if (levels > limits.topicLevelsMax) return badTopic(`a topic of ${levels} levels`)
  if (ascii) return undefined
  if (!isUtf8(bytes.subarray(start, end))) return malformed('a topic that is not UTF-8')
  if (!isPlainText(bytes, start, end)) return malformed('a topic with a control character')
  return undefined
}

function filterFault(bytes: Uint8Array, start: number, end: number, limits: Limits): PacketFault | undefined {
  if (end === start) return malformed('an empty filter')
  if (end - start > limits.topicBytesMax) return badFilter(`a filter of ${end - start} bytes`)
  const slice = bytes.subarray(start, end)
  if (!isUtf8(slice)) return malformed('a filter that is not UTF-8')
  const filter = Buffer.from(slice.buffer, slice.byteOffset, slice.length).toString('utf8')
  // aedes gathers the filters of one packet as names of an object.
  if (filter === '__proto__') return badFilter('a filter that is not accepted')
  if (/[\p{Cc}]/u.test(filter)) return malformed('a filter with a control character')
  const levels = filter.split('/')
  if (levels.length > limits.topicLevelsMax) return badFilter(`a filter of ${levels.length} levels`)
  // MQTT 3.1.1 §4.7.1: a wildcard fills its level, and # is the last.
  const broken = levels.some(
    (level, i) =>
      (level.includes('+') && level !== '+') || (level.includes('#') && (level !== '#' || i < levels.length - 1)),
  )
  return broken ? malformed('a filter with a wildcard out of place') : undefined
}

function filtersFault(
  bytes: Uint8Array,
  at: number,
  end: number,
  version: number,
  subscribe: boolean,
  limits: Limits,
): PacketFault | undefined {
  const fault = packetIdFault(bytes, at, end)
  if (fault) return malformed(fault.why)
  let next = at + 2
  if (version === 5) {
    const after = propertiesOf(bytes, next, end, subscribe ? 'SUBSCRIBE' : 'UNSUBSCRIBE', limits)
    if (typeof after === 'object') return after
    next = after
  }
  if (next === end) return malformed('no filter at all')
  for (let filters = 1; next < end; filters++) {
    if (filters > limits.subscriptionsPerClientMax) {
      return { reasonCode: reasonCode.quotaExceeded, why: `more than ${limits.subscriptionsPerClientMax} filters` }
    }
    const filterEnd = textEnd(bytes, next, end)
    if (filterEnd === undefined) return malformed('a packet that ends within a filter')
    const broken = filterFault(bytes, next + 2, filterEnd, limits)
    if (broken) return broken
    next = filterEnd
    if (!subscribe) continue
    const options = bytes[next++]
    // MQTT 3.1.1 §3.8.3: upper six bits zero; MQTT 5 §3.8.3.1: upper two zero, retain handling below 3.
    const reserved = version === 5 ? 0xc0 : 0xfc
    if (next > end || options === undefined || options & reserved || (options & 3) === 3 || (options & 0x30) === 0x30) {
      return malformed('broken subscription options')
    }
  }
  return undefined
}

/** MQTT 3.1.1 §3.1 and MQTT 5 §3.1, after `connectVersion`. */
function connectFault(bytes: Uint8Array, at: number, end: number, limits: Limits): PacketFault | undefined {
  const name = textEnd(bytes, at, end)
  if (name === undefined || name + 4 > end) return { ...malformed('CONNECT is too short'), silent: true }
  const version = bytes[name]! & 0x7f
  const flags = bytes[name + 1]!
  const why = connectFlagsFault(flags, version)
  if (why !== undefined) return { ...malformed(why), silent: true }
  const will = (flags & 4) !== 0
  let next = name + 4
  if (version === 5) {
    const after = propertiesOf(bytes, next, end, 'CONNECT', limits)
    if (typeof after === 'object') return after
    next = after
  }
  const clientId = textEnd(bytes, next, end)
  if (clientId === undefined) return malformed('CONNECT ends within its client id')
  if (!isPlainText(bytes, next + 2, clientId)) {
    return { reasonCode: reasonCode.clientId, why: 'a client id that is not UTF-8 or has a control character' }
  }
  const willAfter = will ? willEnd(bytes, clientId, end, version, limits) : clientId
  if (typeof willAfter === 'object') return willAfter
  const after = credentialsEnd(bytes, willAfter, end, flags)
  if (typeof after === 'string') return { ...malformed(after), silent: true }
  return after === end ? undefined : malformed('CONNECT is too long')
}

function credentialsEnd(bytes: Uint8Array, at: number, end: number, flags: number): number | string {
  let after: number | undefined = at
  if (flags & 0x80) {
    after = textEnd(bytes, at, end)
    if (after === undefined) return 'CONNECT ends within its user name'
    if (!isPlainText(bytes, at + 2, after)) return 'a user name that is not UTF-8 or has a control character'
  }
  if (flags & 0x40) after = textEnd(bytes, after, end)
  return after ?? 'CONNECT ends within its password'
}

function connectFlagsFault(flags: number, version: number): string | undefined {
  // MQTT 3.1 §3.1 does not use it.
  if (flags & 1 && version !== 3) return 'a reserved flag of CONNECT is set'
  if (!(flags & 4) && flags & 0x38) return 'will flags without a will'
  if ((flags & 0x18) === 0x18) return 'a will of QoS 3'
  if (version < 5 && flags & 0x40 && !(flags & 0x80)) return 'a password without a name'
  return undefined
}

function willEnd(bytes: Uint8Array, at: number, end: number, version: number, limits: Limits): number | PacketFault {
  const start = version === 5 ? propertiesOf(bytes, at, end, 'will', limits) : at
  if (typeof start === 'object') return start
  const topic = textEnd(bytes, start, end)
  const payload = textEnd(bytes, topic, end)
  if (topic === undefined || payload === undefined) return malformed('CONNECT ends within its will')
  return topicFault(bytes, start + 2, topic, limits) ?? payload
}

/** Who speaks an unknown version, or names it wrongly, is told so before it is closed. */
export interface UnknownVersion {
  readonly answer: Uint8Array
  readonly why: string
}

/**
 * What a CONNECT speaks. MQTT 3.1.1 §3.1.2.1: any other name may be closed without an answer; so is what is too short to say.
 */
export function connectVersion(bytes: Buffer, start: number, end: number): 3 | 4 | 5 | UnknownVersion | PacketFault {
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  const nameEnd = textEnd(bytes, at, end)
  const name = nameEnd === undefined ? '' : bytes.toString('latin1', at + 2, nameEnd)
  if (nameEnd === undefined || nameEnd >= end || (name !== 'MQTT' && name !== 'MQIsdp')) {
    return { reasonCode: reasonCode.unsupportedVersion, why: 'the first packet does not name MQTT and its version' }
  }
  const version = bytes[nameEnd]! & 0x7f
  if (name === 'MQTT' ? version === 4 || version === 5 : version === 3) return version as 3 | 4 | 5
  const why = `version ${version} under the name ${name}; this is a broker of MQTT 3.1, 3.1.1 and 5`
  // Each of those under the other's name is an error of 3.1.1 (§3.1.2.2), answered as there. A version that is none of them is
  // answered in the newest form that we know (MQTT 5 §3.1.2.2).
  const known = version >= 3 && version <= 5
  return { why, answer: known ? Buffer.of(0x20, 2, 0, 1) : Buffer.of(0x20, 3, 0, reasonCode.unsupportedVersion, 0) }
}

/** Clears, in place, the bits of a sound CONNECT that MQTT 3.1 does not use and that a parser of later versions stumbles over. */
export function clearUnusedBits(bytes: Buffer, start: number, end: number): void {
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  bytes[start]! &= 0xf0
  bytes[textEnd(bytes, at, end)! + 1]! &= 0xfe
}

// MQTT 5 §3.4.2.1, §3.5.2.1; §3.6.2.1, §3.7.2.1
const publishReasons: ReadonlySet<number> = new Set([0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
const releaseReasons: ReadonlySet<number> = new Set([0, 0x92])

function emptyFault(body: number, end: number): PacketFault | undefined {
  return body === end ? undefined : { ...malformed('a ping that is more than its header'), silent: true }
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP are a packet identifier; in MQTT 5 a reason and properties may follow (§3.4.2). */
function acknowledgementFault(
  bytes: Uint8Array,
  at: number,
  end: number,
  version: number,
  reasons: ReadonlySet<number>,
  limits: PropertyLimits,
): PacketFault | undefined {
  const fault = packetIdFault(bytes, at, end)
  if (fault || end === at + 2) return fault
  if (version !== 5) return malformed('an acknowledgement that is more than a packet identifier')
  if (!reasons.has(bytes[at + 2]!)) {
    return { reasonCode: reasonCode.protocol, why: 'an acknowledgement with a reason that it cannot have' }
  }
  return lastPropertiesFault(bytes, at + 3, end, 'acknowledgement', limits)
}

function disconnectFault(
  bytes: Uint8Array,
  at: number,
  end: number,
  version: number,
  limits: PropertyLimits,
): PacketFault | undefined {
  if (end === at) return undefined
  if (version !== 5) return malformed('a DISCONNECT that is more than its header')
  return lastPropertiesFault(bytes, at + 1, end, 'DISCONNECT', limits)
}

/** That a sound DISCONNECT of MQTT 5 asks for; 0: none. */
export function disconnectExpirySeconds(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  return at + 1 < end ? (propertyNumber(bytes, at + 1, end, sessionExpiry) ?? 0) : 0
}

/**
 * Of a sound DISCONNECT of MQTT 5: reason 0 alone takes the will back (§3.1.2.5, §3.14.4), while aedes sends it after 0x04 alone. So every
 * other reason is made that one, in place.
 */
export function keepWill(bytes: Buffer, start: number, end: number): void {
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  if (at < end && bytes[at] !== 0) bytes[at] = 0x04
}

type PropertyLimits = Pick<Limits, 'userPropertiesMax'>

/** Of a packet that ends with its properties, or before them. */
function lastPropertiesFault(
  bytes: Uint8Array,
  at: number,
  end: number,
  place: Place,
  limits: PropertyLimits,
): PacketFault | undefined {
  if (at === end) return undefined
  const after = propertiesOf(bytes, at, end, place, limits)
  if (typeof after === 'object') return after
  return after === end ? undefined : malformed('a packet that goes on behind its properties')
}

function propertiesOf(
  bytes: Uint8Array,
  at: number,
  end: number,
  place: Place,
  limits: PropertyLimits,
): number | PacketFault {
  const after = propertiesEnd(bytes, at, end, place, limits)
  if (typeof after === 'number') return after
  if (after.tooMany) return { reasonCode: reasonCode.quotaExceeded, why: after.why }
  return after.malformed ? malformed(after.why) : { reasonCode: reasonCode.protocol, why: after.why }
}

function packetIdFault(bytes: Uint8Array, at: number, end: number): PacketFault | undefined {
  if (at + 2 > end) return malformed('the packet identifier is missing')
  // MQTT 3.1.1 §2.3.1
  return bytes[at] === 0 && bytes[at + 1] === 0
    ? { reasonCode: reasonCode.protocol, why: 'packet identifier 0' }
    : undefined
}

const malformed = (why: string): PacketFault => ({ reasonCode: reasonCode.malformed, why })
const badTopic = (why: string): PacketFault => ({ reasonCode: reasonCode.topic, why })
const badFilter = (why: string): PacketFault => ({ reasonCode: reasonCode.filter, why })
// What only a server sends, and with flags of its own, is malformed before all else (MQTT 5 §2.1.3).
const [suback, unsuback, pingresp] = [9, 11, 13]
const notForClients: PacketFault = { reasonCode: reasonCode.protocol, why: 'a packet that no client may send' }
const wrongFlags = malformed('the flags of the fixed header are wrong')
// MQTT 5 §3.6.1 calls it malformed; mosquitto, and its cases, a protocol error.
const wrongLastFlags: PacketFault = { ...wrongFlags, reasonCode: reasonCode.protocol }
