// Where and how InfluxDB is written to, by its version: path, query and Authorization. Secrets go into the header and nowhere else.

import { GatewayError } from '../../../proto/errors.ts'
import type { InfluxdbSettings, InfluxdbVersion } from './settings.ts'

export interface Endpoint {
  readonly origin: string
  readonly version: InfluxdbVersion
  /** Path and query of a write, nanosecond times. */
  writePath(database: string): string
}

/** Says what is wrong with the settings before anything is sent. */
export function checkSettings(settings: InfluxdbSettings): void {
  const url = parseUrl(settings.url)
  if (url.username !== '' || url.password !== '')
    fail('url holds a user name or password; set username and password instead')
  if (settings.database === '' || settings.exerciseDatabase === '') fail('database and exerciseDatabase need a name')
  if (
    mainDatabase(settings, settings.version) === settings.exerciseDatabase ||
    settings.database === settings.exerciseDatabase
  ) {
    fail('exerciseDatabase is the same as database; exercises would stand among what is real')
  }
  for (const name of [
    settings.database,
    settings.exerciseDatabase,
    settings.retentionPolicy ?? 'none',
    settings.bucket ?? 'none',
  ]) {
    // Names go into statements and addresses; what could end either is no name.
    if (!/^[^\p{Cc}"'\\/;?#&]{1,64}$/u.test(name))
      fail('a database, bucket or retention policy has a name with characters that are not allowed')
  }
}

function fail(what: string): never {
  throw new GatewayError('settings_invalid', `InfluxDB: ${what}`)
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) fail('url is no http:// or https:// address')
  return url
}

/** In v2 the bucket stands for the database. */
export const mainDatabase = (settings: InfluxdbSettings, version: InfluxdbSettings['version']): string =>
  (version === 'v2' || version === 'auto' ? settings.bucket : undefined) ?? settings.database

export function createEndpoint(settings: InfluxdbSettings, version: InfluxdbVersion): Endpoint {
  const url = parseUrl(settings.url)
  const base = url.pathname.replace(/\/$/, '')
  return {
    origin: url.origin,
    version,
    writePath: (database) => `${base}${pathOf(version)}?${queryOf(settings, version, database)}`,
  }
}

const pathOf = (version: InfluxdbVersion): string =>
  ({ v1: '/write', v2: '/api/v2/write', v3: '/api/v3/write_lp' })[version]

function queryOf(settings: InfluxdbSettings, version: InfluxdbVersion, database: string): string {
  const query = new URLSearchParams()
  if (version === 'v1') {
    query.set('db', database)
    if (settings.retentionPolicy !== undefined) query.set('rp', settings.retentionPolicy)
    query.set('precision', 'ns')
  } else if (version === 'v2') {
    if (settings.org !== undefined) query.set('org', settings.org)
    query.set('bucket', database)
    query.set('precision', 'ns')
  } else {
    query.set('db', database)
    query.set('precision', 'nanosecond')
    query.set('accept_partial', 'true')
  }
  return query.toString()
}

/** v1: Basic; v2: Token; v3: Bearer; undefined: none is set. */
export function authorization(settings: InfluxdbSettings, version: InfluxdbVersion): string | undefined {
  if (settings.token !== undefined && settings.token !== '')
    return `${version === 'v3' ? 'Bearer' : 'Token'} ${settings.token}`
  if (settings.username === undefined || settings.username === '') return undefined
  return `Basic ${Buffer.from(`${settings.username}:${settings.password ?? ''}`, 'utf8').toString('base64')}`
}

/** "1.6.7", "v2.7.12", "3.0.1": the header X-Influxdb-Version of an answer to /ping. */
export function versionOf(header: string | undefined): InfluxdbVersion | undefined {
  const major = /^v?([123])\./.exec(header ?? '')?.[1]
  return major === undefined ? undefined : (`v${major}` as InfluxdbVersion)
}
