// One client's messages on their way to `take`: all of them at once, for the sake of the group commit, and acknowledged strictly
// in the order in which they came. After the first that could not be stored nothing of this connection is acknowledged. At QoS 2 the
// identifier is on disk before its message, and its release before PUBCOMP (MQTT 3.1.1 and 5 §4.3.3).

import { crc32 } from 'node:zlib'

import { denied } from './denied.ts'
import type { Gate } from './gate.ts'
import { bytesOf } from './kept.ts'
import type { Limits } from './limits.ts'
import { reasonCode } from './packets.ts'
import type { BrokerParts, Explained, InboundPublish, Principal, QoS, ToldVerdict, Verdict } from './port.ts'
import type { PublishPacket } from './publish-packet.ts'
import type { ReceivedOnce, Session } from './session.ts'
import type { SessionStore } from './stored.ts'
import type { Tally } from './tally.ts'

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
  readonly inFlight: { messages: number; unreleased: number }
  /** Somebody has subscribed to it. */
  isWanted(topic: string): boolean
}

/** Topics of one connection. */
const toldUnreadMax = 100

/** A message on its way. A class, since there is one for each. */
class Arrival implements ToldVerdict {
  readonly packet: PublishPacket
  // Of the packet, which is far away in memory when its acknowledgement is due.
  readonly qos: QoS
  readonly packetId: number
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
  readonly #inflow: Pick<Inflow<Principal>, 'answer' | 'fail'>

  constructor(
    packet: PublishPacket,
    once: ReceivedOnce | undefined,
    noting: Promise<void> | undefined,
    repeated: boolean,
    inflow: Pick<Inflow<Principal>, 'answer' | 'fail'>,
  ) {
    this.packet = packet
    this.qos = packet.qos
    this.packetId = packet.packetId
    this.bytes = bytesOf(packet)
    this.repeated = repeated
    this.once = once
    this.noting = noting
    this.#inflow = inflow
  }

  settled(verdict: Verdict): void {
    this.verdict = this.permitted ? verdict : 'forbidden'
    if (!this.repeated) this.once?.resolve?.(this.verdict)
    this.#inflow.answer()
  }

  notTaken(): void {
    if (!this.repeated) this.once?.reject?.(new Error('not taken'))
    this.#inflow.fail()
  }
}

/** A class, since there is one for each connection that publishes: twenty functions of its own would be as many places in memory. */
export class Inflow<P extends Principal> {
  readonly #parts: InflowParts<P>
  readonly #principal: P
  readonly #session: Pick<Session<P>, 'clientId' | 'protocolVersion' | 'kept' | 'received'>
  readonly #gate: InflowGate
  #first: Arrival | undefined
  #last: Arrival | undefined
  /** The first that is not given to the house yet. */
  #unsent: Arrival | undefined
  #messages = 0
  #bytes = 0
  /** Nothing more is taken from this connection. */
  #deaf = false
  /** What came cannot be stored. */
  #stuck = false
  #aliases: Map<number, string> | undefined
  /** Of QoS 2, sent again over this connection without DUP: identifiers, and sums of their payloads. */
  #unmarked: Map<number, number> | undefined
  /**
   * QoS 2 messages that came over this connection and were not released: the quota begins anew with each (MQTT 5 §4.9). A bridge that
   * comes back with a long queue would else be cut for what it sent before, for ever.
   */
  #unreleased: Set<number> | undefined
  #toldUnread: Set<string> | undefined

  constructor(
    parts: InflowParts<P>,
    principal: P,
    session: Pick<Session<P>, 'clientId' | 'protocolVersion' | 'kept' | 'received'>,
    gate: InflowGate,
  ) {
    this.#parts = parts
    this.#principal = principal
    this.#session = session
    this.#gate = gate
  }

  /** Nothing waits for its acknowledgement. */
  isIdle(): boolean {
    return this.#messages === 0
  }

