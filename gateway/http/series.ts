// /v1/series: which series of values there are, and their values, as JSON or as CSV for a spreadsheet. What a window and a limit mean
// is decided where gRPC's are.

import { setImmediate as breathe } from 'node:timers/promises'
import { MessageStatus, Quality, SeriesAggregate } from '../../proto/generated/types.ts'
import type { QuerySeriesRequest, QuerySeriesResponse, Series, SeriesPoint } from '../../proto/generated/types.ts'
import { toBigInt, toNumber } from '../../proto/int64.ts'
import { duration, nsPerMs, rfc3339, timestamp, timestampNs } from '../../proto/time.ts'
import { mayReadOf, storeSetUp } from '../grpc/telemetry-service.ts'
import type { TelemetryStore } from '../telemetry/store.ts'
import { filterParameters, nameOf, namesOf, valueOf } from './filter-parameters.ts'
import { type Given, tokenText } from './given.ts'
import { accepts } from './media-types.ts'
import type { Call, Parameters, Reply, Route } from './route.ts'

export interface SeriesParts {
  /** Absent: the settings leave it out, and the answers say so. */
  readonly telemetry?: TelemetryStore
}

const jsonType = 'application/json'
const csvType = 'text/csv'
/** Points written before others get their turn: about a millisecond's worth. */
const chunkPoints = 2_000

const { status } = filterParameters

const listParameters: Parameters = {
  quantity: { in: 'query', kind: 'texts', about: 'Only these quantities, such as water_level.' },
  device: { in: 'query', kind: 'texts', about: 'Only these devices; a * at the end stands for any ending.' },
  jurisdiction: { in: 'query', kind: 'texts', about: 'Only these jurisdictions.' },
  since: { in: 'query', kind: 'time', about: 'Only series with a value at or after this time.', example: '1d' },
  limit: { in: 'query', kind: 'count', min: 1, max: 1_000, default: 100, about: 'At most so many.' },
  page: { in: 'query', kind: 'token', about: '`nextPage` of the page before, with the same other parameters.' },
}

const queryParameters: Parameters = {
  quantity: { in: 'path', kind: 'text', required: true, about: 'The quantity.', example: 'water_level' },
  device: { in: 'query', kind: 'texts', about: 'Only these devices.' },
  subject: { in: 'query', kind: 'texts', about: 'Only these subjects.' },
  from: { in: 'query', kind: 'time', about: 'Observed at or after this time; the last day without it.', example: '6h' },
  to: { in: 'query', kind: 'time', about: 'Observed before this time; now without it.' },
  window: {
    in: 'query',
    kind: 'span',
    about: 'One point for so long each; without it values as they are.',
    example: '5m',
  },
  aggregate: {
    in: 'query',
    kind: 'name',
    of: namesOf(SeriesAggregate),
    about: 'What stands for a window: the mean without it.',
  },
  ...(status && { status: { ...status, about: 'Only these message statuses; what is real without it.' } }),
  bad: { in: 'query', kind: 'flag', default: false, about: 'Also values marked as bad or missing.' },
  points: {
    in: 'query',
    kind: 'count',
    min: 1,
    max: 100_000,
    default: 10_000,
    about: 'At most so many for each series.',
  },
  series: { in: 'query', kind: 'count', min: 1, max: 1_000, default: 100, about: 'At most so many series.' },
  index: { in: 'query', kind: 'count', about: 'Only this one, where a message repeats the quantity.' },
}

export function seriesRoutes({ telemetry }: SeriesParts): readonly Route[] {
  const store = (): TelemetryStore => storeSetUp(telemetry)
  return [
    {
      method: 'GET',
      path: '/v1/series',
      group: 'Series',
      name: 'listSeries',
      about: 'Which series of values there are: a quantity of a device each.',
      parameters: listParameters,
      answers: [{ status: 200, about: 'A page.', type: jsonType, schema: 'SeriesPage' }],
      handle: list,
    },
    {
      method: 'GET',
      path: '/v1/series/{quantity}',
      group: 'Series',
      name: 'querySeries',
      about: `Values of a quantity over time, as they were measured or by windows; \`Accept: ${csvType}\` gives a table.`,
      parameters: queryParameters,
      answers: [
        { status: 200, about: 'The values, series by series.', type: jsonType, schema: 'SeriesValues' },
        { status: 200, about: 'The same as a table.', type: csvType },
      ],
      handle: query,
    },
  ]

  async function list({ given, view }: Call): Promise<Reply> {
    const [since, page] = [given.time('since'), given.token('page')]
    const request = {
      quantities: [...given.texts('quantity')],
      devices: [...given.texts('device')],
      jurisdictions: [...given.texts('jurisdiction')],
      pageSize: given.count('limit') ?? 0,
      ...(since !== undefined && { activeSince: timestamp(since) }),
      ...(page && { pageToken: page }),
    }
    const { series = [], nextPageToken } = await store().listSeries(request, mayReadOf(view))
    return {
      json: { series: series.map(seriesJson), ...(nextPageToken?.length && { nextPage: tokenText(nextPageToken) }) },
    }
  }

  async function query({ given, view, accept, now }: Call): Promise<Reply> {
    const values = await store().querySeries(requestOf(given, now), mayReadOf(view))
    if (accepts(accept, [jsonType, csvType]) === csvType) return csvReply(values)
    const completeUntil = timestampNs(values.completeUntil)
    const series = []
    for (const each of values.series ?? []) {
      const points = await inChunks(each.points ?? [], pointJson)
      series.push({ ...seriesJson(each.series ?? {}), points, ...(each.truncated && { truncated: true }) })
    }
    return {
      json: {
        series,
        ...(completeUntil !== undefined && { completeUntil: rfc3339(completeUntil) }),
        ...(values.truncated && { truncated: true }),
      },
    }
  }
}

