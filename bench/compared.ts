// Two loads of Tocsin beside each other: how much of the one's rate the other has, and of its CPU.

import type { MeasuredLoad } from './load-process.ts'
import { type Pair, ratio } from './pairs.ts'
import type { Figure } from './row.ts'
import { spread } from './statistics.ts'

export interface Names {
  readonly a: string
  readonly b: string
}

/** `a` is to have at least so much of the rate of `b`, and to take no more CPU than by as much. */
export function comparedFigures(
  pairs: readonly Pair<MeasuredLoad, MeasuredLoad>[],
  names: Names,
  atLeast: number,
): readonly Figure[] {
  return [
    {
      name: `${names.a} / ${names.b}, acknowledged`,
      value: ratio(
        pairs,
        (a) => a.perSecond,
        (b) => b.perSecond,
      ),
      unit: '×',
      wanted: { atLeast },
    },
    {
      name: `${names.b} / ${names.a}, CPU a message`,
      value: spread(pairs.map(({ a, b }) => b.serverMicrosEach / a.serverMicrosEach)),
      unit: '×',
      wanted: { atLeast },
    },
    { name: `${names.a}, acknowledged`, value: spread(pairs.map(({ a }) => a.perSecond)), unit: '/s' },
    { name: `${names.b}, acknowledged`, value: spread(pairs.map(({ b }) => b.perSecond)), unit: '/s' },
    { name: `${names.a}, CPU a message`, value: spread(pairs.map(({ a }) => a.serverMicrosEach)), unit: 'µs' },
    { name: `${names.b}, CPU a message`, value: spread(pairs.map(({ b }) => b.serverMicrosEach)), unit: 'µs' },
  ]
}
