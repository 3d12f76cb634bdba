// What the rows of one answer of InfluxDB become: series with their points, within the limits of the question. Rows of a series come in
// the order of time, its levels before its values.

import { createSeriesBuilder, type SeriesBuilder } from '../aggregate.ts'
import { createMeter, type Gathered, queryAnswer, tooLarge, valuesReadMax } from '../answers.ts'
import type { Level } from '../levels.ts'
import { compareText } from '../store.ts'
import type { Permit, QueryPlan, SeriesKey } from '../store.ts'
import type { Rows } from './client.ts'
import { createLevelReader } from './level-rows.ts'
import { createRowReader, type Group } from './rows.ts'

export function createFinding(plan: QueryPlan, permit: Permit) {
  const known = new Map<string, SeriesKey>()
  /** Null: not for this reader, or not asked for. */
  const builders = new Map<SeriesKey, SeriesBuilder | null>()
  const full = new Set<SeriesKey>()
  const meter = createMeter()
  const weighed = new Set<SeriesKey>()
  let read = 0

  function gathered(): Gathered[] {
    const found: Gathered[] = []
    for (const [key, builder] of builders) if (builder) found.push({ key, ...builder.finish() })
    return found
  }

  /** Nothing is made of a series before its reader was found to be permitted. */
  async function admit(keys: Iterable<SeriesKey>): Promise<void> {
    const unknown = [...new Set(keys)].filter((key) => !builders.has(key))
    const may = unknown.length > 0 ? await permit(unknown) : []
    for (const [at, key] of unknown.entries())
      builders.set(key, may[at] && isWanted(key, plan) ? createSeriesBuilder(plan) : null)
  }

  return {
    async add(rows: Rows): Promise<void> {
      const reader = createRowReader(rows, known)
      await admit(rows.values.map((row) => reader.key(row)))
      for (const row of rows.values) {
        const key = reader.key(row)
        const builder = builders.get(key)
        if (!builder || full.has(key)) continue
        const point = reader.point(row)
        if (!point) continue
        if (++read > valuesReadMax) throw tooLarge()
        if (!builder.add(point)) full.add(key)
      }
    },
    /** Parts of windows; before the values of the same series. */
    async addLevels(rows: Rows, level: Level): Promise<void> {
      const reader = createLevelReader(rows, level, known)
      const parts = rows.values.flatMap((row) => {
        const atMs = reader.beginMs(row)
        return reader.parts(row).map(({ key, part }) => ({ key, part, atMs }))
      })
      await admit(parts.map(({ key }) => key))
      for (const { key, part, atMs } of parts) {
        const builder = builders.get(key)
        if (builder && !full.has(key) && !builder.addPart(atMs, part)) full.add(key)
      }
    },
    seriesUpTo(device: string): number {
      let count = 0
      for (const [key, builder] of builders)
        if (builder && builder.finish().points.length > 0 && compareText(key.device, device) <= 0) count++
      return count
    },
    /** Throws too_large as soon as it is. */
    weigh(): void {
      for (const { key, points } of gathered()) {
        if (!weighed.has(key)) meter.add(points)
        weighed.add(key)
      }
    },
    answer(more: boolean) {
      const answer = queryAnswer(gathered(), plan, more)
      const whole = createMeter()
      for (const { points = [] } of answer.series ?? []) whole.add(points)
      return answer
    },
  }
}

export const isAnyOf = (wanted: readonly string[], value: string): boolean =>
  wanted.length === 0 || wanted.includes(value)

/** What the conditions of InfluxQL leave open: names over their budgets, the index, and the subject, which is a field. */
export function isWanted(of: Group | SeriesKey, plan: QueryPlan): boolean {
  return (
    (of.quantity === undefined || of.quantity === plan.quantity) &&
    (of.device === undefined || isAnyOf(plan.devices, of.device)) &&
    (plan.index === undefined || of.index === plan.index) &&
    plan.statuses.includes(of.status) &&
    (!('subject' in of) || isAnyOf(plan.subjects, of.subject))
  )
}
