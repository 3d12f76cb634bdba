// One client's messages on their way to `take`: all of them at once, for the sake of the group commit, and acknowledged strictly
// in the order in which they came. After the first that could not be stored nothing of this connection is acknowledged. At QoS 2 the
// identifier is on disk before its message, and its release before PUBCOMP (MQTT 3.1.1 and 5 §4.3.3).

import { crc32 } from 'node:zlib'

import { denied } from './denied.ts'
import type { Gate } from './gate.ts'
import { bytesOf } from './kept.ts'
import type { Limits } from './limits.ts'
import { reasonCode } from './packets.ts'
import type { BrokerParts, Explained, InboundPublish, Principal, ToldVerdict, Verdict } from './port.ts'
import type { PublishPacket } from './publish-packet.ts'
import type { ReceivedOnce, Session } from './session.ts'
import type { SessionStore } from './stored.ts'
import type { Tally } from './tally.ts'

export interface Inflow {
  arrive(packet: PublishPacket): void
  /** PUBREL came. */
  release(packetId: number): void
  /** Nothing waits for its acknowledgement. */
  isIdle(): boolean
}

/** Where acknowledgements go: a client's gate, or a link to another broker. */
export type InflowGate = Pick<
  Gate,
  'version' | 'fault' | 'cut' | 'throttle' | 'idle' | 'sendShort' | 'sendRefusal' | 'stop' | 'wantsReasons'
>

export interface InflowParts<P extends Principal> {
  readonly house: Pick<BrokerParts<P>, 'take' | 'mayPublish' | 'mayBeAnswered' | 'explain' | 'newFrameId' | 'isStored'>
  readonly limits: Limits
  readonly tally: Tally
  readonly store: Pick<SessionStore, 'write' | 'flush'>
  /** Over all connections. */
  readonly inFlight: { messages: number }
  /** Somebody has subscribed to it. */
  isWanted(topic: string): boolean
}

/** Topics of one connection. */
const toldUnreadMax = 100

/** A message on its way. A class, since there is one for each. */
class Arrival implements ToldVerdict {
  readonly packet: PublishPacket
  readonly bytes: number
  /** A QoS 2 message that came before; it is acknowledged again and nothing more. */
  readonly repeated: boolean
  /** Of QoS 2. */
  readonly once: ReceivedOnce | undefined
  /** Its identifier is being written: it and what follows wait for that. */
  noting: Promise<void> | undefined
  permitted = true
  verdict: Verdict | undefined
  next: Arrival | undefined
  readonly #answer: () => void
  readonly #fail: () => void

  constructor(
    packet: PublishPacket,
    once: ReceivedOnce | undefined,
    noting: Promise<void> | undefined,
    repeated: boolean,
    answer: () => void,
    fail: () => void,
  ) {
    this.packet = packet
    this.bytes = bytesOf(packet)
    this.repeated = repeated
    this.once = once
    this.noting = noting
    this.#answer = answer
    this.#fail = fail
  }

  settled(verdict: Verdict): void {
    this.verdict = this.permitted ? verdict : 'forbidden'
    if (!this.repeated) this.once?.resolve?.(this.verdict)
    this.#answer()
  }

  notTaken(): void {
    if (!this.repeated) this.once?.reject?.(new Error('not taken'))
    this.#fail()
  }
}

