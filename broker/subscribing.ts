// SUBSCRIBE and UNSUBSCRIBE (MQTT 3.1.1 and 5 §3.8 to §3.11). Each filter is answered for itself; a denied one leaves the connection
// standing. What a kept session subscribed to is on disk before SUBACK, and in force when it leaves.

import { parser, type ISubscribePacket, type IUnsubscribePacket } from 'mqtt-packet'

import { suback, unsuback } from './answers.ts'
import type { Delivery } from './delivery.ts'
import type { Gate } from './gate.ts'
import type { Limits } from './limits.ts'
import { reasonCode } from './packets.ts'
import type { BrokerParts, Principal, QoS } from './port.ts'
import type { Retained } from './retained.ts'
import type { Sending } from './sending.ts'
import type { Session } from './session.ts'
import { sharedFilter } from './shared-filter.ts'
import type { SessionStore, StoredFilter } from './stored.ts'
import type { Tally } from './tally.ts'

export interface Subscribing<P extends Principal> {
  /** One whole packet, found sound. It answers; what the client sent behind it comes after. */
  subscribe(session: Session<P>, gate: Gate, packet: Buffer): void
  unsubscribe(session: Session<P>, gate: Gate, packet: Buffer): void
  /** Whether it may have this filter now. */
  permits(session: Session<P>, filter: string): boolean
}

export interface SubscribingParts<P extends Principal> {
  readonly house: Pick<BrokerParts<P>, 'maySubscribe' | 'mayReceive' | 'explain'>
  readonly limits: Pick<Limits, 'subscriptionsPerClientMax' | 'subscriptionsInAllMax'>
  readonly tally: Tally
  readonly store: Pick<SessionStore, 'write' | 'flush'>
  readonly retained: Retained
  readonly delivery: Pick<Delivery<P>, 'subscribe' | 'unsubscribe' | 'subscriptionCount'>
  readonly sending: Pick<Sending<P>, 'offerRetained' | 'pump'>
  /** The source whose messages are retained. */
  readonly retaining: number
}

/** Of one SUBSCRIBE, so much is looked for in one turn: others have theirs in between. */
const filtersPerTurn = 50
const retainedPerTurn = 2_000

