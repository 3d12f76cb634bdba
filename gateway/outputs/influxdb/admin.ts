// Databases, retention policies and queries of InfluxDB 1.x, through the `influx` package; rows are never written through it (its line
// encoder lets a line break in a tag forge a point). Its promise: no credentials but ours are sent, and a server that was away
// for a moment is asked again the next time.

import { InfluxDB } from 'influx'
import { GatewayError } from '../../../proto/errors.ts'
import type { InfluxdbSettings } from './settings.ts'
import { agentOf } from './transport.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export interface RetentionPolicy {
  readonly name: string
  /** Infinity: for ever. */
  readonly keepMs: number
  readonly isDefault: boolean
}

export interface InfluxdbAdmin {
  databases(): Promise<readonly string[]>
  /** Does nothing when it is there. */
  createDatabase(name: string): Promise<void>
  retentionPolicies(database: string): Promise<readonly RetentionPolicy[]>
  /** Makes it, or alters it to this. `shardMs`: how much goes at once when it is old; absent: as InfluxDB chooses it itself. */
  setRetentionPolicy(database: string, policy: RetentionPolicy & { readonly shardMs?: number }): Promise<void>
  /** Every value of a tag in the database. */
  tagValues(database: string, tag: string): Promise<readonly string[]>
  /** InfluxQL; times are the package's nanosecond dates. Whole numbers beyond 2^53 lose digits on the way through JSON. */
  query(database: string, statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

export function createInfluxdbAdmin(settings: InfluxdbSettings): InfluxdbAdmin {
  /** A new client for each action: the package shuts a single host out for up to ten seconds after one failure. */
  async function act<Result>(action: (client: InfluxDB) => Promise<Result>): Promise<Result> {
    try {
      return await action(connect(settings))
    } catch (cause) {
      throw asGatewayError(cause)
    }
  }
  return {
    databases: () => act((client) => client.getDatabaseNames()),
    createDatabase: (name) => act((client) => client.createDatabase(name)),
    retentionPolicies: (database) =>
      act(async (client) => {
        const known = await client.showRetentionPolicies(database)
        return known.map(({ name, duration, default: isDefault }) => ({
          name,
          keepMs: millisecondsOf(duration),
          isDefault,
        }))
      }),
    setRetentionPolicy: (database, { name, keepMs, isDefault, shardMs = usualShardMs(keepMs) }) =>
      act(async (client) => {
        const duration = `${Math.ceil(keepMs / 1_000)}s`
        const policy = { database, duration, replication: 1, isDefault }
        const known = await client.showRetentionPolicies(database)
        if (!known.some((each) => each.name === name)) await client.createRetentionPolicy(name, policy)
        // The package knows no shards, and InfluxDB refuses to keep for less than one, whatever that was before.
        const shards = `${Math.ceil(shardMs / 1_000)}s`
        await client.alterRetentionPolicy(name, { ...policy, duration: `${duration} shard duration ${shards}` })
      }),
    tagValues: (database, tag) =>
      act(async (client) => {
        const rows = await client.query<{ value: string }>(`SHOW TAG VALUES WITH KEY = ${quoted(tag)}`, { database })
        return rows.map((row) => row.value)
      }),
    query: (database, statement) =>
      act(async (client) => [...(await client.query<Record<string, unknown>>(statement, { database }))]),
  }
}

function connect(settings: InfluxdbSettings): InfluxDB {
  const url = new URL(settings.url)
  const { token } = settings
  const agent = agentOf(settings)
  return new InfluxDB({
    // Left out, they become root:root, which also overrides the header; only null keeps the package from sending any.
    username: settings.username ?? (null as never),
    password: settings.password ?? (null as never),
    hosts: [
      {
        protocol: url.protocol === 'https:' ? 'https' : 'http',
        host: url.hostname,
        port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
        path: url.pathname.replace(/\/$/, ''),
        options: {
          ...(token !== undefined && { headers: { Authorization: `Token ${token}` } }),
          ...(agent && { agent }),
        },
      },
    ],
    pool: { requestTimeout: settings.timeoutMs, maxRetries: 0 },
  })
}

/** As InfluxDB has it for a new policy. */
function usualShardMs(keepMs: number): number {
  if (keepMs < 2 * dayMs) return hourMs
  return keepMs <= 180 * dayMs ? dayMs : 7 * dayMs
}

/** As InfluxDB shows it: "2160h0m0s"; "0s" is for ever. */
function millisecondsOf(duration: string): number {
  const unitMs = { h: hourMs, m: 60_000, s: 1_000 } as const
  let ms = 0
  for (const [, digits, unit] of duration.matchAll(/(\d+)([hms])/g))
    ms += Number(digits) * unitMs[unit as 'h' | 'm' | 's']
  return ms === 0 ? Infinity : ms
}

const quoted = (name: string): string => `"${name.replaceAll(/["\\]/g, '\\$&')}"`

/** Without `cause`: the package's errors hold the request, and with it the password. */
function asGatewayError(error: unknown): GatewayError {
  const status = statusOf(error)
  if (status === undefined || status >= 500) {
    const name = error instanceof Error ? error.name : 'unknown error'
    return new GatewayError('peer_unreachable', `InfluxDB does not answer to an administrative request (${name})`)
  }
  return new GatewayError(
    'peer_refused',
    `InfluxDB answers ${status} to an administrative request: check user, rights and names`,
  )
}

/** The package's RequestError carries the answer; a statement that fails comes as its ResultError, with status 200. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if (error.message.startsWith('Error from InfluxDB:')) return 200
  if (!('res' in error) || typeof error.res !== 'object' || error.res === null) return undefined
  return 'statusCode' in error.res && typeof error.res.statusCode === 'number' ? error.res.statusCode : undefined
}
