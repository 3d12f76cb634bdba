// One client's messages on their way to `receive`: all of them at once, for the sake of the group commit, and out again strictly
// in the order in which they came. After the first that could not be stored nothing of this connection is acknowledged.

import type { Client, PublishPacket } from 'aedes'

import type { ClientInside } from './aedes-inside.ts'
import type { Delivery } from './delivery.ts'
import type { Guard } from './guard.ts'
import type { Limits } from './limits.ts'
import { reasonCode, type PlainPublish } from './packets.ts'
import type { BrokerParts, InboundPublish, MessageProperties, Principal, Verdict } from './port.ts'
import type { Incoming } from './store.ts'
import type { Tally } from './tally.ts'

export interface Inflow {
  /** `callback` lets aedes go on: acknowledge and deliver, or with an error refuse. */
  arrive(packet: PublishPacket, callback: (error?: Error | null) => void): void
  /** Past aedes: it is acknowledged here. */
  arriveDirectly(packet: PlainPublish): void
}

export interface InflowParts<P extends Principal> {
  readonly house: Pick<BrokerParts<P>, 'receive' | 'mayPublish'>
  readonly limits: Limits
  readonly tally: Tally
  readonly delivery: Delivery
  readonly incoming: Incoming
  /** Over all connections. */
  readonly inFlight: { messages: number }
}

interface Arrival {
  readonly packet: PublishPacket
  /** Absent: aedes knows nothing of it. */
  readonly callback: ((error?: Error | null) => void) | undefined
  /** A QoS 2 message that came before; it is acknowledged again and nothing more. */
  readonly repeated: boolean
  verdict: Verdict | undefined
  next: Arrival | undefined
}

