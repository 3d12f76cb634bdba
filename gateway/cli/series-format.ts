// In which form series are written: a table for people, CSV or JSON for programs.

import { type Given, UsageError } from './command.ts'
import { safe, type Terminal } from './terminal.ts'

export const formats = ['table', 'csv', 'json'] as const
export type Format = (typeof formats)[number]

export function formatOf(given: Given): Format {
  const text = given.text('format') ?? 'table'
  const format = formats.find((each) => each === text)
  if (format) return format
  throw new UsageError(`--format may be ${formats.join(', ')}; it is "${text}"`)
}

/** To a file or a pipe as it is; on a screen no text of a device may act (the line ends of a field are shown there). */
export function printCsv(rows: Iterable<string>, { print, width }: Terminal): void {
  const isScreen = width !== undefined
  for (const row of rows) print(isScreen ? safe(row, Number.MAX_SAFE_INTEGER) : `${row}\r`)
}
