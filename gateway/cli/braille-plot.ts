// A plot in characters: lines in braille dots (two across and four down in each character) between axes with numbers and times.
// Points that are further apart than their line's `joinMs` are not joined: what was not measured is not drawn.

import { timeTicks, valueAxis } from './plot-axes.ts'
import type { Dot } from './sparkline.ts'
import { pad, type Style } from './terminal.ts'

export interface PlotLine {
  /** Oldest first. */
  readonly dots: readonly Dot[]
  /** Dots no further apart than this are joined. */
  readonly joinMs: number
  readonly style: Style
}

export interface PlotFrame {
  readonly fromMs: number
  readonly toMs: number
  /** All columns, with the numbers at the left. */
  readonly columns: number
  /** Of the plot, without the times below. */
  readonly rows: number
  /** Such as "m"; it stands above the numbers. */
  readonly unit: string
  /** The values that the axis spans, where others are drawn beside it; default: those of the lines. */
  readonly axisOf?: readonly number[]
}

type Paint = (style: Style, text: string) => string

/** Bits of U+2800 (Unicode 16, chapter 21.1), by column and row of the dot. */
const dotBits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const
/** Below this there is no room for a line beside its numbers. */
export const plotColumnsMin = 30

export function braillePlot(lines: readonly PlotLine[], frame: PlotFrame, paint: Paint): string[] {
  const { fromMs, toMs, rows } = frame
  const axis = valueAxis(
    frame.axisOf ?? lines.flatMap(({ dots }) => dots.map(([, value]) => value)),
    Math.max(1, Math.floor(rows / 2)),
  )
  const labelColumns = Math.max(...axis.ticks.map(({ text }) => text.length), frame.unit.length)
  const columns = Math.max(frame.columns, plotColumnsMin) - labelColumns - 2
  const canvas = createCanvas(columns, rows)
  const x = (atMs: number): number =>
    Math.min(Math.max(Math.floor(((atMs - fromMs) / (toMs - fromMs)) * columns * 2), 0), columns * 2 - 1)
  const y = (value: number): number => {
    const within = Math.min(Math.max(value, axis.least), axis.greatest)
    return Math.round(((axis.greatest - within) / (axis.greatest - axis.least)) * (rows * 4 - 1))
  }

  for (const [pen, { dots, joinMs }] of lines.entries()) {
    for (const [at, [atMs, value]] of dots.entries()) {
      const before = dots[at - 1]
      const isJoined = before !== undefined && atMs - before[0] <= joinMs
      const [fromX, fromY] = isJoined ? [x(before[0]), y(before[1])] : [x(atMs), y(value)]
      canvas.line(fromX, fromY, x(atMs), y(value), pen)
    }
  }

  const labels = new Map(axis.ticks.map(({ value, text }) => [Math.floor(y(value) / 4), text]))
  const left = (label: string, edge: string): string => paint('dim', `${label.padStart(labelColumns)} ${edge}`)
  const ticks = timeTicks(fromMs, toMs, Math.max(1, Math.floor(columns / 12))).map(({ atMs, text }) => ({
    column: Math.floor(x(atMs) / 2),
    text,
  }))
  const styles = lines.map(({ style }) => style)
  return [
    ...(frame.unit === '' ? [] : [paint('dim', frame.unit.padStart(labelColumns))]),
    ...canvas.rows().map((row, at) => {
      const label = labels.get(at)
      return left(label ?? '', label === undefined ? '│' : '┤') + paintRow(row, styles, paint)
    }),
    paint('dim', `${' '.repeat(labelColumns + 1)}└${edgeBelow(ticks, columns)}`),
    paint('dim', `${' '.repeat(labelColumns + 2)}${textBelow(ticks, columns)}`.trimEnd()),
  ]
}

interface Cell {
  readonly character: string
  /** Which line it is of; undefined: none. */
  readonly pen: number | undefined
}

function createCanvas(columns: number, rows: number) {
  const bits = new Uint8Array(columns * rows)
  const pens = new Int32Array(columns * rows).fill(-1)

  function dot(x: number, y: number, pen: number): void {
    const cell = Math.floor(y / 4) * columns + Math.floor(x / 2)
    bits[cell]! |= dotBits[x % 2]![y % 4]!
    pens[cell] = pen
  }

  return {
    /** As many dots as the longer side has, both ends among them. */
    line(fromX: number, fromY: number, toX: number, toY: number, pen: number): void {
      const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY), 1)
      for (let step = 0; step <= steps; step++) {
        const along = step / steps
        dot(Math.round(fromX + (toX - fromX) * along), Math.round(fromY + (toY - fromY) * along), pen)
      }
    },
    rows: (): Cell[][] =>
      Array.from({ length: rows }, (_, row) =>
        Array.from({ length: columns }, (__, column) => {
          const cell = row * columns + column
          const isEmpty = bits[cell] === 0
          return {
            character: isEmpty ? ' ' : String.fromCodePoint(0x28_00 + bits[cell]!),
            pen: isEmpty ? undefined : pens[cell]!,
          }
        }),
      ),
  }
}

/** Neighbours of one colour are painted at once; blanks at the end are left out. */
function paintRow(cells: readonly Cell[], styles: readonly Style[], paint: Paint): string {
  let row = ''
  let run = ''
  let runPen: number | undefined
  const flush = (): void => {
    row += runPen === undefined ? run : paint(styles[runPen]!, run)
    run = ''
  }
  for (const { character, pen } of cells.slice(0, cells.findLastIndex(({ pen: each }) => each !== undefined) + 1)) {
    if (pen !== runPen) flush()
    runPen = pen
    run += character
  }
  flush()
  return row
}

interface Mark {
  readonly column: number
  readonly text: string
}

function edgeBelow(ticks: readonly Mark[], columns: number): string {
  const at = new Set(ticks.map(({ column }) => column))
  return Array.from({ length: columns }, (_, column) => (at.has(column) ? '┬' : '─')).join('')
}

/** Each under its tick, moved in where it would stand out, left out where it would touch the one before. */
function textBelow(ticks: readonly Mark[], columns: number): string {
  let text = ''
  for (const { column, text: label } of ticks) {
    const begin = Math.min(Math.max(column - Math.floor(label.length / 2), 0), columns - label.length)
    if (text === '' || begin > text.length) text = pad(text, begin) + label
  }
  return text
}
