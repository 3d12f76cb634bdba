// Who takes part in the mixed traffic: publishers that draw QoS, topic and retain from a seed of their own, readers with and without a
// session, and visitors that look at what is retained. Whatever happens to their connections, they come back and go on.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import type { Ledger, ReaderBook } from '../faults/ledger.ts'
import { type Arrival, createMqttClient, type MqttClient, type Place, type QoS } from '../faults/mqtt-client.ts'

/** What all of them share in one run. */
export interface Course {
  readonly port: Place
  readonly seed: number
  readonly messages: number
  readonly ledger: Ledger
  /** Of each stream, the last retained message that was acknowledged. */
  readonly newestRetained: Map<number, number>
  isOver: boolean
  /** The broker was killed and does not run yet. */
  isDown: boolean
  /** Live messages of sessions that wore the retain flag. */
  flagged: number
}

export interface Party {
  readonly client: MqttClient
  /** Away on purpose until this many messages are published. */
  awayUntil: number
  comeBack(): Promise<void>
}

export interface Publisher extends Party {
  /** Publishes as much as its window takes. */
  fill(): void
}

export interface Reader extends Party {
  readonly book: ReaderBook
  readonly isKept: boolean
  /** For the first time. */
  join(): Promise<void>
}

export const root = 'prove'
export const topicsEach = 3
/** Publishers wait for the slowest session: the bounds of queues are another row's business. */
export const lagMax = 4_000
const window = 40
const visitMs = 300

const topicOf = (stream: number): string => `${root}/p${Math.floor(stream / topicsEach)}/t${stream % topicsEach}`
/** The number decides, so that nobody has to remember it; of QoS 1, whose acknowledgement comes when it is done. */
const isRetained = (n: number): boolean => n % 10 === 7

export function createPublisher(course: Course, index: number, mayGoOn: () => boolean): Publisher {
  const { ledger, newestRetained, port } = course
  const random = seededRandom(course.seed + 1 + index)
  const client = createMqttClient({
    port,
    clientId: `publisher-${index}`,
    onAcknowledged(token) {
      const [stream, n] = [token % 64, Math.floor(token / 64)]
      ledger.acknowledge(stream, n)
      if (isRetained(n)) newestRetained.set(stream, Math.max(n, newestRetained.get(stream) ?? -1))
      publisher.fill()
    },
    onLost: () => void publisher.comeBack(),
  })
  const publisher: Publisher = {
    client,
    awayUntil: 0,
    fill() {
      while (client.isConnected && client.inFlight < window && ledger.published < course.messages && mayGoOn()) {
        const stream = index * topicsEach + Math.floor(random() * topicsEach)
        const drawn = Math.floor(random() * 3) as QoS
        const retain = isRetained(ledger.next(stream))
        const qos = retain ? 1 : drawn
        const n = ledger.publish(stream, qos)
        client.publish({ topic: topicOf(stream), payload: `${stream} ${n} `, qos, retain, token: n * 64 + stream })
      }
    },
    async comeBack() {
      await comeBack(course, publisher, () => client.connect())
      publisher.fill()
    },
  }
  return publisher
}

export interface ReaderOptions {
  readonly name: string
  readonly qos: QoS
  readonly isKept: boolean
  readonly filters: readonly string[]
}

export function createReader(course: Course, { name, qos, isKept, filters }: ReaderOptions): Reader {
  const book = course.ledger.reader(name, { qos, owedAll: isKept })
  const client: MqttClient = createMqttClient({
    port: course.port,
    clientId: name,
    clean: !isKept,
    onMessage(arrival) {
      const { stream, n } = read(arrival)
      // A session subscribes before anything is published, so nothing it gets is retained from earlier (§3.3.1.3), unless it was gone
      // and had to subscribe anew; what others get of that is no part of the stream.
      const isLive = !arrival.retain || (isKept && client.sessionsLost === 0)
      if (arrival.retain && isLive) course.flagged += 1
      if (isLive) book.arrive(stream, n)
    },
    onLost: () => void reader.comeBack(),
  })
  const reader: Reader = {
    client,
    book,
    isKept,
    awayUntil: 0,
    async join() {
      await client.connect()
      await client.subscribe(filters, qos)
      book.subscribed()
    },
    comeBack: () =>
      comeBack(course, reader, async () => {
        const gone = client.sessionsLost
        await client.connect()
        if (!isKept) book.anew()
        if (!isKept || client.sessionsLost > gone) await client.subscribe(filters, qos)
      }),
  }
  return reader
}

async function comeBack(course: Course, party: Party, connect: () => Promise<void>): Promise<void> {
  const { ledger, messages } = course
  while (!course.isOver && !party.client.isConnected) {
    // Nobody stays away for whom the publishers have to wait.
    const isWaitedFor = 'book' in party && ledger.acknowledged - (party as Reader).book.given > lagMax / 2
    const isAway = ledger.published < party.awayUntil && ledger.published < messages && !course.isDown && !isWaitedFor
    if (isAway) await sleep(5)
    else await connect().catch(() => sleep(50))
  }
}

/** Subscribes, and must be given what was acknowledged as retained before, or something newer, of every stream. */
export async function visit(course: Course, name: string): Promise<void> {
  const book = course.ledger.reader(name, { qos: 1, owedAll: false })
  const newest = new Map(course.newestRetained)
  const found = new Set<number>()
  const client = createMqttClient({
    port: course.port,
    clientId: name,
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
    await sleep(visitMs)
    // The connection may have been cut by a kill: then nothing is known.
    if (client.isConnected && !course.isDown) {
      for (const [stream, n] of newest) if (!found.has(stream)) book.arriveRetained(stream, -1, n)
    }
    await client.disconnect()
  } catch {
    client.drop()
  }
}

function read({ payload }: Arrival): { stream: number; n: number } {
  const [stream = '-1', n = '-1'] = payload.toString('latin1').split(' ')
  return { stream: Number(stream), n: Number(n) }
}
