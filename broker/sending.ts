// What each session is sent, and when: urgent first, in order within a source, never more at once than its client takes. Who is
// behind is owed numbers of the log and nothing is kept for it in memory; a frozen reader costs nobody anything.

import { createAnswering } from './answering.ts'
import type { Delivery } from './delivery.ts'
import { isExpired } from './expiry.ts'
import { ownCopy } from './kept.ts'
import type { Limits } from './limits.ts'
import { packetFor, type Numbered, type Sendable } from './packet-for.ts'
import type { DropCause, Principal, QoS } from './port.ts'
import { createOwed } from './owed.ts'
import { qosBits, retainedBit } from './owed-queue.ts'
import type { Reading } from './reading.ts'
import { createRecent } from './recent.ts'
import { recipientBy, type Recipient } from './recipient.ts'
import { newFlight, type Connection, type Flight, type Session } from './session.ts'
import type { Sharing, SharingParts, Unanswered } from './sharing.ts'
import type { DeliverableMessage, MessageSource, SessionStore, StoredRetained } from './stored.ts'

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
  readonly takes: SharingParts<P>['takes']
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
  readonly reading: Reading
  readonly recipientOf: Delivery<P>['recipientOf']
  readonly sharing: () => Pick<Sharing<P>, 'paid' | 'isOpen' | 'back' | 'freed'>
}

interface Content {
  readonly message: DeliverableMessage
  readonly recipient: Recipient
}

type MaybeContent = Content | 'later' | undefined

interface Leaving<P extends Principal> {
  readonly packetId: number
  readonly flight: Flight<P>
  readonly dup: boolean
  readonly found: Content
}

/** Of the window, for urgent messages alone: an alert does not wait until telemetry is acknowledged. */
const urgentSlots = 8
const flushAgainMs = 1_000
/** Of what a session is owed, in one turn. */
const lookedAtOnce = 500

