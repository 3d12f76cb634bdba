// One reader's stream: its place in the log and what it is owed next. It takes a turn when there is something to send and room to
// send it; while the console does not read, it holds two batches and costs disk only.

import { GapReason, Lane as WireLane } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { codec } from '../../proto/wire.ts'
import { timestamp } from '../../proto/time.ts'
import type { Reading } from '../audit/reads.ts'
import type { Clock } from '../clock.ts'
import type { Lane, Log } from '../log/log.ts'
import { snapshotBatch, type Batches, type NextBatch, type ReaderPlace, type ReadingPlan } from './batches.ts'
import { encodeCursor } from './cursor.ts'
import type { Start, StartGap } from './start.ts'

/** What a subscription needs of its call; a `ServerWritableStream` has it. */
export interface Line {
  write(message: Buffer, sent: () => void): unknown
  end(): void
}

export interface SubscriptionOptions {
  readonly plan: ReadingPlan
  readonly start: Start
  readonly principal: string
  /** Id of the session by which its reader came in, where he signed in. */
  readonly session?: string | undefined
  /** When what its reader showed ends, milliseconds since 1970; the stream ends then. */
  readonly endsAtMs: number | undefined
  readonly heartbeatMs: number
  readonly minBatchMs: number
  /** The stream ends after this; 0: it does not. */
  readonly expiresMs: number
  /** Told what of each batch that is sent carries labels beyond OPS. */
  given?(reading: Reading): void
}

export interface SubscriptionParts {
  readonly log: Log
  readonly clock: Clock
  readonly batches: Batches
  readonly line: Line
  /** There is room again, or something to do at `atMs`. */
  wake(subscription: Subscription, atMs?: number): void
}

export interface Subscription {
  readonly principal: string
  readonly session: string | undefined
  /** Sends at most one batch; answers whether to be called again. */
  turn(nowMs: number): boolean
  /** The shared second hand: heartbeat and expiry. */
  tick(nowMs: number): void
  close(): void
  readonly counts: { messages: number; records: number; bytes: number; unsentBytes: number }
  /** How long its oldest message has waited for the console to read; 0: none waits. */
  waitingMs(nowMs: number): number
}

/** One on its way, one ready behind it: the line is never idle, and urgent waits behind two batches at most. */
const unsentMax = 2
/** A batch of 5,000 small records, and little enough that two of them may lie for each of a thousand frozen consoles. */
export const batchBytesMax = 256 << 10
/** On a narrow line batches shrink to this, so that urgent waits behind 32 kB and not behind half a megabyte. */
const batchBytesMin = 16 << 10
/** A batch that took longer to leave is halved for the next time; one that took much less is doubled. */
const slowSendMs = 200
const fastSendMs = 50
/** How often `tick` comes: a heartbeat goes at the tick before it would be late. */
export const tickMs = 250

const responseCodec = codec('tocsin.v1.SubscribeResponse')
const wireLane: Readonly<Record<Lane, WireLane>> = { urgent: WireLane.URGENT, routine: WireLane.ROUTINE }

