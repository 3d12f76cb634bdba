// From the log to subscribers: who is to be given each message, in the order of its source. It is called for each commit before any
// of it is acknowledged, and touches no socket that does not take more; so retained messages and what sessions are owed always cover
// what was acknowledged, and nobody waits for a subscriber.

import { createMatcher } from './matcher.ts'
import type { Principal } from './port.ts'
import type { Retained } from './retained.ts'
import { recipientBy, widen, type Recipient, type WideningRecipient } from './recipient.ts'
import type { Sending } from './sending.ts'
import type { Flight, Session, Subscription } from './session.ts'
import { sharedFilter } from './shared-filter.ts'
import type { ShareGroup, Sharing } from './sharing.ts'
import type { DeliverableMessage, MessageSource, SessionStore, StoredFilter } from './stored.ts'

export interface Delivery<P extends Principal> {
  /** All of a source's messages up to `through` that were not given before, in order. */
  advance(source: number, messages: readonly DeliverableMessage[], through: number): void
  /** At start: what came after the store was written last. */
  catchUp(through: ReadonlyMap<string, number>): void
  /** In force when it returns: what is published from now on is delivered. True when the filter is new. */
  subscribe(session: Session<P>, filter: StoredFilter): boolean
  unsubscribe(session: Session<P>, filter: string): void
  /** Of all sessions. */
  readonly subscriptionCount: number
  /** Permissions or the presence of a session have changed. */
  changed(): void
  /** `flight`: its delivery has begun. Undefined: it is not to be given the topic (any more). */
  recipientOf(session: Session<P>, topic: string, flight?: Flight<P>): Recipient | undefined
  isWanted(topic: string): boolean
  isWantedBelow(root: string): boolean
}

export interface DeliveryParts<P extends Principal> {
  readonly sources: readonly MessageSource[]
  readonly store: Pick<SessionStore, 'write'>
  readonly retained: Retained
  readonly sending: () => Pick<Sending<P>, 'offer'>
  readonly sharing: () => Pick<Sharing<P>, 'offer' | 'join' | 'leave'>
  mayReceive(principal: P, topic: string): boolean
}

/** Topics whose recipients are remembered, and recipients with their identifiers of all of them together: some 30 MB. */
const rememberedMax = 10_000
const recipientsMax = 200_000
const scannedAtOnce = 5_000

const unsubscribed: Recipient = { qos: 2, noLocal: false, retainAsPublished: false, identifiers: [] }

interface Recipients<P extends Principal> {
  readonly sessions: ReadonlyMap<Session<P>, Recipient>
  readonly groups: readonly ShareGroup<P>[]
}

export function createDelivery<P extends Principal>(parts: DeliveryParts<P>): Delivery<P> {
  const { sources, store, retained } = parts
  const matcher = createMatcher<Subscription<P> | ShareGroup<P>>()
  const remembered = new Map<string, Recipients<P>>()
  let rememberedRecipients = 0
  let subscriptionCount = 0
  const below = new Map<string, boolean>()
  const nobody: Recipients<P> = { sessions: new Map(), groups: [] }
  const reached = sources.map(() => 0)

  function recipients(topic: string): Recipients<P> {
    if (matcher.size === 0) return nobody
    let found = remembered.get(topic)
    if (!found) {
      if (remembered.size >= rememberedMax || rememberedRecipients >= recipientsMax) forgetRecipients()
      remembered.set(topic, (found = find(topic)))
      rememberedRecipients += found.groups.length
      for (const { identifiers } of found.sessions.values()) rememberedRecipients += 1 + identifiers.length
    }
    return found
  }

  /** One copy for each session, whatever its filters: at the highest QoS, with every identifier (MQTT 3.1.1 and 5 §3.3.5). */
  function find(topic: string): Recipients<P> {
    const found = new Map<Session<P>, WideningRecipient>()
    const groups: ShareGroup<P>[] = []
    matcher.each(topic, (subscription) => {
      if (!('session' in subscription)) {
        groups.push(subscription)
        return
      }
      const { session } = subscription
      // Who is not known yet is asked about when it is here again.
      if (session.principal && !parts.mayReceive(session.principal, topic)) return
      const before = found.get(session)
      if (before) widen(before, subscription)
      else found.set(session, recipientBy(subscription))
    })
    return found.size > 0 || groups.length > 0 ? { sessions: found, groups } : nobody
  }

  function forgetRecipients(): void {
    remembered.clear()
    rememberedRecipients = 0
  }

  function changed(): void {
    forgetRecipients()
    below.clear()
  }

  function advance(source: number, messages: readonly DeliverableMessage[], through: number): void {
    const [sending, sharing] = [parts.sending(), parts.sharing()]
    for (const message of messages) {
      if (message.number <= reached[source]!) continue
      if (message.retain) retained.apply(message)
      const found = recipients(message.topic)
      for (const [session, recipient] of found.sessions) sending.offer(session, source, message, recipient)
      for (const group of found.groups) sharing.offer(group, source, message)
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
      const subscription = { ...filter, session }
      session.subscriptions.set(filter.filter, subscription)
      if (!before) subscriptionCount++
      const shared = sharedFilter(filter.filter)
      if (shared) matcher.add(shared.filter, parts.sharing().join(session, filter))
      else {
        if (before) matcher.remove(filter.filter, before)
        matcher.add(filter.filter, subscription)
      }
      changed()
      return before === undefined
    },
    unsubscribe(session, filter) {
      const subscription = session.subscriptions.get(filter)
      if (!subscription) return
      session.subscriptions.delete(filter)
      subscriptionCount--
      const shared = sharedFilter(filter)
      const over = shared && parts.sharing().leave(session, filter)
      if (over) matcher.remove(shared.filter, over)
      else if (!shared) matcher.remove(filter, subscription)
      changed()
    },
    get subscriptionCount() {
      return subscriptionCount
    },
    changed,
    recipientOf(session, topic, flight) {
      const { sessions, groups } = recipients(topic)
      const own = flight?.filter ? undefined : sessions.get(session)
      if (own) return own
      if (!session.principal || !parts.mayReceive(session.principal, topic)) return undefined
      // One of before a restart does not say by which group it came.
      const group = groups.find(({ members }) => members.has(session))
      const filter = flight?.filter ?? group?.members.get(session)
      if (filter) return recipientBy(filter)
      // What has begun is brought to its end, also when it was unsubscribed since (MQTT 5 §3.10.4).
      return flight && unsubscribed
    },
    isWanted: (topic) => recipients(topic) !== nobody,
    isWantedBelow(root) {
      let wanted = below.get(root)
      if (wanted === undefined) below.set(root, (wanted = matcher.reachesBelow(root)))
      return wanted
    },
  }
}
