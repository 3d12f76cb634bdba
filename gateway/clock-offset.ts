// Measures how far this machine's clock is off and tells of it: in the status, in metrics, and as an alarm at 100 ms. It never sets
// the clock. Without servers it sends nothing.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Alarms } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { querySntp, type SntpAnswer, type TimeServer } from './sntp.ts'

export interface ClockOffset {
  /** How far this machine's clock is ahead, seconds. */
  readonly offsetS: number
  /** Round trip of the measurement, seconds; the offset is known to half of it. */
  readonly delayS: number
  /** How many servers it comes from. */
  readonly servers: number
}

export interface ClockOffsetParts {
  /** host or host:port, as in the settings. */
  readonly servers: readonly string[]
  readonly intervalMs: number
  readonly clock: Clock
  readonly alarms: Alarms
  readonly logger: Logger
  readonly fillRandom: (bytes: Uint8Array) => void
  /** 0 ≤ x < 1; keeps many gateways from asking at the same moment. */
  readonly random: () => number
  readonly timeoutMs?: number
  readonly burstSpacingMs?: number
}

export interface ClockOffsetMeter {
  /** The first measurement is made at once. */
  start(): void
  /** Undefined: not measured, or not for some intervals. */
  readonly latest: ClockOffset | undefined
  stop(): void
}

/** Times of readings and of neighbours' events are compared across jurisdictions; at 100 ms their order is no longer sure. */
const alarmAtS = 0.1
/** Below the alarm by a margin, so that it does not come and go. */
const clearBelowS = 0.08
/**
 * What looks like an alarm is measured again, and of all the one with the shortest round trip counts: a moment in which this process
 * was busy, or a queue on the line, looks like half of it as offset.
 */
const burstMax = 4
/** As RFC 5905 §13 has it for bursts. */
const burstSpacingMsDefault = 2_000
/** A measurement older than this many intervals says nothing. */
const staleAfterIntervals = 4
const ntpPort = 123
/** Asked once in about an hour at the default interval, it still serves to notice that the others are wrong. */
const everyMax = 64

interface Watched {
  readonly server: TimeServer
  readonly name: string
  /** Every how many rounds it is asked: 1, doubled by each RATE. */
  every: number
  /** It said DENY or RSTR: it is never asked again (RFC 5905 §7.4). */
  denied: boolean
  problem: string
}

export function createClockOffset(parts: ClockOffsetParts): ClockOffsetMeter {
  const watched = parts.servers.map(watch)
  const staleAfterNs = BigInt(Math.round(parts.intervalMs * staleAfterIntervals * 1e6))
  let latest: { offset: ClockOffset; at: bigint } | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = true
  let round = 0

  async function measure(): Promise<void> {
    const due = watched.filter(({ denied, every }) => !denied && round % every === 0)
    round += 1
    const answers = await Promise.all(due.map(async (each) => ({ each, answer: await askSurely(each) })))
    if (stopped) return
    for (const { each, answer } of answers) heed(each, answer, parts.logger)
    const offset = combine(answers.map(({ answer }) => answer))
    if (offset) {
      latest = { offset, at: parts.clock.monotonic() }
      judge(offset, parts.alarms)
    }
    // A tenth either way.
    timer = setTimeout(() => void measure(), parts.intervalMs * (0.9 + 0.2 * parts.random()))
    timer.unref()
  }

  /** Asks again while the answer cannot exclude an alarm. */
  async function askSurely({ server }: Watched): Promise<SntpAnswer> {
    let best = await querySntp(server, parts)
    for (let asked = 1; asked < burstMax && !stopped && mayAlarm(best); asked++) {
      await sleep(parts.burstSpacingMs ?? burstSpacingMsDefault, undefined, { ref: false })
      const answer = await querySntp(server, parts)
      if (answer.outcome === 'kiss_of_death') return answer
      if (answer.outcome === 'measured' && best.outcome === 'measured' && answer.delayNs < best.delayNs) best = answer
    }
    return best
  }

  return {
    start() {
      if (watched.length === 0 || !stopped) return
      stopped = false
      void measure()
    },
    get latest() {
      return latest && parts.clock.monotonic() - latest.at < staleAfterNs ? latest.offset : undefined
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function mayAlarm(answer: SntpAnswer): boolean {
  if (answer.outcome !== 'measured') return false
  return Math.abs(Number(answer.offsetNs)) / 1e9 + Number(answer.delayNs) / 2e9 >= alarmAtS
}

/** One wrong server among three is outvoted; of one or two, the nearer is believed. */
function combine(answers: readonly SntpAnswer[]): ClockOffset | undefined {
  const measured = answers.filter((answer) => answer.outcome === 'measured')
  if (measured.length === 0) return undefined
  const order =
    measured.length > 2
      ? measured.toSorted((a, b) => compare(a.offsetNs, b.offsetNs))
      : measured.toSorted((a, b) => compare(a.delayNs, b.delayNs))
  const chosen = order[measured.length > 2 ? Math.floor((measured.length - 1) / 2) : 0]!
  return { offsetS: Number(chosen.offsetNs) / 1e9, delayS: Number(chosen.delayNs) / 1e9, servers: measured.length }
}

function judge({ offsetS, delayS }: ClockOffset, alarms: Alarms): void {
  if (Math.abs(offsetS) >= alarmAtS) {
    const side = offsetS > 0 ? 'ahead of' : 'behind'
    const [off, sure] = [Math.abs(offsetS * 1000).toFixed(0), (delayS * 500).toFixed(0)]
    const text = `This machine's clock is ${off} ms ${side} its time servers (± ${sure} ms). Repair its time synchronisation (chrony, ntpd).`
    alarms.raise('clock_offset', '', text)
  } else if (Math.abs(offsetS) < clearBelowS) alarms.clear('clock_offset')
}

/** Does what a server asks for; says once, not at every round, what is wrong with it. */
function heed(each: Watched, answer: SntpAnswer, logger: Logger): void {
  const problem = problemOf(each, answer)
  if (problem === each.problem) return
  each.problem = problem
  if (problem) logger.warn({ server: each.name }, `the time server ${each.name} is not used: ${problem}`)
  else logger.info({ server: each.name }, `the time server ${each.name} answers`)
}

function problemOf(each: Watched, answer: SntpAnswer): string {
  if (answer.outcome === 'measured') return ''
  if (answer.outcome !== 'kiss_of_death') return answer.why
  if (answer.code === 'DENY' || answer.code === 'RSTR') {
    each.denied = true
    return `it denies us (${answer.code}) and is not asked again`
  }
  if (answer.code !== 'RATE') return `it does not serve us now (${answer.code})`
  each.every = Math.min(each.every * 2, everyMax)
  return `it is asked too often for its taste, so only at every ${each.every}th measurement from now on`
}

function watch(name: string): Watched {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(name)
  const host = match?.[1] ?? match?.[2] ?? name
  const port = match?.[3] === undefined ? ntpPort : Number(match[3])
  return { server: { host, port }, name, every: 1, denied: false, problem: '' }
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
