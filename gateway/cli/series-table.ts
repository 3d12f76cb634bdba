// Series for people: the values of each with unit, quality and time of this machine's zone, or a plot; then one line for each series
// with its bounds, its last value and a sparkline; then what is missing.

import { MessageStatus, Quality, SeriesAggregate } from '../../proto/generated/types.ts'
import { braillePlot } from './braille-plot.ts'
import { printColumns } from './columns.ts'
import { nameOf, numberText } from './event-summary.ts'
import type { Answer, ShownPoint, ShownSeries } from './series-answer.ts'
import { missingText, silentMs, usualMs } from './silence.ts'
import { type Dot, sparkline } from './sparkline.ts'
import { safe, type Style, type Terminal } from './terminal.ts'
import { dayText, spanText, stampText, zoneText } from './time.ts'

const sparkColumnsMax = 24
/** The width of a column is judged by so many of its values. */
const alignedMax = 10_000
const plotRows = 12
const smallPlotRows = 6
/** As many as one tells apart; also how many plots stand below each other at most. */
const pens: readonly Style[] = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'red']
const plotsMax = 12
/** Of the usual interval: a message may be late, and one may be lost. */
const joinIntervals = 3

export function printTable(answer: Answer, terminal: Terminal): void {
  printHead(answer, terminal)
  for (const each of answer.shown) printValues(each, answer, terminal)
  printEnd(answer, terminal)
}

export function printPlot(answer: Answer, terminal: Terminal, columns: number): void {
  printHead(answer, terminal)
  const { print, paint } = terminal
  const drawn = answer.shown.filter(({ points }) => points.some(({ number }) => number !== undefined))
  const hasColours = paint('cyan', '.') !== '.'
  // Metres and feet never share an axis.
  const units = [...new Set(drawn.map(({ unit }) => unit))]
  const together = units.map((unit) => drawn.filter((each) => each.unit === unit))
  const plots = together.flatMap((group) =>
    hasColours && group.length <= pens.length ? [group] : group.map((each) => [each]),
  )
  for (const group of plots.slice(0, plotsMax)) {
    print('')
    const names = group.map(({ name, series }, at) => paint(pens[at]!, name) + shoutOf(series.messageStatus, terminal))
    print(names.join('  '))
    const lines = group.map((each, at) => ({
      dots: dotsOf(each, answer),
      joinMs: joinMs(each, answer),
      style: pens[at]!,
    }))
    const rows = plots.length > 1 ? smallPlotRows : plotRows
    const unit = group[0]?.unit ?? ''
    // Plots of one unit have one axis, so that they can be compared.
    const peers = drawn
      .filter((each) => each.unit === unit)
      .flatMap((each) => dotsOf(each, answer).map(([, value]) => value))
    const frame = { fromMs: answer.fromMs, toMs: answer.toMs, columns, rows, unit, axisOf: peers }
    for (const line of braillePlot(lines, frame, paint)) print(line)
  }
  if (plots.length > plotsMax) print(`${plots.length - plotsMax} more are not drawn; name some with --device`)
  const words = answer.shown.filter((each) => !drawn.includes(each)).map(({ name }) => name)
  if (words.length > 0) print(`\nnothing that can be drawn: ${words.join(', ')}`)
  printEnd(answer, terminal)
}

const aggregateWords: Readonly<Partial<Record<SeriesAggregate, string>>> = {
  [SeriesAggregate.UNSPECIFIED]: 'mean',
  [SeriesAggregate.MEAN]: 'mean',
  [SeriesAggregate.MINIMUM]: 'smallest',
  [SeriesAggregate.MAXIMUM]: 'largest',
}

function printHead(
  { quantity, fromMs, toMs, windowMs, aggregate = 0, shown }: Answer,
  { print, paint }: Terminal,
): void {
  const word = aggregateWords[aggregate] ?? nameOf(SeriesAggregate, aggregate)
  const how = windowMs === undefined ? '' : `, ${word} of every ${spanText(windowMs)}`
  const range = `${stampOf(fromMs)} to ${stampOf(toMs)} (${zonesOf(fromMs, toMs)})`
  const name = paint('bold', safe(quantity.replaceAll('_', ' ')))
  print(`${name}${how}, ${shown.length} series, ${range}`)
}

