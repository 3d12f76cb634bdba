// Who owns which client id, and which sessions outlive their connection. A client id belongs to the principal that uses it, as
// long as it is connected or its session is kept: nobody else can take its orders or silence it.

import type { Clock } from './port.ts'

export interface Sessions {
  /** Undefined when it is free or the principal's own. */
  taken(clientId: string, principal: string): 'client_id' | undefined
  full(clientId: string): boolean
  enter(clientId: string, principal: string): void
  /** `expirySeconds` 0: nothing is kept. */
  leave(clientId: string, expirySeconds: number): void
  /** Those whose time is over; they are forgotten here. */
  expired(): readonly string[]
  owner(clientId: string): string | undefined
  readonly size: number
}

export function createSessions(sessionsMax: number, expirySecondsMax: number, clock: Clock): Sessions {
  const sessions = new Map<string, { readonly principal: string; endsAt: bigint | undefined }>()
  let kept = 0

  return {
    get size() {
      return kept
    },
    owner: (clientId) => sessions.get(clientId)?.principal,
    taken(clientId, principal) {
      const session = sessions.get(clientId)
      return session && session.principal !== principal ? 'client_id' : undefined
    },
    full: (clientId) => kept >= sessionsMax && sessions.get(clientId)?.endsAt === undefined,
    enter(clientId, principal) {
      if (sessions.get(clientId)?.endsAt !== undefined) kept--
      sessions.set(clientId, { principal, endsAt: undefined })
    },
    leave(clientId, expirySeconds) {
      const session = sessions.get(clientId)
      if (!session || session.endsAt !== undefined) return
      if (expirySeconds === 0) return void sessions.delete(clientId)
      session.endsAt = clock.monotonic() + BigInt(Math.min(expirySeconds, expirySecondsMax)) * 1_000_000_000n
      kept++
    },
    expired() {
      const now = clock.monotonic()
      const over = [...sessions].filter(([, { endsAt }]) => endsAt !== undefined && endsAt <= now).map(([id]) => id)
      over.forEach((clientId) => sessions.delete(clientId))
      kept -= over.length
      return over
    },
  }
}
