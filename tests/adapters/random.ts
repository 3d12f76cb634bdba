// A small repeatable random source (mulberry32), so that a failing run can be run again by its seed.

export interface Random {
  readonly seed: number
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    seed,
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
    },
  }
}

/** From the environment, to repeat a run; otherwise another one each time. */
export function seedOfRun(): number {
  const given = Number(process.env['TOCSIN_TEST_SEED'])
  return Number.isInteger(given) && given > 0 ? given : Math.floor(Math.random() * 4_294_967_295) + 1
}
