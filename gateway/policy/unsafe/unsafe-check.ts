// What a check of the settings is: a name, what it finds, and the line to change. What is refused stops the start; what is a warning is
// shown by `tocsin doctor` and stops nothing.

import type { Settings } from '../../settings.ts'

export interface UnsafeCheck {
  /** Small letters and _; it stands in docs/security.md. */
  readonly name: string
  readonly level: 'refused' | 'warning'
  /** What is unsafe, without a full stop. */
  readonly about: string
  /** The settings or files whose line is to be changed. */
  readonly line: string
  /** A sentence for each place where it is so, with what to write instead. No secret is in it. */
  find(site: Site): Iterable<string>
}

/** A gateway as it is about to start, or as it was started. */
export interface Site {
  readonly settings: Settings
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly now: bigint
  /** Path of the settings file; undefined: there is none. */
  readonly settingsFile?: string | undefined
}

export interface Finding {
  readonly check: string
  readonly level: UnsafeCheck['level']
  readonly text: string
}
