// Interleaved pairs: A B A B …, so that whatever else the machine does meets both sides alike, and only ratios of one pair are compared.

import { spread, type Spread } from './statistics.ts'

export interface Pair<A, B> {
  readonly a: A
  readonly b: B
}

export async function runPairs<A, B>(
  count: number,
  runA: () => Promise<A>,
  runB: () => Promise<B>,
  onPair: (pair: Pair<A, B>, number: number) => void = () => {},
): Promise<readonly Pair<A, B>[]> {
  const pairs: Pair<A, B>[] = []
  for (let number = 1; number <= count; number++) {
    const pair = { a: await runA(), b: await runB() }
    pairs.push(pair)
    onPair(pair, number)
  }
  return pairs
}

export function ratio<A, B>(pairs: readonly Pair<A, B>[], ofA: (a: A) => number, ofB: (b: B) => number): Spread {
  return spread(pairs.map(({ a, b }) => ofA(a) / ofB(b)))
}
