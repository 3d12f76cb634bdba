// Which settings are in force, as an entry at each start: their digest, and what changed since the start before. What a setting holds is
// written only where it can be no secret; of secrets and of lists of users only that they changed.

import { createHmac, hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Disk, writeAll } from '../log/disk.ts'
import { readWhole, removeIfThere } from '../log/segment-file.ts'
import { type Setting, settingsTable, type Settings } from '../settings-table.ts'
import { auditFolder } from './files.ts'

export interface SettingsNote {
  /** The same for gateways with the same settings. */
  readonly digest: string
  /** Settings that are not as they were at the start before; undefined: it is not known how they were. */
  readonly changed: Readonly<Record<string, string>> | undefined
  /** Remembers them for the next start; throws what the disk throws. */
  keep(): void
}

const file = 'settings-in-force.json'

/** What stands in the file: values as they are, or as a keyed digest where they are nobody's business. */
interface Kept {
  readonly key: string
  readonly values: Readonly<Record<string, string>>
}

export function settingsNote(disk: Disk, dataDir: string, settings: Settings): SettingsNote {
  const path = join(dataDir, auditFolder, file)
  const before = readKept(disk, path)
  const key = before?.key ?? randomBytes(32).toString('hex')
  const values = Object.fromEntries(entries(settings).map(([name, value]) => [name, shown(name, value, key)]))
  return {
    digest: hash('sha256', JSON.stringify(entries(settings).filter(([name]) => !isHidden(name)))),
    changed: before && difference(before.values, values),
    keep: () => writeKept(disk, path, { key, values }),
  }
}

const entries = (settings: Settings): [string, unknown][] =>
  Object.entries(settings).toSorted(([one], [other]) => (one < other ? -1 : 1))

const table: Readonly<Record<string, Setting>> = settingsTable

/** Trees may hold hashes of secrets and keys of devices. */
const isHidden = (name: string): boolean => table[name]?.kind === 'secret' || table[name]?.kind === 'tree'

function shown(name: string, value: unknown, key: string): string {
  const text = JSON.stringify(value) ?? ''
  return isHidden(name) ? `digest ${createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex')}` : text
}

function difference(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted()
  const changed = names.filter((name) => before[name] !== now[name])
  return Object.fromEntries(changed.map((name) => [name, changeText(name, before[name], now[name])]))
}

function changeText(name: string, before: string | undefined, now: string | undefined): string {
  if (isHidden(name)) return before === undefined ? 'set' : now === undefined ? 'no longer set' : 'changed'
  return `${before ?? 'not set'} → ${now ?? 'not set'}`
}

function readKept(disk: Disk, path: string): Kept | undefined {
  const bytes = readWhole(disk, path)
  if (!bytes) return undefined
  try {
    const kept = JSON.parse(bytes.toString('utf8')) as Kept
    return typeof kept.key === 'string' && typeof kept.values === 'object' ? kept : undefined
  } catch {
    // It is written anew; the entry says that it is not known how they were.
    return undefined
  }
}

function writeKept(disk: Disk, path: string, kept: Kept): void {
  const passing = `${path}.new`
  removeIfThere(disk, passing)
  const opened = disk.open(passing, 'create')
  try {
    writeAll(opened, Buffer.from(`${JSON.stringify(kept, undefined, 1)}\n`), 0)
    opened.syncNow()
  } finally {
    opened.close()
  }
  disk.rename(passing, path)
}
