// Streams that are opened and reset at once cost the caller a few bytes and us a whole call (rapid reset, CVE-2023-44487). Node minds after a
// thousand of a connection, and lets it stand; here a connection that resets faster than any program ends.

import type { EventEmitter } from 'node:events'
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Clock } from '../clock.ts'

/** A console that is closed with all of its streams resets a hundred at once. */
const resetsBurst = 100
/** Beyond that, sustained: as Node has it. */
const resetsPerSecond = 33

export interface ResetCounts {
  /** Connections cut for it, since the start. */
  cut: number
}

export function boundResets(server: EventEmitter, clock: Pick<Clock, 'monotonic'>): ResetCounts {
  const counts: ResetCounts = { cut: 0 }
  server.on('session', (session: ServerHttp2Session) => {
    let left = resetsBurst
    let filledAt = clock.monotonic()

    function wasReset(): void {
      const now = clock.monotonic()
      left = Math.min(resetsBurst, left + (Number(now - filledAt) / 1e9) * resetsPerSecond) - 1
      filledAt = now
      if (left >= 0 || session.destroyed) return
      counts.cut++
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }

    session.prependListener('stream', (stream: ServerHttp2Stream) => {
      stream.once('close', () => (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) && wasReset())
    })
  })
  return counts
}
