// What the house is given of an MQTT message: the frame, and what the transport knows of it. Most messages of a client differ from the
// one before in nothing but payload and packet id, so the rest is remembered from one to the next.

import { crc32 } from 'node:zlib'
import type { Frame } from '../../adapters/adapter.ts'
import type { InboundPublish } from '../../broker/port.ts'
import type { MqttEnvelope } from '../../proto/generated/types.ts'
import { setUint32 } from '../log/wire-bytes.ts'
import type { Sender, Transport } from './receive.ts'

/** Of one principal. */
export interface Usual {
  readonly sender: Sender
  clientId: string
  topic: string
  /** Of both. */
  sum: number
  /** By quality of service, of messages that say nothing more. */
  readonly envelopes: (MqttEnvelope | undefined)[]
}

export const createUsual = (sender: Sender): Usual => ({
  sender,
  clientId: '',
  topic: '',
  sum: crc32(''),
  envelopes: [],
})

/** What the house has found out about it. */
export interface Judged {
  readonly forbidden: string | undefined
  readonly byTopicOnly: boolean
  readonly wanted: boolean
}

export function frameOf({ payload, topic, properties }: InboundPublish, receivedAt: bigint): Frame {
  const { contentType, userProperties } = properties
  // Written out, since one is made for each message.
  if (contentType === undefined && userProperties === undefined) return { bytes: payload, receivedAt, channel: topic }
  return {
    bytes: payload,
    receivedAt,
    channel: topic,
    ...(contentType !== undefined && { contentType }),
    ...(userProperties !== undefined && { properties: userProperties }),
  }
}

export function transportOf(message: InboundPublish, usual: Usual, judged: Judged): Transport {
  const { qos, retain, dup: resent, topic, packetId, frameId, permitted } = message
  const { forbidden, byTopicOnly, wanted } = judged
  // Topics with a $ are the server's own (MQTT 5.0, 4.7.2): what is published there goes to nobody.
  const isDelivered = permitted && !topic.startsWith('$')
  const isUsual = isDelivered && packetId !== undefined && !frameId && forbidden === undefined && !byTopicOnly
  // Written out, since one is made for each message.
  if (isUsual) {
    return { qos, retain, resent, resendKey: resendKey(message, usual), envelope: envelopeOf(message, usual), wanted }
  }
  return {
    qos,
    retain,
    resent,
    ...recognised(message, usual),
    ...(forbidden !== undefined && { forbidden }),
    ...(byTopicOnly && { byTopicOnly }),
    ...(isDelivered && { envelope: envelopeOf(message, usual), wanted }),
  }
}

/** With an id of its own it is recognised by that, and never by what it looks like. */
function recognised(message: InboundPublish, usual: Usual): Pick<Transport, 'frameId' | 'resendKey'> {
  const { frameId, packetId } = message
  if (frameId) return { frameId }
  return packetId === undefined ? {} : { resendKey: resendKey(message, usual) }
}

function envelopeOf({ qos, retain, clientId, properties }: InboundPublish, usual: Usual): MqttEnvelope {
  const { responseTopic, correlationData, messageExpirySeconds, payloadFormatIndicator } = properties
  const isPlain =
    !retain &&
    responseTopic === undefined &&
    correlationData === undefined &&
    messageExpirySeconds === undefined &&
    payloadFormatIndicator === undefined
  if (isPlain && usual.envelopes[qos]?.clientId === clientId) return usual.envelopes[qos]
  const envelope: MqttEnvelope = { qos, retain, clientId }
  if (isPlain) return (usual.envelopes[qos] = envelope)
  if (responseTopic !== undefined) envelope.responseTopic = responseTopic
  if (correlationData !== undefined) envelope.correlationData = correlationData
  if (messageExpirySeconds !== undefined) envelope.messageExpirySeconds = messageExpirySeconds
  if (payloadFormatIndicator !== undefined) envelope.payloadFormatIndicator = payloadFormatIndicator
  return envelope
}

/** Same client, topic, packet id and length give the same 16 bytes; what the payload is, the log knows by its own digest. */
function resendKey({ clientId, topic, payload, packetId = 0 }: InboundPublish, usual: Usual): Uint8Array {
  if (usual.topic !== topic || usual.clientId !== clientId) {
    usual.clientId = clientId
    usual.topic = topic
    usual.sum = crc32(topic, crc32(clientId))
  }
  const key = Buffer.allocUnsafe(16)
  setUint32(key, 0, 0)
  setUint32(key, 4, payload.length)
  setUint32(key, 8, usual.sum)
  setUint32(key, 12, packetId | ((topic.length & 0xffff) << 16))
  return key
}
