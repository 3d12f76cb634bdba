// Shared subscriptions (MQTT 5 §4.8.2): each message goes to one member of the group. What the group is owed is the group's until a
// member acknowledges it, so that nothing is lost with a member; at QoS 2 a message belongs to its member from when it is sent, since
// nobody else could tell whether it arrived.

import { bytesOf } from './kept.ts'
import { createOwedQueue, type OwedQueue } from './owed-queue.ts'
import type { Limits } from './limits.ts'
import type { DropCause, Principal, QoS } from './port.ts'
import { readAgainMs } from './reading.ts'
import type { Session } from './session.ts'
import { sharedFilter } from './shared-filter.ts'
import type { DeliverableMessage, MessageSource, SessionStore, StoredFilter } from './stored.ts'

/** Named by its filter, `$share/…` and all; under this name the store has what it is owed. */
export interface ShareGroup<P extends Principal> {
  readonly name: string
  readonly members: Map<Session<P>, StoredFilter>
  readonly owed: (OwedQueue | undefined)[]
  owedCount: number
  /** A member's session outlives its connection, and so does what the group is owed. */
  kept: boolean
  /** Whose turn it is. */
  turn: number
  dispatching: boolean
}

export interface Unanswered<P extends Principal> {
  readonly group: ShareGroup<P>
  readonly source: number
  readonly number: number
}

export interface Sharing<P extends Principal> {
  join(session: Session<P>, filter: StoredFilter): ShareGroup<P>
  /** The group when nobody is left in it: it is over. */
  leave(session: Session<P>, name: string): ShareGroup<P> | undefined
  offer(group: ShareGroup<P>, source: number, message: DeliverableMessage): void
  /** A member has acknowledged it. */
  paid(group: ShareGroup<P>, source: number, number: number): void
  /** There are members to whom it can go back. */
  isOpen(group: ShareGroup<P>): boolean
  /** A member has gone without acknowledging these, in the order in which it was sent them. */
  back(unanswered: readonly Unanswered<P>[]): void
  /** The session takes more. */
  freed(session: Session<P>): void
  /** From the store, before any member. */
  restore(name: string, owed: readonly { readonly source: number; readonly number: number }[]): void
  /** All members are restored: groups without any are over. */
  restored(): void
  readonly owedCount: number
}

export interface SharingParts<P extends Principal> {
  readonly sources: readonly MessageSource[]
  readonly store: Pick<SessionStore, 'write'>
  readonly limits: Pick<Limits, 'queuedMessagesMax' | 'queuedMessagesInAllMax'>
  dropped(cause: DropCause, clientId: string): void
  mayReceive(principal: P, topic: string): boolean
  keep(source: number, message: DeliverableMessage): void
  /** Undefined: it is gone or expired, and counted. `later`: it cannot be read now. */
  find(source: number, number: number, name: string): DeliverableMessage | 'later' | undefined
  /** Whether a member takes one more of this source at that QoS now. */
  takes(session: Session<P>, source: number, qos: QoS): boolean
  /** Sends it to a member now; false: it does not take more. */
  give(
    session: Session<P>,
    source: number,
    message: DeliverableMessage,
    filter: StoredFilter,
    qos: QoS,
    group: ShareGroup<P>,
  ): boolean
}

/** Of a packet, what stands beside what its sender filled, about. */
const headBytes = 32
/** Of what a group is owed, in one turn. */
const lookedAtOnce = 500

