// Makes the levels of one hour of one measurement out of its values as InfluxDB has them, series by series in the order of time. Its
// promise: what it writes depends on nothing but those values, so that making it again writes the same rows over themselves; and memory
// holds one minute and one hour of one group of tags, whatever comes.

import { createLines, encodeTag, type Lines } from '../../outputs/influxdb/line-protocol.ts'
import { createSummary, type Summary } from '../aggregate.ts'
import { beginOf, hourMs as hourLengthMs, type Level } from '../levels.ts'
import type { SeriesKey } from '../store.ts'
import type { QueryClient, Rows } from './client.ts'
import { identifier, literal, where, within } from './influxql.ts'
import { writeLevelRows } from './level-rows.ts'
import { columnsOf, createRowReader, groupByTags, keyFields, tags, valueFields } from './rows.ts'

export interface HourToRollUp {
  readonly database: string
  readonly measurement: string
  readonly hourMs: number
  /** Only these; undefined: all there are. */
  readonly devices: readonly string[] | undefined
}

/** Writes lines of a level when there are many, and when it is told to. */
export interface LevelWriter {
  readonly lines: Lines
  /** Older minutes or hours are not kept, so not written. */
  readonly oldestMs: number
  flush(): Promise<void>
  flushIfLarge(): Promise<void>
}

/** Lines in one request, and their bytes. */
const linesMax = 5_000
const lineBytesMax = 4 << 20

export function createLevelWriter(oldestMs: number, write: (lines: Lines) => Promise<void>): LevelWriter {
  const lines = createLines()
  const flush = async (): Promise<void> => {
    if (lines.count > 0) await write(lines)
    lines.clear()
  }
  return {
    lines,
    oldestMs,
    flush,
    flushIfLarge: async () => {
      if (lines.count >= linesMax || lines.length >= lineBytesMax) await flush()
    },
  }
}

type Summaries = Map<SeriesKey, ReturnType<typeof createSummary>>

/** Resolves when all is in InfluxDB; gives how many values there were. */
export async function rollUpHour(
  { database, measurement, hourMs, devices }: HourToRollUp,
  client: QueryClient,
  writers: Readonly<Record<Level, LevelWriter>>,
): Promise<number> {
  const select = `SELECT ${columnsOf([...valueFields, ...keyFields])} FROM ${identifier(measurement)}`
  const conditions = where(within(hourMs, hourMs + hourLengthMs), devices && devicesIn(devices))
  let values = 0
  let group: ReturnType<typeof createGroup> | undefined
  for await (const rows of client.ask(database, [`${select}${conditions}${groupByTags}`])) {
    // A long group comes in several pieces, one behind the other.
    if (!group?.has(rows)) {
      await group?.end()
      group = createGroup(measurement, hourMs, rows.tags, writers)
    }
    values += await group.add(rows)
  }
  await group?.end()
  await writers.minutes.flush()
  await writers.hours.flush()
  return values
}

/** Hours of a measurement that have a value, oldest first; `range` is a condition of time. */
export async function hoursOf(
  client: QueryClient,
  database: string,
  measurement: string,
  range: string,
): Promise<number[]> {
  const statements = valueFields.map(
    (field) =>
      `SELECT count(${identifier(field)}) FROM ${identifier(measurement)}${where(range)} GROUP BY time(1h) fill(none)`,
  )
  const hours = new Set<number>()
  for await (const { values } of client.ask(database, statements))
    for (const [time] of values) hours.add(Math.floor(Number(time) / 1_000))
  return [...hours].toSorted((a, b) => a - b)
}

function createGroup(
  measurement: string,
  hourMs: number,
  given: Rows['tags'],
  writers: Readonly<Record<Level, LevelWriter>>,
) {
  const own = ownOf(given)
  const known = new Map<string, SeriesKey>()
  const hour: Summaries = new Map()
  let minute: Summaries = new Map()
  let minuteMs = hourMs

  async function put(level: Level, beginMs: number, summaries: ReadonlyMap<SeriesKey, Summary>): Promise<void> {
    const writer = writers[level]
    if (beginMs < writer.oldestMs) return
    const parts = Array.from(summaries, ([key, part]) => ({ key, part }))
    writeLevelRows(writer.lines, measurement, given, beginMs, parts)
    await writer.flushIfLarge()
  }

  async function endMinute(): Promise<void> {
    const ended = endedOf(minute)
    minute = new Map()
    for (const [key, part] of ended) if (part.count > 0) summaryIn(hour, key).addSummary(part)
    await put('minutes', minuteMs, ended)
  }

  return {
    has: (rows: Rows): boolean => ownOf(rows.tags) === own,
    async add(rows: Rows): Promise<number> {
      const reader = createRowReader(rows, known)
      let values = 0
      for (const row of rows.values) {
        const point = reader.point(row)
        if (!point) continue
        values++
        const begin = beginOf('minutes', point.atMs)
        if (begin !== minuteMs) {
          if (minute.size > 0) await endMinute()
          minuteMs = begin
        }
        summaryIn(minute, reader.key(row)).add(point)
      }
      return values
    },
    async end(): Promise<void> {
      await endMinute()
      await put('hours', hourMs, endedOf(hour))
    },
  }
}

function summaryIn(summaries: Summaries, key: SeriesKey): ReturnType<typeof createSummary> {
  let summary = summaries.get(key)
  if (!summary) summaries.set(key, (summary = createSummary()))
  return summary
}

const endedOf = (summaries: Summaries): Map<SeriesKey, Summary> =>
  new Map(Array.from(summaries, ([key, summary]) => [key, summary.end()]))

const ownOf = (given: Rows['tags']): string => JSON.stringify(tags.map((tag) => given[tag] ?? ''))

const devicesIn = (devices: readonly string[]): string =>
  `(${devices.map((device) => `"device" = ${literal(encodeTag(device))}`).join(' OR ')})`
