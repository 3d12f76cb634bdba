// Everything about people who sign in, put together: sessions, their authenticator apps, lock-outs and the account for emergencies.

import type { Alarms } from '../alarms.ts'
import type { Audit } from '../audit/audit.ts'
import type { Clock } from '../clock.ts'
import type { State } from '../log/state.ts'
import { createHashGate, peopleHashLimits } from '../policy/hash-gate.ts'
import type { Registry } from '../policy/registry.ts'
import type { Role } from '../policy/roles.ts'
import type { Settings } from '../settings.ts'
import { type BreakGlass, createBreakGlass } from './break-glass.ts'
import { createSeal, type Seal } from './seal.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createSignIn, type SignIn } from './sign-in.ts'

export interface People {
  readonly sessions: Sessions
  readonly signIn: SignIn
  /** What operators do with it. */
  readonly administered: { readonly seal: Seal; readonly breakGlass: BreakGlass } & Pick<SignIn, 'unlock'>
  /** Whoever has signed in there reads no further until he has shown a certificate that is good. */
  cutPosition(position: string): void
  close(): void
}

export interface PeopleParts {
  readonly settings: Settings
  readonly state: State
  readonly registry: Registry
  readonly roles: ReadonlyMap<string, Role>
  readonly clock: Clock
  readonly audit: Audit
  readonly alarms: Alarms
  /** The streams of this session must end. */
  cut(sessionId: string): void
}

export function createPeople(parts: PeopleParts): People {
  const { settings, state, registry, roles, clock, audit, alarms, cut } = parts
  const sessions = createSessions(state, clock)
  const seal = createSeal(settings.data_dir)
  const breakGlass = createBreakGlass({ registry, roles, alarms, roleNames: settings['access.break_glass_roles'] })
  const signIn = createSignIn({
    registry,
    sessions,
    state,
    seal,
    breakGlass,
    gate: createHashGate(peopleHashLimits),
    clock,
    audit,
    alarms,
    settings: {
      sessionMs: settings['access.session'],
      certificateRequired: settings['access.position_required'],
    },
    cut,
  })

  registry.onChange((name) => {
    sessions.endAllOf(name)
    // A position that is gone, or that nobody may use, holds nobody.
    const position = registry.get(name)
    const bound = sessions.boundTo(name)
    cutPosition(name)
    if (!position || position.disabled) for (const { id } of bound) sessions.end(id)
  })

  function cutPosition(position: string): void {
    for (const { id } of sessions.boundTo(position)) cut(id)
  }

  const administered = { seal, breakGlass, unlock: signIn.unlock }
  return { sessions, signIn, administered, cutPosition, close: signIn.close }
}
