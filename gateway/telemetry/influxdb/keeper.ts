// Keeps the levels of an InfluxDB: takes the hours that were written to, makes their levels, and moves the horizon when all before it are
// made. Its promise: values may expire only behind the horizon, so a policy is shortened when the levels of what it drops are there;
// what was interrupted is done again, to the same rows.

import { GatewayError } from '../../../proto/errors.ts'
import type { Clock } from '../../clock.ts'
import { createInfluxdbAdmin } from '../../outputs/influxdb/admin.ts'
import { createClient } from '../../outputs/influxdb/client.ts'
import { mainDatabase } from '../../outputs/influxdb/endpoint.ts'
import { measurementNames } from '../../outputs/influxdb/families.ts'
import { createLines } from '../../outputs/influxdb/line-protocol.ts'
import { makeDatabases } from '../../outputs/influxdb/prepare.ts'
import type { Target } from '../../outputs/influxdb/rows.ts'
import { settle } from '../../outputs/influxdb/settle.ts'
import type { InfluxdbSettings, InfluxdbVersion } from '../../outputs/influxdb/settings.ts'
import { horizonAt, hourMs as hourLengthMs, type Level } from '../levels.ts'
import { createQueryClient, type QueryClient } from './client.ts'
import { noHorizon, readHorizon, writeHorizon } from './horizon.ts'
import { identifier, where, within } from './influxql.ts'
import { explained, keptValuesMs, levelDatabase, type LevelKeepMs } from './level-policies.ts'
import { policyKeepMs, prepareLevelPolicies } from './level-policies.ts'
import { levelPolicies } from './level-rows.ts'
import { createLevelWriter, hoursOf, type LevelWriter, rollUpHour } from './roll-up.ts'
import type { Taken, Touch, TouchedFile, TouchedHour } from './touched-file.ts'

export interface KeeperParts {
  readonly settings: InfluxdbSettings
  readonly keepMs: LevelKeepMs
  readonly touched: TouchedFile
  readonly clock: Clock
  /** How long an hour is written to before its levels are made; absent: until ten minutes after it, or for half as long as values are kept. */
  readonly gatherMs?: number
  /** Told before the values of these hours are read: what is written to them from now on is to be noted again. */
  readonly taking: (hours: readonly TouchedHour[]) => Promise<void>
  /** So many hours were found that may have no levels; it may take long until they do. */
  readonly begun: (hours: number) => Promise<void>
  /** Nothing is known any more, and all is to be noted again. */
  readonly forgotten: () => Promise<void>
}

export interface Expired {
  /** Hours of measurements whose levels were made. */
  readonly hours: number
  /** Hours that expired before their levels were made. */
  readonly gone?: { readonly hours: number; readonly fromMs: number; readonly toMs: number }
  /** Rows that InfluxDB refuses. */
  readonly refused?: { readonly rows: number; readonly why: string }
}

export interface Keeper {
  /** `mayMove`: the clock can be trusted, so the horizon may move. */
  expire(nowMs: number, mayMove: boolean): Promise<Expired>
  close(): Promise<void>
}

/** Ten minutes after an hour most of its values are there. */
const usualGatherMs = hourLengthMs + 600_000
/** More late devices than these are read as all devices are. */
const devicesMax = 100
/** An hour that expires this soon is not waited for. */
const urgentMs = hourLengthMs
/** InfluxDB's own last word on a row at the edge of its policy, which nobody misses. */
const tooOld = 'older than the retention policy keeps'

/**
 * How much sooner than values may be gone the horizon moves: it moves once a minute, and InfluxDB goes by its own clock. 1.x removes whole
 * hours; version 3 leaves out of an answer what is too old to the second.
 */
const earlyMs: Readonly<Record<InfluxdbVersion, number>> = {
  v1: 300_000,
  v2: 300_000 + hourLengthMs,
  v3: 300_000 + hourLengthMs,
}

const targets: readonly Target[] = ['main', 'exercise']

