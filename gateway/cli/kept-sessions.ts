// Sessions of the person at this keyboard, one for each gateway, in a file that nobody else can read. A session is sent to the gateway that
// gave it and to no other.

import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { UsageError } from './command.ts'

export interface KeptSession {
  readonly token: string
  readonly principal: string
  /** Milliseconds since 1970. */
  readonly endsAtMs: number
}

// https://specifications.freedesktop.org/basedir-spec/latest/
const path = (): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'tocsin', 'sessions.json')

/** Undefined: nobody has signed in there from here, or it is over. */
export function keptSession(server: string): KeptSession | undefined {
  const found = readAll()[server]
  return found && found.endsAtMs > Date.now() ? found : undefined
}

/** Undefined: forgets it. */
export function keepSession(server: string, session: KeptSession | undefined): void {
  const others = Object.entries(readAll()).filter(([name, { endsAtMs }]) => name !== server && endsAtMs > Date.now())
  const all = Object.fromEntries(session ? [...others, [server, session]] : others)
  const file = path()
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const half = `${file}.${process.pid}`
  writeFileSync(half, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 })
  chmodSync(half, 0o600)
  renameSync(half, file)
}

function readAll(): Record<string, KeptSession> {
  const file = path()
  try {
    // Bits 077: group and others.
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new UsageError(`${file} can be read by other users of this machine: sign out, and run chmod 600 ${file}`)
    }
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, KeptSession>
  } catch (error) {
    if (error instanceof UsageError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {}
    throw error
  }
}
