// Messages that are read for from the house. A disk that does not give one now is asked again: who is owed it waits, nobody else does,
// nothing is dropped for it, and the house is told once.

import type { BrokerEvent } from './port.ts'
import type { Connection } from './session.ts'
import type { DeliverableMessage, MessageSource } from './stored.ts'

export interface Reading {
  /** Undefined: it is gone. `later`: it cannot be read now. */
  fetch(source: number, number: number): DeliverableMessage | 'later' | undefined
  /** What of this source comes behind it waits with it. */
  askLater(connection: Connection, source: number, again: () => void): void
}

/** As often as a disk that refuses is asked to write. */
export const readAgainMs = 1_000

export function createReading(sources: readonly MessageSource[], tell: (event: BrokerEvent) => void): Reading {
  /** Of each source that fails: which message did last, since those behind it may well be read, and when. */
  const failing = new Map<number, { number: number; atMs: number }>()

  return {
    fetch(source, number) {
      const { name } = sources[source]!
      try {
        const message = sources[source]!.fetch(number)
        const failed = failing.get(source)
        // Nobody may ask for that one any more.
        if (failed && (failed.number === number || failed.atMs < performance.now() - 2 * readAgainMs)) {
          failing.delete(source)
          tell({ kind: 'reading', source: name })
        }
        return message
      } catch (error) {
        const isNew = !failing.has(source)
        failing.set(source, { number, atMs: performance.now() })
        if (isNew) {
          tell({ kind: 'reading', source: name, failure: error instanceof Error ? error.message : String(error) })
        }
        return 'later'
      }
    },
    askLater(connection, source, again) {
      connection.unread.add(source)
      setTimeout(() => {
        connection.unread.delete(source)
        again()
      }, readAgainMs).unref()
    },
  }
}
