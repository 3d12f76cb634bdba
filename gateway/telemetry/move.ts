// Moves all series from one store into the other, while the gateway runs or not: their values, and the levels of before. Its promise: a
// point keeps its series, time and counter, so that moving again, or from where it was interrupted, adds nothing twice; the other store
// gives the same answers; and it is not called done before the points are counted.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../proto/errors.ts'
import type { Summary } from './aggregate.ts'
import type { InfluxdbPoints } from './influxdb/points.ts'
import type { Level } from './levels.ts'
import { openFile, telemetryFile } from './sqlite/file.ts'
import { createSqlitePoints } from './sqlite/points.ts'
import type { Point, SeriesKey } from './store.ts'

export type StoreName = 'sqlite' | 'influxdb'

export interface KeyedPoint {
  readonly key: SeriesKey
  readonly point: Point
}

/** What can be moved out of and into. */
export interface Points {
  /** Pieces in a fixed order, each small enough to be moved again. */
  pieces(): Promise<readonly Piece[]>
  /** Batches of a piece. */
  read(piece: Piece): AsyncIterable<readonly KeyedPoint[]>
  /** For good when it resolves. */
  write(points: readonly KeyedPoint[]): Promise<void>
  readonly levels: LevelPoints
  close(): Promise<void>
}

export interface KeyedLevel {
  readonly key: SeriesKey
  readonly level: Level
  readonly atMs: number
  readonly part: Summary
}

/** What stands for minutes and hours whose values are gone. */
export interface LevelPoints {
  /** Before it levels answer. Undefined: values answer everything. */
  horizon(): Promise<number | undefined>
  /** Makes them of the values before `beforeMs` that are here. */
  makeOwn(beforeMs: number): Promise<void>
  /** Those before `beforeMs`, in batches of one level; series that differ in nothing but unit and subject stand in one, by time. */
  read(beforeMs: number): AsyncIterable<readonly KeyedLevel[]>
  /** Of two that stand for the same, the one of more values stays. What is too old to be kept is left out; gives how many are kept. */
  write(levels: readonly KeyedLevel[]): Promise<number>
  /** All levels before it are there. It never goes back. */
  moveHorizon(beforeMs: number): Promise<void>
}

/** A name that means the same when it is asked for again. */
export type Piece = string

export interface MoveParts {
  readonly dataDir: string
  readonly to: StoreName
  readonly influxdb: InfluxdbPoints
  readonly signal: AbortSignal
  readonly progress: (what: 'move' | 'count', done: number, total: number) => void
}

export interface MovedLevels {
  /** Minutes and hours. */
  readonly rows: number
  /** They stand for all of the time before. */
  readonly beforeMs: number
}

export interface Moved {
  readonly series: number
  readonly points: number
  /** Pieces that an earlier, interrupted move had done. */
  readonly resumed: number
  /** Absent: there are none. */
  readonly levels?: MovedLevels
}

const journalFile = 'telemetry-move.json'

export async function moveTelemetry({ dataDir, to, influxdb, signal, progress }: MoveParts): Promise<Moved> {
  const path = join(dataDir, telemetryFile)
  if (to === 'influxdb' && !existsSync(path)) throw new GatewayError('not_found', `there is no ${path} to move from`)
  const database: DatabaseSync = openFile(path)
  const sqlite = createSqlitePoints(database)
  const [from, into] = to === 'influxdb' ? [sqlite, influxdb] : [influxdb, sqlite]
  const journal = openJournal(join(dataDir, journalFile), to)
  try {
    const pieces = await from.pieces()
    const resumed = pieces.filter((piece) => journal.done.has(piece)).length
    const expected = createCounts()
    for (const [at, piece] of pieces.entries()) {
      progress('move', at, pieces.length)
      for await (const points of from.read(piece)) {
        signal.throwIfAborted()
        if (!journal.done.has(piece)) await into.write(points)
        expected.add(points)
      }
      journal.add(piece)
    }
    const targets = await into.pieces()
    const found = createCounts()
    for (const [at, piece] of targets.entries()) {
      progress('count', at, targets.length)
      for await (const points of into.read(piece)) {
        signal.throwIfAborted()
        found.add(points)
      }
    }
    const series = expected.entries()
    const lacking = series.filter(([text, count]) => found.get(text) < count)
    if (lacking.length > 0) {
      journal.remove()
      throw new GatewayError(
        'store_failed',
        `${lacking.length} of ${series.length} series are not whole in ${to}: are they older than it keeps? Nothing was taken away; move again`,
      )
    }
    const levels = await moveLevels(from.levels, into.levels, signal)
    journal.remove()
    const moved = series.reduce((sum, [, count]) => sum + count, 0)
    return { series: series.length, points: moved, resumed, ...(levels && { levels }) }
  } finally {
    await sqlite.close()
    await influxdb.close()
  }
}

/** The same answers in both: levels before the horizon of the one, whatever values of then the other may have. */
async function moveLevels(from: LevelPoints, into: LevelPoints, signal: AbortSignal): Promise<MovedLevels | undefined> {
  const beforeMs = await from.horizon()
  if (beforeMs === undefined) return undefined
  await into.makeOwn(beforeMs)
  let rows = 0
  for await (const levels of from.read(beforeMs)) {
    signal.throwIfAborted()
    rows += await into.write(levels)
  }
  let found = 0
  for await (const levels of into.read(beforeMs)) {
    signal.throwIfAborted()
    found += levels.length
  }
  if (found < rows)
    throw new GatewayError(
      'store_failed',
      `only ${found} of ${rows} minutes and hours are there. Nothing was taken away; move again`,
    )
  await into.moveHorizon(beforeMs)
  return { rows, beforeMs }
}

/** Points of each series. Keys of one piece are the same objects, so that a series is put into words once. */
function createCounts() {
  const counts = new Map<string, number>()
  const texts = new WeakMap<SeriesKey, string>()
  return {
    add(points: readonly KeyedPoint[]): void {
      for (const { key } of points) {
        let text = texts.get(key)
        if (text === undefined) texts.set(key, (text = textOf(key)))
        counts.set(text, (counts.get(text) ?? 0) + 1)
      }
    },
    get: (text: string): number => counts.get(text) ?? 0,
    entries: (): readonly (readonly [text: string, count: number])[] => [...counts],
  }
}

const textOf = ({
  quantity,
  device,
  index,
  status,
  jurisdiction,
  owner,
  deviceClass,
  unit,
  subject,
}: SeriesKey): string =>
  JSON.stringify([quantity, device, index, status, jurisdiction, owner, deviceClass, unit, subject])

/** Which pieces are done, on disk after each; another direction begins anew. */
function openJournal(path: string, to: StoreName) {
  const kept = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { to: StoreName; done: Piece[] })
    : undefined
  const done = new Set(kept?.to === to ? kept.done : [])
  return {
    done: done as ReadonlySet<Piece>,
    add(piece: Piece): void {
      if (done.has(piece)) return
      done.add(piece)
      writeFileSync(`${path}.new`, JSON.stringify({ to, done: [...done] }))
      renameSync(`${path}.new`, path)
    },
    remove: () => rmSync(path, { force: true }),
  }
}
