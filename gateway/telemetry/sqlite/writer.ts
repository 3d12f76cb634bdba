// Writes events as points. A point that is written again is written over itself.

import type { DatabaseSync } from 'node:sqlite'
import { codec } from '../../../proto/wire.ts'
import { newRowCounts } from '../../outputs/influxdb/rows.ts'
import type { Included } from '../../policy/configured-view.ts'
import { transact } from '../../transact.ts'
import { pointsOf } from '../points.ts'
import { beginOf, type Level } from '../levels.ts'
import type { KeyedLevel } from '../move.ts'
import type { Point, SeriesKey } from '../store.ts'
import { createLevels } from './levels.ts'
import { storedValue } from './values.ts'

/** How far in the log the file is, and of which log. */
export interface Place {
  readonly epoch: string
  readonly urgent: number
  readonly routine: number
}

/** Ids of series that are remembered; beyond, they are looked up again. */
const knownMax = 100_000
/** A large DELETE would stop writing for seconds. */
const expirePieceRows = 2_000

const eventCodec = codec('tocsin.v1.Event')

const expireLevel = (level: Level): string =>
  `DELETE FROM ${level} WHERE (series, at) IN (SELECT series, at FROM ${level} WHERE series = ? AND at < ? LIMIT ${expirePieceRows})`

/** The oldest that is kept of each, in milliseconds since 1970. */
export interface Expiry {
  readonly valuesMs: number
  readonly minutesMs: number
  readonly hoursMs: number
}

export type SqliteWriter = ReturnType<typeof createSqliteWriter>

export function createSqliteWriter(database: DatabaseSync, include: ReadonlySet<Included>) {
  const insertPoint = database.prepare('INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?)')
  const insertSeries = database.prepare(
    `INSERT INTO series (quantity, device, idx, status, jurisdiction, owner, device_class, unit, subject)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET quantity = excluded.quantity RETURNING id`,
  )
  const setPlace = database.prepare('INSERT OR REPLACE INTO place VALUES (1, ?, ?, ?)')
  const expirePiece = {
    points: database.prepare(
      `DELETE FROM points WHERE (series, at, counter) IN
         (SELECT series, at, counter FROM points WHERE series = ? AND at < ? LIMIT ${expirePieceRows})`,
    ),
    minutes: database.prepare(expireLevel('minutes')),
    hours: database.prepare(expireLevel('hours')),
  }
  const levels = createLevels(database)
  const known = new Map<string, number>()
  /** The minute of each series that was noted last in this transaction. */
  const noted = new Map<number, number>()
  const counts = newRowCounts()

  function idOf(key: SeriesKey): number {
    const { quantity, device, index, status, jurisdiction, owner, deviceClass, unit, subject } = key
    const text = [quantity, device, index, status, jurisdiction, owner, deviceClass, unit, subject].join('\0')
    const found = known.get(text)
    if (found !== undefined) return found
    const row = insertSeries.get(quantity, device, index, status, jurisdiction, owner, deviceClass, unit, subject)
    const { id } = row as { id: number }
    if (known.size >= knownMax) known.clear()
    known.set(text, id)
    return id
  }

  function put(key: SeriesKey, { atMs, counter, value, quality }: Point): void {
    const { form, stored } = storedValue(value, quality)
    const id = idOf(key)
    insertPoint.run(id, atMs, counter, form, stored)
    const minute = beginOf('minutes', atMs)
    if (noted.get(id) === minute) return
    levels.touch(id, minute)
    noted.set(id, minute)
  }

  function atomically(work: () => void): void {
    noted.clear()
    try {
      transact(database, work)
    } catch (error) {
      // Ids that were given in it are not there.
      known.clear()
      throw error
    }
  }

  return {
    /** `ends` is where each encoded event ends in `bytes`. */
    write(bytes: Uint8Array, ends: Uint32Array, { epoch, urgent, routine }: Place): void {
      atomically(() => {
        let from = 0
        for (const end of ends) {
          pointsOf(eventCodec.decode(bytes.subarray(from, end)), include, counts, put)
          from = end
        }
        setPlace.run(epoch, urgent, routine)
      })
    },
    /** Points that come from elsewhere than the log; all of them or none. */
    put(points: Iterable<{ readonly key: SeriesKey; readonly point: Point }>): void {
      atomically(() => {
        for (const { key, point } of points) put(key, point)
      })
    },
    /** The same for levels. */
    putLevels(rows: Iterable<KeyedLevel>): void {
      atomically(() => {
        for (const { key, level, atMs, part } of rows) levels.take(level, idOf(key), atMs, part)
      })
    },
    rollUp: () => levels.rollUp(atomically),
    place(): Place | undefined {
      return database.prepare('SELECT epoch, urgent, routine FROM place').get() as unknown as Place | undefined
    },
    /** In small pieces, with others let in between. Values go when their levels are there. */
    async expire({ valuesMs, minutesMs, hoursMs }: Expiry): Promise<void> {
      await levels.rollUp(atomically)
      const before = beginOf('hours', valuesMs)
      levels.moveHorizon(before)
      const ids = database.prepare('SELECT id FROM series').all() as unknown as { id: number }[]
      for (const { id } of ids) {
        for (const [remove, beforeMs] of [
          [expirePiece.points, before],
          [expirePiece.minutes, Math.min(minutesMs, before)],
          [expirePiece.hours, Math.min(hoursMs, before)],
        ] as const) {
          for (;;) {
            const { changes } = remove.run(id, beforeMs)
            await new Promise((resolve) => setImmediate(resolve))
            if (Number(changes) < expirePieceRows) break
          }
        }
      }
    },
  }
}
