// Flow control never stands still: with little windows both ways, answers that come late, out of order or say no, aliases, shared
// subscriptions and connections that are lost, everything that was published reaches those it is for, in order, and never more at once
// than they take. TOCSIN_SEED=n runs one seed; TOCSIN_SEEDS=n so many.

import { afterEach, expect, test } from 'vitest'

import { seededRandom } from './faults/fault-disk.ts'
import { closeBrokers, pause, startBroker } from './tools/broker.ts'
import { flowPublisher, flowReader, type FlowClient, type FlowMessage, type FlowReader } from './tools/flow-clients.ts'

afterEach(closeBrokers)

const only = process.env['TOCSIN_SEED']
const seeds =
  only === undefined
    ? Array.from({ length: Number(process.env['TOCSIN_SEEDS'] ?? 6) }, (_, i) => i + 1)
    : [Number(only)]
const each = 60
const stuckMs = 15_000

test.each(seeds)('seed %i: everything drains', { timeout: 60_000 }, async (seed) => {
  const random = seededRandom(seed)
  const house = await startBroker({
    limits: { inFlightMax: 1 + Math.floor(random() * 6), sentUnansweredMax: 5, topicAliasesMax: 2 },
    receive: slowly(random),
  })
  const { port } = house
  const plain = ['plain-1', 'plain-2', 'plain-3'].map((id, n) =>
    flowReader(port, id, random, {
      filters: [{ topic: 'flow/#', qos: n === 0 ? 1 : 2 }],
      kept: true,
      receiveMaximum: 1 + n * 2,
    }),
  )
  const crew = ['crew-1', 'crew-2', 'crew-3'].map((id, n) =>
    flowReader(port, id, random, {
      // A member whose session ends with its connection would take with it what it was sent at QoS 2.
      filters: [{ topic: '$share/crew/flow/#', qos: n === 2 ? 1 : 2 }],
      kept: n !== 2,
      receiveMaximum: 3,
    }),
  )
  const both = flowReader(port, 'both', random, {
    filters: [
      { topic: 'flow/1', qos: 1 },
      { topic: '$share/pair/flow/#', qos: 1 },
    ],
    kept: true,
    receiveMaximum: 2,
  })
  const readers = [...plain, ...crew, both]
  await run(random, readers, () => readers.every(({ isSubscribed }) => isSubscribed), false)

  const sent = ['a', 'b', 'c'].map((name) => messagesOf(name, random))
  const publishers = sent.map((messages, n) => flowPublisher(port, `publisher-${n}`, random, messages))
  const payloads = sent.flat().map(({ payload }) => payload)
  const missing = (group: readonly FlowReader[]) => {
    const come = new Set(group.flatMap(({ taken, refused }) => [...[...taken.values()].flat(), ...refused]))
    return payloads.filter((payload) => !come.has(payload))
  }
  const clients = [...publishers, ...readers]
  const groups = [...plain.map((one) => [one]), crew, [both]]
  const isDone = (): boolean =>
    clients.every((client) => client.waitsFor() === '') && groups.every((group) => missing(group).length === 0)
  const done = await run(random, clients, isDone, true)
  const waits = [...clients.map((client) => client.waitsFor()), ...groups.map((group) => missing(group).length)]
  expect({ done, waits: done ? [] : waits }, `TOCSIN_SEED=${seed}`).toEqual({ done: true, waits: [] })
  expect(
    clients.flatMap(({ wrong }) => wrong),
    `TOCSIN_SEED=${seed}`,
  ).toEqual([])
  expect(house.errors).toEqual([])
  for (const { taken } of plain)
    for (const list of taken.values()) expect(outOfOrder(list), `TOCSIN_SEED=${seed}`).toEqual([])
  expect(house.broker.counts()).toMatchObject({ inFlight: 0, queued: 0 })
  clients.forEach((client) => client.close())
})

/** Settles in the order in which it was given, as a log does, some together and after a while. */
function slowly(random: () => number): () => Promise<'accepted'> {
  let last: Promise<void> = Promise.resolve()
  return () => {
    if (random() < 0.3) last = last.then(() => pause(Math.floor(random() * 4)))
    return last.then(() => 'accepted')
  }
}

function messagesOf(name: string, random: () => number): FlowMessage[] {
  return Array.from({ length: each }, (_, n) => ({
    topic: `flow/${Math.floor(random() * 4)}`,
    payload: `${name}-${n}`,
    qos: random() < 0.5 ? 1 : 2,
  }))
}

/** Each does something, and now and then one loses its connection, until all is done; false: it is not in time. */
async function run(
  random: () => number,
  clients: readonly FlowClient[],
  isDone: () => boolean,
  drops: boolean,
): Promise<boolean> {
  const end = performance.now() + stuckMs
  for (let turn = 0; !isDone(); turn++) {
    if (performance.now() > end) return false
    for (const client of clients) {
      if (random() < 0.6) client.act()
      if (drops && turn < 400 && random() < 0.003) client.drop()
    }
    await pause(random() < 0.9 ? 0 : 3)
  }
  return true
}

/** Numbers of one publisher on one topic that came after a larger one. */
function outOfOrder(payloads: readonly string[]): string[] {
  const last = new Map<string, number>()
  return payloads.filter((payload) => {
    const [name = '', n] = payload.split('-')
    const before = last.get(name) ?? -1
    last.set(name, Number(n))
    return Number(n) < before
  })
}
