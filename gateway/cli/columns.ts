// A table for people: columns as wide as what stands in them, numbers at the right.

import { columnsOf, pad, type Terminal } from './terminal.ts'

export interface Column<Row> {
  readonly head: string
  readonly right?: boolean
  text(row: Row): string
  /** Paints what was padded already. */
  paint?(row: Row, padded: string): string
}

/** Columns in which nothing stands are left out. */
export function printColumns<Row>(rows: readonly Row[], all: readonly Column<Row>[], terminal: Terminal): void {
  const filled = all
    .map((column) => ({ column, texts: rows.map((row) => column.text(row)) }))
    .filter(({ texts }) => texts.some((text) => text !== ''))
    .map((each) => ({ ...each, width: Math.max(...[each.column.head, ...each.texts].map(columnsOf)) }))
  const aligned = (text: string, width: number, right = false): string =>
    right ? ' '.repeat(Math.max(width - columnsOf(text), 0)) + text : pad(text, width)
  const head = filled.map(({ column, width }) => aligned(column.head, width, column.right)).join('  ')
  terminal.print(`  ${terminal.paint('dim', head.trimEnd())}`)
  for (const [at, row] of rows.entries()) {
    const cells = filled.map(({ column, texts, width }, place) => {
      const isLast = place === filled.length - 1
      const cell = aligned(texts[at]!, isLast && !column.right ? 0 : width, column.right)
      return column.paint ? column.paint(row, cell) : cell
    })
    terminal.print(`  ${cells.join('  ').trimEnd()}`)
  }
}
