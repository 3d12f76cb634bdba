// A registry of principals in a folder of its own, and roles as they are built in.

import type { Principals } from '../../gateway/grpc/principals.ts'
import type { Room } from '../../gateway/grpc/waiting.ts'
import { openState } from '../../gateway/log/state.ts'
import { createBreakGlass } from '../../gateway/people/break-glass.ts'
import { createSeal } from '../../gateway/people/seal.ts'
import { createRegistry, type RegisteredPrincipal, type Registry } from '../../gateway/policy/registry.ts'
import { readRoles } from '../../gateway/policy/roles.ts'
import { tempFolder } from './temp-folder.ts'

export const openRegistry = (...entered: RegisteredPrincipal[]): Registry => {
  const registry = createRegistry(openState({ dataDir: tempFolder('registry') }))
  for (const each of entered) registry.put(each)
  return registry
}

export function principals(registry = openRegistry()): Principals {
  const roles = readRoles([])
  const alarms = { raise() {}, clear() {} }
  return {
    registry,
    roles,
    seen: new Map(),
    seal: createSeal(tempFolder('seal')),
    unlock: () => false,
    breakGlass: createBreakGlass({ registry, roles, alarms, roleNames: ['records', 'operator'] }),
  }
}

/** With nothing but a name. */
export function principal(name: string, given: Partial<RegisteredPrincipal> = {}): RegisteredPrincipal {
  const kind = name.split(':', 1)[0] as RegisteredPrincipal['kind']
  return {
    name,
    kind,
    agency: '',
    roles: [],
    only: {},
    publish: [],
    subscribe: [],
    certificates: [],
    tokens: [],
    disabled: false,
    note: '',
    ...given,
  }
}

/** A waiting room that stands empty: nobody waits, and who is not entered is refused. */
export const noWaitingRoom = { guardOf: () => undefined, strangerOf: () => undefined }

export const emptyRoom: Room = {
  list: { list: () => [], dropped: 0, unlisted: 0 },
  known: { list: () => [] },
  admit: () => ({ devices: 0, messages: 0 }),
  block: () => ({ devices: 0, messages: 0 }),
}
