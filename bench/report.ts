// Prints what a row found: medians with their spread, and whether what is wanted is met.

import type { Figure, RowResult } from './row.ts'

export function resultText({ figures, notes }: RowResult): string {
  const width = Math.max(...figures.map(({ name }) => name.length))
  return [...figures.map((figure) => figureText(figure, width)), ...notes.map((note) => `  note: ${note}`), ''].join(
    '\n',
  )
}

function figureText({ name, value, unit, wanted }: Figure, width: number): string {
  const { median, min, max } = value
  const text = `  ${name.padEnd(width)}  ${number(median)} ${unit}`.padEnd(width + 18)
  const range = `(${number(min)} – ${number(max)})`
  if (!wanted) return `${text} ${range}`
  const met = 'atLeast' in wanted ? median >= wanted.atLeast : median <= wanted.atMost
  const limit = 'atLeast' in wanted ? `≥ ${wanted.atLeast}` : `≤ ${wanted.atMost}`
  return `${text} ${range.padEnd(22)} wanted ${limit}: ${met ? 'met' : 'not met'}`
}

function number(value: number): string {
  const size = Math.abs(value)
  return value.toLocaleString('en', { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : 2 })
}
