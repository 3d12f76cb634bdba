// Removes what a record and its frame say, and leaves that they were there: bytes become zeros in place. A change is written to a
// file of its own first, so that a stop in the middle is made good at the next start.

import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { GatewayError } from '../../proto/errors.ts'
import { type Disk, type DiskFile, writeAll } from './disk.ts'
import { blockCommit, blockLoggedAtMs, frameEntries, makeBlock, unpackBlock } from './frames.ts'
import type { Place } from './log.ts'
import type { Reader } from './reader.ts'
import { eventRange, flagRemoved, flagsAt, frameIdAt, sealRecord } from './record.ts'
import type { Search } from './search.ts'
import { readWhole, removeIfThere } from './segment-file.ts'
import { type Found, sequenceOf } from './walk.ts'
import { setUint32 } from './wire-bytes.ts'

export interface RemovalParts {
  readonly disk: Disk
  readonly folder: string
  readonly reader: Reader
  readonly search: Search
  /** Nobody is given what was read of it before. */
  forget(found: Found): void
}

interface Patch {
  readonly path: string
  readonly offset: number
  readonly bytes: Buffer
}

const patchFile = 'patch'

export function createRemoval({ disk, folder, reader, search, forget }: RemovalParts): (place: Place) => Promise<void> {
  return async ({ lane, sequence }) => {
    const found = reader.locate(lane, sequence)
    if (!found || sequenceOf(found) !== sequence)
      throw new GatewayError('not_found', `there is no ${lane} record ${sequence}`)
    const frame = search.findFrameEntry(frameIdAt(found.window.bytes, found.at))
    const changed = frame ? [found, frame.found] : [found]
    const patches = frame ? [emptiedRecord(found), emptiedFrame(frame.found, frame.id)] : [emptiedRecord(found)]
    try {
      writePatches(disk, folder, patches)
      applyPatches(disk, folder, patches)
    } catch (cause) {
      throw new GatewayError('log_failed', `the payload of ${lane} record ${sequence} could not be removed`, { cause })
    } finally {
      for (const one of changed) forget(one)
    }
  }
}

function emptiedRecord({ segment, window, at, size }: Found): Patch {
  const bytes = Buffer.from(window.bytes.subarray(at, at + size))
  const { start, end } = eventRange(bytes, 0)
  bytes.fill(0, start, end)
  setUint32(bytes, 29, flagsAt(bytes, 0) | flagRemoved)
  sealRecord(bytes, 0)
  return { path: segment.path, offset: window.base + at, bytes }
}

/** Zeros compress better than what they replace, so the block fits where it stood; if it ever does not, the others' payloads stay. */
function emptiedFrame({ segment, window, at, size }: Found, id: Buffer): Patch {
  const raw = Buffer.from(unpackBlock(window.bytes, at))
  for (const entry of frameEntries(raw)) if (entry.id.equals(id)) entry.payload.fill(0)
  const block = makeBlock(raw, blockCommit(window.bytes, at), blockLoggedAtMs(window.bytes, at), size)
  if (!block) throw new RangeError('the block of frames does not fit its place any more')
  return { path: segment.path, offset: window.base + at, bytes: block }
}

function writePatches(disk: Disk, folder: string, patches: readonly Patch[]): void {
  const text = Buffer.from(
    JSON.stringify(patches.map(({ path, offset, bytes }) => ({ path, offset, bytes: bytes.toString('base64') }))),
  )
  const check = Buffer.alloc(4)
  setUint32(check, 0, crc32(text))
  removeIfThere(disk, join(folder, patchFile))
  const file = disk.open(join(folder, patchFile), 'create')
  try {
    writeAll(file, Buffer.concat([check, text]), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.syncFolder(folder)
}

function applyPatches(disk: Disk, folder: string, patches: readonly Patch[]): void {
  for (const { path, offset, bytes } of patches) {
    const file: DiskFile = disk.open(path, 'write')
    try {
      writeAll(file, bytes, offset)
      file.syncNow()
    } finally {
      file.close()
    }
  }
  disk.unlink(join(folder, patchFile))
  disk.syncFolder(folder)
}

/** At start, before anything is read: does what a stop cut off. One that is not whole was never begun. */
export function redoRemoval(disk: Disk, folder: string): void {
  const bytes = readWhole(disk, join(folder, patchFile))
  if (!bytes) return
  const text = bytes.subarray(4)
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== crc32(text)) return disk.unlink(join(folder, patchFile))
  const patches = JSON.parse(text.toString()) as { path: string; offset: number; bytes: string }[]
  applyPatches(
    disk,
    folder,
    patches.map((patch) => ({ ...patch, bytes: Buffer.from(patch.bytes, 'base64') })),
  )
}
