// What is kept in memory is bounded by what it takes there, wherever in a message that stands, and goes when its time is over.

import { Duplex } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, test } from 'vitest'

import { createDelivery } from '../broker/delivery.ts'
import { defaultLimits } from '../broker/limits.ts'
import { createRecent } from '../broker/recent.ts'
import { createRetained } from '../broker/retained.ts'
import { newSession } from '../broker/session.ts'
import type { DeliverableMessage } from '../broker/stored.ts'
import { closeBrokers, heldReceive, startBroker, until } from './tools/broker.ts'
import { createMemoryStore } from './tools/memory-log.ts'
import { connectPacket, frame, mqtt, openRaw, publishPacket, text } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const filled = 'v'.repeat(60_000)

/** With 600 kB of user properties, and no payload to speak of. */
const wide = (number: number): DeliverableMessage => ({
  number,
  topic: `wide/${number}`,
  payload: Buffer.from('x'),
  qos: 1,
  retain: true,
  receivedAt: 0n,
  kind: 'other',
  properties: { userProperties: Array.from({ length: 10 }, (_, i) => [`name ${i}`, filled] as const) },
})

const store = createMemoryStore()

test('copies of messages are bounded with their properties', () => {
  const recent = createRecent(32 << 20)
  for (let number = 1; number <= 100; number++) recent.put(0, wide(number))
  const kept = Array.from({ length: 100 }, (_, i) => recent.get(0, i + 1)).filter(Boolean)
  expect(kept).toHaveLength(55)
})

test('retained messages are bounded with their properties', () => {
  let dropped = 0
  const retained = createRetained({ limits: defaultLimits, store, stored: [], dropped: () => dropped++ })
  for (let number = 1; number <= 200; number++) retained.apply(wide(number))
  expect(retained.count).toBe(111)
  expect(dropped).toBe(89)
})

test('what is kept holds nothing of the buffers in which it came', () => {
  const chunk = Buffer.alloc(64 << 10)
  const retained = createRetained({ limits: defaultLimits, store, stored: [], dropped: () => {} })
  const message = { ...wide(1), payload: chunk.subarray(0, 1), properties: { correlationData: chunk.subarray(1, 9) } }
  retained.apply(message)
  const recent = createRecent(1 << 20)
  recent.put(0, message)
  chunk.fill('x')
  for (const kept of [retained.matching('#')[0]!, recent.get(0, 1)!]) {
    expect(kept.payload).toEqual(Buffer.alloc(1))
    expect(kept.properties).toEqual({ correlationData: Buffer.alloc(8) })
  }
})

test('a retained message whose time is over makes room', () => {
  const limits = { ...defaultLimits, retainedMessagesMax: 2 }
  let dropped = 0
  const retained = createRetained({ limits, store, stored: [], dropped: () => dropped++ })
  const say = (topic: string, messageExpirySeconds?: number): void =>
    retained.apply({
      ...wide(1),
      topic,
      properties: messageExpirySeconds === undefined ? {} : { messageExpirySeconds },
    })
  say('a', 10)
  say('b')
  retained.expire(9_000_000_000n)
  say('c')
  expect([retained.count, dropped]).toEqual([2, 1])
  retained.expire(10_000_000_000n)
  say('c')
  expect(retained.matching('#').map(({ topic }) => topic)).toEqual(['b', 'c'])
  expect(store.load().retained.map(({ topic }) => topic)).not.toContain('a')
})

test('a client whose properties fill what may be on its way is read no further', async () => {
  const house = heldReceive()
  const { port } = await startBroker({ receive: house.receive })
  const client = await openRaw(port)
  client.send(connectPacket({ version: 5 }))
  await client.packet(mqtt.connack)
  const pairs = Buffer.concat(
    Array.from({ length: 10 }, (_, i) => Buffer.concat([Buffer.of(0x26), text(`${i}`), text(filled)])),
  )
  const length = Buffer.of((pairs.length & 0x7f) | 0x80, ((pairs.length >> 7) & 0x7f) | 0x80, pairs.length >> 14)
  for (let id = 1; id <= 20; id++) client.send(frame(0x32, text('a'), Buffer.of(0, id), length, pairs))
  await until(() => house.calls.length === 7, 'four megabytes are there')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(house.calls).toHaveLength(7)
  for (let done = 0; done < 20; done++) {
    await until(() => house.calls.length > done, 'the next')
    house.calls[done]!.settle('accepted')
  }
  await until(() => client.packets.filter(({ type }) => type === mqtt.puback).length === 20, 'all are taken')
  client.close()
})

