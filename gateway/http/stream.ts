// /v1/stream: events as they are stored, as server-sent events (WHATWG HTML §9.2). Every event carries a cursor as its id, so that a
// browser or a program that was cut off goes on exactly after the last one it read; one that does not read costs disk, never memory.

import type { ServerResponse } from 'node:http'
import type { SubscribeRequest } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestamp } from '../../proto/time.ts'
import type { Clock } from '../clock.ts'
import type { ReadingPlan } from '../grpc/batches.ts'
import type { FanOut } from '../grpc/fan-out.ts'
import { compileFilter } from '../grpc/filter.ts'
import { startOf } from '../grpc/start.ts'
import type { Log } from '../log/log.ts'
import { filterOf, filterParameters } from './filter-parameters.ts'
import type { Given } from './given.ts'
import type { Call, Reply, Route } from './route.ts'
import { createStreamTexts, endText, type StreamTexts } from './stream-texts.ts'

export interface StreamParts {
  readonly log: Log
  readonly clock: Clock
  readonly streams: FanOut
}

/** Each may hold two batches unsent; a browser opens one for each page. */
const streamsMax = 128
/** As JSON a batch is up to ten times as long, and two may lie for a reader that stopped. */
const batchLimit = { records: 100, bytes: 32 << 10 }
const heartbeatMsDefault = 15_000
const heartbeatMsMin = 2_000
const heartbeatMsMax = 60_000
/** How long a browser waits before it comes again. */
const retryMs = 2_000

export function streamRoutes(parts: StreamParts): readonly Route[] {
  const { log, clock, streams } = parts
  const texts = createStreamTexts(log)
  let open = 0

  function handle(call: Call): Reply {
    const { given, view } = call
    if (open >= streamsMax) {
      throw new GatewayError('overloaded', `${streamsMax} streams are open over HTTP: end others, then try again.`)
    }
    const plan: ReadingPlan = { filter: compileFilter(filterOf(given)), view, raw: false, limit: batchLimit }
    const start = startOf(startRequest(given), plan, log, clock)
    const options = {
      plan,
      start,
      principal: call.principal.name,
      session: call.principal.session?.id,
      given: call.wasGiven,
      endsAtMs: call.principal.endsAtMs,
      heartbeatMs: heartbeatMsOf(given),
      minBatchMs: 0,
      expiresMs: 0,
    }
    const headers = { 'x-accel-buffering': 'no' }
    return { headers, type: 'text/event-stream', stream: (response) => run(response, options, texts(start)) }
  }

  function run(response: ServerResponse, options: Parameters<FanOut['join']>[0], textOf: StreamTexts): void {
    const subscription = streams.join(options, {
      write(message, sent) {
        const text = textOf(message)
        if (text.length > 0) response.write(text, sent)
        else setImmediate(sent)
      },
      end: () => response.end(),
      fail: (error) => void response.end(endText(error)),
    })
    open += 1
    response.once('close', () => {
      open -= 1
      streams.leave(subscription)
    })
    response.write(`retry: ${retryMs}\n\n`)
  }

  return [
    {
      method: 'GET',
      path: '/v1/stream',
      group: 'Events',
      name: 'streamEvents',
      about:
        'Events as they are stored, as server-sent events: an `EventSource` gets each as a message whose id is a cursor. Beside them come `caught_up` (all that was there has been sent), `heartbeat`, `gap` (what is missing, and why) and `end`.',
      isStream: true,
      parameters: {
        ...filterParameters,
        start: {
          in: 'query',
          kind: 'name',
          of: ['live', 'earliest', 'current'],
          default: 'live',
          about:
            'Where to begin: with what comes now, with the oldest that is kept, or with the current state of each subject and then what comes.',
        },
        from: { in: 'query', kind: 'time', about: 'Begin with what was logged at or after this time.', example: '15m' },
        cursor: {
          in: 'query',
          kind: 'token',
          about: 'Begin after this cursor: the id of the last event that was read.',
        },
        'Last-Event-ID': { in: 'header', kind: 'token', about: 'The same, as a browser sends it; it wins.' },
        heartbeat: {
          in: 'query',
          kind: 'span',
          default: '15s',
          about: 'How often a heartbeat comes while nothing else does: 2s to 60s.',
        },
      },
      answers: [
        { status: 200, about: 'The stream; it does not end.', type: 'text/event-stream', schema: 'StreamEvent' },
      ],
      handle,
    },
  ]
}

function startRequest(given: Given): SubscribeRequest {
  const last = given.token('Last-Event-ID')
  if (last) return { start: 'afterCursor', afterCursor: last }
  const [start, from, cursor] = [given.text('start'), given.time('from'), given.token('cursor')]
  if ([start, from, cursor].filter((each) => each !== undefined).length > 1) {
    throw new GatewayError('invalid_argument', 'start, from and cursor each say where to begin: give one of them.')
  }
  if (cursor) return { start: 'afterCursor', afterCursor: cursor }
  if (from !== undefined) return { start: 'afterTime', afterTime: timestamp(from) }
  if (start === 'earliest') return { start: 'earliest', earliest: {} }
  return start === 'current' ? { start: 'current', current: {} } : {}
}

function heartbeatMsOf(given: Given): number {
  const ms = given.spanMs('heartbeat') ?? heartbeatMsDefault
  if (ms >= heartbeatMsMin && ms <= heartbeatMsMax) return ms
  throw new GatewayError('invalid_argument', 'heartbeat must be from 2s to 60s.')
}
