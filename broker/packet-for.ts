// A message as one client is sent it: in its version, by its aliases, with what it asked for and the rest of the message's life.

import { restOfLife } from './expiry.ts'
import { writePublish } from './publish-packet.ts'
import type { Recipient } from './recipient.ts'
import type { Connection, Flight } from './session.ts'
import type { DeliverableMessage } from './stored.ts'
import type { Principal } from './port.ts'

export type Sendable = Pick<DeliverableMessage, 'topic' | 'payload' | 'retain' | 'properties' | 'receivedAt'>

/** On its way, at QoS 1 and 2. */
export interface Numbered<P extends Principal> {
  readonly packetId: number
  readonly flight: Flight<P>
}

/** Undefined: it is larger than the client takes (MQTT 5 §3.1.2.11.4). What is returned is sent: its alias is in force. */
export function packetFor<P extends Principal>(
  connection: Connection,
  message: Sendable,
  recipient: Pick<Recipient, 'retainAsPublished' | 'identifiers'>,
  numbered: Numbered<P> | undefined,
  dup: boolean,
  now: bigint,
): Buffer | undefined {
  const { topic, payload } = message
  const alias = connection.aliases?.of(topic)
  const bytes = writePublish({
    version: connection.protocolVersion,
    topic: alias?.known ? '' : topic,
    topicAlias: alias?.number,
    payload,
    qos: numbered?.flight.qos ?? 0,
    retain: message.retain && recipient.retainAsPublished,
    dup,
    packetId: numbered?.packetId ?? 0,
    properties: restOfLife(message, now),
    subscriptionIdentifiers: recipient.identifiers,
  })
  if (bytes.length > connection.packetBytesMax) return undefined
  if (alias) connection.aliases!.sent(topic, alias)
  return bytes
}
