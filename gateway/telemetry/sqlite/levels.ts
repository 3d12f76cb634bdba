// Levels in the SQLite file. Its promise: a level is made from the values themselves, anew for each minute that was written to, so that
// late and repeated values come right; and values are removed only when their levels are there.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Quality } from '../../../proto/generated/types.ts'
import { createSummary, type Summary } from '../aggregate.ts'
import { beginOf, hourMs, type Level, minuteMs } from '../levels.ts'
import type { Value } from '../store.ts'
import { qualityOf, storedValue, valueOf } from './values.ts'

const columns =
  'series, at, count, quality, numbers, sum, min_form, min, max_form, max, first_form, first, last_form, last'
/** Minutes made anew in one transaction. */
const minutesAtOnce = 200

export function createLevels(database: DatabaseSync) {
  const touch = database.prepare('INSERT OR IGNORE INTO touched VALUES (?, ?)')
  const touched = database.prepare(`SELECT series, at FROM touched ORDER BY series, at LIMIT ${minutesAtOnce}`)
  const untouch = database.prepare('DELETE FROM touched WHERE series = ? AND at = ?')
  const values = database.prepare(
    'SELECT at, counter, form, value FROM points WHERE series = ? AND at >= ? AND at < ? ORDER BY at, counter',
  )
  const on = (level: Level) => ({
    put: database.prepare(`INSERT OR REPLACE INTO ${level} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '?')})`),
    remove: database.prepare(`DELETE FROM ${level} WHERE series = ? AND at = ?`),
    between: database.prepare(`SELECT ${columns} FROM ${level} WHERE series = ? AND at >= ? AND at < ? ORDER BY at`),
    first: database.prepare(`SELECT at FROM ${level} WHERE series = ? AND at < ? ORDER BY at LIMIT 1`),
    last: database.prepare(`SELECT at FROM ${level} WHERE series = ? AND at < ? ORDER BY at DESC LIMIT 1`),
  })
  const levels = { minutes: on('minutes'), hours: on('hours') }
  const getHorizon = database.prepare('SELECT before FROM horizon')
  const setHorizon = database.prepare('INSERT OR REPLACE INTO horizon VALUES (1, ?)')

  const horizon = (): number => (getHorizon.get() as { before: number } | undefined)?.before ?? Number.MIN_SAFE_INTEGER

  function put(level: Level, series: number, at: number, summary: Summary): void {
    if (summary.count === 0) return void levels[level].remove.run(series, at)
    const cells = [summary.min, summary.max, summary.first, summary.last].flatMap(cellsOf)
    // The sum of both infinities is no number, which SQLite would take for none at all.
    const sum = Number.isNaN(summary.sum) ? 'NaN' : summary.sum
    levels[level].put.run(series, at, summary.count, summary.quality, summary.numbers, sum, ...cells)
  }

  function* between(level: Level, series: number, fromMs: number, toMs: number): Iterable<Summary & { atMs: number }> {
    for (const row of levels[level].between.iterate(series, fromMs, toMs)) yield summaryOf(row as unknown as LevelRow)
  }

  function makeAnew(rows: readonly Minute[]): void {
    const kept = horizon()
    const hours = new Map<string, Minute>()
    for (const { series, at } of rows) {
      untouch.run(series, at)
      // Values of then are gone, and with them what a late one would have to be added to.
      if (at < kept) continue
      const summary = createSummary()
      for (const row of values.iterate(series, at, at + minuteMs)) {
        const { form, value } = row as unknown as ValueRow
        summary.add({ value: valueOf(form, value), quality: qualityOf(form) })
      }
      put('minutes', series, at, summary.end())
      const hour = beginOf('hours', at)
      hours.set(`${series} ${hour}`, { series, at: hour })
    }
    for (const { series, at } of hours.values()) {
      const summary = createSummary()
      for (const minute of between('minutes', series, at, at + hourMs)) summary.addSummary(minute)
      put('hours', series, at, summary.end())
    }
  }

  return {
    horizon,
    between,
    /** A level that comes from elsewhere, unless one of as many values is there. Within a transaction. */
    take(level: Level, series: number, at: number, summary: Summary): void {
      const [own] = between(level, series, at, at + 1)
      if (!own || own.count < summary.count) put(level, series, at, summary)
    },
    /** Within the transaction that writes the values. */
    touch: (series: number, minute: number): void => void touch.run(series, minute),
    /** In small pieces, with others let in between. */
    async rollUp(transact: (work: () => void) => void): Promise<void> {
      for (;;) {
        const rows = touched.all() as unknown as Minute[]
        if (rows.length === 0) return
        transact(() => makeAnew(rows))
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    /** From now on, what is before stands in levels only. */
    moveHorizon(beforeMs: number): void {
      if (beforeMs > horizon()) setHorizon.run(beforeMs)
    },
    /** Where hours of the series that stand in levels only begin, and where the last begins. */
    spanOf(series: number): { readonly firstMs: number; readonly lastMs: number } | undefined {
      const before = horizon()
      const first = levels.hours.first.get(series, before) as { at: number } | undefined
      const last = levels.hours.last.get(series, before) as { at: number } | undefined
      return first && last && { firstMs: first.at, lastMs: last.at }
    },
  }
}

interface Minute {
  readonly series: number
  readonly at: number
}
interface ValueRow {
  readonly form: number
  readonly value: number | string | null
}
type Stored = number | string | null
interface LevelRow {
  readonly at: number
  readonly count: number
  readonly quality: number
  readonly numbers: number
  readonly sum: number | 'NaN'
  readonly min_form: number
  readonly min: Stored
  readonly max_form: number
  readonly max: Stored
  readonly first_form: number
  readonly first: Stored
  readonly last_form: number
  readonly last: Stored
}

function cellsOf(value: Value | undefined): SQLInputValue[] {
  const { form, stored } = storedValue(value, 0 as Quality)
  return [form, stored]
}

const summaryOf = (row: LevelRow): Summary & { atMs: number } => ({
  atMs: row.at,
  count: row.count,
  bad: 0,
  quality: row.quality as Quality,
  numbers: row.numbers,
  sum: Number(row.sum),
  min: valueOf(row.min_form, row.min),
  max: valueOf(row.max_form, row.max),
  first: valueOf(row.first_form, row.first),
  last: valueOf(row.last_form, row.last),
})
