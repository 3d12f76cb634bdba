// PUBLISH packets: those that a client sends, read, and those that it is sent, written (MQTT 3.1.1 §3.3, MQTT 5 §3.3).

import { generate, parser, type IPublishPacket } from 'mqtt-packet'

import { packetType } from './packets.ts'
import type { MessageProperties, QoS } from './port.ts'

export interface PublishPacket {
  readonly topic: string
  /** A view of what was read. */
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** 0 at QoS 0. */
  readonly packetId: number
  readonly properties: MessageProperties
  /** MQTT 5: stands for the topic, or names it from now on. */
  readonly topicAlias?: number
}

const noProperties: MessageProperties = {}

/** Reads a packet that `packetFault` has found sound; a string says what is wrong with its MQTT 5 properties. */
export function readPublish(bytes: Buffer, start: number, end: number, version: number): PublishPacket | string {
  const first = bytes[start]!
  const qos = ((first >> 1) & 3) as QoS
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  const topicAt = at + 2
  const topicEnd = topicAt + ((bytes[at]! << 8) | bytes[at + 1]!)
  at = topicEnd
  let packetId = 0
  if (qos > 0) {
    packetId = (bytes[at]! << 8) | bytes[at + 1]!
    at += 2
  }
  if (version === 5) {
    if (bytes[at] !== 0) return readProperties(bytes.subarray(start, end))
    at += 1
    if (topicEnd === topicAt) return 'neither a topic nor an alias'
  }
  const topic = bytes.toString('utf8', topicAt, topicEnd)
  const [retain, dup] = [(first & 1) === 1, (first & 8) === 8]
  return { topic, payload: bytes.subarray(at, end), qos, retain, dup, packetId, properties: noProperties }
}

function readProperties(bytes: Buffer): PublishPacket | string {
  let read: IPublishPacket | undefined
  let fault: string | undefined
  // One for each packet: after a fault a parser takes no more.
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (packet) => (read = packet as IPublishPacket))
  reader.on('error', (error: Error) => (fault = error.message))
  try {
    reader.parse(bytes)
  } catch (error) {
    // A property of a wrong kind makes it throw.
    fault = (error as Error).message
  }
  if (fault !== undefined || !read) return `broken properties${fault === undefined ? '' : ` (${fault})`}`
  const { topic, payload, qos, retain, dup, messageId = 0, properties = {} } = read
  const { topicAlias } = properties
  if (topic === '' && topicAlias === undefined) return 'neither a topic nor an alias'
  if (properties.subscriptionIdentifier !== undefined) return 'a subscription identifier from a client'
  return {
    topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos,
    retain,
    dup,
    packetId: messageId,
    properties: carried(properties),
    ...(topicAlias !== undefined && { topicAlias }),
  }
}

export function carried(properties: NonNullable<IPublishPacket['properties']>): MessageProperties {
  const { contentType, userProperties, responseTopic, correlationData, messageExpiryInterval } = properties
  const { payloadFormatIndicator } = properties
  return {
    ...(contentType !== undefined && { contentType }),
    ...(userProperties && { userProperties: userPropertyMap(userProperties) }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(messageExpiryInterval !== undefined && { messageExpirySeconds: messageExpiryInterval }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: payloadFormatIndicator ? 1 : 0 }),
  }
}

/** A name may come more than once in MQTT 5; the last value stands, as for a header of its kind. */
function userPropertyMap(properties: Record<string, string | string[]>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(properties).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1)! : value]),
  )
}

export interface Outgoing {
  readonly version: 3 | 4 | 5
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** 0 at QoS 0. */
  readonly packetId: number
  readonly properties: MessageProperties | undefined
  readonly topicAlias?: number | undefined
  readonly subscriptionIdentifiers: readonly number[]
}

export function writePublish(packet: Outgoing): Buffer {
  const { version, topic, payload, qos, retain, dup, packetId } = packet
  const hasProperties = packet.properties ?? packet.topicAlias ?? packet.subscriptionIdentifiers.length > 0
  if (version === 5 && hasProperties) return withProperties(packet)
  const topicBytes = Buffer.byteLength(topic)
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0) + payload.length
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(length) + length)
  bytes[0] = (packetType.publish << 4) | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  let at = 1
  for (let rest = length; ; rest >>>= 7) {
    bytes[at++] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest
    if (rest <= 0x7f) break
  }
  at = bytes.writeUInt16BE(topicBytes, at)
  at += bytes.write(topic, at)
  if (qos > 0) at = bytes.writeUInt16BE(packetId, at)
  if (version === 5) bytes[at++] = 0
  bytes.set(payload, at)
  return bytes
}

const lengthBytes = (length: number): number => (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : 4)

function withProperties({ topic, payload, qos, retain, dup, packetId, properties, ...rest }: Outgoing): Buffer {
  const { contentType, userProperties, responseTopic, correlationData, messageExpirySeconds } = properties ?? {}
  const { payloadFormatIndicator } = properties ?? {}
  const { subscriptionIdentifiers, topicAlias } = rest
  return generate(
    {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
      qos,
      retain,
      dup,
      ...(qos > 0 && { messageId: packetId }),
      properties: {
        ...(contentType !== undefined && { contentType }),
        // Of an empty one mqtt-packet would make an empty packet.
        ...(userProperties?.size && { userProperties: Object.fromEntries(userProperties) }),
        ...(responseTopic !== undefined && { responseTopic }),
        ...(correlationData && { correlationData: Buffer.from(correlationData) }),
        ...(messageExpirySeconds !== undefined && { messageExpiryInterval: messageExpirySeconds }),
        ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: payloadFormatIndicator === 1 }),
        ...(topicAlias !== undefined && { topicAlias }),
        // The types know one; the packet takes several.
        ...(subscriptionIdentifiers.length > 0 && {
          subscriptionIdentifier: (subscriptionIdentifiers.length === 1
            ? subscriptionIdentifiers[0]
            : subscriptionIdentifiers) as number,
        }),
      },
    },
    { protocolVersion: 5 },
  )
}
