// Opens the byte stream to another broker: TCP, TLS, WebSocket or WebSocket over TLS. Its promise: over TLS the other end has shown a
// certificate of a trusted authority for its own name before a byte of MQTT leaves.

import { connect as connectTcp, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { createWebSocketStream, WebSocket } from 'ws'

export interface LinkPlace {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss'
  readonly host: string
  readonly port: number
  /** For WebSocket; "/" when none is written. */
  readonly path: string
  readonly tls?: LinkTls
}

/** The contents of PEM files, not their names. */
export interface LinkTls {
  /** Authorities to trust; absent: those that Node.js trusts. */
  readonly authorities?: string
  /** What this gateway shows of itself. */
  readonly certificate?: string
  readonly key?: string
}

/** `messageBytesMax`: of one WebSocket message, which may hold several packets. */
export function dialLink({ kind, host, port, path, tls }: LinkPlace, messageBytesMax: number): Duplex {
  const secured = {
    minVersion: 'TLSv1.2' as const,
    ...(tls?.authorities !== undefined && { ca: tls.authorities }),
    ...(tls?.certificate !== undefined && { cert: tls.certificate }),
    ...(tls?.key !== undefined && { key: tls.key }),
  }
  if (kind === 'tcp') return connectTcp({ host, port, noDelay: true })
  // RFC 6066 §3: an address is no server name.
  const servername = isIP(host) === 0 ? { servername: host } : {}
  if (kind === 'tls') return connectTls({ host, port, ...servername, ...secured })
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const socket = new WebSocket(`${kind}://${authority}${path}`, 'mqtt', {
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    ...(kind === 'wss' && { ...servername, ...secured }),
  })
  return createWebSocketStream(socket)
}
