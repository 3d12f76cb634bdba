// What a link to another broker asks of the house and offers it. As for the broker: formats, policy, topics and the log are functions
// that it is given.

import type { Duplex } from 'node:stream'
import type { LinkGreeting } from './link-connection.ts'
import type { BrokerParts, Clock, MessageProperties, Principal, QoS } from './port.ts'
import type { SessionStore } from './stored.ts'

export interface Link {
  /** Connects, and goes on doing so. */
  start(): void
  /** The log has more. */
  wake(): void
  state(): LinkState
  /** Ends in order; what was not acknowledged stays where it is. */
  stop(): Promise<void>
}

export interface LinkParts {
  readonly name: string
  readonly greeting: LinkGreeting
  /** What it asks the other broker for. */
  readonly subscriptions: readonly LinkSubscription[]
  /** What it is to publish there, urgent sources first. */
  readonly sources: readonly LinkSource[]
  readonly limits: LinkLimits
  readonly house: Pick<
    BrokerParts<Principal>,
    'take' | 'mayPublish' | 'mayBeAnswered' | 'explain' | 'newFrameId' | 'isStored'
  >
  readonly store: LinkStore
  readonly clock: Clock
  /** 0 ≤ x < 1; spreads the attempts of many gateways. */
  readonly random: () => number
  dial(): Duplex
  /** Told of what an operator should know. It must not throw. */
  readonly tell: (event: LinkEvent) => void
}

export interface LinkLimits {
  /** Messages on their way to the log; told to an MQTT 5 broker as Receive Maximum. */
  readonly inFlightMax: number
  /** Messages on their way to the other broker without its acknowledgement; fewer when it says so. */
  readonly sentUnansweredMax: number
  readonly packetBytesMax: number
}

export interface LinkSubscription {
  readonly filter: string
  readonly qos: QoS
}

/** One series of messages of the log, as far as this link is to publish them. */
export interface LinkSource {
  /** Part of what is stored; never changed. */
  readonly name: string
  /** Its messages go before those of the others. */
  readonly urgent: boolean
  readonly head: number
  /** A bounded piece of what is above `after`, in order; undefined: nothing is. `through` > `after`. Synchronous. */
  read(after: number): LinkSlice | undefined
}

export interface LinkSlice {
  readonly messages: readonly LinkMessage[]
  readonly through: number
  /** Numbers of which the log has nothing any more. */
  readonly gone: number
}

/** As it is to be published there. */
export interface LinkMessage {
  readonly number: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
  readonly properties?: MessageProperties
  /** Nanoseconds since 1970, for expiry. */
  readonly receivedAt: bigint
}

/** What outlives the process: how far each source is acknowledged there, and what is on its way in at QoS 2. */
export interface LinkStore extends Pick<SessionStore, 'write' | 'flush'> {
  /** Undefined: this link never had one; it begins at the head. */
  place(source: string): number | undefined
  /** In memory at once, on disk within a second: after a crash what was acknowledged in that second is sent again. */
  setPlace(source: string, number: number): void
  /** QoS 2, by packet identifier: the frame of each. */
  received(): ReadonlyMap<number, Uint8Array>
  /** Filters for which the other broker's session was subscribed. */
  filters(): readonly string[]
  setFilters(filters: readonly string[]): void
}

/** `refused`: the other broker said no. `too_large`: it does not take packets of that size. */
export type LinkDropCause = 'too_large' | 'refused' | 'expired' | 'gone'

export type LinkEvent =
  | { readonly kind: 'up' }
  /** `downMs`: since it was last up, or since it was started. */
  | { readonly kind: 'down'; readonly why: string; readonly downMs: number }
  /** Filters that the other broker does not permit, or messages that it does not take. */
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'dropped'; readonly cause: LinkDropCause; readonly topic?: string; readonly count: number }

export interface LinkState {
  readonly isUp: boolean
  /** Nanoseconds since 1970 since when it is up, or down. */
  readonly since: bigint
  /** What is wrong, in words. */
  readonly problem: string | undefined
  /** By source, numbers of the log that it has not dealt with. */
  readonly lag: ReadonlyMap<string, number>
  /** Acknowledged by the other broker. */
  readonly published: number
  /** Acknowledged to it. */
  readonly received: number
  readonly connects: number
  readonly dropped: Readonly<Record<LinkDropCause, number>>
  readonly lastReceivedAt: bigint | undefined
  readonly lastPublishedAt: bigint | undefined
}
