// What a run over the corpora says of one format, and how it is printed. A disagreement always stands with its file and its reason;
// one without a known reason says so, and makes the run fail.

import type { Decoded } from '../../adapters/adapter.ts'

export interface FormatReport {
  readonly format: string
  /** Messages read. */
  n: number
  decoded: number
  ignored: number
  refused: number
  /** Messages for which the source gives expected values; of these, those that agree. */
  expected: number
  agree: number
  /** Single values compared. */
  values: number
  readonly refusals: Finding[]
  readonly disagreements: Finding[]
  readonly notes: string[]
}

export interface Finding {
  readonly file: string
  readonly what: string
  /** Why that is right as it is; absent: nobody knows yet. */
  readonly explained?: string
}

export interface CorpusReader {
  readonly format: string
  /** Reads a format's folder. */
  read(folder: string): FormatReport
}

export function createReport(format: string): FormatReport {
  const none = { n: 0, decoded: 0, ignored: 0, refused: 0, expected: 0, agree: 0, values: 0 }
  return { format, ...none, refusals: [], disagreements: [], notes: [] }
}

export function count(report: FormatReport, decoded: Decoded): void {
  report.n++
  if (decoded.outcome === 'events') report.decoded++
  else if (decoded.outcome === 'ignored') report.ignored++
  else report.refused++
}

/** Findings that nobody has explained. */
export const unexplained = ({ refusals, disagreements }: FormatReport): Finding[] =>
  [...refusals, ...disagreements].filter(({ explained }) => explained === undefined)

export function reportText(report: FormatReport): string {
  const { format, n, decoded, ignored, refused, expected, agree, values } = report
  const lines = [
    `${format}  n ${n}  decoded ${decoded}  ignored ${ignored}  refused ${refused}  expected ${expected}  agree ${agree}  (${values} values compared)`,
    ...report.refusals.map((finding) => `  refused   ${findingText(finding)}`),
    ...report.disagreements.map((finding) => `  differs   ${findingText(finding)}`),
    ...report.notes.map((note) => `  note      ${note}`),
  ]
  return `${lines.join('\n')}\n`
}

const findingText = ({ file, what, explained }: Finding): string =>
  `${file}: ${what}\n            ${explained === undefined ? 'NOT EXPLAINED' : `because ${explained}`}`
