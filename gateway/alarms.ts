// What an operator must know without asking: raised with a stable code, kept until cleared, said once each way. An alarm is a
// state ("the disk is full"), not a log line for each failed write.

import type { Clock } from './clock.ts'

export type AlarmCode =
  | 'clock_step'
  | 'clock_offset'
  | 'disk_low'
  | 'disk_full'
  | 'disk_failed'
  | 'record_damaged'
  | 'retention_gap'
  | 'output_stalled'
  | 'output_refused'
  | 'cardinality_exceeded'
  | 'mapping_slow'
  | 'certificate_expiry'
  | 'plaintext_exception'
  | 'certificate_unusable'
  | 'revocation_list'
  | 'audit_failed'
  | 'audit_damaged'
  | 'link_down'
  | 'link_refused'
  | 'sign_in_locked'
  | 'break_glass'
  | 'device_waiting'

export interface Alarm {
  readonly code: AlarmCode
  /** What it is about, such as an output's name; '' when there is only one of its kind. */
  readonly about: string
  /** What was wrong, where, and what to do. */
  readonly text: string
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly since: bigint
}

export interface Alarms {
  raise(code: AlarmCode, about: string, text: string): void
  clear(code: AlarmCode, about?: string): void
  list(): readonly Alarm[]
}

/** `changed` is told of each alarm once when it is raised and once when it is cleared. */
export function createAlarms(clock: Clock, changed: (alarm: Alarm, raised: boolean) => void): Alarms {
  const active = new Map<string, Alarm>()
  return {
    raise(code, about, text) {
      const key = `${code} ${about}`
      const known = active.get(key)
      const alarm: Alarm = { code, about, text, since: known?.since ?? clock.now() }
      active.set(key, alarm)
      if (!known) changed(alarm, true)
    },
    clear(code, about = '') {
      const alarm = active.get(`${code} ${about}`)
      if (!alarm) return
      active.delete(`${code} ${about}`)
      changed(alarm, false)
    },
    list: () => [...active.values()],
  }
}
