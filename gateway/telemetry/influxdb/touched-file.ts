// Which hours of which measurements were written to since their levels were made: telemetry-touched.idx in the data folder. Its promise:
// an hour stands here, on disk, before the bookmark passes what was written to it, and until its levels are in InfluxDB. A file that
// is gone, damaged, or of another database is begun anew, and whoever finds it so makes the levels of all that the database has.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Target } from '../../outputs/influxdb/rows.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import { transact } from '../../transact.ts'

/** Made again by itself, so no backup has it (`.idx`): a restored folder must not know of less than the database has. */
export const touchedFile = (dataDir: string): string => join(dataDir, 'telemetry-touched.idx')

export interface TouchedHour {
  readonly target: Target
  readonly measurement: string
  readonly hourMs: number
}

export interface Touch extends TouchedHour {
  /** The tag; empty: all of the measurement. */
  readonly device: string
}

/** What was taken of an hour; written to meanwhile, it is not done with. */
export interface Taken extends TouchedHour {
  readonly devices: readonly { readonly device: string; readonly generation: number }[]
}

export interface DueBefore {
  readonly nowMs: number
  /** Hours that were touched before this are due, and all before `urgentMs`. */
  readonly touchedMs: number
  readonly urgentMs: number
}

export interface TouchedFile {
  /** Whether everything that the databases had when the file was made stands here, or is done. */
  hasBegun(): boolean
  begin(touches: Iterable<Touch>): void
  touch(touches: Iterable<Touch>, nowMs: number): void
  /** For where no levels are made: should they be, they are made of everything. Whether there was anything worth it. */
  forget(): boolean
  /** The oldest first. */
  due(before: DueBefore): readonly Taken[]
  done(taken: Taken): void
  close(): void
}

/** Fewer than these are no burden. */
const forgottenMin = 10_000
/** Hours taken at once. */
const hoursAtOnce = 64
/** A clock that was so far ahead when it was noted was wrong. */
const aheadMsMax = 3_600_000

const schema = `
  CREATE TABLE IF NOT EXISTS touched (hour INTEGER NOT NULL, target TEXT NOT NULL, measurement TEXT NOT NULL, device TEXT NOT NULL,
    touched_at INTEGER NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (hour, target, measurement, device)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS begun (only INTEGER PRIMARY KEY CHECK (only = 1), place TEXT NOT NULL);`

/** Which databases a file is of. */
const placeOf = ({ url, database, bucket, exerciseDatabase, retentionPolicy }: InfluxdbSettings): string =>
  JSON.stringify([url, database, bucket, exerciseDatabase, retentionPolicy])

export function openTouchedFile(path: string, settings: InfluxdbSettings): TouchedFile {
  const database = openOrAnew(path)
  const place = placeOf(settings)
  const insert = database.prepare(
    `INSERT INTO touched VALUES (?, ?, ?, ?, ?, 1)
     ON CONFLICT DO UPDATE SET generation = generation + 1, touched_at = excluded.touched_at`,
  )
  const begun = database.prepare('SELECT place FROM begun')
  const setBegun = database.prepare('INSERT OR REPLACE INTO begun VALUES (1, ?)')
  const size = database.prepare('SELECT count(*) AS rows FROM touched')
  const due = database.prepare(
    `SELECT hour AS hourMs, target, measurement, min(touched_at) AS since FROM touched GROUP BY hour, target, measurement
     HAVING since <= ? OR since > ? OR (hour < ? AND since <= ?) ORDER BY hour LIMIT ${hoursAtOnce}`,
  )
  const devicesOf = database.prepare(
    'SELECT device, generation FROM touched WHERE hour = ? AND target = ? AND measurement = ?',
  )
  const remove = database.prepare(
    'DELETE FROM touched WHERE hour = ? AND target = ? AND measurement = ? AND device = ? AND generation = ?',
  )

  const put = (touches: Iterable<Touch>, nowMs: number): void => {
    for (const { hourMs, target, measurement, device } of touches)
      insert.run(hourMs, target, measurement, device, nowMs)
  }

  const begunPlace = (): string | undefined => (begun.get() as { place: string } | undefined)?.place
  if (begunPlace() !== undefined && begunPlace() !== place)
    transact(database, () => database.exec('DELETE FROM touched; DELETE FROM begun'))

  return {
    hasBegun: () => begunPlace() === place,
    begin: (touches) =>
      transact(database, () => {
        put(touches, 0)
        setBegun.run(place)
      }),
    forget() {
      const { rows } = size.get() as { rows: number }
      if (begunPlace() === undefined && rows < forgottenMin) return false
      transact(database, () => database.exec('DELETE FROM touched; DELETE FROM begun'))
      return true
    },
    touch: (touches, nowMs) => transact(database, () => put(touches, nowMs)),
    due({ nowMs, touchedMs, urgentMs }) {
      const hours = due.all(touchedMs, nowMs + aheadMsMax, urgentMs, nowMs) as unknown as TouchedHour[]
      return hours.map(({ hourMs, target, measurement }) => ({
        hourMs,
        target,
        measurement,
        devices: devicesOf.all(hourMs, target, measurement) as unknown as Taken['devices'],
      }))
    },
    done: ({ hourMs, target, measurement, devices }) =>
      transact(database, () => {
        for (const { device, generation } of devices) remove.run(hourMs, target, measurement, device, generation)
      }),
    close: () => database.close(),
  }
}

function openOrAnew(path: string): DatabaseSync {
  try {
    return open(path)
  } catch (error) {
    if (!(error instanceof Error) || !/malformed|not a database/.test(error.message)) throw error
    removeTouchedFile(path)
    return open(path)
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  // Few and small transactions, each of which a bookmark relies on.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`)
  return database
}

export function removeTouchedFile(path: string): void {
  for (const part of ['', '-wal', '-shm']) rmSync(path + part, { force: true })
}
