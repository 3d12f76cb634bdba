// Levels of an InfluxDB, to be moved from or into. Its promise: a row that is there is written over only by one that stands for more
// values, and rows are the ones that the gateway itself would make.

import { MessageStatus } from '../../../proto/generated/types.ts'
import { GatewayError } from '../../../proto/errors.ts'
import type { Clock } from '../../clock.ts'
import { createInfluxdbAdmin } from '../../outputs/influxdb/admin.ts'
import { type Client, createClient } from '../../outputs/influxdb/client.ts'
import { mainDatabase } from '../../outputs/influxdb/endpoint.ts'
import { familyOf, measurementNames } from '../../outputs/influxdb/families.ts'
import { createLines, encodeTag, type Lines } from '../../outputs/influxdb/line-protocol.ts'
import { statusNames } from '../../outputs/influxdb/rows.ts'
import type { InfluxdbSettings, InfluxdbVersion } from '../../outputs/influxdb/settings.ts'
import { type Level, levelMs } from '../levels.ts'
import type { KeyedLevel, LevelPoints } from '../move.ts'
import type { SeriesKey } from '../store.ts'
import type { QueryClient, Rows } from './client.ts'
import { horizonOf, noHorizon, writeHorizon } from './horizon.ts'
import { identifier, literal, where, within } from './influxql.ts'
import {
  explained,
  keptValuesMs,
  levelDatabase,
  type LevelKeepMs,
  levels,
  policyKeepMs,
  prepareLevelPolicies,
} from './level-policies.ts'
import { createLevelReader, levelFields, levelPolicies, type Part, writeLevelRows } from './level-rows.ts'
import { createLevelWriter, hoursOf, rollUpHour } from './roll-up.ts'
import { columnsOf, groupByTags, tags } from './rows.ts'

