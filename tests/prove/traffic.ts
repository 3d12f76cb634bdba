// The mixed traffic of the proof of order: publishers of QoS 0, 1 and 2, some of it retained, readers with and without sessions, and
// a seeded course of cuts, takeovers, absences, visits and kills.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '../faults/fault-disk.ts'
import { createLedger, type Ledger, type Verdict } from '../faults/ledger.ts'
import type { Place } from '../faults/mqtt-client.ts'
import {
  type Course,
  createPublisher,
  createReader,
  lagMax,
  type Party,
  type Publisher,
  type Reader,
  root,
  topicsEach,
  visit,
} from './parties.ts'

export interface TrafficOptions {
  readonly port: Place
  readonly seed: number
  readonly messages: number
  /** At random points of the run. */
  readonly kills: number
  /** Something happens to somebody after so many messages, more or less. */
  readonly eventEach?: number
  /** Kills the broker and starts it again; resolves when it listens. */
  kill(): Promise<void>
  /** Everybody is here and subscribed: faults may begin. */
  storm?(): void
  /** Everything is published: no more faults, so that what is owed can come. */
  calm?(): void
  say(line: string): void
}

export interface Traffic {
  readonly verdict: Verdict
  readonly acknowledged: number
  readonly arrivals: number
  /** Readers that were told of no session where they had one, each time. */
  readonly sessionsLost: number
  /** Live messages that wore the retain flag, which belongs to those that were there before the subscription. */
  readonly flagged: number
  readonly events: Readonly<Record<string, number>>
  readonly seconds: number
}

const publishersCount = 6
/** Who gets nothing more for so long is not waited for. */
const stuckMs = 3_000
const silentMsMax = 60_000
const everyTopic = Array.from({ length: topicsEach }, (_, t) => `${root}/+/t${t}`)

export async function runTraffic(options: TrafficOptions): Promise<Traffic> {
  const { port, seed, messages } = options
  const ledger = createLedger()
  const course: Course = {
    port,
    seed,
    messages,
    ledger,
    newestRetained: new Map(),
    isOver: false,
    isDown: false,
    flagged: 0,
  }
  const startedMs = performance.now()
  const kept = [
    createReader(course, { name: 'kept-all-2', qos: 2, isKept: true, filters: [`${root}/#`] }),
    createReader(course, { name: 'kept-topics-2', qos: 2, isKept: true, filters: everyTopic }),
    createReader(course, { name: 'kept-all-1', qos: 1, isKept: true, filters: [`${root}/+/+`] }),
  ]
  const passing = ([0, 1, 2] as const).map((qos) =>
    createReader(course, { name: `passing-${qos}`, qos, isKept: false, filters: [`${root}/#`] }),
  )
  const isLagging = watchLag(ledger, kept)
  const publishers = Array.from({ length: publishersCount }, (_, i) => createPublisher(course, i, () => !isLagging()))
  for (const reader of [...kept, ...passing]) await reader.join()
  for (const { client } of publishers) await client.connect()
  options.storm?.()
  const filler = setInterval(() => publishers.forEach(({ fill }) => fill()), 5)
  const events = await runCourse(options, course, { publishers, kept, passing })
  options.calm?.()
  await settle(ledger, publishers, kept)
  course.isOver = true
  clearInterval(filler)
  for (const { client } of [...publishers, ...kept, ...passing]) await client.disconnect()
  return {
    verdict: ledger.verdict(),
    acknowledged: ledger.acknowledged,
    arrivals: [...kept, ...passing].reduce((sum, { book }) => sum + book.arrivals, 0),
    // A publisher's session holds nothing but what is doubled when it is gone, and that is seen.
    sessionsLost: kept.reduce((sum, { client }) => sum + client.sessionsLost, 0),
    flagged: course.flagged,
    events,
    seconds: (performance.now() - startedMs) / 1_000,
  }
}

interface Parties {
  readonly publishers: readonly Publisher[]
  readonly kept: readonly Reader[]
  readonly passing: readonly Reader[]
}

