// The properties of a PUBLISH (MQTT 5 §3.3.2.3) and of a will, read and written in one pass each: a message with a handful of them costs
// hardly more than one without. User properties keep their order, and every repetition of a name (§3.3.2.3.7).

import { shortText, textEnd, variableInteger } from './texts.ts'
import type { MessageProperties, UserProperty } from './port.ts'

const id = {
  payloadFormatIndicator: 0x01,
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  willDelay: 0x18,
  topicAlias: 0x23,
  userProperty: 0x26,
} as const

export interface PublishProperties {
  readonly properties: MessageProperties
  readonly topicAlias: number | undefined
  /** Where they end. */
  readonly end: number
}

export const noProperties: MessageProperties = {}

/** Those of the message before: many devices say the same of themselves each time, and then it is this one list for all. */
let latest: readonly UserProperty[] = []
const latestBytesMax = 1_024

/** The list that was read last, as it came, and what came of it: many devices send the same each time, but for the correlation data. */
const block = { bytes: new Uint8Array(256), length: 0, correlationFrom: 0, correlationTo: 0 }
let blockProperties: MessageProperties = noProperties
let blockAlias: number | undefined

/** A list that was found sound and read before, but for its correlation data, which may be any bytes: it is sound. */
export function isReadBefore(bytes: Uint8Array, start: number, end: number): boolean {
  const { length, correlationFrom, correlationTo } = block
  if (length === 0 || start + length > end) return false
  const known = block.bytes
  for (let i = 0; i < correlationFrom; i++) if (bytes[start + i] !== known[i]) return false
  for (let i = correlationTo; i < length; i++) if (bytes[start + i] !== known[i]) return false
  return true
}

function keepBlock(bytes: Uint8Array, start: number, end: number, correlationAt: number, correlationEnd: number): void {
  block.length = 0
  if (end - start > block.bytes.length) return
  for (let i = start; i < end; i++) block.bytes[i - start] = bytes[i]!
  block.length = end - start
  block.correlationFrom = correlationAt - start
  block.correlationTo = correlationEnd - start
}

/** Of a PUBLISH that `packetFault` has found sound; correlation data is a view of what was read. */
export function readPublishProperties(bytes: Buffer, start: number): PublishProperties {
  if (bytes[start] === 0) return { properties: noProperties, topicAlias: undefined, end: start + 1 }
  if (isReadBefore(bytes, start, bytes.length)) {
    const { correlationFrom, correlationTo, length } = block
    const correlationData = bytes.subarray(start + correlationFrom, start + correlationTo)
    const properties = blockProperties.correlationData ? { ...blockProperties, correlationData } : blockProperties
    return { properties, topicAlias: blockAlias, end: start + length }
  }
  const length = variableInteger(bytes, start, bytes.length)!
  const end = length.end + length.value
  let [correlationAt, correlationEnd] = [end, end]
  let isOfWill = false
  const properties: { -readonly [Name in keyof MessageProperties]: MessageProperties[Name] } = {}
  let userProperties: UserProperty[] | undefined
  let isNew = false
  let topicAlias: number | undefined
  for (let at = length.end; at < end;) {
    const kind = bytes[at++]!
    switch (kind) {
      case id.payloadFormatIndicator:
        properties.payloadFormatIndicator = bytes[at++] === 1 ? 1 : 0
        break
      case id.messageExpiry:
        properties.messageExpirySeconds = bytes.readUInt32BE(at)
        at += 4
        break
      case id.willDelay:
        // aedes waits for it, and tells it of the will.
        isOfWill = true
        at += 4
        break
      case id.topicAlias:
        topicAlias = bytes.readUInt16BE(at)
        at += 2
        break
      case id.contentType:
      case id.responseTopic: {
        const after = textEnd(bytes, at, end)!
        const text = shortText(bytes, at + 2, after)
        if (kind === id.contentType) properties.contentType = text
        else properties.responseTopic = text
        at = after
        break
      }
      case id.correlationData: {
        const after = textEnd(bytes, at, end)!
        properties.correlationData = bytes.subarray(at + 2, after)
        ;[correlationAt, correlationEnd] = [at + 2, after]
        at = after
        break
      }
      case id.userProperty: {
        const nameEnd = textEnd(bytes, at, end)!
        const after = textEnd(bytes, nameEnd, end)!
        const name = shortText(bytes, at + 2, nameEnd)
        const value = shortText(bytes, nameEnd + 2, after)
        const before: UserProperty | undefined = latest[userProperties?.length ?? 0]
        const isSame = before !== undefined && before[0] === name && before[1] === value
        ;(userProperties ??= []).push(isSame ? before : [name, value])
        if (!isSame) isNew = true
        at = after
        break
      }
      default:
        throw new Error(`property 0x${kind.toString(16)} in a PUBLISH that was found sound`)
    }
  }
  if (userProperties) {
    const isLatest = !isNew && userProperties.length === latest.length
    properties.userProperties = isLatest ? latest : userProperties
    // Long ones would be kept for nothing.
    if (!isLatest && length.value <= latestBytesMax) latest = userProperties
  }
  // What a will may have and a PUBLISH may not must not pass for sound.
  if (isOfWill) return { properties, topicAlias, end }
  keepBlock(bytes, start, end, correlationAt, correlationEnd)
  // Nothing of what was read is kept but texts and numbers.
  blockProperties = properties.correlationData ? { ...properties, correlationData: noBytes } : properties
  blockAlias = topicAlias
  return { properties, topicAlias, end }
}

