// The files of the audit: `<data_dir>/audit/`, each named by the number of its first entry.

import { join } from 'node:path'
import { type Disk, type DiskFile, isFull, writeAll } from '../log/disk.ts'

export const auditFolder = 'audit'

/** Some thirty thousand entries: read and checked in a tenth of a second at start. */
export const fileBytesDefault = 8 << 20

const nameForm = /^(\d{16})\.audit$/

export interface AuditFile {
  /** Number of its first entry. */
  readonly first: number
  readonly name: string
  readonly path: string
}

export function auditFile(folder: string, first: number): AuditFile {
  const name = `${String(first).padStart(16, '0')}.audit`
  return { first, name, path: join(folder, name) }
}

/** In the order of their entries. */
export function auditFiles(disk: Disk, folder: string): AuditFile[] {
  return disk
    .list(folder)
    .flatMap((name) => {
      const number = nameForm.exec(name)?.[1]
      return number === undefined ? [] : [auditFile(folder, Number(number))]
    })
    .toSorted((a, b) => a.first - b.first)
}

/** For writing; its name is durable. One that was begun and not finished is begun again. */
export function createFile(disk: Disk, folder: string, file: AuditFile): DiskFile {
  disk.makeFolder(folder)
  const isThere = disk.list(folder).includes(file.name)
  const opened = disk.open(file.path, isThere ? 'write' : 'create')
  try {
    if (isThere && opened.size() > 0) opened.truncate(0)
    disk.syncFolder(folder)
    return opened
  } catch (error) {
    opened.close()
    throw error
  }
}

/**
 * What is taken out of a file, or found where it should not be, is kept beside it: it may be evidence. Undefined: the disk has no room
 * for it, which keeps nobody from starting.
 */
export function keepAside(disk: Disk, folder: string, name: string, bytes: Uint8Array): string | undefined {
  try {
    return putAside(disk, folder, name, bytes)
  } catch (error) {
    if (isFull(error)) return undefined
    throw error
  }
}

function putAside(disk: Disk, folder: string, name: string, bytes: Uint8Array): string {
  const kept = freeNameOf(disk, folder, name)
  const file = disk.open(join(folder, kept), 'create')
  try {
    writeAll(file, bytes, 0)
    file.syncNow()
  } finally {
    file.close()
  }
  return kept
}

/** "name-1", "name-2" …: the first that is not there. */
export function freeNameOf(disk: Disk, folder: string, name: string): string {
  const names = disk.list(folder)
  let count = 1
  while (names.includes(`${name}-${count}`)) count += 1
  return `${name}-${count}`
}
