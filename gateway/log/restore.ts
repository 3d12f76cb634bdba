// Makes a data folder out of a backup. Every byte is checked before anything is put in its place, and the restored log begins a
// new epoch: sequences after the backup were given to other records before, so that a cursor from then must be answered by a gap.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../proto/errors.ts'
import { type BackupFile, type Manifest, manifestFile, objectPath, readManifest } from './backup-manifest.ts'
import { chunksOf } from './backup-objects.ts'
import { segmentPlace, walkSegment } from './backup-segments.ts'
import { currentEpochMark } from './current-table.ts'
import { isFull, nodeDisk, writeAll } from './disk.ts'
import { newEpoch, writeEpoch } from './epoch.ts'
import type { LanePosition } from './log.ts'
import { readWhole } from './segment-file.ts'
import { recordSeriesCount } from './series.ts'
import { openState, stateFile } from './state.ts'

export interface RestoreOptions {
  readonly source: string
  readonly dataDir: string
  readonly progress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void
  readonly signal?: AbortSignal
}

export interface Restored {
  /** Of the restored log; that of the backup when it was only verified. */
  readonly epoch: bigint
  readonly files: number
  readonly bytes: number
  readonly records: number
  readonly frames: number
  /** Places that were damaged in the log already when the backup was made. */
  readonly damaged: number
  readonly heads: LanePosition
  /** RFC 3339. */
  readonly madeAt: string
  readonly lastLoggedAtMs: number
  readonly gatewayVersion: string
  /** Where the settings file of the backup lies now. */
  readonly settings?: string
}

/** Rejects with invalid_argument, backup_damaged (naming the file; nothing was restored) or log_full. */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const dataDir = resolve(options.dataDir)
  const manifest = manifestOf(options.source)
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new GatewayError(
      'invalid_argument',
      `${dataDir} is not empty; restore into a new folder, or move that one away first`,
    )
  }
  const staging = stagingFolder(dataDir)
  try {
    mkdirSync(staging, { recursive: true, mode: 0o700 })
    await readAll(options, manifest, staging)
    const epoch = beginEpoch(manifest, staging)
    putInPlace(staging, dataDir)
    return {
      ...summary(manifest, epoch),
      ...(manifest.settings !== undefined && { settings: join(dataDir, manifest.settings) }),
    }
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    if (!isFull(error)) throw error
    throw new GatewayError('log_full', `The disk of ${dataDir} has no room for the backup; nothing was restored.`, {
      cause: error,
    })
  }
}

/** Reads a whole backup as a restore would; rejects with backup_damaged, naming the file. */
export async function verify(options: Omit<RestoreOptions, 'dataDir'>): Promise<Restored> {
  const manifest = manifestOf(options.source)
  await readAll(options, manifest, undefined)
  return summary(manifest, BigInt(manifest.epoch))
}

function manifestOf(source: string): Manifest {
  const manifest = readManifest(source)
  if (manifest) return manifest
  throw new GatewayError('invalid_argument', `${source} holds no backup: there is no ${manifestFile} in it`)
}

/** Checks every file, and copies it when there is a folder for it. */
async function readAll(
  options: Omit<RestoreOptions, 'dataDir'>,
  manifest: Manifest,
  folder: string | undefined,
): Promise<void> {
  const totalBytes = manifest.files.reduce((sum, { size }) => sum + size, 0)
  let doneBytes = 0
  const step = (bytes: number): void => {
    options.signal?.throwIfAborted()
    doneBytes += bytes
    options.progress?.({ doneBytes, totalBytes })
  }
  const folders = new Set<string>()
  for (const file of manifest.files) {
    const to = folder === undefined ? undefined : join(folder, file.path)
    if (to !== undefined) {
      nodeDisk.makeFolder(dirname(to))
      folders.add(dirname(to))
    }
    await readFile(options.source, file, to, step)
    checkContent(file, to ?? objectPath(options.source, file.sha256))
  }
  for (const each of folders) nodeDisk.syncFolder(each)
}

