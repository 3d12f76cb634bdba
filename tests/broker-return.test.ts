// A client that comes back is sent again what it has not acknowledged, whatever that is and however much, and both sides come to an
// end with each identifier.

import { afterEach, describe, expect, test } from 'vitest'

import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { createMemoryLog, createMemoryStore } from './tools/memory-log.ts'
import {
  ackPacket,
  connected,
  connectPacket,
  frame,
  mqtt,
  openRaw,
  subscribePacket,
  text,
  type RawMqtt,
} from './tools/raw-mqtt.ts'
import { got, unit } from './tools/raw-session.ts'

afterEach(closeBrokers)

interface Got {
  readonly id: number
  readonly qos: number
  readonly dup: boolean
  readonly payload: string
}

/** PUBLISH packets, at most the first hundred bytes of each. */
function messages({ packets }: RawMqtt): Got[] {
  return packets
    .filter(({ type }) => type === mqtt.publish)
    .map(({ flags, body }) => {
      const qos = (flags >> 1) & 3
      const at = 2 + body.readUInt16BE(0)
      const payloadAt = qos > 0 ? at + 2 : at
      const id = qos > 0 ? body.readUInt16BE(at) : 0
      return { id, qos, dup: (flags & 8) !== 0, payload: body.toString('utf8', payloadAt, payloadAt + 100) }
    })
}

async function come(port: number, clean = false): Promise<RawMqtt> {
  const client = await openRaw(port)
  client.send(connectPacket({ clientId: 'reader', clean }))
  await client.packet(mqtt.connack)
  return client
}

async function subscribed(port: number, qos: 1 | 2): Promise<RawMqtt> {
  const client = await come(port)
  client.send(subscribePacket(['a/#'], qos))
  await client.packet(mqtt.suback)
  return client
}

/** Acknowledges everything that comes, from now on. */
function acknowledging(client: RawMqtt): void {
  let seen = 0
  const timer = setInterval(() => {
    for (; seen < client.packets.length; seen++) {
      const { type, flags, body } = client.packets[seen]!
      if (type === mqtt.pubrel) client.send(ackPacket(mqtt.pubcomp, body.readUInt16BE(0)))
      if (type !== mqtt.publish || !(flags & 6)) continue
      const id = body.readUInt16BE(2 + body.readUInt16BE(0))
      client.send(ackPacket(flags & 4 ? mqtt.pubrec : mqtt.puback, id))
    }
  }, 2)
  client.socket.once('close', () => clearInterval(timer))
}

const large = (name: string): string => name.padEnd(100_000, '.')
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `message ${i}`)
const payloads = (client: RawMqtt): string[] => messages(client).map(({ payload }) => payload.replace(/\.+$/, ''))

test('six megabytes that were on their way come again, and the client is not cut for them', async () => {
  const { port, say, events } = await startBroker()
  const before = await subscribed(port, 1)
  for (const name of names(60)) {
    say({ topic: 'a/b', payload: large(name) })
    await pause(1)
  }
  await until(() => messages(before).length === 60, 'all, none acknowledged')
  before.close()
  await until(() => events.some(({ kind }) => kind === 'disconnected'), 'it is gone')
  const after = await come(port)
  acknowledging(after)
  await until(() => messages(after).length === 60, 'all once more')
  expect(payloads(after)).toEqual(names(60))
  expect(messages(after).map(({ id }) => id)).toEqual(messages(before).map(({ id }) => id))
  expect(messages(after).every(({ dup }) => dup)).toBe(true)
  after.close()
})

test('six megabytes at QoS 2 that were said meanwhile come, and the client is not cut for them', async () => {
  const { port, say, events } = await startBroker()
  const before = await subscribed(port, 2)
  before.close()
  await until(() => events.some(({ kind }) => kind === 'disconnected'), 'it is gone')
  for (const name of names(60)) say({ topic: 'a/b', payload: large(name), qos: 2 })
  const after = await come(port)
  acknowledging(after)
  await until(() => messages(after).length === 60, 'all')
  expect(payloads(after)).toEqual(names(60))
  after.close()
})

test('forty thousand owed messages that are gone, of QoS 1 and 2 by turns, are passed over', async () => {
  const { port, say, events, log, broker } = await startBroker({ limits: { recentBytesMax: 0 } })
  const before = await subscribed(port, 2)
  before.close()
  await until(() => events.some(({ kind }) => kind === 'disconnected'), 'it is gone')
  for (let i = 0; i < 40_000; i++) {
    say({ topic: 'a/b', payload: 'gone', qos: i % 2 ? 1 : 2 })
    log.remove(log.head)
  }
  say({ topic: 'a/b', payload: 'here' })
  const after = await come(port)
  acknowledging(after)
  await until(() => payloads(after).at(-1) === 'here', 'what is there')
  expect(broker.counts().dropped.gone).toBe(40_000)
  expect(broker.counts().queued).toBe(0)
  after.close()
})

