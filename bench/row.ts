// What a row of the benchmark is: it measures, says so line by line, and answers what it found with what is wanted.

import type { Spread } from './statistics.ts'

export interface RowOptions {
  readonly pairs: number
  /** Instead of the row's own number. */
  readonly messages?: number
  /** Progress, for people. */
  say(line: string): void
}

export interface Figure {
  readonly name: string
  readonly value: Spread
  readonly unit: '×' | '/s' | 'µs' | 'ms' | 'kB' | 'cores' | ''
  /** What goals and issues ask for; met or not is computed from the median. */
  readonly wanted?: { readonly atLeast: number } | { readonly atMost: number }
}

export interface RowResult {
  readonly figures: readonly Figure[]
  /** What the reader has to know to believe them. */
  readonly notes: readonly string[]
}

export interface Row {
  readonly name: string
  readonly about: string
  run(options: RowOptions): Promise<RowResult>
}
