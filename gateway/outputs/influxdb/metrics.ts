// What the InfluxDB output has done, in numbers that only grow: for /metrics, and for whoever asks why a row is not there.

import { includable } from '../../policy/configured-view.ts'
import type { FailureClass } from './answers.ts'
import type { RowCounts } from './rows.ts'
import { newRowCounts } from './rows.ts'

export interface InfluxdbMetrics extends RowCounts {
  /** Requests to write, with those that were repeated or in parts. */
  requests: number
  /** Bytes of those requests, after gzip. */
  bytes: number
  /** Deliveries that were settled. */
  batches: number
  /** Requests that failed and were tried again, by class. */
  failures: Record<FailureClass, number>
  /** Answers that refused some lines; answers 413. */
  partial: number
  tooLarge: number
  /** Lines in quarantine. */
  refused: number
  /** Records whose payload was removed, whose bytes cannot be read, and that were gone before they could be written. */
  removed: number
  unreadable: number
  missed: number
  /** When a delivery was settled last, nanoseconds since 1970-01-01 UTC; 0: never. */
  lastSuccessAt: bigint
}

export const newMetrics = (): InfluxdbMetrics => ({
  ...newRowCounts(),
  requests: 0,
  bytes: 0,
  batches: 0,
  failures: {
    timeout: 0,
    connection: 0,
    server_error: 0,
    too_many_requests: 0,
    unavailable: 0,
    not_authenticated: 0,
    not_allowed: 0,
    not_found: 0,
    other_refusal: 0,
  },
  partial: 0,
  tooLarge: 0,
  refused: 0,
  removed: 0,
  unreadable: 0,
  missed: 0,
  lastSuccessAt: 0n,
})

/** Adds what one settled delivery did; one that failed is repeated, and counts when it is settled. */
export function tally(metrics: InfluxdbMetrics, counts: RowCounts, refused: number, now: bigint): void {
  metrics.rows += counts.rows - refused
  metrics.refused += refused
  metrics.notTelemetry += counts.notTelemetry
  metrics.drafts += counts.drafts
  metrics.notFinite += counts.notFinite
  metrics.overBudget += counts.overBudget
  for (const label of includable) metrics.withheld[label] += counts.withheld[label]
  metrics.batches++
  metrics.lastSuccessAt = now
}
