// One loop for all streams: after each commit those with room take turns, one batch each, so that a long catch-up holds up
// nobody. No stream has a timer of its own.

import { GatewayError } from '../../proto/errors.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import { createBatches } from './batches.ts'
import {
  createSubscription,
  monotonicMs,
  tickMs,
  type Line,
  type Subscription,
  type SubscriptionOptions,
} from './subscription.ts'

export interface FanOut {
  start(): void
  /** Adds a stream; ended by `Subscription.close` or by `leave`. `fail` ends its call with an error. */
  join(options: SubscriptionOptions, line: Line & { fail(error: unknown): void }): Subscription
  /** The call is over, whoever ended it. */
  leave(subscription: Subscription): void
  cut(principal: string): void
  /** Ends the streams of one session. */
  cutSession(id: string): void
  close(): void
  metrics(): FanOutMetrics
}

export interface FanOutMetrics {
  /** Streams that are open. */
  readonly streams: number
  /** Of these, consoles that have not read what was sent them for a second or more. */
  readonly slowStreams: number
  /** What is held for consoles that have not read it; at most two batches for each. */
  readonly unsentBytes: number
  /** Messages, records and bytes sent on all streams since the start. */
  readonly messages: number
  readonly records: number
  readonly bytes: number
  /** Batches that were put together; the other messages shared their bytes. */
  readonly assembled: number
  /** Streams that were over while the console had not read all that was sent. */
  readonly cutStreams: number
}

/** Each may hold about 0.8 MB unsent. */
const streamsMax = 1_000
/** How long turns may take before sockets, timers and acknowledgements get theirs. */
const turnsMsMax = 4
const slowMs = 1_000

export function createFanOut({ log, clock }: { readonly log: Log; readonly clock: Clock }): FanOut {
  const batches = createBatches(log)
  const streams = new Map<Subscription, (error: unknown) => void>()
  const ready = new Set<Subscription>()
  const waiting = new Map<Subscription, number>()
  const past = { messages: 0, records: 0, bytes: 0, cutStreams: 0 }
  let isScheduled = false
  let isClosed = false
  let wakeTimer: NodeJS.Timeout | undefined
  let wakeTimerMs = Infinity
  let tickTimer: NodeJS.Timeout | undefined
  let stopListening: (() => void) | undefined

  function schedule(): void {
    if (isScheduled || isClosed) return
    isScheduled = true
    // After the acknowledgements of this commit, and once for commits that come close together.
    setImmediate(takeTurns)
  }

  function takeTurns(): void {
    isScheduled = false
    const startMs = monotonicMs(clock)
    let nowMs = startMs
    // Whoever is put back comes again after all the others.
    for (const subscription of ready) {
      ready.delete(subscription)
      if (turn(subscription, nowMs)) ready.add(subscription)
      nowMs = monotonicMs(clock)
      if (nowMs - startMs >= turnsMsMax) break
    }
    if (ready.size > 0) schedule()
  }

  function turn(subscription: Subscription, nowMs: number): boolean {
    try {
      return streams.has(subscription) && subscription.turn(nowMs)
    } catch (error) {
      streams.get(subscription)?.(error)
      leave(subscription)
      return false
    }
  }

  function wake(subscription: Subscription, atMs?: number): void {
    if (atMs === undefined) {
      ready.add(subscription)
      schedule()
      return
    }
    waiting.set(subscription, atMs)
    setWakeTimer(atMs)
  }

  function setWakeTimer(atMs: number): void {
    if (atMs >= wakeTimerMs) return
    clearTimeout(wakeTimer)
    wakeTimerMs = atMs
    wakeTimer = setTimeout(wakeWaiting, Math.max(0, atMs - monotonicMs(clock)))
  }

  function wakeWaiting(): void {
    wakeTimerMs = Infinity
    const nowMs = monotonicMs(clock)
    for (const [subscription, atMs] of waiting) {
      if (atMs <= nowMs) {
        waiting.delete(subscription)
        wake(subscription)
      } else setWakeTimer(atMs)
    }
  }

  function tick(): void {
    const nowMs = monotonicMs(clock)
    for (const [subscription, fail] of streams) {
      try {
        subscription.tick(nowMs)
      } catch (error) {
        fail(error)
        leave(subscription)
      }
    }
  }

  function cutWhere(isMeant: (subscription: Subscription) => boolean, why: string): void {
    for (const [subscription, fail] of streams) {
      if (!isMeant(subscription)) continue
      fail(new GatewayError('not_allowed', why))
      leave(subscription)
    }
  }

  function leave(subscription: Subscription): void {
    if (!streams.delete(subscription)) return
    ready.delete(subscription)
    waiting.delete(subscription)
    past.messages += subscription.counts.messages
    past.records += subscription.counts.records
    past.bytes += subscription.counts.bytes
    if (subscription.waitingMs(monotonicMs(clock)) > 0) past.cutStreams += 1
    subscription.close()
  }

  return {
    start() {
      stopListening = log.onAdvance(() => {
        for (const subscription of streams.keys()) ready.add(subscription)
        if (ready.size > 0) schedule()
      })
      tickTimer = setInterval(tick, tickMs)
    },
    join(options, line) {
      if (isClosed) throw new GatewayError('stopping', 'The gateway is stopping: try again in a few seconds.')
      if (streams.size >= streamsMax) {
        throw new GatewayError(
          'overloaded',
          `The gateway serves ${streamsMax} streams and takes no more: end others, then try again.`,
        )
      }
      const subscription = createSubscription(options, { log, clock, batches, line, wake }, monotonicMs(clock))
      streams.set(subscription, line.fail)
      wake(subscription)
      return subscription
    },
    leave,
    cut: (principal) =>
      cutWhere((each) => each.principal === principal, 'Your rights have changed: authenticate again.'),
    cutSession: (id) => cutWhere((each) => each.session === id, 'This session has ended: sign in again.'),
    close() {
      isClosed = true
      stopListening?.()
      clearInterval(tickTimer)
      clearTimeout(wakeTimer)
      for (const [subscription, fail] of streams) {
        fail(new GatewayError('stopping', 'The gateway is stopping: resume from your cursor in a few seconds.'))
        leave(subscription)
      }
    },
    metrics() {
      const nowMs = monotonicMs(clock)
      const sum = { ...past, assembled: batches.assembled, streams: streams.size, slowStreams: 0, unsentBytes: 0 }
      for (const subscription of streams.keys()) {
        sum.messages += subscription.counts.messages
        sum.records += subscription.counts.records
        sum.bytes += subscription.counts.bytes
        sum.unsentBytes += subscription.counts.unsentBytes
        if (subscription.waitingMs(nowMs) >= slowMs) sum.slowStreams += 1
      }
      return sum
    },
  }
}
