// What sessions are owed and were not sent yet, by source and in order, and what becomes of it where there is too much.

import type { Limits } from './limits.ts'
import { createOwedQueue, qosBits, retainedBit } from './owed-queue.ts'
import type { DropCause, Principal, QoS } from './port.ts'
import type { Session } from './session.ts'
import type { DeliverableMessage } from './stored.ts'

export interface Owed {
  /** In line: behind all of its source. */
  wait(session: Session<Principal>, source: number, message: DeliverableMessage, qos: QoS): void
  enqueue(session: Session<Principal>, source: number, number: number, bits: number): void
  /** No more than this is owed to one session, nor to all. */
  isFull(session: Session<Principal>): boolean
  /** The next of a source is being sent. */
  dequeue(session: Session<Principal>, source: number, bits: number): void
  /** Its client has gone: QoS 0 is not kept, and retained messages are found again by the next subscription. */
  forgetAtMostOnce(session: Session<Principal>): void
  forget(session: Session<Principal>): void
  /** Over all sessions. */
  readonly count: number
}

export interface OwedParts {
  readonly limits: Pick<Limits, 'queuedMessagesMax' | 'queuedMessagesInAllMax'>
  dropped(cause: DropCause, clientId: string): void
  /** It is no longer owed. */
  paid(session: Session<Principal>, source: number, number: number): void
  /** Keeps a copy for a while. */
  keep(source: number, message: DeliverableMessage): void
}

/** A reader that is so far behind is given the latest position only. */
const positionsFrom = 64

export function createOwed({ limits, dropped, paid, keep }: OwedParts): Owed {
  let count = 0

  function enqueue(session: Session<Principal>, source: number, number: number, bits: number): void {
    ;(session.owed[source] ??= createOwedQueue()).push(number, bits)
    session.owedCount++
    count++
    if (bits === 0) session.owedAtMostOnce++
  }

  function taken(session: Session<Principal>, bits: number): void {
    session.owedCount--
    count--
    if (bits === 0) session.owedAtMostOnce--
    if (session.owedCount === 0) session.positions.clear()
  }

  const isFull = ({ owedCount }: Session<Principal>): boolean =>
    owedCount >= limits.queuedMessagesMax || count >= limits.queuedMessagesInAllMax

  return {
    get count() {
      return count
    },
    enqueue,
    isFull,
    dequeue(session, source, bits) {
      session.owed[source]!.shift()
      taken(session, bits)
    },
    wait(session, source, message, qos) {
      const { number, kind, topic } = message
      if (isFull(session) && kind !== 'urgent') {
        paid(session, source, number)
        return dropped(qos === 0 ? 'slow_qos0' : 'offline_queue', session.clientId)
      }
      if (kind === 'position' && session.owedCount >= positionsFrom) {
        const older = session.positions.get(topic)
        const bits = older?.source === source ? session.owed[source]!.remove(older.number) : undefined
        if (bits !== undefined) {
          taken(session, bits)
          paid(session, source, older!.number)
          dropped('superseded', session.clientId)
        }
        // It also holds those that are sent meanwhile, until nothing is owed any more.
        if (session.positions.size >= limits.queuedMessagesMax) session.positions.clear()
        session.positions.set(topic, { source, number })
      }
      keep(source, message)
      enqueue(session, source, number, qos)
    },
    forgetAtMostOnce(session) {
      for (const [source, queue] of session.owed.entries()) {
        if (!queue) continue
        const rest = createOwedQueue()
        for (let next = queue.peek(); next; next = queue.peek()) {
          queue.shift()
          if (next.bits & qosBits) rest.push(next.number, next.bits)
          else {
            if (next.bits & retainedBit) session.retained.delete(next.number)
            taken(session, next.bits)
          }
        }
        session.owed[source] = rest.size > 0 ? rest : undefined
      }
      session.positions.clear()
    },
    forget(session) {
      count -= session.owedCount
      session.owedCount = 0
      session.owedAtMostOnce = 0
      session.owed.length = 0
    },
  }
}