  arrive(packet: PublishPacket): void {
    if (this.#deaf) return
    const named = packet.topicAlias === undefined ? packet : this.#withTopic(packet, packet.topicAlias)
    if (!named) return
    if (named.qos === 2) return this.#arriveOnce(named)
    this.#queue(named, undefined, undefined, false)
  }

  /** PUBREL came. */
  release(packetId: number): void {
    this.#forget(packetId)
    const complete = (): void => this.#gate.sendShort('pubcomp', packetId)
    if (!this.#session.kept) return complete()
    // Also for one that is not known any more: the client uses the identifier anew once it has PUBCOMP.
    this.#parts.store.flush().then(complete, () => this.#gate.cut('unstored', reasonCode.serverBusy))
  }

  /** MQTT 5 §3.3.2.3.4. */
  #withTopic(packet: PublishPacket, alias: number): PublishPacket | undefined {
    if (alias === 0 || alias > this.#parts.limits.topicAliasesMax)
      return this.#breach(reasonCode.topicAlias, 'a topic alias beyond the limit')
    if (packet.topic !== '') {
      ;(this.#aliases ??= new Map()).set(alias, packet.topic)
      return packet
    }
    const topic = this.#aliases?.get(alias)
    return topic === undefined
      ? this.#breach(reasonCode.protocol, 'a topic alias that stands for nothing')
      : { ...packet, topic }
  }

  #breach(code: number, why: string): undefined {
    this.#deaf = true
    this.#gate.fault = why
    this.#gate.cut('protocol', code)
  }

  #arriveOnce(packet: PublishPacket): void {
    const { house, limits, store, inFlight } = this.#parts
    const { clientId, received, kept } = this.#session
    const { packetId } = packet
    const known = received.get(packetId)
    if (known && this.#isHere(known)) {
      if (!packet.dup && this.#isThird(packet))
        return this.#breach(reasonCode.protocol, 'a packet identifier that is in use')
      // It may be on its way yet, over a connection before: what comes behind it must not overtake it.
      return this.#queue(packet, known, known.settled!.then(nothing), true)
    }
    const unreleasedMax = kept ? limits.unreleasedKeptMax : limits.inFlightMax
    const isFull = (this.#unreleased?.size ?? 0) >= unreleasedMax || inFlight.unreleased >= limits.unreleasedInAllMax
    if (isFull) {
      this.#deaf = true
      return this.#gate.cut('receive_maximum', reasonCode.receiveMaximum)
    }
    if (!known) inFlight.unreleased++
    const frameId = kept ? house.newFrameId() : undefined
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>()
    const once: ReceivedOnce = { frameId, settled: promise, resolve, reject }
    // When it fails it will come again, and is new then.
    promise.catch(() => (once.settled = undefined))
    received.set(packetId, once)
    ;(this.#unreleased ??= new Set()).add(packetId)
    if (!frameId) return this.#queue(packet, once, undefined, false)
    store.write({ kind: 'received', clientId, received: { packetId, frameId } })
    this.#queue(packet, once, store.flush(), false)
  }

  /** [MQTT-3.3.1-1]: what is sent again says so. Once is forgiven, as is a number that stands for another message by now. */
  #isThird({ packetId, payload }: PublishPacket): boolean {
    const sum = crc32(payload)
    const isSame = this.#unmarked?.get(packetId) === sum
    ;(this.#unmarked ??= new Map()).set(packetId, sum)
    return isSame
  }

  /** An identifier of before a restart may have been written without its message. */
  #isHere(once: ReceivedOnce): boolean {
    const { frameId } = once
    if (!once.settled && frameId && this.#parts.house.isStored(frameId)) once.settled = Promise.resolve('accepted')
    return once.settled !== undefined
  }

  #queue(
    packet: PublishPacket,
    once: ReceivedOnce | undefined,
    noting: Promise<void> | undefined,
    repeated: boolean,
  ): void {
    const arrival = new Arrival(packet, once, noting, repeated, this)
    if (this.#last) this.#last.next = arrival
    else this.#first = arrival
    this.#last = arrival
    this.#unsent ??= arrival
    this.#messages++
    this.#bytes += arrival.bytes
    this.#parts.inFlight.messages++
    if (this.#full()) this.#gate.throttle(true)
    if (noting) {
      const noted = (): void => {
        arrival.noting = undefined
        this.#send()
      }
      noting.then(noted, () => this.fail())
    }
    this.#send()
  }

  /** Gives the house what it may have by now, in order. */
  #send(): void {
    while (this.#unsent && !this.#unsent.noting && !this.#stuck) {
      const arrival = this.#unsent
      this.#unsent = arrival.next
      const { once } = arrival
      if (arrival.repeated && once?.settled) {
        once.settled.then(
          (verdict) => arrival.settled(verdict),
          () => arrival.notTaken(),
        )
      } else this.#give(arrival)
    }
  }

  #give(arrival: Arrival): void {
    const { house, tally } = this.#parts
    const { packet, once } = arrival
    const { topic } = packet
    if (isBridgeStatus(topic)) {
      tally.totals.swallowed++
      return queueMicrotask(() => arrival.settled('accepted'))
    }
    const why = denied(this.#parts, this.#principal, packet, false)
    if (why) {
      arrival.permitted = false
      this.#tell(why)
    }
    house.take(this.#principal, inbound(packet, this.#session, why, false, once?.frameId), arrival)
  }

  #tell({ what, topic }: Explained): void {
    const action = what === 'answer' ? what : 'publish'
    const { clientId } = this.#session
    this.#parts.tally.forbid({ kind: 'forbidden', action, clientId, principal: this.#principal.name, topic })
  }

  /** A verdict is there: what it lets go goes. */
  answer(): void {
    while (this.#first?.verdict) {
      const head = this.#first
      this.#first = head.next
      if (!this.#first) this.#last = undefined
      this.#leave(head)
      if (head.verdict === 'forbidden') this.#forbid(head)
      else this.#accept(head)
    }
    if (!this.#full()) this.#gate.throttle(false)
    if (this.#messages === 0) this.#gate.idle()
  }

  #full(): boolean {
    const { limits } = this.#parts
    return this.#messages >= limits.inFlightMax || this.#bytes >= limits.inFlightBytesMax
  }

  #accept({ packet, qos, packetId, repeated, verdict }: Arrival): void {
    if (!repeated) this.#parts.tally.totals.accepted++
    if (qos === 2) this.#gate.sendShort('pubrec', packetId)
    // MQTT 5 §3.4.2.1: it is kept, and there is nobody to whom it says anything.
    else if (qos === 1 && verdict === 'unread' && this.#gate.version === 5 && !this.#parts.isWanted(packet.topic)) {
      this.#gate.sendRefusal('puback', packetId, reasonCode.noSubscribers, this.#unreadWords(packet.topic))
    } else if (qos === 1) this.#gate.sendShort('puback', packetId)
  }

  /** MQTT 3.1.1 can only be answered by an acknowledgement or by cutting; who is cut comes back with the same message for ever. */
  #forbid({ packet, repeated }: Arrival): void {
    const { house, tally } = this.#parts
    const { qos, packetId, topic } = packet
    if (!repeated) tally.totals.forbidden++
    if (qos === 0) return
    const kind = qos === 1 ? 'puback' : 'pubrec'
    if (this.#gate.version !== 5) return this.#gate.sendShort(kind, packetId)
    // A PUBREC with an error frees the identifier.
    if (qos === 2) this.#forget(packetId)
    // The house itself may have forbidden it.
    const why = denied(this.#parts, this.#principal, packet, false) ?? { what: 'publish', topic }
    this.#gate.sendRefusal(kind, packetId, reasonCode.notAuthorized, house.explain(this.#principal, why))
  }

  /** Once for each topic, since it may be said of every message of a client that need not care. */
  #unreadWords(topic: string): string | undefined {
    if (!this.#gate.wantsReasons) return undefined
    const told = (this.#toldUnread ??= new Set())
    if (told.has(topic) || told.size >= toldUnreadMax) return undefined
    told.add(topic)
    return this.#parts.house.explain(this.#principal, { what: 'unread', topic })
  }

  #forget(packetId: number): void {
    this.#unmarked?.delete(packetId)
    this.#unreleased?.delete(packetId)
    const { clientId, received, kept } = this.#session
    if (!received.delete(packetId)) return
    this.#parts.inFlight.unreleased--
    if (kept) this.#parts.store.write({ kind: 'forgotten', clientId, packetId })
  }

  /** A message could not be stored. */
  fail(): void {
    const { limits, tally } = this.#parts
    tally.totals.unstored++
    if (this.#stuck) return
    this.#deaf = this.#stuck = true
    this.#gate.stop()
    setTimeout(() => this.#gate.cut('unstored', reasonCode.serverBusy), limits.unstoredCutMs).unref()
    // Nothing that waits is acknowledged any more; all of it will come again, and is new then.
    for (let rest = this.#first; rest; rest = rest.next) this.#leave(rest)
    for (let rest = this.#unsent; rest; rest = rest.next) rest.once?.reject?.(new Error('not taken'))
    this.#first = this.#last = this.#unsent = undefined
  }

  #leave(arrival: Arrival): void {
    this.#messages--
    this.#bytes -= arrival.bytes
    this.#parts.inFlight.messages--
  }
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
