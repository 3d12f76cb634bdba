// Who asks over HTTP, and whether a page of somebody else's makes a browser ask: the same questions to policy as over gRPC, before
// any route is looked at.

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { originAllowed } from '../../broker/listeners.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Caller } from '../grpc/access.ts'
import { isLoopback } from '../policy/principals.ts'

type Request = Pick<IncomingMessage, 'headers' | 'socket'>

/** Behind a proxy somebody else is at the other end than the one who connects, so it is nobody on this machine. */
const forwarding = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

export function callerOf({ headers, socket }: Request): Caller {
  const { remoteAddress = '', remotePort = 0 } = socket
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined
  const isForwarded = forwarding.some((name) => headers[name] !== undefined)
  return {
    face: 'http',
    address: `${remoteAddress}:${remotePort}`,
    loopback: isLoopback(remoteAddress) && !isForwarded,
    // Of somebody behind a proxy the proxy's own says nothing.
    ...(certificate?.subject && !isForwarded && { certificate }),
    ...(headers.authorization !== undefined && { authorization: headers.authorization }),
  }
}

/**
 * Throws when a page of another origin asks, or one whose name was made to point here (DNS rebinding). Programs send no origin; a
 * browser also says of requests that carry none where they come from.
 */
export function refuseForeignPages({ headers, socket }: Request): void {
  const { host = '', origin } = headers
  // Over TLS a name that was made to point here does not fit the certificate.
  const isSecure = socket instanceof TLSSocket
  if (!isSecure && !isOwnHost(host)) {
    const text = 'Ask for it as localhost or by its address: under another name any page could be made to speak to it.'
    throw new GatewayError('not_allowed', text)
  }
  const isCrossSite = headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate'
  if (isCrossSite || !(isSecure ? isOwnOrigin(origin, host) : originAllowed({ headers }, []))) {
    const from = origin === undefined ? 'another site' : 'another origin'
    throw new GatewayError('not_allowed', `A page of ${from} asks: only programs and pages of the gateway itself may.`)
  }
}

const isOwnOrigin = (origin: string | undefined, host: string): boolean =>
  origin === undefined || (URL.canParse(`https://${host}`) && origin === new URL(`https://${host}`).origin)

/** HTTP/1.0 knows no Host; a browser always sends one. */
function isOwnHost(host: string): boolean {
  if (host === '') return true
  if (!URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(`http://${host}`)
  return hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) > 0
}
