// Asks for measured values over time: a table, CSV, JSON, or a plot. What is missing is said, in every form.

import { MessageStatus, SeriesAggregate } from '../../proto/generated/types.ts'
import type { QuerySeriesRequest, QuerySeriesResponse, Series } from '../../proto/generated/types.ts'
import { duration, nsPerMs, timestamp } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { plotColumnsMin } from './braille-plot.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { nameOf } from './event-summary.ts'
import { named, namesOf } from './filter-options.ts'
import { listSeries, seriesMax, unknownSeries, withSetting } from './list-series.ts'
import { formatOf, formats, printCsv } from './series-format.ts'
import { answerOf, type Answer } from './series-answer.ts'
import { valuesCsv } from './series-csv.ts'
import { printPlot, printTable } from './series-table.ts'
import { missingText } from './silence.ts'
import { safeJson, type Terminal } from './terminal.ts'
import { parseSpanMs, parseTime } from './time.ts'

const dayMs = 86_400_000
const windowMsMin = 1_000
const columnsDefault = 80
const columnsMax = 1_000
/** Limits of QuerySeriesRequest. */
const pointsMost = 100_000
const seriesMost = 1_000
const answerCodec = codec('tocsin.v1.QuerySeriesResponse')

export const query: Command = {
  name: 'query',
  usage: 'QUANTITY [options]',
  about: 'Shows measured values over time: a table, CSV, JSON or a plot.',
  options: {
    device: { value: 'DEVICE', many: true, about: 'Only these devices; a * at the end stands for any ending.' },
    last: { value: 'LENGTH', about: 'So long before now (or before --to), such as 2h or 7d; default 24h.' },
    from: { value: 'TIME', about: 'Observed at or after this time.' },
    to: { value: 'TIME', about: 'Observed before this time; default now.' },
    window: { value: 'LENGTH', about: 'One value for each window of this length, such as 5m; at least 1 s.' },
    aggregate: {
      value: 'HOW',
      of: () => Object.keys(aggregates),
      about: 'What stands for a window: mean (default), min, max, sum, count, first, last.',
    },
    index: { value: 'N', about: 'Only this one, where a device repeats a quantity.' },
    status: {
      value: 'STATUS',
      many: true,
      of: () => namesOf(storedStatuses),
      about: 'Any of actual (default), exercise, system, test.',
    },
    'include-bad': { about: 'Also values of quality bad and missing.' },
    format: {
      value: 'FORMAT',
      of: () => formats,
      about: 'table (default), csv (RFC 4180, UTC) or json (a QuerySeriesResponse).',
    },
    plot: { about: 'Draws the values instead of listing them.' },
    width: { value: 'COLUMNS', about: `Of the plot; default: of the terminal, or ${columnsDefault}.` },
    'max-points': { value: 'N', about: `At most so many of each series; default 10000, most ${pointsMost}.` },
    'max-series': { value: 'N', about: `At most so many series; default 100, most ${seriesMost}.` },
    ...connectionOptions,
  },
  wordsMax: 1,
  wordOf: async () => [...(await import('../../adapters/quantities.ts')).quantities.keys()],
  examples: [
    ['tocsin query water_level', 'The last 24 hours of every device.'],
    ["tocsin query water_level --device 'gauge-*' --last 2h --plot", 'Drawn.'],
    ['tocsin query air_temperature --last 7d --window 1h --aggregate max', 'The highest of each hour.'],
    ['tocsin query water_level --from 2026-11-22 --to 2026-11-23 --format csv > levels.csv', 'For a spreadsheet.'],
  ],
  async run(given, terminal) {
    const plan = planOf(given)
    const connection = connect(given)
    try {
      return await ask(connection, plan, given, terminal)
    } finally {
      connection.close()
    }
  },
}

interface Plan {
  readonly request: QuerySeriesRequest & { readonly quantity: string }
  readonly devices: readonly string[]
  readonly statuses: readonly MessageStatus[]
  readonly index: number | undefined
  readonly askedMs: number
  readonly range: Pick<Answer, 'fromMs' | 'toMs' | 'windowMs' | 'aggregate'>
  readonly format: 'table' | 'csv' | 'json'
  readonly columns: number | undefined
}

function planOf(given: Given): Plan {
  const [quantity] = given.words
  if (quantity === undefined) throw new UsageError('name the quantity, such as water_level; tocsin series lists them')
  const askedMs = Date.now()
  const { fromMs, toMs } = rangeOf(given, askedMs)
  const windowMs = optional(given.text('window'), (text) => parseSpanMs(text, 'window', windowMsMin))
  const aggregate = optional(given.text('aggregate'), aggregateOf)
  if (aggregate !== undefined && windowMs === undefined)
    throw new UsageError('--aggregate needs --window: without windows, values are given as they are')
  const statuses = given.texts('status').map((text) => named<MessageStatus>(storedStatuses, text, 'status'))
  const index = wholeNumber(given, 'index', 0, 0xffff_ffff)
  const format = formatOf(given)
  const columns = wholeNumber(given, 'width', plotColumnsMin, columnsMax)
  if (given.flag('plot') && format !== 'table') throw new UsageError(`--plot and --format ${format} exclude each other`)
  if (columns !== undefined && !given.flag('plot')) throw new UsageError('--width is the width of a plot; add --plot')
  const maxPoints = wholeNumber(given, 'max-points', 1, pointsMost)
  const maxSeries = wholeNumber(given, 'max-series', 1, seriesMost)
  return {
    request: {
      quantity,
      from: timestamp(nsOf(fromMs)),
      to: timestamp(nsOf(toMs)),
      messageStatuses: statuses,
      includeBad: given.flag('include-bad'),
      ...(windowMs !== undefined && { window: duration(nsOf(windowMs)) }),
      ...(aggregate !== undefined && { aggregate }),
      ...(index !== undefined && { index }),
      ...(maxPoints !== undefined && { maxPoints }),
      ...(maxSeries !== undefined && { maxSeries }),
    },
    devices: given.texts('device'),
    statuses: statuses.length > 0 ? statuses : [MessageStatus.ACTUAL],
    index,
    askedMs,
    range: { fromMs, toMs, ...(windowMs !== undefined && { windowMs }), ...(aggregate !== undefined && { aggregate }) },
    format,
    columns,
  }
}

