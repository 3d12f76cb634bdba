// Reads series out of the SQLite file. Nothing is read of a series before its reader was found to be permitted.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { createSeriesBuilder } from '../aggregate.ts'
import { createMeter, type Gathered, permitted, queryAnswer, tooLarge, valuesReadMax } from '../answers.ts'
import { compareListed, compareSeries, compareText, placeOf } from '../store.ts'
import type { ListedSeries, ListPlace, SeriesKey, SeriesReader } from '../store.ts'
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
  const first = database.prepare('SELECT at FROM points WHERE series = ? ORDER BY at LIMIT 1')
  const last = database.prepare('SELECT at FROM points WHERE series = ? ORDER BY at DESC LIMIT 1')

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
      for (const key of series) {
        const builder = createSeriesBuilder(plan)
        for (const row of points.iterate(key.id, plan.fromMs, plan.toMs)) {
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
      ]).filter(({ device }) => plan.devices.length === 0 || plan.devices.some((wanted) => matches(wanted, device)))
      const listed: ListedSeries[] = []
      for (const group of groups(await permitted(all, permit))) {
        if (plan.after && comparePlaces(placeOf(group[0]!), plan.after) <= 0) continue
        const found = spanOf(group)
        if (!found || (plan.activeSinceMs !== undefined && found.lastMs < plan.activeSinceMs)) continue
        listed.push(found)
        if (listed.length > plan.size) break
      }
      return listed
    },

    close: () => database.close(),
  }

  /** From the first to the last value that is kept, with the unit and subject of the last; undefined: none is kept. */
  function spanOf(group: readonly KeptSeries[]): ListedSeries | undefined {
    let span: ListedSeries | undefined
    for (const { id, ...key } of group) {
      const begin = first.get(id) as { at: number } | undefined
      const end = last.get(id) as { at: number } | undefined
      if (!begin || !end) continue
      const newer = !span || end.at >= span.lastMs ? key : span
      span = {
        ...newer,
        firstMs: Math.min(begin.at, span?.firstMs ?? begin.at),
        lastMs: Math.max(end.at, span?.lastMs ?? end.at),
      }
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

/** Series that differ in nothing but unit and subject are listed as one; groups stand in order. */
function groups(series: readonly KeptSeries[]): KeptSeries[][] {
  const found = new Map<string, KeptSeries[]>()
  for (const each of series.toSorted(compareListed)) {
    const place = JSON.stringify(placeOf(each))
    const group = found.get(place)
    if (group) group.push(each)
    else found.set(place, [each])
  }
  return [...found.values()].toSorted((a, b) => comparePlaces(placeOf(a[0]!), placeOf(b[0]!)))
}

function comparePlaces([quantity, device, index, rest]: ListPlace, other: ListPlace): number {
  const number = (text: string): number => (text === '' ? -1 : Number(text))
  return (
    compareText(quantity, other[0]) ||
    compareText(device, other[1]) ||
    number(index) - number(other[2]) ||
    compareText(rest, other[3])
  )
}

const matches = (wanted: string, device: string): boolean =>
  wanted.endsWith('*') ? device.startsWith(wanted.slice(0, -1)) : device === wanted
