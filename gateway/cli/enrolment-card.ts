// What whoever sets up a device or a phone needs beside its bundle, as one QR code: its name, where the gateway is, and the digest of the
// authority's certificate, so that nobody has to trust the first one that is shown. No secret is in it; it may be stuck on the device.

import { X509Certificate } from 'node:crypto'
import { parseAddress } from '../addresses.ts'
import { presentHosts } from '../ca/server-certificate.ts'
import type { Settings } from '../settings.ts'
import { qrOf } from './qr.ts'

export interface CardParts {
  readonly principal: string
  readonly dataDir: string
  readonly settings: Settings
  /** PEM. */
  readonly authority: string
}

/** JSON, of which docs/security.md says the fields. Doors without TLS are left out. */
export function cardText({ principal, dataDir, settings, authority }: CardParts): string {
  const host = presentHosts(dataDir)[0] ?? 'localhost'
  const at = (address: string, key: string): string => {
    const { scheme, port } = parseAddress(address, key)
    const named = host.includes(':') ? `[${host}]` : host
    return `${scheme && `${scheme}://`}${named}:${port}`
  }
  const mqtt = settings['mqtt.listen']
    .filter((door) => /^(mqtts|wss):/.test(door))
    .map((door) => at(door, 'mqtt.listen'))
  const [grpc, http] = [settings['grpc.listen'], settings['http.listen']]
  const least = {
    tocsin: 1,
    name: principal,
    authority_sha256: new X509Certificate(authority).fingerprint256.replaceAll(':', '').toLowerCase(),
    ...(mqtt[0] !== undefined && { mqtt: mqtt[0] }),
  }
  const text = JSON.stringify({
    ...least,
    ...(grpc !== 'off' && { grpc: at(grpc, 'grpc.listen') }),
    ...(http.startsWith('https://') && { https: at(http, 'http.listen') }),
  })
  return text.length <= codeCharsMax ? text : JSON.stringify(least)
}

/** What a code holds; of the longest names that DNS knows only one place fits. */
const codeCharsMax = 666

const quietModules = 4

/** A page of its own for printing. */
export function cardSvg(text: string): string {
  const rows = qrOf(text)
  const size = rows.length + 2 * quietModules
  const squares = rows.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? `M${x + quietModules} ${y + quietModules}h1v1h-1z` : [])),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${squares.join('')}"/></svg>\n`
}
