// The way into the log: what gathers while one commit is on its way to the disk becomes the next one. A lone message never
// waits; under load commits start at most every few milliseconds. What a failed commit held is written once more elsewhere, and
// then refused; the log lives on and tries again with what comes.

import { strict as assert } from 'node:assert'
import { GatewayError } from '../../proto/errors.ts'
import type { Alarms } from '../alarms.ts'
import type { CommitResult } from './commit-writer.ts'
import type { CommitJob, Gather, NextNumbers } from './gather.ts'
import type { AppendedFrame, Place, Told } from './log.ts'
import type { Stamp } from './record.ts'
import type { ResendBatch } from './resends.ts'
import type { Writer } from './writer.ts'

/** A frame on its way to the disk; given as it is to those who follow frames. */
export interface Pending extends AppendedFrame {
  readonly encodedRest: Uint8Array | undefined
  readonly keys: readonly string[]
  resend: ResendBatch | undefined
  readonly urgent: boolean
  readonly bytes: number
  places: readonly Place[]
  number: number
  /** Where the frame begins in its part of the commit. */
  frameAt: number
  loggedAt: bigint
  readonly told: Told
}

export interface CommitParts {
  readonly writer: Writer
  readonly gather: Gather
  readonly alarms: Pick<Alarms, 'raise' | 'clear'>
  /** After all that is durable. */
  next(): NextNumbers
  readonly lastCommit: number
  readonly pendingBytesMax: number
  readonly commitIntervalMs: number
  stamp(): Stamp
  /** It is on disk: makes it readable and moves the head; then those who appended are told. */
  durable(result: CommitResult, pending: readonly Pending[]): void
  /** They are told by the microtask before: readers may be told. */
  announce(): void
  refused(pending: Pending): void
  /** The writer is gone or silent: nothing can be acknowledged any more. */
  fatal(error: Error): void
}

export interface Commits {
  append(pending: Pending): void
  /** Why nothing can be taken now; undefined: it can. */
  obstacle(urgent: boolean): GatewayError | undefined
  /** Those on their way that satisfy this. */
  find(wanted: (pending: Pending) => boolean): Pending | undefined
  died(error: Error): void
  close(): Promise<void>
}

/** Waiting pays when at least so many more records are to be expected meanwhile. */
const expectedMin = 2
/** So much is a good commit by itself. */
const gatheredBytesEnough = 256 * 1024
/** How often a disk that refused is tried again. */
const probeMs = 200
/** A disk may stall for seconds; one that is silent for so long does not come back. */
const silentMsMax = 60_000
const watchMs = 5_000
const stampsShared = 32

