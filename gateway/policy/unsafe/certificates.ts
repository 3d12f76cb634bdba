// The certificate that this gateway shows, and the authorities that it trusts: whether they belong together, are strong enough, and are
// valid now. A certificate whose time is over is a warning: clients turn it away by themselves, and a gateway that does not start helps none.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isOwnMissing } from '../../ca/paths.ts'
import { nsPerMs } from '../../../proto/time.ts'
import type { Settings } from '../../settings.ts'
import type { Site } from './unsafe-check.ts'

// NIST SP 800-57 part 1, table 2: 112 bits of strength. Of curves, those that TLS 1.3 has begin at 256.
const rsaBitsMin = 2_048
const weakCurve = /(?<!\d)(?:1\d\d|224)(?!\d)/
const weakSignature = /sha-?1(?!\d)|md[245]/i
const dayMs = 86_400_000
/** It is time to make a new one. */
const endingMs = 30 * dayMs

const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Undefined: it cannot be read, is none, or the gateway makes it itself. */
function certificatesOf(file: string | undefined): X509Certificate[] | undefined {
  if (!file || file === 'auto') return undefined
  try {
    return (readFileSync(file, 'latin1').match(blocks) ?? []).map((pem) => new X509Certificate(pem))
  } catch {
    return undefined
  }
}

export function* keyMismatch({ settings }: Pick<Site, 'settings'>): Generator<string> {
  const [file, keyFile] = [settings['tls.certificate'], settings['tls.key']]
  if (!file || !keyFile || isOwnMissing(settings.data_dir, file)) return
  const [certificate] = certificatesOf(file) ?? []
  if (!certificate) {
    yield `tls.certificate: ${file} cannot be read, or holds no certificate in PEM form`
    return
  }
  try {
    if (certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))) return
    yield `tls.key: ${keyFile} is not the key of ${file}; name the two that were made together`
  } catch {
    // A key that cannot be read is said where its mode is looked at.
    if (isReadable(keyFile)) yield `tls.key: ${keyFile} holds no private key in PEM form without a passphrase`
  }
}

function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length >= 0
  } catch {
    return false
  }
}

export function* weakCertificate({ settings }: Pick<Site, 'settings'>): Generator<string> {
  for (const key of ['tls.certificate', 'tls.client_ca'] as const) {
    for (const certificate of certificatesOf(settings[key]) ?? []) {
      const why = weakness(certificate)
      if (why) yield `${key}: ${settings[key]}, ${nameOf(certificate)}, ${why}; have a new one made`
    }
  }
}

function weakness(certificate: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = '' } = {} } =
    certificate.publicKey
  if (type?.startsWith('rsa') && modulusLength < rsaBitsMin)
    return `has an RSA key of ${modulusLength} bits, and ${rsaBitsMin} is the least that is safe`
  if (type === 'ec' && weakCurve.test(namedCurve)) return `has a key on ${namedCurve}, which is too short`
  // Nobody relies on the signature that an authority makes for itself.
  const isOwn = certificate.checkIssued(certificate)
  if (!isOwn && weakSignature.test(certificate.signatureAlgorithm ?? ''))
    return `is signed with ${certificate.signatureAlgorithm}, which can be forged`
  return undefined
}

const nameOf = ({ subject }: X509Certificate): string =>
  subject?.replaceAll('\n', ', ') || 'a certificate without a name'

export interface Ending {
  readonly key: 'tls.certificate' | 'tls.client_ca'
  readonly name: string
  readonly from: Date
  readonly until: Date
}

/** When what stands in the settings begins and ends to be valid. */
export const endings = (settings: Settings): Ending[] =>
  (['tls.certificate', 'tls.client_ca'] as const).flatMap((key) =>
    (certificatesOf(settings[key]) ?? []).map((certificate) => ({
      key,
      name: nameOf(certificate),
      from: certificate.validFromDate,
      until: certificate.validToDate,
    })),
  )

export function* certificateNotValid({ settings, now }: Pick<Site, 'settings' | 'now'>): Generator<string> {
  const nowMs = Number(now / nsPerMs)
  for (const { key, name, from, until } of endings(settings)) {
    const [begins, ends] = [from, until].map((date) => date.toISOString().slice(0, 10))
    const days = Math.floor((until.getTime() - nowMs) / dayMs)
    if (from.getTime() > nowMs) yield `${key}: ${name} is valid from ${begins} on; look at the clock of this machine`
    else if (until.getTime() <= nowMs) yield `${key}: ${name} was valid until ${ends}; have a new one made now`
    else if (until.getTime() - nowMs < endingMs)
      yield `${key}: ${name} is valid until ${ends}, for ${days} more days; have a new one made`
  }
}
