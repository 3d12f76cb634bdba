// What is done for all connections together, at the end of a turn and a few times a second, so that no packet has a timer of its own.

import type { Gate } from './gate.ts'

export interface Gates {
  /** Bytes of unfinished packets. */
  heldBytes: number
  /** Those that had not taken all that they were sent when it was last looked at. */
  readonly behind: Set<Gate>
  /** Those that have something to send at the end of this turn. */
  leaving: Gate[]
  /** Those from which something came since the last look. */
  talking: Gate[]
}

export const newGates = (): Gates => ({ heldBytes: 0, behind: new Set(), leaving: [], talking: [] })

export function leaveTogether(all: Gates, gate: Gate): void {
  if (all.leaving.push(gate) === 1) setImmediate(leave, all)
}

function leave(all: Gates): void {
  const { leaving } = all
  all.leaving = []
  for (const gate of leaving) gate.leave()
}

/** To be done every so often: finds who takes nothing, and lets those who said something stay. */
export function lookAtAll(all: Gates, unreadMsMax: number): void {
  const now = performance.now()
  for (const gate of all.behind) gate.cutIfStill(now, unreadMsMax)
  const { talking } = all
  all.talking = []
  for (const gate of talking) gate.lookAt()
}
