// The loop that moves one output through the log: urgent first, then routine; deliver; keep the bookmark. It retries for ever
// with jittered back-off and raises an alarm when an output stalls; nothing is skipped.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Alarms } from '../alarms.ts'
import type { Lane, LanePosition, Log, Slice, StoredRecord } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import type { Output } from './output.ts'

/** First wait after a failure; doubles up to the most. */
const retryDelayMsMin = 200
/** An outage of hours is asked about once every half minute: often enough to resume soon, too rarely to be a burden. */
const retryDelayMsMax = 30_000
/** How soon a log that cannot be read is read again. */
const readAgainMs = 1_000
/** Shorter failures than this are everyday life and raise no alarm. */
const stalledAfterMs = 10_000

export interface RunningOutput {
  readonly name: string
  /** Records of each lane that it has not delivered. */
  lag(): LanePosition
  readonly delivered: () => number
  /** What the last failure said; undefined while it works. */
  readonly failing: () => string | undefined
  stop(): Promise<void>
}

export interface OutputParts {
  readonly log: Log
  readonly alarms: Alarms
  readonly logger: Logger
  /** 0 ≤ x < 1; spreads the retries of many gateways. */
  readonly random: () => number
}

export function runOutput(output: Output, parts: OutputParts): RunningOutput {
  const { log } = parts
  const abort = new AbortController()
  const start: LanePosition = output.start === 'latest' ? { ...log.head } : { urgent: 0, routine: 0 }
  let bookmark = log.bookmarks.get(output.name) ?? start
  let delivered = 0
  let failing: string | undefined
  let cannotRead = false
  let wake: (() => void) | undefined
  const stopListening = log.onAdvance(() => wake?.())

  const loop = (async () => {
    while (!abort.signal.aborted) {
      const taken = await takeUntilRead()
      if (!taken) continue
      await deliverUntilDone(taken.records)
      if (abort.signal.aborted) return
      delivered += taken.records.length
      bookmark = taken.bookmark
      log.bookmarks.set(output.name, bookmark, { pins: true })
    }
  })()

  /** A disk that does not give what is in the log is asked again, like another side that takes nothing. */
  async function takeUntilRead(): ReturnType<typeof take> {
    try {
      const taken = await take()
      if (cannotRead) parts.alarms.clear('output_stalled', output.name)
      cannotRead = false
      return taken
    } catch (error) {
      cannotRead = true
      const why = error instanceof Error ? error.message : String(error)
      const text = `${output.name} gets nothing: the log cannot be read (${why}); look at the machine's disk. It is tried again, nothing is lost.`
      parts.alarms.raise('output_stalled', output.name, text)
      await sleep(readAgainMs, undefined, { signal: abort.signal }).catch(() => undefined)
      return undefined
    }
  }

  /** Waits until there is something; then, when the output prefers large batches, a little longer for more. */
  async function take(): Promise<{ records: readonly StoredRecord[]; bookmark: LanePosition } | undefined> {
    const waiting = () => log.head.urgent - bookmark.urgent + (log.head.routine - bookmark.routine)
    if (waiting() <= 0) {
      await new Promise<void>((resolve) => (wake = resolve))
      wake = undefined
      if (abort.signal.aborted) return undefined
    }
    if (output.batch.gatherMs > 0 && waiting() < output.batch.records) {
      await sleep(output.batch.gatherMs, undefined, { signal: abort.signal }).catch(() => undefined)
    }
    return gather()
  }

  function gather(): { records: readonly StoredRecord[]; bookmark: LanePosition } | undefined {
    let { records: recordsLeft, bytes: bytesLeft } = output.batch
    const next = { ...bookmark }
    const records: StoredRecord[] = []
    for (const lane of ['urgent', 'routine'] as const) {
      while (recordsLeft > 0 && bytesLeft > 0) {
        const slice = log.read(lane, next[lane], { records: recordsLeft, bytes: bytesLeft })
        if (!slice) break
        tell(lane, slice)
        for (const record of slice.records) records.push(record)
        next[lane] = slice.through
        recordsLeft -= slice.records.length
        bytesLeft -= slice.batch.length
      }
    }
    return { records, bookmark: next }
  }

  function tell(lane: Lane, slice: Slice): void {
    for (const missing of slice.missing) {
      parts.logger.error({ output: output.name, lane, ...missing }, 'records are gone before this output had them')
      output.missed?.(lane, missing)
    }
  }

  async function deliverUntilDone(records: readonly StoredRecord[]): Promise<void> {
    if (records.length === 0) return
    let delayMs = retryDelayMsMin
    let failingForMs = 0
    while (!abort.signal.aborted) {
      try {
        await output.deliver(records, abort.signal)
        if (failing !== undefined) parts.alarms.clear('output_stalled', output.name)
        failing = undefined
        return
      } catch (error) {
        if (abort.signal.aborted) return
        failing = error instanceof Error ? error.message : String(error)
        const waitMs = Math.max(delayMs * (0.5 + parts.random()), retryAfterMs(error))
        if (failingForMs >= stalledAfterMs || isRefusal(error)) {
          parts.alarms.raise(
            'output_stalled',
            output.name,
            `${output.name} takes nothing: ${failing}. It is retried; nothing is lost.`,
          )
        }
        await sleep(waitMs, undefined, { signal: abort.signal }).catch(() => undefined)
        failingForMs += waitMs
        delayMs = Math.min(delayMs * 2, retryDelayMsMax)
      }
    }
  }

  return {
    name: output.name,
    lag: () => ({ urgent: log.head.urgent - bookmark.urgent, routine: log.head.routine - bookmark.routine }),
    delivered: () => delivered,
    failing: () => failing,
    async stop() {
      abort.abort()
      stopListening()
      wake?.()
      await loop
      await output.close()
    },
  }
}

/** An output may say how long the other side asked to be left alone (HTTP Retry-After). */
const retryAfterMs = (error: unknown): number =>
  error instanceof Error && 'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? error.retryAfterMs : 0

/** The other side works but will not take it: people must look at once (InfluxDB 401, 403, 404). */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'peer_refused'
