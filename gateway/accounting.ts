// Counts what became of every frame, so that `received = stored + duplicate + ignored + carried + waiting + refused + not_taken +
// pending` can be checked at any moment; and remembers the last fates for those who ask at once.

import { Fate as WireFate } from '../proto/generated/types.ts'
import type { Fate } from './inputs/receive.ts'

export type FateName = Fate['fate'] | 'not_taken'

export interface FateCounts extends Readonly<Record<FateName, number>> {
  readonly received: number
  readonly pending: number
}

export interface RecentFate {
  readonly frameId: Uint8Array
  readonly channel: string
  readonly sender: string
  readonly adapter: string
  readonly receivedAt: bigint
  readonly settledAt: bigint | undefined
  readonly fate: FateName | 'pending'
  readonly fault?: string
  readonly why?: string
}

export interface Accounting {
  /** Counts a frame as received and pending; call `settle` exactly once. */
  receive(input: string): void
  settle(input: string, fate: FateName, fault?: string): void
  /** A stored frame of this input had a time that no sound clock gives. */
  clockFault(input: string): void
  remember(fate: RecentFate): void
  readonly totals: FateCounts
  /** By input ("senml", "json/tanks", "–" for none) and fate, and by fault for refused ones. */
  readonly byInput: ReadonlyMap<string, Map<FateName, number>>
  readonly refusedByFault: ReadonlyMap<string, number>
  readonly clockFaults: ReadonlyMap<string, number>
  /** Newest first. */
  recent(match: (fate: RecentFate) => boolean, limit: number): readonly RecentFate[]
}

/** The same fates as the schema names them. */
export const wireFate: Readonly<Record<RecentFate['fate'], WireFate>> = {
  stored: WireFate.STORED,
  duplicate: WireFate.DUPLICATE,
  ignored: WireFate.IGNORED,
  carried: WireFate.CARRIED,
  waiting: WireFate.WAITING,
  refused: WireFate.REFUSED,
  not_taken: WireFate.NOT_TAKEN,
  pending: WireFate.PENDING,
}

/** Stands for the input of frames that no adapter reads. */
export const noInput = '–'

/** Fates that are not in the log (duplicate, not taken) can be asked for while they are among the last so many. */
const recentMax = 10_000

export function createAccounting(): Accounting {
  const counts = { stored: 0, duplicate: 0, ignored: 0, carried: 0, waiting: 0, refused: 0, not_taken: 0 }
  let received = 0
  const byInput = new Map<string, Map<FateName, number>>()
  const refusedByFault = new Map<string, number>()
  const clockFaults = new Map<string, number>()
  const ring: RecentFate[] = []
  let ringAt = 0

  return {
    receive() {
      received += 1
    },
    settle(input, fate, fault) {
      counts[fate] += 1
      let row = byInput.get(input)
      if (!row) byInput.set(input, (row = new Map()))
      row.set(fate, (row.get(fate) ?? 0) + 1)
      if (fault) refusedByFault.set(fault, (refusedByFault.get(fault) ?? 0) + 1)
    },
    clockFault(input) {
      clockFaults.set(input, (clockFaults.get(input) ?? 0) + 1)
    },
    remember(fate) {
      ring[ringAt] = fate
      ringAt = (ringAt + 1) % recentMax
    },
    get totals() {
      const settled = Object.values(counts).reduce((sum, count) => sum + count, 0)
      return { ...counts, received, pending: received - settled }
    },
    byInput,
    refusedByFault,
    clockFaults,
    recent(match, limit) {
      const found: RecentFate[] = []
      for (let i = 1; i <= ring.length && found.length < limit; i++) {
        const fate = ring[(ringAt - i + recentMax) % recentMax]
        if (fate && match(fate)) found.push(fate)
      }
      return found
    },
  }
}
