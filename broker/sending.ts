// What each session is sent, and when: urgent first, in order within a source, never more at once than its client takes. Who is
// behind is owed numbers of the log and nothing is kept for it in memory; a frozen reader costs nobody anything.

import { isExpired, restOfLife } from './expiry.ts'
import type { Limits } from './limits.ts'
import { packetType, reasonCode } from './packets.ts'
import type { DropCause, Principal, QoS } from './port.ts'
import { writePublish } from './publish-packet.ts'
import { createOwed } from './owed.ts'
import { qosBits, retainedBit } from './owed-queue.ts'
import { createRecent } from './recent.ts'
import { recipientBy, type Recipient } from './recipient.ts'
import { takePacketId, type Connection, type Flight, type Session } from './session.ts'
import type { ShareGroup, Sharing, SharingParts } from './sharing.ts'
import type { DeliverableMessage, MessageSource, SessionStore, StoredFilter, StoredRetained } from './stored.ts'

export interface Sending<P extends Principal> {
  /** A new message, in order. */
  offer(session: Session<P>, source: number, message: DeliverableMessage, recipient: Recipient): void
  /** What a new subscription finds retained; before anything newer of the same source. */
  offerRetained(
    session: Session<P>,
    source: number,
    message: StoredRetained,
    qos: QoS,
    identifier: number | undefined,
  ): void
  /** The client is here: what it has not acknowledged is sent again, then what it is owed. */
  attach(session: Session<P>, connection: Connection): void
  detach(session: Session<P>): void
  /** Goes on as far as the client takes it. */
  pump(session: Session<P>): void
  /** PUBACK, PUBREC or PUBCOMP came. */
  answer(session: Session<P>, type: number, packetId: number, reason: number): void
  /** It ends: what it was owed is no longer. */
  forget(session: Session<P>): void
  /** Over all sessions. */
  readonly owedCount: number
  /** What stood in the store, at start. */
  restore(session: Session<P>, source: number, number: number, qos: QoS): void
  /** For shared subscriptions. */
  readonly give: SharingParts<P>['give']
  readonly find: SharingParts<P>['find']
  readonly keep: SharingParts<P>['keep']
}

export interface SendingParts<P extends Principal> {
  readonly sources: readonly MessageSource[]
  readonly store: Pick<SessionStore, 'write' | 'flush'>
  readonly limits: Limits
  now(): bigint
  dropped(cause: DropCause, clientId: string): void
  /** Undefined: no subscription of it covers the topic, or it may not read it. */
  recipientOf(session: Session<P>, topic: string): Recipient | undefined
  readonly sharing: () => Pick<Sharing<P>, 'paid' | 'back' | 'freed'>
}

/** Of the window, for urgent messages alone: an alert does not wait until telemetry is acknowledged. */
const urgentSlots = 8
const flushAgainMs = 1_000

