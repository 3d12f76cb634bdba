// The mixed traffic of the proof of order: publishers of QoS 0, 1 and 2, some of it retained, readers with and without sessions, and
// a seeded course of cuts, takeovers, absences, visits and kills. Whatever happens, everybody comes back and goes on.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { createLedger, type Ledger, type ReaderBook, type Verdict } from '../faults/ledger.ts'
import { type Arrival, createMqttClient, type MqttClient, type Place, type QoS } from '../faults/mqtt-client.ts'

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
const topicsEach = 3
const window = 40
/** Publishers wait for the slowest session: the bounds of queues are another row's business. */
const lagMax = 4_000
const stuckMs = 3_000
const root = 'prove'

interface Party {
  readonly client: MqttClient
  /** Away on purpose until this many messages are published. */
  awayUntil: number
}

interface Reader extends Party {
  readonly book: ReaderBook
  readonly qos: QoS
  readonly isKept: boolean
  readonly filters: readonly string[]
}

const topicOf = (stream: number): string => `${root}/p${Math.floor(stream / topicsEach)}/t${stream % topicsEach}`
const isRetained = (n: number): boolean => n % 10 === 7

export async function runTraffic(options: TrafficOptions): Promise<Traffic> {
  const { port, messages, say, eventEach = 1_000 } = options
  // One for the course of events and one for each publisher: when packets happen to arrive changes neither.
  const random = seededRandom(options.seed)
  const ledger = createLedger()
  const newestRetained = new Map<number, number>()
  const events: Record<string, number> = {}
  const startedMs = performance.now()
  let flagged = 0
  let isOver = false
  let isDown = false
  let visits = 0

  const publishers = Array.from({ length: publishersCount }, (_, index) => createPublisher(index))
  const readers = [
    createReader('kept-all-2', 2, true, [`${root}/#`]),
    createReader(
      'kept-topics-2',
      2,
      true,
      Array.from({ length: topicsEach }, (_, t) => `${root}/+/t${t}`),
    ),
    createReader('kept-all-1', 1, true, [`${root}/+/+`]),
    createReader('passing-0', 0, false, [`${root}/#`]),
    createReader('passing-1', 1, false, [`${root}/#`]),
    createReader('passing-2', 2, false, [`${root}/#`]),
  ]
  const kept = readers.filter(({ isKept }) => isKept)
  const isLagging = watchLag(ledger, kept)

  function createPublisher(index: number): Party & { fill(): void } {
    const own = seededRandom(options.seed + 1 + index)
    const client = createMqttClient({
      port,
      clientId: `publisher-${index}`,
      onAcknowledged(token) {
        const [stream, n] = [token % 64, Math.floor(token / 64)]
        ledger.acknowledge(stream, n)
        if (isRetained(n)) newestRetained.set(stream, Math.max(n, newestRetained.get(stream) ?? -1))
        fill()
      },
      onLost: () => void comeBack(party),
    })
    function fill(): void {
      while (client.isConnected && client.inFlight < window && ledger.published < messages && !isLagging()) {
        const stream = index * topicsEach + Math.floor(own() * topicsEach)
        const drawn = Math.floor(own() * 3) as QoS
        // The number decides, so that nobody has to remember it; and QoS 1, whose acknowledgement comes when it is done.
        const retain = isRetained(ledger.next(stream))
        const qos = retain ? 1 : drawn
        const n = ledger.publish(stream, qos)
        client.publish({ topic: topicOf(stream), payload: `${stream} ${n} `, qos, retain, token: n * 64 + stream })
      }
    }
    const party = { client, awayUntil: 0, fill }
    return party
  }

  function createReader(name: string, qos: QoS, isKept: boolean, filters: readonly string[]): Reader {
    const book = ledger.reader(name, { qos, owedAll: isKept })
    const client: MqttClient = createMqttClient({
      port,
      clientId: name,
      clean: !isKept,
      onMessage: (arrival) => {
        const { stream, n } = read(arrival)
        // A session subscribes before anything is published, so nothing it gets is retained from earlier (§3.3.1.3), unless it was gone
        // and had to subscribe anew; what others get of that is no part of the stream.
        const isLive = !arrival.retain || (isKept && client.sessionsLost === 0)
        if (arrival.retain && isLive) flagged += 1
        if (isLive) book.arrive(stream, n)
      },
      onLost: () => void comeBack(reader),
    })
    const reader: Reader = { client, book, qos, isKept, filters, awayUntil: 0 }
    return reader
  }

  async function comeBack(party: Party): Promise<void> {
    while (!isOver && !party.client.isConnected) {
      if (ledger.published < party.awayUntil && ledger.published < messages && !isDown) {
        await sleep(5)
        continue
      }
      try {
        const gone = party.client.sessionsLost
        await party.client.connect()
        if (!('book' in party)) break
        const { book, filters, qos, isKept } = party as Reader
        if (!isKept) book.anew()
        if (!isKept || party.client.sessionsLost > gone) await party.client.subscribe(filters, qos)
      } catch {
        await sleep(50)
      }
    }
    if ('fill' in party) (party as Party & { fill(): void }).fill()
  }

  async function visit(): Promise<void> {
    const book = ledger.reader(`visitor-${visits}`, { qos: 1, owedAll: false })
    const newest = new Map(newestRetained)
    const found = new Set<number>()
    const client = createMqttClient({
      port,
      clientId: `visitor-${visits++}`,
      clean: true,
      onMessage(arrival) {
        if (!arrival.retain) return
        const { stream, n } = read(arrival)
        found.add(stream)
        book.arriveRetained(stream, n, newest.get(stream) ?? -1)
      },
    })
    try {
      await client.connect()
      await client.subscribe([`${root}/#`], 1)
      await sleep(300)
      // The connection may have been cut by a kill: then nothing is known.
      if (client.isConnected && !isDown) {
        for (const [stream, n] of newest) if (!found.has(stream)) book.arriveRetained(stream, -1, n)
      }
      await client.disconnect()
    } catch {
      client.drop()
    }
  }

  async function kill(): Promise<void> {
    isDown = true
    await options.kill()
    isDown = false
  }

  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const happenings: Readonly<Record<string, () => Promise<void>>> = {
    async cutPublisher() {
      const party = pick(publishers)
      party.client.drop()
      await comeBack(party)
    },
    async publisherTakeover() {
      await pick(publishers)
        .client.connect()
        .catch(() => {})
    },
    async readerAway() {
      const party = pick(kept)
      party.awayUntil = ledger.published + Math.floor(random() * 2 * eventEach)
      if (random() < 0.5) await party.client.disconnect()
      else party.client.drop()
      await comeBack(party)
    },
    async readerTakeover() {
      await pick(kept)
        .client.connect()
        .catch(() => {})
    },
    async passingAway() {
      const party = pick(readers.filter(({ isKept }) => !isKept))
      party.client.drop()
      await comeBack(party)
    },
    visit,
  }

  for (const { client, book, filters, qos } of readers) {
    await client.connect()
    await client.subscribe(filters, qos)
    book.subscribed()
  }
  for (const { client } of publishers) await client.connect()
  options.storm?.()
  const filler = setInterval(() => publishers.forEach(({ fill }) => fill()), 5)
  const killsAt = Array.from({ length: options.kills }, () => random() * 0.9 + 0.05)
    .toSorted((a, b) => a - b)
    .map((share) => Math.floor(share * messages))

  for (let nextAt = 0, saidAt = 0, lastMs = performance.now(), last = 0; ledger.published < messages;) {
    await sleep(2)
    if (ledger.published > last) [last, lastMs] = [ledger.published, performance.now()]
    else if (performance.now() - lastMs > 60_000)
      throw new Error(`nobody could publish for a minute, at ${last} messages`)
    if (ledger.published >= saidAt) {
      say(`${ledger.published} of ${messages} messages, ${ledger.acknowledged} acknowledged`)
      saidAt += messages / 5
    }
    if (ledger.published >= (killsAt[0] ?? Infinity)) {
      killsAt.shift()
      events['kill'] = (events['kill'] ?? 0) + 1
      await kill()
    }
    if (ledger.published < nextAt) continue
    nextAt = ledger.published + Math.floor(eventEach * (0.2 + 1.6 * random()))
    const name = pick(Object.keys(happenings))
    events[name] = (events[name] ?? 0) + 1
    void happenings[name]!()
  }
  options.calm?.()
  await settle(ledger, publishers, kept)
  isOver = true
  clearInterval(filler)
  const arrivals = readers.reduce((sum, { book }) => sum + book.arrivals, 0)
  // A publisher's session holds nothing but what is doubled when it is gone, and that is seen.
  const sessionsLost = kept.reduce((sum, { client }) => sum + client.sessionsLost, 0)
  for (const { client } of [...publishers, ...readers]) await client.disconnect()
  return {
    verdict: ledger.verdict(),
    acknowledged: ledger.acknowledged,
    arrivals,
    sessionsLost,
    flagged,
    events,
    seconds: (performance.now() - startedMs) / 1_000,
  }
}

function read({ payload }: Arrival): { stream: number; n: number } {
  const [stream = '-1', n = '-1'] = payload.toString('latin1').split(' ')
  return { stream: Number(stream), n: Number(n) }
}

/** True while a reader with a session is too far behind; one that gets nothing more for a while is not waited for. */
function watchLag(ledger: Ledger, kept: readonly { readonly book: ReaderBook }[]): () => boolean {
  const marks = kept.map(() => ({ given: 0, sinceMs: performance.now(), forgiven: 0 }))
  return () =>
    kept.some(({ book }, i) => {
      const mark = marks[i]!
      const nowMs = performance.now()
      if (book.given > mark.given) Object.assign(mark, { given: book.given, sinceMs: nowMs })
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
