// The one place that reads the machine's clocks. Everything else is given a Clock, so that tests can set the time.

export interface Clock {
  /** Nanoseconds since 1970-01-01 UTC; may step when somebody sets the clock. */
  now(): bigint
  /** Nanoseconds that only ever grow, from an arbitrary start; not affected by anybody setting the clock. */
  monotonic(): bigint
}

// Asked several times for each message, and the answer is the same for all of a millisecond.
let latestMs = 0
let latestNs = 0n

export const systemClock: Clock = {
  now() {
    const ms = Date.now()
    if (ms !== latestMs) {
      latestMs = ms
      latestNs = BigInt(ms) * 1_000_000n
    }
    return latestNs
  },
  monotonic: () => process.hrtime.bigint(),
}
