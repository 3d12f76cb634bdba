// What the gateway itself says to subscribers, such as to a device about its messages: the last of it, in memory. It is no part of the
// log, so after a restart a session finds none of it.

import type { OutgoingMessage } from './port.ts'
import type { DeliverableMessage, MessageSource } from './stored.ts'

export interface Notices extends MessageSource {
  add(message: OutgoingMessage, receivedAt: bigint): DeliverableMessage
}

const keptMax = 1_000

/** `last`: numbers go on from there. */
export function createNotices(last: number): Notices {
  const messages = new Map<number, DeliverableMessage>()
  let head = last

  return {
    name: 'house',
    urgent: false,
    retains: false,
    get head() {
      return head
    },
    fetch: (number) => messages.get(number),
    scan: (after) => (after < head ? { messages: [], through: head } : undefined),
    add({ topic, payload, qos, properties }, receivedAt) {
      const message: DeliverableMessage = {
        number: ++head,
        topic,
        payload: Buffer.from(payload),
        qos,
        retain: false,
        receivedAt,
        kind: 'other',
        ...(properties && { properties }),
      }
      messages.set(head, message)
      messages.delete(head - keptMax)
      return message
    },
  }
}
