// aedes' own in-memory store with bounds around it, and as synchronous as it can be: what finishes out of order is lost in
// aedes' duplicate check. A full queue keeps what came first and drops what is new, counted and told; the log has it all.

import { Readable } from 'node:stream'

import type { PublishPacket } from 'aedes'

import type { AedesInside, Persistence, QueuedPacket, SessionOwner } from './aedes-inside.ts'
import type { Limits } from './limits.ts'
import type { DropCause, Verdict } from './port.ts'

export interface StoreParts {
  readonly limits: Limits
  /** Whether a stored session may be given this topic. */
  mayQueue(clientId: string, topic: string): boolean
  /** Whether this filter was granted: aedes stores all filters of a packet when one is. */
  granted(clientId: string, filter: string): boolean
  dropped(cause: DropCause, clientId: string): void
}

export interface Store {
  readonly counts: { retained: number; queued: number; queuedBytes: number }
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
  const counts = { retained: 0, queued: 0, queuedBytes: 0 }
  const retained = boundRetained(inner, parts, counts)
  const outgoing = boundOutgoing(inner, parts, counts)
  const { incoming, methods } = holdIncoming()
  const sessions = new Set<string>()

  const bounded: Partial<Persistence> = {
    ...retained,
    ...outgoing.methods,
    ...methods,
    // Without stored sessions there is nobody to queue for, and the publish stays synchronous.
    subscriptionsByTopic: (topic) => (sessions.size === 0 ? done([]) : inner.subscriptionsByTopic(topic)),
    addSubscriptions(client, subscriptions) {
      sessions.add(client.id)
      return inner.addSubscriptions(
        client,
        subscriptions.filter(({ topic }) => parts.granted(client.id, topic)),
      )
    },
    cleanSubscriptions(client) {
      sessions.delete(client.id)
      return inner.cleanSubscriptions(client)
    },
    // aedes sweeps for wills of other brokers here, and takes ours for theirs when the machine's clock has jumped or it slept.
    streamWill: () => Readable.from([]),
  }
  aedes.persistence = Object.assign(Object.create(inner) as Persistence, bounded)

  return {
    counts,
    incoming,
    async forget(clientId) {
      const client = { id: clientId }
      incoming.clear(clientId)
      sessions.delete(clientId)
      await inner.cleanSubscriptions(client)
      await inner.delWill(client)
      await outgoing.drain(client)
    },
  }
}

function boundRetained(
  inner: Persistence,
  { limits, dropped }: StoreParts,
  counts: Store['counts'],
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
        return done(undefined)
      }
      bytes += added
      if (payload.length > 0) sizes.set(topic, payload.length)
      else sizes.delete(topic)
      counts.retained = sizes.size
      // The payload is copied, so that it does not keep the chunk of the socket that it came in. It ends before this returns.
      void inner.storeRetained({ ...packet, payload })
      return done(undefined)
    },
  }
}

function boundOutgoing(inner: Persistence, parts: StoreParts, counts: Store['counts']) {
  const { limits } = parts
  const queues = new Map<string, { messages: number; bytes: number }>()

  function add(clientId: string, messages: number, bytes: number): void {
    const queue = queues.get(clientId) ?? { messages: 0, bytes: 0 }
    queue.messages += messages
    queue.bytes += bytes
    counts.queued += messages
    counts.queuedBytes += bytes
    if (queue.messages === 0) queues.delete(clientId)
    else queues.set(clientId, queue)
  }

  function remove(clientId: string, cleared: QueuedPacket): void {
    const queue = queues.get(clientId)
    if (!queue) return
    // A PUBREL stands where its message was, and no longer says how large that was.
    const whole = queue.messages === 1 ? queue.bytes : Math.round(queue.bytes / queue.messages)
    const size = cleared.cmd === 'publish' && queue.messages > 1 ? sizeOf(cleared) : whole
    add(clientId, -1, -Math.min(size, queue.bytes))
  }

  const methods: Partial<Persistence> = {
    outgoingEnqueueCombi(subscriptions, packet) {
      const size = sizeOf(packet)
      const takers = subscriptions.filter(({ clientId }) => {
        if (!parts.mayQueue(clientId, packet.topic)) return false
        const queue = queues.get(clientId)
        const full = queue && (queue.messages >= limits.queuedMessagesMax || queue.bytes + size > limits.queuedBytesMax)
        if (full) parts.dropped('offline_queue', clientId)
        else add(clientId, 1, size)
        return !full
      })
      if (takers.length > 0)
        void inner.outgoingEnqueueCombi(takers, { ...packet, payload: Buffer.from(packet.payload) })
      return done(undefined)
    },
    async outgoingClearMessageId(client, packet) {
      // aedes asks so for what it never sent; the store would take it for the first unsent message and lose that one.
      if (packet.messageId === undefined) return undefined
      const cleared = await inner.outgoingClearMessageId(client, packet)
      if (cleared) remove(client.id, cleared)
      return cleared
    },
  }
  return {
    methods,
    async drain(client: SessionOwner): Promise<void> {
      for await (const { messageId } of inner.outgoingStream(client)) {
        const cleared = await inner.outgoingClearMessageId(client, messageId === undefined ? {} : { messageId })
        if (cleared) remove(client.id, cleared)
      }
    },
  }
}

const sizeOf = (packet: QueuedPacket): number => packet.payload.length + packet.topic.length

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

/** Calls back at once, as aedes uses it: a real promise would let a later message overtake. */
function done<T>(value: T): PromiseLike<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- being called at once is the point
  return { then: (ok: ((value: T) => unknown) | null | undefined) => ok?.(value) } as PromiseLike<T>
}
