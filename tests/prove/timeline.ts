// Time that passes for a broker while it is down: the clock of its process is set ahead before it starts again. When something happened
// is known to be between two moments, and what is due within that doubt is nobody's fault.

import type { ProcessClock } from '../faults/process-clock.ts'

/** Milliseconds of the broker's clock. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export interface Timeline {
  /** When it happened. */
  during(action: () => Promise<unknown>): Promise<Span>
  now(): Span
  /** For who is down. */
  pass(seconds: number): void
}

/** A broker counts in seconds, and hears of a lost connection when it has time to. */
const doubtMs = 2_000

export function createTimeline(clock: ProcessClock): Timeline {
  let aheadSeconds = 0
  const nowMs = (): number => Date.now() + aheadSeconds * 1_000
  return {
    async during(action) {
      const fromMs = nowMs()
      await action()
      return { fromMs, toMs: nowMs() }
    },
    now: () => ({ fromMs: nowMs(), toMs: nowMs() }),
    pass(seconds) {
      aheadSeconds += seconds
      clock.set(aheadSeconds)
    },
  }
}

/** Whether a time to live that began then was over; undefined: nobody can say. */
export function isOver(lifeSeconds: number, began: Span, then: Span): boolean | undefined {
  if (then.fromMs - began.toMs > lifeSeconds * 1_000 + doubtMs) return true
  if (then.toMs - began.fromMs < lifeSeconds * 1_000 - doubtMs) return false
  return undefined
}

/** Whether so much of it can have been left. */
export function mayBeLeft(leftSeconds: number, lifeSeconds: number, began: Span, then: Span): boolean {
  const most = lifeSeconds - (then.fromMs - began.toMs - doubtMs) / 1_000
  const least = lifeSeconds - (then.toMs - began.fromMs + doubtMs) / 1_000
  return leftSeconds >= least && leftSeconds <= most
}
