// The certificates and keys of the settings, as each door is to have them.

import { readFileSync } from 'node:fs'
import type { TlsFiles } from '../broker/port.ts'
import { parseAddress } from './addresses.ts'
import type { ServerKeys } from './grpc/credentials.ts'
import { isLoopback } from './policy/principals.ts'
import type { Settings } from './settings.ts'

/** Undefined: no door speaks TLS. */
export function tlsFiles(settings: Settings): TlsFiles | undefined {
  const [certificate, key, ca] = [settings['tls.certificate'], settings['tls.key'], settings['tls.client_ca']]
  if (!certificate || !key) return undefined
  return {
    certificate: readFileSync(certificate),
    key: readFileSync(key),
    ...(ca
      ? {
          clientAuthorities: readFileSync(ca),
          certificateRequired: settings['tls.client_certificates'] === 'required',
        }
      : undefined),
  }
}

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