const nsOf = (ms: number): bigint => BigInt(ms) * nsPerMs
const msOf = (ns: bigint): number => Number(ns / nsPerMs)
const optional = <Value>(text: string | undefined, read: (text: string) => Value): Value | undefined =>
  text === undefined ? undefined : read(text)

function rangeOf(given: Given, askedMs: number): { readonly fromMs: number; readonly toMs: number } {
  const [from, to, last] = [given.text('from'), given.text('to'), given.text('last')]
  if (from !== undefined && last !== undefined) throw new UsageError('--from and --last exclude each other')
  const toMs = to === undefined ? askedMs : msOf(parseTime(to, 'to'))
  const lastMs = last === undefined ? dayMs : parseSpanMs(last, 'last', 1_000)
  const fromMs = from === undefined ? toMs - lastMs : msOf(parseTime(from, 'from'))
  if (fromMs < toMs) return { fromMs, toMs }
  throw new UsageError(`--from must lie before ${to === undefined ? 'now' : '--to'}`)
}

const aggregates: Readonly<Record<string, SeriesAggregate>> = {
  mean: SeriesAggregate.MEAN,
  min: SeriesAggregate.MINIMUM,
  max: SeriesAggregate.MAXIMUM,
  sum: SeriesAggregate.SUM,
  count: SeriesAggregate.COUNT,
  first: SeriesAggregate.FIRST,
  last: SeriesAggregate.LAST,
}

function aggregateOf(text: string): SeriesAggregate {
  const aggregate = Object.hasOwn(aggregates, text) ? aggregates[text] : undefined
  if (aggregate !== undefined) return aggregate
  throw new UsageError(`--aggregate may be ${Object.keys(aggregates).join(', ')}; it is "${text}"`)
}

/** Drafts are in no store. */
const storedStatuses = {
  ACTUAL: MessageStatus.ACTUAL,
  EXERCISE: MessageStatus.EXERCISE,
  SYSTEM: MessageStatus.SYSTEM,
  TEST: MessageStatus.TEST,
}

async function ask(connection: Connection, plan: Plan, given: Given, terminal: Terminal): Promise<number> {
  const { quantity } = plan.request
  const { series, isAll } = await listSeries(connection, { quantities: [quantity], devices: [...plan.devices] })
  if (series.length === 0) throw await unknownSeries(connection, quantity, plan.devices)
  const listed = series.filter(
    ({ messageStatus = 0, index }) =>
      plan.statuses.includes(messageStatus) && (plan.index === undefined || index === plan.index),
  )
  if (listed.length === 0 && isAll) throw new UsageError(elsewhere(plan, series))
  // QuerySeries knows no patterns: it is asked for the devices that they fit.
  const isPattern = plan.devices.some((device) => device.endsWith('*'))
  const devices = isPattern ? [...new Set(series.map(({ device = '' }) => device))] : [...plan.devices]
  if (devices.length > seriesMost)
    throw new UsageError(`--device fits ${devices.length} devices; a query takes at most ${seriesMost}`)
  const response = await connection
    .call('TelemetryService/QuerySeries', { ...plan.request, devices })
    .catch((error: unknown) => Promise.reject(withSetting(error)))
  const { range, askedMs } = plan
  show(response, answerOf(response, { quantity, range, askedMs, listed }), { plan, given, terminal })
  if (!isAll) terminal.tell(`there are more than ${seriesMax} series; silent ones are told of only among the first`)
  return 0
}

/** The quantity is known, but not as it was asked for. */
function elsewhere({ statuses, index }: Plan, series: readonly Series[]): string {
  const there = [...new Set(series.map(({ messageStatus }) => nameOf(MessageStatus, messageStatus)))].join(', ')
  const asked = statuses.map((status) => nameOf(MessageStatus, status)).join(', ')
  const indexes = [...new Set(series.flatMap((each) => (each.index === undefined ? [] : [each.index])))].slice(0, 12)
  const which =
    index === undefined ? '' : `, --index may be ${indexes.length > 0 ? indexes.join(', ') : 'left out only'}`
  return `there are values of it, but none with status ${asked}${index === undefined ? '' : ` and index ${index}`}: --status may be ${there}${which}`
}

interface Showing {
  readonly plan: Plan
  readonly given: Given
  readonly terminal: Terminal
}

function show(response: QuerySeriesResponse, answer: Answer, { plan, given, terminal }: Showing): void {
  if (plan.format === 'table') {
    if (given.flag('plot')) printPlot(answer, terminal, plan.columns ?? terminal.width ?? columnsDefault)
    else printTable(answer, terminal)
    return
  }
  if (plan.format === 'json') terminal.print(safeJson(answerCodec.toJson(response)))
  else printCsv(valuesCsv(response, plan.range), terminal)
  for (const text of missingText(answer)) terminal.tell(text)
}