const noBytes = new Uint8Array()

/** Of the will in a sound CONNECT of MQTT 5 (§3.1.3.2), which outlives what it is read from: nothing is a view of that. */
export function willProperties(bytes: Buffer, start: number, end: number): MessageProperties {
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  const flagsAt = textEnd(bytes, at, end)! + 1
  if (!(bytes[flagsAt]! & 4)) return noProperties
  const own = variableInteger(bytes, flagsAt + 3, end)!
  const { properties } = readPublishProperties(bytes, textEnd(bytes, own.end + own.value, end)!)
  const { correlationData } = properties
  return correlationData ? { ...properties, correlationData: Buffer.from(correlationData) } : properties
}

/** What a PUBLISH carries to a client beside the message's own. */
export interface OutgoingProperties {
  readonly properties: MessageProperties | undefined
  readonly topicAlias?: number | undefined
  readonly subscriptionIdentifiers: readonly number[]
}

/** Without their length in front. */
export function publishPropertyBytes({ properties, topicAlias, subscriptionIdentifiers }: OutgoingProperties): number {
  let bytes = topicAlias === undefined ? 0 : 3
  for (const identifier of subscriptionIdentifiers) bytes += 1 + lengthBytes(identifier)
  if (!properties) return bytes
  const { contentType, responseTopic, correlationData, userProperties } = properties
  if (properties.payloadFormatIndicator !== undefined) bytes += 2
  if (properties.messageExpirySeconds !== undefined) bytes += 5
  if (contentType !== undefined) bytes += 3 + Buffer.byteLength(contentType)
  if (responseTopic !== undefined) bytes += 3 + Buffer.byteLength(responseTopic)
  if (correlationData) bytes += 3 + correlationData.length
  for (const [name, value] of userProperties ?? []) bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value)
  return bytes
}

/** Returns where they end. */
export function writePublishProperties(bytes: Buffer, start: number, outgoing: OutgoingProperties): number {
  const { properties, topicAlias, subscriptionIdentifiers } = outgoing
  let at = start
  if (properties) {
    const { payloadFormatIndicator, messageExpirySeconds, correlationData } = properties
    const { contentType, responseTopic, userProperties } = properties
    if (payloadFormatIndicator !== undefined) {
      bytes[at++] = id.payloadFormatIndicator
      bytes[at++] = payloadFormatIndicator
    }
    if (messageExpirySeconds !== undefined) {
      bytes[at++] = id.messageExpiry
      at = bytes.writeUInt32BE(messageExpirySeconds, at)
    }
    if (contentType !== undefined) at = writeText(bytes, writeByte(bytes, at, id.contentType), contentType)
    if (responseTopic !== undefined) at = writeText(bytes, writeByte(bytes, at, id.responseTopic), responseTopic)
    if (correlationData) {
      at = bytes.writeUInt16BE(correlationData.length, writeByte(bytes, at, id.correlationData))
      bytes.set(correlationData, at)
      at += correlationData.length
    }
    for (const [name, value] of userProperties ?? []) {
      at = writeText(bytes, writeText(bytes, writeByte(bytes, at, id.userProperty), name), value)
    }
  }
  for (const identifier of subscriptionIdentifiers) {
    at = writeVariableInteger(bytes, writeByte(bytes, at, id.subscriptionIdentifier), identifier)
  }
  return topicAlias === undefined ? at : bytes.writeUInt16BE(topicAlias, writeByte(bytes, at, id.topicAlias))
}

function writeByte(bytes: Buffer, at: number, byte: number): number {
  bytes[at] = byte
  return at + 1
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const length = bytes.write(text, at + 2)
  bytes.writeUInt16BE(length, at)
  return at + 2 + length
}

/** Of what `writeVariableInteger` writes. */
export const lengthBytes = (length: number): number =>
  length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : 4

/** Returns where it ends. */
export function writeVariableInteger(bytes: Buffer, start: number, value: number): number {
  let at = start
  for (let rest = value; ; rest >>>= 7) {
    bytes[at++] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest
    if (rest <= 0x7f) return at
  }
}
