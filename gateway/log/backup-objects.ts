// The files of a backup, each under the SHA-256 of its bytes: one that is there and sound is not written again, one that is named
// by a manifest is never changed, and a half-written one never bears its name.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { objectPath, objectsFolder } from './backup-manifest.ts'
import { type Disk, nodeDisk, readUpTo, writeAll } from './disk.ts'
import { lockFolder } from './lock.ts'
import { removeIfThere } from './segment-file.ts'

export interface Objects {
  /** Returns size and digest; `copied` is false when it was there. */
  putBytes(bytes: Uint8Array): Promise<Kept>
  /** Of a file that nobody writes to; read twice rather than held in memory. */
  putFile(path: string): Promise<Kept>
  /** A path for something that is to be put by `putFile` and forgotten. */
  passingPath(): string
  /** Removes what no manifest names any more. */
  collect(named: ReadonlySet<string>): void
  close(): void
}

export interface Kept {
  readonly size: number
  readonly sha256: string
  readonly copied: boolean
}

/** Somebody wrote to it between the two readings. */
export class ChangedError extends Error {}

const passing = '.passing'
const chunkBytes = 1024 * 1024

/** `step` is called after each chunk, with how many bytes were dealt with; it throws to stop. */
export function openObjects(disk: Disk, folder: string, step: (bytes: number) => void): Objects {
  const objects = join(folder, objectsFolder)
  disk.makeFolder(objects)
  const unlock = lock(folder)
  for (const name of disk.list(objects)) if (name.endsWith(passing)) disk.unlink(join(objects, name))
  let passed = 0
  const passingPath = (): string => join(objects, `${(passed += 1)}${passing}`)

  /** Is it there, byte for byte? A damaged one is written again. */
  async function isThere(sha256: string, size: number): Promise<boolean> {
    if (!disk.list(objects).includes(sha256)) return false
    const path = objectPath(folder, sha256)
    const found = await digestOf(path, () => undefined)
    return found.size === size && found.sha256 === sha256
  }

  async function keep(size: number, sha256: string, chunks: () => AsyncIterable<Uint8Array>): Promise<Kept> {
    if (await isThere(sha256, size)) {
      step(size)
      return { size, sha256, copied: false }
    }
    const path = passingPath()
    const file = disk.open(path, 'create')
    const copy = createHash('sha256')
    try {
      let at = 0
      for await (const chunk of chunks()) {
        writeAll(file, chunk, at)
        copy.update(chunk)
        at += chunk.length
        step(chunk.length)
      }
      await file.sync()
    } catch (error) {
      file.close()
      removeIfThere(disk, path)
      throw error
    }
    file.close()
    if (copy.digest('hex') !== sha256) {
      removeIfThere(disk, path)
      throw new ChangedError('the file changed while it was copied')
    }
    disk.rename(path, objectPath(folder, sha256))
    return { size, sha256, copied: true }
  }

  return {
    passingPath,
    putBytes(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      return keep(bytes.length, sha256, () => slices(bytes))
    },
    async putFile(path) {
      const { size, sha256 } = await digestOf(path, () => step(0))
      return keep(size, sha256, () => chunksOf(path))
    },
    collect(named) {
      // The manifest that names the new ones must be durable before the old ones go; writeManifest has seen to that.
      for (const name of disk.list(objects)) if (!named.has(name)) disk.unlink(join(objects, name))
      disk.syncFolder(objects)
    },
    close() {
      unlock()
      for (const name of disk.list(objects)) if (name.endsWith(passing)) removeIfThere(disk, join(objects, name))
    },
  }
}

export async function digestOf(path: string, step: (bytes: number) => void): Promise<{ size: number; sha256: string }> {
  const digest = createHash('sha256')
  let size = 0
  for await (const chunk of chunksOf(path)) {
    digest.update(chunk)
    size += chunk.length
    step(chunk.length)
  }
  return { size, sha256: digest.digest('hex') }
}

/** The same buffer again and again. */
export async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = nodeDisk.open(path, 'read')
  const buffer = Buffer.allocUnsafe(chunkBytes)
  try {
    for (let at = 0; ;) {
      const count = readUpTo(file, buffer, at)
      if (count === 0) return
      yield buffer.subarray(0, count)
      at += count
      await turn()
    }
  } finally {
    file.close()
  }
}

async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield bytes.subarray(at, at + chunkBytes)
    await turn()
  }
}

/** Lets whatever else runs here run: a backup may be made inside the gateway. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Two backups into one folder would remove each other's files. */
function lock(folder: string): () => void {
  try {
    return lockFolder(folder)
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    throw new GatewayError('backup_failed', `Another backup into ${folder} is under way; wait for it.`, { cause })
  }
}
