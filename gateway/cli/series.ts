// Lists the series of values that the telemetry store has, with when each was heard last.

import { MessageStatus } from '../../proto/generated/types.ts'
import type { Series } from '../../proto/generated/types.ts'
import { nsPerMs, timestamp, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { printColumns } from './columns.ts'
import { type Command, type Given, wholeNumber } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { nameOf, unitText } from './event-summary.ts'
import { listSeries, seriesMax } from './list-series.ts'
import { seriesCsv } from './series-csv.ts'
import { formatOf, formats, printCsv } from './series-format.ts'
import { heardText } from './series-table.ts'
import { safe, safeJson, type Terminal } from './terminal.ts'
import { parseTime, stampText, zoneText } from './time.ts'

const limitDefault = 1_000
const answerCodec = codec('tocsin.v1.ListSeriesResponse')

export const series: Command = {
  name: 'series',
  usage: '[options]',
  about: 'Lists the series of values that are kept, and when each was heard last.',
  options: {
    quantity: { value: 'QUANTITY', many: true, about: 'Only these quantities.' },
    device: { value: 'DEVICE', many: true, about: 'Only these devices; a * at the end stands for any ending.' },
    'active-since': { value: 'TIME', about: 'Only those with a value at or after this time, such as 15m.' },
    limit: { value: 'N', about: `At most so many; default ${limitDefault}, most ${seriesMax}.` },
    format: {
      value: 'FORMAT',
      of: () => formats,
      about: 'table (default), csv (RFC 4180, UTC) or json (a ListSeriesResponse).',
    },
    ...connectionOptions,
  },
  wordsMax: 0,
  examples: [
    ['tocsin series', 'All of them.'],
    ["tocsin series --device 'gauge-*' --active-since 15m", 'The gauges that are heard.'],
  ],
  async run(given, terminal) {
    const format = formatOf(given)
    const limit = wholeNumber(given, 'limit', 1, seriesMax) ?? limitDefault
    const request = requestOf(given)
    const connection = connect(given)
    try {
      const { series: found, isAll } = await listSeries(connection, request, limit)
      if (format === 'json') terminal.print(safeJson(answerCodec.toJson({ series: found })))
      else if (format === 'csv') printCsv(seriesCsv(found), terminal)
      else if (found.length > 0) printSeries(found, terminal)
      if (found.length === 0) terminal.tell('no series matches')
      if (!isAll) terminal.tell(`TRUNCATED: there are more than these ${found.length} series; see --limit`)
      return 0
    } finally {
      connection.close()
    }
  },
}

function requestOf(given: Given) {
  const since = given.text('active-since')
  return {
    quantities: [...given.texts('quantity')],
    devices: [...given.texts('device')],
    ...(since !== undefined && { activeSince: timestamp(parseTime(since, 'active-since')) }),
  }
}

function printSeries(found: readonly Series[], terminal: Terminal): void {
  const askedMs = Date.now()
  const isActual = (status: MessageStatus | undefined): boolean => status === MessageStatus.ACTUAL
  printColumns<Series>(
    found,
    [
      { head: 'quantity', text: ({ quantity = '' }) => safe(quantity, 60) },
      { head: 'device', text: ({ device = '' }) => safe(device, 60) },
      { head: 'index', right: true, text: ({ index }) => (index === undefined ? '' : String(index)) },
      { head: 'unit', text: ({ unit = '' }) => unitText(safe(unit, 20)) },
      { head: 'class', text: ({ deviceClass = '' }) => safe(deviceClass.replaceAll('_', ' '), 40) },
      { head: 'subject', text: ({ subject = '' }) => safe(subject, 60) },
      {
        head: 'status',
        text: ({ messageStatus }) =>
          isActual(messageStatus) ? '' : nameOf(MessageStatus, messageStatus).toUpperCase(),
        paint: ({ messageStatus }, cell) =>
          isActual(messageStatus) ? cell : terminal.paint(['black', 'bgYellow'], cell),
      },
      { head: 'first kept', text: ({ firstAt }) => stampText(timestampNs(firstAt) ?? 0n).slice(0, -4) },
      { head: 'heard last', text: ({ lastAt }) => heardText(Number((timestampNs(lastAt) ?? 0n) / nsPerMs), askedMs) },
    ],
    terminal,
  )
  const zone = zoneText(BigInt(askedMs) * nsPerMs)
  terminal.tell(`${found.length} series; times are of this machine's zone (${zone})`)
}
