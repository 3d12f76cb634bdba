// The audit: who did what, when, from where, and whether it was done. This file is what the rest of the house knows of it;
// create-audit.ts makes one. An entry is on disk within one commit; what cannot be written is an alarm, and by choice closes the doors.

import type { ListAuditRequest, SystemEventType } from '../../proto/generated/types.ts'
import type { Head } from './chain.ts'

/** What somebody did, or tried to. Never a secret, and nothing of a payload. */
export interface AuditNote {
  /** Lower case with underscores: "sign_in", "get_event", "replay_refusals". */
  readonly action: string
  readonly type: SystemEventType
  readonly outcome: 'done' | 'denied' | 'failed'
  /** As records name it: "mqtt:gauge-7"; absent: nobody is known. */
  readonly principal?: string
  /** Host and port. */
  readonly address?: string
  /** With what: an event, a device, a topic, a setting. */
  readonly object?: string
  /** Why not, or what came of it, in words. */
  readonly text?: string
  readonly details?: Readonly<Record<string, string>>
  /** How many times, where the entry stands for several; and since when, ns UTC. */
  readonly count?: number
  readonly since?: bigint
}

export interface Audit {
  /** Written with the next commit. Nothing is thrown: a failure is an alarm. */
  note(note: AuditNote): void
  /** Resolves when it is on disk and anchored; rejects with GatewayError audit_failed when it cannot be written now. */
  write(note: AuditNote): Promise<void>
  /**
   * The first is written at once; what comes under the same key within a minute becomes one entry with a count at its end. For whatever
   * somebody can do again and again, so that no flood of it fills the disk. The newest note is the one that is written.
   */
  repeated(key: string, note: AuditNote): void
  /** Throws GatewayError audit_failed while nothing can be written and the settings close the doors that need it. */
  refuseUnwritten(): void
  /** A page, newest first: an encoded ListAuditResponse. Rejects with GatewayError invalid_argument. */
  list(request: ListAuditRequest): Promise<Buffer>
  /** True while nothing can be written. */
  readonly failing: boolean
  /** The last entry that is on disk. */
  readonly head: Head
  counts(): AuditCounts
  /** Removes files whose entries are all older than they are kept. */
  retain(): Promise<void>
  /** Writes what waits, and `last` behind it; nothing can be noted afterwards. */
  close(last?: AuditNote): Promise<void>
}

export interface AuditCounts {
  /** Since the start. */
  readonly entries: number
  /** Commits that failed. */
  readonly failed: number
  /** Entries that found no room while nothing could be written. */
  readonly lost: number
}
