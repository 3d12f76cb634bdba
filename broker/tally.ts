// Counts what happens and tells the house of it. What would repeat for every message of a flood is told once a minute for each
// client and cause, and counted always.

import type { BrokerEvent, Clock, CutReason, DropCause, RefusalReason } from './port.ts'

export interface Tally {
  readonly totals: { accepted: number; forbidden: number; unstored: number; swallowed: number; connects: number }
  readonly refused: Partial<Record<RefusalReason, number>>
  readonly cut: Partial<Record<CutReason, number>>
  readonly dropped: Partial<Record<DropCause, number>>
  readonly tell: (event: BrokerEvent) => void
  drop(cause: DropCause, clientId: string): void
  forbid(event: Extract<BrokerEvent, { kind: 'forbidden' }>): void
  refuse(event: Extract<BrokerEvent, { kind: 'refused' }>): void
  leave(event: Extract<BrokerEvent, { kind: 'disconnected' }>): void
}

const quietNs = 60_000_000_000n
// More clients and causes than this in one minute are counted only.
const toldMax = 10_000

export function createTally(clock: Clock, tell: (event: BrokerEvent) => void): Tally {
  const told = new Set<string>()
  let toldSince = clock.monotonic()

  function once(key: string, event: BrokerEvent): void {
    const now = clock.monotonic()
    if (now - toldSince > quietNs) {
      told.clear()
      toldSince = now
    }
    if (told.has(key) || told.size >= toldMax) return
    told.add(key)
    tell(event)
  }

  const tally: Tally = {
    totals: { accepted: 0, forbidden: 0, unstored: 0, swallowed: 0, connects: 0 },
    refused: {},
    cut: {},
    dropped: {},
    tell,
    drop(cause, clientId) {
      tally.dropped[cause] = (tally.dropped[cause] ?? 0) + 1
      once(`${cause} ${clientId}`, { kind: 'dropped', cause, clientId })
    },
    forbid: (event) => once(`${event.action} ${event.clientId} ${event.topic}`, event),
    refuse(event) {
      tally.refused[event.why] = (tally.refused[event.why] ?? 0) + 1
      once(`${event.why} ${event.address} ${event.listener} ${event.clientId ?? ''} ${event.text ?? ''}`, event)
    },
    leave(event) {
      tally.cut[event.why] = (tally.cut[event.why] ?? 0) + 1
      tell(event)
    },
  }
  return tally
}