export function createSubscription(
  options: SubscriptionOptions,
  parts: SubscriptionParts,
  nowMs: number,
): Subscription {
  const { log, clock, batches, line } = parts
  const { start, heartbeatMs, minBatchMs, expiresMs, endsAtMs } = options
  const { lanes } = options.plan.filter
  const startHead = { ...log.head }
  const startMs = nowMs
  const counts = { messages: 0, records: 0, bytes: 0, unsentBytes: 0 }
  const unsentSince: number[] = []
  let batchBytes = Math.min(batchBytesMax, options.plan.limit.bytes)
  let plan = options.plan
  let place: ReaderPlace = start
  let snapshotAt = start.snapshot ? 0 : undefined
  let caughtUp = false
  let isOpen = true
  let lastSentMs = nowMs
  let notBeforeMs = 0
  let currentMs = nowMs

  function send(message: Buffer): void {
    const sinceMs = currentMs
    lastSentMs = sinceMs
    unsentSince.push(sinceMs)
    counts.messages += 1
    counts.bytes += message.length
    counts.unsentBytes += message.length
    line.write(message, () => {
      unsentSince.shift()
      counts.unsentBytes -= message.length
      if (!isOpen) return
      suit(monotonicMs(clock) - sinceMs)
      parts.wake(subscription)
    })
  }

  /** Suits the size of batches to the line. Powers of two, so that readers of like lines still share bytes. */
  function suit(tookMs: number): void {
    if (tookMs > slowSendMs) batchBytes = Math.max(batchBytes / 2, batchBytesMin)
    else if (tookMs < fastSendMs) batchBytes = Math.min(batchBytes * 2, options.plan.limit.bytes)
    else return
    if (plan.limit.bytes !== batchBytes) plan = { ...plan, limit: { records: plan.limit.records, bytes: batchBytes } }
  }

  const cursor = (inSnapshot = false): Buffer => encodeCursor({ epoch: log.epoch, ...place, inSnapshot })

  function sendGap(gap: StartGap): void {
    const text = gapText(gap)
    send(
      encoded({ item: 'gap', gap: { lane: wireLane[gap.lane], from: gap.from, to: gap.to, reason: gap.reason, text } }),
    )
  }

  function sendSnapshot(places: NonNullable<Start['snapshot']>, at: number): void {
    const batch = snapshotBatch(log, plan, places, at, cursor(true))
    if (batch.message) send(batch.message)
    counts.records += batch.records
    options.given?.(batch.reading)
    snapshotAt = batch.at < places.length ? batch.at : undefined
  }

  function sendBatch(batch: NextBatch): void {
    place = batch
    for (const { lane, from, to, reason } of batch.missing) {
      sendGap({ lane, from, to, reason: reason === 'damaged' ? GapReason.DAMAGED : GapReason.RETENTION })
    }
    if (!batch.message) return
    send(batch.message)
    counts.records += batch.records
    options.given?.(batch.reading)
    notBeforeMs = currentMs + minBatchMs
  }

  const behind = (than: Start['bookmark']): boolean => lanes.some((lane) => place.bookmark[lane] < than[lane])

  function tellCaughtUp(): void {
    if (caughtUp || snapshotAt !== undefined || behind(startHead)) return
    caughtUp = true
    send(encoded({ item: 'caughtUp', caughtUp: { cursor: cursor() } }))
  }

  function close(): void {
    if (!isOpen) return
    isOpen = false
    line.end()
  }

  const subscription: Subscription = {
    principal: options.principal,
    session: options.session,
    counts,
    turn(now) {
      currentMs = now
      if (!isOpen || unsentSince.length >= unsentMax) return false
      if (snapshotAt !== undefined && start.snapshot) {
        sendSnapshot(start.snapshot, snapshotAt)
        tellCaughtUp()
        return true
      }
      if (behind(log.head)) {
        if (now < notBeforeMs) {
          parts.wake(subscription, notBeforeMs)
          return false
        }
        sendBatch(batches.next(plan, place))
      }
      tellCaughtUp()
      return behind(log.head)
    },
    tick(now) {
      currentMs = now
      if (!isOpen) return
      if (expiresMs > 0 && now - startMs >= expiresMs) return close()
      if (endsAtMs !== undefined && Number(clock.now() / 1_000_000n) >= endsAtMs) throw credentialEnded()
      if (unsentSince.length > 0 || now - lastSentMs + tickMs < heartbeatMs) return
      const { urgent: urgentHead, routine: routineHead } = log.head
      const sentAt = timestamp(clock.now())
      const inSnapshot = snapshotAt !== undefined
      send(encoded({ item: 'heartbeat', heartbeat: { urgentHead, routineHead, sentAt, cursor: cursor(inSnapshot) } }))
    },
    close,
    waitingMs: (now) => (unsentSince[0] === undefined ? 0 : now - unsentSince[0]),
  }
  for (const gap of start.gaps) sendGap(gap)
  if (start.snapshot?.length === 0) snapshotAt = undefined
  return subscription
}

const credentialEnded = (): GatewayError =>
  new GatewayError(
    'not_authenticated',
    'The token or certificate that this stream began with has ended: begin again with another.',
  )

export const monotonicMs = (clock: Clock): number => Number(clock.monotonic() / 1_000_000n)

function encoded(response: Parameters<typeof responseCodec.encode>[0]): Buffer {
  const bytes = responseCodec.encode(response)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function gapText({ lane, from, to, reason }: StartGap): string {
  const which = from > 0 ? `Records ${from} to ${to} of the ${lane} lane` : `Some records of the ${lane} lane`
  switch (reason) {
    case GapReason.FOREIGN_EPOCH:
      return `The cursor is of another epoch: this log was restored from a backup. The ${lane} lane goes on by time; some records may come again.`
    case GapReason.BEYOND_HEAD:
      return `${which} are not in this log: the cursor is beyond its head. The lane goes on by time.`
    case GapReason.DAMAGED:
      return `${which} are damaged on disk.`
    default:
      return `${which} were removed by retention.`
  }
}
