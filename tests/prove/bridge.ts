// The gateway and mosquitto joined over MQTT 5 by a link that is cut and restored again and again under load: once as a bridge of
// mosquitto's to the gateway, once as a link of the gateway's to mosquitto. Nothing that either acknowledged may be lost, and nothing
// may go round.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '../faults/fault-disk.ts'
import { createLedger, type Ledger, type ReaderBook } from '../faults/ledger.ts'
import { createMqttClient, type MqttClient, type QoS } from '../faults/mqtt-client.ts'
import { startTcpProxy, type TcpProxy } from '../faults/tcp-proxy.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import { scrape } from './metrics.ts'
import { type RunningPeer, startPeer } from './peer.ts'
import { type Finding, found, number, type Row, type RowContext } from './row.ts'

export const bridge: Row = {
  name: 'bridge',
  promise:
    'a bridge of mosquitto’s and a link to mosquitto, MQTT 5, cut and restored: acknowledged and lost, QoS 2 doubled, echoed',
  wanted: '0, 0, 0',
  unit: 'cuts each',
  counts: { test: 2, proof: 50, night: 500 },
  async run(context) {
    const bridged = await found(() => scenario(context, mosquittoBridges))
    const linked = await found(() => scenario(context, gatewayLinks))
    const findings = [bridged, linked]
    const text = `mosquitto bridges: ${bridged.text}; the gateway links: ${linked.text}`
    const tocsin: Finding = {
      text,
      met: findings.every(({ met }) => met),
      details: findings.flatMap(({ details = [] }) => details),
    }
    return { findings: { tocsin }, notes: ['mosquitto is one end of it'] }
  },
}

interface Joined extends AsyncDisposable {
  readonly gateway: RunningPeer
  readonly mosquitto: RunningPeer
  readonly proxy: TcpProxy
  /** QoS at which what is published at the gateway arrives at mosquitto at most. */
  readonly downQos: QoS
}

const rules = { up: 'up/#', down: 'down/#', ring: 'ring/#' }

/** As docs/mqtt.md shows it. */
export const bridgeLines = (port: number): string =>
  [
    // With 0 it sends a Receive Maximum of 0, which MQTT 5 §3.1.2.11.3 forbids.
    'max_inflight_messages 100',
    'connection county-b',
    `address 127.0.0.1:${port}`,
    'bridge_protocol_version mqttv50',
    'remote_clientid county-b',
    'cleansession false',
    'start_type automatic',
    'restart_timeout 1',
    'keepalive_interval 10',
    'bridge_attempt_unsubscribe false',
    `topic ${rules.up} out 2`,
    `topic ${rules.down} in 2`,
    `topic ${rules.ring} both 1`,
  ].join('\n')

async function mosquittoBridges(): Promise<Joined> {
  const gateway = await startPeer('tocsin')
  const proxy = await startTcpProxy(gateway.port)
  const mosquitto = await startPeer('mosquitto', { mosquitto: bridgeLines(proxy.port) })
  return joined(gateway, mosquitto, proxy, 2)
}

async function gatewayLinks(): Promise<Joined> {
  const mosquitto = await startPeer('mosquitto', { mosquitto: 'max_inflight_messages 100' })
  const proxy = await startTcpProxy(mosquitto.port)
  const settingsFile = join(tempFolder('link'), 'tocsin.yaml')
  writeFileSync(settingsFile, linkLines(proxy.port))
  const gateway = await startPeer('tocsin', { settingsFile })
  return joined(gateway, mosquitto, proxy, 1)
}

export const linkLines = (port: number): string =>
  [
    'gateway: {name: gateway.county-a.example}',
    'mqtt:',
    '  links:',
    '    - name: county-b',
    `      url: mqtt://127.0.0.1:${port}`,
    '      keep_alive: 5s',
    `      in: [{filter: "${rules.up}", qos: 2}, {filter: "${rules.ring}", qos: 1}]`,
    `      out: [{filter: "${rules.down}"}, {filter: "${rules.ring}"}]`,
    '',
  ].join('\n')

