// TLS handshakes that failed, over gRPC and HTTP, as entries: nobody got as far as a call, and somebody tried. (Of MQTT the broker tells.)

import type { EventEmitter } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { handshakeCode, handshakePeer, rememberPeer } from '../../broker/handshake-peer.ts'

export interface FailedHandshake {
  readonly face: 'grpc' | 'http'
  /** Host and port; '' where they are not known. */
  readonly address: string
  /** What OpenSSL or Node calls it, such as "CERT_HAS_EXPIRED". */
  readonly code: string
}

/** `server` is one that speaks TLS; others have no such events. */
export function watchHandshakes(
  server: EventEmitter,
  face: FailedHandshake['face'],
  tell: (failed: FailedHandshake) => void,
): void {
  server.prependListener('connection', rememberPeer)
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const peer = handshakePeer(socket)
    tell({ face, address: peer ? `${peer.address}:${peer.port}` : '', code: handshakeCode(error, socket) })
  })
}

const whyFailed: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Its certificate has expired.',
  CERT_NOT_YET_VALID: 'Its certificate does not hold yet.',
  CERT_REVOKED: 'Its certificate was revoked.',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'It showed no certificate.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Its certificate is of an authority that is not trusted here.',
  UNABLE_TO_GET_ISSUER_CERT: 'Its certificate is of an authority that is not trusted here.',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'Its certificate is of an authority that is not trusted here.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Its certificate is of an authority that is not trusted here.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Its certificate is its own, and no authority vouches for it.',
  ECONNRESET: 'It ended the connection before it had said who it is: perhaps it does not trust our certificate.',
  ERR_SSL_HTTP_REQUEST: 'It speaks no TLS.',
  ERR_SSL_WRONG_VERSION_NUMBER: 'It speaks no TLS, or a version that is not taken.',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'It speaks a version of TLS that is not taken.',
}

export const handshakeText = (code: string): string => whyFailed[code] ?? 'The TLS handshake failed.'
