// What subscribers over MQTT are given on topics with labels beyond OPS: an entry a minute for each of them, with counts by label. Asked for
// each delivery, so it looks up no topic itself: it hears what the decision about the topic found.

import { SystemEventType } from '../../proto/generated/types.ts'
import type { Permissions } from '../policy/principals.ts'
import type { Audit } from './audit.ts'
import { countFrame, isLabelled, newReading, type Reading, readingDetails } from './reads.ts'

export interface BrokerReads {
  /** The same answer, heard. */
  labelsOf(topic: string): number
  /** The same permissions, of which is counted what they let through. `permissions` decides by `labelsOf`. */
  watch(permissions: Permissions): Permissions
  close(): void
}

const everyMs = 60_000

export function createBrokerReads(audit: Audit, labelsOf: (topic: string) => number): BrokerReads {
  const readings = new Map<string, Reading>()
  const timer = setInterval(tell, everyMs).unref()
  let heard = 0

  function tell(): void {
    for (const [principal, reading] of readings) {
      const details = readingDetails(reading)
      if (!details) continue
      audit.note({
        action: 'receive',
        type: SystemEventType.DATA_READ,
        outcome: 'done',
        principal,
        text: 'It was sent messages on topics with these labels; one that waited for it may be counted twice.',
        details,
      })
    }
    readings.clear()
  }

  return {
    labelsOf: (topic) => (heard = labelsOf(topic)),
    watch: (permissions) => ({
      ...permissions,
      mayReceive(principal, topic) {
        heard = 0
        const may = permissions.mayReceive(principal, topic)
        // Most topics have none.
        if (may && heard !== 0) count(principal.name)
        return may
      },
    }),
    close() {
      clearInterval(timer)
      tell()
    },
  }

  function count(principal: string): void {
    const reading = readings.get(principal) ?? newReading()
    countFrame(reading, heard)
    if (isLabelled(reading)) readings.set(principal, reading)
  }
}
