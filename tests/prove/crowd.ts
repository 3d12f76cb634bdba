// Subscribers of a busy topic and the one who makes it busy, in a process of their own, so that what is measured elsewhere is the
// broker; with MQTT 5 also some that share a subscription. On standard input `freeze N` makes N of them hang at once, and one of those
// that share; `count` ends it, lets that one come back, and says how many connections are still open and what the group was given.
//
//   node tests/prove/crowd.ts PORT '{"subscribers":2,"frozen":1,"perSecond":100,"payloadBytes":10000,"version":5,"members":4,"takesAtOnce":10}'

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLedger } from '../faults/ledger.ts'
import { createMqttClient, type QoS } from '../faults/mqtt-client.ts'
import type { Version } from './message-traits.ts'

export interface Crowd {
  readonly subscribers: number
  readonly frozen: number
  readonly perSecond: number
  readonly payloadBytes: number
  readonly version: Version
  /** Of a group that shares; 0: there is none. */
  readonly members: number
  /** Receive Maximum of each, in MQTT 5. */
  readonly takesAtOnce: number
}

export interface CrowdCount {
  readonly open: number
  readonly sent: number
  readonly arrivals: number
  /** Of the group since somebody froze. */
  readonly group: {
    readonly given: number
    /** Not given to anybody while one hung. */
    readonly held: number
    readonly worstMs: number
    readonly lost: number
    readonly doubled: number
  }
}

const port = Number(process.argv[2])
const { subscribers, perSecond, payloadBytes, version, members, takesAtOnce } = JSON.parse(process.argv[3]!) as Crowd
const topic = 'busy/all'
const settleMsMax = 5_000
const comeBackMsMax = 10_000

const ledger = createLedger()
const book = ledger.reader('group', { qos: 2, owedAll: true, isOrdered: false })
const sentMs = new Map<number, number>()
let arrivals = 0
let worstMs = 0

const crowd = Array.from({ length: subscribers }, (_, i) =>
  createMqttClient({
    port,
    clientId: `crowd-${i}`,
    clean: true,
    ...(version === 5 && { mqtt5: { receiveMaximum: takesAtOnce } }),
    onMessage: () => void arrivals++,
  }),
)
const group = Array.from({ length: members }, (_, i) =>
  createMqttClient({
    port,
    clientId: `member-${i}`,
    mqtt5: { sessionExpirySeconds: 3_600, receiveMaximum: takesAtOnce },
    onMessage({ payload }) {
      const n = Number.parseInt(payload.toString('latin1', 0, 20), 10)
      worstMs = Math.max(worstMs, performance.now() - (sentMs.get(n) ?? Infinity))
      sentMs.delete(n)
      book.arrive(0, n)
    },
  }),
)
for (const client of crowd) {
  await client.connect()
  await client.subscribe([topic], 1)
}
for (const client of group) {
  await client.connect()
  await client.subscribe([`$share/crowd/${topic}`], 2)
}
book.subscribed()
const publisher = createMqttClient({
  port,
  clientId: 'busy',
  clean: true,
  ...(version === 5 && { mqtt5: {} }),
  onAcknowledged: (n) => ledger.acknowledge(0, n),
})
await publisher.connect()
const startedMs = performance.now()
const busy = setInterval(() => {
  const due = ((performance.now() - startedMs) / 1_000) * perSecond
  while (ledger.published < due && publisher.inFlight < perSecond) {
    // Those that share are sent both kinds.
    const qos: QoS = members > 0 && ledger.published % 2 === 0 ? 2 : 1
    const n = ledger.publish(0, qos)
    if (members > 0) sentMs.set(n, performance.now())
    publisher.publish({ topic, payload: String(n).padEnd(payloadBytes, ' '), qos, token: n })
  }
}, 10)

async function count(): Promise<CrowdCount> {
  clearInterval(busy)
  while (publisher.inFlight > 0 && publisher.isConnected) await sleep(10)
  const owed = (): number => (members > 0 ? ledger.owed(book) : 0)
  for (let ms = 0; owed() > takesAtOnce && ms < settleMsMax; ms += 10) await sleep(10)
  const open = crowd.filter(({ isConnected }) => isConnected).length
  const [given, held, worst] = [book.given, owed(), worstMs]
  group[0]?.drop()
  await group[0]?.connect()
  for (let ms = 0; ms < comeBackMsMax && owed() > 0; ms += 10) await sleep(10)
  const { lost, doubled } = ledger.verdict()
  const counted = { given, held, worstMs: worst, lost: members > 0 ? lost : 0, doubled }
  return { open, sent: ledger.published, arrivals, group: counted }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, number] = line.split(' ')
  if (word === 'freeze') {
    for (const client of crowd.slice(0, Number(number))) client.freeze()
    group[0]?.freeze()
    worstMs = 0
  }
  if (word === 'count') void count().then((counted) => process.stdout.write(`${JSON.stringify(counted)}\n`))
})
process.stdout.write('ready\n')
