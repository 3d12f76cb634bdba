// Whom the InfluxDB output tells which rows of values it wrote, so that what is made of them can be made anew.

import type { Target } from './rows.ts'

export interface Touched {
  /** A row of a series at `atMs`; `device` as its tag says. May be told of more than is written. */
  add(target: Target, measurement: string, atMs: number, device: string): void
  /** Asked when rows are written, before they count as delivered. Resolves when it is on disk. */
  flush(): Promise<void>
}