export function createInflow<P extends Principal>(
  parts: InflowParts<P>,
  principal: P,
  session: Pick<Session<P>, 'clientId' | 'protocolVersion' | 'kept' | 'received'>,
  gate: InflowGate,
): Inflow {
  const { house, limits, tally, store, inFlight } = parts
  const { clientId } = session
  let aliases: Map<number, string> | undefined
  /** Of QoS 2, sent again over this connection without DUP: identifiers, and sums of their payloads. */
  let unmarked: Map<number, number> | undefined
  let toldUnread: Set<string> | undefined
  /**
   * QoS 2 messages that came over this connection and were not released: the quota begins anew with each (MQTT 5 §4.9). A bridge that
   * comes back with a long queue would else be cut for what it sent before, for ever.
   */
  let unreleased: Set<number> | undefined
  let first: Arrival | undefined
  let last: Arrival | undefined
  /** The first that is not given to the house yet. */
  let unsent: Arrival | undefined
  let messages = 0
  let bytes = 0
  /** Nothing more is taken from this connection. */
  let deaf = false
  /** What came cannot be stored. */
  let stuck = false

  function arrive(packet: PublishPacket): void {
    if (deaf) return
    const named = packet.topicAlias === undefined ? packet : withTopic(packet, packet.topicAlias)
    if (!named) return
    if (named.qos === 2) return arriveOnce(named)
    queue(named, undefined, undefined, false)
  }

  /** MQTT 5 §3.3.2.3.4. */
  function withTopic(packet: PublishPacket, alias: number): PublishPacket | undefined {
    if (alias === 0 || alias > limits.topicAliasesMax)
      return breach(reasonCode.topicAlias, 'a topic alias beyond the limit')
    if (packet.topic !== '') {
      ;(aliases ??= new Map()).set(alias, packet.topic)
      return packet
    }
    const topic = aliases?.get(alias)
    return topic === undefined
      ? breach(reasonCode.protocol, 'a topic alias that stands for nothing')
      : { ...packet, topic }
  }

  function breach(code: number, why: string): undefined {
    deaf = true
    gate.fault = why
    gate.cut('protocol', code)
  }

  function arriveOnce(packet: PublishPacket): void {
    const { packetId } = packet
    const known = session.received.get(packetId)
    if (known && isHere(known)) {
      if (!packet.dup && isThird(packet)) return breach(reasonCode.protocol, 'a packet identifier that is in use')
      // It may be on its way yet, over a connection before: what comes behind it must not overtake it.
      return queue(packet, known, known.settled!.then(nothing), true)
    }
    if (unreleased && unreleased.size >= (session.kept ? limits.unreleasedKeptMax : limits.inFlightMax)) {
      deaf = true
      return gate.cut('receive_maximum', reasonCode.receiveMaximum)
    }
    const frameId = session.kept ? house.newFrameId() : undefined
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>()
    const once: ReceivedOnce = { frameId, settled: promise, resolve, reject }
    // When it fails it will come again, and is new then.
    promise.catch(() => (once.settled = undefined))
    session.received.set(packetId, once)
    ;(unreleased ??= new Set()).add(packetId)
    if (!frameId) return queue(packet, once, undefined, false)
    store.write({ kind: 'received', clientId, received: { packetId, frameId } })
    queue(packet, once, store.flush(), false)
  }

  /** [MQTT-3.3.1-1]: what is sent again says so. Once is forgiven, as is a number that stands for another message by now. */
  function isThird({ packetId, payload }: PublishPacket): boolean {
    const sum = crc32(payload)
    const isSame = unmarked?.get(packetId) === sum
    ;(unmarked ??= new Map()).set(packetId, sum)
    return isSame
  }

  /** An identifier of before a restart may have been written without its message. */
  function isHere(once: ReceivedOnce): boolean {
    if (!once.settled && once.frameId && house.isStored(once.frameId)) once.settled = Promise.resolve('accepted')
    return once.settled !== undefined
  }

  function queue(
    packet: PublishPacket,
    once: ReceivedOnce | undefined,
    noting: Promise<void> | undefined,
    repeated: boolean,
  ): void {
    const arrival = new Arrival(packet, once, noting, repeated, answer, fail)
    if (last) last.next = arrival
    else first = arrival
    last = arrival
    unsent ??= arrival
    messages++
    bytes += arrival.bytes
    inFlight.messages++
    if (full()) gate.throttle(true)
    if (noting) {
      const noted = (): void => {
        arrival.noting = undefined
        send()
      }
      noting.then(noted, () => fail())
    }
    send()
  }

  /** Gives the house what it may have by now, in order. */
  function send(): void {
    while (unsent && !unsent.noting && !stuck) {
      const arrival = unsent
      unsent = arrival.next
      const { once } = arrival
      if (arrival.repeated && once?.settled) {
        once.settled.then(
          (verdict) => arrival.settled(verdict),
          () => arrival.notTaken(),
        )
      } else give(arrival)
    }
  }

  function give(arrival: Arrival): void {
    const { packet, once } = arrival
    const { topic } = packet
    if (isBridgeStatus(topic)) {
      tally.totals.swallowed++
      return queueMicrotask(() => arrival.settled('accepted'))
    }
    const why = denied(parts, principal, packet, false)
    if (why) {
      arrival.permitted = false
      tell(why)
    }
    house.take(principal, inbound(packet, session, why, false, once?.frameId), arrival)
  }

  function tell({ what, topic }: Explained): void {
    const action = what === 'answer' ? what : 'publish'
    tally.forbid({ kind: 'forbidden', action, clientId, principal: principal.name, topic })
  }

  function answer(): void {
    while (first?.verdict) {
      const head = first
      first = head.next
      if (!first) last = undefined
      leave(head)
      if (head.verdict === 'forbidden') forbid(head)
      else accept(head)
    }
    if (!full()) gate.throttle(false)
    if (messages === 0) gate.idle()
  }

  const full = (): boolean => messages >= limits.inFlightMax || bytes >= limits.inFlightBytesMax

  function accept({ packet, repeated, verdict }: Arrival): void {
    if (!repeated) tally.totals.accepted++
    const { qos, packetId, topic } = packet
    if (qos === 2) gate.sendShort('pubrec', packetId)
    // MQTT 5 §3.4.2.1: it is kept, and there is nobody to whom it says anything.
    else if (qos === 1 && verdict === 'unread' && gate.version === 5 && !parts.isWanted(topic)) {
      gate.sendRefusal('puback', packetId, reasonCode.noSubscribers, unreadWords(topic))
    } else if (qos === 1) gate.sendShort('puback', packetId)
  }

  /** MQTT 3.1.1 can only be answered by an acknowledgement or by cutting; who is cut comes back with the same message for ever. */
  function forbid({ packet, repeated }: Arrival): void {
    const { qos, packetId, topic } = packet
    if (!repeated) tally.totals.forbidden++
    if (qos === 0) return
    const kind = qos === 1 ? 'puback' : 'pubrec'
    if (gate.version !== 5) return gate.sendShort(kind, packetId)
    // A PUBREC with an error frees the identifier.
    if (qos === 2) forget(packetId)
    // The house itself may have forbidden it.
    const why = denied(parts, principal, packet, false) ?? { what: 'publish', topic }
    gate.sendRefusal(kind, packetId, reasonCode.notAuthorized, house.explain(principal, why))
  }

  /** Once for each topic, since it may be said of every message of a client that need not care. */
  function unreadWords(topic: string): string | undefined {
    toldUnread ??= new Set()
    if (!gate.wantsReasons || toldUnread.has(topic) || toldUnread.size >= toldUnreadMax) return undefined
    toldUnread.add(topic)
    return house.explain(principal, { what: 'unread', topic })
  }

  function forget(packetId: number): void {
    unmarked?.delete(packetId)
    unreleased?.delete(packetId)
    if (session.received.delete(packetId) && session.kept) store.write({ kind: 'forgotten', clientId, packetId })
  }

  function fail(): void {
    tally.totals.unstored++
    if (stuck) return
    deaf = stuck = true
    gate.stop()
    setTimeout(() => gate.cut('unstored', reasonCode.serverBusy), limits.unstoredCutMs).unref()
    // Nothing that waits is acknowledged any more; all of it will come again, and is new then.
    for (let rest = first; rest; rest = rest.next) leave(rest)
    for (let rest = unsent; rest; rest = rest.next) rest.once?.reject?.(new Error('not taken'))
    first = last = unsent = undefined
  }

  function leave(arrival: Arrival): void {
    messages--
    bytes -= arrival.bytes
    inFlight.messages--
  }

  function release(packetId: number): void {
    forget(packetId)
    const complete = (): void => gate.sendShort('pubcomp', packetId)
    if (!session.kept) return complete()
    // Also for one that is not known any more: the client uses the identifier anew once it has PUBCOMP.
    store.flush().then(complete, () => gate.cut('unstored', reasonCode.serverBusy))
  }

  return { arrive, release, isIdle: () => messages === 0 }
}

const nothing = (): void => {}

/** What `take` is given. Written out, since it is made for each message. */
export function inbound(
  packet: Pick<PublishPacket, 'topic' | 'payload' | 'qos' | 'retain' | 'dup' | 'packetId' | 'properties'>,
  { clientId, protocolVersion }: { readonly clientId: string; readonly protocolVersion: 3 | 4 | 5 },
  why: Explained | undefined,
  will: boolean,
  frameId?: Uint8Array,
): InboundPublish {
  const { topic, payload, qos, retain, dup, packetId, properties } = packet
  const permitted = why === undefined
  const base = { topic, payload, qos, retain, dup, clientId, protocolVersion, will, permitted, properties }
  if (why) return { ...base, denied: why, ...(qos > 0 && { packetId }), ...(frameId && { frameId }) }
  if (qos === 0 || will) return frameId ? { ...base, frameId } : base
  return frameId ? { ...base, packetId, frameId } : { ...base, packetId }
}

// Mosquitto's bridges tell their state so; they must be neither believed nor cut.
export const isBridgeStatus = (topic: string): boolean =>
  topic.startsWith('$SYS/broker/connection/') && topic.endsWith('/state')