export function createInfluxdbLevelPoints(
  settings: InfluxdbSettings,
  keepMs: LevelKeepMs,
  client: QueryClient,
  clock: Clock,
): LevelPoints & { close(): Promise<void> } {
  const writing: Readonly<Record<Level, Client>> = { minutes: clientOf('minutes'), hours: clientOf('hours') }
  const lines = createLines()
  let valuesMs = settings.keepMs ?? Infinity
  let prepared: Promise<InfluxdbVersion> | undefined

  function clientOf(level: Level): Client {
    return createClient({ ...settings, retentionPolicy: levelPolicies[level] }, { clock, sent() {} })
  }

  const databasesOf = (version: InfluxdbVersion) =>
    [mainDatabase(settings, version), settings.exerciseDatabase] as const

  async function prepare(): Promise<InfluxdbVersion> {
    const version = await client.version()
    const databases = databasesOf(version)
    if (version === 'v1') {
      const parts = { settings, admin: createInfluxdbAdmin(settings), databases, keepMs }
      valuesMs = await keptValuesMs(parts)
      await prepareLevelPolicies(parts, valuesMs)
    }
    return version
  }

  /** With an hour for clocks that differ: InfluxDB refuses what is older than its policy keeps. */
  const oldestMs = (level: Level): number =>
    Number(clock.now() / 1_000_000n) - policyKeepMs(keepMs, valuesMs)[level] + levelMs.hours

  /** Throws with what to make, where a policy or bucket is missing. */
  async function send(database: string, level: Level, what: Lines): Promise<void> {
    const version = await client.version()
    const into = levelDatabase(database, level, version)
    try {
      const answer = await writing[level].write(into, Buffer.from(what.bytes()), new AbortController().signal)
      if (answer.outcome === 'stored') return
      const why = answer.outcome === 'refused' ? answer.why : 'the batch is too large for it'
      throw new GatewayError(
        'peer_refused',
        `InfluxDB takes not all ${level} that are moved into "${database}": ${why}`,
      )
    } catch (error) {
      throw explained(error, version, { databases: databasesOf(version), keepMs }, valuesMs)
    }
  }

  /** What is there of the same tags and time, by its begin. */
  async function present(database: string, level: Level, measurement: string, given: Rows['tags'], range: string) {
    const own = tags.map((tag) => `${identifier(tag)} = ${literal(given[tag] ?? '')}`)
    const statement = `SELECT ${columnsOf(levelFields)} FROM ${identifier(measurement)}${where(...own, range)}${groupByTags}`
    const found = new Map<number, Map<string, Part>>()
    for await (const rows of client.ask(database, [statement], { policy: levelPolicies[level] })) {
      const reader = createLevelReader(rows, level, new Map())
      for (const row of rows.values) for (const part of reader.parts(row)) addLarger(found, reader.beginMs(row), part)
    }
    return found
  }

  return {
    async horizon() {
      const horizon = await horizonOf(client, settings)
      return horizon === noHorizon ? undefined : horizon
    },

    async makeOwn(beforeMs) {
      const databases = databasesOf(await (prepared ??= prepare()))
      const horizon = await horizonOf(client, settings)
      const writer = (database: string, level: Level) =>
        createLevelWriter(oldestMs(level), (made) => send(database, level, made))
      for (const database of databases)
        for (const measurement of measurementNames)
          for (const hourMs of await hoursOf(client, database, measurement, within(horizon, beforeMs)))
            await rollUpHour({ database, measurement, hourMs, devices: undefined }, client, {
              minutes: writer(database, 'minutes'),
              hours: writer(database, 'hours'),
            })
    },

    async *read(beforeMs) {
      const known = new Map<string, SeriesKey>()
      const before = where(within(Number.MIN_SAFE_INTEGER, beforeMs))
      for (const database of databasesOf(await client.version()))
        for (const level of levels)
          for (const name of measurementNames) {
            const statement = `SELECT ${columnsOf(levelFields)} FROM ${identifier(name)}${before}${groupByTags}`
            for await (const rows of client.ask(database, [statement], { policy: levelPolicies[level] })) {
              const reader = createLevelReader(rows, level, known)
              yield rows.values.flatMap((row) =>
                reader.parts(row).map((each): KeyedLevel => ({ ...each, level, atMs: reader.beginMs(row) })),
              )
            }
          }
    },

    async write(batch) {
      const [first] = batch
      if (!first) return 0
      const version = await (prepared ??= prepare())
      const [main, exercise] = databasesOf(version)
      const { level, key } = first
      const database = key.status === MessageStatus.ACTUAL ? main : exercise
      const [measurement, given] = [familyOf(key.quantity), tagsOf(key)]
      const young = batch.filter(({ atMs }) => atMs >= oldestMs(level))
      const last = young.at(-1)
      if (!last) return 0
      const range = within(young[0]!.atMs, last.atMs + levelMs[level])
      const merged = await present(database, level, measurement, given, range)
      for (const { atMs, ...each } of young) addLarger(merged, atMs, each)
      lines.clear()
      for (const [atMs, parts] of merged) writeLevelRows(lines, measurement, given, atMs, parts.values())
      if (lines.count > 0) await send(database, level, lines)
      return young.length
    },

    async moveHorizon(beforeMs) {
      const [main] = databasesOf(await (prepared ??= prepare()))
      // Nothing of then is kept.
      if (beforeMs < oldestMs('hours')) return
      lines.clear()
      writeHorizon(lines, beforeMs)
      await send(main, 'hours', lines)
    },

    async close() {
      for (const each of Object.values(writing)) await each.close()
    },
  }
}

/** Of two that stand for the same, the one of more values. */
function addLarger(found: Map<number, Map<string, Part>>, atMs: number, { key, part }: Part): void {
  const text = JSON.stringify([key.unit, key.subject])
  const parts = found.get(atMs) ?? new Map<string, Part>()
  found.set(atMs, parts)
  const other = parts.get(text)
  if (!other || other.part.count < part.count) parts.set(text, { key, part })
}

/** As moved values are written: each name in its tag, whatever the budget. */
const tagsOf = (key: SeriesKey): Rows['tags'] => ({
  quantity: encodeTag(key.quantity),
  device: encodeTag(key.device),
  agency: encodeTag(key.owner),
  jurisdiction: encodeTag(key.jurisdiction),
  device_class: encodeTag(key.deviceClass),
  status: statusNames[key.status],
  index: key.index,
})
