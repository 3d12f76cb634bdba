// Nothing in the broker grows without a bound, and what is dropped at a bound is counted and told.

import mqttClient, { type IClientOptions, type MqttClient } from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'

import type { Clock } from '../broker/broker.ts'
import { filterMatches } from '../broker/topics.ts'
import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { connectPacket, mqtt, openRaw, publishPacket, subscribePacket } from './tools/raw-mqtt.ts'

const clients: MqttClient[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)))
  await closeBrokers()
})

async function connect(url: string, options: IClientOptions = {}): Promise<{ client: MqttClient; got: string[] }> {
  const client: MqttClient = mqttClient.connect(url, { reconnectPeriod: 0, ...options })
  clients.push(client)
  const got: string[] = []
  client.on('message', (_topic: string, payload: Buffer) => got.push(String(payload)))
  await new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
  })
  return { client, got }
}

const text = (value: string) => ({ topic: 'orders', payload: value })

describe('the queue of a session that is away', () => {
  const kept = { clientId: 'unit', clean: false }

  test('holds so many messages, keeps what came first, and tells', async () => {
    const { url, broker, events, say } = await startBroker({ limits: { queuedMessagesMax: 3 } })
    const away = await connect(url, kept)
    await away.client.subscribeAsync('orders', { qos: 1 })
    await away.client.endAsync()
    for (const value of ['1', '2', '3', '4', '5']) say(text(value))
    expect(broker.counts()).toMatchObject({ queued: 3, dropped: { offline_queue: 2 } })
    expect(events.filter(({ kind }) => kind === 'dropped')).toEqual([
      { kind: 'dropped', cause: 'offline_queue', clientId: 'unit' },
    ])
    const back = await connect(url, kept)
    await until(() => back.got.length === 3, 'what was kept')
    expect(back.got).toEqual(['1', '2', '3'])
    await until(() => broker.counts().queued === 0, 'acknowledged')
  })

  test('is empty again after QoS 2 as well', async () => {
    const { url, broker, say } = await startBroker()
    const away = await connect(url, kept)
    await away.client.subscribeAsync('orders', { qos: 2 })
    await away.client.endAsync()
    const values = Array.from({ length: 50 }, (_, i) => String(i))
    for (const value of values) say({ ...text(value), qos: 2 })
    const back = await connect(url, kept)
    await until(() => back.got.length === 50, 'what was missed')
    expect(back.got).toEqual(values)
    await until(() => broker.counts().queued === 0, 'released')
  })

  test('does not survive a clean start', async () => {
    const { url, broker, say } = await startBroker()
    const away = await connect(url, kept)
    await away.client.subscribeAsync('orders', { qos: 1 })
    await away.client.endAsync()
    for (let i = 0; i < 50; i++) say(text('1'))
    const fresh = await connect(url, { ...kept, clean: true })
    await until(() => broker.counts().sessions === 0, 'the old session is over')
    expect(broker.counts().queued).toBe(0)
    await fresh.client.publishAsync('orders', 'it works', { qos: 1 })
    expect(fresh.got).toEqual([])
  })
})

test('so many retained messages are kept; a known topic is still updated', async () => {
  const { url, broker, events } = await startBroker({ limits: { retainedMessagesMax: 2 } })
  const writer = await connect(url)
  for (const topic of ['a', 'b', 'c', 'a'])
    await writer.client.publishAsync(topic, `${topic}!`, { qos: 1, retain: true })
  await writer.client.publishAsync('b', '', { retain: true, qos: 1 })
  await writer.client.publishAsync('d', 'd!', { retain: true, qos: 1 })
  const reader = await connect(url)
  await reader.client.subscribeAsync('#')
  await until(() => reader.got.length === 2, 'retained')
  expect(reader.got.toSorted()).toEqual(['a!', 'd!'])
  expect(broker.counts()).toMatchObject({ retained: 2, dropped: { retained: 1 } })
  expect(events).toContainEqual({ kind: 'dropped', cause: 'retained', clientId: '' })
})

test('so many bytes of retained messages are kept', async () => {
  const { broker, say } = await startBroker({ limits: { retainedBytesMax: 100 } })
  const retained = (topic: string, size: number) => say({ topic, payload: Buffer.alloc(size, 1), qos: 0, retain: true })
  retained('a', 60)
  retained('b', 60)
  retained('a', 10)
  retained('b', 60)
  expect(broker.counts()).toMatchObject({ retained: 2, dropped: { retained: 1 } })
})

test('so many subscriptions for each client; taking one off makes room', async () => {
  const { url } = await startBroker({ limits: { subscriptionsPerClientMax: 2 } })
  const { client } = await connect(url)
  await client.subscribeAsync(['a', 'b'])
  await client.subscribeAsync('a', { qos: 1 })
  await expect(client.subscribeAsync('c')).rejects.toThrow(/Unspecified error/)
  await client.unsubscribeAsync('a')
  await client.subscribeAsync('c')
})

test('so many subscriptions of all clients together; taking one off makes room for others', async () => {
  const { url } = await startBroker({ limits: { subscriptionsInAllMax: 3 } })
  const [one, other] = [await connect(url, { clientId: 'one' }), await connect(url, { clientId: 'other' })]
  await one.client.subscribeAsync(['a', 'b'])
  await other.client.subscribeAsync('$share/group/c')
  await expect(other.client.subscribeAsync('d')).rejects.toThrow(/Unspecified error/)
  await one.client.subscribeAsync('a', { qos: 1 })
  await one.client.unsubscribeAsync('a')
  await other.client.subscribeAsync('d')
  await expect(one.client.subscribeAsync('a')).rejects.toThrow(/Unspecified error/)
  await other.client.endAsync()
  await one.client.subscribeAsync(['a', 'c'])
})

