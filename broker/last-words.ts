// Closes a connection so that our last word arrives. The peer may still be sending when we have said it; closing on bytes that nobody has
// read would reset the connection, and the last word would be lost. So we read on and throw away.

import type { Duplex } from 'node:stream'

/** After the last that came; longer than the way there and back on most links. */
const silenceMsMax = 500
/** Whatever comes. */
const msMax = 5_000

/** `hasEnded`: the peer says no more. All that is to be said has been written. */
export function closeAfterLastWords(socket: Duplex, hasEnded: boolean): void {
  const destroy = (): void => void socket.destroy()
  const silence = setTimeout(destroy, silenceMsMax)
  const last = setTimeout(destroy, msMax)
  socket.once('close', () => {
    clearTimeout(silence)
    clearTimeout(last)
  })
  socket.removeAllListeners('data')
  socket.on('data', () => void silence.refresh())
  socket.once(hasEnded ? 'finish' : 'end', destroy)
  socket.end()
  socket.resume()
}
