// Who has signed in, where, and until when. A session is `tocsin_s_<id>_<secret>`; its digest stands in state.sqlite, so that a restart of
// the gateway sends nobody away from his position. A change of the person ends all of his.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { State } from '../log/state.ts'

export interface Session {
  readonly id: string
  /** "person:anna". */
  readonly person: string
  /** Where: the principal whose certificate was shown, such as "service:console-3", or what the person said. */
  readonly position: string
  /** It is good only with a certificate of that position. */
  readonly bound: boolean
  /** Milliseconds since 1970. */
  readonly endsAtMs: number
}

export interface Sessions {
  /** On disk when it returns. */
  begin(session: Omit<Session, 'id'>): { readonly session: Session; readonly token: string }
  /** Of the value of `authorization`. Undefined: it holds none; 'unknown': there is none like it, or no longer. */
  find(authorization: string | undefined): Session | 'unknown' | 'ended' | undefined
  /** On disk when it returns. */
  end(id: string): void
  endAllOf(person: string): void
  /** Those that are good at this position only. */
  boundTo(position: string): readonly Session[]
}

const form = /^Bearer +tocsin_s_([\w-]{12})_([\w-]{43})$/i
/** Positions that one person has at once; the oldest ends. */
const perPersonMax = 20

interface Kept extends Session {
  readonly sha256: Uint8Array
}

interface Row {
  readonly id: string
  readonly sha256: Uint8Array
  readonly person: string
  readonly position: string
  readonly bound: number
  readonly ends_at: number
}

export function createSessions(
  { database, now }: Pick<State, 'database' | 'now'>,
  clock: Pick<Clock, 'now'>,
): Sessions {
  const sessions = new Map<string, Kept>()
  const insert = database.prepare(
    'INSERT INTO people_sessions (id, sha256, person, position, bound, ends_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const erase = database.prepare('DELETE FROM people_sessions WHERE id = ?')
  const nowMs = (): number => Number(clock.now() / 1_000_000n)

  for (const row of database.prepare('SELECT * FROM people_sessions ORDER BY ends_at').all()) {
    const { id, sha256, person, position, bound, ends_at: endsAtMs } = row as unknown as Row
    sessions.set(id, { id, sha256, person, position, bound: bound === 1, endsAtMs })
  }

  const of = (person: string): Kept[] => [...sessions.values()].filter((session) => session.person === person)

  function remove(gone: readonly Kept[]): void {
    if (gone.length === 0) return
    // First here: what cannot be taken from the disk is good for nothing all the same.
    for (const { id } of gone) sessions.delete(id)
    now(() => gone.forEach(({ id }) => erase.run(id)))
  }

  return {
    begin(wanted) {
      const id = randomBytes(9).toString('base64url')
      const secret = randomBytes(32)
      const session: Kept = { ...wanted, id, sha256: digestOf(secret) }
      const over = [...sessions.values()].filter(({ endsAtMs }) => endsAtMs <= nowMs())
      const own = of(wanted.person).filter((each) => !over.includes(each))
      const gone = [...over, ...own.slice(0, Math.max(0, own.length + 1 - perPersonMax))]
      now(() => {
        for (const each of gone) erase.run(each.id)
        const { sha256, person, position, bound, endsAtMs } = session
        insert.run(id, sha256, person, position, bound ? 1 : 0, endsAtMs)
      })
      for (const each of gone) sessions.delete(each.id)
      sessions.set(id, session)
      return { session, token: `tocsin_s_${id}_${secret.toString('base64url')}` }
    },
    find(authorization) {
      const [, id, secret] = form.exec(authorization ?? '') ?? []
      if (id === undefined || secret === undefined) return undefined
      const session = sessions.get(id)
      if (!session || !timingSafeEqual(digestOf(Buffer.from(secret, 'base64url')), session.sha256)) return 'unknown'
      return session.endsAtMs <= nowMs() ? 'ended' : session
    },
    end(id) {
      const session = sessions.get(id)
      if (session) remove([session])
    },
    endAllOf: (person) => remove(of(person)),
    boundTo: (position) => [...sessions.values()].filter((each) => each.bound && each.position === position),
  }
}

// 256 random bits need no slow hash.
const digestOf = (secret: Uint8Array): Uint8Array => createHash('sha256').update(secret).digest()