export function createSending<P extends Principal>(parts: SendingParts<P>): Sending<P> {
  const { sources, store, limits, reading } = parts
  const recent = createRecent(limits.recentBytesMax)
  const keep = (source: number, message: DeliverableMessage): void => recent.put(source, message)
  const owed = createOwed({ limits, dropped: parts.dropped, paid, keep })
  const { dequeue, wait } = owed
  const { answer, release } = createAnswering<P>({ sources, store, complete, pump, whenDurable })

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
    const isFree = connection && isIdle(session, connection) && !(qos === 2 && session.kept)
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
    if (isIdle(session, connection) && takesMore(connection)) {
      return transmit(session, connection, message, recipient, undefined, false)
    }
    // In line behind what has not gone yet: it must not overtake.
    if (message.kind === 'other' && (session.owedAtMostOnce >= limits.waitingQos0Max || !takesMore(connection))) {
      return parts.dropped('slow_qos0', session.clientId)
    }
    wait(session, source, message, 0)
    pump(session)
  }

  /** Nothing is before the next message. */
  const isIdle = ({ owedCount }: Session<P>, { busy, again }: Connection): boolean =>
    owedCount === 0 && !busy && again.size === 0

  const takesMore = ({ gate }: Connection): boolean => gate.unreadBytes <= limits.unreadBytesQos0Max

  function transmit(
    session: Session<P>,
    connection: Connection,
    message: Sendable,
    recipient: Pick<Recipient, 'retainAsPublished' | 'identifiers'>,
    sent: Numbered<P> | undefined,
    dup: boolean,
  ): void {
    const bytes = packetFor(connection, message, recipient, sent, dup, parts.now())
    if (bytes) return connection.gate.send(bytes)
    parts.dropped('too_large', session.clientId)
    // As if it had been sent and acknowledged.
    if (sent) complete(session, sent.packetId, sent.flight)
  }

  function complete(session: Session<P>, packetId: number, flight: Flight<P>): void {
    const { clientId } = session
    session.flights.delete(packetId)
    session.connection?.again.delete(packetId)
    if (!flight.waiting) session.inFlight--
    if (flight.retained) return
    if (session.kept && flight.qos === 2) store.write({ kind: 'completed', clientId, packetId })
    if (flight.group) parts.sharing().paid(flight.group, flight.source, flight.number)
    else paid(session, flight.source, flight.number)
  }

  function pump(session: Session<P>): void {
    const { connection } = session
    send(session, connection)
    if (connection && session.owedCount === 0) parts.sharing().freed(session)
  }

  function send(session: Session<P>, connection: Connection | undefined): void {
    if (!connection || connection.busy || !sendAgain(session, connection)) return
    for (let looked = 0; !connection.busy && session.owedCount > 0; looked++) {
      if (connection.gate.destroyed || !takesMore(connection)) return
      const source = sources.findIndex((_, index) => mayGo(session, connection, index))
      if (source < 0) return
      if (looked === lookedAtOnce) return inTheNextTurn(session, connection)
      const next = session.owed[source]!.peek()!
      if (session.kept && (next.bits & qosBits) === 2 && !(next.bits & retainedBit)) {
        sendExactlyOnce(session, connection, source)
        continue
      }
      const qos = (next.bits & qosBits) as QoS
      if (next.bits & retainedBit) {
        dequeue(session, source, next.bits)
        sendRetained(session, connection, source, next.number, qos)
        continue
      }
      const found = content(session, source, next.number)
      if (found === 'later') {
        askLater(session, connection, source)
        continue
      }
      dequeue(session, source, next.bits)
      if (found) {
        const sent = qos === 0 ? undefined : newFlight(session, source, next.number, qos)
        transmit(session, connection, found.message, found.recipient, sent, false)
      } else if (qos > 0) paid(session, source, next.number)
    }
  }

  /** Much of what is owed may come to nothing: others have their turn in between. */
  function inTheNextTurn(session: Session<P>, connection: Connection): void {
    connection.busy = true
    setImmediate(() => {
      connection.busy = false
      if (session.connection === connection) pump(session)
    })
  }

  const askLater = (session: Session<P>, connection: Connection, source: number): void =>
    reading.askLater(connection, source, () => session.connection === connection && pump(session))

  function mayGo(session: Session<P>, connection: Connection, source: number): boolean {
    const next = connection.unread.has(source) ? undefined : session.owed[source]?.peek()
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

  const find: Sending<P>['find'] = (source, number, clientId) => {
    const message = recent.get(source, number) ?? reading.fetch(source, number)
    if (message === 'later') return message
    if (!message) parts.dropped('gone', clientId)
    return message && !hasExpired(message, clientId) ? message : undefined
  }

  function hasExpired(message: DeliverableMessage, clientId: string): boolean {
    const isOver = isExpired(message, parts.now())
    if (isOver) parts.dropped('expired', clientId)
    return isOver
  }

  /** With what it needs to be sent; undefined: it can or need not be sent any more, and is no longer owed. */
  function content(session: Session<P>, source: number, number: number, flight?: Flight<P>): MaybeContent {
    const message = find(source, number, session.clientId)
    if (message === 'later') return message
    const recipient = message && parts.recipientOf(session, message.topic, flight)
    return recipient && { message, recipient }
  }

  const takes = ({ connection, inFlight }: Session<P>, source: number, qos: QoS): boolean =>
    connection !== undefined &&
    !connection.busy &&
    takesMore(connection) &&
    (qos === 0 || inFlight < windowFor(connection, source))

  /** One of a group's messages, to this member of it. */
  const give: SharingParts<P>['give'] = (session, source, message, filter, qos, group) => {
    const { connection, clientId, kept } = session
    const { number } = message
    if (!connection || !takes(session, source, qos)) return false
    const recipient = recipientBy(filter)
    if (qos === 0) transmit(session, connection, message, recipient, undefined, false)
    else if (qos === 1) {
      const sent = newFlight(session, source, number, qos, { group, filter })
      transmit(session, connection, message, recipient, sent, false)
    } else {
      parts.sharing().paid(group, source, number)
      const sent = newFlight(session, source, number, qos, { filter })
      if (!kept) transmit(session, connection, message, recipient, sent, false)
      else {
        store.write({ kind: 'owed', clientId, owed: { source: sources[source]!.name, number, qos } })
        leaveTogether(session, connection, [{ ...sent, dup: false, found: { message: ownCopy(message), recipient } }])
      }
    }
    return true
  }

  function sendRetained(session: Session<P>, connection: Connection, source: number, number: number, qos: QoS): void {
    const retained = session.retained.get(number)!
    session.retained.delete(number)
    const { message, identifier } = retained
    if (isExpired(message, parts.now())) return
    const sent = qos === 0 ? undefined : newFlight(session, source, number, qos, { retained })
    transmit(session, connection, { ...message, retain: true }, asRetained(identifier), sent, false)
  }

  /**
   * A receiver tells a repeated message of QoS 2 by its identifier alone. So the identifier is on disk before the message leaves, and
   * after a restart it has the same one. Those that are next go together.
   */
  function sendExactlyOnce(session: Session<P>, connection: Connection, source: number): void {
    const queue = session.owed[source]!
    const leaving: Leaving<P>[] = []
    let bytes = 0
    for (let looked = 0; looked < lookedAtOnce && bytes <= limits.unreadBytesQos0Max; looked++) {
      const next = queue.peek()
      if (!next || !mayGo(session, connection, source)) break
      if ((next.bits & qosBits) !== 2 || next.bits & retainedBit) break
      const { number } = next
      const known = assigned(session, source, number)
      const found = content(session, source, number, known === undefined ? undefined : session.flights.get(known))
      if (found === 'later') {
        askLater(session, connection, source)
        break
      }
      dequeue(session, source, next.bits)
      bytes += found?.message.payload.length ?? 0
      if (known !== undefined) {
        const flight = session.flights.get(known)!
        flight.waiting = false
        session.inFlight++
        // Its place is that in which it is sent, should it have to be sent again.
        session.flights.delete(known)
        session.flights.set(known, flight)
        if (found) leaving.push({ packetId: known, flight, dup: true, found })
        else giveUp(session, connection, known, flight)
      } else if (found) leaving.push({ ...newFlight(session, source, number, 2), dup: false, found })
      else paid(session, source, number)
    }
    if (leaving.length > 0) leaveTogether(session, connection, leaving)
  }

  function leaveTogether(session: Session<P>, connection: Connection, leaving: readonly Leaving<P>[]): void {
    const { clientId } = session
    for (const { packetId, flight, dup } of leaving) {
      const { source, number, state } = flight
      if (!dup)
        store.write({ kind: 'sent', clientId, sent: { packetId, source: sources[source]!.name, number, state } })
    }
    connection.busy = true
    whenDurable(session, connection, () => {
      connection.busy = false
      for (const { packetId, flight, dup, found } of leaving) {
        if (!hasExpired(found.message, clientId))
          transmit(session, connection, found.message, found.recipient, { packetId, flight }, dup)
        else if (dup) giveUp(session, connection, packetId, flight)
        else complete(session, packetId, flight)
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
      () =>
        void setTimeout(() => {
          if (session.connection === connection) whenDurable(session, connection, then)
        }, flushAgainMs).unref(),
    )
  }

  /**
   * What was on its way over the connection before, in the same order and under the same identifiers, as fast as the client takes it:
   * it may take fewer at once than before (MQTT 5 §3.3.4). False: there is more of it.
   */
  function sendAgain(session: Session<P>, connection: Connection): boolean {
    const { again, gate, window } = connection
    for (const packetId of again) {
      if (gate.destroyed || !takesMore(connection) || session.inFlight - again.size >= window) return false
      const flight = session.flights.get(packetId)!
      const { source, number, retained } = flight
      if (connection.unread.has(source)) return false
      const found = retained
        ? { message: { ...retained.message, retain: true }, recipient: asRetained(retained.identifier) }
        : content(session, source, number, flight)
      if (found === 'later') {
        askLater(session, connection, source)
        return false
      }
      again.delete(packetId)
      if (found) transmit(session, connection, found.message, found.recipient, { packetId, flight }, true)
      else giveUp(session, connection, packetId, flight)
    }
    return true
  }

  /** It is gone, expired or not to be read any more. At QoS 2 the client may have the identifier, and must come to an end with it. */
  function giveUp(session: Session<P>, connection: Connection, packetId: number, flight: Flight<P>): void {
    if (flight.qos === 1) complete(session, packetId, flight)
    else release(session, connection, packetId, flight)
  }

  return {
    get owedCount() {
      return owed.count
    },
    offer,
    offerRetained(session, source, message, qos, identifier) {
      const lower: QoS = message.qos < qos ? message.qos : qos
      if (owed.isFull(session)) return parts.dropped(lower === 0 ? 'slow_qos0' : 'offline_queue', session.clientId)
      session.retained.set(++session.retainedLast, { message, identifier })
      owed.enqueue(session, source, session.retainedLast, lower | retainedBit)
    },
    attach(session, connection) {
      session.connection = connection
      for (const [packetId, { waiting, state }] of session.flights) {
        if (!waiting && state === 'published') connection.again.add(packetId)
      }
      const start = (): void => {
        connection.busy = false
        for (const [packetId, { state }] of session.flights) {
          if (state === 'released') connection.gate.sendShort('pubrel', packetId)
        }
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
      const unanswered: Unanswered<P>[] = []
      for (const [packetId, { group, source, number, qos }] of session.flights) {
        // At QoS 2 nobody knows whether it arrived: it stays this session's. So does what has begun when its last member unsubscribed.
        if (!group || qos === 2 || !parts.sharing().isOpen(group)) continue
        session.flights.delete(packetId)
        session.inFlight--
        unanswered.push({ group, source, number })
      }
      if (unanswered.length > 0) parts.sharing().back(unanswered)
    },
    pump,
    answer,
    forget(session) {
      owed.forget(session)
      session.flights.clear()
      session.retained.clear()
    },
    restore: owed.enqueue,
    takes,
    give,
    find,
    keep,
  }
}

const asRetained = (identifier: number | undefined) => ({
  retainAsPublished: true,
  identifiers: identifier === undefined ? [] : [identifier],
})
