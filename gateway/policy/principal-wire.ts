// Principals as AdminService speaks of them: what is asked for is checked field by field, what is answered holds nothing secret.

import type { PrincipalEntry, PrincipalToken, PutPrincipalRequest } from '../../proto/generated/types.ts'
import { EventKind, Label, MessageStatus } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestamp, timestampNs } from '../../proto/time.ts'
import { createBoxTest } from '../grpc/box.ts'
import { topicFilterFault } from './topic-filters.ts'
import { type PrincipalKind, principalKinds, type RegisteredPrincipal, type RegisteredToken } from './registry.ts'
import type { Seal } from '../people/seal.ts'
import { totpSecretBytes } from '../people/totp.ts'
import type { Narrowing, Rights } from './rights.ts'
import type { Role } from './roles.ts'
import { isSecretHash } from './secrets.ts'
import { isTokenId, tokenDigestBytes } from './tokens.ts'

const nameForm = /^([a-z]+):[A-Za-z0-9][\w.@-]{0,127}$/
const listMax = 100
const textMax = 1_024
/** A token that nobody renews in two years is forgotten, not used. */
const tokenDaysMax = 731

/** Throws GatewayError invalid_argument that names the field. `before`: what it was, whose secrets it keeps. */
export function principalOf(
  request: PutPrincipalRequest,
  before: RegisteredPrincipal | undefined,
  roles: ReadonlyMap<string, Role>,
  nowNs: bigint,
  seal: Seal,
): RegisteredPrincipal {
  const entry = request.principal ?? {}
  const { name, kind } = nameOf(entry)
  const secretHash = secretOf(request, before)
  const totp = totpOf(request, name, kind, before, seal)
  return {
    name,
    kind,
    agency: textOf('agency', entry.agency),
    roles: rolesOf('roles', entry.roles, roles),
    only: narrowingOf(entry),
    publish: filtersOf('publish_topics', entry.publishTopics) ?? defaultTopics(name, kind),
    subscribe: filtersOf('subscribe_topics', entry.subscribeTopics) ?? [],
    certificates: listOf('certificate_sha256', entry.certificateSha256).map(digestOf),
    ...(secretHash && { secretHash }),
    ...(totp && { totp }),
    tokens: tokensOf(request, before, roles, nowNs),
    disabled: entry.disabled ?? false,
    ...subjectsOf(entry, kind),
    note: textOf('note', entry.note),
  }
}

function subjectsOf({ subjects = [], admitsNew = false }: PrincipalEntry, kind: PrincipalKind) {
  const prefixes = listOf('subjects', subjects)
  if (prefixes.length === 0 && !admitsNew) return {}
  if (kind !== 'system') throw invalid('subjects', 'is for a system, which has many devices behind it')
  if (prefixes.includes('')) throw invalid('subjects', 'may not hold an empty prefix: leave it out where any will do')
  if (prefixes.length === 0) throw invalid('admits_new', 'needs subjects')
  return { subjects: prefixes, ...(admitsNew && { admitsNew }) }
}

function nameOf({ principal = '', kind: said = '' }: PrincipalEntry): { name: string; kind: PrincipalKind } {
  const [, written] = nameForm.exec(principal) ?? []
  const kind = principalKinds.find((each) => each === written)
  if (!kind) {
    const text = `must be <kind>:<name> with a kind of ${principalKinds.join(', ')} and a name of letters, digits and - _ . @, such as device:gauge-7`
    throw invalid('principal', text)
  }
  if (said !== '' && said !== kind) throw invalid('kind', `must be ${kind}, as the name says, or be left out`)
  return { name: principal, kind }
}

/** A device publishes where its own name stands, and nowhere else unless somebody says so. */
const defaultTopics = (name: string, kind: PrincipalKind): readonly string[] =>
  kind === 'device' ? [`tocsin/in/+/${name.slice('device:'.length)}`] : []

function secretOf({ secretHash = '', removeSecret }: PutPrincipalRequest, before: RegisteredPrincipal | undefined) {
  if (removeSecret) return undefined
  if (secretHash === '') return before?.secretHash
  if (!isSecretHash(secretHash)) throw invalid('secret_hash', 'must be as `tocsin secret` makes it')
  return secretHash
}

function totpOf(
  { totpSecret = new Uint8Array(), removeTotp }: PutPrincipalRequest,
  name: string,
  kind: PrincipalKind,
  before: RegisteredPrincipal | undefined,
  seal: Seal,
): string | undefined {
  if (removeTotp) return undefined
  if (totpSecret.length === 0) return before?.totp
  if (kind !== 'person') throw invalid('totp_secret', 'is for people only')
  if (totpSecret.length !== totpSecretBytes) throw invalid('totp_secret', `must be ${totpSecretBytes} bytes`)
  return seal.close(totpSecret, name)
}

function tokensOf(
  { addTokens = [], removeTokens = [] }: PutPrincipalRequest,
  before: RegisteredPrincipal | undefined,
  roles: ReadonlyMap<string, Role>,
  nowNs: bigint,
): RegisteredToken[] {
  const nowMs = Number(nowNs / 1_000_000n)
  const kept = (before?.tokens ?? []).filter(({ id }) => !removeTokens.includes(id))
  const added = addTokens.map(
    ({ id = '', sha256 = new Uint8Array(), expiresAt, roles: some, note }): RegisteredToken => {
      if (!isTokenId(id)) throw invalid('add_tokens.id', 'must be 12 characters of base64url')
      if (sha256.length !== tokenDigestBytes) throw invalid('add_tokens.sha256', `must be ${tokenDigestBytes} bytes`)
      const expiresAtMs = Number((timestampNs(expiresAt) ?? 0n) / 1_000_000n)
      if (expiresAtMs <= nowMs || expiresAtMs > nowMs + tokenDaysMax * 86_400_000) {
        throw invalid('add_tokens.expires_at', 'must be a time within the next two years')
      }
      const digest = Buffer.from(sha256).toString('base64url')
      return {
        id,
        sha256: digest,
        expiresAtMs,
        roles: rolesOf('add_tokens.roles', some, roles),
        note: textOf('add_tokens.note', note),
      }
    },
  )
  if (kept.length + added.length > listMax)
    throw invalid('add_tokens', `would make more than ${listMax}: take some away`)
  return [...kept, ...added]
}

