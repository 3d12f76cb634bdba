// What aedes asks of a store, answered from our sessions. aedes has the life of a connection and reads SUBSCRIBE; messages never come
// this way.

import { Readable } from 'node:stream'

import type { Client, PublishPacket } from 'aedes'

import type { AedesSubscription, Persistence } from './aedes-inside.ts'

export interface PersistenceParts {
  /** Of a session that is kept: its subscriptions. */
  subscriptionsOf(clientId: string): readonly AedesSubscription[]
  /** Resolves when they are on disk; SUBACK waits for it. */
  storeSubscriptions(client: Client, subscriptions: readonly AedesSubscription[]): Promise<void>
  removeSubscriptions(client: Client, filters: readonly string[]): Promise<void>
  storeWill(client: Client, will: PublishPacket): Promise<void>
  removeWill(clientId: string): void
}

const nothing = (): Promise<void> => Promise.resolve()
const noStream = (): Readable => Readable.from([])

export function createPersistence(parts: PersistenceParts): Persistence {
  return {
    // aedes wants to see an async function.
    setup: async () => {},
    subscriptionsByClient: ({ id }) => Promise.resolve(parts.subscriptionsOf(id)),
    addSubscriptions: (client, subscriptions) => parts.storeSubscriptions(client, subscriptions),
    removeSubscriptions: (client, filters) => parts.removeSubscriptions(client, filters),
    // At a clean start, and when aedes thinks that a session of MQTT 5 has ended: both are ours to know.
    cleanSubscriptions: nothing,
    putWill: (client, will) => parts.storeWill(client, will),
    delWill: ({ id }) => {
      parts.removeWill(id)
      return Promise.resolve()
    },
    // aedes sweeps for wills of other brokers here, and takes ours for theirs when the machine's clock has jumped or it slept.
    streamWill: noStream,
    outgoingStream: noStream,
    outgoingClearMessageId: nothing,
    createRetainedStreamCombi: noStream,
  }
}
