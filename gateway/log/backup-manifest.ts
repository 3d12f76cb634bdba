// What a backup says of itself: manifest.json names every file of it with size and SHA-256. It is written last and replaced as a
// whole, so that an interrupted backup leaves the one before it valid; files are kept by their digest and never overwritten.

import { hash } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { GatewayError } from '../../proto/errors.ts'
import { type Disk, nodeDisk, writeAll } from './disk.ts'
import { readWhole, removeIfThere } from './segment-file.ts'

export const manifestFile = 'manifest.json'
export const objectsFolder = 'objects'
export const backupFormat = 1

// Nothing that leaves the data folder, whatever a damaged or forged manifest says.
const safePath = /^(?!\.{1,2}(\/|$))[^/\\\0]+(\/(?!\.{1,2}(\/|$))[^/\\\0]+)*$/

const fileSchema = z.object({
  /** In the data folder, with forward slashes. */
  path: z.string().regex(safePath),
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of segments: records or frames in it, and places that were damaged in the log already. */
  records: z.int().optional(),
  damaged: z.int().optional(),
})

const manifestSchema = z.object({
  format: z.literal(backupFormat),
  madeAt: z.string(),
  gatewayVersion: z.string(),
  epoch: z.string(),
  /** Last commit that is in it. */
  commit: z.int(),
  heads: z.object({ urgent: z.int(), routine: z.int() }),
  /** When its last record was logged, milliseconds since 1970; 0: it has none. */
  lastLoggedAtMs: z.number(),
  /** Name of the settings file, if it was taken along. */
  settings: z.string().regex(safePath).optional(),
  files: z.array(fileSchema),
})

export type BackupFile = z.infer<typeof fileSchema>
export type Manifest = z.infer<typeof manifestSchema>

export const objectPath = (folder: string, sha256: string): string => join(folder, objectsFolder, sha256)

/** Undefined: there is none. Throws backup_damaged when it cannot be believed. */
export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, manifestFile)
  const bytes = readWhole(nodeDisk, path)
  if (!bytes) return undefined
  const damaged = (why: string, cause?: unknown): GatewayError =>
    new GatewayError('backup_damaged', `${path} ${why}`, { cause })
  let content: { manifest: unknown; sha256: unknown }
  try {
    content = JSON.parse(bytes.toString('utf8')) as typeof content
  } catch (cause) {
    throw damaged('is not JSON', cause)
  }
  if (content.sha256 !== digest(content.manifest)) throw damaged('does not match its own SHA-256')
  const parsed = manifestSchema.safeParse(content.manifest)
  if (!parsed.success) throw damaged('is not a manifest that this version can read', parsed.error)
  return parsed.data
}

/** Durable under its name when it returns; until then the one before it counts. */
export function writeManifest(disk: Disk, folder: string, manifest: Manifest): void {
  const passing = join(folder, `${manifestFile}.new`)
  removeIfThere(disk, passing)
  const file = disk.open(passing, 'create')
  try {
    writeAll(file, Buffer.from(`${JSON.stringify({ manifest, sha256: digest(manifest) }, undefined, 1)}\n`), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(passing, join(folder, manifestFile))
  disk.syncFolder(folder)
}

const digest = (manifest: unknown): string => hash('sha256', JSON.stringify(manifest) ?? '')
