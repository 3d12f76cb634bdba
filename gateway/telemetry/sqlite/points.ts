// All points of the SQLite file, to be moved from or into.

import type { DatabaseSync } from 'node:sqlite'
import type { KeyedPoint, Points } from '../move.ts'
import type { SeriesKey } from '../store.ts'
import { createSqliteLevelPoints } from './level-points.ts'
import { qualityOf, valueOf } from './values.ts'
import { createSqliteWriter } from './writer.ts'

const rowsAtOnce = 5_000

export function createSqlitePoints(database: DatabaseSync): Points {
  const writer = createSqliteWriter(database, new Set())
  const levels = createSqliteLevelPoints(database, writer)
  const ids = database.prepare('SELECT id FROM series ORDER BY id')
  const series = database.prepare(
    'SELECT quantity, device, idx AS "index", status, jurisdiction, owner, device_class AS deviceClass, unit, subject FROM series WHERE id = ?',
  )
  const after = database.prepare(
    `SELECT at, counter, form, value FROM points WHERE series = ? AND (at, counter) > (?, ?) ORDER BY at, counter LIMIT ${rowsAtOnce}`,
  )
  return {
    pieces: async () => ids.all().map(({ id }) => String(id)),
    async *read(piece) {
      const row = series.get(Number(piece))
      if (!row) return
      const key = { ...row } as unknown as SeriesKey
      // What is before the horizon came too late, and is about to be removed.
      const begin = (await levels.horizon()) ?? -Number.MAX_SAFE_INTEGER
      let place: readonly [at: number, counter: number] = [begin, -1]
      for (;;) {
        const rows = after.all(Number(piece), ...place) as unknown as Row[]
        const points = rows.map(({ at, counter, form, value }): KeyedPoint => ({
          key,
          point: { atMs: at, counter, value: valueOf(form, value), quality: qualityOf(form) },
        }))
        if (points.length > 0) yield points
        const last = rows.at(-1)
        if (!last || rows.length < rowsAtOnce) return
        place = [last.at, last.counter]
      }
    },
    async write(points) {
      writer.put(points)
    },
    levels,
    close: async () => database.close(),
  }
}

interface Row {
  readonly at: number
  readonly counter: number
  readonly form: number
  readonly value: number | string | null
}
