// Makes the audit of the parts in this folder: where the chain ends is found, what a crash or somebody did to it is told, and what is
// noted is written. While it cannot be written an alarm is on, and by choice the doors that need it are closed.

import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import { type Disk, isFull, nodeDisk } from '../log/disk.ts'
import type { StateAnchor } from './anchors.ts'
import type { Audit, AuditNote } from './audit.ts'
import type { Head } from './chain.ts'
import { type AuditSite, damagedAction, entryOf } from './entry.ts'
import { auditFolder, fileBytesDefault } from './files.ts'
import { listAudit } from './list.ts'
import { recoverAudit } from './recover.ts'
import { createRepeats } from './repeats.ts'
import { removeOld } from './retention.ts'
import { createWriter } from './writer.ts'

export interface AuditSettings {
  readonly whenItFails: 'alarm' | 'close_doors'
  readonly keepMs: number
  readonly fileBytes?: number
}

export interface AuditParts {
  readonly dataDir: string
  readonly clock: Clock
  readonly alarms: Alarms
  readonly site: AuditSite
  readonly settings: AuditSettings
  readonly anchor: StateAnchor
  /** The newest head that the main log knows of. */
  readonly logged?: Head | undefined
  readonly disk?: Disk
}

/** Throws what the disk throws when the folder cannot be read. */
export function createAudit(parts: AuditParts): Audit {
  const { clock, alarms, site, settings, disk = nodeDisk } = parts
  const folder = join(parts.dataDir, auditFolder)
  const known = parts.anchor.get()
  const newest = parts.logged && parts.logged.number > (known?.number ?? 0) ? parts.logged : known
  const recovered = recoverAudit(disk, folder, newest)

  const writer = createWriter({
    disk,
    folder,
    fileBytes: settings.fileBytes ?? fileBytesDefault,
    head: recovered.head,
    ...(recovered.file && { file: recovered.file }),
    anchor: parts.anchor.set,
    failed(error) {
      failedSince = clock.now()
      alarms.raise('audit_failed', '', failedText(error, settings.whenItFails))
    },
    recovered(lost) {
      alarms.clear('audit_failed')
      return entryOf(recoveredNote(lost, failedSince), clock.now(), site)
    },
  })
  let failedSince = 0n
  const repeats = createRepeats({ clock, write: note })

  function note(one: AuditNote): void {
    writer.put(entryOf(one, clock.now(), site))
  }

  function write(one: AuditNote): Promise<void> {
    return new Promise((resolve, reject) => {
      writer.put(entryOf(one, clock.now(), site), (error) => (error ? reject(error) : resolve()))
    })
  }

  tellRecovery()

  function tellRecovery(): void {
    const { torn, damage } = recovered
    if (torn) {
      note({
        action: 'audit_repaired',
        type: SystemEventType.AUDIT_DAMAGED,
        outcome: 'done',
        object: torn.name,
        text: `A stop in the middle of a write left ${torn.bytes} bytes of an entry that nobody was told of. ${torn.keptAs ? `They are kept as ${torn.keptAs}.` : 'There was no room to keep them.'}`,
      })
    }
    if (!known && recovered.head.number > 0) {
      const text = `state.sqlite says nothing of the audit. What was written after entry ${parts.logged?.number ?? 0}, which the log knows of, can have been cut off without a trace.`
      note({ action: 'audit_unanchored', type: SystemEventType.AUDIT_DAMAGED, outcome: 'failed', text })
    }
    if (damage.length === 0) return
    const text = `${damage.join('; ')}.`
    note({ action: damagedAction, type: SystemEventType.AUDIT_DAMAGED, outcome: 'failed', object: auditFolder, text })
    alarms.raise(
      'audit_damaged',
      '',
      `The audit is not as it was written: ${text} Keep the data folder as it is, and see tocsin audit verify.`,
    )
  }

  return {
    note,
    write,
    repeated: repeats.note,
    refuseUnwritten() {
      if (settings.whenItFails === 'alarm' || !writer.failing) return
      const text =
        'The audit cannot be written, and the settings say that nobody signs in, reads labelled data or changes anything then (audit.when_it_fails). Try again when its disk is repaired.'
      throw new GatewayError('audit_failed', text)
    },
    list: (request) => listAudit({ disk, folder, head: writer.head }, request),
    get failing() {
      return writer.failing
    },
    get head() {
      return writer.head
    },
    counts: () => writer.counts,
    async retain() {
      // By a clock that jumped everything may look old.
      if (writer.failing || alarms.list().some(({ code }) => code === 'clock_step')) return
      await removeOld({ disk, folder, keepMs: settings.keepMs, now: clock.now(), write })
    },
    async close(last) {
      repeats.close()
      if (last) note(last)
      await writer.close()
    },
  }
}

function failedText(error: unknown, whenItFails: AuditSettings['whenItFails']): string {
  const why = isFull(error) ? 'the disk is full' : (error as Error).message
  const then =
    whenItFails === 'alarm'
      ? 'Everything goes on, and what is done waits in memory to be written.'
      : 'Nobody signs in, reads labelled data or changes anything until it can (audit.when_it_fails); who reads already goes on.'
  return `The audit cannot be written (${why}). ${then} It is tried again each second.`
}

function recoveredNote(lost: number, since: bigint): AuditNote {
  const text =
    lost === 0
      ? 'The audit could not be written for a while; what was done meanwhile waited and is written now.'
      : `The audit could not be written for a while; ${lost} entries of that time found no room and are lost.`
  return {
    action: 'audit_resumed',
    type: SystemEventType.AUDIT_FAILED,
    outcome: lost === 0 ? 'done' : 'failed',
    text,
    since,
    details: { lost: String(lost) },
  }
}
