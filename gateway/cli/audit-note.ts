// What a command did on a data folder, left there for the audit of its gateway.

import { nsPerMs } from '../../proto/time.ts'
import type { AuditNote } from '../audit/audit.ts'
import { leaveNote } from '../audit/waiting-notes.ts'
import { safe, type Terminal } from './terminal.ts'

/** What was done is done: one that cannot be left, as by a user who may only read there, is told and is no failure. */
export function noteInAudit(dataDir: string, note: Omit<AuditNote, 'principal' | 'address'>, { tell }: Terminal): void {
  try {
    leaveNote(dataDir, BigInt(Date.now()) * nsPerMs, note)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    tell(`this could not be left for the audit of ${safe(dataDir)}: ${safe(why)}`)
  }
}