export function createSharing<P extends Principal>(parts: SharingParts<P>): Sharing<P> {
  const { sources, store, limits } = parts
  const groups = new Map<string, ShareGroup<P>>()
  const ofSession = new Map<Session<P>, Set<ShareGroup<P>>>()
  let owedCount = 0

  function groupOf(name: string): ShareGroup<P> {
    let group = groups.get(name)
    if (!group) {
      const none = { members: new Map(), owed: [], owedCount: 0, kept: false, turn: 0, dispatching: false }
      groups.set(name, (group = { name, ...none }))
    }
    return group
  }

  function queueOf({ owed }: ShareGroup<P>, source: number): OwedQueue {
    return (owed[source] ??= createOwedQueue())
  }

  function count(group: ShareGroup<P>, by: number): void {
    group.owedCount += by
    owedCount += by
  }

  function paid(group: ShareGroup<P>, source: number, number: number): void {
    if (group.kept) store.write({ kind: 'paid', clientId: group.name, source: sources[source]!.name, number })
  }

  /** The members in turn, so that each gets its share; one that takes no packet of this size, only where nobody here does. */
  function giveToOne(group: ShareGroup<P>, source: number, message: DeliverableMessage): boolean {
    const members = [...group.members]
    let small: number | undefined
    let isForOthers = false
    for (let tried = 0; tried < members.length; tried++) {
      const at = (group.turn + tried) % members.length
      const { connection, principal } = members[at]![0]
      if (!connection || !principal || !parts.mayReceive(principal, message.topic)) continue
      if (connection.packetBytesMax < Infinity && connection.packetBytesMax < bytesOf(message) + headBytes) small ??= at
      else {
        isForOthers = true
        if (giveTo(group, members, at, source, message)) return true
      }
    }
    return small !== undefined && !isForOthers && giveTo(group, members, small, source, message)
  }

  function giveTo(
    group: ShareGroup<P>,
    members: readonly (readonly [Session<P>, StoredFilter])[],
    at: number,
    source: number,
    message: DeliverableMessage,
  ): boolean {
    const [session, filter] = members[at]!
    const qos: QoS = message.qos < filter.qos ? message.qos : filter.qos
    if (!parts.give(session, source, message, filter, qos, group)) return false
    group.turn = (at + 1) % members.length
    // At QoS 0 there is nothing to wait for.
    if (qos === 0 && message.qos > 0) paid(group, source, message.number)
    return true
  }

  function someTakes({ members }: ShareGroup<P>, source: number): boolean {
    for (const [session, { qos }] of members) if (parts.takes(session, source, qos)) return true
    return false
  }

  /** One that is not known after a restart is asked about when it is here again. */
  const isForSome = ({ members }: ShareGroup<P>, topic: string): boolean =>
    [...members.keys()].some(({ principal }) => !principal || parts.mayReceive(principal, topic))

  function dispatch(group: ShareGroup<P>): void {
    // A member that is given one may ask for more in the same breath.
    if (group.dispatching) return
    group.dispatching = true
    let looked = 0
    for (const [source, queue] of group.owed.entries()) {
      for (let next = queue?.peek(); next && looked < lookedAtOnce; next = queue!.peek(), looked++) {
        // Before the log is read for it.
        if (!someTakes(group, source)) break
        const { number } = next
        const found = parts.find(source, number, group.name)
        if (found === 'later') return void setTimeout(goOn, readAgainMs, group).unref()
        // Nobody may read it any more: it would be in the way of what comes behind it.
        const message = found && isForSome(group, found.topic) ? found : undefined
        if (message && !giveToOne(group, source, message)) break
        queue!.shift()
        count(group, -1)
        if (!message) paid(group, source, number)
      }
    }
    if (looked < lookedAtOnce) group.dispatching = false
    else setImmediate(goOn, group)
  }

  function goOn(group: ShareGroup<P>): void {
    group.dispatching = false
    if (groups.get(group.name) === group) dispatch(group)
  }

  function end(group: ShareGroup<P>): void {
    groups.delete(group.name)
    owedCount -= group.owedCount
    if (group.kept) store.write({ kind: 'session_gone', clientId: group.name })
  }

  return {
    get owedCount() {
      return owedCount
    },
    join(session, filter) {
      const group = groupOf(filter.filter)
      group.members.set(session, filter)
      const mine = ofSession.get(session) ?? new Set()
      ofSession.set(session, mine.add(group))
      if (session.kept && !group.kept) {
        group.kept = true
        const facts = {
          clientId: group.name,
          principal: '',
          protocolVersion: 5,
          expirySeconds: 0,
          leftAt: undefined,
        } as const
        store.write({ kind: 'session', session: facts })
      }
      return group
    },
    leave(session, name) {
      const group = groups.get(name)
      if (!group?.members.delete(session)) return undefined
      const mine = ofSession.get(session)
      mine?.delete(group)
      if (mine?.size === 0) ofSession.delete(session)
      if (group.members.size > 0) return undefined
      end(group)
      return group
    },
    offer(group, source, message) {
      const { number, qos, topic } = message
      if (!isForSome(group, topic)) return
      if (qos === 0) {
        if (!giveToOne(group, source, message)) parts.dropped('slow_qos0', group.name)
        return
      }
      const isFull = group.owedCount >= limits.queuedMessagesMax || owedCount >= limits.queuedMessagesInAllMax
      if (isFull && message.kind !== 'urgent') {
        return parts.dropped('offline_queue', group.name)
      }
      if (group.kept) {
        store.write({ kind: 'owed', clientId: group.name, owed: { source: sources[source]!.name, number, qos } })
      }
      if (group.owedCount === 0 && giveToOne(group, source, message)) return
      parts.keep(source, message)
      queueOf(group, source).push(number, qos)
      count(group, 1)
      dispatch(group)
    },
    paid,
    isOpen: (group) => groups.get(group.name) === group,
    back(unanswered) {
      for (const { group, source, number } of unanswered.toReversed()) {
        queueOf(group, source).unshift(number, 1)
        count(group, 1)
      }
      for (const group of new Set(unanswered.map((each) => each.group))) dispatch(group)
    },
    freed(session) {
      const mine = ofSession.get(session)
      if (!mine) return
      const inTurn = [...mine]
      for (const group of inTurn) {
        const { owedCount: before } = group
        if (before > 0) dispatch(group)
        // What was given something has the last turn of the next time.
        if (group.owedCount < before && mine.delete(group)) mine.add(group)
      }
    },
    restore(name, owed) {
      if (!sharedFilter(name)) return
      const group = groupOf(name)
      group.kept = true
      for (const { source, number } of owed) queueOf(group, source).push(number, 1)
      count(group, owed.length)
    },
    restored() {
      for (const group of groups.values()) if (group.members.size === 0) end(group)
    },
  }
}