function joined(gateway: RunningPeer, mosquitto: RunningPeer, proxy: TcpProxy, downQos: QoS): Joined {
  return {
    gateway,
    mosquitto,
    proxy,
    downQos,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await mosquitto[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** One stream of messages, published at one broker and read at one. */
interface Road {
  readonly name: string
  readonly ledger: Ledger
  readonly book: ReaderBook
  readonly publisher: MqttClient
  readonly reader: MqttClient
  /** Read where it was published: what comes twice went round. */
  readonly isHome: boolean
  /** The gateway has it in its queue while the other side is away; else mosquitto, which sends what is new before what has waited. */
  readonly isFromHere: boolean
  /** Publishes one message while nothing has come yet. */
  probe(): void
  /** It is joined: from here on everything is owed. */
  open(): void
  /** It may publish so many more. */
  allow(count: number): void
  /** Publishes as much as its window takes, and as it may. */
  fill(): void
}

interface RoadOptions {
  readonly name: string
  readonly topic: string
  readonly qos: QoS
  readonly from: number
  readonly to: number
  /** At which it arrives at most. */
  readonly arrivesAt?: QoS
  readonly isFromHere?: boolean
}

const window = 20
/** On one road for each cut: a fast machine would else publish until the disk is full while one road waits for its turn. */
const eachCutMax = 4_000
/** Waiting at one end for the other: far below every bound of a queue. */
const lagMax = 1_500
const joinMsMax = 60_000
const stuckMs = 15_000
const watchMs = 2_000

async function scenario(context: RowContext, joinUp: () => Promise<Joined>): Promise<Finding> {
  await using sides = await joinUp()
  const { gateway, mosquitto, proxy, downQos } = sides
  const [here, there] = [gateway.port, mosquitto.port]
  const roads = [
    await openRoad({ name: 'up, QoS 1', topic: 'up/1', qos: 1, from: there, to: here }),
    await openRoad({ name: 'up, QoS 2', topic: 'up/2', qos: 2, from: there, to: here }),
    await openRoad({ name: 'down, QoS 1', topic: 'down/1', qos: 1, from: here, to: there, isFromHere: true }),
    await openRoad({
      name: 'down, QoS 2',
      topic: 'down/2',
      qos: 2,
      from: here,
      to: there,
      arrivesAt: downQos,
      isFromHere: true,
    }),
    await openRoad({ name: 'ring, there', topic: 'ring/here', qos: 1, from: here, to: there, isFromHere: true }),
    await openRoad({ name: 'ring, here', topic: 'ring/there', qos: 1, from: there, to: here }),
  ]
  const homes = [
    await openRoad({ name: 'ring, at home here', topic: 'ring/echo-here', qos: 1, from: here, to: here }),
    await openRoad({ name: 'ring, at home there', topic: 'ring/echo-there', qos: 1, from: there, to: there }),
  ]
  const all = [...roads, ...homes]
  // A bridge subscribes when it has connected; what was published before that is nobody's.
  const prober = setInterval(() => all.forEach(({ probe }) => probe()), 100)
  await restored(roads, true).finally(() => clearInterval(prober))
  for (const { open, allow } of all) {
    open()
    allow(eachCutMax)
  }
  const filler = setInterval(() => all.forEach(({ fill }) => fill()), 10)
  const random = seededRandom(context.seed)
  const began = performance.now()
  for (let cut = 1; cut <= context.count; cut++) {
    await sleep(50 + random() * 500)
    for (const { allow } of all) allow(eachCutMax)
    await breakOff(proxy, random)
    await restored(roads)
    if (cut % 10 === 0) context.say(`${cut} of ${context.count} cuts`)
  }
  const seconds = (performance.now() - began) / 1_000
  clearInterval(filler)
  await settle(all)
  const echoed = await growing(gateway)
  for (const { publisher, reader } of all) await Promise.all([publisher.disconnect(), reader.disconnect()])
  return judge(all, echoed, seconds, sides)
}

async function openRoad(options: RoadOptions): Promise<Road> {
  const { name, topic, qos, from, to, arrivesAt = qos, isFromHere = false } = options
  const isHome = from === to
  const ledger = createLedger()
  const book = ledger.reader(name, { qos: arrivesAt, owedAll: true })
  const publisher = createMqttClient({
    port: from,
    clientId: `publisher-${topic.replace('/', '-')}`,
    onAcknowledged(n) {
      ledger.acknowledge(0, n)
      // At home nothing slows it down but the clock.
      if (!isHome) fill()
    },
  })
  const reader = createMqttClient({
    port: to,
    clientId: `reader-${topic.replace('/', '-')}`,
    onMessage: ({ payload }) => book.arrive(0, Number(payload.toString('latin1'))),
  })
  let isOpen = false
  let lostBefore = 0
  let quota = 0
  function publish(): void {
    const n = ledger.publish(0, qos)
    publisher.publish({ topic, payload: String(n), qos, token: n })
  }
  function fill(): void {
    while (
      isOpen &&
      quota > 0 &&
      publisher.inFlight < (isHome ? 1 : window) &&
      ledger.acknowledged - lostBefore - book.given < lagMax
    ) {
      quota--
      publish()
    }
  }
  await reader.connect()
  await reader.subscribe([topic], qos)
  await publisher.connect()
  return {
    name,
    ledger,
    book,
    publisher,
    reader,
    isHome,
    isFromHere,
    probe: () => (book.given === 0 ? publish() : undefined),
    open() {
      isOpen = true
      lostBefore = ledger.acknowledged - book.given
      book.subscribed()
    },
    allow: (count) => void (quota += count),
    fill,
  }
}

/** Something new has come on every road; the first time: anything. */
async function restored(roads: readonly Road[], first = false): Promise<void> {
  const before = roads.map(({ book }) => (first ? 0 : book.given))
  const lateMs = performance.now() + joinMsMax
  while (roads.some(({ book }, i) => book.given <= before[i]!)) {
    if (performance.now() > lateMs) {
      const dead = roads.filter(({ book }, i) => book.given <= before[i]!).map(({ name }) => name)
      throw new Error(`nothing comes on ${dead.join(', ')}, ${joinMsMax / 1_000} s after the connection was restored`)
    }
    await sleep(10)
  }
}

/** A third each: an orderly end, a reset, and silence as when a radio link is gone. */
async function breakOff(proxy: TcpProxy, random: Random): Promise<void> {
  const kind = Math.floor(random() * 3)
  if (kind < 2) return proxy.cut(kind === 0 ? 'fin' : 'rst')
  proxy[random() < 0.5 ? 'up' : 'down'].isSilent = true
  await sleep(random() * 400)
  proxy.heal()
}

/** Resolves when everything is acknowledged and given, or nothing has moved for a while. */
async function settle(roads: readonly Road[]): Promise<void> {
  let before = ''
  for (let sinceMs = performance.now(); performance.now() - sinceMs < stuckMs;) {
    await sleep(50)
    const waiting = roads.map(({ publisher }) => publisher.inFlight)
    const owed = roads.map(({ ledger, book }) => ledger.owed(book))
    if ([...waiting, ...owed].every((count) => count === 0)) return
    const state = [...waiting, ...owed].join(' ')
    if (state !== before) [before, sinceMs] = [state, performance.now()]
  }
}

/** What still comes in when nobody publishes any more. */
async function growing(gateway: RunningPeer): Promise<number> {
  const received = async (): Promise<number> =>
    (await scrape(gateway.gateway!.http)).total('tocsin_frames_received_total')
  await sleep(watchMs)
  const before = await received()
  await sleep(watchMs)
  return (await received()) - before
}

function judge(roads: readonly Road[], stillComing: number, seconds: number, { gateway, mosquitto }: Joined): Finding {
  const verdicts = roads.map((road) => ({ road, verdict: road.ledger.verdict(road.book) }))
  const sum = (count: (of: (typeof verdicts)[number]) => number): number =>
    verdicts.reduce((all, one) => all + count(one), 0)
  const lost = sum(({ verdict }) => verdict.lost)
  const doubled = sum(({ verdict }) => verdict.doubled)
  const echoed = stillComing + sum(({ road, verdict }) => (road.isHome ? verdict.repeats : 0))
  const invented = sum(({ verdict }) => verdict.invented)
  const invertedBy = (isOurs: boolean): number =>
    sum(({ road, verdict }) => (road.isFromHere === isOurs ? verdict.inverted : 0))
  const acknowledged = sum(({ road }) => road.ledger.acknowledged)
  const repeats = sum(({ verdict }) => verdict.repeats)
  const met = lost + doubled + echoed + invented + invertedBy(true) === 0
  return {
    text: `${lost} lost, ${doubled} doubled, ${echoed} echoed of ${number(acknowledged)} in ${number(seconds)} s (inverted: ${invertedBy(true)} by the gateway, ${number(invertedBy(false))} by mosquitto; ${number(repeats)} repeats at QoS 1)`,
    met,
    details: met
      ? []
      : [
          ...verdicts.map(
            ({ road, verdict }) =>
              `${road.name}: ${verdict.lost} lost, ${verdict.doubled} doubled, ${verdict.inverted} inverted, ${verdict.repeats} repeats of ${road.ledger.acknowledged}`,
          ),
          ...verdicts.flatMap(({ verdict }) => verdict.examples.slice(0, 5)),
          `gateway: ${gateway.lastWords}`,
          `mosquitto: ${mosquitto.lastWords}`,
        ],
  }
}