test('a packet that comes byte by byte takes what it is, and not an object for each byte', async () => {
  const { broker, received } = await startBroker()
  const line = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  broker.enter(line, { address: '127.0.0.1', listener: 'tcp' })
  line.push(connectPacket())
  await until(() => broker.counts().connects === 1, 'it is here')
  const packet = publishPacket('a', { payload: Buffer.alloc(200_000, 'x') })
  const before = heapBytes()
  for (let at = 0; at < packet.length - 1; at++) {
    line.push(Buffer.from(packet.subarray(at, at + 1)))
    if (at % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  const taken = heapBytes() - before
  line.push(packet.subarray(-1))
  await until(() => received.length === 1, 'it is whole')
  expect(received[0]!.payload).toHaveLength(200_000)
  // It took 23 MB.
  expect(taken).toBeLessThan(4 << 20)
})

const forgetful = () =>
  createDelivery<{ name: string }>({
    sources: [],
    store,
    retained: createRetained({ limits: defaultLimits, store, stored: [], dropped: () => {} }),
    sending: () => ({ offer: () => {} }),
    sharing: () => {
      throw new Error('nothing is shared')
    },
    mayReceive: () => true,
  })
const reader = (name: string) => newSession(name, { name: 'reader', principal: { name: 'reader' } }, 5)
const asked = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const

test('who is given which topic is remembered for a while, and not for each of many readers of each of many topics', () => {
  const delivery = forgetful()
  for (let i = 0; i < 400; i++) delivery.subscribe(reader(`reader ${i}`), { ...asked, filter: '#' })
  const before = heapBytes()
  for (let i = 0; i < 5_000; i++) expect(delivery.isWanted(`topic/${i}`)).toBe(true)
  const taken = heapBytes() - before
  expect(delivery.isWanted('topic/1')).toBe(true)
  expect(taken).toBeLessThan(60 << 20)
})

test('nor with each of the identifiers of one reader whose thousand filters all cover them', () => {
  const delivery = forgetful()
  const one = reader('one')
  for (let i = 0; i < 1_000; i++) {
    const levels = Array.from({ length: 10 }, (_, bit) => (i & (1 << bit) ? '+' : 'a'))
    delivery.subscribe(one, { ...asked, filter: `+/${levels.join('/')}`, identifier: i + 1 })
  }
  const topic = (i: number): string => `${i}/a/a/a/a/a/a/a/a/a/a`
  const before = heapBytes()
  for (let i = 0; i < 3_000; i++) expect(delivery.isWanted(topic(i))).toBe(true)
  const taken = heapBytes() - before
  expect(delivery.recipientOf(one, topic(1))?.identifiers.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 1_000 }, (_, i) => i + 1),
  )
  // Eight bytes each would be 24 MB.
  expect(taken).toBeLessThan(12 << 20)
})

test('of a client that is away its session is kept, and nothing of its connection', async () => {
  const { port, broker, events } = await startBroker()
  const expiry = Buffer.of(5, 0x11, 0, 0, 0x0e, 0x10)
  async function comeAndGo(clientId: string): Promise<void> {
    const client = await openRaw(port)
    client.send(frame(0x10, text('MQTT'), Buffer.of(5, 0, 0, 60), expiry, text(clientId)))
    await client.packet(mqtt.connack)
    client.close()
  }
  for (let i = 0; i < 200; i++) await comeAndGo(`first ${i}`)
  await until(() => broker.counts().connections === 0, 'all have gone')
  const before = heapBytes()
  for (let i = 0; i < 500; i++) await comeAndGo(`second ${i}`)
  await until(() => broker.counts().connections === 0, 'all have gone')
  events.length = 0
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(broker.counts().sessions).toBe(700)
  // It took 12 kB.
  expect((heapBytes() - before) / 500).toBeLessThan(6_000)
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}
