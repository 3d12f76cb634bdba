// /v1/events: pages of what is kept, one event, and the message it came in. What passes and what may be seen is decided by the same
// functions as over gRPC.

import { setImmediate as breathe } from 'node:timers/promises'
import type { Frame, ListEventsRequest, Record as WireRecord } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestamp } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { getEvent } from '../grpc/event-service.ts'
import { listEvents } from '../grpc/list-events.ts'
import type { Log } from '../log/log.ts'
import { filterOf, filterParameters } from './filter-parameters.ts'
import { type Given, tokenText } from './given.ts'
import { accepts } from './media-types.ts'
import type { Call, Parameters, Reply, Route } from './route.ts'
import { eventOf, frameJson, isVoid, recordJson } from './shapes.ts'

const pageCodec = codec('tocsin.v1.ListEventsResponse')
const oneCodec = codec('tocsin.v1.GetEventResponse')
/** Records written as JSON before others get their turn: about a millisecond's worth. */
const chunkRecords = 20

export const eventType = 'application/x-protobuf'
const jsonType = 'application/json'

export const listParameters: Parameters = {
  ...filterParameters,
  from: { in: 'query', kind: 'time', about: 'Logged at or after this time.', example: '2h' },
  to: { in: 'query', kind: 'time', about: 'Logged before this time.', example: '2026-11-22T12:00:00Z' },
  order: { in: 'query', kind: 'name', of: ['newest', 'oldest'], default: 'newest', about: 'Which come first.' },
  limit: { in: 'query', kind: 'count', min: 1, max: 1_000, default: 100, about: 'At most so many.' },
  page: { in: 'query', kind: 'token', about: '`nextPage` of the page before, with the same other parameters.' },
}

const idParameter: Parameters = { id: { in: 'path', kind: 'id', required: true, about: 'The id of an event.' } }

export function eventRoutes({ log }: { readonly log: Log }): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/events',
      group: 'Events',
      name: 'listEvents',
      about:
        'Events that are kept, newest first, a page at a time. A selective filter may give a short page with a next one.',
      parameters: listParameters,
      answers: [{ status: 200, about: 'A page.', type: jsonType, schema: 'EventPage' }],
      handle: ({ given, view }) => list(given, view),
    },
    {
      method: 'GET',
      path: '/v1/events/{id}',
      group: 'Events',
      name: 'getEvent',
      about: `One event. With \`Accept: ${eventType}\` it is the encoded tocsin.v1.Event.`,
      parameters: idParameter,
      answers: [
        { status: 200, about: 'The event.', type: jsonType, schema: 'Record' },
        { status: 200, about: 'The event, encoded.', type: eventType },
      ],
      handle: one,
    },
    {
      method: 'GET',
      path: '/v1/events/{id}/frame',
      group: 'Events',
      name: 'getEventFrame',
      about:
        'The message that an event came in, as it was received. With `Accept: application/octet-stream` only its bytes.',
      parameters: idParameter,
      answers: [
        { status: 200, about: 'The message.', type: jsonType, schema: 'Frame' },
        { status: 200, about: 'Its bytes.', type: bytesType },
      ],
      handle: frameOf,
    },
  ]

  async function list(given: Given, view: Call['view']): Promise<Reply> {
    const { records, nextPageToken } = pageCodec.decode(await listEvents({ log }, listRequest(given), view))
    const events = await inTurns(records ?? [], recordJson)
    return { json: { events, ...(nextPageToken?.length && { nextPage: tokenText(nextPageToken) }) } }
  }

  function get({ given, view }: Call, includeRaw: boolean) {
    return oneCodec.decode(getEvent(log, { id: given.id('id'), includeRaw }, { view }))
  }

  function one(call: Call): Reply {
    const { record = {} } = get(call, false)
    if (accepts(call.accept, [jsonType, eventType]) !== eventType) return { json: recordJson(record) }
    if (eventOf(record) && record.event) return { type: eventType, body: record.event }
    throw new GatewayError(
      'not_found',
      'The payload of this event was removed; ask for it as JSON to see what is left.',
    )
  }

  function frameOf(call: Call): Reply {
    const { frame } = get(call, true)
    if (!frame) {
      const text = 'The message this event came in is no longer kept, or not for you.'
      throw new GatewayError('not_found', text)
    }
    return frameReply(call.accept, frame)
  }
}

export const bytesType = 'application/octet-stream'

/** As a download, whatever it is: no browser shows what a device sent as a page of ours. */
export function frameReply(accept: string, frame: Frame): Reply {
  if (accepts(accept, [jsonType, bytesType]) !== bytesType) return { json: frameJson(frame) }
  const headers = { 'content-disposition': 'attachment; filename="frame.bin"' }
  return { headers, type: bytesType, body: frame.payload ?? new Uint8Array() }
}

export function listRequest(given: Given): ListEventsRequest {
  const [from, to, page] = [given.time('from'), given.time('to'), given.token('page')]
  return {
    filter: filterOf(given),
    newestFirst: given.text('order') !== 'oldest',
    ...(from !== undefined && { from: timestamp(from) }),
    ...(to !== undefined && { to: timestamp(to) }),
    ...(page && { pageToken: page }),
    pageSize: given.count('limit') ?? 0,
  }
}

/** A thousand events as JSON are tens of milliseconds; an alert does not wait for them. */
export async function inTurns<Made>(
  records: readonly WireRecord[],
  make: (record: WireRecord) => Made,
): Promise<Made[]> {
  const made: Made[] = []
  for (const [at, record] of records.entries()) {
    if (!isVoid(record)) made.push(make(record))
    if (at % chunkRecords === chunkRecords - 1) await breathe()
  }
  return made
}
