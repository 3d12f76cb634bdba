// Times as people at this machine read and write them: in its own zone, read also as "15m" (so long ago).

import { nsPerMs, parseRfc3339 } from '../../proto/time.ts'
import { UsageError } from './command.ts'

const two = (value: number): string => String(value).padStart(2, '0')
const dateOf = (ns: bigint): Date => new Date(Number(ns / nsPerMs))

/** "14:03:07.250", in the zone of this machine. */
export function clockText(ns: bigint): string {
  const date = dateOf(ns)
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

/** "2026-11-22", in the zone of this machine. */
export function dayText(ns: bigint): string {
  const date = dateOf(ns)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** "UTC+05:30". */
export function zoneText(ns: bigint): string {
  const minutes = -dateOf(ns).getTimezoneOffset()
  const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return minutes === 0 ? 'UTC' : `UTC${minutes < 0 ? '−' : '+'}${two(hours)}:${two(rest)}`
}

export const stampText = (ns: bigint): string => `${dayText(ns)} ${clockText(ns)}`

/** "850 ms", "12 s", "3 min 5 s", "2 h 10 min", "4 d 3 h". */
export function spanText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)]
  if (minutes < 60) return joined(minutes, 'min', seconds % 60, 's')
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min')
  return joined(days, 'd', hours % 24, 'h')
}

const joined = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`

const agoMs: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, min: 6e4, h: 3.6e6, d: 8.64e7 }

/** "90s", "5m", "24h", "7d" in milliseconds. Throws UsageError naming the option. */
export function parseSpanMs(text: string, option: string, leastMs: number): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|min|h|d)$/.exec(text)
  const ms = match ? Math.round(Number(match[1]) * agoMs[match[2]!]!) : Number.NaN
  if (ms >= leastMs && ms <= spanMsMax) return ms
  const bounds = `from ${spanText(leastMs)} to ten years`
  throw new UsageError(`--${option} must be a length of time, ${bounds}, such as 90s, 5m, 24h or 7d; it is "${text}"`)
}

const spanMsMax = 10 * 366 * 8.64e7

/** "2026-11-22T12:00:00Z", "2026-11-22 12:00", "12:00" (today), "15m" (ago). Throws UsageError naming the option. */
export function parseTime(text: string, option: string): bigint {
  const ago = /^(\d+(?:\.\d+)?)(s|m|min|h|d)(?: ago)?$/.exec(text)
  if (ago) return BigInt(Math.round(Date.now() - Number(ago[1]) * agoMs[ago[2]!]!)) * nsPerMs
  const zoned = parseRfc3339(text)
  if (zoned !== undefined) return zoned
  const local = /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(?:^|[T ])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text)
  const date = local && text !== '' ? localDate(local) : undefined
  if (date && !Number.isNaN(date.getTime())) return BigInt(date.getTime()) * nsPerMs
  const forms =
    '2026-11-22T12:00:00Z, "2026-11-22 12:00" and 12:00 (of this machine’s zone), or 15m, 2h, 3d (so long ago)'
  throw new UsageError(`--${option} must be a time; "${text}" is none. It may be ${forms}`)
}

/** Undefined for days and hours that do not exist, which Date would roll over. */
function localDate([, year, month, day, hour = '0', minute = '0', second = '0']: RegExpExecArray): Date | undefined {
  const today = new Date()
  const [y, m, d] =
    year === undefined
      ? [today.getFullYear(), today.getMonth(), today.getDate()]
      : [Number(year), Number(month) - 1, Number(day)]
  const date = new Date(y, m, d, Number(hour), Number(minute), Number(second))
  const exists = date.getMonth() === m && date.getDate() === d && Number(hour) < 24 && Number(minute) < 60
  return exists ? date : undefined
}