const dayNs = 86_400_000n * nsPerMs

function requestOf(given: Given, now: bigint): QuerySeriesRequest {
  const [to, windowMs, aggregate, index] = [
    given.time('to'),
    given.spanMs('window'),
    given.text('aggregate'),
    given.count('index'),
  ]
  return {
    quantity: given.text('quantity') ?? '',
    devices: [...given.texts('device')],
    subjects: [...given.texts('subject')],
    from: timestamp(given.time('from') ?? (to ?? now) - dayNs),
    ...(to !== undefined && { to: timestamp(to) }),
    ...(windowMs !== undefined && { window: duration(BigInt(windowMs) * nsPerMs) }),
    ...(aggregate !== undefined && { aggregate: valueOf(SeriesAggregate, aggregate) }),
    messageStatuses: given.texts('status').map((text) => valueOf(MessageStatus, text)),
    includeBad: given.flag('bad'),
    maxPoints: given.count('points') ?? 0,
    maxSeries: given.count('series') ?? 0,
    ...(index !== undefined && { index }),
  }
}

function seriesJson(series: Series) {
  const {
    quantity = '',
    device = '',
    subject = '',
    unit = '',
    jurisdiction = '',
    owner = '',
    deviceClass = '',
  } = series
  const [firstAt, lastAt] = [timestampNs(series.firstAt), timestampNs(series.lastAt)]
  return {
    quantity,
    device,
    ...(series.index !== undefined && { index: series.index }),
    unit,
    subject,
    jurisdiction,
    ...(owner && { owner }),
    ...(deviceClass && { deviceClass }),
    status: nameOf(MessageStatus, series.messageStatus),
    ...(firstAt !== undefined && { firstAt: rfc3339(firstAt) }),
    ...(lastAt !== undefined && { lastAt: rfc3339(lastAt) }),
  }
}

/** A whole number beyond 2^53 is text: JSON numbers of most readers would round it. */
function valueIn(point: SeriesPoint): number | string | boolean | null {
  switch (point.value) {
    case 'number':
      return point.number
    case 'integer': {
      const whole = toBigInt(point.integer)
      return BigInt(Number(whole)) === whole && Number.isSafeInteger(Number(whole)) ? Number(whole) : String(whole)
    }
    case 'flag':
      return point.flag
    case 'text':
      return point.text
    default:
      return null
  }
}

function pointJson(point: SeriesPoint) {
  const count = toNumber(point.count)
  return {
    at: rfc3339(timestampNs(point.at) ?? 0n),
    value: valueIn(point),
    ...(point.quality && { quality: nameOf(Quality, point.quality) }),
    ...(count > 0 && { count }),
  }
}

async function csvReply({ series = [], truncated }: QuerySeriesResponse): Promise<Reply> {
  const texts = ['at,device,index,quantity,unit,status,value,quality,count\r\n']
  for (const { series: key = {}, points = [] } of series) {
    const { device = '', index = '', quantity = '', unit = '' } = key
    const fixed = [device, index, quantity, unit, nameOf(MessageStatus, key.messageStatus)].map(cell).join(',')
    const rows = await inChunks(points, (point) => {
      const count = toNumber(point.count)
      const rest = [cell(valueIn(point) ?? ''), nameOf(Quality, point.quality), count > 0 ? count : ''].join(',')
      return `${rfc3339(timestampNs(point.at) ?? 0n)},${fixed},${rest}\r\n`
    })
    texts.push(rows.join(''))
  }
  const isCut = (truncated ?? false) || series.some((each) => each.truncated)
  return {
    type: `${csvType}; charset=utf-8; header=present`,
    headers: { 'x-truncated': String(isCut) },
    body: texts.join(''),
  }
}

// RFC 4180 §2. A text that a spreadsheet would take for a formula is made one that it does not.
function cell(value: string | number | boolean): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

async function inChunks<From, Made>(from: readonly From[], make: (each: From) => Made): Promise<Made[]> {
  const made: Made[] = []
  for (const [at, each] of from.entries()) {
    made.push(make(each))
    if (at % chunkPoints === chunkPoints - 1) await breathe()
  }
  return made
}
