// The table of the proof: one line for each promise, the gateway beside mosquitto, and whether it is met.

import type { Row, RowResult } from './row.ts'

export interface Proven {
  readonly row: Pick<Row, 'name' | 'promise' | 'wanted'>
  readonly result: RowResult
  readonly seconds: number
}

type Line = readonly [name: string, promise: string, wanted: string, tocsin: string, mosquitto: string, verdict: string]

const widthMax = 46

export function tableText(proven: readonly Proven[]): string {
  const head: Line = ['row', 'same test, run on both', 'wanted', 'Tocsin', 'mosquitto', '']
  const lines = proven.map(lineOf)
  const widths = head.map((title, column) =>
    Math.min(widthMax, Math.max(title.length, ...lines.map((line) => line[column]!.length))),
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  return [wrapped(head, widths), rule, ...lines.map((line) => wrapped(line, widths)), ''].join('\n')
}

/** Met: every finding of which something is wanted is what is wanted, and there is one. */
export function isMet({ findings }: RowResult): boolean | undefined {
  const mets = Object.values(findings).flatMap(({ met }) => (met === undefined ? [] : [met]))
  return mets.length === 0 ? undefined : mets.every(Boolean)
}

/** Not judged: the machine was so busy that nobody can say whose doing it was. */
export function verdictOf(result: RowResult): string {
  const met = isMet(result)
  if (met !== undefined) return met ? 'met' : 'NOT MET'
  return result.findings.tocsin ? 'not judged' : 'not run'
}

function lineOf({ row, result }: Proven): Line {
  const { tocsin, mosquitto } = result.findings
  return [row.name, row.promise, row.wanted, tocsin?.text ?? '–', mosquitto?.text ?? '–', verdictOf(result)]
}

/** Cells that are too long go on in the next line, broken at blanks. */
function wrapped(line: Line, widths: readonly number[]): string {
  const cells = line.map((cell, column) => broken(cell, widths[column]!))
  const height = Math.max(...cells.map(({ length }) => length))
  return Array.from({ length: height }, (_, i) =>
    cells
      .map((cell, column) => (cell[i] ?? '').padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  ).join('\n')
}

function broken(cell: string, width: number): string[] {
  const lines = ['']
  for (const word of cell.split(' ')) {
    const last = lines.at(-1)!
    const longer = last === '' ? word : `${last} ${word}`
    if (longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

export function notesText(proven: readonly Proven[]): string {
  const parts = proven.flatMap(({ row, result }) => {
    const details = Object.entries(result.findings).flatMap(([peer, { met, details: list = [] }]) =>
      met === false || peer === 'mosquitto' ? list.slice(0, 6).map((line) => `  ${peer}: ${line}`) : [],
    )
    const notes = (result.notes ?? []).map((note) => `  ${note}`)
    return notes.length + details.length > 0 ? [`${row.name}:`, ...notes, ...details] : []
  })
  return parts.length > 0 ? `${parts.join('\n')}\n` : ''
}
