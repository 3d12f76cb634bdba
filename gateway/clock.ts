// The one place that reads the machine's clocks. Everything else is given a Clock, so that tests can set the time.

export interface Clock {
  /** Nanoseconds since 1970-01-01 UTC; may step when somebody sets the clock. */
  now(): bigint
  /** Nanoseconds that only ever grow, from an arbitrary start; not affected by anybody setting the clock. */
  monotonic(): bigint
}

export const systemClock: Clock = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  monotonic: () => process.hrtime.bigint(),
}
