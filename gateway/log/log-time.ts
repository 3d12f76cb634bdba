// The time that retention, expiry and lockout go by: monotonic time on top of the log's own `logged_at`. It never goes back, and
// when somebody sets the clock by more than a minute it goes on alone and says so, until an operator confirms or the clock returns.

import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'

export interface LogTime {
  /** Nanoseconds since 1970-01-01 UTC; never goes back within this log. */
  now(): bigint
  /** The `logged_at` of a new record: the same, so never below that of a record before it. */
  loggedAt(): bigint
  /** True after a step, until it is confirmed or undone: nothing is removed meanwhile. */
  stepped(): boolean
  /** An operator says that the clock is right as it is now. */
  confirm(): void
}

export interface LogTimeParts {
  readonly clock: Clock
  /** Of the log's last record; undefined: it is empty. */
  readonly lastLoggedAt: bigint | undefined
  readonly alarms: Pick<Alarms, 'raise' | 'clear'>
}

const nsPerSecond = 1_000_000_000n
/** architecture.md "The log". A leap second, NTP after a night without network and a slow disk stay below. */
export const stepNsMax = 60n * nsPerSecond
/** At start the clock may be ahead of the log by the time that the gateway was off; more than this somebody should confirm. */
export const awayNsMax = 30n * 24n * 3600n * nsPerSecond

export function createLogTime({ clock, lastLoggedAt, alarms }: LogTimeParts): LogTime {
  let monotonic = clock.monotonic()
  let time = larger(clock.now(), lastLoggedAt ?? 0n)
  // What the clock shows above monotonic time when nobody has set it, and how much more is still no step.
  let expected = (lastLoggedAt ?? clock.now()) - monotonic
  let aheadNsMax = lastLoggedAt === undefined ? stepNsMax : awayNsMax
  let stepped = false

  function advance(): void {
    const wall = clock.now()
    const elapsed = clock.monotonic() - monotonic
    monotonic += elapsed
    const step = wall - monotonic - expected
    judge(step > aheadNsMax || step < -stepNsMax, step)
    if (stepped) {
      time += elapsed
      return
    }
    expected = wall - monotonic
    aheadNsMax = stepNsMax
    // Ahead of the clock, time runs at half its pace until the clock has caught up: it never stands still and never goes back.
    time = larger(wall, time + elapsed / 2n)
  }

  function judge(is: boolean, step: bigint): void {
    if (is === stepped) return
    stepped = is
    if (is) alarms.raise('clock_step', '', stepText(step))
    else alarms.clear('clock_step')
  }

  advance()
  const now = (): bigint => {
    advance()
    return time
  }
  return {
    now,
    loggedAt: now,
    stepped() {
      advance()
      return stepped
    },
    confirm() {
      expected = clock.now() - clock.monotonic()
      aheadNsMax = stepNsMax
      advance()
    },
  }
}

function stepText(step: bigint): string {
  const seconds = (step < 0n ? -step : step) / nsPerSecond
  return (
    `The clock of this machine jumped ${seconds} s ${step < 0n ? 'back' : 'ahead'}. Nothing is removed from the log until it ` +
    'returns or an operator confirms that it is right; check the time servers.'
  )
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
