// What came of the cases of a suite, and how it is printed: a line with the counts, then each miss by its name, and why it is right
// where that is known.

import { explanationOf } from './explained.ts'

export interface Outcome {
  readonly name: string
  /** Absent: passed. */
  readonly miss?: string
}

export interface SuiteReport {
  readonly suite: string
  readonly peer: string
  readonly outcomes: readonly Outcome[]
}

/** Misses that nobody has explained. */
export const openMissesOf = (report: SuiteReport): Outcome[] =>
  missesOf(report).filter(({ name }) => explanationOf(name) === undefined)

export const missesOf = ({ outcomes }: SuiteReport): Outcome[] => outcomes.filter(({ miss }) => miss !== undefined)

export function reportText(report: SuiteReport): string {
  const { suite, peer, outcomes } = report
  const misses = missesOf(report)
  const counts = `${suite.padEnd(34)} ${peer.padEnd(10)} ${outcomes.length} run, ${outcomes.length - misses.length} passed`
  return [counts, ...misses.map((miss) => missText(miss, peer)), ''].join('\n')
}

function missText({ name, miss }: Outcome, peer: string): string {
  const because = peer === 'tocsin' ? explanationOf(name) : undefined
  return [`  miss  ${name}`, miss, ...(because === undefined ? [] : [`because ${because}`])].join('\n        ')
}
