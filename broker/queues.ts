// What stored sessions have not acknowledged yet: queued while away, or on its way. In the place of aedes' own queues, which mix up
// QoS 2 messages on their way together, search through all for each acknowledgement, and have no bound. A full queue keeps what
// came first and drops what is new, counted and told; the log has it all.

import { Readable } from 'node:stream'

import type { Persistence, QueuedPacket } from './aedes-inside.ts'
import { atOnce } from './at-once.ts'
import type { Limits } from './limits.ts'
import type { DropCause } from './port.ts'

export interface Queues {
  readonly counts: { queued: number; queuedBytes: number }
  readonly methods: Pick<
    Persistence,
    'outgoingEnqueueCombi' | 'outgoingUpdate' | 'outgoingClearMessageId' | 'outgoingStream'
  >
  drop(clientId: string): void
}

interface Entry {
  /** By `brokerCounter` until it is sent; a PUBREL takes the place of its message. */
  packet: QueuedPacket
  readonly counter: number
  readonly size: number
}

interface Queue {
  readonly entries: Map<number, Entry>
  readonly sent: Map<number, Entry>
  bytes: number
}

export function createQueues(parts: {
  readonly limits: Limits
  mayQueue(clientId: string, topic: string): boolean
  dropped(cause: DropCause, clientId: string): void
}): Queues {
  const { limits } = parts
  const queues = new Map<string, Queue>()
  const counts = { queued: 0, queuedBytes: 0 }

  function enqueue(clientId: string, packet: QueuedPacket, size: number): void {
    if (!parts.mayQueue(clientId, packet.topic)) return
    const queue = queues.get(clientId) ?? { entries: new Map(), sent: new Map(), bytes: 0 }
    if (queue.entries.size >= limits.queuedMessagesMax || queue.bytes + size > limits.queuedBytesMax) {
      return parts.dropped('offline_queue', clientId)
    }
    queues.set(clientId, queue)
    queue.entries.set(packet.brokerCounter, { packet: { ...packet }, counter: packet.brokerCounter, size })
    queue.bytes += size
    counts.queued++
    counts.queuedBytes += size
  }

  function remove(clientId: string, messageId: number): void {
    const queue = queues.get(clientId)
    const entry = queue?.sent.get(messageId)
    if (!queue || !entry) return
    queue.sent.delete(messageId)
    queue.entries.delete(entry.counter)
    queue.bytes -= entry.size
    counts.queued--
    counts.queuedBytes -= entry.size
    if (queue.entries.size === 0) queues.delete(clientId)
  }

  return {
    counts,
    drop(clientId) {
      const queue = queues.get(clientId)
      if (!queue) return
      counts.queued -= queue.entries.size
      counts.queuedBytes -= queue.bytes
      queues.delete(clientId)
    },
    methods: {
      outgoingEnqueueCombi(subscriptions, packet) {
        if (subscriptions.length === 0) return atOnce(undefined)
        // A copy, so that it does not keep the chunk of the socket that it came in.
        const copy = { ...packet, payload: Buffer.from(packet.payload) }
        const size = copy.payload.length + packet.topic.length
        for (const { clientId } of subscriptions) enqueue(clientId, copy, size)
        return atOnce(undefined)
      },
      /** A message got its identifier, or its PUBREC came and this is the PUBREL. */
      outgoingUpdate({ id }, packet) {
        const { messageId = 0 } = packet
        const queue = queues.get(id)
        const entry = packet.cmd === 'publish' ? queue?.entries.get(packet.brokerCounter) : queue?.sent.get(messageId)
        if (!queue || !entry) return Promise.reject(new Error('no such packet'))
        if (packet.cmd === 'publish') entry.packet.messageId = messageId
        else entry.packet = packet
        queue.sent.set(messageId, entry)
        return atOnce(undefined)
      },
      /**
       * Without an identifier it is about a message that was never sent, and there is nothing to clear. Nothing is handed
       * back either: aedes pushes it into a stream that nobody reads, which would stand still after 16.
       */
      outgoingClearMessageId({ id }, { messageId }) {
        if (messageId !== undefined) remove(id, messageId)
        return atOnce(undefined)
      },
      outgoingStream: ({ id }) =>
        Readable.from([...(queues.get(id)?.entries.values() ?? [])].map(({ packet }) => packet)),
    },
  }
}
