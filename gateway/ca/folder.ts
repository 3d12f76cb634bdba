// The folder `ca` of a data folder: the authority's key and certificate, the server's, the list of what was revoked, and one file for each
// certificate that was issued. Commands and the gateway both write here, so each file is replaced whole, and none is anybody else's to read.

import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { GatewayError } from '../../proto/errors.ts'
import { type Disk, nodeDisk, writeAll } from '../log/disk.ts'
import { type Authority, type Issued, makeAuthority, openAuthority } from './authority.ts'
import { authorityFiles } from './paths.ts'

const entryForm = z.strictObject({
  serial: z.string().regex(/^[0-9a-f]+$/),
  /** "device:gauge-7", "server" or "command". */
  name: z.string(),
  issued_at_ms: z.number(),
  ends_at_ms: z.number(),
  revoked_at_ms: z.number().optional(),
  reason: z.string().optional(),
})
export type IssuedEntry = z.infer<typeof entryForm>

/** Its key and certificate are durable when it resolves. Rejects with already_there. */
export async function foundAuthority(dataDir: string, jurisdiction: string, nowMs: number): Promise<void> {
  const files = authorityFiles(dataDir)
  if (existsSync(files.key) || existsSync(files.certificate)) {
    throw new GatewayError('already_there', `There is an authority in ${files.folder} already.`)
  }
  const { key, certificate } = await makeAuthority(`Tocsin authority of ${jurisdiction}`, nowMs)
  replaceFile(files.key, key)
  replaceFile(files.certificate, certificate)
}

/** Rejects with not_found where there is none, and with unsafe_settings where others may read its key. */
export function loadAuthority(dataDir: string): Promise<Authority> {
  const { key, certificate } = authorityFiles(dataDir)
  if (!existsSync(certificate)) {
    throw new GatewayError('not_found', `There is no authority in ${dataDir}: make one with tocsin ca init.`)
  }
  // Bits 077: group and others.
  if ((statSync(key).mode & 0o077) !== 0) {
    throw new GatewayError(
      'unsafe_settings',
      `${key} can be read by other users; run chmod 600 ${key}, and make a new authority if anybody may have copied it.`,
    )
  }
  return openAuthority({ key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') })
}

export function noteIssued(dataDir: string, name: string, { serial, endsAtMs }: Issued, nowMs: number): void {
  writeEntry(dataDir, { serial, name, issued_at_ms: nowMs, ends_at_ms: endsAtMs })
}

/** All that were issued, the oldest first. */
export function listIssued(dataDir: string, disk: Disk = nodeDisk): IssuedEntry[] {
  const { issued } = authorityFiles(dataDir)
  return disk
    .list(issued)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readEntry(join(issued, name)))
    .toSorted((a, b) => a.issued_at_ms - b.issued_at_ms || (a.name < b.name ? -1 : 1))
}

/** Entered first, and listed then: a stop between leaves one that the next list has. */
export async function revoke(
  dataDir: string,
  authority: Authority,
  entries: readonly IssuedEntry[],
  reason: string,
  nowMs: number,
): Promise<void> {
  for (const entry of entries) {
    writeEntry(dataDir, { ...entry, revoked_at_ms: nowMs, ...(reason && { reason }) })
  }
  await writeList(dataDir, authority, nowMs)
}

export async function writeList(dataDir: string, authority: Authority, nowMs: number): Promise<void> {
  const revoked = listIssued(dataDir).flatMap(({ serial, revoked_at_ms: atMs }) =>
    atMs === undefined ? [] : [{ serial, atMs }],
  )
  replaceFile(authorityFiles(dataDir).revoked, await authority.list(revoked, nowMs))
}

/** Whole or not at all, for this user only. */
export function replaceFile(path: string, content: string, disk: Disk = nodeDisk): void {
  const folder = dirname(path)
  disk.makeFolder(folder)
  const passing = join(folder, `${randomUUID()}.new`)
  const file = disk.open(passing, 'create')
  try {
    writeAll(file, Buffer.from(content), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(passing, path)
  disk.syncFolder(folder)
}

function writeEntry(dataDir: string, entry: IssuedEntry): void {
  replaceFile(join(authorityFiles(dataDir).issued, `${entry.serial}.json`), `${JSON.stringify(entry)}\n`)
}

function readEntry(path: string): IssuedEntry {
  try {
    return entryForm.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    throw new GatewayError('invalid_argument', `${path} is not as the authority wrote it: restore it from a backup.`)
  }
}
