// The mixed traffic of the proof of order: publishers of QoS 0, 1 and 2, some of it retained, readers with and without sessions, and
// a seeded course of cuts, takeovers, absences, visits and kills; with MQTT 5, groups that share, and messages whose time is over.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '../faults/fault-disk.ts'
import { createLedger, type Ledger, type ReaderBook, type Verdict } from '../faults/ledger.ts'
import type { Place } from '../faults/mqtt-client.ts'
import { type Cast, createCast } from './cast.ts'
import { shortLifeSeconds, type Version } from './message-traits.ts'
import { type Course, createPublisher, lagMax, type Party, type Publisher, visit } from './parties.ts'

export interface TrafficOptions {
  readonly port: Place
  /** 4 when not given. */
  readonly version?: Version
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
  /** Live messages that wore the retain flag, which belongs to those that were there before the subscription, or to who asked for it. */
  readonly flagged: number
  /** What came twice when nothing had happened to anybody. */
  readonly unprovoked: number
  /** Of MQTT 5: what no broker may do, each time, and the first of it in words. */
  readonly wrongs: number
  readonly wrong: readonly string[]
  readonly events: Readonly<Record<string, number>>
  readonly seconds: number
}

/** What nobody may do, in words, and how often it was done. */
export function wrongdoings(traffic: Traffic) {
  const { verdict, sessionsLost, flagged, unprovoked, wrongs } = traffic
  const { lost, doubled, inverted, stale, invented } = verdict
  return {
    lost,
    doubled,
    inverted,
    'stale retained': stale,
    invented,
    'wrongly flagged as retained': flagged,
    'sessions lost': sessionsLost,
    'again unprovoked': unprovoked,
    'wrong in MQTT 5': wrongs,
  }
}

const publishersCount = 6
/** Who gets nothing more for so long is not waited for. */
const stuckMs = 3_000
const silentMsMax = 60_000
/** When all is over, so many more are published, and nothing happens. */
const calmMessages = 300
const wrongMax = 20
/** Of MQTT 5: so long is one away whose messages have a second to live. */
const longAwayMs = 1_000 * shortLifeSeconds + 300
const longAwayEach = 20_000

export async function runTraffic(options: TrafficOptions): Promise<Traffic> {
  const { port, seed, messages, version = 4 } = options
  const ledger = createLedger()
  const wrong: string[] = []
  let wrongs = 0
  const course: Course = {
    port,
    version,
    seed,
    messages,
    ledger,
    newestRetained: new Map(),
    isOver: false,
    isDown: false,
    flagged: 0,
    onWrong(what) {
      if (wrongs++ < wrongMax) wrong.push(what)
    },
  }
  const startedMs = performance.now()
  const cast = createCast(course)
  const { kept, passing, members, books } = cast
  const readers = [...kept, ...passing, ...members]
  const isLagging = watchLag(ledger, books)
  const publishers = Array.from({ length: publishersCount }, (_, i) => createPublisher(course, i, () => !isLagging()))
  for (const reader of readers) await reader.join()
  for (const { client } of publishers) await client.connect()
  options.storm?.()
  const filler = setInterval(() => publishers.forEach(({ fill }) => fill()), 5)
  const events = await runCourse(options, course, { ...cast, publishers })
  options.calm?.()
  await settle(course, publishers, books)
  const before = ledger.verdict()
  course.messages += calmMessages
  await settle(course, publishers, books)
  course.isOver = true
  clearInterval(filler)
  for (const { client } of [...publishers, ...readers]) await client.disconnect()
  const verdict = ledger.verdict()
  return {
    verdict,
    acknowledged: ledger.acknowledged,
    arrivals: readers.reduce((sum, { book }) => sum + book.arrivals, 0),
    // A publisher's session holds nothing but what is doubled when it is gone, and that is seen.
    sessionsLost: [...kept, ...members].reduce((sum, { client }) => sum + client.sessionsLost, 0),
    flagged: course.flagged,
    unprovoked: verdict.repeats - before.repeats,
    wrongs,
    wrong,
    events,
    seconds: (performance.now() - startedMs) / 1_000,
  }
}

interface Parties extends Cast {
  readonly publishers: readonly Publisher[]
}