function printValues({ series, name, unit, points }: ShownSeries, { windowMs }: Answer, terminal: Terminal): void {
  const { print, paint } = terminal
  print(`\n${paint('bold', name)}${shoutOf(series.messageStatus, terminal)}${placeOf(series)}`)
  const isZoned = points.some(({ atMs }) => zoneOf(atMs) !== zoneOf(points[0]!.atMs))
  const hasMs = points.some(({ atMs }) => atMs % 1_000 !== 0)
  const time = (ms: number): string =>
    (hasMs ? stampText(nsOf(ms)) : stampText(nsOf(ms)).slice(0, -4)) + (isZoned ? ` ${zoneOf(ms)}` : '')
  const decimals = Math.max(0, ...points.map(decimalsOf).slice(0, alignedMax))
  const aligned = (point: ShownPoint): string =>
    point.number === undefined ? point.text : point.text + ' '.repeat(Math.max(decimals - decimalsOf(point), 0))
  const rows = points.flatMap((point, at) => {
    const before = points[at - 1]
    const emptyMs = before && windowMs !== undefined ? point.atMs - before.atMs - windowMs : 0
    const gap = emptyMs > 0 ? [{ gap: `no value for ${spanText(emptyMs)}` }] : []
    return [...gap, { point, gap: undefined }]
  })
  type Row = { readonly point?: ShownPoint; readonly gap: string | undefined }
  const quality = ({ point }: Row): string => (point ? qualityText(point.quality) : '')
  printColumns<Row>(
    rows,
    [
      {
        head: windowMs === undefined ? 'time' : 'window begins',
        text: ({ point, gap }) => (point ? time(point.atMs) : `··· ${gap}`),
        paint: ({ gap }, cell) => (gap ? paint('yellow', cell) : cell),
      },
      { head: 'value', right: true, text: ({ point }) => (point ? aligned(point) : '') },
      { head: unit === '' ? '' : 'unit', text: ({ point }) => (point && point.text !== '–' ? unit : '') },
      { head: 'values', right: true, text: ({ point }) => (point && point.count > 0 ? String(point.count) : '') },
      {
        head: 'quality',
        text: quality,
        paint: ({ point }, cell) => paint(point?.quality === Quality.BAD ? ['red', 'bold'] : 'yellow', cell),
      },
    ],
    terminal,
  )
}

/** Columns behind the whole number, with the point. */
const decimalsOf = ({ text, number }: ShownPoint): number =>
  number === undefined ? 0 : (/^-?\d+(\.\d+)$/.exec(text)?.[1]?.length ?? 0)

function printEnd(answer: Answer, terminal: Terminal): void {
  const { print, paint } = terminal
  if (answer.shown.length > 0) {
    print('')
    printSummary(answer, terminal)
  } else print('no value in this range')
  const missing = missingText(answer)
  if (missing.length > 0) print('')
  for (const text of missing) print(paint('yellow', text))
}

