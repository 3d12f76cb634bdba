// The parts of aedes 2.0.0-beta.1 that we use and its types do not tell of. Nothing else in the house knows them; each is held by
// a test, so that a new version of aedes cannot change one unnoticed.

import type { Aedes, Client, PublishPacket } from 'aedes'

export interface AedesInside extends Omit<Aedes, 'publish' | 'subscribe' | 'unsubscribe'> {
  publish: Publish
  subscribe: Listen
  unsubscribe: Listen
}

export type Publish = (
  packet: PublishPacket,
  client: Client | null | ((error?: Error) => void),
  done?: (error?: Error) => void,
) => void

type Listen = (topic: string, listener: unknown, done?: () => void) => void

export interface ClientInside extends Client {
  subscriptions: Record<string, unknown>
  readonly _parser: { parse(bytes: Buffer): number }
  /** Runs out one and a half times the keep-alive after the last packet that aedes has seen; null: the client asked for none. */
  readonly _keepaliveTimer: NodeJS.Timeout | null
  /** Milliseconds. */
  readonly _keepaliveInterval: number
}

/** As SUBSCRIBE asks for it, and with the QoS that was granted in the event; 128 and above: refused. */
export interface AedesSubscription {
  readonly topic: string
  readonly qos: number
  readonly nl?: boolean
  readonly rap?: boolean
  readonly rh?: number
  readonly subscriptionIdentifier?: number
}

export interface Persistence {
  setup(): Promise<void>
  subscriptionsByClient(client: { readonly id: string }): Promise<readonly AedesSubscription[]>
  addSubscriptions(client: Client, subscriptions: readonly AedesSubscription[]): Promise<void>
  removeSubscriptions(client: Client, filters: readonly string[]): Promise<void>
  cleanSubscriptions(): Promise<void>
  putWill(client: Client, will: PublishPacket): Promise<void>
  delWill(client: { readonly id: string }): Promise<void>
  streamWill(): AsyncIterable<unknown>
  outgoingStream(): AsyncIterable<unknown>
  outgoingClearMessageId(): Promise<void>
  createRetainedStreamCombi(): AsyncIterable<unknown>
}