export function createSubscribing<P extends Principal>(parts: SubscribingParts<P>): Subscribing<P> {
  const { house, limits, tally, store, retained, delivery, sending, retaining } = parts

  function permits({ principal }: Session<P>, filter: string): boolean {
    const shared = sharedFilter(filter)
    const inner = shared?.filter ?? filter
    // Nothing is published on `$SYS/…` here. Who may read it is told so by silence, since a refusal makes many clients start over.
    const readable = !inner.startsWith('$') || inner.startsWith('$SYS/')
    return principal !== undefined && readable && house.maySubscribe(principal, inner)
  }

  /** The QoS that is granted, or a reason code of MQTT 5; `held`: filters that it has or is granted. */
  function verdict(session: Session<P>, { filter, qos }: StoredFilter, held: Set<string>): number {
    if (filter.startsWith('$share/') && !sharedFilter(filter)) return reasonCode.filter
    if (!permits(session, filter)) {
      const { clientId, principalName } = session
      tally.forbid({ kind: 'forbidden', action: 'subscribe', clientId, principal: principalName, topic: filter })
      return reasonCode.notAuthorized
    }
    const inAll = delivery.subscriptionCount - session.subscriptions.size + held.size
    const isFull = held.size >= limits.subscriptionsPerClientMax || inAll >= limits.subscriptionsInAllMax
    if (isFull && !held.has(filter)) return reasonCode.quotaExceeded
    held.add(filter)
    return qos
  }

  /** Of the first filter that is refused: which, why, and what to do. */
  function refusedWords(
    session: Session<P>,
    asked: readonly StoredFilter[],
    codes: readonly number[],
  ): string | undefined {
    const refused = codes.find((code) => code > 2)
    return firstWith(codes, refused, (index) => {
      if (refused === reasonCode.quotaExceeded) return 'no more subscriptions are taken; use fewer and wider filters'
      if (refused === reasonCode.filter) return 'a shared subscription is written $share/<group>/<filter>'
      return house.explain(session.principal!, { what: 'subscribe', topic: asked[index]!.filter })
    })
  }

  /** `then` ends with `gate.answered`. */
  function whenStored(session: Session<P>, gate: Gate, then: () => void): void {
    if (!session.kept) return then()
    store.flush().then(
      () => {
        if (session.connection?.gate === gate) then()
      },
      // It is not answered, and comes again.
      () => gate.cut('unstored', reasonCode.serverBusy),
    )
  }

  /** In force from here: what was published before is retained or not, what is published after is delivered. */
  function apply(session: Session<P>, filters: readonly StoredFilter[]): StoredFilter[] {
    return filters.filter((filter) => {
      const isNew = delivery.subscribe(session, filter)
      // [MQTT-4.8.2]: shared subscriptions are given no retained messages.
      return !sharedFilter(filter.filter) && (filter.retainHandling === 0 || (filter.retainHandling === 1 && isNew))
    })
  }

  function offerRetained(session: Session<P>, gate: Gate, filters: readonly StoredFilter[], from = 0): void {
    let found = 0
    let at = from
    for (; at < filters.length && at < from + filtersPerTurn && found < retainedPerTurn; at++) {
      const { filter, qos, noLocal, identifier } = filters[at]!
      for (const message of retained.matching(filter)) {
        found++
        // [MQTT-3.8.3-3]
        if (noLocal && message.clientId === session.clientId) continue
        if (!house.mayReceive(session.principal!, message.topic)) continue
        sending.offerRetained(session, retaining, message, qos, identifier)
      }
    }
    sending.pump(session)
    if (at === filters.length) return gate.answered()
    setImmediate(() => {
      if (session.kept || session.connection?.gate === gate) offerRetained(session, gate, filters, at)
    })
  }

  return {
    permits,
    subscribe(session, gate, bytes) {
      const { clientId, kept } = session
      const packet = read(bytes, gate.version) as ISubscribePacket
      const identifier = packet.properties?.subscriptionIdentifier
      const asked = packet.subscriptions.map((each) => storedFilter(each, identifier))
      // [MQTT-3.8.3-4]
      if (asked.some(({ filter, noLocal }) => noLocal && filter.startsWith('$share/'))) {
        gate.fault = 'No Local on a shared subscription'
        return gate.cut('protocol', reasonCode.protocol)
      }
      const held = new Set(session.subscriptions.keys())
      const codes = asked.map((filter) => verdict(session, filter, held))
      // Of a filter that comes twice the last stands.
      const last = new Map(asked.filter((_, index) => codes[index]! <= 2).map((filter) => [filter.filter, filter]))
      const granted = [...last.values()]
      if (kept) store.write(...granted.map((subscription) => ({ kind: 'subscribed', clientId, subscription }) as const))
      whenStored(session, gate, () => {
        const words = gate.wantsReasons ? refusedWords(session, asked, codes) : undefined
        gate.sendOrCut(suback(gate.version, packet.messageId!, codes, gate.reason(words)))
        offerRetained(session, gate, apply(session, granted))
      })
    },
    unsubscribe(session, gate, bytes) {
      const { clientId, kept, subscriptions } = session
      const packet = read(bytes, gate.version) as IUnsubscribePacket
      const filters = packet.unsubscriptions
      const codes = filters.map((filter) => (subscriptions.has(filter) ? 0 : reasonCode.noSubscription))
      if (kept) store.write(...filters.map((filter) => ({ kind: 'unsubscribed', clientId, filter }) as const))
      whenStored(session, gate, () => {
        for (const filter of filters) delivery.unsubscribe(session, filter)
        const words = firstWith(codes, reasonCode.noSubscription, () => 'there is no such subscription')
        gate.sendOrCut(unsuback(gate.version, packet.messageId!, codes, gate.reason(words)))
        gate.answered()
      })
    },
  }
}

/** `packetFault` has found it sound. */
function read(bytes: Buffer, version: number): unknown {
  let packet: unknown
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (each) => (packet = each))
  reader.parse(bytes)
  return packet
}

/** Says which it is where there are several. */
function firstWith(
  codes: readonly number[],
  code: number | undefined,
  words: (index: number) => string,
): string | undefined {
  const index = code === undefined ? -1 : codes.indexOf(code)
  if (index < 0) return undefined
  return codes.length === 1 ? words(index) : `filter ${index + 1} of ${codes.length}: ${words(index)}`
}

type Asked = ISubscribePacket['subscriptions'][number]

const storedFilter = ({ topic, qos, nl, rap, rh }: Asked, identifier: number | undefined): StoredFilter => ({
  filter: topic,
  qos: qos as QoS,
  noLocal: nl ?? false,
  retainAsPublished: rap ?? false,
  retainHandling: (rh ?? 0) as 0 | 1 | 2,
  ...(identifier !== undefined && { identifier }),
})
