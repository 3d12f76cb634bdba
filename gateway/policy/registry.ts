// Who may authenticate: devices, systems, people, services and partners, in state.sqlite. A change is on disk before it holds, and whoever
// has a connection under that name is told of it. Of secrets only hashes are kept.

import type { State } from '../log/state.ts'
import type { Narrowing } from './rights.ts'

export const principalKinds = ['device', 'system', 'person', 'service', 'partner'] as const
export type PrincipalKind = (typeof principalKinds)[number]

export interface RegisteredPrincipal {
  /** "device:gauge-7": its kind, a colon, its name. */
  readonly name: string
  readonly kind: PrincipalKind
  /** FQDN; '' when nobody said. */
  readonly agency: string
  readonly roles: readonly string[]
  readonly only: Narrowing
  /** MQTT topic filters. */
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  /** SHA-256 of the DER, small hexadecimal digits. */
  readonly certificates: readonly string[]
  /** As secrets.ts makes it. */
  readonly secretHash?: string
  /** Secret of a person's authenticator app, as people/seal.ts closes it under the person's name. */
  readonly totp?: string
  readonly tokens: readonly RegisteredToken[]
  readonly disabled: boolean
  /** Of a system: prefixes of the subjects for which it may speak; absent: of any, and none waits. */
  readonly subjects?: readonly string[]
  /** Subjects that are new do not wait. */
  readonly admitsNew?: boolean
  readonly note: string
}

export interface RegisteredToken {
  readonly id: string
  /** Of its secret, base64url. */
  readonly sha256: string
  /** Milliseconds since 1970-01-01 UTC. */
  readonly expiresAtMs: number
  /** Only these of the principal's roles; empty: all. */
  readonly roles: readonly string[]
  readonly note: string
}

export interface Registry {
  get(name: string): RegisteredPrincipal | undefined
  /** By name, in order. */
  list(): readonly RegisteredPrincipal[]
  /** By the digest of a certificate, or by the id of a token. */
  byCertificate(sha256: string): RegisteredPrincipal | undefined
  byToken(id: string): RegisteredPrincipal | undefined
  /** Holds when it returns; throws what SQLite throws, and then nothing has changed. */
  put(principal: RegisteredPrincipal): void
  /** False: there is none of this name. */
  remove(name: string): boolean
  /** Called after each change, with the name that it concerns. */
  onChange(listener: (name: string) => void): void
}

export function createRegistry({ database, now }: Pick<State, 'database' | 'now'>): Registry {
  const principals = new Map<string, RegisteredPrincipal>()
  const certificates = new Map<string, string>()
  const tokens = new Map<string, string>()
  const listeners: ((name: string) => void)[] = []
  const replace = database.prepare('INSERT OR REPLACE INTO principals (name, entry) VALUES (?, ?)')
  const erase = database.prepare('DELETE FROM principals WHERE name = ?')

  function enter(principal: RegisteredPrincipal): void {
    principals.set(principal.name, principal)
    for (const sha256 of principal.certificates) certificates.set(sha256, principal.name)
    for (const { id } of principal.tokens) tokens.set(id, principal.name)
  }

  function leave(name: string): void {
    const known = principals.get(name)
    for (const sha256 of known?.certificates ?? []) certificates.delete(sha256)
    for (const { id } of known?.tokens ?? []) tokens.delete(id)
    principals.delete(name)
  }

  const tell = (name: string): void => {
    for (const listener of listeners) listener(name)
  }

  const named = (name: string | undefined): RegisteredPrincipal | undefined =>
    name === undefined ? undefined : principals.get(name)

  for (const { entry } of database.prepare('SELECT entry FROM principals').all()) {
    // Written by `put` alone.
    enter(JSON.parse(String(entry)) as RegisteredPrincipal)
  }

  return {
    get: named,
    list: () => [...principals.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    byCertificate: (sha256) => named(certificates.get(sha256)),
    byToken: (id) => named(tokens.get(id)),
    put(principal) {
      now(() => void replace.run(principal.name, JSON.stringify(principal)))
      leave(principal.name)
      enter(principal)
      tell(principal.name)
    },
    remove(name) {
      if (!principals.has(name)) return false
      now(() => void erase.run(name))
      leave(name)
      tell(name)
      return true
    },
    onChange: (listener) => void listeners.push(listener),
  }
}
