// Events from programs: batches are taken while earlier ones are on their way to the disk, and answered in order when they are
// on it. What is not answered was not taken; the program sends it again.

import { Fate, Lane as WireLane } from '../../proto/generated/types.ts'
import type { PublishRequest, PublishResult } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import type { Clock } from '../clock.ts'
import type { Fate as FrameFate, Receive } from '../inputs/receive.ts'
import { programChannel } from '../routes.ts'
import type { Principal } from './access.ts'
import type { DuplexCall } from './registrar.ts'

/** Settles each event as a frame of its own, in order; rejects when the log takes nothing now. */
export type ReceiveEvents = (principal: Principal, events: readonly Uint8Array[]) => Promise<readonly FrameFate[]>

/** They take the same way as everybody's frames: one frame each, read by the adapter of our own schema. */
export function eventsReceiver(receive: Receive, clock: Clock): ReceiveEvents {
  return ({ name, authenticity }, events) => {
    const sender = { name, authenticity, link: 'grpc' }
    return Promise.all(
      events.map((bytes) => receive(sender, { bytes, receivedAt: clock.now(), channel: programChannel })),
    )
  }
}

const batchEventsMax = 1_000
const batchBytesMax = 1 << 20
/** Batches of one stream on their way to the disk: enough to fill commits, few enough that a stream holds 8 MB at most. */
const pendingMax = 8

export function publish(
  call: DuplexCall<PublishRequest>,
  principal: Principal,
  receiveEvents: ReceiveEvents,
  fail: (error: unknown) => void,
): void {
  let pending = 0
  let isOver = false
  let hasEnded = false
  let answers: Promise<void> = Promise.resolve()

  function stop(error: unknown): void {
    if (isOver) return
    isOver = true
    fail(error)
  }

  async function answer(request: PublishRequest, results: Promise<readonly FrameFate[]>): Promise<void> {
    const settled = (await results).map(resultOf)
    if (isOver) return
    const hasRoom = call.write({ batch: request.batch ?? 0, results: settled })
    // A program that does not read its answers is not read from.
    if (!hasRoom) await new Promise<void>((resolve) => call.once('drain', resolve).once('close', resolve))
    pending -= 1
    if (pending < pendingMax) call.resume()
    if (hasEnded && pending === 0) call.end()
  }

  call.on('data', (request: PublishRequest | undefined) => {
    if (isOver) return
    let results: Promise<readonly FrameFate[]>
    try {
      results = receiveEvents(principal, checked(request))
    } catch (error) {
      return void answers.then(() => stop(error))
    }
    pending += 1
    if (pending >= pendingMax) call.pause()
    // A rejection is told when its turn comes; until then it is nobody's.
    results.catch(() => undefined)
    answers = answers.then(() => (isOver ? undefined : answer(request ?? {}, results))).catch(stop)
  })
  call.on('end', () => {
    hasEnded = true
    if (pending === 0 && !isOver) call.end()
  })
  call.on('cancelled', () => (isOver = true))
}

function checked(request: PublishRequest | undefined): readonly Uint8Array[] {
  if (!request) {
    const text = 'The request is not what the .proto files say: generate the client from them again.'
    throw new GatewayError('invalid_argument', text)
  }
  const { events = [] } = request
  const bytes = events.reduce((sum, event) => sum + event.length, 0)
  if (events.length > batchEventsMax || bytes > batchBytesMax) {
    const text = `A batch may hold ${batchEventsMax} events and ${batchBytesMax} bytes; this one holds ${events.length} and ${bytes}: send smaller ones.`
    throw new GatewayError('invalid_argument', text)
  }
  return events
}

const wireLane = { urgent: WireLane.URGENT, routine: WireLane.ROUTINE } as const

function resultOf(fate: FrameFate): PublishResult {
  switch (fate.fate) {
    case 'stored': {
      const [eventId] = fate.eventIds
      const [place] = fate.places
      return {
        fate: Fate.STORED,
        ...(eventId && { eventId }),
        ...(place && {
          place: { lane: wireLane[place.lane], sequence: place.sequence, ...(eventId && { eventId }) },
        }),
      }
    }
    case 'duplicate':
      return { fate: Fate.DUPLICATE }
    case 'ignored':
      return { fate: Fate.IGNORED, why: fate.why }
    case 'carried':
      return { fate: Fate.CARRIED }
    case 'waiting':
      return { fate: Fate.WAITING }
    case 'refused':
      return { fate: Fate.REFUSED, fault: fate.fault, why: fate.why }
  }
}