/** Until everything is published; returns what happened how often. */
async function runCourse(
  { seed, messages, kills, kill, say, eventEach = 1_000 }: TrafficOptions,
  course: Course,
  parties: Parties,
): Promise<Record<string, number>> {
  const { ledger } = course
  // Of its own: when packets happen to arrive does not change it.
  const random = seededRandom(seed)
  const happenings = createHappenings(course, parties, random, eventEach)
  const names = Object.keys(happenings)
  const killsAt = Array.from({ length: kills }, () => Math.floor((random() * 0.9 + 0.05) * messages))
  killsAt.sort((a, b) => a - b)
  const events: Record<string, number> = {}
  const count = (name: string): void => void (events[name] = (events[name] ?? 0) + 1)
  let [nextAt, saidAt, last, lastMs] = [0, 0, 0, performance.now()]
  while (ledger.published < messages) {
    await sleep(2)
    if (ledger.published > last) [last, lastMs] = [ledger.published, performance.now()]
    else if (performance.now() - lastMs > silentMsMax) throw new Error(`nobody could publish for a minute, at ${last}`)
    if (last >= saidAt) {
      say(`${last} of ${messages} messages, ${ledger.acknowledged} acknowledged`)
      saidAt += messages / 5
    }
    if (last >= (killsAt[0] ?? Infinity)) {
      killsAt.shift()
      count('kill')
      course.isDown = true
      await kill()
      course.isDown = false
    }
    if (last < nextAt) continue
    nextAt = last + Math.floor(eventEach * (0.2 + 1.6 * random()))
    const name = pick(random, names)
    count(name)
    void happenings[name]!()
  }
  return events
}

function createHappenings(
  course: Course,
  { publishers, kept, passing }: Parties,
  random: Random,
  eventEach: number,
): Readonly<Record<string, () => Promise<void>>> {
  let visits = 0
  const cut = (party: Party): Promise<void> => {
    party.client.drop()
    return party.comeBack()
  }
  const takeOver = ({ client }: Party): Promise<void> => client.connect().catch(() => {})
  return {
    cutPublisher: () => cut(pick(random, publishers)),
    publisherTakeover: () => takeOver(pick(random, publishers)),
    async readerAway() {
      const reader = pick(random, kept)
      reader.awayUntil = course.ledger.published + Math.floor(random() * 2 * eventEach)
      if (random() < 0.5) await reader.client.disconnect()
      await cut(reader)
    },
    readerTakeover: () => takeOver(pick(random, kept)),
    passingAway: () => cut(pick(random, passing)),
    visit: () => visit(course, `visitor-${visits++}`),
  }
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!

/** True while a session is too far behind; one that gets nothing more for a while is not waited for. */
function watchLag(ledger: Ledger, kept: readonly Reader[]): () => boolean {
  const marks = kept.map(() => ({ given: 0, sinceMs: performance.now(), forgiven: 0 }))
  return () =>
    kept.some(({ book }, i) => {
      const mark = marks[i]!
      const nowMs = performance.now()
      if (book.given > mark.given) Object.assign(mark, { given: book.given, sinceMs: nowMs })
      // What never came is not waited for, but whoever has caught up owes nothing for earlier.
      if (ledger.acknowledged - book.given <= lagMax) mark.forgiven = 0
      const lag = ledger.acknowledged - book.given - mark.forgiven
      if (lag <= lagMax) {
        mark.sinceMs = nowMs
        return false
      }
      if (nowMs - mark.sinceMs > stuckMs) mark.forgiven += lag
      return true
    })
}

/** Resolves when everything is acknowledged and given, or nothing has moved for a while. */
async function settle(ledger: Ledger, publishers: readonly Party[], kept: readonly Reader[]): Promise<void> {
  let before = ''
  for (let sinceMs = performance.now(); performance.now() - sinceMs < stuckMs * 2;) {
    await sleep(50)
    const waiting = publishers.reduce((sum, { client }) => sum + client.inFlight, 0)
    const owed = kept.reduce((sum, { book }) => sum + ledger.acknowledged - book.given, 0)
    if (waiting === 0 && owed <= 0 && kept.every(({ book }) => ledger.owed(book) === 0)) break
    const state = `${waiting} ${owed}`
    if (state !== before) [before, sinceMs] = [state, performance.now()]
  }
  // What comes twice comes late.
  await sleep(500)
}