export function createKeeper(parts: KeeperParts): Keeper {
  const { settings, touched, clock, taking } = parts
  const client = createQueryClient(settings, clock)
  const admin = createInfluxdbAdmin(settings)
  const writing = { minutes: clientOf('minutes'), hours: clientOf('hours') }
  const { signal } = new AbortController()
  let version: InfluxdbVersion | undefined
  /** How long values are kept, where levels are made; and how long levels then are. */
  let valuesMs: number | undefined
  let keepMs = parts.keepMs
  let isShortened = false
  let refused = { rows: 0, why: '' }

  /** Each policy has a client of its own: for 1.x it stands in the address. */
  function clientOf(level: Level) {
    return createClient({ ...settings, retentionPolicy: levelPolicies[level] }, { clock, sent() {} })
  }

  function databasesOf(known: InfluxdbVersion): Readonly<Record<Target, string>> {
    return { main: mainDatabase(settings, known), exercise: settings.exerciseDatabase }
  }

  /** Undefined: values are kept for ever. */
  async function prepare(databases: readonly string[]): Promise<number | undefined> {
    if (valuesMs !== undefined) return valuesMs
    const policies = { settings, admin, databases, keepMs: parts.keepMs }
    // Of versions 2 and 3 only the settings say it.
    const kept = version === 'v1' ? await keptValuesMs(policies) : (settings.keepMs ?? Infinity)
    if (kept === Infinity) return undefined
    if (version === 'v1') await prepareLevelPolicies(policies, kept)
    keepMs = policyKeepMs(parts.keepMs, kept)
    return (valuesMs = kept)
  }

  const writerOf = (database: string, level: Level, oldestMs: number): LevelWriter =>
    createLevelWriter(oldestMs, (lines) => write(lines, database, level))

  async function write(lines: ReturnType<typeof createLines>, database: string, level: Level): Promise<void> {
    const into = levelDatabase(database, level, version!)
    for (const { why } of await settle(lines, (bytes) => writing[level].write(into, bytes, signal)))
      if (why !== tooOld) refused = { rows: refused.rows + 1, why }
  }

  /** Everything that the databases have, hour by hour: for a file that knows nothing. */
  async function begin(databases: Readonly<Record<Target, string>>, nowMs: number): Promise<void> {
    const touches: Touch[] = []
    const range = within(nowMs - Math.max(keepMs.minutes, keepMs.hours), Number.MAX_SAFE_INTEGER)
    for (const target of targets) {
      for (const measurement of measurementNames)
        for (const hourMs of await hoursOf(client, databases[target], measurement, range))
          touches.push({ target, measurement, hourMs, device: '' })
    }
    touched.begin(touches)
    if (touches.length > 0) await parts.begun(touches.length)
  }

  async function rollUp(
    { target, measurement, hourMs, devices }: Taken,
    databases: Readonly<Record<Target, string>>,
    nowMs: number,
  ): Promise<number> {
    const database = databases[target]
    const names = devices.map(({ device }) => device)
    const all = names.includes('') || names.length > devicesMax
    return rollUpHour({ database, measurement, hourMs, devices: all ? undefined : names }, client, {
      minutes: writerOf(database, 'minutes', nowMs - keepMs.minutes),
      hours: writerOf(database, 'hours', nowMs - keepMs.hours),
    })
  }

  async function expire(nowMs: number, mayMove: boolean): Promise<Expired> {
    version ??= await client.version()
    const databases = databasesOf(version)
    const kept = await prepare(Object.values(databases))
    if (kept === undefined) {
      if (touched.forget()) await parts.forgotten()
      return { hours: 0 }
    }
    const gatherMs = parts.gatherMs ?? Math.min(usualGatherMs, kept / 2)
    if (!touched.hasBegun()) await begin(databases, nowMs)
    const before = await readHorizon(client, databases.main)
    const early = Math.min(earlyMs[version], kept / 2)
    const horizon = mayMove ? Math.max(before, horizonAt(nowMs, kept - early)) : before
    let hours = 0
    const gone: number[] = []
    refused = { rows: 0, why: '' }
    for (;;) {
      const due = touched.due({ nowMs, touchedMs: nowMs - gatherMs, urgentMs: horizon + urgentMs })
      if (due.length === 0) break
      await taking(due)
      for (const taken of due) {
        // Values of then are gone, and with them what a late one would have to be added to.
        if (taken.hourMs >= before) {
          const values = await rollUp(taken, databases, nowMs)
          if (values > 0) hours++
          else if (before !== noHorizon && taken.hourMs < horizon && !(await hasRows(client, databases, taken)))
            gone.push(taken.hourMs)
        }
        touched.done(taken)
      }
    }
    if (horizon > before) await moveHorizon(databases.main, horizon)
    if (version === 'v1' && settings.manage && settings.keepMs !== undefined && mayMove && !isShortened) {
      await makeDatabases(admin, Object.values(databases), settings)
      isShortened = true
      valuesMs = undefined
    }
    return {
      hours,
      ...(gone.length > 0 && { gone: { hours: gone.length, fromMs: gone[0]!, toMs: gone.at(-1)! + hourLengthMs } }),
      ...(refused.rows > 0 && { refused }),
    }
  }

  async function moveHorizon(main: string, beforeMs: number): Promise<void> {
    const lines = createLines()
    writeHorizon(lines, beforeMs)
    await write(lines, main, 'hours')
    if (refused.rows > 0)
      throw new GatewayError('peer_refused', `InfluxDB refuses the mark of the horizon: ${refused.why}`)
  }

  return {
    async expire(nowMs, mayMove) {
      try {
        return await expire(nowMs, mayMove)
      } catch (error) {
        // A policy may have been removed, or the database be another one: looked at anew the next time.
        const known = valuesMs ?? settings.keepMs ?? Infinity
        valuesMs = undefined
        const databases = Object.values(databasesOf(version ?? 'v1'))
        throw explained(error, version, { databases, keepMs: parts.keepMs }, known)
      }
    },
    async close() {
      await client.close()
      for (const each of Object.values(writing)) await each.close()
    },
  }
}

/** Whether the hour is still there: its rows may all be without a value. */
async function hasRows(
  client: QueryClient,
  databases: Readonly<Record<Target, string>>,
  { target, measurement, hourMs }: Taken,
): Promise<boolean> {
  const hour = where(within(hourMs, hourMs + hourLengthMs))
  const statement = `SELECT last("sequence") FROM ${identifier(measurement)}${hour}`
  for await (const { values } of client.ask(databases[target], [statement])) if (values.length > 0) return true
  return false
}
