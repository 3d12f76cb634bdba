// Makes a backup of a data folder, also while a gateway runs on it: bookmarks first, then the log, so that none of them is ever
// ahead of the log that is restored. A backup into the same folder copies only what is new, and one that is interrupted leaves
// the one before it whole.

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../proto/errors.ts'
import { rfc3339 } from '../../proto/time.ts'
import { wholeEnd } from '../audit/chain.ts'
import { auditFiles, auditFolder } from '../audit/files.ts'
import {
  type BackupFile,
  backupFormat,
  type Manifest,
  manifestFile,
  objectsFolder,
  writeManifest,
} from './backup-manifest.ts'
import { ChangedError, type Objects, openObjects } from './backup-objects.ts'
import { greatestCommit, segmentPlace, type SegmentPlace, walkSegment } from './backup-segments.ts'
import { type Disk, isFull, nodeDisk } from './disk.ts'
import { lanes } from './log.ts'
import { readEpoch } from './epoch.ts'
import { readWhole } from './segment-file.ts'
import { companionOf, decodeCompanion, decodeHeader } from './segment.ts'
import { stateFile } from './state.ts'

export { restore, verify } from './restore.ts'

export interface BackupOptions {
  readonly dataDir: string
  readonly target: string
  readonly gatewayVersion: string
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly madeAt: bigint
  /** A file that is taken along under its name. */
  readonly settings?: string
  readonly progress?: (progress: BackupProgress) => void
  readonly signal?: AbortSignal
  /** What the backup is written to. */
  readonly disk?: Disk
}

export interface BackupProgress {
  readonly doneBytes: number
  /** As the log was when it began. */
  readonly totalBytes: number
}

export interface BackedUp {
  readonly manifest: Manifest
  readonly copiedFiles: number
  readonly copiedBytes: number
}

/** Rejects with backup_failed (the one before is still whole), invalid_argument, or what the signal was aborted with. */
export async function backup(options: BackupOptions): Promise<BackedUp> {
  const { target, signal, disk = nodeDisk } = options
  check(options)
  try {
    const paths = listFiles(options.dataDir)
    let doneBytes = 0
    const totalBytes = paths.reduce((sum, path) => sum + sizeOf(join(options.dataDir, path)), 0)
    const objects = openObjects(disk, target, (bytes) => {
      signal?.throwIfAborted()
      doneBytes += bytes
      options.progress?.({ doneBytes, totalBytes: Math.max(totalBytes, doneBytes) })
    })
    try {
      return await copyAll(options, disk, objects, paths)
    } finally {
      objects.close()
    }
  } catch (error) {
    if (error instanceof GatewayError || signal?.aborted) throw error
    const why = isFull(error) ? 'its disk is full' : (error as Error).message
    throw new GatewayError('backup_failed', `The backup into ${target} could not be written: ${why}.`, { cause: error })
  }
}

async function copyAll(
  options: BackupOptions,
  disk: Disk,
  objects: Objects,
  paths: readonly string[],
): Promise<BackedUp> {
  const { dataDir, target, settings, madeAt, gatewayVersion } = options
  const copy: Copy = {
    dataDir,
    objects,
    files: [],
    copiedFiles: 0,
    copiedBytes: 0,
    lastLoggedAtMs: 0,
    heads: { urgent: 0, routine: 0 },
  }
  // state.sqlite first: what other files and the log have beyond its bookmarks is delivered again, and nothing is skipped.
  for (const path of paths.filter(isDatabase).toSorted((a, b) => Number(b === stateFile) - Number(a === stateFile))) {
    await addDatabase(copy, path)
  }
  for (const path of paths.filter(isPlain)) await addPlain(copy, path)
  const settingsPath = settings === undefined ? undefined : nameBeside(paths, options.dataDir, settings)
  if (settings !== undefined && settingsPath !== undefined && !paths.includes(settingsPath)) {
    note(copy, settingsPath, await objects.putFile(settings))
  }

  const segments = listFiles(dataDir).flatMap((path) => segmentPlace(path) ?? [])
  const commit = greatestCommit(dataDir, segments)
  for (const segment of segments) await addSegment(copy, segment, commit)
  // Last: what state.sqlite and the log say of its head is then never ahead of it.
  await addAudit(copy)

  const manifest: Manifest = {
    format: backupFormat,
    madeAt: rfc3339(madeAt),
    gatewayVersion,
    epoch: String(epochOf(dataDir, segments)),
    commit,
    heads: copy.heads,
    lastLoggedAtMs: copy.lastLoggedAtMs,
    ...(settingsPath !== undefined && { settings: settingsPath }),
    files: copy.files,
  }
  disk.syncFolder(join(target, objectsFolder))
  writeManifest(disk, target, manifest)
  objects.collect(new Set(copy.files.map(({ sha256 }) => sha256)))
  return { manifest, copiedFiles: copy.copiedFiles, copiedBytes: copy.copiedBytes }
}

interface Copy {
  readonly dataDir: string
  readonly objects: Objects
  readonly files: BackupFile[]
  copiedFiles: number
  copiedBytes: number
  lastLoggedAtMs: number
  heads: { urgent: number; routine: number }
}

function note(
  copy: Copy,
  path: string,
  kept: Awaited<ReturnType<Objects['putBytes']>>,
  facts?: Partial<BackupFile>,
): void {
  const { size, sha256, copied } = kept
  copy.files.push({ path, size, sha256, ...facts })
  if (!copied) return
  copy.copiedFiles += 1
  copy.copiedBytes += size
}

