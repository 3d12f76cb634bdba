// Who on this machine may read and write what the gateway relies on: keys, settings, authorities, the data folder.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isOwnMissing } from '../../ca/paths.ts'
import type { Settings } from '../../settings.ts'
import type { Site } from './unsafe-check.ts'

const othersRead = 0o004
const othersWrite = 0o002
const groupWrites = 0o020
const anybodyElse = 0o077

/** Windows has no such modes; there the folder's own rights are the administrator's matter. */
const modeOf = (path: string): number => {
  if (process.platform === 'win32' || !existsSync(path)) return 0
  return statSync(path).mode
}

export function* keyReadable({ settings }: Pick<Site, 'settings'>): Generator<string> {
  const file = settings['tls.key']
  if (!file || isOwnMissing(settings.data_dir, settings['tls.certificate'])) return
  try {
    accessSync(file, constants.R_OK)
    if ((modeOf(file) & anybodyElse) !== 0) yield `tls.key: ${file} can be read by other users; run chmod 600 ${file}`
  } catch {
    yield `tls.key: ${file} cannot be read`
  }
}

export function* secretsReadable({ settings, settingsFile, environment }: Site): Generator<string> {
  if (!settingsFile || (modeOf(settingsFile) & othersRead) === 0) return
  const held = (['influx.password', 'influx.token', 'proxy.url'] as const).filter(
    (key) =>
      (key === 'proxy.url' ? URL.parse(settings[key] ?? '')?.password : settings[key]) &&
      !environment[`TOCSIN_${key.replace('.', '_').toUpperCase()}`],
  )
  if (held.length > 0)
    yield `${settingsFile}: it holds ${held.join(' and ')} and can be read by all users; run chmod 640 ${settingsFile}, or set it in the environment`
}

export function* filesWritable(site: Site): Generator<string> {
  for (const [key, path, mode] of reliedOn(site))
    if ((mode & othersWrite) !== 0) yield `${key}: ${path} can be written by all users; run chmod o-w ${path}`
}

/** On many systems each user has a group of his own, and whatever he makes is so. */
export function* filesGroupWritable(site: Site): Generator<string> {
  for (const [key, path, mode] of reliedOn(site))
    if ((mode & groupWrites) !== 0 && (mode & othersWrite) === 0)
      yield `${key}: ${path} can be written by its group; unless nobody else is in it run chmod g-w ${path}`
}

const reliedOn = ({ settings, settingsFile }: Site): (readonly [key: string, path: string, mode: number])[] =>
  (
    [
      ['settings', settingsFile],
      ['tls.certificate', settings['tls.certificate']],
      ['tls.client_ca', settings['tls.client_ca']],
      ['tls.extra_ca', settings['tls.extra_ca']],
      ...keptIn(settings),
    ] as const
  ).flatMap(([key, path]) => (path ? [[key, path, modeOf(path)] as const] : []))

export function* dataReadable({ settings }: Pick<Site, 'settings'>): Generator<string> {
  const path = settings.data_dir
  if ((modeOf(path) & anybodyElse) === 0) return
  yield `data_dir: ${path} can be read by other users, and holds everything that came in; run chmod -R go-rwx ${path}`
}

/** What in the data folder decides who may do what, and what proves it. */
function keptIn({ data_dir: folder }: Settings) {
  return [
    ['data_dir', folder],
    ...['state.sqlite', 'audit', 'ca'].map((name) => ['data_dir', join(folder, name)] as const),
  ] as const
}
