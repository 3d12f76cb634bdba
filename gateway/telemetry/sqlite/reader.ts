// Reads series out of the SQLite file. Nothing is read of a series before its reader was found to be permitted.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { createSeriesBuilder, type SeriesBuilder } from '../aggregate.ts'
import { createMeter, type Gathered, permitted, queryAnswer, tooLarge, valuesReadMax } from '../answers.ts'
import { isWantedDevice, joined, listedOf } from '../listing.ts'
import { type Level, levelOf, levelRange } from '../levels.ts'
import { compareSeries } from '../store.ts'
import type { ListedSeries, QueryPlan, SeriesKey, SeriesReader } from '../store.ts'
import { createLevels } from './levels.ts'
import { qualityOf, valueOf } from './values.ts'

interface KeptSeries extends SeriesKey {
  readonly id: number
}

const columns =
  'id, quantity, device, idx AS "index", status, jurisdiction, owner, device_class AS deviceClass, unit, subject'

export function createSqliteReader(database: DatabaseSync): SeriesReader {
  const points = database.prepare(
    'SELECT at, counter, form, value FROM points WHERE series = ? AND at >= ? AND at < ? ORDER BY at, counter',
  )
  const levels = createLevels(database)
  const first = database.prepare('SELECT at FROM points WHERE series = ? ORDER BY at LIMIT 1')
  const last = database.prepare(
    'SELECT at, counter FROM points WHERE series = ? ORDER BY at DESC, counter DESC LIMIT 1',
  )

  function find(conditions: readonly (readonly [column: string, values: readonly SQLInputValue[]])[]): KeptSeries[] {
    const wanted = conditions.filter(([, values]) => values.length > 0)
    const where = wanted.map(([column, values]) => `${column} IN (${values.map(() => '?').join(', ')})`)
    const statement = `SELECT ${columns} FROM series${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''}`
    return database.prepare(statement).all(...wanted.flatMap(([, values]) => values)) as unknown as KeptSeries[]
  }

  return {
    async query(plan, permit) {
      const all = find([
        ['quantity', [plan.quantity]],
        ['device', plan.devices],
        ['subject', plan.subjects],
        ['status', plan.statuses],
        ['idx', plan.index === undefined ? [] : [plan.index]],
      ])
      const series = (await permitted(all, permit)).toSorted(compareSeries)
      const meter = createMeter()
      const gathered: Gathered[] = []
      let read = 0
      const horizon = levels.horizon()
      for (const key of series) {
        const builder = createSeriesBuilder(plan)
        const level = levelOf(plan, horizon)
        if (level) addLevel(builder, key.id, level, plan, horizon)
        for (const row of points.iterate(key.id, level ? Math.max(plan.fromMs, horizon) : plan.fromMs, plan.toMs)) {
          const { at, counter, form, value } = row as unknown as PointRow
          if (++read > valuesReadMax) throw tooLarge()
          if (!builder.add({ atMs: at, counter, value: valueOf(form, value), quality: qualityOf(form) })) break
        }
        const ended = builder.finish()
        if (ended.points.length === 0) continue
        if (gathered.length === plan.seriesMax) return queryAnswer(gathered, plan, true)
        meter.add(ended.points)
        gathered.push({ key, ...ended })
      }
      return queryAnswer(gathered, plan, false)
    },

    async list(plan, permit) {
      const all = find([
        ['quantity', plan.quantities],
        ['jurisdiction', plan.jurisdictions],
      ]).filter(({ device }) => isWantedDevice(plan, device))
      return listedOf(await permitted(all, permit), plan, spanOf)
    },

    close: () => database.close(),
  }

  /** Parts of windows from before values are kept. */
  function addLevel(builder: SeriesBuilder, id: number, level: Level, plan: QueryPlan, horizon: number): void {
    const { fromMs, toMs } = levelRange(plan, level, horizon)
    for (const part of levels.between(level, id, fromMs, toMs)) if (!builder.addPart(part.atMs, part)) return
  }

  /** From the first to the last value that is kept, with the unit and subject of the last; undefined: none is kept. */
  function spanOf(group: readonly KeptSeries[]): ListedSeries | undefined {
    let span: ListedSeries | undefined
    for (const { id, ...key } of group) {
      const begin = first.get(id) as { at: number } | undefined
      const end = last.get(id) as { at: number; counter: number } | undefined
      const before = levels.spanOf(id)
      if (before) span = joined(span, { ...key, ...before })
      if (begin && end) span = joined(span, { ...key, firstMs: begin.at, lastMs: end.at, lastCounter: end.counter })
    }
    return span
  }
}

interface PointRow {
  readonly at: number
  readonly counter: number
  readonly form: number
  readonly value: number | string | null
}
