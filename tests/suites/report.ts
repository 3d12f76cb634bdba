// What came of the cases of a suite, and how it is printed: a line with the counts, then each miss by its name.

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

export const missesOf = ({ outcomes }: SuiteReport): Outcome[] => outcomes.filter(({ miss }) => miss !== undefined)

export function reportText(report: SuiteReport): string {
  const { suite, peer, outcomes } = report
  const misses = missesOf(report)
  const counts = `${suite.padEnd(32)} ${peer.padEnd(10)} ${outcomes.length} run, ${outcomes.length - misses.length} passed`
  return [counts, ...misses.map(({ name, miss }) => `  miss  ${name}\n        ${miss}`), ''].join('\n')
}
