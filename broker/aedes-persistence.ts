// What aedes asks of a store. It has the life of a connection; of sessions, subscriptions and messages it knows nothing.

import { Readable } from 'node:stream'

import type { Client, PublishPacket } from 'aedes'

import type { Persistence } from './aedes-inside.ts'

export interface PersistenceParts {
  storeWill(client: Client, will: PublishPacket): Promise<void>
  /** The client is being let in: none of before counts any more. */
  cameBack(client: Client): void
}

const nothing = (): Promise<void> => Promise.resolve()
const noStream = (): Readable => Readable.from([])

export function createPersistence(parts: PersistenceParts): Persistence {
  return {
    // aedes wants to see an async function.
    setup: async () => {},
    // aedes never sees a subscription.
    subscriptionsByClient: () => Promise.resolve([]),
    // At a clean start, and when aedes thinks that a session of MQTT 5 has ended: both are ours to know.
    cleanSubscriptions: nothing,
    putWill: (client, will) => parts.storeWill(client, will),
    // aedes says it with the client itself when that comes, and else with its id alone, though the will may be that of a later
    // connection by then: we know ourselves when one has been sent, or is not to be.
    delWill: (client) => {
      if ('conn' in client) parts.cameBack(client as Client)
      return Promise.resolve()
    },
    // aedes sweeps for wills of other brokers here, and takes ours for theirs when the machine's clock has jumped or it slept.
    streamWill: noStream,
    outgoingStream: noStream,
    outgoingClearMessageId: nothing,
  }
}
