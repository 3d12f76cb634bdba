// What is done on the data folder by a command, beside the gateway: a backup, a restore, a hold. Only the gateway writes the audit, so the
// command leaves a note in a folder, and the gateway takes it in within seconds, or at its next start.

import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { SystemEventType } from '../../proto/generated/types.ts'
import { type Disk, nodeDisk, writeAll } from '../log/disk.ts'
import { readWhole } from '../log/segment-file.ts'
import type { Audit, AuditNote } from './audit.ts'
import { auditFolder } from './files.ts'

const folderOf = (dataDir: string): string => join(dataDir, auditFolder, 'waiting')
const suffix = '.json'

const noteForm = z.strictObject({
  /** When it was done, nanoseconds as text. */
  at: z.string().regex(/^\d{1,20}$/),
  action: z.string(),
  type: z.enum(SystemEventType),
  outcome: z.enum(['done', 'denied', 'failed']),
  principal: z.string(),
  address: z.string().optional(),
  object: z.string().optional(),
  text: z.string().optional(),
  details: z.record(z.string(), z.string()).optional(),
})

/** Durable when it returns. Who did it is the user of this machine, and from where, if that was over SSH. */
export function leaveNote(dataDir: string, at: bigint, note: Omit<AuditNote, 'principal' | 'address'>): void {
  const { action, type, outcome, object, text, details } = note
  const [from, port] = (process.env['SSH_CONNECTION'] ?? '').split(' ')
  const left: z.infer<typeof noteForm> = {
    at: String(at),
    action,
    type,
    outcome,
    principal: `os:${userInfo().username}`,
    ...(from && port && { address: `${from}:${port}` }),
    ...(object !== undefined && { object }),
    ...(text !== undefined && { text }),
    ...(details && { details: { ...details } }),
  }
  const folder = folderOf(dataDir)
  nodeDisk.makeFolder(folder)
  const passing = join(folder, `${randomUUID()}.new`)
  const file = nodeDisk.open(passing, 'create')
  try {
    writeAll(file, Buffer.from(JSON.stringify(left)), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  nodeDisk.rename(passing, join(folder, `${String(at).padStart(20, '0')}-${randomUUID()}${suffix}`))
  nodeDisk.syncFolder(folder)
}

/** Writes what was left, the oldest first; a note goes when its entry is on disk. One that cannot be read is an entry that says so. */
export async function takeNotes(audit: Audit, dataDir: string, disk: Disk = nodeDisk): Promise<void> {
  const folder = folderOf(dataDir)
  for (const name of disk
    .list(folder)
    .filter((each) => each.endsWith(suffix))
    .toSorted()) {
    // What was tried would be written when it can be, and then again.
    if (audit.failing) return
    const bytes = readWhole(disk, join(folder, name))
    if (!bytes) continue
    await audit.write(noteIn(bytes, name))
    disk.unlink(join(folder, name))
  }
}

function noteIn(bytes: Buffer, name: string): AuditNote {
  const read = noteForm.safeParse(parsed(bytes))
  if (read.success) {
    const { at, address, object, text, details, ...note } = read.data
    return {
      ...note,
      since: BigInt(at),
      ...(address !== undefined && { address }),
      ...(object !== undefined && { object }),
      ...(text !== undefined && { text }),
      ...(details && { details }),
    }
  }
  return {
    action: 'note_unreadable',
    type: SystemEventType.AUDIT_DAMAGED,
    outcome: 'failed',
    object: name,
    text: 'A note that a command left for the audit cannot be read.',
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