/** Until everything is published; returns what happened how often. */
async function runCourse(
  { seed, messages, kills, kill, say, eventEach = 1_000 }: TrafficOptions,
  course: Course,
  parties: Parties,
): Promise<Record<string, number>> {
  const { ledger } = course
  const { kept } = parties
  // Of its own: when packets happen to arrive does not change it.
  const random = seededRandom(seed)
  const happenings = createHappenings(course, parties, random, eventEach)
  const names = Object.keys(happenings)
  const killsAt = Array.from({ length: kills }, () => Math.floor((random() * 0.9 + 0.05) * messages))
  killsAt.sort((a, b) => a - b)
  const longAways = course.version === 5 ? Math.ceil(messages / longAwayEach) : 0
  const longAwayAt = Array.from({ length: longAways }, (_, i) => ((i + 0.5) * messages) / longAways)
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
    if (last >= (longAwayAt[0] ?? Infinity)) {
      longAwayAt.shift()
      count('longAway')
      const reader = pick(random, kept)
      reader.awayUntilMs = performance.now() + longAwayMs
      void cut(reader)
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
  { publishers, kept, passing, members }: Parties,
  random: Random,
  eventEach: number,
): Readonly<Record<string, () => Promise<void>>> {
  let visits = 0
  const takeOver = ({ client }: Party): Promise<void> => client.connect().catch(() => {})
  const away = async (party: Party): Promise<void> => {
    party.awayUntil = course.ledger.published + Math.floor(random() * 2 * eventEach)
    if (random() < 0.5) await party.client.disconnect()
    await cut(party)
  }
  const ofGroups = {
    memberCut: () => cut(pick(random, members)),
    memberTakeover: () => takeOver(pick(random, members)),
    memberAway: () => away(pick(random, members)),
    async memberFrozen() {
      const member = pick(random, members)
      const [frozenMs, isCut] = [frozenMsMax * random(), random() < 0.6]
      member.client.freeze()
      await sleep(frozenMs)
      // Others get what it was sent and has not read.
      if (isCut) await cut(member)
      else member.client.thaw()
    },
  }
  return {
    ...(members.length > 0 && ofGroups),
    cutPublisher: () => cut(pick(random, publishers)),
    publisherTakeover: () => takeOver(pick(random, publishers)),
    readerAway: () => away(pick(random, kept)),
    readerTakeover: () => takeOver(pick(random, kept)),
    passingAway: () => cut(pick(random, passing)),
    visit: () => visit(course, `visitor-${visits++}`),
  }
}

function cut(party: Party): Promise<void> {
  party.client.drop()
  return party.comeBack()
}

const frozenMsMax = 1_000
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!

/** True while a session is too far behind; one that gets nothing more for a while is not waited for. */
function watchLag(ledger: Ledger, books: readonly ReaderBook[]): () => boolean {
  const marks = books.map(() => ({ given: 0, sinceMs: performance.now(), forgiven: 0 }))
  return () =>
    books.some((book, i) => {
      const mark = marks[i]!
      const nowMs = performance.now()
      if (book.given > mark.given) Object.assign(mark, { given: book.given, sinceMs: nowMs })
      const behind = ledger.lag(book)
      // What never came is not waited for, but whoever has caught up owes nothing for earlier.
      if (behind <= lagMax) mark.forgiven = 0
      const lag = behind - mark.forgiven
      if (lag <= lagMax) {
        mark.sinceMs = nowMs
        return false
      }
      if (nowMs - mark.sinceMs > stuckMs) mark.forgiven += lag
      return true
    })
}

/** Resolves when everything is acknowledged and given, or nothing has moved for a while. */
async function settle(course: Course, publishers: readonly Party[], books: readonly ReaderBook[]): Promise<void> {
  const { ledger } = course
  let before = ''
  for (let sinceMs = performance.now(); performance.now() - sinceMs < stuckMs * 2;) {
    await sleep(50)
    const inFlight = publishers.reduce((sum, { client }) => sum + client.inFlight, 0)
    const waiting = inFlight + Math.max(0, course.messages - ledger.published)
    const owed = books.reduce((sum, book) => sum + ledger.lag(book), 0)
    if (waiting === 0 && owed <= 0 && books.every((book) => ledger.owed(book) === 0)) break
    const state = `${waiting} ${owed}`
    if (state !== before) [before, sinceMs] = [state, performance.now()]
  }
  // What comes twice comes late.
  await sleep(500)
}