test('of a QoS 2 message that is gone the client is asked to forget the identifier', async () => {
  const { port, say, log, broker } = await startBroker({ limits: { recentBytesMax: 0 } })
  const before = await subscribed(port, 2)
  say({ topic: 'a/b', payload: 'gone', qos: 2 })
  await until(() => messages(before).length === 1, 'it is sent')
  const { id } = messages(before)[0]!
  before.close()
  log.remove(log.head)
  await until(() => broker.counts().connections === 0, 'it is gone')
  const after = await come(port)
  const pubrel = await after.packet(mqtt.pubrel)
  expect(pubrel.body.readUInt16BE(0)).toBe(id)
  after.send(ackPacket(mqtt.pubcomp, id))
  say({ topic: 'a/b', payload: 'next', qos: 2 })
  await until(() => messages(after).length === 1, 'the next')
  expect(messages(after)[0]).toMatchObject({ payload: 'next', dup: false })
  after.close()
})

test('after a crash a new message does not have the identifier of a retained one that was on its way', async () => {
  const [memory, store] = [createMemoryLog(), createMemoryStore()]
  const first = await startBroker({ memory, store })
  first.say({ topic: 'a/b', payload: 'retained', qos: 2, retain: true })
  const before = await subscribed(first.port, 2)
  await until(() => messages(before).length === 1, 'it is sent')
  const { id } = messages(before)[0]!
  await pause(20)
  const left = store.crashed()
  await closeBrokers()
  const second = await startBroker({ memory, store: left })
  const after = await come(second.port)
  second.say({ topic: 'a/b', payload: 'new', qos: 2 })
  await until(() => messages(after).length === 1, 'the new one')
  expect(messages(after)[0]).toMatchObject({ payload: 'new', dup: false })
  expect(messages(after)[0]!.id).not.toBe(id)
  after.close()
})

test('a log that lost its end: another message under the same number does not pass for a repetition', async () => {
  const memory = createMemoryLog()
  const store = createMemoryStore()
  const first = await startBroker({ memory, store })
  const before = await subscribed(first.port, 2)
  first.say({ topic: 'a/b', payload: 'lost with the end of the log', qos: 2 })
  await until(() => messages(before).length === 1, 'it is sent')
  const { id } = messages(before)[0]!
  await closeBrokers()

  const shorter = createMemoryLog()
  const second = await startBroker({ memory: shorter, store: store.crashed() })
  second.say({ topic: 'a/b', payload: 'another', qos: 2 })
  const after = await come(second.port)
  await until(() => messages(after).length === 1, 'the other')
  expect(messages(after)[0]).toMatchObject({ payload: 'another', dup: false })
  expect(messages(after)[0]!.id).not.toBe(id)
  expect((await after.packet(mqtt.pubrel)).body.readUInt16BE(0)).toBe(id)
  after.close()
})

describe('what is on its way when it is unsubscribed', () => {
  const unsubscribe = (filter: string): Buffer => frame(0xa2, Buffer.of(0, 9), text(filter))

  test.each([
    [1, 'orders/#'],
    [2, 'orders/#'],
    [1, '$share/desk/orders/#'],
    [2, '$share/desk/orders/#'],
  ] as const)('comes again at QoS %i when its client comes back, since it has begun: %s', async (qos, filter) => {
    const { port, broker, say } = await startBroker()
    const raw = await connected(port, unit)
    raw.send(subscribePacket([filter], qos))
    await raw.packet(mqtt.suback)
    say({ topic: 'orders/1', payload: 'begun', qos })
    await until(() => got(raw).length === 1, 'it')
    raw.send(unsubscribe(filter))
    await raw.packet(11)
    say({ topic: 'orders/1', payload: 'not asked for', qos })
    raw.close()
    await until(() => broker.counts().connections === 0, 'it has gone')
    const back = await connected(port, unit)
    await until(() => got(back).length === 1, 'it again')
    await pause(20)
    expect(got(back)).toMatchObject([{ payload: 'begun', dup: true, id: got(raw)[0]!.id }])
    back.close()
  })

  test('does not when its client may not read it any more', async () => {
    let may = true
    const { port, broker, say } = await startBroker({ mayReceive: () => may })
    const raw = await connected(port, unit)
    raw.send(subscribePacket(['orders/#']))
    await raw.packet(mqtt.suback)
    say({ topic: 'orders/1', payload: 'secret' })
    await until(() => got(raw).length === 1, 'it')
    raw.send(unsubscribe('orders/#'))
    await raw.packet(11)
    raw.close()
    await until(() => broker.counts().connections === 0, 'it has gone')
    may = false
    const back = await connected(port, unit)
    await pause(50)
    expect(got(back)).toEqual([])
    back.close()
  })
})
