// Shows events as they come: one line each, until Ctrl-C. It resumes by its cursor when the line breaks, says when the gateway is
// silent, and never hides that something is missing.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Record as StoredRecord, SubscribeRequest, SubscribeResponse } from '../../proto/generated/types.ts'
import { Lane } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { duration, nsPerMs, timestamp } from '../../proto/time.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { createEventLines, eventJson, voidFlag } from './event-line.ts'
import { filterOf, filterOptions } from './filter-options.ts'
import { counted, safe, type Terminal } from './terminal.ts'
import { dayText, parseTime, spanText, zoneText } from './time.ts'

export const watch: Command = {
  name: 'watch',
  usage: '[options]',
  about: 'Shows events as they come, one line each.',
  options: {
    ...filterOptions,
    from: {
      value: 'START',
      of: () => ['current', 'latest', 'earliest'],
      about: 'current (as it stands now, then live; the default), latest, earliest, or a time.',
    },
    cursor: { value: 'FILE', about: 'Keeps the place in this file, and goes on from it the next time.' },
    json: { about: 'One line of JSON for each event.' },
    count: { value: 'N', about: 'Ends after so many events.' },
    ...connectionOptions,
  },
  wordsMax: 0,
  examples: [
    ['tocsin watch', 'All there is now, then all that comes.'],
    ['tocsin watch --lane urgent --severity severe', 'Only what is bad.'],
    ["tocsin watch --topic 'tocsin/in/#' --from 15m --json", 'The last quarter of an hour and on, for a program.'],
  ],
  run: (given, terminal) => runWatch(given, terminal),
}

/** The gateway sends a heartbeat every 2 s: three missed ones are silence. */
const heartbeatNs = 2_000_000_000n
const silentAfterMs = 6_000
/** While it lasts, it is said again. */
const silentAgainMs = 30_000
const retryDelayMsMin = 250
const retryDelayMsMax = 5_000

async function runWatch(given: Given, terminal: Terminal): Promise<number> {
  const plan = planOf(given)
  const connection = connect(given)
  const seen: Seen = { events: 0, urgent: 0, gaps: 0, brokenAtMs: undefined }
  const startedMs = performance.now()
  const over = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.abort())
  const show = createShow(given, terminal)
  let hasConnected = false
  let delayMs = retryDelayMsMin

  try {
    while (!over.signal.aborted) {
      const ended = await follow(connection, plan, over, { terminal, show, seen })
      if (over.signal.aborted) break
      if (!ended.heard && !hasConnected) throw connection.explain(ended.error)
      if (ended.heard) {
        hasConnected = true
        delayMs = retryDelayMsMin
        seen.brokenAtMs = performance.now()
        terminal.tell(`── the line is broken: ${safe(connection.explain(ended.error).message)}; trying again ──`)
      }
      await sleep(delayMs, undefined, { signal: over.signal }).catch(() => undefined)
      delayMs = Math.min(delayMs * 2, retryDelayMsMax)
    }
  } finally {
    connection.close()
  }
  const gaps = seen.gaps > 0 ? `, ${counted(seen.gaps, 'gap')}` : ''
  const span = spanText(performance.now() - startedMs)
  terminal.tell(`${counted(seen.events, 'event')} (${seen.urgent} urgent)${gaps} in ${span}`)
  return 0
}

interface Plan {
  readonly request: SubscribeRequest
  readonly countMax: number
  readonly cursorFile: string | undefined
  /** Moves with what was shown. */
  cursor: Uint8Array | undefined
}

