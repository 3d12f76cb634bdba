// Bodies that are being received: all together they may take so much memory and no more, whoever sends them and however slowly.

import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { GatewayError } from '../../proto/errors.ts'

export interface Bodies {
  /** Sets memory aside until the response is over; throws GatewayError too_large, unsupported_media_type or overloaded. */
  admit(headers: IncomingHttpHeaders, bytesMax: number, response: ServerResponse): void
}

export function createBodies(bytesMax: number): Bodies {
  let taken = 0

  return {
    admit(headers, oneBytesMax, response) {
      // What is compressed would have to be opened before it could be bounded.
      if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
        throw new GatewayError('unsupported_media_type', 'Content-Encoding is not taken: send the body uncompressed.')
      }
      const said = headers['content-length']
      // A body in chunks does not say how long it is.
      const bytes = said === undefined ? oneBytesMax : Number(said)
      if (bytes > oneBytesMax) throw tooLarge(oneBytesMax)
      if (taken + bytes > bytesMax) {
        throw new GatewayError('overloaded', 'More is being received over HTTP than the gateway holds; try again.')
      }
      taken += bytes
      response.once('close', () => (taken -= bytes))
    },
  }
}

export const tooLarge = (bytesMax: number): GatewayError =>
  new GatewayError('too_large', `The body may have ${bytesMax} bytes; send it in parts, or another way.`)
