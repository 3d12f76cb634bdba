// Which client certificates are not taken although an authority vouches for them: those on its lists, and those that have ended meanwhile.
// It remembers who came by which, so that a list that is new cuts exactly those whom it concerns.

import { X509Certificate } from 'node:crypto'

export interface Lists {
  /** Issuer as Node writes it, then serials. */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>
  /** What is wrong with the lists themselves, as sentences. */
  readonly problems: readonly string[]
}

export const noLists: Lists = { revoked: new Map(), problems: [] }

/** Of a client's certificate, as far as revocation asks. */
export interface ShownCertificate {
  readonly fingerprint256: string
  /** DER. */
  readonly raw: Uint8Array
}

export interface Revocation {
  /** Why it is not taken, for who shows it; undefined: it is. Who it is for is remembered, so that he is cut when that changes. */
  why(certificate: ShownCertificate, principal: string | undefined): string | undefined
  /** Takes new lists; answers the principals that came by a certificate that is revoked now. */
  replace(lists: Lists): readonly string[]
  /** Principals that came by a certificate that has ended; each is told once. */
  ended(): readonly string[]
}

interface Known {
  readonly issuer: string
  readonly serial: string
  readonly endsAtMs: number
  readonly principal: string
}

/** Certificates in use that are remembered. Whoever is forgotten is still refused when he comes anew. */
const knownMax = 100_000

export function createRevocation(nowMs: () => number): Revocation {
  const known = new Map<string, Known>()
  let { revoked } = noLists

  function recognise({ fingerprint256, raw }: ShownCertificate, principal: string): Known {
    const found = known.get(fingerprint256)
    if (found && (found.principal === principal || principal === '')) return found
    const { issuer, serialNumber, validTo } = new X509Certificate(raw)
    const made = { issuer, serial: plainSerial(serialNumber), endsAtMs: Date.parse(validTo), principal }
    if (known.size >= knownMax) known.delete(known.keys().next().value!)
    known.set(fingerprint256, made)
    return made
  }

  const isRevoked = ({ issuer, serial }: Known): boolean => revoked.get(issuer)?.has(serial) ?? false

  function take(gone: (one: Known) => boolean): readonly string[] {
    const principals = new Set<string>()
    for (const [fingerprint, one] of known) {
      if (!gone(one)) continue
      known.delete(fingerprint)
      if (one.principal !== '') principals.add(one.principal)
    }
    return [...principals]
  }

  return {
    why(certificate, principal = '') {
      const shown = recognise(certificate, principal)
      const named = `The certificate ${shown.serial}${principal && ` of ${principal}`}`
      if (isRevoked(shown)) return `${named} was revoked: ask those who run the gateway for another.`
      if (shown.endsAtMs <= nowMs()) return `${named} has ended: ask those who run the gateway for another.`
      return undefined
    },
    replace(lists) {
      revoked = lists.revoked
      return take(isRevoked)
    },
    ended: () => take(({ endsAtMs }) => endsAtMs <= nowMs()),
  }
}

/** Node writes serials large, the library small, and both may begin with zeros. */
export const plainSerial = (text: string): string => text.toLowerCase().replace(/^0+(?=.)/, '')
