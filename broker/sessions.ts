// Who owns which client id, and which sessions outlive their connection. A client id belongs to the principal that uses it, as
// long as it is connected or its session is kept: nobody else can take its orders or silence it.

import type { Delivery } from './delivery.ts'
import type { Limits } from './limits.ts'
import type { Clock, Principal, QoS } from './port.ts'
import type { Sending } from './sending.ts'
import { newSession, type Session } from './session.ts'
import { sharedFilter } from './shared-filter.ts'
import type { Sharing } from './sharing.ts'
import type { MessageSource, SessionStore, StoredSession } from './stored.ts'

export interface Sessions<P extends Principal> {
  get(clientId: string): Session<P> | undefined
  /** Undefined when it is free or the principal's own. */
  taken(clientId: string, principal: string): 'client_id' | undefined
  /** No more can be kept, or no more of this principal. */
  full(clientId: string, principal: string): boolean
  /** Whether a client that comes without Clean Session finds one. */
  isKept(clientId: string): boolean
  /** The client is let in: with the session that it left, or a new one. */
  enter(clientId: string, principal: P, version: 3 | 4 | 5, options: EnterOptions): Session<P>
  /** The client has gone. `expirySeconds` 0: nothing is kept. */
  leave(session: Session<P>, expirySeconds: number): void
  discard(session: Session<P>): void
  /** Ends those whose time is over. */
  expire(): void
  /** From the store, at start. */
  restore(stored: readonly StoredSession[], principalOf: (name: string, clientId: string) => P | undefined): void
  /** Rights of a principal have changed: those of its sessions that are away are judged by the new ones. */
  renew(principal: string, principalOf: (name: string, clientId: string) => P | undefined): void
  /** That outlive their connection, present or absent. */
  readonly kept: number
  readonly size: number
}

export interface EnterOptions {
  readonly clean: boolean
  /** 0: it ends with its connection. */
  readonly expirySeconds: number
}

export interface SessionsParts<P extends Principal> {
  readonly limits: Limits
  readonly clock: Clock
  readonly store: Pick<SessionStore, 'write'>
  readonly sources: readonly MessageSource[]
  readonly delivery: Pick<Delivery<P>, 'subscribe' | 'unsubscribe' | 'changed'>
  readonly sending: Pick<Sending<P>, 'detach' | 'forget' | 'restore'>
  readonly sharing: Pick<Sharing<P>, 'restore' | 'restored'>
  /** Messages of QoS 2 without PUBREL, of all sessions. */
  readonly inFlight: { unreleased: number }
}

const nsPerMs = 1_000_000n
const nsPerSecond = 1_000_000_000n