function planOf(given: Given): Plan {
  const cursorFile = given.text('cursor')
  const cursor = cursorFile !== undefined && existsSync(cursorFile) ? readCursor(cursorFile) : undefined
  const request: SubscribeRequest = {
    filter: filterOf(given),
    heartbeatInterval: duration(heartbeatNs),
    ...startOf(given.text('from') ?? 'current'),
  }
  const countMax = wholeNumber(given, 'count', 1, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY
  return { request, countMax, cursorFile, cursor }
}

function startOf(text: string) {
  if (text === 'current') return { start: 'current' as const, current: {} }
  if (text === 'latest') return { start: 'latest' as const, latest: {} }
  if (text === 'earliest') return { start: 'earliest' as const, earliest: {} }
  return { start: 'afterTime' as const, afterTime: timestamp(parseTime(text, 'from')) }
}

interface Seen {
  events: number
  urgent: number
  gaps: number
  /** While the line is broken. */
  brokenAtMs: number | undefined
}

interface Showing {
  readonly terminal: Terminal
  readonly show: (record: StoredRecord) => void
  readonly seen: Seen
}

/** One stream from its start to its end; aborts `over` when enough was seen. */
function follow(
  connection: Connection,
  plan: Plan,
  over: AbortController,
  { terminal, show, seen }: Showing,
): Promise<{ heard: boolean; error: unknown }> {
  const { request, cursor } = plan
  const resumed = cursor ? { start: 'afterCursor' as const, afterCursor: cursor } : {}
  const stream = connection.open('EventService/Subscribe', { ...request, ...resumed } as SubscribeRequest)
  const silence = watchSilence(terminal)
  terminal.whenFull(
    () => stream.pause(),
    () => stream.resume(),
  )
  const stop = (): void => stream.cancel()
  over.signal.addEventListener('abort', stop)
  let heard = false

  return new Promise((resolve) => {
    const settle = (error: unknown): void => {
      silence.stop()
      over.signal.removeEventListener('abort', stop)
      resolve({ heard, error })
    }
    stream.on('data', (response: SubscribeResponse) => {
      heard = true
      silence.heard()
      if (seen.brokenAtMs !== undefined) {
        terminal.tell(`── the line is back after ${spanText(performance.now() - seen.brokenAtMs)} ──`)
        seen.brokenAtMs = undefined
      }
      if (over.signal.aborted) return
      if (response.item === 'gap') {
        seen.gaps += 1
        terminal.tell(`── gap: ${safe(response.gap.text || 'records are missing')} ──`)
      } else if (response.item === 'batch') {
        for (const record of response.batch.records ?? []) {
          if (((record.flags ?? 0) & voidFlag) !== 0) continue
          show(record)
          seen.events += 1
          if (record.lane === Lane.URGENT) seen.urgent += 1
          // The cursor of a batch that was not shown to its end is not kept: the rest must come again.
          if (seen.events >= plan.countMax) return over.abort()
        }
        keepCursor(plan, response.batch.cursor)
      } else if (response.item === 'caughtUp') {
        keepCursor(plan, response.caughtUp.cursor)
      } else if (response.item === 'heartbeat') {
        keepCursor(plan, response.heartbeat.cursor)
      }
    })
    stream.on('error', settle)
    stream.on('end', () => settle(new Error('the gateway has ended the stream')))
  })
}

/** Says when nothing comes, and when something comes again. */
function watchSilence(terminal: Terminal) {
  let sinceMs = performance.now()
  let saidAtMs = 0
  const timer = setInterval(() => {
    const silentMs = performance.now() - sinceMs
    if (silentMs < silentAfterMs || (saidAtMs > 0 && performance.now() - saidAtMs < silentAgainMs)) return
    saidAtMs = performance.now()
    terminal.tell(`── no word from the gateway for ${spanText(silentMs)} ──`)
  }, 500)
  return {
    heard() {
      if (saidAtMs > 0) terminal.tell(`── the gateway is back after ${spanText(performance.now() - sinceMs)} ──`)
      sinceMs = performance.now()
      saidAtMs = 0
    },
    stop: () => clearInterval(timer),
  }
}

function createShow(given: Given, { print, tell, paint }: Terminal): (record: StoredRecord) => void {
  if (given.flag('json')) return (record) => print(eventJson(record))
  const lines = createEventLines({ paint })
  const now = BigInt(Date.now()) * nsPerMs
  tell(`times are of this machine's zone (${zoneText(now)}); Ctrl-C ends`)
  return (record) => {
    const loggedAt = toBigInt(record.loggedAtNs as never)
    print(lines.line(record, { day: dayText(loggedAt) !== dayText(BigInt(Date.now()) * nsPerMs) }))
  }
}

/** Written beside and renamed, so that a crash leaves the old place or the new one. */
function keepCursor(plan: Plan, cursor: Uint8Array | undefined): void {
  if (!cursor?.length) return
  plan.cursor = cursor
  if (plan.cursorFile === undefined) return
  writeFileSync(`${plan.cursorFile}.new`, cursor)
  renameSync(`${plan.cursorFile}.new`, plan.cursorFile)
}

function readCursor(file: string): Uint8Array {
  const cursor = readFileSync(file)
  // A cursor is opaque, but never long: another kind of file was named.
  if (cursor.length > 0 && cursor.length <= 256) return cursor
  throw new UsageError(`${file} does not hold a cursor; name a new file to begin with one`)
}
