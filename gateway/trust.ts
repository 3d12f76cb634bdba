// A county's own authority, trusted beside those that Node.js trusts, for every connection that this gateway opens. What names an authority
// of its own, as a link may, trusts that one alone.

import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { GatewayError } from '../proto/errors.ts'
import type { Settings } from './settings.ts'

const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
/** Of this thread, as the defaults of Node.js are. */
const trusted = new Set<string>()

/** PEM; the same again costs nothing. */
export function trustAlso(authorities: string): void {
  if (trusted.has(authorities)) return
  setDefaultCACertificates([...getCACertificates('default'), ...(authorities.match(blocks) ?? [])])
  trusted.add(authorities)
}

/** Of `tls.extra_ca`, as PEM. Throws GatewayError settings_invalid. */
export function extraAuthorities(settings: Settings): string | undefined {
  const file = settings['tls.extra_ca']
  if (!file) return undefined
  let text = ''
  try {
    text = readFileSync(file, 'latin1')
  } catch {
    throw new GatewayError('settings_invalid', `tls.extra_ca: ${file} cannot be read`)
  }
  if (!blocks.test(text))
    throw new GatewayError('settings_invalid', `tls.extra_ca: ${file} holds no certificate in PEM form`)
  blocks.lastIndex = 0
  return text
}
