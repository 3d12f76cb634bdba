// Two gateways never write one folder: a file holds the process that does. The lock of a process that is gone is taken over; a
// process that merely has the same number, after a restart of the machine, is told apart by when it began.

import { closeSync, linkSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'

export const lockFile = 'lock'

/** Within this process: the same number would look like a lock of our own. */
const held = new Set<string>()
/** Another one may take over the same stale lock at the same time. */
const attemptsMax = 10

/** Returns the way to let go. Throws GatewayError folder_in_use. */
export function lockFolder(folder: string): () => void {
  const path = join(resolve(folder), lockFile)
  if (held.has(path)) throw inUse(path, process.pid)
  const mine = `${process.pid} ${beganAt(process.pid) ?? ''}\n`
  const passing = `${path}.${process.pid}`
  const file = openSync(passing, 'w', 0o600)
  writeSync(file, mine)
  closeSync(file)
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (tryLink(passing, path)) {
        held.add(path)
        return () => release(path)
      }
      clearStale(path)
    }
    throw inUse(path, 0)
  } finally {
    unlinkSync(passing)
  }
}

function release(path: string): void {
  held.delete(path)
  unlinkSync(path)
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  }
}

function clearStale(path: string): void {
  const text = readText(path)
  if (text === undefined) return
  const [pid = 0, began = ''] = [Number(text.split(' ')[0]), text.split(' ')[1]?.trim()]
  if (Number.isSafeInteger(pid) && pid > 0 && isAlive(pid, began)) throw inUse(path, pid)
  // Renamed first, so that of two who clear it only one removes it, and neither removes a new one.
  const aside = `${path}.stale-${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return
    throw error
  }
  if (readText(aside) !== text) tryLink(aside, path)
  unlinkSync(aside)
}

function isAlive(pid: number, began: string): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ESRCH') return false
  }
  const now = beganAt(pid)
  return now === undefined || began === '' || now === began
}

/** When a process began, in ticks since the machine did, with the machine's boot; undefined where there is no /proc. */
function beganAt(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  const boot = readText('/proc/sys/kernel/random/boot_id')
  // proc(5): field 22; the name in field 2 may hold spaces and brackets.
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return ticks && boot ? `${boot.trim()}/${ticks}` : undefined
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function inUse(path: string, pid: number): GatewayError {
  const who = pid > 0 ? `process ${pid}` : 'another process'
  return new GatewayError(
    'folder_in_use',
    `${who} has the lock ${path}: stop it, or choose another folder (setting data_dir)`,
  )
}
