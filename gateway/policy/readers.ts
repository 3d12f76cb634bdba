// Who calls over gRPC and HTTP, and what he may see and do. Somebody has a token, a certificate, or is on the machine itself; whatever
// nobody gave him he has not.

import type { PeerCertificate } from 'node:tls'
import type { Revocation } from '../ca/revocation.ts'
import type { Clock } from '../clock.ts'
import type { Access, Authenticated, Caller, Principal, View } from '../grpc/access.ts'
import { namesInCertificate } from './certificate-names.ts'
import type { RegisteredPrincipal, Registry } from './registry.ts'
import { everything, type Rights } from './rights.ts'
import { rightsOf, type Role } from './roles.ts'
import type { Session, Sessions } from '../people/sessions.ts'
import { readToken } from './tokens.ts'
import { topicMatches } from './topic-filters.ts'
import { createView } from './view.ts'

export interface AccessParts {
  readonly registry: Registry
  readonly roles: ReadonlyMap<string, Role>
  readonly clock: Pick<Clock, 'now'>
  /** Whether who is on this machine and shows nothing may see and do everything. */
  readonly loopback: boolean
  /** The gateway's jurisdiction: whose names count in a certificate. */
  readonly jurisdiction: string
  /** Of people who signed in. */
  readonly sessions?: Pick<Sessions, 'find'>
  /** Absent: no certificate is revoked. */
  readonly revocation?: Pick<Revocation, 'why'>
}

export interface ReaderAccess extends Access {
  /** When each principal last authenticated, nanoseconds UTC; since the start. */
  readonly seen: ReadonlyMap<string, bigint>
  /** Whose certificate a caller shows; undefined: none, nobody's, one that is revoked, or of one who is switched off. */
  certifiedBy(caller: Caller): RegisteredPrincipal | undefined
}

/** Sets of rights that are in use at once; each holds its copies of records. */
const viewsMax = 256

export function createAccess(parts: AccessParts): ReaderAccess {
  const { registry, roles, clock } = parts
  const views = new Map<string, View>()
  const seen = new Map<string, bigint>()

  function authenticate(caller: Caller): Authenticated {
    const owner = caller.certificate && ownerOf(caller.certificate)
    const revoked = caller.certificate && parts.revocation?.why(caller.certificate, owner?.name)
    // A token beside it does not mend it.
    if (revoked !== undefined) return { refused: revoked }
    const session = parts.sessions?.find(caller.authorization)
    if (session) return typeof session === 'string' ? { refused: sessionOver[session] } : bySession(session, caller)
    const token = readToken(caller.authorization)
    if (token) return byToken(token)
    if (caller.authorization !== undefined)
      return { refused: 'The authorization is none that is taken here: send "Bearer <token>".' }
    if (caller.certificate && owner && !owner.disabled) {
      return admit(owner, owner.roles, Date.parse(caller.certificate.valid_to))
    }
    if (caller.loopback && parts.loopback && !owner) {
      return { principal: { name: `${caller.face}:anonymous`, authenticity: 'unverified', rights: everything } }
    }
    if (caller.certificate) {
      return {
        refused:
          'This certificate is sound, but nobody is entered here under its name: whoever runs the gateway does that with `tocsin principals add`.',
      }
    }
    return {
      refused:
        'Say who you are: send "authorization: Bearer <token>", or show a certificate of the authority that this gateway trusts.',
    }
  }

  function byToken(token: NonNullable<ReturnType<typeof readToken>>): Authenticated {
    const found = registry.byToken(token.id)
    const kept = found?.tokens.find(({ id }) => id === token.id)
    // The same answer for one that there never was: nobody learns which are good.
    if (!found || !kept || !token.matches(kept.sha256) || found.disabled) {
      return { refused: 'This token is not known here: ask those who run the gateway for another.' }
    }
    const nowMs = Number(clock.now() / 1_000_000n)
    if (kept.expiresAtMs <= nowMs)
      return { refused: 'This token has ended: ask those who run the gateway for another.' }
    const names = kept.roles.length > 0 ? kept.roles.filter((role) => found.roles.includes(role)) : found.roles
    return admit(found, names, kept.expiresAtMs)
  }

  function bySession(session: Session, caller: Caller): Authenticated {
    const person = registry.get(session.person)
    if (!person || person.disabled) return { refused: sessionOver.unknown }
    // What was begun at one position is worth nothing at another, whoever carries it there.
    if (session.bound && certifiedBy(caller)?.name !== session.position) {
      return { refused: 'This session is of another position: sign in here.' }
    }
    const admitted = admit(person, person.roles, session.endsAtMs)
    return 'principal' in admitted ? { principal: { ...admitted.principal, session } } : admitted
  }

  function certifiedBy({ certificate }: Caller): RegisteredPrincipal | undefined {
    const owner = certificate && ownerOf(certificate)
    if (!owner || owner.disabled || parts.revocation?.why(certificate, owner.name) !== undefined) return undefined
    return owner
  }

  const ownerOf = (certificate: PeerCertificate): RegisteredPrincipal | undefined =>
    registry.byCertificate(certificate.fingerprint256.replaceAll(':', '').toLowerCase()) ??
    namesInCertificate(certificate, parts.jurisdiction, registry)

  function admit({ name, only }: RegisteredPrincipal, names: readonly string[], endsAtMs: number): Authenticated {
    seen.set(name, clock.now())
    return { principal: { name, authenticity: 'authenticated', rights: rightsOf(names, only, roles), endsAtMs } }
  }

  function viewOf(rights: Rights): View {
    const made = createView(rights)
    const known = views.get(made.key)
    if (known) return known
    if (views.size >= viewsMax) views.delete(views.keys().next().value!)
    views.set(made.key, made)
    return made
  }

  return {
    authenticate,
    view: ({ rights }: Principal) => viewOf(rights),
    may: ({ rights }, call) => rights.calls.has(call),
    mayIngest: ({ name, rights }, channel) =>
      rights.calls.has('Publish') ||
      (registry.get(name)?.publish ?? []).some((filter) => topicMatches(filter, channel)),
    seen,
    certifiedBy,
  }
}

const sessionOver = {
  unknown: 'This session is not known here, or was ended: sign in again.',
  ended: 'This session has ended: sign in again.',
} as const