function rolesOf(
  field: string,
  names: readonly string[] | undefined,
  roles: ReadonlyMap<string, Role>,
): readonly string[] {
  const list = listOf(field, names)
  const unknown = list.find((name) => !roles.has(name))
  if (unknown === undefined) return list
  throw invalid(field, `holds a role that there is not; the roles are ${[...roles.keys()].join(', ')}`)
}

function narrowingOf(entry: PrincipalEntry): Narrowing {
  const { kinds = [], messageStatuses = [], areas = [] } = entry
  const [jurisdictions, owners] = [listOf('jurisdictions', entry.jurisdictions), listOf('owners', entry.owners)]
  if (!kinds.every((kind) => kind > 0 && kind <= EventKind.SYSTEM_EVENT))
    throw invalid('kinds', 'holds one that there is not')
  if (!messageStatuses.every((status) => status > 0 && status <= MessageStatus.DRAFT)) {
    throw invalid('message_statuses', 'holds one that there is not')
  }
  if (areas.length > listMax) throw invalid('areas', `may hold at most ${listMax}`)
  for (const box of areas) createBoxTest(box)
  return {
    ...(kinds.length > 0 && { kinds: [...kinds] }),
    ...(messageStatuses.length > 0 && { messageStatuses: [...messageStatuses] }),
    ...(jurisdictions.length > 0 && { jurisdictions }),
    ...(owners.length > 0 && { owners }),
    ...(areas.length > 0 && {
      areas: areas.map(({ south = 0, west = 0, north = 0, east = 0 }) => ({ south, west, north, east })),
    }),
  }
}

/** Undefined: none is named. */
function filtersOf(field: string, filters: readonly string[] | undefined): readonly string[] | undefined {
  const list = listOf(field, filters)
  for (const filter of list) {
    const fault = topicFilterFault(filter)
    if (fault) throw invalid(field, fault)
  }
  return list.length > 0 ? list : undefined
}

function listOf(field: string, values: readonly string[] = []): readonly string[] {
  if (values.length > listMax) throw invalid(field, `may hold at most ${listMax}`)
  return [...new Set(values.map((value) => textOf(field, value)))]
}

function textOf(field: string, text = ''): string {
  if (text.length > textMax) throw invalid(field, `may have at most ${textMax} characters`)
  return text
}

function digestOf(text: string): string {
  const digits = text.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(digits)) return digits
  throw invalid(
    'certificate_sha256',
    'must be a SHA-256 in hexadecimal digits, as openssl x509 -fingerprint -sha256 prints it',
  )
}

const invalid = (field: string, text: string): GatewayError => new GatewayError('invalid_argument', `${field} ${text}.`)

/** Without what is secret; `rights` are those of its roles. */
export function entryOf(
  principal: RegisteredPrincipal,
  { include, ops, reads }: Rights,
  lastAuthenticatedAt: bigint | undefined,
): PrincipalEntry {
  const {
    name,
    kind,
    agency,
    roles,
    only,
    publish,
    subscribe,
    certificates,
    secretHash,
    totp,
    tokens,
    disabled,
    note,
  } = principal
  const ends = tokens.map(({ expiresAtMs }) => expiresAtMs)
  const labels = [Label.PII, Label.PHI, Label.CJI].filter((label) =>
    [...include].some((each) => each !== 'law_enforcement_position' && Label[each] === label),
  )
  const methods = [
    ...(secretHash ? ['secret'] : []),
    ...(totp ? ['app'] : []),
    ...(tokens.length > 0 ? ['token'] : []),
    ...(certificates.length > 0 ? ['certificate'] : []),
  ]
  return {
    principal: name,
    kind,
    agency,
    roles: [...roles],
    labels: reads ? [Label.PUBLIC, ...(ops ? [Label.OPS] : []), ...labels] : [],
    publishTopics: [...publish],
    subscribeTopics: [...subscribe],
    methods,
    ...(ends.length > 0 && { credentialExpiresAt: msTimestamp(Math.min(...ends)) }),
    ...(lastAuthenticatedAt !== undefined && { lastAuthenticatedAt: timestamp(lastAuthenticatedAt) }),
    disabled,
    kinds: [...(only.kinds ?? [])],
    messageStatuses: [...(only.messageStatuses ?? [])],
    jurisdictions: [...(only.jurisdictions ?? [])],
    owners: [...(only.owners ?? [])],
    areas: [...(only.areas ?? [])],
    certificateSha256: [...certificates],
    tokens: tokens.map(tokenEntryOf),
    note,
    subjects: [...(principal.subjects ?? [])],
    admitsNew: principal.admitsNew ?? false,
    lawEnforcementPositions: reads && include.has('law_enforcement_position'),
  }
}

const tokenEntryOf = ({ id, expiresAtMs, roles, note }: RegisteredToken): PrincipalToken => ({
  id,
  expiresAt: msTimestamp(expiresAtMs),
  roles: [...roles],
  note,
})

const msTimestamp = (ms: number) => timestamp(BigInt(ms) * 1_000_000n)
