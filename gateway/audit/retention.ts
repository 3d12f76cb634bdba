// Removes what is older than it must be kept, whole files at a time, the oldest first. Before a file goes an entry says which entries
// went and how the last of them was chained, so that what was removed by retention is told from what was taken away.

import { SystemEventType } from '../../proto/generated/types.ts'
import { nsPerMs, timestampNs } from '../../proto/time.ts'
import type { Disk } from '../log/disk.ts'
import { readUpTo } from '../log/disk.ts'
import type { AuditNote } from './audit.ts'
import { entryAt, entryBytesMax, hex } from './chain.ts'
import { removedAction } from './entry.ts'
import { type AuditFile, auditFiles } from './files.ts'

export interface RetentionParts {
  readonly disk: Disk
  readonly folder: string
  readonly keepMs: number
  readonly now: bigint
  write(note: AuditNote): Promise<void>
}

/** Resolves with how many files went. */
export async function removeOld(parts: RetentionParts): Promise<number> {
  const { disk, folder, keepMs, now, write } = parts
  const files = auditFiles(disk, folder)
  const oldest = now - BigInt(keepMs) * nsPerMs
  let removed = 0
  for (const [at, file] of files.entries()) {
    const next = files[at + 1]
    const after = next && firstEntry(disk, next)
    // Everything in a file is older than the first of the next one.
    if (!next || !after || (timestampNs(after.entry.at) ?? now) >= oldest) return removed
    await write({
      action: removedAction,
      type: SystemEventType.RETENTION_REMOVED,
      outcome: 'done',
      object: file.name,
      text: `Entries ${file.first} to ${next.first - 1} are older than audit.keep and are removed.`,
      details: { through: String(next.first - 1), sha256: hex(after.previousSha256) },
    })
    disk.unlink(file.path)
    disk.syncFolder(folder)
    removed += 1
  }
  return removed
}

function firstEntry(disk: Disk, { path }: AuditFile) {
  const file = disk.open(path, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(file.size(), entryBytesMax + 4))
    return entryAt(bytes.subarray(0, readUpTo(file, bytes, 0)), 0)
  } finally {
    file.close()
  }
}
