// Levels of the SQLite file, to be moved from or into.

import type { DatabaseSync } from 'node:sqlite'
import type { Level } from '../levels.ts'
import type { KeyedLevel, LevelPoints } from '../move.ts'
import type { SeriesKey } from '../store.ts'
import { createLevels } from './levels.ts'
import type { SqliteWriter } from './writer.ts'

/** Read at once, of each series: some two thousand. */
const stepMs: Readonly<Record<Level, number>> = { minutes: 86_400_000, hours: 60 * 86_400_000 }
const levelNames: readonly Level[] = ['minutes', 'hours']

interface KeptSeries extends SeriesKey {
  readonly id: number
}

export function createSqliteLevelPoints(database: DatabaseSync, writer: SqliteWriter): LevelPoints {
  const levels = createLevels(database)
  const series = database.prepare(
    `SELECT id, quantity, device, idx AS "index", status, jurisdiction, owner, device_class AS deviceClass, unit, subject FROM series
     ORDER BY quantity, device, idx, status, jurisdiction, owner, device_class, id`,
  )

  const begins = {
    minutes: database.prepare('SELECT min(at) AS at FROM minutes WHERE series = ?'),
    hours: database.prepare('SELECT min(at) AS at FROM hours WHERE series = ?'),
  }
  /** Infinity: it has none. */
  const firstOf = (level: Level, id: number): number => (begins[level].get(id) as { at: number | null }).at ?? Infinity

  /** Series that differ in nothing but unit and subject. */
  function* groups(): Iterable<KeptSeries[]> {
    let group: KeptSeries[] = []
    // Not one after the other as they are read: the file may be written to meanwhile.
    for (const each of series.all() as unknown as KeptSeries[]) {
      if (group[0] && tagsOf(group[0]) !== tagsOf(each)) {
        yield group
        group = []
      }
      group.push(each)
    }
    if (group.length > 0) yield group
  }

  return {
    horizon: async () => {
      const before = levels.horizon()
      return before === Number.MIN_SAFE_INTEGER ? undefined : before
    },
    makeOwn: () => writer.rollUp(),
    async *read(beforeMs) {
      for (const group of groups()) {
        for (const level of levelNames) {
          const begin = Math.min(...group.map(({ id }) => firstOf(level, id)))
          for (let from = begin; from < beforeMs; from += stepMs[level]) {
            const found: KeyedLevel[] = []
            for (const { id, ...key } of group)
              for (const { atMs, ...part } of levels.between(level, id, from, Math.min(from + stepMs[level], beforeMs)))
                found.push({ key, level, atMs, part })
            if (found.length > 0) yield found.toSorted((a, b) => a.atMs - b.atMs)
          }
        }
      }
    },
    async write(rows) {
      writer.putLevels(rows)
      return rows.length
    },
    moveHorizon: async (beforeMs) => levels.moveHorizon(beforeMs),
  }
}

const tagsOf = ({ quantity, device, index, status, jurisdiction, owner, deviceClass }: SeriesKey): string =>
  JSON.stringify([quantity, device, index, status, jurisdiction, owner, deviceClass])
