// The horizon of the InfluxDB store, kept in the database beside the levels: before it levels answer, from it on values do. Its promise:
// it stands where all levels before it are made; it never goes back, so that keeping values for longer opens no hole; and one that a
// wrong clock put into the future is passed over until its time has come.

import { mainDatabase } from '../../outputs/influxdb/endpoint.ts'
import type { Lines } from '../../outputs/influxdb/line-protocol.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import type { QueryClient } from './client.ts'
import { identifier } from './influxql.ts'
import { levelPolicies } from './level-rows.ts'

const measurement = 'tocsin_horizon'
const field = 'before_ms'

export const noHorizon = Number.MIN_SAFE_INTEGER

/** The time of a row is the horizon itself, so the last one is the furthest. */
export function writeHorizon(lines: Lines, beforeMs: number): void {
  lines.begin(measurement)
  lines.integer(field, beforeMs)
  lines.end(beforeMs, 0)
}

/** `noHorizon`: none was set, and values answer everything. */
export async function horizonOf(client: QueryClient, settings: InfluxdbSettings): Promise<number> {
  const version = await client.version()
  // In 1.x levels answer also when none are made any more; elsewhere a bucket may be missing, and is not asked for in vain.
  const mayHaveLevels = settings.keepMs !== undefined || version === 'v1'
  return mayHaveLevels ? readHorizon(client, mainDatabase(settings, version)) : noHorizon
}

export async function readHorizon(client: QueryClient, database: string): Promise<number> {
  const statement = `SELECT last(${identifier(field)}) FROM ${identifier(measurement)} WHERE time <= now()`
  let horizon = noHorizon
  for await (const { values } of client.ask(database, [statement], { policy: levelPolicies.hours }))
    for (const [, before] of values) if (typeof before === 'number') horizon = Math.max(horizon, before)
  return horizon
}
