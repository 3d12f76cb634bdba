// The disk as the log sees it: everything the log reads and writes goes through this port, so that tests can replace it by one
// that forgets what was not synced, fails, tears, fills and flips. It adds nothing of its own: a short write is told, not continued.

import * as fs from 'node:fs'

export interface Disk {
  /** Makes the folder and those above it, for this user only. */
  makeFolder(path: string): void
  /** Names in a folder; empty when there is none. */
  list(path: string): readonly string[]
  open(path: string, mode: OpenMode): DiskFile
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Makes new, renamed and unlinked names of the folder durable. */
  syncFolder(path: string): void
  /** Bytes that may still be written there. */
  freeBytes(path: string): number
}

/** `create` fails when the file is there. */
export type OpenMode = 'read' | 'write' | 'create'

export interface DiskFile {
  size(): number
  /** Returns how many bytes were read: 0 at the end. */
  read(target: Uint8Array, position: number): number
  /** Returns how many bytes were written, which may be fewer than given. */
  write(source: Uint8Array, position: number): number
  /** The file's bytes are on the medium when it resolves. */
  sync(): Promise<void>
  syncNow(): void
  truncate(length: number): void
  close(): void
}

const flags = { read: 'r', write: 'r+', create: 'wx+' } as const
// What is said over the air and who said it is nobody else's business on this machine.
const fileMode = 0o600
const folderMode = 0o700

export const nodeDisk: Disk = {
  makeFolder: (path) => void fs.mkdirSync(path, { recursive: true, mode: folderMode }),
  list: (path) => (fs.existsSync(path) ? fs.readdirSync(path) : []),
  open: (path, mode) => openFile(fs.openSync(path, flags[mode], fileMode)),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  syncFolder(path) {
    // Windows has no such thing as a folder that can be synced; NTFS journals names by itself.
    if (process.platform === 'win32') return
    const fd = fs.openSync(path, 'r')
    try {
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  },
  freeBytes(path) {
    const { bavail, bsize } = fs.statfsSync(path)
    return bavail * bsize
  },
}

function openFile(fd: number): DiskFile {
  return {
    size: () => fs.fstatSync(fd).size,
    read: (target, position) => fs.readSync(fd, target, 0, target.length, position),
    write: (source, position) => fs.writeSync(fd, source, 0, source.length, position),
    sync: () => new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()))),
    syncNow: () => fs.fdatasyncSync(fd),
    truncate: (length) => fs.ftruncateSync(fd, length),
    close: () => fs.closeSync(fd),
  }
}

/** Writes all of it; a disk that takes nothing is full or broken and says so at the next write. */
export function writeAll(file: DiskFile, source: Uint8Array, position: number): void {
  let written = 0
  while (written < source.length) {
    const count = file.write(written === 0 ? source : source.subarray(written), position + written)
    if (count <= 0) throw Object.assign(new Error('the disk takes no more bytes'), { code: 'ENOSPC' })
    written += count
  }
}

/** Reads what is there, up to the length of `target`; returns how much that is. */
export function readUpTo(file: DiskFile, target: Uint8Array, position: number): number {
  let count = 0
  while (count < target.length) {
    const got = file.read(count === 0 ? target : target.subarray(count), position + count)
    if (got <= 0) break
    count += got
  }
  return count
}

/** True for errors that mean "no room": the disk, the quota or the file size limit. */
export function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}
