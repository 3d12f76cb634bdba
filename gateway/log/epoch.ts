// The epoch: which log a cursor belongs to. It changes only when a backup is restored, because sequences after the backup were
// given to other records before. The file `epoch` beside the series is what counts; segment headers repeat it as it was when they
// were made, for a log whose file is lost.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Disk, type DiskFile, readUpTo, writeAll } from './disk.ts'

export const epochFile = 'epoch'

/** Never 0, and below 2^63 as SQLite and protobuf have it. Random, so that two restores of one backup differ. */
export const newEpoch = (): bigint => (randomBytes(8).readBigUInt64LE() >> 1n) | 1n

/** Undefined: there is none, or it is not a number any more. `folder` holds the series. */
export function readEpoch(disk: Disk, folder: string): bigint | undefined {
  if (!disk.list(folder).includes(epochFile)) return undefined
  const file = disk.open(join(folder, epochFile), 'read')
  try {
    const bytes = Buffer.alloc(32)
    const text = bytes.toString('latin1', 0, readUpTo(file, bytes, 0)).trim()
    return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined
  } finally {
    file.close()
  }
}

/** Durable when it returns. */
export function writeEpoch(disk: Disk, folder: string, epoch: bigint): void {
  const path = join(folder, epochFile)
  if (disk.list(folder).includes(`${epochFile}.new`)) disk.unlink(`${path}.new`)
  const file: DiskFile = disk.open(`${path}.new`, 'create')
  try {
    writeAll(file, Buffer.from(`${epoch}\n`), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(`${path}.new`, path)
  disk.syncFolder(folder)
}