test('so many sessions are kept; one that is known comes back', async () => {
  const { url } = await startBroker({ limits: { sessionsMax: 2 } })
  for (const clientId of ['a', 'b']) await (await connect(url, { clientId, clean: false })).client.endAsync()
  await expect(connect(url, { clientId: 'c', clean: false })).rejects.toThrow(/Server unavailable/)
  await connect(url, { clientId: 'c', clean: true })
  await connect(url, { clientId: 'a', clean: false })
})

test('so many sessions are kept of one principal, under whatever client ids; the others are not those of others', async () => {
  const { url } = await startBroker({ limits: { sessionsPerPrincipalMax: 2 } })
  const one = { clean: false, username: 'one' }
  for (const clientId of ['a', 'b']) await (await connect(url, { ...one, clientId })).client.endAsync()
  await expect(connect(url, { ...one, clientId: 'c' })).rejects.toThrow(/Server unavailable/)
  await connect(url, { ...one, clientId: 'a' })
  await connect(url, { clean: false, username: 'other', clientId: 'c' })
})

test('a client id is free for others when its session has expired', async () => {
  let nowNs = 1_000_000_000_000n
  const clock: Clock = { now: () => nowNs, monotonic: () => nowNs }
  const { url, broker } = await startBroker({ clock, limits: { sessionExpirySecondsMax: 100, expireEveryMs: 10 } })
  const unit = await connect(url, { clientId: 'unit', clean: false, username: 'a' })
  await unit.client.endAsync()
  const other = { clientId: 'unit', username: 'b' }
  nowNs += 99_000_000_000n
  await pause(50)
  await expect(connect(url, other)).rejects.toThrow(/Identifier rejected/)
  expect(broker.counts().sessions).toBe(1)
  nowNs += 1_000_000_000n
  await until(() => broker.counts().sessions === 0, 'expired')
  await connect(url, other)
})

test(
  'a reader at QoS 0 that is too slow misses messages, is told of in the counts, and stays',
  { timeout: 30_000 },
  async () => {
    const { port, broker, say } = await startBroker()
    const slow = await openRaw(port)
    slow.send(connectPacket({ clientId: 'slow' }), subscribePacket(['#'], 0))
    await slow.packet(mqtt.suback)
    slow.socket.pause()
    const payload = Buffer.alloc(10_000)
    for (let i = 0; i < 3_000 && !broker.counts().dropped.slow_qos0; i++) {
      say({ topic: 'load', payload, qos: 0 })
      if (i % 20 === 0) await pause(1)
    }
    expect(broker.counts().dropped.slow_qos0).toBeGreaterThan(0)
    await pause(400)
    expect(broker.counts().cut.slow).toBeUndefined()
    const seen = slow.packets.length
    slow.socket.resume()
    await until(() => slow.packets.length > seen, 'it reads on')
    slow.close()
  },
)

test('a keep-alive longer than ours is shortened: told to MQTT 5, kept by us for older clients', async () => {
  const { port } = await startBroker({ limits: { keepAliveSecondsMax: 1 } })
  const five = await openRaw(port)
  five.send(connectPacket({ version: 5, clientId: 'five', keepAlive: 600 }))
  // Server Keep Alive is property 0x13 (MQTT 5 §3.2.2.3.14).
  expect((await five.packet(mqtt.connack)).body.includes(Buffer.of(0x13, 0, 1))).toBe(true)
  const began = performance.now()
  const four = await openRaw(port)
  four.send(connectPacket({ clientId: 'four', keepAlive: 0 }))
  await four.closed
  expect(performance.now() - began).toBeGreaterThan(1_400)
})

test('a will that could not be stored is tried again until it is', async () => {
  let full = true
  const { url, port, received } = await startBroker({
    receive: () => (full ? Promise.reject(new Error('disk full')) : Promise.resolve('accepted')),
  })
  const reader = await connect(url)
  await reader.client.subscribeAsync('#', { qos: 1 })
  const raw = await openRaw(port)
  raw.send(connectPacket({ will: { topic: 'gone', payload: 'x' } }))
  await raw.packet(mqtt.connack)
  raw.close()
  await until(() => received.length === 1, 'tried')
  full = false
  await until(() => reader.got.length === 1, 'delivered')
  expect(received.every(({ will }) => will)).toBe(true)
})

test('an alias stands for its topic, and does not go on to readers', async () => {
  const { url, port, received } = await startBroker()
  const reader = await connect(url, { protocolVersion: 5 })
  await reader.client.subscribeAsync('#', { qos: 1 })
  const device = await connect(url, { protocolVersion: 5 })
  const properties = { topicAlias: 3 }
  await device.client.publishAsync('long/topic', '1', { qos: 1, properties })
  await device.client.publishAsync('', '2', { qos: 1, properties })
  await until(() => reader.got.length === 2, 'both')
  expect(received.map(({ topic }) => topic)).toEqual(['long/topic', 'long/topic'])
  const four = await openRaw(port)
  four.send(connectPacket(), publishPacket(''))
  await four.closed
})

test('filters cover topics as the standard’s own examples say', () => {
  // MQTT 3.1.1 §4.7.1.2, §4.7.1.3 and §4.7.2
  const cases: readonly [string, string, boolean][] = [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/#', 'sport', true],
    ['#', 'sport/tennis', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/a', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/a', true],
  ]
  for (const [filter, topic, covered] of cases)
    expect([filter, topic, filterMatches(filter, topic)]).toEqual([filter, topic, covered])
})