/** By SQLite itself, in one step: it is whole whoever writes to it meanwhile. */
async function addDatabase(copy: Copy, path: string): Promise<void> {
  const passing = copy.objects.passingPath()
  const database = new DatabaseSync(join(copy.dataDir, path), { readOnly: true, timeout: databaseTimeoutMs })
  try {
    await copyDatabase(database, passing, { rate: pagesAtOnce })
  } finally {
    database.close()
  }
  note(copy, path, await copy.objects.putFile(passing))
}

/** Certificates, holds, the epoch: small, replaced as a whole, and now and then while they are read. */
async function addPlain(copy: Copy, path: string): Promise<void> {
  for (let look = 1; ; look += 1) {
    try {
      note(copy, path, await copy.objects.putFile(join(copy.dataDir, path)))
      return
    } catch (error) {
      if (!existsSync(join(copy.dataDir, path))) return
      if (!(error instanceof ChangedError) || look === looksMax) throw error
    }
  }
}

const databaseTimeoutMs = 5000
/** All of them: after a pause SQLite would begin again whenever somebody has written. */
const pagesAtOnce = 2 ** 31 - 1
/** A record may be rewritten in place (its payload is removed) while it is read: the next look sees it whole. */
const looksMax = 4
const lookAgainMs = 50

async function addSegment(copy: Copy, { path, series }: SegmentPlace, commit: number): Promise<void> {
  for (let look = 1; ; look += 1) {
    const bytes = readWhole(nodeDisk, join(copy.dataDir, path))
    // Retention removed it meanwhile.
    if (!bytes) return
    const walked = walkSegment(bytes, series, commit)
    if (walked.damaged > 0 && look < looksMax) {
      await sleep(lookAgainMs)
      continue
    }
    const { laterAt, end, records, damaged, heads, lastLoggedAtMs } = walked
    const companion = laterAt === undefined ? soundCompanion(join(copy.dataDir, path), series, bytes) : undefined
    const used = companion ? bytes : bytes.subarray(0, laterAt ?? end)
    note(copy, path, await copy.objects.putBytes(used), { records, damaged })
    if (companion) note(copy, companionOf(path), await copy.objects.putBytes(companion))
    copy.lastLoggedAtMs = Math.max(copy.lastLoggedAtMs, lastLoggedAtMs)
    for (const lane of lanes) copy.heads[lane] = Math.max(copy.heads[lane], heads[lane])
    return
  }
}

/** Up to the last whole entry: the gateway may be writing the next one. */
async function addAudit(copy: Copy): Promise<void> {
  const files = auditFiles(nodeDisk, join(copy.dataDir, auditFolder))
  for (const { name, path } of files) {
    const bytes = readWhole(nodeDisk, path)
    // Retention removed it meanwhile.
    if (!bytes) continue
    const used = name === files.at(-1)?.name ? bytes.subarray(0, wholeEnd(bytes)) : bytes
    note(copy, `${auditFolder}/${name}`, await copy.objects.putBytes(used))
  }
}

/** Of a segment that is sealed and has not changed its length since; undefined: a start makes it from the segment. */
function soundCompanion(path: string, series: number, bytes: Buffer): Buffer | undefined {
  const header = decodeHeader(bytes)
  const companion = header && header !== 'foreign' ? readWhole(nodeDisk, companionOf(path)) : undefined
  if (!companion || !header || header === 'foreign') return undefined
  return decodeCompanion(companion, series, path, header)?.length === bytes.length ? companion : undefined
}

function epochOf(dataDir: string, segments: readonly SegmentPlace[]): bigint {
  const first = segments[0]
  if (!first) return 0n
  const folder = join(dataDir, first.path, '..', '..')
  const known = readEpoch(nodeDisk, folder)
  if (known !== undefined) return known
  const header = decodeHeader(readWhole(nodeDisk, join(dataDir, first.path)) ?? Buffer.alloc(0))
  return header && header !== 'foreign' && /^\d+$/.test(header.epoch) ? BigInt(header.epoch) : 0n
}

function check({ dataDir, target, settings }: BackupOptions): void {
  const refuse = (text: string): never => {
    throw new GatewayError('invalid_argument', text)
  }
  if (!existsSync(dataDir)) refuse(`there is no data folder ${dataDir}`)
  const [inner, outer] = [resolve(target), resolve(dataDir)]
  if (inner === outer || inner.startsWith(outer + sep))
    refuse(`${target} is inside the data folder; take one on another disk`)
  if (settings !== undefined && !existsSync(settings)) refuse(`there is no settings file ${settings}`)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  const names = readdirSync(target)
  if (names.length > 0 && !names.includes(manifestFile) && !names.includes(objectsFolder)) {
    refuse(`${target} holds other things; take an empty folder or one with an earlier backup`)
  }
}

// What is only of this run, made again by itself, or written again by SQLite.
const leftOut = /(^lock|^lock\..*|\.(spare|filling|new|pid|sock|idx)|-wal|-shm|-journal|\.damaged-\d+(-wal|-shm)?)$/

/** What the settings file is called in the backup: it may lie in the data folder, or have the name of something there. */
function nameBeside(paths: readonly string[], dataDir: string, settings: string): string {
  const inside = paths.find((path) => resolve(dataDir, path) === resolve(settings))
  if (inside !== undefined) return inside
  let name = basename(settings)
  while (paths.some((path) => path === name || path.startsWith(`${name}/`))) name = `settings-${name}`
  return name
}

/** In the folder, with forward slashes. */
function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !leftOut.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted()
}

const isDatabase = (path: string): boolean => path.endsWith('.sqlite')
const isAudit = (path: string): boolean => path.startsWith(`${auditFolder}/`) && path.endsWith('.audit')
const isPlain = (path: string): boolean => !isDatabase(path) && !isAudit(path) && !segmentPlace(path)
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