export function createInflow<P extends Principal>(
  parts: InflowParts<P>,
  principal: P,
  client: Client,
  guard: Guard,
): Inflow {
  const { house, limits, tally, delivery, incoming, inFlight } = parts
  const inside = client as ClientInside
  let first: Arrival | undefined
  let last: Arrival | undefined
  let messages = 0
  let bytes = 0
  let stuck = false

  function arriveDirectly({ topic, payload, qos, retain, dup, packetId }: PlainPublish): void {
    if (stuck) return
    const packet: PublishPacket = { cmd: 'publish', topic, payload, qos, retain, dup, messageId: packetId }
    if (isBridgeStatus(topic)) tally.totals.swallowed++
    queue(packet, undefined, isBridgeStatus(topic) ? Promise.resolve('accepted') : receive(packet))
  }

  function arrive(packet: PublishPacket, callback: NonNullable<Arrival['callback']>): void {
    if (stuck) return
    if (isBridgeStatus(packet.topic)) {
      tally.totals.swallowed++
      return queue(packet, callback, Promise.resolve('accepted'))
    }
    if (packet.qos !== 2) return queue(packet, callback, receive(packet))
    const known = incoming.known(client.id, packet.messageId ?? 0)
    if (known) return queue(packet, callback, known, true)
    if (incoming.size(client.id) >= limits.inFlightMax) {
      stuck = true
      return guard.cut('receive_maximum', reasonCode.receiveMaximum)
    }
    const settled = receive(packet)
    incoming.add(client.id, packet, settled)
    queue(packet, callback, settled)
  }

  function receive(packet: PublishPacket): Promise<Verdict> {
    const permitted =
      !packet.topic.startsWith('$') &&
      house.mayPublish(principal, packet.topic, { retain: packet.retain, qos: packet.qos, will: false })
    if (!permitted) {
      const { id: clientId } = client
      tally.forbid({ kind: 'forbidden', action: 'publish', clientId, principal: principal.name, topic: packet.topic })
    }
    const settled = house.receive(principal, inbound(packet, client, permitted, false))
    return permitted ? settled : settled.then(() => 'forbidden')
  }

  function queue(
    packet: PublishPacket,
    callback: Arrival['callback'],
    settled: Promise<Verdict>,
    repeated = false,
  ): void {
    const arrival: Arrival = { packet, callback, repeated, verdict: undefined, next: undefined }
    if (last) last.next = arrival
    else first = arrival
    last = arrival
    messages++
    bytes += packet.payload.length
    inFlight.messages++
    // aedes would read on when this chunk is done; it reads on now, and many messages share a commit. The bound is ours.
    if (callback) inside._parsingBatch--
    if (full()) guard.throttle(true)
    settled.then(
      (verdict) => {
        arrival.verdict = verdict
        release()
      },
      () => fail(arrival),
    )
  }

  function release(): void {
    while (first?.verdict) {
      const head = first
      first = head.next
      if (!first) last = undefined
      leave(head.packet)
      if (head.verdict === 'accepted') accept(head)
      else forbid(head)
    }
    if (!full()) guard.throttle(false)
  }

  const full = (): boolean => messages >= limits.inFlightMax || bytes >= limits.inFlightBytesMax

  function accept({ packet, callback, repeated }: Arrival): void {
    if (packet.qos === 2) guard.sendAcknowledgements()
    if (repeated) return callback?.(null)
    tally.totals.accepted++
    // By us and now: aedes would publish after its acknowledgement, QoS 1 later than QoS 0, and never for who has left.
    if (!isBridgeStatus(packet.topic)) delivery.publish(packet.qos === 1 ? { ...packet } : packet, client, noop)
    // aedes takes one write for each, and a turn of the event loop; to it the message is then one of QoS 0.
    if (!callback) return acknowledge(packet)
    if (packet.qos === 1 && guard.acknowledge(packet.messageId ?? 0)) packet.qos = 0
    goOn(packet, callback)
  }

  function acknowledge({ qos, messageId = 0 }: PublishPacket): void {
    if (qos === 0 || guard.destroyed || guard.acknowledge(messageId)) return
    // It does not read its acknowledgements.
    if (guard.writableLength > limits.unreadBytesMax) guard.cut('slow')
    else guard.write(Buffer.of(0x40, 2, messageId >> 8, messageId & 0xff))
  }

  /** MQTT 3.1.1 can only be answered by an acknowledgement or by cutting; who is cut comes back with the same message for ever. */
  function forbid({ packet, callback }: Arrival): void {
    tally.totals.forbidden++
    guard.sendAcknowledgements()
    if (!callback) return refuse(packet)
    if (guard.version === 5) {
      // A PUBREC with an error frees the identifier.
      if (packet.qos === 2) incoming.remove(client.id, packet.messageId)
      return callback(new Error('not permitted'))
    }
    goOn(packet, callback)
  }

  function refuse(packet: PublishPacket): void {
    const { qos, messageId = 0 } = packet
    if (guard.version !== 5) return acknowledge(packet)
    // MQTT 5 §3.4.2.1: not authorized.
    if (qos === 1 && !guard.destroyed) guard.write(Buffer.of(0x40, 3, messageId >> 8, messageId & 0xff, 0x87))
  }

  /** aedes acknowledges, and does not publish. */
  function goOn(packet: PublishPacket, callback: NonNullable<Arrival['callback']>): void {
    delivery.withhold(packet)
    callback(null)
  }

  function fail({ packet }: Arrival): void {
    tally.totals.unstored++
    if (packet.qos === 2) incoming.remove(client.id, packet.messageId)
    if (stuck) return
    stuck = true
    guard.stop()
    setTimeout(() => guard.cut('unstored', reasonCode.serverBusy), limits.unstoredCutMs).unref()
    // Nothing that waits is acknowledged any more; all of it will come again, and is new then.
    for (let rest = first; rest; rest = rest.next) {
      leave(rest.packet)
      if (rest.packet.qos === 2) incoming.remove(client.id, rest.packet.messageId)
    }
    first = last = undefined
  }

  function leave(packet: PublishPacket): void {
    messages--
    bytes -= packet.payload.length
    inFlight.messages--
  }

  return { arrive, arriveDirectly }
}

/** What `receive` is given. Written out, since it is made for each message. */
export function inbound(packet: PublishPacket, client: Client, permitted: boolean, will: boolean): InboundPublish {
  const { topic } = packet
  const messageId = packet.qos === 0 ? undefined : packet.messageId
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
  const qos = packet.qos ?? 0
  const retain = packet.retain ?? false
  const dup = packet.dup ?? false
  const clientId = client.id
  const protocolVersion = client.version as 3 | 4 | 5
  const properties = packet.properties ? carried(packet.properties) : noProperties
  return messageId === undefined
    ? { topic, payload, qos, retain, dup, clientId, protocolVersion, will, permitted, properties }
    : { topic, payload, qos, retain, dup, packetId: messageId, clientId, protocolVersion, will, permitted, properties }
}

// Mosquitto's bridges tell their state so; they must be neither believed nor cut.
export const isBridgeStatus = (topic: string): boolean => topic.startsWith('$SYS/broker/connection/')

const noProperties: MessageProperties = {}

function carried(properties: NonNullable<PublishPacket['properties']>): MessageProperties {
  const { contentType, userProperties, responseTopic, correlationData, messageExpiryInterval } = properties
  return {
    ...(contentType !== undefined && { contentType }),
    ...(userProperties && { userProperties: userPropertyMap(userProperties) }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(messageExpiryInterval !== undefined && { messageExpirySeconds: messageExpiryInterval }),
  }
}

/** A name may come more than once in MQTT 5; the last value stands, as for a header of its kind. */
function userPropertyMap(properties: Record<string, string | string[]>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(properties).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1)! : value]),
  )
}

const noop = (): void => {}
