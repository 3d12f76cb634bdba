// The audit of a running gateway: opened behind the log, with an entry at its start and its stop, its head told to the main log, notes of
// commands taken in, and its metrics.

import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { SystemEventType, SystemLevel } from '../../proto/generated/types.ts'
import type { SystemDetail } from '../../proto/generated/types.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Family } from '../http/metrics.ts'
import { nodeDisk } from '../log/disk.ts'
import type { OpenLog } from '../log/create-log.ts'
import type { Logger } from '../logger.ts'
import type { Settings } from '../settings.ts'
import type { SystemEvents } from '../system-events.ts'
import { version } from '../version.ts'
import { anchorDetails, createStateAnchor, logAnchors } from './anchors.ts'
import type { Audit } from './audit.ts'
import { hex } from './chain.ts'
import { createAudit } from './create-audit.ts'
import type { AuditSite } from './entry.ts'
import { auditFolder } from './files.ts'
import { settingsNote } from './settings-note.ts'
import { takeNotes } from './waiting-notes.ts'

export interface GatewayAudit {
  readonly audit: Audit
  /** To be called when the doors are about to open; what cannot be written is an alarm and no reason not to start. */
  started(): Promise<void>
  /** When all doors are closed. */
  stopped(): Promise<void>
  /** How far it is, for the events of start and stop. */
  anchor(): SystemDetail[]
  families(): readonly Family[]
}

export interface GatewayAuditParts {
  readonly settings: Settings
  readonly site: AuditSite
  readonly log: OpenLog
  readonly clock: Clock
  readonly alarms: Alarms
  readonly systemEvents: SystemEvents
  readonly logger: Logger
}

const anchorEveryMs = 60_000
const notesEveryMs = 5_000
const retainEveryMs = 3_600_000
/** Of the log, looked at when state.sqlite says nothing: the newest segment and the one before. */
const anchorBytesMax = 128 << 20

export function openGatewayAudit(parts: GatewayAuditParts): GatewayAudit {
  const { settings, site, log, clock, alarms, systemEvents, logger } = parts
  const dataDir = settings.data_dir
  const anchor = createStateAnchor(log.state)
  const [logged] = anchor.get() ? [] : logAnchors(dataDir, anchorBytesMax)
  const audit = opened(dataDir, () =>
    createAudit({
      dataDir,
      clock,
      alarms,
      site,
      anchor,
      ...(logged && { logged }),
      settings: { whenItFails: settings['audit.when_it_fails'], keepMs: settings['audit.keep'] },
    }),
  )
  const timers: NodeJS.Timeout[] = []
  let told = 0

  const failed = (what: string) => (err: unknown) => logger.warn({ err }, what)

  async function tellHead(): Promise<void> {
    const { number, sha256 } = audit.head
    if (number === told) return
    await systemEvents.say(
      {
        type: SystemEventType.AUDIT_HEAD,
        code: 'audit_head',
        text: `The audit has ${number} entries; the SHA-256 of the last is ${hex(sha256)}.`,
        level: SystemLevel.NOTICE,
        details: anchorDetails({ number, sha256 }),
      },
      'record',
    )
    told = number
  }

  function every(ms: number, what: string, act: () => Promise<void>): void {
    let isBusy = false
    const turn = async (): Promise<void> => {
      if (isBusy) return
      isBusy = true
      await act().catch(failed(what))
      isBusy = false
    }
    timers.push(setInterval(() => void turn(), ms).unref())
  }

  return {
    audit,
    async started() {
      await takeNotes(audit, dataDir).catch(failed('notes of commands could not be written to the audit; they wait'))
      const inForce = settingsNote(nodeDisk, dataDir, settings)
      const { digest, changed } = inForce
      const names = Object.keys(changed ?? {})
      try {
        if (names.length > 0) {
          await audit.write({
            action: 'change_settings',
            type: SystemEventType.POLICY_CHANGE,
            outcome: 'done',
            text: `Settings that are not as they were at the start before: ${names.join(', ')}.`,
            ...(changed && { details: changed }),
          })
        }
        await audit.write({
          action: 'start',
          type: SystemEventType.ELEMENT_STATE_CHANGE,
          outcome: 'done',
          object: site.gateway,
          text: 'The gateway starts.',
          details: {
            version,
            epoch: String(log.epoch),
            settings_sha256: digest,
            ...(changed === undefined && { settings_before: 'not known' }),
          },
        })
        inForce.keep()
      } catch (err) {
        failed('the start could not be written to the audit')(err)
      }
      every(anchorEveryMs, 'the head of the audit could not be told to the log', tellHead)
      every(notesEveryMs, 'notes of commands could not be written to the audit; they wait', () =>
        takeNotes(audit, dataDir),
      )
      every(retainEveryMs, 'retention of the audit failed; it is tried again', () => audit.retain())
      told = audit.head.number
    },
    async stopped() {
      for (const timer of timers) clearInterval(timer)
      await takeNotes(audit, dataDir).catch(failed('notes of commands could not be written to the audit; they wait'))
      const type = SystemEventType.ELEMENT_STATE_CHANGE
      const text = 'The gateway stops in order.'
      await audit.close({ action: 'stop', type, outcome: 'done', object: site.gateway, text })
    },
    anchor: () => anchorDetails(audit.head),
    families: () => [
      {
        name: 'tocsin_audit_entries_total',
        kind: 'counter',
        help: 'Entries written to the audit since the start.',
        read: () => [{ value: audit.counts().entries }],
      },
      {
        name: 'tocsin_audit_failed_total',
        kind: 'counter',
        help: 'Commits of the audit that failed since the start; each is tried again.',
        read: () => [{ value: audit.counts().failed }],
      },
      {
        name: 'tocsin_audit_lost_total',
        kind: 'counter',
        help: 'Entries that found no room in memory while the audit could not be written.',
        read: () => [{ value: audit.counts().lost }],
      },
      {
        name: 'tocsin_audit_head',
        kind: 'gauge',
        help: 'Number of the last entry of the audit that is on disk.',
        read: () => [{ value: audit.head.number }],
      },
    ],
  }
}

function opened(dataDir: string, open: () => Audit): Audit {
  try {
    return open()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const text = `The audit in ${join(dataDir, auditFolder)} cannot be read (${why}): look at its rights and at the disk.`
    throw new GatewayError('audit_failed', text, { cause })
  }
}
