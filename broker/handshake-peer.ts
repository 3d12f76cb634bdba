// Who was at the other end of a TLS handshake that failed, and why it did. Node has closed the TLS socket by then, which no longer knows; the plain one
// below it does, when it was asked before.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** To be called for each new connection, so that it is known later. */
export const rememberPeer = (socket: Socket): void => void socket.remoteAddress

/** Undefined where it is not known. */
export function handshakePeer(socket: TLSSocket): { readonly address: string; readonly port: number } | undefined {
  const below: unknown = Reflect.get(socket, '_parent')
  for (const each of [socket, below]) {
    const { remoteAddress, remotePort } = (each ?? {}) as Partial<Socket>
    if (remoteAddress !== undefined) return { address: remoteAddress, port: remotePort ?? 0 }
  }
  return undefined
}

/** What OpenSSL or Node calls it, such as "CERT_HAS_EXPIRED". */
export function handshakeCode(error: NodeJS.ErrnoException, socket: TLSSocket): string {
  const refused: unknown = socket.authorizationError
  return typeof refused === 'string' && refused !== '' ? refused : (error.code ?? 'unknown')
}
