// Series as CSV (RFC 4180): a header, one row for each value, CRLF behind each; times in UTC (RFC 3339), numbers with all their digits.

import { MessageStatus, Quality, SeriesAggregate } from '../../proto/generated/types.ts'
import type { QuerySeriesResponse, Series, SeriesPoint } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { nameOf } from './event-summary.ts'
import type { Range } from './series-answer.ts'

const seriesHeader = [
  'quantity', 'device', 'index', 'subject', 'jurisdiction', 'owner', 'device_class', 'unit', 'status',
] // prettier-ignore

/** Windows come with how many values each has. */
export function* valuesCsv(
  { series: all = [] }: QuerySeriesResponse,
  { windowMs, aggregate }: Pick<Range, 'windowMs' | 'aggregate'>,
): Generator<string> {
  const isWindowed = windowMs !== undefined
  const header = ['time', 'value', 'quality', ...(isWindowed ? ['count'] : []), ...seriesHeader]
  yield csvRow(header)
  for (const { series = {}, points = [] } of all) {
    const which = seriesFields(aggregate === SeriesAggregate.COUNT ? { ...series, unit: '1' } : series)
    for (const point of points) {
      const count = isWindowed ? [String(toBigInt(point.count))] : []
      yield csvRow([timeText(point.at), valueText(point), qualityText(point), ...count, ...which])
    }
  }
}

export function* seriesCsv(all: readonly Series[]): Generator<string> {
  yield csvRow([...seriesHeader, 'first_at', 'last_at'])
  for (const series of all) yield csvRow([...seriesFields(series), timeText(series.firstAt), timeText(series.lastAt)])
}

/** RFC 4180 §2: a field that holds a comma, a quote or a line end stands in quotes, its own quotes twice. Without the CRLF. */
export const csvRow = (fields: readonly string[]): string =>
  fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')

const seriesFields = (series: Series): string[] => [
  series.quantity ?? '',
  series.device ?? '',
  series.index === undefined ? '' : String(series.index),
  series.subject ?? '',
  series.jurisdiction ?? '',
  series.owner ?? '',
  series.deviceClass ?? '',
  series.unit ?? '',
  nameOf(MessageStatus, series.messageStatus),
]

function timeText(at: SeriesPoint['at']): string {
  const ns = timestampNs(at)
  return ns === undefined ? '' : rfc3339(ns)
}

const qualityText = ({ quality }: SeriesPoint): string => nameOf(Quality, quality)

function valueText(point: SeriesPoint): string {
  switch (point.value) {
    case 'number':
      return String(point.number)
    case 'integer':
      return String(toBigInt(point.integer))
    case 'flag':
      return String(point.flag)
    case 'text':
      return point.text
    default:
      return ''
  }
}
