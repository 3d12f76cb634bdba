// From the log to subscribers: who is to be given each message, in the order of its source. It is called for each commit before any
// of it is acknowledged, and touches no socket that does not take more; so retained messages and what sessions are owed always cover
// what was acknowledged, and nobody waits for a subscriber.

import { createMatcher } from './matcher.ts'
import type { Principal } from './port.ts'
import type { Retained } from './retained.ts'
import type { Recipient, Sending } from './sending.ts'
import type { Session, Subscription } from './session.ts'
import type { DeliverableMessage, MessageSource, SessionStore, StoredFilter } from './stored.ts'

export interface Delivery<P extends Principal> {
  /** All of a source's messages up to `through` that were not given before, in order. */
  advance(source: number, messages: readonly DeliverableMessage[], through: number): void
  /** At start: what came after the store was written last. */
  catchUp(through: ReadonlyMap<string, number>): void
  /** In force when it returns: what is published from now on is delivered. True when the filter is new. */
  subscribe(session: Session<P>, filter: StoredFilter): boolean
  unsubscribe(session: Session<P>, filter: string): void
  /** Permissions or the presence of a session have changed. */
  changed(): void
  recipientOf(session: Session<P>, topic: string): Recipient | undefined
  isWanted(topic: string): boolean
  isWantedBelow(root: string): boolean
}

export interface DeliveryParts<P extends Principal> {
  readonly sources: readonly MessageSource[]
  readonly store: Pick<SessionStore, 'write'>
  readonly retained: Retained
  readonly sending: () => Pick<Sending<P>, 'offer'>
  mayReceive(principal: P, topic: string): boolean
}

/** Topics whose recipients are remembered. */
const rememberedMax = 10_000
const scannedAtOnce = 5_000

type Recipients<P extends Principal> = ReadonlyMap<Session<P>, Recipient>

export function createDelivery<P extends Principal>(parts: DeliveryParts<P>): Delivery<P> {
  const { sources, store, retained } = parts
  const matcher = createMatcher<Subscription<P>>()
  const remembered = new Map<string, Recipients<P>>()
  const below = new Map<string, boolean>()
  const nobody: Recipients<P> = new Map()
  const reached = sources.map(() => 0)

  function recipients(topic: string): Recipients<P> {
    if (matcher.size === 0) return nobody
    let found = remembered.get(topic)
    if (!found) {
      if (remembered.size >= rememberedMax) remembered.clear()
      remembered.set(topic, (found = find(topic)))
    }
    return found
  }

  /** One copy for each session, whatever its filters: at the highest QoS, with every identifier (MQTT 3.1.1 and 5 §3.3.5). */
  function find(topic: string): Recipients<P> {
    const found = new Map<Session<P>, Recipient>()
    matcher.each(topic, ({ session, qos, noLocal, retainAsPublished, identifier }) => {
      // Who is not known yet is asked about when it is here again.
      if (session.principal && !parts.mayReceive(session.principal, topic)) return
      const before = found.get(session)
      const identifiers = identifier === undefined ? [] : [identifier]
      found.set(
        session,
        before
          ? {
              qos: before.qos > qos ? before.qos : qos,
              noLocal: before.noLocal && noLocal,
              retainAsPublished: before.retainAsPublished || retainAsPublished,
              identifiers: [...before.identifiers, ...identifiers],
            }
          : { qos, noLocal, retainAsPublished, identifiers },
      )
    })
    return found.size > 0 ? found : nobody
  }

  function changed(): void {
    remembered.clear()
    below.clear()
  }

  function advance(source: number, messages: readonly DeliverableMessage[], through: number): void {
    const sending = parts.sending()
    for (const message of messages) {
      if (message.number <= reached[source]!) continue
      if (message.retain) retained.apply(message)
      const found = recipients(message.topic)
      for (const [session, recipient] of found) sending.offer(session, source, message, recipient)
    }
    if (through <= reached[source]!) return
    reached[source] = through
    store.write({ kind: 'through', source: sources[source]!.name, number: through })
  }

  return {
    advance,
    catchUp(through) {
      for (const [index, source] of sources.entries()) {
        const head = source.head
        reached[index] = Math.min(through.get(source.name) ?? head, head)
        for (let slice; reached[index]! < head && (slice = source.scan(reached[index]!, scannedAtOnce));) {
          advance(index, slice.messages, slice.through)
        }
        reached[index] = Math.max(reached[index]!, head)
        // Whatever is stored from now on stands for what was done up to here.
        store.write({ kind: 'through', source: source.name, number: reached[index]! })
      }
    },
    subscribe(session, filter) {
      const before = session.subscriptions.get(filter.filter)
      if (before) matcher.remove(filter.filter, before)
      const subscription = { ...filter, session }
      session.subscriptions.set(filter.filter, subscription)
      matcher.add(filter.filter, subscription)
      changed()
      return before === undefined
    },
    unsubscribe(session, filter) {
      const subscription = session.subscriptions.get(filter)
      if (!subscription) return
      session.subscriptions.delete(filter)
      matcher.remove(filter, subscription)
      changed()
    },
    changed,
    recipientOf: (session, topic) => recipients(topic).get(session),
    isWanted: (topic) => recipients(topic).size > 0,
    isWantedBelow(root) {
      let wanted = below.get(root)
      if (wanted === undefined) below.set(root, (wanted = matcher.reachesBelow(root)))
      return wanted
    },
  }
}
