// The parts of aedes 2.0.0-beta.1 that we use and its types do not tell of. Nothing else in the house knows them; each is held by
// a test, so that a new version of aedes cannot change one unnoticed.

import type { Aedes, Client, PublishPacket } from 'aedes'

export interface AedesInside extends Omit<Aedes, 'publish'> {
  publish: Publish
  /** Remembers a client whose session of MQTT 5 has not ended, with all that belongs to its connection. */
  scheduleSessionExpiry(client: Client): void
  /** Waits no longer for the end of a will's delay. */
  clearDelayedWill(clientId: string): void
  /** Lets a client in, in the place of one with the same id. */
  registerClient(client: Client): void
}

export type Publish = (
  packet: PublishPacket,
  client: Client | null | ((error?: Error) => void),
  done?: (error?: Error) => void,
) => void

export interface ClientInside extends Client {
  /** It said DISCONNECT, and its will is not to be sent. */
  readonly _disconnected: boolean
  readonly _parser: { parse(bytes: Buffer): number }
  /** Runs out one and a half times the keep-alive after the last packet that aedes has seen; null: the client asked for none. */
  readonly _keepaliveTimer: NodeJS.Timeout | null
  /** Milliseconds. */
  readonly _keepaliveInterval: number
}

export interface Persistence {
  setup(): Promise<void>
  subscriptionsByClient(): Promise<readonly never[]>
  cleanSubscriptions(): Promise<void>
  putWill(client: Client, will: PublishPacket): Promise<void>
  delWill(client: { readonly id: string }): Promise<void>
  streamWill(): AsyncIterable<unknown>
  outgoingStream(): AsyncIterable<unknown>
  outgoingClearMessageId(): Promise<void>
}
