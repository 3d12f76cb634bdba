// EventService: subscriptions, pages, single events, fates, and events taken from programs. Requests are checked here and turned
// into the plain things that the rest of this folder deals in.

import type {
  GetEventRequest,
  GetFateRequest,
  ListEventsRequest,
  SubscribeRequest,
} from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { durationMs } from '../../proto/time.ts'
import { codec, serviceDefinition } from '../../proto/wire.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import { permitCall, type Access } from './access.ts'
import type { ReadingPlan } from './batches.ts'
import type { FanOut } from './fan-out.ts'
import { findFates, type RecentFates } from './fates.ts'
import { compileFilter } from './filter.ts'
import { listEvents } from './list-events.ts'
import { joinParts, lengthTag, type Part } from './message-bytes.ts'
import { publish, type ReceiveEvents } from './publish.ts'
import type { Context, Registrar, WritableCall } from './registrar.ts'
import { startOf } from './start.ts'
import { batchBytesMax } from './subscription.ts'

export interface EventServiceParts {
  readonly log: Log
  readonly clock: Clock
  readonly access: Access
  readonly fanOut: FanOut
  readonly recentFates: RecentFates
  readonly receiveEvents: ReceiveEvents
}

/** The contract's "least 2 s": a console may be told at longer intervals, never be sent more. */
const heartbeatMsMin = 2_000
const heartbeatMsMax = 60_000
const batchRecordsMax = 5_000
/** A filter looks at each header, so it looks at fewer in one turn: about a millisecond's worth. */
const filteredRecordsMax = 1_000
/** A frame is looked up for each record. */
const rawRecordsMax = 100
/** Longer, and the client sees a dead line. */
const minBatchMsMax = 60_000
const idBytes = 16

const frameCodec = codec('tocsin.v1.Frame')
const eventTag = { record: lengthTag(1), frame: lengthTag(2) }

export function addEventService(registrar: Registrar, parts: EventServiceParts): void {
  const service = serviceDefinition('tocsin.v1.EventService')
  registrar.serverStream<SubscribeRequest>([service, 'Subscribe'], (call, context) =>
    subscribe(registrar, parts, call, context),
  )
  registrar.unary<ListEventsRequest>([service, 'ListEvents'], (request, { view }) => listEvents(parts, request, view))
  registrar.unary<GetEventRequest>([service, 'GetEvent'], (request, context) => getEvent(parts.log, request, context))
  registrar.unary<GetFateRequest>([service, 'GetFate'], (request, { view }) => ({
    fates: findFates(parts, request, view),
  }))
  registrar.duplex([service, 'Publish'], (call, { principal }) => {
    permitCall(parts.access, principal, 'Publish')
    publish(call, principal, parts.receiveEvents, (error) => registrar.fail(call, error))
  })
}

function subscribe(
  registrar: Registrar,
  { log, clock, fanOut }: EventServiceParts,
  call: WritableCall<SubscribeRequest>,
  { view, principal, given }: Context,
): void {
  const { request } = call
  const plan = planOf(request, view)
  const start = startOf(request, plan, log, clock)
  const heartbeatMs = bounded('heartbeat_interval', request.heartbeatInterval, heartbeatMsMax)
  const subscription = fanOut.join(
    {
      plan,
      start,
      principal: principal.name,
      session: principal.session?.id,
      given,
      endsAtMs: principal.endsAtMs,
      heartbeatMs: Math.max(heartbeatMs, heartbeatMsMin),
      minBatchMs: bounded('min_batch_interval', request.minBatchInterval, minBatchMsMax),
      expiresMs: bounded('expires_in', request.expiresIn, Number.MAX_SAFE_INTEGER),
    },
    {
      write: (message, sent) => call.write(message, sent),
      end: () => call.end(),
      fail: (error) => registrar.fail(call, error),
    },
  )
  call.on('cancelled', () => fanOut.leave(subscription))
  call.on('close', () => fanOut.leave(subscription))
  call.on('error', () => fanOut.leave(subscription))
}

function planOf(request: SubscribeRequest, view: ReadingPlan['view']): ReadingPlan {
  const filter = compileFilter(request.filter)
  const raw = request.includeRaw ?? false
  const looks = !filter.all || !view.everything
  const most = raw ? rawRecordsMax : looks ? filteredRecordsMax : batchRecordsMax
  const records = Math.min(request.maxBatchRecords || batchRecordsMax, most)
  return { filter, view, raw, limit: { records, bytes: batchBytesMax } }
}

function bounded(field: string, duration: Parameters<typeof durationMs>[0], most: number): number {
  const ms = durationMs(duration) ?? 0
  if (ms >= 0 && ms <= most) return ms
  throw new GatewayError('invalid_argument', `${field} must be from 0 to ${most / 1000} s; it is ${ms / 1000} s.`)
}

/** One that the reader may not see is not there for it. */
export function getEvent(log: Log, { id, includeRaw }: GetEventRequest, { view }: Pick<Context, 'view'>): Buffer {
  if (id?.length !== idBytes) {
    throw new GatewayError('invalid_argument', `id must be ${idBytes} bytes, as in Event.id; it is ${id?.length ?? 0}.`)
  }
  const record = log.findEvent(id)
  const shown = record && view.shown(record)
  if (!shown) {
    throw new GatewayError('not_found', 'No event with this id is in this log, or no longer, or not for you.')
  }
  const parts: Part[] = [{ tag: eventTag.record, bytes: shown.bytes }]
  const frame = includeRaw ? log.findFrame(shown.frameId) : undefined
  if (frame && view.mayReadFrame(frame)) parts.push({ tag: eventTag.frame, bytes: frameCodec.encode(frame) })
  return joinParts(parts)
}
