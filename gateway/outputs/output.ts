// The contract of everything that is given what is in the log: InfluxDB, MQTT, partners, TAK. An output is a reader with a
// bookmark; outputs differ only in `deliver`. None has a buffer of its own: a slow one costs disk, never memory.

import type { Missing, Lane, StoredRecord } from '../log/log.ts'

export interface Output {
  /** Also the name of its bookmark, such as "influxdb". */
  readonly name: string
  /** Where it starts when it has no bookmark yet. */
  readonly start: 'earliest' | 'latest'
  /** How much is taken at once, and how long to wait for more of it; 0: deliver what there is. */
  readonly batch: { readonly records: number; readonly bytes: number; readonly gatherMs: number }
  /**
   * Resolves when the other side has the records for good; throws to be given the same records again, later. `signal` aborts
   * when the gateway stops. At least once: what was delivered before a crash may be delivered again.
   */
  deliver(records: readonly StoredRecord[], signal: AbortSignal): Promise<void>
  /** Records that are gone before this output had them. */
  missed?(lane: Lane, missing: Missing): void
  close(): Promise<void>
}
