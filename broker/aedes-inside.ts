// The parts of aedes 2.0.0-beta.1 that we use and its types do not tell of. Nothing else in the house knows them; each is held by
// a test, so that a new version of aedes cannot change one unnoticed.

import type { Aedes, Client, PublishPacket } from 'aedes'

export interface AedesInside extends Omit<Aedes, 'publish'> {
  mq: {
    emit(message: PublishPacket, done?: () => void): unknown
    /** Who is subscribed at this moment. */
    readonly _matcher: { match(topic: string): readonly unknown[] }
  }
  persistence: Persistence
  publish: Publish
}

export type Publish = (
  packet: PublishPacket,
  client: Client | null | ((error?: Error) => void),
  done?: (error?: Error) => void,
) => void

export interface ClientInside extends Client {
  subscriptions: Record<string, { readonly qos: number } | undefined>
  /** How many packets of the chunk last read are not done; it reads on at 0. */
  _parsingBatch: number
  readonly _parser: { parse(bytes: Buffer): number }
  /** Runs out one and a half times the keep-alive after the last packet that aedes has seen; null: the client asked for none. */
  readonly _keepaliveTimer: NodeJS.Timeout | null
}

/** What a client's stored session is known by. */
export interface SessionOwner {
  readonly id: string
}

export interface StoredSubscription {
  readonly clientId: string
  readonly topic: string
}

/** A PUBLISH, or the PUBREL that took its place. */
export interface QueuedPacket extends Omit<PublishPacket, 'cmd'> {
  readonly cmd: 'publish' | 'pubrel'
  readonly brokerCounter: number
}

export interface Persistence {
  storeRetained(packet: PublishPacket): PromiseLike<unknown>
  subscriptionsByTopic(topic: string): PromiseLike<readonly StoredSubscription[]>
  addSubscriptions(client: SessionOwner, subscriptions: readonly { topic: string }[]): Promise<unknown>
  cleanSubscriptions(client: SessionOwner): Promise<unknown>
  outgoingEnqueueCombi(subscriptions: readonly StoredSubscription[], packet: QueuedPacket): PromiseLike<unknown>
  outgoingUpdate(client: SessionOwner, packet: QueuedPacket): PromiseLike<unknown>
  outgoingClearMessageId(client: SessionOwner, packet: { messageId?: number }): PromiseLike<unknown>
  outgoingStream(client: SessionOwner): AsyncIterable<QueuedPacket>
  incomingStorePacket(client: SessionOwner, packet: PublishPacket): Promise<unknown>
  incomingGetPacket(client: SessionOwner, packet: PublishPacket): Promise<unknown>
  incomingDelPacket(client: SessionOwner, packet: { messageId?: number }): Promise<unknown>
  delWill(client: SessionOwner): Promise<unknown>
  streamWill(brokers?: object): AsyncIterable<unknown>
}
