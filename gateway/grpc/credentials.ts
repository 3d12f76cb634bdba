// TLS of the gRPC port, from PEM text. New keys hold for new connections, so that a certificate is renewed without a restart.

import { createHash } from 'node:crypto'
import { ServerCredentials } from '@grpc/grpc-js'

export interface ServerKeys {
  /** PEM: the certificate, then those that lead to its authority. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
  /** PEM of the authorities that vouch for clients. Absent: clients are not asked for a certificate. */
  readonly clientAuthorities?: string
  /** A client without a certificate of `clientAuthorities` does not get past the handshake. */
  readonly clientCertificateRequired?: boolean
}

export interface RenewableCredentials extends ServerCredentials {
  renew(keys: ServerKeys): void
}

/** A client that takes longer over its handshake is cut; Node's own 120 s would collect them. */
const handshakeMsMax = 10_000

export function createCredentials(keys: ServerKeys): RenewableCredentials {
  return new PemCredentials(keys)
}

/** grpc-js's own `createSsl` can only ask for no certificate or for a required one, and cannot renew. */
class PemCredentials extends ServerCredentials implements RenewableCredentials {
  #digest: string

  constructor(keys: ServerKeys) {
    super(
      {
        // TLS 1.2 is the least that partners of this field may use (CJIS Security Policy 5.10.1.2, FIPS 140-3 modules).
        minVersion: 'TLSv1.2',
        handshakeTimeout: handshakeMsMax,
        requestCert: keys.clientAuthorities !== undefined,
        // Where none is required, one that nobody vouches for is as good as none: grpc-js shows verified ones only.
        rejectUnauthorized: keys.clientCertificateRequired ?? false,
      },
      contextOf(keys),
    )
    this.#digest = digestOf(keys)
  }

  renew(keys: ServerKeys): void {
    this.#digest = digestOf(keys)
    this.updateSecureContextOptions(contextOf(keys))
  }

  _equals(other: ServerCredentials): boolean {
    return other instanceof PemCredentials && other.#digest === this.#digest
  }
}

const contextOf = (keys: ServerKeys) => ({
  cert: keys.certificate,
  key: keys.key,
  ...(keys.clientAuthorities !== undefined && { ca: keys.clientAuthorities }),
})

const digestOf = (keys: ServerKeys): string => createHash('sha256').update(JSON.stringify(keys)).digest('hex')
