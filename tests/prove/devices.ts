// Devices and the sessions that read them: readings in SenML, numbered, of QoS 1, each kept by its device until it is acknowledged;
// and a subscriber whose session outlives its connections, or a group of them. What they say and get is in a ledger.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger, ReaderBook } from '../faults/ledger.ts'
import { type Arrival, createMqttClient, type MqttClient } from '../faults/mqtt-client.ts'
import type { Mqtt5Options } from '../faults/mqtt5-conduct.ts'
import { listAll, numbersOf } from '../gateway/reader.ts'
import { credentials } from '@grpc/grpc-js'
import type { Version } from './message-traits.ts'
import type { RunningPeer } from './peer.ts'

export interface Spoken {
  /** 4 when not given. */
  readonly version?: Version
  /** What no broker may do to a client of MQTT 5. */
  readonly onWrong?: (what: string) => void
}

export interface DevicesOptions extends Spoken {
  readonly port: number
  readonly ledger: Ledger
  readonly count: number
  readonly window: number
  /** Each reading has a time of its own, a millisecond after the one before it. */
  readonly isTimed?: boolean
  /** Of one more text in each reading. */
  readonly paddingBytes?: number
  /** Over all; 0: as fast as acknowledgements come. */
  readonly perSecond?: number
}

export interface Devices {
  /** Connections that ended without a device wanting it. */
  readonly losses: number
  /** The longest from a device's last acknowledgement, or its coming back, to the loss of its connection: so long it did not know. */
  readonly toldMs: number
  /** Publishes so many more, through broken connections. */
  publish(messages: number): void
  /** Publishes no more; what is under way stays under way. */
  halt(): void
  /** Resolves when all that was published is acknowledged, false when nothing moves any more for that long. */
  settled(stuckMs?: number): Promise<boolean>
  close(): Promise<void>
}

const root = 'tocsin/in/senml'
const retryMs = 20

export async function startDevices(options: DevicesOptions): Promise<Devices> {
  const { port, ledger, count, window, paddingBytes = 0, perSecond = 0, isTimed = false } = options
  const padding = paddingBytes === 0 ? '' : `,{"n":"note","vs":"${'x'.repeat(paddingBytes)}"}`
  const startedMs = Date.now() - 60_000
  let remaining = 0
  let allowance = perSecond === 0 ? Infinity : 0
  let isClosed = false
  const state = { losses: 0, toldMs: Infinity }

  const clients = Array.from({ length: count }, (_, stream) => {
    let lastAckMs = performance.now()
    const client: MqttClient = createMqttClient({
      port,
      clientId: `device-${stream}`,
      ...spoken(options, {}),
      onAcknowledged(n) {
        lastAckMs = performance.now()
        ledger.acknowledge(stream, n)
        fill()
      },
      onLost() {
        state.losses += 1
        const toldMs = performance.now() - lastAckMs
        state.toldMs = state.losses === 1 ? toldMs : Math.max(state.toldMs, toldMs)
        void comeBack()
      },
    })
    function fill(): void {
      while (client.isConnected && client.inFlight < window && remaining > 0 && allowance >= 1) {
        remaining -= 1
        allowance -= 1
        const n = ledger.publish(stream, 1)
        const time = isTimed ? `"bt":${(startedMs + n) / 1_000},` : ''
        const payload = `[{${time}"n":"count","u":"count","v":${n}}${padding}]`
        const properties = { user: [['reading', String(n)]] as const }
        client.publish({ topic: `${root}/device-${stream}`, payload, qos: 1, token: n, properties })
      }
    }
    async function comeBack(): Promise<void> {
      while (!isClosed && !client.isConnected) {
        await sleep(retryMs)
        await client.connect().catch(() => {})
      }
      lastAckMs = performance.now()
      fill()
    }
    return { client, fill }
  })
  for (const { client } of clients) await client.connect()
  let sinceMs = performance.now()
  const pace = setInterval(() => {
    const nowMs = performance.now()
    if (perSecond > 0) allowance = Math.min(allowance + ((nowMs - sinceMs) / 1_000) * perSecond, perSecond)
    sinceMs = nowMs
    for (const { fill } of clients) fill()
  }, 5)

  return {
    get losses() {
      return state.losses
    },
    get toldMs() {
      return state.toldMs
    },
    publish(messages) {
      remaining += messages
    },
    halt() {
      remaining = 0
    },
    async settled(stuckMs = 15_000) {
      const inFlight = (): number => clients.reduce((sum, { client }) => sum + client.inFlight, remaining)
      for (let before = -1, atMs = 0; inFlight() > 0;) {
        if (inFlight() !== before) [before, atMs] = [inFlight(), performance.now()]
        if (performance.now() - atMs > stuckMs) return false
        await sleep(20)
      }
      return true
    },
    async close() {
      isClosed = true
      clearInterval(pace)
      for (const { client } of clients) await client.disconnect()
    },
  }
}

