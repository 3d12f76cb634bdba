// The retention policies that levels are kept in (1.x), and the buckets or databases that stand for them in versions 2 and 3. Its promise:
// where one is missing and cannot be made, the error names it and gives the statement that makes it.

import { GatewayError } from '../../../proto/errors.ts'
import type { InfluxdbAdmin } from '../../outputs/influxdb/admin.ts'
import { makeDatabases } from '../../outputs/influxdb/prepare.ts'
import type { InfluxdbSettings, InfluxdbVersion } from '../../outputs/influxdb/settings.ts'
import { type Level, levelMs } from '../levels.ts'
import { identifier } from './influxql.ts'
import { levelPolicies } from './level-rows.ts'

export type LevelKeepMs = Readonly<Record<Level, number>>

export const levels: readonly Level[] = ['minutes', 'hours']

const dayMs = 86_400_000

/** Longer than values are that are not kept for ever, with a day for clocks that differ: what is before the horizon must be there. */
export function policyKeepMs(keepMs: LevelKeepMs, valuesMs: number): LevelKeepMs {
  const kept = (level: Level): number => Math.max(keepMs[level], valuesMs === Infinity ? 0 : valuesMs + dayMs)
  return { minutes: kept('minutes'), hours: kept('hours') }
}

/** In versions 2 and 3 a policy is a bucket or a database of its own, as `/query` maps it. */
export const levelDatabase = (database: string, level: Level, version: InfluxdbVersion): string =>
  version === 'v1' ? database : `${database}/${levelPolicies[level]}`

export interface PolicyParts {
  readonly settings: InfluxdbSettings
  readonly admin: InfluxdbAdmin
  readonly databases: readonly string[]
  /** As the settings have it. */
  readonly keepMs: LevelKeepMs
}

/** 1.x: how long the databases keep values; makes them where `manage` is on. Infinity: for ever. */
export async function keptValuesMs({ settings, admin, databases }: Omit<PolicyParts, 'keepMs'>): Promise<number> {
  if (settings.manage) await makeDatabases(admin, databases, settings, { mayShorten: false })
  let valuesMs = settings.keepMs ?? Infinity
  for (const database of databases) {
    const values = (await admin.retentionPolicies(database)).find(({ name, isDefault }) =>
      settings.retentionPolicy === undefined ? isDefault : name === settings.retentionPolicy,
    )
    if (values) valuesMs = Math.min(valuesMs, values.keepMs)
  }
  return valuesMs
}

/** 1.x: makes or alters the policies where `manage` is on. Throws peer_refused. */
export async function prepareLevelPolicies(parts: PolicyParts, valuesMs: number): Promise<void> {
  const { settings, admin, databases } = parts
  const keepMs = policyKeepMs(parts.keepMs, valuesMs)
  for (const database of databases) {
    const policies = await admin.retentionPolicies(database)
    for (const level of levels) {
      const policy = policies.find(({ name }) => name === levelPolicies[level])
      if (policy && (policy.keepMs === wholeSeconds(keepMs[level]) || !settings.manage)) continue
      if (!settings.manage) throw new GatewayError('peer_refused', `there is no ${policyName(database, level)}`)
      const shardMs = shardDays(keepMs[level]) * dayMs
      await admin.setRetentionPolicy(database, {
        name: levelPolicies[level],
        keepMs: keepMs[level],
        isDefault: false,
        shardMs,
      })
    }
  }
}

/** Says, of a refusal, what to make and whom to ask. */
export function explained(
  error: unknown,
  version: InfluxdbVersion | undefined,
  { databases, ...parts }: Pick<PolicyParts, 'databases' | 'keepMs'>,
  valuesMs: number,
): unknown {
  if (!(error instanceof GatewayError) || error.code !== 'peer_refused') return error
  const keepMs = policyKeepMs(parts.keepMs, valuesMs)
  const names = databases.flatMap((database) =>
    levels.map((level) => `"${levelDatabase(database, level, version ?? 'v1')}" (kept for ${days(keepMs[level])})`),
  )
  const statements = databases.flatMap((database) => levels.map((level) => statementFor(database, level, keepMs)))
  const what =
    version === 'v2' || version === 'v3'
      ? `make the ${version === 'v2' ? 'buckets' : 'databases'} ${names.join(', ')}, and let the token read and write them`
      : `let an administrator of InfluxDB run: ${statements.join('; ')}; and let the user read and write there`
  return new GatewayError('peer_refused', `${error.message}. For minutes and hours of values, ${what}`, {
    cause: error,
  })
}

const statementFor = (database: string, level: Level, keepMs: LevelKeepMs): string =>
  `CREATE ${policyName(database, level)} DURATION ${wholeSeconds(keepMs[level]) / 1_000}s REPLICATION 1 SHARD DURATION ${shardDays(keepMs[level])}d`

/** Few shards, each of which costs InfluxDB files and memory; the oldest goes in a twelfth of the time that is kept. */
const shardDays = (keepMs: number): number => Math.min(180, Math.max(1, Math.floor(keepMs / dayMs / 12)))

const policyName = (database: string, level: Level): string =>
  `RETENTION POLICY ${identifier(levelPolicies[level])} ON ${identifier(database)}`

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1_000) * 1_000
const days = (ms: number): string => (ms < dayMs ? `${ms / levelMs.hours} h` : `${Math.ceil(ms / dayMs)} d`)
