// The account for the day when nobody who may come in can: its code lies in a sealed envelope, works once, for four hours, without an app
// or a certificate, and everybody hears of it. It stays an alarm until a new envelope is sealed.

import type { SealBreakGlassRequest, SealBreakGlassResponse } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Alarms } from '../alarms.ts'
import type { RegisteredPrincipal, Registry } from '../policy/registry.ts'
import type { Role } from '../policy/roles.ts'
import { isSecretHash } from '../policy/secrets.ts'

export const breakGlassName = 'person:break-glass'
export const breakGlassMs = 4 * 3_600_000

/** As it was hashed, however somebody copies it from paper. */
export const asPrinted = (code: string): string => code.replaceAll(/[\s-]/g, '').toUpperCase()

export interface BreakGlass {
  /** Throws GatewayError invalid_argument. */
  seal(request: SealBreakGlassRequest): SealBreakGlassResponse
  /** On disk when it returns: its code is good for nothing any more, and everybody is told. */
  opened(): void
}

export interface BreakGlassParts {
  readonly registry: Registry
  readonly roles: ReadonlyMap<string, Role>
  readonly alarms: Pick<Alarms, 'raise' | 'clear'>
  /** The setting access.break_glass_roles. */
  readonly roleNames: readonly string[]
}

/** Throws GatewayError settings_invalid for a role that there is not. */
export function createBreakGlass({ registry, roles, alarms, roleNames }: BreakGlassParts): BreakGlass {
  const unknown = roleNames.find((name) => !roles.has(name))
  if (unknown !== undefined) {
    const text = `access.break_glass_roles: there is no role ${unknown}; the roles are ${[...roles.keys()].join(', ')}`
    throw new GatewayError('settings_invalid', text)
  }
  const before = registry.get(breakGlassName)
  if (before && before.secretHash === undefined) tell()

  function tell(): void {
    const text =
      'The sealed account for emergencies was opened. Find out by whom and why (tocsin audit list --principal person:break-glass), then seal it again: tocsin break-glass seal.'
    alarms.raise('break_glass', '', text)
  }

  return {
    seal({ secretHash = '' }) {
      if (!isSecretHash(secretHash))
        throw new GatewayError('invalid_argument', 'secret_hash must be as `tocsin secret` makes it.')
      registry.put({ ...account(roleNames), secretHash })
      alarms.clear('break_glass')
      return { principal: breakGlassName, roles: [...roleNames] }
    },
    opened() {
      registry.put(account(roleNames))
      tell()
    },
  }
}

export const sealedOnly = (): GatewayError =>
  new GatewayError('invalid_argument', 'This account is made by `tocsin break-glass seal`, and in no other way.')

const account = (roles: readonly string[]): RegisteredPrincipal => ({
  name: breakGlassName,
  kind: 'person',
  agency: '',
  roles,
  only: {},
  publish: [],
  subscribe: [],
  certificates: [],
  tokens: [],
  disabled: false,
  note: 'Sealed account for emergencies; its code lies in an envelope.',
})
