// aedes' own in-memory store with bounds around it, and as synchronous as it can be: what finishes out of order is lost in
// aedes' duplicate check. Queues and identifiers of QoS 2 are ours.

import { Readable } from 'node:stream'

import type { PublishPacket } from 'aedes'

import type { AedesInside, Persistence } from './aedes-inside.ts'
import { atOnce } from './at-once.ts'
import type { Limits } from './limits.ts'
import type { DropCause, Verdict } from './port.ts'
import { createQueues } from './queues.ts'

export interface StoreParts {
  readonly limits: Limits
  /** Whether a stored session may be given this topic. */
  mayQueue(clientId: string, topic: string): boolean
  /** Whether this filter was granted: aedes stores all filters of a packet when one is. */
  granted(clientId: string, filter: string): boolean
  dropped(cause: DropCause, clientId: string): void
}

export interface Store {
  counts(): { retained: number; queued: number; queuedBytes: number }
  /** Whether there is a session that may outlive its connection. */
  hasSessions(): boolean
  readonly incoming: Incoming
  /** Removes all that is kept of a session. */
  forget(clientId: string): Promise<void>
}

/** QoS 2 messages on their way in: from PUBLISH to PUBREL. */
export interface Incoming {
  /** The settling of the message that has this identifier already. */
  known(clientId: string, packetId: number): Promise<Verdict> | undefined
  add(clientId: string, packet: PublishPacket, settled: Promise<Verdict>): void
  remove(clientId: string, packetId: number | undefined): void
  clear(clientId: string): void
  size(clientId: string): number
}

export function boundStore(aedes: AedesInside, parts: StoreParts): Store {
  const inner = aedes.persistence
  const queues = createQueues(parts)
  const counts = { retained: 0 }
  const retained = boundRetained(inner, parts, counts)
  const { incoming, methods } = holdIncoming()
  const sessions = new Set<string>()

  const bounded: Partial<Persistence> = {
    ...retained,
    ...queues.methods,
    ...methods,
    // Without stored sessions there is nobody to queue for, and the publish stays synchronous.
    subscriptionsByTopic: (topic) => (sessions.size === 0 ? atOnce([]) : inner.subscriptionsByTopic(topic)),
    addSubscriptions(client, subscriptions) {
      sessions.add(client.id)
      return inner.addSubscriptions(
        client,
        subscriptions.filter(({ topic }) => parts.granted(client.id, topic)),
      )
    },
    // aedes calls this at a clean start, and when a session has ended.
    cleanSubscriptions(client) {
      sessions.delete(client.id)
      queues.drop(client.id)
      return inner.cleanSubscriptions(client)
    },
    // aedes sweeps for wills of other brokers here, and takes ours for theirs when the machine's clock has jumped or it slept.
    streamWill: () => Readable.from([]),
  }
  aedes.persistence = Object.assign(Object.create(inner) as Persistence, bounded)

  return {
    counts: () => ({ ...counts, ...queues.counts }),
    hasSessions: () => sessions.size > 0,
    incoming,
    async forget(clientId) {
      const client = { id: clientId }
      incoming.clear(clientId)
      sessions.delete(clientId)
      await inner.cleanSubscriptions(client)
      await inner.delWill(client)
      queues.drop(clientId)
    },
  }
}

function boundRetained(
  inner: Persistence,
  { limits, dropped }: StoreParts,
  counts: { retained: number },
): Partial<Persistence> {
  const sizes = new Map<string, number>()
  let bytes = 0
  return {
    storeRetained(packet) {
      const { topic } = packet
      const payload = Buffer.from(packet.payload)
      const before = sizes.get(topic)
      const added = payload.length - (before ?? 0)
      const full =
        (before === undefined && sizes.size >= limits.retainedMessagesMax) || bytes + added > limits.retainedBytesMax
      if (payload.length > 0 && full) {
        dropped('retained', '')
        return atOnce(undefined)
      }
      bytes += added
      if (payload.length > 0) sizes.set(topic, payload.length)
      else sizes.delete(topic)
      counts.retained = sizes.size
      // The payload is copied, so that it does not keep the chunk of the socket that it came in. It ends before this returns.
      void inner.storeRetained({ ...packet, payload })
      return atOnce(undefined)
    },
  }
}

function holdIncoming(): { incoming: Incoming; methods: Partial<Persistence> } {
  const sessions = new Map<string, Map<number, { packet: PublishPacket; settled: Promise<Verdict> }>>()
  const incoming: Incoming = {
    known: (clientId, packetId) => sessions.get(clientId)?.get(packetId)?.settled,
    add(clientId, packet, settled) {
      const packets = sessions.get(clientId) ?? new Map()
      packets.set(packet.messageId, { packet, settled })
      sessions.set(clientId, packets)
    },
    remove(clientId, packetId) {
      const packets = sessions.get(clientId)
      if (packetId !== undefined) packets?.delete(packetId)
      if (packets?.size === 0) sessions.delete(clientId)
    },
    clear: (clientId) => void sessions.delete(clientId),
    size: (clientId) => sessions.get(clientId)?.size ?? 0,
  }
  const methods: Partial<Persistence> = {
    // Its identifier is held since it came in.
    incomingStorePacket: () => Promise.resolve(),
    incomingGetPacket(client, packet) {
      const known = sessions.get(client.id)?.get(packet.messageId ?? 0)
      // The first of its identifier is the new one; a PUBREL, or the same PUBLISH sent again, finds it.
      return known && known.packet !== packet ? Promise.resolve(known.packet) : Promise.reject(notFound)
    },
    incomingDelPacket(client, packet) {
      incoming.remove(client.id, packet.messageId)
      return Promise.resolve()
    },
  }
  return { incoming, methods }
}

const notFound = new Error('no such packet')