export interface Keeper {
  readonly book: ReaderBook
  /** Of the broker: a session it had promised was gone. */
  readonly sessionsLost: number
  away(): Promise<void>
  /** Comes back and reads until all that is owed has come, or nothing comes for a while. */
  catchUp(): Promise<void>
}

export interface KeeperOptions extends Spoken {
  /** So many share one subscription under this name. */
  readonly group?: { readonly name: string; readonly members: number }
}

/** Subscribes to all devices and stays; `away` and `catchUp` as the test wants. Of a group one stays, one hangs, and the others go. */
export async function startKeeper(
  port: number,
  ledger: Ledger,
  options: KeeperOptions = {},
  stuckMs = 1_000,
): Promise<Keeper> {
  const { group } = options
  const book = ledger.reader(group?.name ?? 'session', { qos: 1, owedAll: true, isOrdered: group === undefined })
  const filter = group ? `$share/${group.name}/${root}/#` : `${root}/#`
  const clients = Array.from({ length: group?.members ?? 1 }, (_, i) =>
    createMqttClient({
      port,
      clientId: group ? `${group.name}-${i}` : 'keeper',
      ...spoken(options, { receiveMaximum: i === 1 ? 1 : 10, topicAliasMaximum: 3 }),
      onMessage: (arrival) => arrive(book, arrival),
    }),
  )
  for (const client of clients) {
    await client.connect()
    await client.subscribe([filter], 1)
  }
  book.subscribed()

  async function comeBack(client: MqttClient): Promise<void> {
    for (let tries = 0; !client.isConnected && tries < 100; tries++) {
      const gone = client.sessionsLost
      await client.connect().catch(() => sleep(50))
      if (client.isConnected && client.sessionsLost > gone) await client.subscribe([filter], 1)
    }
  }

  return {
    book,
    get sessionsLost() {
      return clients.reduce((sum, client) => sum + client.sessionsLost, 0)
    },
    async away() {
      for (const [i, client] of clients.entries()) {
        if (group && i === 1) client.freeze()
        else if (!group || i > 1) await client.disconnect()
      }
    },
    async catchUp() {
      for (const client of clients) {
        // Who hangs has not noticed anything.
        if (group) client.drop()
        await comeBack(client)
      }
      for (let before = -1, atMs = performance.now(); ledger.owed(book) > 0 && performance.now() - atMs < stuckMs;) {
        if (book.arrivals !== before) [before, atMs] = [book.arrivals, performance.now()]
        await sleep(20)
      }
    },
  }
}

const sessionExpirySeconds = 3_600

const spoken = ({ version, onWrong }: Spoken, mqtt5: Mqtt5Options): { readonly mqtt5?: Mqtt5Options } =>
  version === 5 ? { mqtt5: { sessionExpirySeconds, ...mqtt5, ...(onWrong && { onWrong }) } } : {}

function arrive(book: ReaderBook, { topic, payload }: Arrival): void {
  const stream = Number(/device-(\d+)$/.exec(topic)?.[1] ?? -1)
  const n = Number(/"v":(\d+)/.exec(payload.toString('latin1'))?.[1] ?? -1)
  book.arrive(stream, n)
}

/** What the gateway's own log has of the devices, read by gRPC: every acknowledged message must be there, and once. */
export async function readLog(peer: RunningPeer, ledger: Ledger): Promise<ReaderBook> {
  const book = ledger.reader('log', { qos: 1, owedAll: true })
  const events = await listAll(peer.gateway!.grpc, { kinds: [1] }, credentials.createInsecure())
  for (const [device, numbers] of numbersOf(events)) {
    for (const n of numbers) book.arrive(Number(device.slice('device-'.length)), n)
  }
  return book
}