function printSummary(answer: Answer, terminal: Terminal): void {
  const rows = answer.shown.map((each) => {
    const numbers = each.points.flatMap(({ number }) => (number === undefined ? [] : [number]))
    return { ...each, least: least(numbers), greatest: greatest(numbers), last: each.points.at(-1) }
  })
  type Row = (typeof rows)[number]
  const withUnit = (text: string, { unit }: Row): string =>
    unit === '' || text === '' || text === '–' ? text : `${text} ${unit}`
  const bound = (row: Row, value: number | undefined): string =>
    value === undefined
      ? ''
      : withUnit(row.points.some(({ text }) => text === 'yes' || text === 'no') ? yesNo(value) : numberText(value), row)
  printColumns<Row>(
    rows,
    [
      { head: 'series', text: ({ name }) => name },
      {
        head: answer.windowMs === undefined ? 'values' : 'windows',
        right: true,
        text: ({ points, truncated }) => `${points.length}${truncated ? '+' : ''}`,
      },
      { head: 'lowest', right: true, text: (row) => bound(row, row.least) },
      { head: 'highest', right: true, text: (row) => bound(row, row.greatest) },
      { head: 'last', right: true, text: (row) => withUnit(row.last?.text ?? '', row) },
      {
        head: 'heard last',
        text: ({ lastMs }) => heardText(lastMs, answer.askedMs),
        paint: (row, cell) => (silentMs(row, answer) === undefined ? cell : terminal.paint('yellow', cell)),
      },
      { head: 'trend', text: (row) => trendOf(row, answer), paint: (_, cell) => terminal.paint('cyan', cell) },
    ],
    terminal,
  )
}

const trendOf = (each: ShownSeries, answer: Answer): string => {
  const dots = dotsOf(each, answer)
  return dots.length > 0 ? `▕${sparkline(dots, answer, sparkColumns(each, answer))}▏` : ''
}

/** No more than leave a value in each of them while the series keeps to its habit: a blank is silence. */
function sparkColumns({ points }: ShownSeries, { fromMs, toMs, windowMs }: Answer): number {
  const strideMs = windowMs ?? (usualMs(points) ?? 0) * 1.5
  return strideMs === 0
    ? sparkColumnsMax
    : Math.min(Math.max(Math.floor((toMs - fromMs) / strideMs), 1), sparkColumnsMax)
}

/** "12:04:05, 20 s ago", with the day where it is not today's. */
export function heardText(ms: number, askedMs: number): string {
  const isToday = dayText(nsOf(ms)) === dayText(nsOf(askedMs))
  const stamp = stampText(nsOf(ms)).slice(isToday ? 11 : 0, -4)
  return ms <= askedMs ? `${stamp}, ${spanText(askedMs - ms)} ago` : `${stamp}, ahead of the clock`
}

/** A window's value stands in its middle. */
const dotsOf = ({ points }: ShownSeries, { windowMs = 0 }: Answer): Dot[] =>
  points.flatMap(({ atMs, number }) => (number === undefined ? [] : [[atMs + windowMs / 2, number] as const]))

/** An empty window is never crossed; values as they are, are joined while they keep to the habit of their series. */
const joinMs = ({ points }: ShownSeries, { windowMs }: Answer): number =>
  windowMs ?? (usualMs(points) ?? 0) * joinIntervals

const shoutOf = (status: MessageStatus | undefined, { paint }: Terminal): string =>
  status === MessageStatus.ACTUAL
    ? ''
    : ` ${paint(['black', 'bgYellow'], ` ${nameOf(MessageStatus, status).toUpperCase() || 'STATUS UNKNOWN'} `)}`

function placeOf({ subject = '', deviceClass = '', jurisdiction = '' }: ShownSeries['series']): string {
  const parts = [deviceClass.replaceAll('_', ' '), subject, jurisdiction].filter((part) => part !== '')
  return parts.length > 0 ? `  (${safe(parts.join(', '), 200)})` : ''
}

const qualityText = (quality: Quality): string => (quality === Quality.GOOD ? '' : nameOf(Quality, quality))
const yesNo = (value: number): string => (value === 1 ? 'yes' : value === 0 ? 'no' : numberText(value))

/** Of many values, which a call of Math.min could not take. */
const least = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : numbers.reduce((a, b) => Math.min(a, b))
const greatest = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : numbers.reduce((a, b) => Math.max(a, b))

const nsOf = (ms: number): bigint => BigInt(Math.round(ms)) * 1_000_000n
const zoneOf = (ms: number): string => zoneText(nsOf(ms))
const stampOf = (ms: number): string => stampText(nsOf(ms)).slice(0, -4)
const zonesOf = (fromMs: number, toMs: number): string => [...new Set([zoneOf(fromMs), zoneOf(toMs)])].join(', then ')