async function readFile(
  source: string,
  file: BackupFile,
  to: string | undefined,
  step: (bytes: number) => void,
): Promise<void> {
  const from = objectPath(source, file.sha256)
  if (statSync(from, { throwIfNoEntry: false })?.size !== file.size)
    throw damaged(file, from, 'is missing or has another length')
  const digest = createHash('sha256')
  const target = to === undefined ? undefined : nodeDisk.open(to, 'create')
  try {
    let at = 0
    for await (const chunk of chunksOf(from)) {
      digest.update(chunk)
      if (target) writeAll(target, chunk, at)
      at += chunk.length
      step(chunk.length)
    }
    await target?.sync()
  } finally {
    target?.close()
  }
  if (digest.digest('hex') !== file.sha256) throw damaged(file, from, 'does not match its SHA-256')
}

/** What the digest cannot tell: that it was sound when the backup was made. */
function checkContent(file: BackupFile, path: string): void {
  const place = segmentPlace(file.path)
  if (place) {
    const { records, damaged: found } = walkSegment(readWhole(nodeDisk, path)!, place.series, Number.MAX_SAFE_INTEGER)
    if (records !== file.records || found !== file.damaged)
      throw damaged(file, path, 'has other records than were backed up')
  }
  if (!file.path.endsWith('.sqlite')) return
  try {
    // Nothing else has it open, and nothing may be written beside it.
    const database = new DatabaseSync(`file:${encodeURI(resolve(path))}?immutable=1`, { readOnly: true })
    const { quick_check: check } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
    database.close()
    if (check !== 'ok') throw new Error(check)
  } catch (cause) {
    throw damaged(file, path, 'is no sound database', cause)
  }
}

const damaged = (file: BackupFile, path: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError(
    'backup_damaged',
    `${file.path} of the backup (${path}) ${why}; nothing was restored. Take an earlier backup.`,
    { cause },
  )

function beginEpoch(manifest: Manifest, folder: string): bigint {
  const epoch = newEpoch()
  const logs = new Set(manifest.files.flatMap(({ path }) => (segmentPlace(path) ? [dirname(dirname(path))] : [])))
  for (const log of logs) writeEpoch(nodeDisk, join(folder, log), epoch)
  if (!existsSync(join(folder, stateFile))) return epoch
  const state = openState({ dataDir: folder })
  // Its index of current records is of this log, whatever the epoch: it was saved before the log was copied.
  if (state.mark(currentEpochMark) === BigInt(manifest.epoch)) state.setMark(currentEpochMark, epoch)
  state.close()
  return epoch
}

function summary(manifest: Manifest, epoch: bigint): Restored {
  const { files, heads, madeAt, lastLoggedAtMs, gatewayVersion } = manifest
  const sum = (of: (file: BackupFile) => number): number => files.reduce((total, file) => total + of(file), 0)
  const isFrames = ({ path }: BackupFile): boolean => (segmentPlace(path)?.series ?? 0) >= recordSeriesCount
  return {
    epoch,
    files: files.length,
    bytes: sum(({ size }) => size),
    records: sum((file) => (isFrames(file) ? 0 : (file.records ?? 0))),
    frames: sum((file) => (isFrames(file) ? (file.records ?? 0) : 0)),
    damaged: sum((file) => file.damaged ?? 0),
    heads,
    madeAt,
    lastLoggedAtMs,
    gatewayVersion,
  }
}

/** Beside the data folder, so that one rename puts all in place; inside it when it is a file system of its own. */
function stagingFolder(dataDir: string): string {
  const parent = dirname(dataDir)
  mkdirSync(parent, { recursive: true })
  const isMount = existsSync(dataDir) && statSync(dataDir).dev !== statSync(parent).dev
  return isMount ? join(dataDir, restoring) : `${dataDir}${restoring}`
}

const restoring = '.restoring'

function putInPlace(staging: string, dataDir: string): void {
  nodeDisk.syncFolder(staging)
  if (dirname(staging) === dataDir) {
    // Folders last: a gateway that is started on half of it finds state without a log and says so.
    const names = readdirSync(staging, { withFileTypes: true }).toSorted(
      (a, b) => Number(a.isDirectory()) - Number(b.isDirectory()),
    )
    for (const { name } of names) renameSync(join(staging, name), join(dataDir, name))
    rmdirSync(staging)
    nodeDisk.syncFolder(dataDir)
  } else {
    if (existsSync(dataDir)) rmdirSync(dataDir)
    renameSync(staging, dataDir)
    nodeDisk.syncFolder(dirname(dataDir))
  }
}