export function createSessions<P extends Principal>(parts: SessionsParts<P>): Sessions<P> {
  const { limits, clock, store, sources, delivery, sending, sharing } = parts
  const sessions = new Map<string, Session<P>>()
  let kept = 0

  const endsAfter = (seconds: number): bigint => clock.monotonic() + BigInt(Math.ceil(seconds)) * nsPerSecond

  /** Whose time is over is not there any more, also while nothing has swept it. */
  function current(clientId: string): Session<P> | undefined {
    const session = sessions.get(clientId)
    if (session?.endsAt === undefined || session.endsAt > clock.monotonic()) return session
    discard(session)
    return undefined
  }

  function put(session: Session<P>, leftAt: bigint | undefined): void {
    const { clientId, principalName, protocolVersion, expirySeconds } = session
    store.write({
      kind: 'session',
      session: { clientId, principal: principalName, protocolVersion, expirySeconds, leftAt },
    })
  }

  function discard(session: Session<P>): void {
    if (sessions.get(session.clientId) === session) sessions.delete(session.clientId)
    for (const filter of session.subscriptions.keys()) delivery.unsubscribe(session, filter)
    sending.detach(session)
    sending.forget(session)
    parts.inFlight.unreleased -= session.received.size
    session.received.clear()
    if (!session.kept) return
    kept--
    session.kept = false
    store.write({ kind: 'session_gone', clientId: session.clientId })
  }

  function restoreOne(stored: StoredSession, principal: P | undefined): void {
    const { clientId, principal: name, protocolVersion, expirySeconds, leftAt } = stored
    const session = newSession<P>(clientId, { name, principal }, protocolVersion)
    // A clock that was set back keeps it longer, never shorter.
    const away = leftAt === undefined ? 0 : Math.max(0, Number((clock.now() - leftAt) / nsPerSecond))
    // Retained messages and those of QoS 1 that were on their way are not stored. At QoS 2 the client may still have the identifier of
    // one, and would take the next message under it for a repetition: so those of before are not the next.
    session.packetIdLast = Number((clock.now() / nsPerMs) % 0xffffn)
    Object.assign(session, { kept: true, expirySeconds, endsAt: endsAfter(Math.max(0, expirySeconds - away)) })
    sessions.set(clientId, session)
    kept++
    if (leftAt === undefined) put(session, clock.now())
    for (const filter of stored.subscriptions) delivery.subscribe(session, filter)
    for (const { packetId, frameId } of stored.received) session.received.set(packetId, { frameId, settled: undefined })
    parts.inFlight.unreleased += session.received.size
    const released = new Set<string>()
    for (const { packetId, source, number, state } of stored.sent) {
      const index = sourceOf(source)
      if (index < 0) continue
      // Beyond the head its number will be another message's: the client is to come to an end with the identifier.
      const waiting = state === 'published' && number <= sources[index]!.head
      if (!waiting) released.add(`${source} ${number}`)
      if (!waiting && state === 'published')
        store.write({ kind: 'sent', clientId, sent: { packetId, source, number, state: 'released' } })
      session.flights.set(packetId, { source: index, number, qos: 2, state: waiting ? state : 'released', waiting })
      if (!waiting) session.inFlight++
    }
    for (const { source, number, qos } of owedOf(stored)) {
      if (!released.has(`${sources[source]!.name} ${number}`)) sending.restore(session, source, number, qos)
    }
  }

  const sourceOf = (name: string): number => sources.findIndex(({ name: known }) => known === name)

  /** Not what is beyond the head, of a log that a restore has taken back. */
  function owedOf({ owed }: StoredSession): { source: number; number: number; qos: QoS }[] {
    return owed
      .map(({ source, ...rest }) => ({ source: sourceOf(source), ...rest }))
      .filter(({ source, number }) => source >= 0 && number <= sources[source]!.head)
  }

  return {
    get kept() {
      return kept
    },
    get size() {
      return sessions.size
    },
    get: current,
    taken(clientId, principal) {
      const session = current(clientId)
      return session && session.principalName !== principal ? 'client_id' : undefined
    },
    full(clientId, principal) {
      if (current(clientId)?.kept) return false
      if (kept >= limits.sessionsMax) return true
      // Mostly nobody need be counted.
      if (kept < limits.sessionsPerPrincipalMax) return false
      let its = 0
      for (const session of sessions.values()) if (session.kept && session.principalName === principal) its++
      return its >= limits.sessionsPerPrincipalMax
    },
    isKept: (clientId) => current(clientId)?.kept ?? false,
    enter(clientId, principal, version, { clean, expirySeconds }) {
      const before = current(clientId)
      const usable = before?.kept && !clean && before.principalName === principal.name ? before : undefined
      if (before && !usable) discard(before)
      if (usable) sending.detach(usable)
      const session = usable ?? newSession<P>(clientId, { name: principal.name, principal }, version)
      session.principal = principal
      session.protocolVersion = version
      session.endsAt = undefined
      session.expirySeconds = Math.min(expirySeconds, limits.sessionExpirySecondsMax)
      sessions.set(clientId, session)
      if (expirySeconds > 0 && !session.kept) kept++
      session.kept = expirySeconds > 0
      if (usable && !session.kept) {
        // MQTT 5: it goes on, and ends with this connection.
        kept--
        store.write({ kind: 'session_gone', clientId })
      }
      if (session.kept) put(session, undefined)
      delivery.changed()
      return session
    },
    leave(session, expirySeconds) {
      if (expirySeconds === 0 || !session.kept) return discard(session)
      sending.detach(session)
      session.expirySeconds = Math.min(expirySeconds, limits.sessionExpirySecondsMax)
      session.endsAt = endsAfter(session.expirySeconds)
      put(session, clock.now())
    },
    discard,
    expire() {
      const now = clock.monotonic()
      for (const session of sessions.values())
        if (session.endsAt !== undefined && session.endsAt <= now) discard(session)
    },
    restore(stored, principalOf) {
      for (const group of stored.filter(isGroup)) sharing.restore(group.clientId, owedOf(group))
      for (const session of stored.filter((each) => !isGroup(each))) {
        restoreOne(session, principalOf(session.principal, session.clientId))
      }
      sharing.restored()
    },
    renew(principal, principalOf) {
      for (const session of sessions.values()) {
        if (session.principalName === principal) session.principal = principalOf(principal, session.clientId)
      }
      delivery.changed()
    },
  }
}

const isGroup = ({ clientId }: StoredSession): boolean => sharedFilter(clientId) !== undefined
