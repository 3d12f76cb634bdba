// Reads settings: one YAML file, overridden by environment variables (TOCSIN_ and the key, upper case, dots as underscores). Every
// fault is found at once and said with key, reason and what may stand there; nothing is guessed.

import { existsSync, readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { GatewayError } from '../proto/errors.ts'
import { authorityFiles } from './ca/paths.ts'
import { nearest } from './nearest.ts'
import { type Setting, type SettingKey, type Settings, settingsTable } from './settings-table.ts'

export type { Settings } from './settings-table.ts'

export const settingsFileDefault = 'tocsin.yaml'

const keys = Object.keys(settingsTable) as SettingKey[]

export interface SettingsSource {
  /** Path of the YAML file; undefined: `tocsin.yaml` where it exists. */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Throws GatewayError settings_invalid naming every fault. */
export function readSettings(source: SettingsSource): Settings {
  const faults: string[] = []
  const written = { ...readFile(source.file, faults), ...readEnvironment(source.environment, faults) }
  const settings: Record<string, unknown> = {}
  for (const key of keys) {
    const setting: Setting = settingsTable[key]
    const place = written[key]
    const value = place ? place.value : setting.default
    if (value === undefined) continue
    try {
      settings[key] = parse(setting, value)
    } catch (error) {
      faults.push(`${place?.where ?? key}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (settings['tls.certificate'] === 'auto' && settings['tls.key'] !== undefined) {
    faults.push('tls.key: leave it out; with tls.certificate: auto the gateway has its own')
  }
  if (faults.length > 0) throw new GatewayError('settings_invalid', faults.join('\n'))
  return withOwnAuthority(settings as Settings)
}

/** "auto" as the files that it means. */
function withOwnAuthority(settings: Settings): Settings {
  if (settings['tls.certificate'] !== 'auto') return settings
  const { server, serverKey, certificate } = authorityFiles(settings.data_dir)
  const clientCa = settings['tls.client_ca'] ?? certificate
  return { ...settings, 'tls.certificate': server, 'tls.key': serverKey, 'tls.client_ca': clientCa }
}

/** The file that is read; undefined: there is none. */
export const fileOfSettings = (file: string | undefined): string | undefined =>
  file ?? (existsSync(settingsFileDefault) ? settingsFileDefault : undefined)

/** TOCSIN_INFLUX_URL for "influx.url". */
export const environmentName = (key: string): string => `TOCSIN_${key.replaceAll('.', '_').toUpperCase()}`

interface Written {
  readonly value: unknown
  /** For error messages: the file and key, or the variable's name. */
  readonly where: string
}

function readFile(file: string | undefined, faults: string[]): Record<string, Written> {
  const path = file ?? settingsFileDefault
  if (!existsSync(path)) {
    if (file !== undefined) faults.push(`${file}: no such file`)
    return {}
  }
  const document = parseDocument(readFileSync(path, 'utf8'), { prettyErrors: true })
  for (const error of document.errors) faults.push(`${path}: ${error.message}`)
  if (document.errors.length > 0) return {}
  const root: unknown = document.toJS({ maxAliasCount: 0 })
  if (root === null || root === undefined) return {}
  const written: Record<string, Written> = {}
  collect(root, '', path, written, faults)
  return written
}

/** Walks the tree down to known keys; `a: {b: 1}` and `a.b: 1` are the same. */
function collect(
  node: unknown,
  prefix: string,
  file: string,
  written: Record<string, Written>,
  faults: string[],
): void {
  if (!isTree(node)) {
    faults.push(`${file}: ${prefix || 'the file'} must hold keys and values`)
    return
  }
  for (const [name, value] of Object.entries(node)) {
    const key = prefix ? `${prefix}.${name}` : name
    if (isKnown(key)) written[key] = { value, where: `${file}: ${key}` }
    else if (keys.some((known) => known.startsWith(`${key}.`))) collect(value, key, file, written, faults)
    else faults.push(`${file}: ${key} is not a setting${didYouMean(key)}`)
  }
}

function readEnvironment(environment: SettingsSource['environment'], faults: string[]): Record<string, Written> {
  const byName = new Map(keys.map((key) => [environmentName(key), key]))
  const written: Record<string, Written> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('TOCSIN_') || value === undefined || name === 'TOCSIN_SETTINGS') continue
    const key = byName.get(name)
    if (!key) {
      const near = nearest(name, byName.keys())
      faults.push(`${name} in the environment is not a setting${near ? `; did you mean ${near}?` : ''}`)
    } else if (settingsTable[key].kind === 'tree') {
      faults.push(`${name} in the environment: ${key} can only be set in the file`)
    } else written[key] = { value, where: name }
  }
  return written
}

const isKnown = (key: string): key is SettingKey => Object.hasOwn(settingsTable, key)
const isTree = (node: unknown): node is Record<string, unknown> =>
  typeof node === 'object' && node !== null && !Array.isArray(node)

function didYouMean(key: string): string {
  const near = nearest(key, keys)
  return near ? `; did you mean ${near}?` : '; `tocsin settings` lists all of them'
}

function parse(setting: Setting, value: unknown): unknown {
  switch (setting.kind) {
    case 'tree':
      return value
    case 'flag':
      return parseFlag(value)
    case 'count':
      return inRange(setting, whole(value, 'a whole number'))
    case 'bytes':
      return inRange(setting, withUnit(value, byteUnits, 'a size such as 64MiB, 10GB or 4096'))
    case 'duration':
      return inRange(setting, parseDuration(value))
    case 'list':
      return parseList(value)
    case 'choice':
      return parseChoice(setting, value)
    case 'secret':
    case 'text':
      if (typeof value === 'string' || typeof value === 'number') return String(value)
      throw new TypeError('must be text')
  }
}

function parseFlag(value: unknown): boolean {
  if (value === true || value === 'true' || value === 'yes' || value === 'on' || value === '1') return true
  if (value === false || value === 'false' || value === 'no' || value === 'off' || value === '0') return false
  throw new TypeError('must be true or false')
}

function parseList(value: unknown): string[] {
  const items = Array.isArray(value) ? value.map(String) : String(value).split(',')
  return items.map((item) => item.trim()).filter((item) => item !== '')
}

function parseChoice(setting: Setting, value: unknown): string {
  const found = setting.of?.find((choice) => choice.toLowerCase() === String(value).toLowerCase())
  if (found === undefined) throw new TypeError(`must be one of ${setting.of?.join(', ')}`)
  return found
}

/** Milliseconds of "500ms", "10s", "5m", "8h" or "90d", for settings within a tree; throws TypeError. */
export const parseDuration = (value: unknown): number =>
  withUnit(value, durationUnits, 'a time with its unit such as 500ms, 10s, 5m, 8h or 90d')

const byteUnits: Record<string, number> = {
  '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
} // prettier-ignore
const durationUnits: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, min: 6e4, h: 3.6e6, d: 8.64e7, y: 3.1536e10 }

function withUnit(value: unknown, units: Record<string, number>, form: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(value))
  const factor = units[(match?.[2] ?? '?').toLowerCase()]
  if (!match || factor === undefined) throw new TypeError(`must be ${form}`)
  return Math.round(Number(match[1]) * factor)
}

function whole(value: unknown, form: string): number {
  const number = typeof value === 'number' ? value : /^\d+$/.test(String(value)) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new TypeError(`must be ${form}`)
  return number
}

function inRange(setting: Setting, value: number): number {
  if (setting.min !== undefined && value < setting.min)
    throw new TypeError(`must be at least ${asWritten(setting, setting.min)}`)
  if (setting.max !== undefined && value > setting.max)
    throw new TypeError(`must be at most ${asWritten(setting, setting.max)}`)
  return value
}

/** "366d" for a duration of whole days, as a person would write it. */
function asWritten({ kind }: Setting, value: number): string {
  const unit = ['d', 'h', 'm', 's', 'ms'].find((name) => value % (durationUnits[name] ?? 1) === 0)
  return kind === 'duration' && unit ? `${value / durationUnits[unit]!}${unit}` : String(value)
}