export function createSending<P extends Principal>(parts: SendingParts<P>): Sending<P> {
  const { sources, store, limits } = parts
  const recent = createRecent(limits.recentBytesMax)
  const keep = (source: number, message: DeliverableMessage): void => recent.put(source, message)
  const owed = createOwed({ limits, dropped: parts.dropped, paid, keep })
  const { dequeue, wait } = owed

  const windowFor = ({ window }: Connection, source: number): number =>
    sources[source]!.urgent || window <= 2 * urgentSlots ? window : window - urgentSlots

  function paid({ kept, clientId }: Session<Principal>, source: number, number: number): void {
    if (kept) store.write({ kind: 'paid', clientId, source: sources[source]!.name, number })
  }

  function offer(session: Session<P>, source: number, message: DeliverableMessage, recipient: Recipient): void {
    if (recipient.noLocal && message.clientId === session.clientId) return
    const qos: QoS = message.qos < recipient.qos ? message.qos : recipient.qos
    const { connection } = session
    if (qos === 0) {
      if (connection) offerAtMostOnce(session, connection, source, message, recipient)
      return
    }
    const { number } = message
    if (session.kept) {
      store.write({ kind: 'owed', clientId: session.clientId, owed: { source: sources[source]!.name, number, qos } })
    }
    const isFree = connection && session.owedCount === 0 && !connection.busy && !(qos === 2 && session.kept)
    if (isFree && takesMore(connection) && session.inFlight < windowFor(connection, source)) {
      return transmit(session, connection, message, recipient, newFlight(session, source, number, qos), false)
    }
    wait(session, source, message, qos)
    if (connection) pump(session)
  }

  /** At QoS 0 nothing is kept for who does not keep up, but for what is urgent, and the latest position. */
  function offerAtMostOnce(
    session: Session<P>,
    connection: Connection,
    source: number,
    message: DeliverableMessage,
    recipient: Recipient,
  ): void {
    if (session.owedCount === 0 && !connection.busy && takesMore(connection)) {
      return transmit(session, connection, message, recipient, undefined, false)
    }
    // In line behind what has not gone yet: it must not overtake.
    if (message.kind === 'other' && (session.owedAtMostOnce >= limits.waitingQos0Max || !takesMore(connection))) {
      return parts.dropped('slow_qos0', session.clientId)
    }
    wait(session, source, message, 0)
    pump(session)
  }

  const takesMore = ({ gate }: Connection): boolean => gate.unreadBytes <= limits.unreadBytesQos0Max

  function newFlight(
    session: Session<P>,
    source: number,
    number: number,
    qos: 1 | 2,
    retained?: Flight['retained'],
    group?: ShareGroup<P>,
  ): { readonly packetId: number; readonly flight: Flight } {
    const packetId = takePacketId(session)
    const whose = { ...(retained && { retained }), ...(group && { group: group as unknown as ShareGroup<Principal> }) }
    const flight: Flight = { source, number, qos, state: 'published', waiting: false, ...whose }
    session.flights.set(packetId, flight)
    session.inFlight++
    return { packetId, flight }
  }

  function transmit(
    session: Session<P>,
    connection: Connection,
    message: Pick<DeliverableMessage, 'topic' | 'payload' | 'retain' | 'properties' | 'receivedAt'>,
    recipient: Pick<Recipient, 'retainAsPublished' | 'identifiers'>,
    sent: { readonly packetId: number; readonly flight: Flight } | undefined,
    dup: boolean,
  ): void {
    const { topic, payload } = message
    const bytes = writePublish({
      version: connection.protocolVersion,
      topic,
      payload,
      qos: sent?.flight.qos ?? 0,
      retain: message.retain && recipient.retainAsPublished,
      dup,
      packetId: sent?.packetId ?? 0,
      properties: restOfLife(message, parts.now()),
      subscriptionIdentifiers: recipient.identifiers,
    })
    // MQTT 5 §3.1.2.11.4: as if it had been sent and acknowledged.
    if (bytes.length > connection.packetBytesMax) {
      parts.dropped('too_large', session.clientId)
      if (sent) complete(session, sent.packetId, sent.flight)
      return
    }
    connection.gate.send(bytes)
  }

  function complete(session: Session<P>, packetId: number, flight: Flight): void {
    const { clientId } = session
    session.flights.delete(packetId)
    if (!flight.waiting) session.inFlight--
    if (flight.retained) return
    if (session.kept && flight.qos === 2) store.write({ kind: 'completed', clientId, packetId })
    if (flight.group) parts.sharing().paid(flight.group as unknown as ShareGroup<P>, flight.source, flight.number)
    else paid(session, flight.source, flight.number)
  }

  function pump(session: Session<P>): void {
    const { connection } = session
    send(session, connection)
    if (connection && session.owedCount === 0) parts.sharing().freed(session)
  }

  function send(session: Session<P>, connection: Connection | undefined): void {
    while (connection && !connection.busy && session.owedCount > 0) {
      if (connection.gate.destroyed || !takesMore(connection)) return
      const source = sources.findIndex((_, index) => mayGo(session, connection, index))
      if (source < 0) return
      const next = session.owed[source]!.peek()!
      if (session.kept && (next.bits & qosBits) === 2 && !(next.bits & retainedBit)) {
        return sendExactlyOnce(session, connection, source)
      }
      dequeue(session, source, next.bits)
      if (next.bits & retainedBit) sendRetained(session, connection, source, next.number, (next.bits & qosBits) as QoS)
      else sendOwed(session, connection, source, next.number, (next.bits & qosBits) as QoS)
    }
  }

  function mayGo(session: Session<P>, connection: Connection, source: number): boolean {
    const next = session.owed[source]?.peek()
    return next !== undefined && ((next.bits & qosBits) === 0 || session.inFlight < windowFor(connection, source))
  }

  function assigned(session: Session<P>, source: number, number: number): number | undefined {
    // None wait but after a restart.
    if (session.flights.size === session.inFlight) return undefined
    for (const [packetId, flight] of session.flights) {
      if (flight.waiting && flight.number === number && flight.source === source) return packetId
    }
    return undefined
  }

  function find(source: number, number: number, clientId: string): DeliverableMessage | undefined {
    const message = recent.get(source, number) ?? sources[source]!.fetch(number)
    if (message && !isExpired(message, parts.now())) return message
    parts.dropped(message ? 'expired' : 'gone', clientId)
    return undefined
  }

  /** With what it needs to be sent; undefined: it can or need not be sent any more, and is no longer owed. */
  function content(
    session: Session<P>,
    source: number,
    number: number,
  ): { readonly message: DeliverableMessage; readonly recipient: Recipient } | undefined {
    const message = find(source, number, session.clientId)
    const recipient = message && parts.recipientOf(session, message.topic)
    return recipient && { message, recipient }
  }

  /** One of a group's messages, to this member of it. */
  function give(
    session: Session<P>,
    source: number,
    message: DeliverableMessage,
    filter: StoredFilter,
    qos: QoS,
    group: ShareGroup<P>,
  ): boolean {
    const { connection, clientId, kept } = session
    const { number } = message
    if (!connection || connection.busy || !takesMore(connection)) return false
    if (qos > 0 && session.inFlight >= windowFor(connection, source)) return false
    const recipient = recipientBy(filter)
    if (qos === 0) transmit(session, connection, message, recipient, undefined, false)
    else if (qos === 1) {
      const sent = newFlight(session, source, number, qos, undefined, group)
      transmit(session, connection, message, recipient, sent, false)
    } else {
      parts.sharing().paid(group, source, number)
      if (!kept) transmit(session, connection, message, recipient, newFlight(session, source, number, qos), false)
      else {
        store.write({ kind: 'owed', clientId, owed: { source: sources[source]!.name, number, qos } })
        wait(session, source, message, qos)
        pump(session)
      }
    }
    return true
  }

  function sendOwed(session: Session<P>, connection: Connection, source: number, number: number, qos: QoS): void {
    const found = content(session, source, number)
    if (!found) return qos > 0 ? paid(session, source, number) : undefined
    const sent = qos === 0 ? undefined : newFlight(session, source, number, qos)
    transmit(session, connection, found.message, found.recipient, sent, false)
  }

  function sendRetained(session: Session<P>, connection: Connection, source: number, number: number, qos: QoS): void {
    const retained = session.retained.get(number)!
    session.retained.delete(number)
    const { message, identifier } = retained
    if (isExpired(message, parts.now())) return
    const sent = qos === 0 ? undefined : newFlight(session, source, number, qos, retained)
    transmit(session, connection, { ...message, retain: true }, asRetained(identifier), sent, false)
  }

  /**
   * A receiver tells a repeated message of QoS 2 by its identifier alone. So the identifier is on disk before the message leaves, and
   * after a restart it has the same one. Those that are next go together.
   */
  function sendExactlyOnce(session: Session<P>, connection: Connection, source: number): void {
    const queue = session.owed[source]!
    const leaving: { packetId: number; flight: Flight; dup: boolean; found: ReturnType<typeof content> }[] = []
    for (let next = queue.peek(); next && mayGo(session, connection, source); next = queue.peek()) {
      if ((next.bits & qosBits) !== 2 || next.bits & retainedBit) break
      const { number } = next
      const known = assigned(session, source, number)
      const found = content(session, source, number)
      dequeue(session, source, next.bits)
      if (known !== undefined) {
        const flight = session.flights.get(known)!
        flight.waiting = false
        session.inFlight++
        if (found) leaving.push({ packetId: known, flight, dup: true, found })
        else complete(session, known, flight)
      } else if (found) {
        const sent = newFlight(session, source, number, 2)
        leaving.push({ ...sent, dup: false, found })
        const { name } = sources[source]!
        const { packetId } = sent
        store.write({
          kind: 'sent',
          clientId: session.clientId,
          sent: { packetId, source: name, number, state: 'published' },
        })
      } else paid(session, source, number)
    }
    if (leaving.length === 0) return pump(session)
    connection.busy = true
    whenDurable(session, connection, () => {
      connection.busy = false
      for (const { packetId, flight, dup, found } of leaving) {
        transmit(session, connection, found!.message, found!.recipient, { packetId, flight }, dup)
      }
      pump(session)
    })
  }

  /** Never, when the connection is gone by then. A disk that refuses is asked again. */
  function whenDurable(session: Session<P>, connection: Connection, then: () => void): void {
    store.flush().then(
      () => {
        if (session.connection === connection) then()
      },
      () => void setTimeout(() => whenDurable(session, connection, then), flushAgainMs).unref(),
    )
  }

  /** A client may come back and take fewer at once than it has on the way (MQTT 5 §3.3.4): the last of them wait once more. */
  function holdBack(session: Session<P>, { window }: Connection): void {
    const movable = [...session.flights].filter(
      ([, { waiting, state, retained, group }]) => !waiting && state === 'published' && !retained && !group,
    )
    for (const [packetId, flight] of movable.toReversed().slice(0, Math.max(0, session.inFlight - window))) {
      const { source, number, qos } = flight
      // At QoS 2 the identifier stays with the message.
      if (qos === 1) session.flights.delete(packetId)
      else flight.waiting = true
      session.inFlight--
      owed.putBack(session, source, number, qos)
    }
  }

  function sendAgain(session: Session<P>, connection: Connection): void {
    holdBack(session, connection)
    for (const [packetId, flight] of session.flights) {
      if (flight.waiting) continue
      const { source, number, retained } = flight
      if (flight.state === 'released') connection.gate.sendShort('pubrel', packetId)
      else if (retained) {
        const { message, identifier } = retained
        const sent = { packetId, flight }
        transmit(session, connection, { ...message, retain: true }, asRetained(identifier), sent, true)
      } else {
        const found = content(session, source, number)
        if (found) transmit(session, connection, found.message, found.recipient, { packetId, flight }, true)
        else complete(session, packetId, flight)
      }
    }
  }

  function release(session: Session<P>, connection: Connection, packetId: number, flight: Flight): void {
    flight.state = 'released'
    if (!session.kept || flight.retained) return connection.gate.sendShort('pubrel', packetId)
    // After PUBREC the message must not be sent again, whatever happens (§4.3.3).
    const { clientId } = session
    const { source, number } = flight
    store.write({
      kind: 'sent',
      clientId,
      sent: { packetId, source: sources[source]!.name, number, state: 'released' },
    })
    whenDurable(session, connection, () => connection.gate.sendShort('pubrel', packetId))
  }

  function answer(session: Session<P>, type: number, packetId: number, reason: number): void {
    const { connection } = session
    if (!connection) return
    const flight = session.flights.get(packetId)
    if (!flight || flight.waiting)
      return type === packetType.pubrec && reason < 0x80 ? releaseUnknown(connection, packetId) : undefined
    const fits =
      type === packetType.puback
        ? flight.qos === 1
        : flight.qos === 2 && (type === packetType.pubrec || flight.state === 'released')
    // MQTT 3.1.1 and 5 §4.3.2, §4.3.3, §4.8: the acknowledgements of another QoS, or out of turn.
    if (!fits) {
      connection.gate.fault = 'an acknowledgement that is not the one of its message'
      return connection.gate.cut('protocol', reasonCode.protocol)
    }
    if (type !== packetType.pubrec || reason >= 0x80) complete(session, packetId, flight)
    else if (flight.state === 'released') connection.gate.sendShort('pubrel', packetId)
    else return release(session, connection, packetId, flight)
    pump(session)
  }

  /** Of a connection before, or of a message that is gone: the other side must come to an end with it. */
  function releaseUnknown({ gate, protocolVersion }: Connection, packetId: number): void {
    if (protocolVersion === 5) gate.sendRefusal('pubrel', packetId, reasonCode.packetIdNotFound)
    else gate.sendShort('pubrel', packetId)
  }

  return {
    get owedCount() {
      return owed.count
    },
    offer,
    offerRetained(session, source, message, qos, identifier) {
      const lower: QoS = message.qos < qos ? message.qos : qos
      session.retained.set(++session.retainedLast, { message, identifier })
      owed.enqueue(session, source, session.retainedLast, lower | retainedBit)
    },
    attach(session, connection) {
      session.connection = connection
      const start = (): void => {
        connection.busy = false
        sendAgain(session, connection)
        pump(session)
      }
      const mustBeDurable = session.kept && [...session.flights.values()].some(({ qos }) => qos === 2)
      if (!mustBeDurable) return start()
      connection.busy = true
      whenDurable(session, connection, start)
    },
    detach(session) {
      session.connection = undefined
      owed.forgetAtMostOnce(session)
      for (const [packetId, { group, source, number, qos }] of session.flights) {
        // At QoS 2 nobody knows whether it arrived: it stays this session's.
        if (!group || qos === 2) continue
        session.flights.delete(packetId)
        session.inFlight--
        parts.sharing().back(group as unknown as ShareGroup<P>, source, number)
      }
    },
    pump,
    answer,
    forget(session) {
      owed.forget(session)
      session.flights.clear()
      session.retained.clear()
    },
    restore: owed.enqueue,
    give,
    find,
    keep,
  }
}

const asRetained = (identifier: number | undefined) => ({
  retainAsPublished: true,
  identifiers: identifier === undefined ? [] : [identifier],
})
