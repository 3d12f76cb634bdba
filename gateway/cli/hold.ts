// Holds, for courts and reviews: nothing logged between the two times of a hold is removed until it is released. A running gateway
// keeps its holds in memory, so they are changed while it is stopped; they can be listed at any time.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SystemEventType } from '../../proto/generated/types.ts'
import { rfc3339 } from '../../proto/time.ts'
import { createHolds, holdsFile } from '../log/holds.ts'
import { lockFolder } from '../log/lock.ts'
import type { Hold, Holds } from '../log/log.ts'
import { openState } from '../log/state.ts'
import { noteInAudit } from './audit-note.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { dataFolderOptions, existingFolderOf } from './data-folder.ts'
import { pad, safe, type Terminal } from './terminal.ts'
import { parseTime, stampText } from './time.ts'

export const hold: Command = {
  name: 'hold',
  usage: 'add NAME --from TIME --to TIME --reason TEXT | list | release NAME',
  about: 'Keeps what was logged between two times from being removed.',
  options: {
    from: { value: 'TIME', about: 'With add: the first time that is held.' },
    to: { value: 'TIME', about: 'With add: the last time that is held.' },
    reason: { value: 'TEXT', about: 'With add: why, such as the number of the order.' },
    ...dataFolderOptions,
  },
  wordsMax: 2,
  wordOf: () => ['add', 'list', 'release'],
  examples: [
    ['tocsin hold add case-4711 --from 2026-11-20 --to 2026-11-23 --reason "court order 4711"', 'Three days are held.'],
    ['tocsin hold release case-4711', 'Retention may take them again.'],
  ],
  async run(given, terminal) {
    const [action, name] = given.words
    const { dataDir } = existingFolderOf(given)
    if (action === 'list' && name === undefined) return list(dataDir, terminal)
    if (action === 'add' && name !== undefined) {
      const added = holdOf(given, name)
      change(dataDir, terminal, (holds) => holds.add(added))
      const details = { reason: added.reason, from: rfc3339(added.from), to: rfc3339(added.to) }
      noteInAudit(dataDir, { ...noteOf('hold_add', name), details }, terminal)
      terminal.print(`${safe(name)} holds what was logged from ${stampText(added.from)} to ${stampText(added.to)}`)
      return 0
    }
    if (action === 'release' && name !== undefined) {
      change(dataDir, terminal, (holds) => holds.release(name))
      noteInAudit(dataDir, noteOf('hold_release', name), terminal)
      terminal.print(`${safe(name)} is released`)
      return 0
    }
    throw new UsageError('say what: hold add NAME …, hold list, or hold release NAME')
  },
}

const noteOf = (action: string, object: string) =>
  ({ action, type: SystemEventType.SETTINGS_CHANGED, outcome: 'done', object }) as const

function holdOf(given: Given, name: string): Hold {
  const [from, to, reason] = [given.text('from'), given.text('to'), given.text('reason')]
  if (from === undefined || to === undefined || !reason) throw new UsageError('--from, --to and --reason are needed')
  return { name, reason, from: parseTime(from, 'from'), to: parseTime(to, 'to') }
}

/** Under the lock of the folder, which a running gateway has. */
function change(dataDir: string, { tell }: Terminal, act: (holds: Holds) => void): void {
  const letGo = lockFolder(dataDir)
  try {
    const state = openState({ dataDir, warn: tell })
    try {
      act(createHolds({ dataDir, state, warn: tell }))
    } finally {
      state.close()
    }
  } finally {
    letGo()
  }
}

function list(dataDir: string, { print, tell }: Terminal): number {
  const path = join(dataDir, holdsFile)
  const holds: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []
  const rows = Array.isArray(holds) ? holds.filter(isKept) : []
  for (const { name, reason, from, to } of rows) {
    print(`${pad(safe(name), 20)}  ${stampText(BigInt(from))} to ${stampText(BigInt(to))}  ${safe(reason)}`)
  }
  if (rows.length === 0) tell('nothing is held')
  return 0
}

/** A hold as holds.json has it: times as text of nanoseconds. */
interface KeptHold {
  readonly name: string
  readonly reason: string
  readonly from: string
  readonly to: string
}

const isKept = (value: unknown): value is KeptHold =>
  typeof value === 'object' && value !== null && ['name', 'reason', 'from', 'to'].every((key) => key in value)
