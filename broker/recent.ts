// Messages that somebody could not be sent at once, in memory for a while: who is a little behind need not be read for from disk.

import { bytesOf, ownCopy } from './kept.ts'
import type { DeliverableMessage } from './stored.ts'

export interface Recent {
  /** Keeps a copy. */
  put(source: number, message: DeliverableMessage): void
  get(source: number, number: number): DeliverableMessage | undefined
}

/** What a message takes beside what its sender filled, about. */
const framingBytes = 300

export function createRecent(bytesMax: number): Recent {
  const messages: Map<number, DeliverableMessage>[] = []
  // In the order in which they came, over all sources.
  const order = new Map<string, { readonly source: number; readonly number: number; readonly bytes: number }>()
  let bytes = 0

  return {
    put(source, message) {
      const { number } = message
      const ofSource = (messages[source] ??= new Map())
      if (ofSource.has(number)) return
      ofSource.set(number, ownCopy(message))
      const size = bytesOf(message) + framingBytes
      order.set(`${source} ${number}`, { source, number, bytes: size })
      bytes += size
      for (const [key, oldest] of order) {
        if (bytes <= bytesMax) break
        order.delete(key)
        messages[oldest.source]!.delete(oldest.number)
        bytes -= oldest.bytes
      }
    },
    get: (source, number) => messages[source]?.get(number),
  }
}
