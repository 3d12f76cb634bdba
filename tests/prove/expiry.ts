// The time of sessions and messages of MQTT 5 over restarts: a session is there until it is due and gone from then on, a message is given
// while it lives, with what is left of its life, and is counted as expired after that, alone and in a group; wills come once, when due.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '../faults/fault-disk.ts'
import { createMqttClient, type MqttClient } from '../faults/mqtt-client.ts'
import { createProcessClock } from '../faults/process-clock.ts'
import { scrape } from './metrics.ts'
import { startMourners } from './mourners.ts'
import { type PeerName, type RunningPeer, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'
import { createTimeline, isOver, mayBeLeft, type Span, type Timeline } from './timeline.ts'

export const expiryOfMqtt5: Row = {
  name: 'expiry5',
  promise:
    'MQTT 5 over restarts, with time: sessions gone early or kept beyond, messages lost or given beyond their time, wills missing or unwanted',
  wanted: '0, 0, 0',
  unit: 'rounds of two restarts',
  counts: { test: 1, proof: 12, night: 500 },
  async run(context) {
    if (!createProcessClock()) {
      return { findings: {}, notes: ['left out: no libfaketime here (sh tests/tools/fetch.sh faults)'] }
    }
    return {
      findings: await onEach(context, (peer) => scenario(peer, context)),
      notes: ['time passes while the broker is down, up to a day; what is due within two seconds of it is not judged'],
    }
  },
}

const livesSeconds = [5, 60, 600, 3_600, 86_400]
const longSeconds = 5 * 86_400
const sleepersCount = 6
const messagesCount = 24
const quietMs = 700
const savedMs = 1_500

interface Message {
  readonly n: number
  readonly lifeSeconds: number | undefined
  readonly isRetained: boolean
  readonly topic: string
  sent: Span
}

interface Sleeper {
  readonly name: string
  readonly client: MqttClient
  readonly expirySeconds: number
  readonly got: Map<number, { readonly leftSeconds: number | undefined; readonly at: Span }>
  left: Span
  back: Span
}

interface Sums {
  sessions: number
  early: number
  beyond: number
  messages: number
  lost: number
  stale: number
  expired: number
  counted: number
  notJudged: number
  mourners: number
  readonly wills: string[]
  readonly examples: string[]
}

async function scenario(name: PeerName, { seed, count, say }: RowContext): Promise<Finding> {
  const random = seededRandom(seed)
  const clock = createProcessClock()!
  const timeline = createTimeline(clock)
  await using peer = await startPeer(name, { env: clock.env, mosquitto: 'max_inflight_messages 100' })
  const none = { sessions: 0, early: 0, beyond: 0, messages: 0, lost: 0, stale: 0, expired: 0, counted: 0 }
  const sums: Sums = { ...none, notJudged: 0, mourners: 0, wills: [], examples: [] }
  for (let round = 1; round <= count; round++) {
    await runRound(peer, timeline, random, round, sums)
    if (round % Math.ceil(count / 4) === 0) say(`${name}: ${round} rounds, ${sums.expired} messages expired`)
  }
  const { early, beyond, lost, stale, wills } = sums
  const isCounted = sums.counted === sums.expired
  const counted = peer.gateway ? ` (the gateway counts ${number(sums.counted)})` : ''
  const doubt = sums.notJudged > 0 ? `; ${number(sums.notJudged)} not judged` : ''
  return {
    text:
      `${early} early, ${beyond} beyond of ${number(sums.sessions)} sessions; ${lost} lost, ${stale} beyond their time of ${number(sums.messages)} messages, ` +
      `${number(sums.expired)} expired${counted}; ${wills.length} of ${sums.mourners} wills wrong${doubt}`,
    ...(name === 'tocsin' && {
      met: early + beyond + lost + stale + wills.length === 0 && isCounted && sums.expired > 0,
    }),
    details: [...sums.examples, ...wills],
  }
}

async function runRound(
  peer: RunningPeer,
  timeline: Timeline,
  random: Random,
  round: number,
  sums: Sums,
): Promise<void> {
  const { port } = peer
  const root = `life/${round}`
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const unknown = timeline.now()

  function createSleeper(of: string, expirySeconds: number, connectSeconds = expirySeconds): Sleeper {
    const got: Sleeper['got'] = new Map()
    const client = createMqttClient({
      port,
      clientId: `${of}-${round}`,
      mqtt5: { sessionExpirySeconds: connectSeconds, onWrong: (what) => sums.examples.push(what) },
      onMessage({ payload, properties }) {
        got.set(Number(payload.toString()), { leftSeconds: properties.messageExpirySeconds, at: timeline.now() })
      },
    })
    return { name: `${of}-${round}`, client, expirySeconds, got, left: unknown, back: unknown }
  }

  // The last is connected when the broker ends; the one before says with DISCONNECT how long it is to be kept.
  const sleepers = Array.from({ length: sleepersCount }, (_, i) => {
    const expirySeconds = pick(livesSeconds)
    return createSleeper(`sleeper-${i}`, expirySeconds, i === sleepersCount - 2 ? longSeconds : expirySeconds)
  })
  const pair = [createSleeper('pair-0', longSeconds), createSleeper('pair-1', longSeconds)]
  for (const [i, { client }] of sleepers.entries()) {
    await client.connect()
    await client.subscribe([`${root}/plain`], i % 2 === 0 ? 1 : 2)
  }
  for (const { client } of pair) {
    await client.connect()
    await client.subscribe([`$share/pair/${root}/plain`], 1)
  }
  const mourners = await startMourners(port, `${round}`)
  sums.mourners += mourners.count
  for (const [i, sleeper] of [...sleepers, ...pair].entries()) {
    const { client, expirySeconds } = sleeper
    if (i === sleepersCount - 1) continue
    const leave =
      i === sleepersCount - 2
        ? () => client.disconnect(expirySeconds)
        : i % 2 === 0
          ? client.disconnect
          : vanish(client)
    sleeper.left = await timeline.during(leave)
  }
  const messages = await publishAll(port, timeline, root, () => pick([undefined, ...livesSeconds]))
  // Whoever saves what he has once a second has saved them.
  await sleep(savedMs)
  await mourners.beforeTheEnd()
  // Around the moment when something is due, or some way before, in two parts.
  const passesSeconds = pick(livesSeconds.slice(1)) * pick([0.6, 0.8, 1]) + 16 * random() - 10
  const first = random()
  for (const [way, share] of [[pick(['kill', 'stop'] as const), first] as const, ['kill', 1 - first] as const]) {
    const alive = sleepers.at(-1)!
    if (alive.client.isConnected) alive.left = timeline.now()
    await peer[way]()
    timeline.pass(Math.max(0, Math.round(passesSeconds * share)))
    await peer.start()
  }
  await mourners.afterwards()
  await wake(sleepers, pair, timeline)
  const visitor = createSleeper('visitor', 0)
  visitor.back = await timeline.during(() => visitor.client.connect())
  await visitor.client.subscribe([`${root}/retained/+`], 1)
  await sleep(quietMs)
  judge(sleepers, pair, visitor, messages, sums)
  if (peer.gateway) {
    sums.counted += (await scrape(peer.gateway.http)).total('tocsin_mqtt_dropped_messages_total', { cause: 'expired' })
  }
  sums.wills.push(...(await mourners.verdict()))
  for (const { client } of [...sleepers, ...pair, visitor]) await client.disconnect(0)
}

const vanish = (client: MqttClient) => async (): Promise<void> => client.drop()

/** Half of them retained, each on a topic of its own; resolves when all are acknowledged. */
async function publishAll(
  port: number,
  timeline: Timeline,
  root: string,
  drawLife: () => number | undefined,
): Promise<readonly Message[]> {
  const unknown = timeline.now()
  const messages = Array.from({ length: messagesCount }, (_, n): Message => {
    const isRetained = n % 2 === 1
    const topic = isRetained ? `${root}/retained/${n}` : `${root}/plain`
    return { n, lifeSeconds: drawLife(), isRetained, topic, sent: unknown }
  })
  const publisher = createMqttClient({ port, clientId: `publisher-of-${root}`, clean: true, mqtt5: {} })
  await publisher.connect()
  for (const message of messages) {
    const { n, topic, lifeSeconds, isRetained: retain } = message
    const properties = lifeSeconds === undefined ? {} : { messageExpirySeconds: lifeSeconds }
    message.sent = await timeline.during(async () => {
      publisher.publish({ topic, payload: String(n), qos: n % 4 < 2 ? 1 : 2, retain, properties })
      while (publisher.inFlight > 0 && publisher.isConnected) await sleep(1)
    })
  }
  await publisher.disconnect()
  return messages
}

/** All come back, and have all that comes. */
async function wake(sleepers: readonly Sleeper[], pair: readonly Sleeper[], timeline: Timeline): Promise<void> {
  const everybody = [...sleepers, ...pair]
  for (const sleeper of everybody) {
    sleeper.client.drop()
    sleeper.back = await timeline.during(() => sleeper.client.connect())
  }
  const arrivals = (): number => everybody.reduce((sum, { got }) => sum + got.size, 0)
  for (let before = -1; arrivals() !== before;) {
    before = arrivals()
    await sleep(quietMs)
  }
}

function judge(
  sleepers: readonly Sleeper[],
  pair: readonly Sleeper[],
  visitor: Sleeper,
  messages: readonly Message[],
  sums: Sums,
): void {
  const plain = messages.filter(({ isRetained }) => !isRetained)
  for (const [i, sleeper] of sleepers.entries()) {
    const isGone = sleeper.client.sessionsLost > 0
    const over = isOver(sleeper.expirySeconds, sleeper.left, sleeper.back)
    sums.sessions += 1
    if (over === undefined) sums.notJudged += 1
    else if (isGone && !over) blame('early', `${sleeper.name} was gone before its ${sleeper.expirySeconds} s were over`)
    // When the broker was gone nobody could count for the one that was there.
    else if (!isGone && over && i < sleepers.length - 1) {
      blame('beyond', `${sleeper.name} was there after its ${sleeper.expirySeconds} s`)
    }
    // It was given everything while it was there.
    if (i === sleepers.length - 1) continue
    if (!isGone) messagesOf(sleeper.name, [sleeper], plain, true)
    else if (sleeper.got.size > 0)
      blame('stale', `${sleeper.name} was given ${sleeper.got.size} of a session that was over`)
  }
  for (const { name, client } of pair) if (client.sessionsLost > 0) blame('early', `${name} was gone`)
  messagesOf('pair', pair, plain, true)
  messagesOf(
    'visitor',
    [visitor],
    messages.filter(({ isRetained }) => isRetained),
    false,
  )

  function blame(kind: 'early' | 'beyond' | 'lost' | 'stale', what: string): void {
    sums[kind] += 1
    sums.examples.push(what)
  }

  /** Who is owed them together. */
  function messagesOf(who: string, readers: readonly Sleeper[], owed: readonly Message[], areCounted: boolean): void {
    for (const { n, lifeSeconds, sent } of owed) {
      const came = readers.flatMap(({ got }) => got.get(n) ?? [])
      sums.messages += 1
      const then = came[0] ? { fromMs: readers[0]!.back.fromMs, toMs: came[0].at.toMs } : readers[0]!.back
      const over = lifeSeconds === undefined ? false : isOver(lifeSeconds, sent, then)
      const what = `${who}: ${n}, ${lifeSeconds} s to live,`
      if (came.length > 1) blame('stale', `${what} came to ${came.length} of them`)
      if (came.length === 0 && areCounted && lifeSeconds !== undefined) sums.expired += 1
      if (over === undefined) sums.notJudged += 1
      else if (came.length === 0 && !over) blame('lost', `${what} never came`)
      else if (came.length > 0 && over) blame('stale', `${what} came after its time`)
      const { leftSeconds } = came[0] ?? {}
      if (came.length === 0 || (leftSeconds === undefined && lifeSeconds === undefined)) continue
      if (lifeSeconds === undefined || leftSeconds === undefined || !mayBeLeft(leftSeconds, lifeSeconds, sent, then)) {
        blame('stale', `${what} came with ${leftSeconds} s left`)
      }
    }
  }
}
