// Times as devices write them → nanoseconds UTC, exact. A format is one of five names or a pattern of strftime's letters; a time
// without an offset is read in the mapping's zone, and without that it is no time: a local time of an unknown place is none.

import { type Numeral, decimal, isLiteral, nanoseconds, wholeSecondsNs } from './decimal.ts'
import { parseRfc3339 } from '../proto/time.ts'

export const timeFormats = ['rfc3339', 'unix_s', 'unix_ms', 'unix_us', 'unix_ns'] as const

const exponents: Readonly<Record<string, number>> = { unix_s: 0, unix_ms: -3, unix_us: -6, unix_ns: -9 }

// google.protobuf.Timestamp: the years 1 to 9999.
const timeNsMin = -62_135_596_800_000_000_000n
const timeNsMax = 253_402_300_799_999_999_999n

export function readTime(value: unknown, format: string, zone: string | undefined): bigint | undefined {
  const ns = format in exponents ? unixTime(value, exponents[format] ?? 0) : textTime(value, format, zone)
  return ns === undefined || ns < timeNsMin || ns > timeNsMax ? undefined : ns
}

function unixTime(value: unknown, exponent: number): bigint | undefined {
  if (exponent === 0 && Number.isSafeInteger(value)) return wholeSecondsNs(value as number)
  const text = typeof value === 'string' ? value.trim() : value
  const isNumeral = typeof text === 'number' || isLiteral(text)
  const number =
    typeof text === 'string' ? decimal(literalText(text)) : isNumeral ? decimal(text as Numeral) : undefined
  return number && nanoseconds({ digits: number.digits, exponent: number.exponent + exponent })
}

// A text of digits is read digit by digit, as a bigint or not at all; a fraction goes through the decimal form.
const literalText = (text: string): Numeral => (/^-?\d{1,30}$/.test(text) ? BigInt(text) : Number(text || NaN))

function textTime(value: unknown, format: string, zone: string | undefined): bigint | undefined {
  if (typeof value !== 'string') return undefined
  if (format !== 'rfc3339') return patternTime(value, format, zone)
  const exact = parseRfc3339(value)
  if (exact !== undefined || zone === undefined) return exact
  const asUtc = parseRfc3339(value, 'Z')
  return asUtc === undefined ? undefined : asUtc - zoneOffsetNs(asUtc, zone)
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** strftime letter → what it matches. */
const letters: Readonly<Record<string, string>> = {
  Y: '(?<Y>\\d{4})',
  y: '(?<y>\\d{2})',
  m: '(?<m>\\d{1,2})',
  b: '(?<b>[A-Za-z]{3})',
  d: '(?<d>\\d{1,2})',
  H: '(?<H>\\d{1,2})',
  I: '(?<I>\\d{1,2})',
  p: '(?<p>[AaPp][Mm])',
  M: '(?<M>\\d{2})',
  S: '(?<S>\\d{2})',
  f: '(?<f>\\d{1,9})',
  z: '(?<z>Z|[+-]\\d{2}:?\\d{2})',
}

/** Why a pattern cannot be used; undefined: it can. */
export function patternFault(pattern: string): string | undefined {
  const used = [...pattern.matchAll(/%(.)/g)].map(([, letter = '']) => letter)
  const unknown = used.find((letter) => letter !== '%' && !(letter in letters))
  if (unknown !== undefined)
    return `%${unknown} is not known; known are ${Object.keys(letters)
      .map((letter) => `%${letter}`)
      .join(' ')}`
  if (new Set(used).size < used.length) return 'a letter stands twice'
  const hasDate =
    (used.includes('Y') || used.includes('y')) && (used.includes('m') || used.includes('b')) && used.includes('d')
  return hasDate ? undefined : 'it needs a year, a month and a day'
}

const patterns = new Map<string, RegExp>()

function patternOf(pattern: string): RegExp {
  let form = patterns.get(pattern)
  if (!form) {
    const source = pattern
      .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      .replaceAll(/%(.)/g, (_, letter: string) => (letter === '%' ? '%' : (letters[letter] ?? '')))
    // Patterns come from the settings alone, so there are few.
    patterns.set(pattern, (form = new RegExp(`^${source}$`)))
  }
  return form
}

function patternTime(text: string, pattern: string, zone: string | undefined): bigint | undefined {
  const parts = patternOf(pattern).exec(text.trim())?.groups
  if (!parts) return undefined
  const number = (name: string): number => Number(parts[name] ?? 0)
  // POSIX: 69 to 99 are of the twentieth century.
  const year = parts['Y'] === undefined ? number('y') + (number('y') < 69 ? 2000 : 1900) : number('Y')
  const month = parts['b'] === undefined ? number('m') - 1 : months.indexOf(parts['b'].toLowerCase())
  const half = parts['p'] === undefined ? undefined : parts['p'].toLowerCase()
  const hour = half === undefined ? number('H') : (number('I') % 12) + (half === 'pm' ? 12 : 0)
  const [day, minute, second] = [number('d'), number('M'), number('S')]
  const ms = Date.UTC(year, month, day, hour, minute, second)
  const isDate = month >= 0 && new Date(ms).getUTCDate() === day && new Date(ms).getUTCMonth() === month
  if (!isDate || hour > 23 || minute > 59 || second > 60) return undefined
  const ns = BigInt(ms) * 1_000_000n + BigInt((parts['f'] ?? '').padEnd(9, '0') || '0')
  const offset = parts['z'] === undefined ? undefined : offsetNs(parts['z'])
  if (offset !== undefined) return ns - offset
  return zone === undefined ? undefined : ns - zoneOffsetNs(ns, zone)
}

function offsetNs(text: string): bigint {
  if (text === 'Z') return 0n
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2))
  return BigInt(text.startsWith('-') ? -minutes : minutes) * 60_000_000_000n
}

const zones = new Map<string, Intl.DateTimeFormat>()

export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = zones.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    zones.set(zone, format)
  }
  return format
}

/**
 * Local wall time, taken as UTC → the zone's offset at that moment. In the hour that comes twice in autumn the first one is
 * taken; in the hour that is skipped in spring, the time as if the clock had not yet been moved.
 */
function zoneOffsetNs(localNs: bigint, zone: string): bigint {
  const localMs = Number(localNs / 1_000_000n)
  const offsets = [-dayMs, dayMs].map((around) => zoneOffsetMs(localMs + around, zone))
  const fitting = offsets.find((offset) => zoneOffsetMs(localMs - offset, zone) === offset)
  return BigInt(fitting ?? offsets[0] ?? 0) * 1_000_000n
}

const dayMs = 86_400_000

function zoneOffsetMs(utcMs: number, zone: string): number {
  const name =
    formatOf(zone)
      .formatToParts(new Date(utcMs))
      .find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const match = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name)
  if (!match) return 0
  const [, sign, hours, minutes, seconds = '0'] = match
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  return sign === '-' ? -ms : ms
}
