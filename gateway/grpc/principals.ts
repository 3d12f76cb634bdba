// The principals for those who run the gateway: listed, entered, changed, taken out.

import type {
  ListPrincipalsRequest,
  ListPrincipalsResponse,
  PutPrincipalRequest,
  PutPrincipalResponse,
  RemovePrincipalRequest,
  UnlockPrincipalRequest,
} from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Clock } from '../clock.ts'
import { entryOf, principalOf } from '../policy/principal-wire.ts'
import { type BreakGlass, breakGlassName, sealedOnly } from '../people/break-glass.ts'
import type { Seal } from '../people/seal.ts'
import type { RegisteredPrincipal, Registry } from '../policy/registry.ts'
import { rightsOf, type Role } from '../policy/roles.ts'

export interface Principals {
  readonly registry: Registry
  readonly roles: ReadonlyMap<string, Role>
  /** When each authenticated last. */
  readonly seen: ReadonlyMap<string, bigint>
  readonly seal: Seal
  /** Of people who are locked out; false: it is not locked. */
  unlock(name: string): boolean
  readonly breakGlass: BreakGlass
}

const pageSizeDefault = 100
const pageSizeMax = 1_000

export function listPrincipals(
  principals: Principals,
  { namePrefix = '', pageSize, pageToken }: ListPrincipalsRequest,
): ListPrincipalsResponse {
  const after = Buffer.from(pageToken ?? []).toString()
  const found = principals.registry.list().filter(({ name }) => name.startsWith(namePrefix) && name > after)
  const page = found.slice(0, Math.min(pageSize || pageSizeDefault, pageSizeMax))
  return {
    principals: page.map((each) => entry(principals, each)),
    ...(page.length < found.length && { nextPageToken: Buffer.from(page.at(-1)!.name) }),
  }
}

export function putPrincipal(
  principals: Principals,
  request: PutPrincipalRequest,
  clock: Pick<Clock, 'now'>,
): PutPrincipalResponse {
  const { registry, roles } = principals
  if (request.principal?.principal === breakGlassName) throw sealedOnly()
  const before = registry.get(request.principal?.principal ?? '')
  const wanted = principalOf(request, before, roles, clock.now(), principals.seal)
  if (before && request.onlyNew) {
    throw new GatewayError('already_there', `${wanted.name} is entered already: change it, or choose another name.`)
  }
  const taken = wanted.certificates.find(
    (sha256) => (registry.byCertificate(sha256)?.name ?? wanted.name) !== wanted.name,
  )
  if (taken)
    throw new GatewayError('invalid_argument', 'certificate_sha256 holds one that belongs to another principal.')
  registry.put(wanted)
  return { principal: entry(principals, wanted) }
}

export function removePrincipal({ registry }: Principals, { principal = '' }: RemovePrincipalRequest): void {
  if (registry.remove(principal)) return
  throw new GatewayError('not_found', 'No principal of this name is entered: `tocsin principals` lists them.')
}

export function unlockPrincipal({ unlock }: Principals, { principal = '' }: UnlockPrincipalRequest): void {
  if (unlock(principal)) return
  throw new GatewayError('not_found', 'No account of this name is locked.')
}

const entry = ({ roles, seen }: Principals, principal: RegisteredPrincipal) =>
  entryOf(principal, rightsOf(principal.roles, principal.only, roles), seen.get(principal.name))
