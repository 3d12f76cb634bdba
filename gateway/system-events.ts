// What the gateway says of itself goes the way of every event: into the log, to consoles and partners. Alarms, starts and stops.

import {
  Authenticity,
  Fate,
  MessageStatus,
  RetentionClass,
  Severity,
  SystemEventType,
  SystemLevel,
} from '../proto/generated/types.ts'
import type { Event, SystemEvent } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import type { Alarm, AlarmCode } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import type { Sender } from './inputs/receive.ts'
import type { Log } from './log/log.ts'
import type { Logger } from './logger.ts'
import type { Site } from './normalise.ts'
import { newRecord } from './pipeline.ts'

const typeOf: Record<AlarmCode, SystemEventType> = {
  clock_step: SystemEventType.CLOCK_STEP,
  clock_offset: SystemEventType.CLOCK_OFFSET,
  disk_low: SystemEventType.DISK_LOW,
  disk_full: SystemEventType.DISK_FULL,
  disk_failed: SystemEventType.DISK_FAILED,
  record_damaged: SystemEventType.RECORD_DAMAGED,
  retention_gap: SystemEventType.GAP,
  output_stalled: SystemEventType.OUTPUT_STALLED,
  output_refused: SystemEventType.QUARANTINED,
  cardinality_exceeded: SystemEventType.CARDINALITY_EXCEEDED,
  mapping_slow: SystemEventType.FRAME_SHED,
  certificate_expiry: SystemEventType.CREDENTIAL_EXPIRING,
  plaintext_exception: SystemEventType.CREDENTIAL_EXPIRING,
  certificate_unusable: SystemEventType.CREDENTIAL_EXPIRING,
  revocation_list: SystemEventType.CREDENTIAL_EXPIRING,
  audit_failed: SystemEventType.AUDIT_FAILED,
  audit_damaged: SystemEventType.AUDIT_DAMAGED,
  link_down: SystemEventType.LINK_DOWN,
  link_refused: SystemEventType.QUARANTINED,
  sign_in_locked: SystemEventType.SIGN_IN_LOCKED,
  break_glass: SystemEventType.BREAK_GLASS,
  device_waiting: SystemEventType.QUARANTINED,
}

/** Somebody must look now, wherever the urgent lane is read. */
const loud: ReadonlySet<string> = new Set<AlarmCode>(['break_glass', 'device_waiting'])

export interface SystemEvents {
  alarm(alarm: Alarm, raised: boolean): void
  /** `keptAs` a record: for as long as incidents are. */
  say(event: SystemEvent, keptAs?: 'record'): Promise<void>
}

interface Parts {
  readonly log: Log
  readonly ids: Ids
  readonly clock: Clock
  readonly site: Site
  readonly logger: Logger
}

export function createSystemEvents(parts: Parts): SystemEvents {
  const { log, ids, clock, site, logger } = parts
  const sender: Sender = { name: `gateway:${site.gateway}`, authenticity: 'authenticated', link: 'self' }

  async function say(systemEvent: SystemEvent, keptAs?: 'record'): Promise<void> {
    const now = clock.now()
    const at = timestamp(now)
    const event: Event = {
      id: ids.next(now),
      subject: `gateway:${site.gateway}`,
      messageStatus: MessageStatus.SYSTEM,
      ...(loud.has(systemEvent.code ?? '') && systemEvent.active && { severity: Severity.SEVERE }),
      authenticity: Authenticity.AUTHENTICATED,
      origin: { jurisdiction: site.jurisdiction, owner: site.owner, system: 'tocsin' },
      provenance: [{ gateway: site.gateway, receivedAt: at, link: 'self' }],
      observedAt: at,
      receivedAt: at,
      handling: { labels: [...site.labels], ...(keptAs && { retentionClass: RetentionClass.RECORD }) },
      body: 'systemEvent',
      systemEvent: { element: site.gateway, agency: site.owner, ...systemEvent },
    }
    const frame = { bytes: new Uint8Array(), receivedAt: now, channel: 'gateway' }
    const record = newRecord(event, sender, frame, undefined)
    const kept = { id: ids.next(now), receivedAt: at, channel: frame.channel, sender: sender.name, fate: Fate.STORED }
    await log.append({ frame: kept, records: [record] })
  }

  return {
    say,
    alarm({ code, about, text, since }, raised) {
      logger[raised ? 'error' : 'info']({ alarm: code, about }, raised ? text : `cleared: ${text}`)
      const said: SystemEvent = {
        type: typeOf[code],
        code,
        text,
        level: raised && loud.has(code) ? SystemLevel.ALARM : raised ? SystemLevel.WARNING : SystemLevel.NOTICE,
        active: raised,
        alarmKey: `${code} ${about}`.trim(),
        since: timestamp(since),
      }
      // A full disk cannot be told to the log; the logger, metrics and status have told it already.
      void say(said).catch((error: unknown) =>
        logger.warn({ err: error, alarm: code }, 'the alarm could not be logged'),
      )
    },
  }
}
