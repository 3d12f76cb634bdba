// Series as they are shown: the answer of QuerySeries put together with what ListSeries knows of the same series, so that one which
// has nothing within the range is still told of. Times are milliseconds, as the store has them.

import type { QuerySeriesResponse, Series, SeriesPoint } from '../../proto/generated/types.ts'
import { MessageStatus, Quality, SeriesAggregate } from '../../proto/generated/types.ts'
import { toBigInt, toNumber } from '../../proto/int64.ts'
import { nsPerMs, timestampNs } from '../../proto/time.ts'
import { nameOf, numberText, unitText } from './event-summary.ts'
import { safe } from './terminal.ts'

export interface ShownPoint {
  readonly atMs: number
  /** What can be drawn and compared; absent for words, for bad values, and where there is none. */
  readonly number: number | undefined
  readonly text: string
  readonly quality: Quality
  /** Values in the window; 0 where there are no windows. */
  readonly count: number
}

export interface ShownSeries {
  readonly series: Series
  /** As short as it may be and still be told from the others. */
  readonly name: string
  readonly unit: string
  /** Oldest first. */
  readonly points: readonly ShownPoint[]
  readonly truncated: boolean
  /** When the last value that is known of was observed, within the range. */
  readonly lastMs: number
}

export interface Range {
  readonly fromMs: number
  readonly toMs: number
  /** Absent: values as they are. */
  readonly windowMs?: number
  readonly aggregate?: SeriesAggregate
}

export interface Answer extends Range {
  readonly quantity: string
  readonly askedMs: number
  /** The store has all that was logged before it. */
  readonly completeUntilMs: number
  readonly shown: readonly ShownSeries[]
  /** Known, and asked for, with nothing within the range. */
  readonly silent: readonly { readonly name: string; readonly firstMs: number; readonly lastMs: number }[]
  readonly truncated: boolean
}

interface Known {
  readonly quantity: string
  readonly range: Range
  readonly askedMs: number
  readonly listed: readonly Series[]
}

export function answerOf(response: QuerySeriesResponse, { quantity, range, askedMs, listed }: Known): Answer {
  const data = response.series ?? []
  const found = data.map(({ series = {} }) => series)
  const lastMsOf = new Map(listed.map((series) => [keyOf(series), msOf(series.lastAt)]))
  const foundKeys = new Set(found.map(keyOf))
  const silent = listed.filter((series) => !foundKeys.has(keyOf(series)))
  const names = namesOf([...found, ...silent])
  return {
    ...range,
    quantity,
    askedMs,
    completeUntilMs: response.completeUntil ? msOf(response.completeUntil) : askedMs,
    truncated: response.truncated ?? false,
    shown: data.map(({ points = [], truncated = false }, at) => {
      const series = found[at]!
      const shownPoints = points.map((point) => shownPoint(point, range))
      const endMs = (shownPoints.at(-1)?.atMs ?? range.fromMs) + (range.windowMs ?? 0)
      const listedMs = lastMsOf.get(keyOf(series))
      const isWithin = listedMs !== undefined && listedMs < range.toMs
      return {
        series,
        name: names[at]!,
        // How many there are has no unit, whatever they are.
        unit: range.aggregate === SeriesAggregate.COUNT ? '' : unitText(safe(series.unit ?? '', 20)),
        points: shownPoints,
        truncated,
        lastMs: isWithin ? listedMs : Math.min(endMs, range.toMs),
      }
    }),
    silent: silent.map((series, at) => ({
      name: names[found.length + at]!,
      firstMs: msOf(series.firstAt),
      lastMs: msOf(series.lastAt),
    })),
  }
}

const msOf = (at: Series['lastAt']): number => Number((timestampNs(at) ?? 0n) / nsPerMs)

/** Only FIRST and LAST may be a bad value itself; a mean or a largest has none in it. */
function shownPoint(point: SeriesPoint, { windowMs, aggregate }: Range): ShownPoint {
  const quality = point.quality ?? Quality.UNSPECIFIED
  const isOne = windowMs === undefined || aggregate === SeriesAggregate.FIRST || aggregate === SeriesAggregate.LAST
  const isBad = quality === Quality.BAD || quality === Quality.MISSING
  const number = numberOf(point)
  return {
    atMs: msOf(point.at),
    number: (isOne && isBad) || !Number.isFinite(number) ? undefined : number,
    text: valueText(point),
    quality,
    count: toNumber(point.count),
  }
}

function numberOf(point: SeriesPoint): number | undefined {
  switch (point.value) {
    case 'number':
      return point.number
    case 'integer':
      return Number(toBigInt(point.integer))
    case 'flag':
      return Number(point.flag)
    default:
      return undefined
  }
}

function valueText(point: SeriesPoint): string {
  switch (point.value) {
    case 'number':
      return numberText(point.number)
    case 'integer':
      return String(point.integer)
    case 'flag':
      return point.flag ? 'yes' : 'no'
    case 'text':
      return `“${safe(point.text, 200)}”`
    default:
      return '–'
  }
}

/** What makes a series one (gateway/telemetry/store.ts). */
const keyOf = (series: Series): string => JSON.stringify(tellingApart.map((field) => series[field] ?? null))

const tellingApart = [
  'device', 'index', 'messageStatus', 'unit', 'subject', 'jurisdiction', 'deviceClass', 'owner', 'quantity',
] as const // prettier-ignore

/** "gauge-7", "gauge-7 #1", "gauge-7 EXERCISE", "gauge-7 (m)" where another gauge-7 measures in feet. */
export function namesOf(all: readonly Series[]): string[] {
  const alike = new Map<string, Series[]>()
  for (const series of all) {
    const name = shortName(series)
    const same = alike.get(name)
    if (same) same.push(series)
    else alike.set(name, [series])
  }
  return all.map((series) => {
    const name = shortName(series)
    const same = alike.get(name) ?? []
    const apart = tellingApart
      .filter((field) => same.some((other) => (other[field] ?? '') !== (series[field] ?? '')))
      .map((field) => safe(String(series[field] ?? ''), 60) || `no ${wordsOf(field)}`)
    return apart.length > 0 ? `${name} (${apart.join(', ')})` : name
  })
}

const wordsOf = (field: string): string => field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

function shortName({ device = '', subject = '', index, messageStatus }: Series): string {
  const status = messageStatus === MessageStatus.ACTUAL ? '' : nameOf(MessageStatus, messageStatus).toUpperCase()
  return [safe(device || subject || '–', 60), index === undefined ? '' : `#${index}`, status]
    .filter((part) => part !== '')
    .join(' ')
}
