// Shows events that are kept: a table of those that match, or all of one with the message it came in.

import type { Frame, ListEventsRequest, Record as StoredRecord } from '../../proto/generated/types.ts'
import { Lane } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { rfc3339, timestamp, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { idText, parseId } from '../ids.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { createEventLines, eventJson, eventOf, voidFlag } from './event-line.ts'
import { nameOf } from './event-summary.ts'
import { filterOf, filterOptions } from './filter-options.ts'
import { payloadText } from './payload-text.ts'
import { counted, safe, safeJson, type Terminal } from './terminal.ts'
import { parseTime, stampText } from './time.ts'

const limitDefault = 20
const limitMax = 1_000_000
const pageSizeMax = 1_000
const eventCodec = codec('tocsin.v1.Event')

export const events: Command = {
  name: 'events',
  usage: '[ID] [options]',
  about: 'Shows events that are kept, or all of one by its id.',
  options: {
    ...filterOptions,
    from: { value: 'TIME', about: 'Logged at or after this time; without it, the last ones are shown.' },
    to: { value: 'TIME', about: 'Logged before this time.' },
    limit: { value: 'N', about: `At most so many; default ${limitDefault}.` },
    newest: { about: 'Newest first.' },
    json: { about: 'One line of JSON for each event.' },
    raw: { about: 'With an ID: also the message it came in, byte for byte.' },
    ...connectionOptions,
  },
  wordsMax: 1,
  examples: [
    ['tocsin events', 'The last 20.'],
    ['tocsin events --kind alert --from 2h', 'The alerts of the last two hours.'],
    ['tocsin events 0199a4d2-7c1e-7a30-8000-0123456789ab --raw', 'All of one, and the message it came in.'],
  ],
  async run(given, terminal) {
    const [word] = given.words
    const connection = connect(given)
    try {
      return await (word === undefined
        ? list(connection, given, terminal)
        : showOne(connection, idOf(word), given, terminal))
    } finally {
      connection.close()
    }
  },
}

export function idOf(word: string): Uint8Array {
  const id = parseId(word)
  if (id) return id
  throw new UsageError(`"${word}" is no id; an id looks like 0199a4d2-7c1e-7a30-8000-0123456789ab`)
}

async function list(connection: Connection, given: Given, terminal: Terminal): Promise<number> {
  const [from, to] = [given.text('from'), given.text('to')]
  const limit = wholeNumber(given, 'limit', 1, limitMax) ?? limitDefault
  const isNewestFirst = given.flag('newest')
  // Without a beginning, "the last 20" is what is meant: they are fetched from the end, and shown in order.
  const isTail = from === undefined && !isNewestFirst
  const request: ListEventsRequest = {
    filter: filterOf(given),
    ...(from !== undefined && { from: timestamp(parseTime(from, 'from')) }),
    ...(to !== undefined && { to: timestamp(parseTime(to, 'to')) }),
    newestFirst: isNewestFirst || isTail,
  }
  const lines = createEventLines(terminal)
  const show = given.flag('json') ? eventJson : (record: StoredRecord) => lines.line(record, { day: true, id: true })
  const held: StoredRecord[] = []
  let count = 0
  for await (const record of pages(connection, request, limit)) {
    count += 1
    if (isTail) held.push(record)
    else terminal.print(show(record))
  }
  for (const record of held.toReversed()) terminal.print(show(record))
  if (count === 0) terminal.tell('no event matches')
  else if (count === limit) terminal.tell(`${counted(count, 'event')}; there may be more, see --limit`)
  return 0
}

async function* pages(connection: Connection, request: ListEventsRequest, limit: number): AsyncGenerator<StoredRecord> {
  let left = limit
  let pageToken = new Uint8Array()
  do {
    const pageSize = Math.min(left, pageSizeMax)
    const page = await connection.call('EventService/ListEvents', { ...request, pageSize, pageToken })
    for (const record of page.records ?? []) {
      if (((record.flags ?? 0) & voidFlag) !== 0) continue
      yield record
      left -= 1
    }
    pageToken = new Uint8Array(page.nextPageToken ?? [])
  } while (left > 0 && pageToken.length > 0)
}

async function showOne(connection: Connection, id: Uint8Array, given: Given, terminal: Terminal): Promise<number> {
  const includeRaw = given.flag('raw')
  const { record = {}, frame } = await connection.call('EventService/GetEvent', { id, includeRaw })
  if (given.flag('json')) {
    terminal.print(eventJson(record))
    return 0
  }
  const { print, paint } = terminal
  const event = eventOf(record)
  print(createEventLines(terminal).line(record, { day: true }))
  print('')
  const sequence = toBigInt(record.sequence as never)
  print(
    `${paint('dim', 'in the log')}   ${nameOf(Lane, record.lane)} ${sequence}, ${rfc3339(toBigInt(record.loggedAtNs as never))}`,
  )
  print(`${paint('dim', 'frame')}        ${record.frameId?.length ? idText(record.frameId) : '–'}`)
  print(
    `${paint('dim', 'came by')}      ${safe(record.header?.topic || '–')} from ${safe(record.header?.sender || '–')}`,
  )
  if (event) print(`${paint('dim', 'event')}        ${safeJson(eventCodec.toJson(event), 2)}`)
  if (frame && includeRaw) printFrame(frame, terminal)
  else if (includeRaw) print('\nThe message it came in is no longer kept, or not for you.')
  return 0
}

export function printFrame(frame: Frame, { print, paint }: Terminal): void {
  const { payload = new Uint8Array(), contentType, receivedAt } = frame
  const at = timestampNs(receivedAt)
  const kind = contentType ? `, ${safe(contentType)}` : ''
  print(`\n${paint('dim', `the message, ${payload.length} bytes${kind}${at ? `, received ${stampText(at)}` : ''}`)}`)
  for (const warning of frame.warnings ?? []) print(paint('yellow', `warning: ${safe(warning)}`))
  print(payloadText(payload))
}
