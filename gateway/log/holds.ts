// Legal and operational holds: nothing logged between the two times of a hold is removed until it is released. A hold is on disk
// when `add` returns, and twice: in state.sqlite and in holds.json, because a damaged file must not let evidence go.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import type { Hold, Holds } from './log.ts'
import type { State } from './state.ts'

export const holdsFile = 'holds.json'

/** Each is looked at for each segment at each retention run; a gateway with more has a policy, not holds. */
const holdsMax = 1000

export interface HoldParts {
  readonly dataDir: string
  readonly state: State
  readonly warn?: (text: string) => void
}

interface Row {
  name: string
  reason: string
  from_ns: bigint
  to_ns: bigint
}

export function createHolds({ dataDir, state, warn }: HoldParts): Holds {
  const path = join(dataDir, holdsFile)
  const holds = new Map<string, Hold>()
  // Of a hold that only one of the two knows, the other lost it or a release was cut off: it stays until it is released again.
  for (const hold of [...readCopy(path, warn), ...readState(state)]) holds.set(hold.name, hold)

  function save(): void {
    writeCopy(path, [...holds.values()])
    const insert = state.database.prepare('INSERT INTO holds (name, reason, from_ns, to_ns) VALUES (?, ?, ?, ?)')
    state.now(() => {
      state.database.exec('DELETE FROM holds')
      for (const { name, reason, from, to } of holds.values()) insert.run(name, reason, from, to)
    })
  }

  if (holds.size > 0) save()

  /** Puts things back as they were when the disk refuses, so that what is told is what holds. */
  function change(name: string, hold: Hold | undefined): void {
    const before = holds.get(name)
    if (hold) holds.set(name, hold)
    else holds.delete(name)
    try {
      save()
    } catch (cause) {
      if (before) holds.set(name, before)
      else holds.delete(name)
      throw new GatewayError('log_failed', `hold ${name} could not be saved in ${path} and state.sqlite`, { cause })
    }
  }

  return {
    add(hold) {
      const { name, reason, from, to } = hold
      const wrong = fault(hold, holds)
      if (wrong) throw new GatewayError('invalid_argument', wrong)
      change(name, { name, reason, from, to })
    },
    release(name) {
      if (!holds.has(name)) throw new GatewayError('not_found', `there is no hold ${name}`)
      change(name, undefined)
    },
    list: () => [...holds.values()],
  }
}

function fault(hold: Hold, holds: ReadonlyMap<string, Hold>): string | undefined {
  if (hold.name === '') return 'a hold needs a name'
  if (hold.from > hold.to) return `hold ${hold.name} ends before it begins`
  if (holds.has(hold.name)) return `there is a hold ${hold.name} already; release it first or take another name`
  if (holds.size >= holdsMax) return `there are ${holdsMax} holds already; release some first`
  return undefined
}

function readState(state: State): Hold[] {
  const select = state.database.prepare('SELECT name, reason, from_ns, to_ns FROM holds ORDER BY name')
  select.setReadBigInts(true)
  return (select.all() as unknown as Row[]).map(({ name, reason, from_ns, to_ns }) => ({
    name,
    reason,
    from: from_ns,
    to: to_ns,
  }))
}

function readCopy(path: string, warn: HoldParts['warn']): Hold[] {
  if (!existsSync(path)) return []
  try {
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as {
      name: string
      reason: string
      from: string
      to: string
    }[]
    return parsed.map(({ name, reason, from, to }) => ({ name, reason, from: BigInt(from), to: BigInt(to) }))
  } catch (error) {
    warn?.(
      `${path} cannot be read (${(error as Error).message}); the holds of state.sqlite are used. Check that none is missing.`,
    )
    return []
  }
}

function writeCopy(path: string, holds: readonly Hold[]): void {
  const text = JSON.stringify(
    holds.map(({ name, reason, from, to }) => ({ name, reason, from: String(from), to: String(to) })),
    undefined,
    2,
  )
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, `${text}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
}
