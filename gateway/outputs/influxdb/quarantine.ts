// Lines that InfluxDB refuses, kept in the log's quarantine: the line as it was sent, and why. Its promise: a line is there, durable,
// before its batch counts as delivered, and once only, although a batch may be delivered again after a crash.

import { createHash } from 'node:crypto'
import { Fate } from '../../../proto/generated/types.ts'
import { timestamp } from '../../../proto/time.ts'
import type { Clock } from '../../clock.ts'
import { idText } from '../../ids.ts'
import type { Ids } from '../../ids.ts'
import type { Log, Place } from '../../log/log.ts'

export interface LineRefusal {
  readonly database: string
  /** Line protocol, with its line feed; the receiver may keep it. */
  readonly line: Buffer
  readonly why: string
  /** Of the event in this log. */
  readonly place: Place
  readonly eventId: Uint8Array
  /** Bit n stands for `Label` n; of the event. */
  readonly labels: number
}

/** Resolves when it is durable. */
export type Quarantine = (refusal: LineRefusal) => Promise<void>

export interface QuarantineParts {
  readonly log: Pick<Log, 'append'>
  readonly ids: Ids
  readonly clock: Clock
}

export function createQuarantine({ log, ids, clock }: QuarantineParts): Quarantine {
  return async ({ database, line, why, place, eventId, labels }) => {
    const now = clock.now()
    await log.append({
      frame: {
        id: ids.next(now),
        receivedAt: timestamp(now),
        adapter: 'influxdb',
        channel: `influxdb/${database}`,
        sender: 'output:influxdb',
        contentType: 'text/plain; charset=utf-8',
        payload: line,
        fate: Fate.REFUSED,
        fault: 'influxdb',
        why,
        labels,
        properties: [
          { name: 'event_id', value: idText(eventId) },
          { name: 'lane', value: place.lane },
          { name: 'sequence', value: String(place.sequence) },
        ],
        // With `resent`, the log knows it again when the batch is delivered once more.
        resendKey: createHash('sha256').update(`${database}\n`).update(line).digest().subarray(0, 16),
      },
      records: [],
      resent: true,
    })
  }
}
