// How many connections a door takes, in all and from one address, counted where a connection begins and before TLS or HTTP costs anything:
// whoever opens all that he can get leaves places to others.

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { networkOf } from '../broker/admission.ts'

export interface ConnectionBounds {
  readonly inAll: number
  readonly perAddress: number
}

export interface ConnectionCounts {
  open: number
  /** Since the start. */
  refused: number
}

export function boundConnections(server: EventEmitter, { inAll, perAddress }: ConnectionBounds): ConnectionCounts {
  const counts: ConnectionCounts = { open: 0, refused: 0 }
  const byAddress = new Map<string, number>()

  server.prependListener('connection', (socket: Socket) => {
    const address = networkOf(socket.remoteAddress ?? '')
    const here = byAddress.get(address) ?? 0
    if (counts.open >= inAll || here >= perAddress) {
      counts.refused++
      socket.destroy()
      return
    }
    counts.open++
    byAddress.set(address, here + 1)
    socket.once('close', () => {
      counts.open--
      const left = (byAddress.get(address) ?? 1) - 1
      if (left > 0) byAddress.set(address, left)
      else byAddress.delete(address)
    })
  })
  return counts
}
