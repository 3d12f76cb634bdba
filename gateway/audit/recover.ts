// Where the audit goes on at a start. What a crash left half-written at the very end is cut, kept beside the file and told; anything else
// that is not as it was is left as it is, told, and the chain goes on from the last head that was anchored outside.

import { join } from 'node:path'
import type { Disk } from '../log/disk.ts'
import { readWhole } from '../log/segment-file.ts'
import { type Head, hex, isEqual, noHead, type Walked, walkChain } from './chain.ts'
import { type AuditFile, auditFile, auditFiles, freeNameOf, keepAside } from './files.ts'

export interface Recovered {
  readonly head: Head
  /** What is written on in; absent: a new one is begun. */
  readonly file?: { readonly file: AuditFile; readonly length: number }
  /** What a crash left at the end and was cut off. */
  readonly torn?: { readonly name: string; readonly bytes: number; readonly keptAs: string | undefined }
  /** What is not as it was, in sentences; empty: nothing. */
  readonly damage: readonly string[]
}

/** A crash tears one commit at most; whatever is longer was not torn by one. */
export const tornBytesMax = 512 << 10

/** `anchor` is the last head that was told outside; absent: none is known. */
export function recoverAudit(disk: Disk, folder: string, anchor: Head | undefined): Recovered {
  const damage: string[] = []
  const files = auditFiles(disk, folder)
  let newest = files.pop()
  // Begun and never written.
  while (newest && files.length > 0 && readFile(disk, newest).length === 0) {
    disk.unlink(newest.path)
    newest = files.pop()
  }
  const bytes = newest ? readFile(disk, newest) : Buffer.alloc(0)
  const walked = newest && walk(newest, bytes)
  const isTorn = walked?.why !== undefined && mayBeTorn(bytes, walked)
  const torn = newest && walked && isTorn ? cut(disk, folder, newest, bytes, walked.end) : undefined
  let goesOn =
    newest && walked && (isTorn || walked.why === undefined) ? { file: newest, length: walked.end } : undefined
  let head = walked?.head ?? noHead
  const before = files.at(-1)
  if (newest && walked?.end === 0 && before) {
    // Nothing whole stands in the newest: the one before it says where to go on.
    head = walk(before, readFile(disk, before)).head
    if (head.number !== newest.first - 1) goesOn = undefined
  }
  if (anchor && head.number < anchor.number) {
    const missing =
      anchor.number === head.number + 1
        ? `entry ${anchor.number} is`
        : `entries ${head.number + 1} to ${anchor.number} are`
    damage.push(
      `${missing} missing or changed: the last that was written is ${anchor.number}, SHA-256 ${hex(anchor.sha256)}`,
    )
    head = anchor
    goesOn = undefined
  }
  if (!goesOn) freeName(disk, folder, head)
  return { head, ...(goesOn && { file: goesOn }), ...(torn && { torn }), damage }

  function walk(file: AuditFile, content: Buffer) {
    const found = walkChain(content, file.first, file.first === 1 ? noHead : undefined, ({ number }, { sha256 }) => {
      if (number !== anchor?.number || isEqual(anchor.sha256, sha256)) return
      damage.push(`entry ${number} in ${file.name} is not the one that was written`)
    })
    const isCrash = file === newest && mayBeTorn(content, found)
    if (found.why !== undefined && !isCrash) damage.push(`${file.name}: ${found.why}`)
    return found
  }

  /** Only what nobody was told of can have been torn. */
  function mayBeTorn(content: Buffer, { head: last, end }: Walked): boolean {
    return content.length - end <= tornBytesMax && (!anchor || last.number >= anchor.number)
  }
}

const readFile = (disk: Disk, { path }: AuditFile): Buffer => readWhole(disk, path) ?? Buffer.alloc(0)

function cut(disk: Disk, folder: string, file: AuditFile, bytes: Buffer, end: number): NonNullable<Recovered['torn']> {
  const keptAs = keepAside(disk, folder, `${file.name}.torn`, bytes.subarray(end))
  const opened = disk.open(file.path, 'write')
  try {
    opened.truncate(end)
    opened.syncNow()
  } finally {
    opened.close()
  }
  disk.syncFolder(folder)
  return { name: file.name, bytes: bytes.length - end, keptAs }
}

/** The file that is begun next may have the name of one that is damaged. */
function freeName(disk: Disk, folder: string, head: Head): void {
  const { name, path } = auditFile(folder, head.number + 1)
  if (!disk.list(folder).includes(name)) return
  disk.rename(path, join(folder, freeNameOf(disk, folder, `${name}.damaged`)))
  disk.syncFolder(folder)
}
