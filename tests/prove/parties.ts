// Who takes part in the mixed traffic: publishers that draw QoS and topic from a seed of their own, readers with and without a
// session, alone or in a group, and visitors that look at what is retained. Whatever happens to their connections, they come back.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import type { Ledger, ReaderBook } from '../faults/ledger.ts'
import { type Arrival, createMqttClient, type MqttClient, type Place, type QoS } from '../faults/mqtt-client.ts'
import type { Mqtt5Options } from '../faults/mqtt5-conduct.ts'
import { createTopicOracle } from '../faults/topic-oracle.ts'
import { alterationOf, isRetained, numberOf, payloadOf, propertiesOf, type Version } from './message-traits.ts'

/** What all of them share in one run. */
export interface Course {
  readonly port: Place
  readonly version: Version
  readonly seed: number
  messages: number
  readonly ledger: Ledger
  /** Of each stream, the last retained message that was acknowledged. */
  readonly newestRetained: Map<number, number>
  isOver: boolean
  /** The broker was killed and does not run yet. */
  isDown: boolean
  /** Live messages of sessions that wore the retain flag, or did not where they were to. */
  flagged: number
  /** What no broker may do to a client of MQTT 5. */
  onWrong(what: string): void
}

export interface Party {
  readonly client: MqttClient
  /** Away on purpose until this many messages are published. */
  awayUntil: number
  /** And until then, whoever waits for it. */
  awayUntilMs: number
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
const sessionExpirySeconds = 3_600

const topicOf = (stream: number): string => `${root}/p${Math.floor(stream / topicsEach)}/t${stream % topicsEach}`

export function createPublisher(course: Course, index: number, mayGoOn: () => boolean): Publisher {
  const { ledger, newestRetained, port, version } = course
  const random = seededRandom(course.seed + 1 + index)
  const client = createMqttClient({
    port,
    clientId: `publisher-${index}`,
    ...spoken(course, { sessionExpirySeconds }),
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
    awayUntilMs: 0,
    fill() {
      const most = Math.min(window, client.inFlightMax)
      while (client.isConnected && client.inFlight < most && ledger.published < course.messages && mayGoOn()) {
        const stream = index * topicsEach + Math.floor(random() * topicsEach)
        const drawn = Math.floor(random() * 3) as QoS
        const retain = isRetained(ledger.next(stream))
        const qos = retain ? 1 : drawn
        const n = ledger.publish(stream, qos)
        const [payload, properties] = [payloadOf(stream, n, version), propertiesOf(stream, n)]
        client.publish({ topic: topicOf(stream), payload, qos, retain, properties, token: n * 64 + stream })
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
  /** That of its group; else it has its own. */
  readonly groupBook?: ReaderBook
  readonly excuse?: Parameters<Ledger['reader']>[1]['excuse']
  readonly retainAsPublished?: boolean
  readonly mqtt5?: Mqtt5Options
}

const oracle = createTopicOracle()

export function createReader(course: Course, options: ReaderOptions): Reader {
  const { name, qos, isKept, filters, groupBook, excuse, retainAsPublished = false } = options
  const terms = { qos, owedAll: isKept, ...(excuse && { excuse }) }
  const book = groupBook ?? course.ledger.reader(name, terms)
  const client: MqttClient = createMqttClient({
    port: course.port,
    clientId: name,
    clean: !isKept,
    ...spoken(course, { ...options.mqtt5, ...(isKept && { sessionExpirySeconds }) }),
    onMessage(arrival) {
      const { stream, n } = numberOf(arrival)
      // A session subscribes before anything is published, so nothing it gets is retained from earlier (§3.3.1.3), unless it was gone
      // and had to subscribe anew; what others get of that is no part of the stream. A group is given nothing that is retained.
      const isLive = groupBook !== undefined || !arrival.retain || (isKept && client.sessionsLost === 0)
      if (isLive && arrival.retain !== (retainAsPublished && isRetained(n)) && client.sessionsLost === 0) {
        course.flagged += 1
      }
      if (isLive) book.arrive(stream, n)
      if (course.version === 5) judge(arrival, stream, n)
    },
    onLost: () => void reader.comeBack(),
  })

  function judge(arrival: Arrival, stream: number, n: number): void {
    const altered = alterationOf(arrival, stream, n)
    if (altered) course.onWrong(`${name}, stream ${stream}: ${n} came with ${altered}`)
    const covering = filters.flatMap((filter, i) =>
      oracle.matches(filter.replace(/^\$share\/[^/]*\//, ''), arrival.topic) ? [i + 1] : [],
    )
    const got = (arrival.properties.identifiers ?? []).toSorted((a, b) => a - b)
    if (got.join() !== covering.join()) course.onWrong(`${name}: identifiers ${got} for ${covering}`)
    if (arrival.topic !== topicOf(stream)) course.onWrong(`${name}: ${arrival.topic} for ${topicOf(stream)}`)
  }

  /** In MQTT 5 each filter has an identifier of its own: one SUBSCRIBE has one. */
  async function subscribe(): Promise<void> {
    const asked =
      course.version === 4
        ? [client.subscribe(filters, qos)]
        : filters.map((filter, i) => client.subscribe([filter], qos, { identifier: i + 1, retainAsPublished }))
    const codes = (await Promise.all(asked)).flat()
    if (codes.some((code) => code !== qos)) throw new Error(`${name}: SUBACK ${codes}`)
  }

  const reader: Reader = {
    client,
    book,
    isKept,
    awayUntil: 0,
    awayUntilMs: 0,
    async join() {
      await client.connect()
      await subscribe()
      book.subscribed()
    },
    comeBack: () =>
      comeBack(course, reader, async () => {
        const gone = client.sessionsLost
        await client.connect()
        if (!isKept && !groupBook) book.anew()
        if (!isKept || client.sessionsLost > gone) await subscribe()
      }),
  }
  return reader
}

const spoken = ({ version, onWrong }: Course, mqtt5: Mqtt5Options): { readonly mqtt5?: Mqtt5Options } =>
  version === 5 ? { mqtt5: { ...mqtt5, onWrong } } : {}

async function comeBack(course: Course, party: Party, connect: () => Promise<void>): Promise<void> {
  const { ledger, messages } = course
  while (!course.isOver && !party.client.isConnected) {
    // Nobody stays away for whom the publishers have to wait.
    const isWaitedFor = 'book' in party && ledger.lag((party as Reader).book) > lagMax / 2
    const isAway = ledger.published < party.awayUntil && ledger.published < messages && !course.isDown && !isWaitedFor
    if (isAway || performance.now() < party.awayUntilMs) await sleep(5)
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
    ...spoken(course, {}),
    onMessage(arrival) {
      if (!arrival.retain) return
      const { stream, n } = numberOf(arrival)
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
