// Which doors speak TLS, and the keys as each of them is to have them.

import type { TlsFiles } from '../broker/port.ts'
import { parseAddress } from './addresses.ts'
import type { ServerKeys } from './grpc/credentials.ts'
import { isLoopback } from './policy/principals.ts'
import type { Settings } from './settings.ts'

/** On this machine only where certificates are asked for: a program there needs no authority to trust. */
export function keysOfGrpc(settings: Settings, tls: TlsFiles | undefined): { readonly keys?: ServerKeys } {
  const { address } = parseAddress(settings['grpc.listen'], 'grpc.listen')
  return isLoopback(address) && !tls?.clientAuthorities ? {} : keysOf(tls)
}

/** Where the address says https://. */
export const keysOfHttp = (settings: Settings, tls: TlsFiles | undefined): { readonly keys?: ServerKeys } =>
  settings['http.listen'].startsWith('https://') ? keysOf(tls) : {}

function keysOf(tls: TlsFiles | undefined): { readonly keys?: ServerKeys } {
  if (!tls) return {}
  const [certificate, key] = [String(tls.certificate), String(tls.key)]
  if (!tls.clientAuthorities) return { keys: { certificate, key } }
  const { clientAuthorities, certificateRequired = false } = tls
  return {
    keys: {
      certificate,
      key,
      clientAuthorities: String(clientAuthorities),
      clientCertificateRequired: certificateRequired,
    },
  }
}

export interface Doors {
  readonly broker: { renewKeys(tls: TlsFiles): void }
  readonly grpc: { renewKeys(keys: ServerKeys): void } | undefined
  readonly http: { renewKeys(keys: ServerKeys): void } | undefined
}

/** For new connections, of the doors that speak TLS. */
export function renewDoors(settings: Settings, tls: TlsFiles, { broker, grpc, http }: Doors): void {
  broker.renewKeys(tls)
  const [ofGrpc, ofHttp] = [keysOfGrpc(settings, tls).keys, keysOfHttp(settings, tls).keys]
  if (ofGrpc) grpc?.renewKeys(ofGrpc)
  if (ofHttp) http?.renewKeys(ofHttp)
}