export function createCommits(parts: CommitParts): Commits {
  const { writer, gather, alarms } = parts
  let waiting: Pending[] = []
  let inFlight: Pending[] = []
  let commit = parts.lastCommit
  let pendingBytes = 0
  let scheduled: NodeJS.Immediate | NodeJS.Timeout | undefined
  let lingers = false
  let startedMs = -Infinity
  let recordsPerMs = 0
  let trouble: 'full' | 'failed' | undefined
  let triedMs = -Infinity
  /** One was turned away in this turn: what its sender sent behind it must not be taken before that sender knows. */
  let turnedAway = false
  let isSecondTry = false
  let dead: Error | undefined
  let closing: (() => void) | undefined
  let stamp: Stamp | undefined
  let stamped = 0
  const watch = setInterval(() => {
    if (inFlight.length > 0 && performance.now() - startedMs > silentMsMax) died(new Error('the disk does not answer'))
  }, watchMs).unref()

  function sharedStamp(): Stamp {
    if (!stamp || ++stamped > stampsShared) {
      stamp = parts.stamp()
      stamped = 1
    }
    return stamp
  }

  function gathers(pending: Pending): void {
    waiting.push(pending)
    const at = sharedStamp()
    pending.loggedAt = at.ns
    pending.places = gather.add(pending.frame, pending.records, at, pending.encodedRest)
    pending.number = gather.frameNumber
    pending.frameAt = gather.frameAt
  }

  function schedule(): void {
    if (inFlight.length > 0 || waiting.length === 0) return
    if (gather.bytes > gatheredBytesEnough) {
      // While it is being written, this thread goes on with what comes in the same turn.
      unschedule()
      return start()
    }
    if (scheduled) return
    const lingerMs = linger()
    lingers = lingerMs >= 1
    scheduled = lingers ? setTimeout(start, lingerMs) : setImmediate(start)
  }

  function linger(): number {
    const restMs = parts.commitIntervalMs - (performance.now() - startedMs)
    return restMs <= 0 || recordsPerMs * restMs < expectedMin ? 0 : restMs
  }

  function unschedule(): void {
    if (lingers) clearTimeout(scheduled as NodeJS.Timeout)
    else clearImmediate(scheduled as NodeJS.Immediate)
    scheduled = undefined
  }

  function start(): void {
    scheduled = undefined
    if (inFlight.length > 0 || waiting.length === 0 || dead) return
    measure(waiting.length)
    inFlight = waiting
    waiting = []
    stamp = undefined
    commit += 1
    const job = gather.finish(
      commit,
      inFlight.every(({ urgent }) => urgent),
    )
    void write(job)
  }

  async function write(job: CommitJob): Promise<void> {
    try {
      done(job, await writer.write(job))
    } catch (error) {
      died(error as Error)
    }
  }

  function measure(count: number): void {
    const now = performance.now()
    const elapsedMs = Math.max(now - startedMs, 0.05)
    // After a pause the past says nothing; else it is smoothed over some commits.
    recordsPerMs = elapsedMs > 50 ? count / elapsedMs : 0.7 * recordsPerMs + (0.3 * count) / elapsedMs
    startedMs = now
  }

  function done(job: CommitJob, result: CommitResult): void {
    if (dead) return
    if (result.failed) failed(result, result.failed)
    else succeeded(job, result)
    schedule()
    if (waiting.length === 0 && inFlight.length === 0) closing?.()
  }

  function succeeded(job: CommitJob, result: CommitResult): void {
    const settled = inFlight
    inFlight = []
    isSecondTry = false
    if (result.low)
      alarms.raise('disk_low', '', 'The disk of the log is nearly full: make room, or keep less (settings log.keep_…).')
    else alarms.clear('disk_low')
    if (trouble === 'failed' || (trouble === 'full' && !job.urgent)) recovered()
    parts.durable(result, settled)
    for (const { bytes } of settled) pendingBytes -= bytes
    // Not now: what they do may come back here.
    queueMicrotask(() => {
      for (const { number, places, told } of settled) told.stored(number, places)
    })
    parts.announce()
  }

  function recovered(): void {
    trouble = undefined
    alarms.clear('disk_full')
    alarms.clear('disk_failed')
  }

  /** Once more for those who may still find room; the others are told. */
  function failed(result: CommitResult, { full, message }: { full: boolean; message: string }): void {
    for (const { bytes } of result.parts) gather.giveBack(bytes)
    const all = [...inFlight, ...waiting]
    const again = isSecondTry ? [] : all.filter(({ urgent }) => urgent || !full)
    inFlight = []
    waiting = []
    stamp = undefined
    trouble = full ? 'full' : 'failed'
    triedMs = performance.now()
    isSecondTry = again.length > 0
    if (full)
      alarms.raise('disk_full', '', `The disk takes no more (${message}). Nothing is acknowledged until there is room.`)
    else
      alarms.raise('disk_failed', '', `The disk refuses to write (${message}). Nothing is acknowledged until it does.`)
    gather.restart(parts.next())
    const kept = new Set(again)
    for (const pending of all) if (!kept.has(pending)) refuse(pending, obstacleError(trouble))
    for (const pending of again) gathers(pending)
    start()
  }

  function refuse(pending: Pending, error: GatewayError): void {
    pendingBytes -= pending.bytes
    parts.refused(pending)
    queueMicrotask(() => pending.told.notTaken(error))
  }

  function died(error: Error): void {
    if (dead) return
    dead = error
    clearInterval(watch)
    unschedule()
    for (const pending of [...inFlight, ...waiting])
      refuse(pending, new GatewayError('log_failed', 'the log has stopped', { cause: error }))
    inFlight = []
    waiting = []
    closing?.()
    parts.fatal(error)
  }

  return {
    append(pending) {
      pendingBytes += pending.bytes
      gathers(pending)
      schedule()
    },
    obstacle(urgent) {
      if (dead) return new GatewayError('log_failed', 'the log has stopped', { cause: dead })
      if (closing) return new GatewayError('stopping', 'the log is being closed')
      if (pendingBytes > parts.pendingBytesMax) {
        return new GatewayError('overloaded', `${pendingBytes} bytes are on their way to the disk already`)
      }
      if (!trouble || (trouble === 'full' && urgent)) return undefined
      const now = performance.now()
      if (turnedAway || now - triedMs < probeMs) {
        if (!turnedAway) setImmediate(() => (turnedAway = false))
        turnedAway = true
        return obstacleError(trouble)
      }
      triedMs = now
      return undefined
    },
    find: (wanted) => waiting.find(wanted) ?? inFlight.find(wanted),
    died,
    async close() {
      assert(!closing, 'the log is closed once')
      await new Promise<void>((resolve) => {
        closing = resolve
        if ((waiting.length === 0 && inFlight.length === 0) || dead) resolve()
      })
      clearInterval(watch)
      if (!dead) await writer.close()
    },
  }
}

function obstacleError(trouble: 'full' | 'failed'): GatewayError {
  return trouble === 'full'
    ? new GatewayError('log_full', 'the disk of the log is full: make room, or keep less (settings log.keep_…)')
    : new GatewayError('log_failed', 'the disk of the log refuses to write')
}
