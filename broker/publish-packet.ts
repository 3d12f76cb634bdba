// PUBLISH packets: those that a client sends, read, and those that it is sent, written (MQTT 3.1.1 §3.3, MQTT 5 §3.3).

import {
  lengthBytes,
  noProperties,
  publishPropertyBytes,
  readPublishProperties,
  writePublishProperties,
  writeVariableInteger,
  type OutgoingProperties,
} from './message-properties.ts'
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

/** The topic of the packet before on a connection, which mostly is that of the next one too: comparing is cheaper than making a text. */
export interface LatestTopic {
  bytes: Uint8Array
  text: string
}

export const noTopic = (): LatestTopic => ({ bytes: new Uint8Array(), text: '' })

/** Longer ones are not kept for a connection that may never say them again. */
const topicBytesKept = 256

function topicOf(bytes: Buffer, start: number, end: number, latest: LatestTopic): string {
  if (isSame(bytes, start, end, latest.bytes)) return latest.text
  const text = bytes.toString('utf8', start, end)
  if (end - start > topicBytesKept) return text
  // A copy, which keeps nothing else in memory.
  latest.bytes = Uint8Array.prototype.slice.call(bytes, start, end)
  return (latest.text = text)
}

function isSame(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false
  for (let at = 0; at < other.length; at++) if (bytes[start + at] !== other[at]) return false
  return true
}

/** Reads a packet that `packetFault` has found sound; a string says what is wrong with it all the same. */
export function readPublish(
  bytes: Buffer,
  start: number,
  end: number,
  version: number,
  latest: LatestTopic = noTopic(),
): PublishPacket | string {
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
  const topic = topicOf(bytes, topicAt, topicEnd, latest)
  const [retain, dup] = [(first & 1) === 1, (first & 8) === 8]
  // Written out, since one is made for each message.
  if (version !== 5) {
    return { topic, payload: bytes.subarray(at, end), qos, retain, dup, packetId, properties: noProperties }
  }
  const { properties, topicAlias, end: payloadAt } = readPublishProperties(bytes, at)
  const payload = bytes.subarray(payloadAt, end)
  if (topicAlias !== undefined) return { topic, payload, qos, retain, dup, packetId, properties, topicAlias }
  if (topic === '') return 'neither a topic nor an alias'
  return { topic, payload, qos, retain, dup, packetId, properties }
}

export interface Outgoing extends OutgoingProperties {
  readonly version: 3 | 4 | 5
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** 0 at QoS 0. */
  readonly packetId: number
}

export function writePublish(packet: Outgoing): Buffer {
  const { version, topic, payload, qos, retain, dup, packetId } = packet
  const propertyBytes = version === 5 ? publishPropertyBytes(packet) : 0
  const topicBytes = Buffer.byteLength(topic)
  const length =
    2 +
    topicBytes +
    (qos > 0 ? 2 : 0) +
    (version === 5 ? lengthBytes(propertyBytes) + propertyBytes : 0) +
    payload.length
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(length) + length)
  bytes[0] = (packetType.publish << 4) | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  let at = writeVariableInteger(bytes, 1, length)
  at = bytes.writeUInt16BE(topicBytes, at)
  at += bytes.write(topic, at)
  if (qos > 0) at = bytes.writeUInt16BE(packetId, at)
  if (version === 5) at = writePublishProperties(bytes, writeVariableInteger(bytes, at, propertyBytes), packet)
  bytes.set(payload, at)
  return bytes
}
