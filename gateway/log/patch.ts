// Changes in place that a stop in the middle must not leave half done: they are written to a file of their own first, and done
// again at the next start when that file is whole.

import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Disk, type DiskFile, writeAll } from './disk.ts'
import { readWhole, removeIfThere } from './segment-file.ts'
import type { Range } from './segment.ts'
import { setUint32 } from './wire-bytes.ts'

export interface Patch {
  /** Within the folder of the log. */
  readonly path: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/** By path of a segment: sequences that readers are not told of any more. */
export type Voids = Readonly<Record<string, readonly Range[]>>

const patchFile = 'patch'

/** Durable when it returns. */
export function notePatches(disk: Disk, folder: string, patches: readonly Patch[], voids: Voids = {}): void {
  const encoded = patches.map(({ path, offset, bytes }) => ({
    path,
    offset,
    bytes: Buffer.from(bytes).toString('base64'),
  }))
  const text = Buffer.from(JSON.stringify({ patches: encoded, voids }))
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

export function applyPatches(disk: Disk, folder: string, patches: readonly Patch[]): void {
  for (const path of new Set(patches.map((patch) => patch.path))) {
    const file: DiskFile = disk.open(join(folder, path), 'write')
    try {
      for (const { offset, bytes } of patches.filter((patch) => patch.path === path)) writeAll(file, bytes, offset)
      file.syncNow()
    } finally {
      file.close()
    }
  }
}

export function endPatches(disk: Disk, folder: string): void {
  removeIfThere(disk, join(folder, patchFile))
  disk.syncFolder(folder)
}

/** Does again what a stop may have cut off, and tells what it was about. One that is not whole was never begun. */
export function redoPatches(disk: Disk, folder: string): Voids {
  const bytes = readWhole(disk, join(folder, patchFile))
  if (!bytes) return {}
  const text = bytes.subarray(4)
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== crc32(text)) return {}
  const noted = JSON.parse(text.toString()) as {
    patches: { path: string; offset: number; bytes: string }[]
    voids: Voids
  }
  const there = noted.patches.filter(({ path }) => isThere(disk, folder, path))
  applyPatches(
    disk,
    folder,
    there.map((patch) => ({ ...patch, bytes: Buffer.from(patch.bytes, 'base64') })),
  )
  return noted.voids
}

/** A segment of which nothing was left is gone by now. */
function isThere(disk: Disk, folder: string, path: string): boolean {
  const parts = path.split(/[/\\]/)
  return disk.list(join(folder, ...parts.slice(0, -1))).includes(parts.at(-1)!)
}
