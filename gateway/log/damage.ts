// Damage to the log, told once for each place: to the operator by an alarm, to readers as what is missing.

import type { Alarms } from '../alarms.ts'
import { isRecordPart } from './gather.ts'
import type { Damage } from './recovery.ts'
import type { Segment } from './segment.ts'

export interface DamageReport {
  /** Records found damaged so far. */
  readonly records: number
  /** While reading: bytes of a segment that are not sound. */
  found(segment: Segment, from: number, to: number): void
}

export function createDamageReport(
  alarms: Pick<Alarms, 'raise'>,
  segments: readonly (readonly Segment[])[],
  atStart: readonly Damage[],
): DamageReport {
  const known = new Set<string>()
  let records = 0
  for (const segment of segments.flat()) for (const { from, to } of segment.damaged) records += to - from + 1

  function tell(path: string, from: number, to: number, text: string): void {
    known.add(`${path} ${from}`)
    alarms.raise(
      'record_damaged',
      path,
      `${path} is damaged at bytes ${from}–${to}: ${text}. Check the disk; a backup may have it.`,
    )
  }

  for (const { path, from, to, sequences } of atStart) {
    const lost = sequences.to - sequences.from + 1
    tell(
      path,
      from,
      to,
      sequences.from > 0 ? `${lost} records are lost, from number ${sequences.from}` : 'no record is known to be lost',
    )
  }
  return {
    get records() {
      return records
    },
    found(segment, from, to) {
      if (known.has(`${segment.path} ${from}`)) return
      if (isRecordPart(segment)) records += 1
      tell(segment.path, from, to, 'what stood there is skipped')
    },
  }
}
