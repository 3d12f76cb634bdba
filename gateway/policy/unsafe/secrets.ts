// Secrets that are none: known to everybody, too short, kept so that they are cheap to guess, or sent in plain text.

import { configuredLinks, type LinkSettings } from '../../links/link-settings.ts'
import type { Settings } from '../../settings.ts'
import { readUsers } from '../principals.ts'
import { isLoopback } from '../principals.ts'
import { hashIsCheap } from '../secrets.ts'
import type { Site } from './unsafe-check.ts'

const passwordCharsMin = 12
const tokenCharsMin = 16

/** What products are delivered with and guides are written with; small letters. */
const known: ReadonlySet<string> = new Set([
  'my-super-secret-auth-token',
  'mysupersecretauthtoken',
  'adminadminadmin',
  'administrator',
  'passwordpassword',
  'password1234',
  'password12345',
  'changemechangeme',
  'tocsintocsin',
  'influxdbinfluxdb',
  'mosquittomosquitto',
  '123456789012',
  '1234567890123456',
  'qwertyuiopasdfgh',
])

export function* secretsWeak({ settings, environment }: Site): Generator<string> {
  const { 'influx.url': url, 'influx.username': username = '' } = settings
  if (url && username !== '') {
    const why = weakness(settings['influx.password'] ?? '', username, passwordCharsMin)
    if (why)
      yield `influx.password: it ${why}; give ${username} another in InfluxDB, and write it in TOCSIN_INFLUX_PASSWORD`
  }
  const token = settings['influx.token']
  const why = url && token && weakness(token, username, tokenCharsMin)
  if (why) yield `influx.token: it ${why}; make another in InfluxDB, and write it in TOCSIN_INFLUX_TOKEN`
  for (const { name, username: user = '', password } of linksOf(settings, environment)) {
    const fault = password && weakness(Buffer.from(password).toString('utf8'), user, passwordCharsMin)
    if (fault) yield `mqtt.links, ${name}: its password ${fault}; agree on another with who runs the other broker`
  }
}

function weakness(secret: string, username: string, charsMin: number): string | undefined {
  if (secret === '') return 'is not set'
  const small = secret.toLowerCase()
  if (known.has(small) || small === username.toLowerCase()) return 'is one that everybody tries first'
  if (new Set(small).size < 4) return 'is the same few characters again and again'
  return secret.length < charsMin ? `has ${secret.length} characters, and ${charsMin} is the least` : undefined
}

function linksOf(settings: Settings, environment: Site['environment']): readonly LinkSettings[] {
  try {
    return configuredLinks(settings, environment)
  } catch {
    // What is wrong with them is said where they are read.
    return []
  }
}

export function* usersWeak({ settings }: Site): Generator<string> {
  for (const { name, secret_hash } of usersOf(settings)) {
    if (hashIsCheap(secret_hash))
      yield `mqtt.users, ${name}: its secret_hash is cheap to guess against; make it anew with tocsin secret`
  }
}

function usersOf(settings: Settings): ReturnType<typeof readUsers> {
  try {
    return readUsers(settings['mqtt.users'])
  } catch {
    return []
  }
}

export function* influxdbInPlain({ settings }: Site): Generator<string> {
  const url = URL.parse(settings['influx.url'] ?? '')
  if (!url || url.protocol !== 'http:' || isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) return
  const sent = [
    ...(settings['influx.username'] || settings['influx.token'] ? ['the credentials'] : []),
    ...(settings['influx.include'].length > 0 ? ['what is labelled'] : []),
  ]
  if (sent.length > 0)
    yield `influx.url: http://${url.host} would be sent ${sent.join(' and ')} in plain text over the network; write https://`
}
