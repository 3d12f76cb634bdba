// Every permitted message reaches its subscribers, in order, as by any broker: retained, wills, stored sessions, permissions; and
// a subscriber that stopped reading holds up nobody.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import mqttClient, { type IClientOptions, type MqttClient } from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'

import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { mosquittoPub, mosquittoSub, startMosquitto } from './tools/mosquitto.ts'
import { connectPacket, mqtt, openRaw, publishPacket, subscribePacket } from './tools/raw-mqtt.ts'

const clients: MqttClient[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)))
  await closeBrokers()
})

interface Reader {
  readonly client: MqttClient
  readonly got: string[]
  readonly packets: { topic: string; payload: string; qos: number; retain: boolean }[]
}

async function connect(url: string, options: IClientOptions = {}): Promise<Reader> {
  const client: MqttClient = mqttClient.connect(url, { reconnectPeriod: 0, ...options })
  clients.push(client)
  const got: string[] = []
  const packets: Reader['packets'] = []
  client.on('message', (topic: string, payload: Buffer, { qos, retain }: { qos: number; retain: boolean }) => {
    got.push(String(payload))
    packets.push({ topic, payload: String(payload), qos, retain })
  })
  await new Promise((resolve) => client.once('connect', resolve))
  return { client, got, packets }
}

describe.each([4, 5] as const)('MQTT version %i', (protocolVersion) => {
  test('each QoS reaches each subscription at the lower of both', async () => {
    const { url } = await startBroker()
    for (const filter of ['a/b', 'a/+', '#']) {
      for (const granted of [0, 1, 2] as const) {
        const reader = await connect(url, { protocolVersion })
        await reader.client.subscribeAsync(filter, { qos: granted })
        const writer = await connect(url, { protocolVersion })
        for (const qos of [0, 1, 2] as const) await writer.client.publishAsync('a/b', String(qos), { qos })
        await until(() => reader.got.length === 3, `${filter} at ${granted}`)
        expect(reader.packets.map(({ qos }) => qos)).toEqual([0, 1, 2].map((qos) => Math.min(qos, granted)))
        await reader.client.endAsync()
        await writer.client.endAsync()
      }
    }
  })

  test('retained messages come to who subscribes later, until they are cleared', async () => {
    const { url, broker } = await startBroker()
    const writer = await connect(url, { protocolVersion })
    await writer.client.publishAsync('state/1', 'old', { qos: 1, retain: true })
    await writer.client.publishAsync('state/1', 'new', { qos: 1, retain: true })
    const reader = await connect(url, { protocolVersion })
    await reader.client.subscribeAsync('state/#', { qos: 1 })
    await until(() => reader.got.length === 1, 'retained')
    expect(reader.packets).toEqual([{ topic: 'state/1', payload: 'new', qos: 1, retain: true }])
    await writer.client.publishAsync('state/1', '', { qos: 1, retain: true })
    await until(() => reader.got.length === 2, 'the clearing itself is a message')
    expect(broker.counts().retained).toBe(0)
  })

  test('a will is received like any message, then delivered', async () => {
    const { url, received } = await startBroker()
    const reader = await connect(url, { protocolVersion })
    await reader.client.subscribeAsync('#', { qos: 1 })
    const will = { topic: 'gone/7', payload: Buffer.from('battery'), qos: 1 as const, retain: true }
    const device = await connect(url, { protocolVersion, clientId: 'gauge-7', will })
    device.client.stream.destroy()
    await until(() => reader.got.length === 1, 'the will')
    expect(received).toMatchObject([{ topic: 'gone/7', will: true, clientId: 'gauge-7', qos: 1, retain: true }])
    const polite = await connect(url, { protocolVersion, clientId: 'gauge-8', will: { ...will, topic: 'gone/8' } })
    await polite.client.endAsync()
    await pause(50)
    expect(received.length).toBe(1)
  })

  test('a session that outlives its connection gets what it missed, once and in order', async () => {
    const { url, broker } = await startBroker()
    const kept = { protocolVersion, clientId: 'unit-3', clean: false, properties: { sessionExpiryInterval: 60 } }
    const before = await connect(url, kept)
    await before.client.subscribeAsync('orders/#', { qos: 1 })
    await before.client.endAsync()
    const writer = await connect(url, { protocolVersion })
    for (let i = 0; i < 100; i++) await writer.client.publishAsync('orders/3', String(i), { qos: 1 })
    expect(broker.counts()).toMatchObject({ sessions: 1, queued: 100 })
    const after = await connect(url, kept)
    await until(() => after.got.length === 100, 'all that was missed')
    expect(after.got).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
    await until(() => broker.counts().queued === 0, 'the queue is empty')
    expect(broker.counts()).toMatchObject({ sessions: 1 })
  })
})

test('messages of different QoS and retain flag in one burst neither overtake nor lose one another', async () => {
  const { port, url } = await startBroker()
  const readers = [await connect(url), await connect(url, { clientId: 'kept', clean: false })]
  for (const { client } of readers) await client.subscribeAsync('#', { qos: 1 })
  const raw = await openRaw(port)
  raw.send(connectPacket())
  await raw.packet(mqtt.connack)
  const all = Array.from({ length: 600 }, (_, i) => i)
  const shapes = [{ qos: 1, retain: true }, { qos: 0 }, { qos: 1 }, { qos: 0, retain: true }] as const
  raw.send(...all.map((i) => publishPacket('mixed', { ...shapes[i % 4]!, id: i + 1, payload: String(i) })))
  for (const { got } of readers) {
    await until(() => got.length >= 600, 'all delivered')
    // The standard keeps the order within one QoS only (MQTT 3.1.1 §4.6).
    for (const odd of [0, 1]) {
      expect(got.filter((i) => Number(i) % 2 === odd)).toEqual(all.filter((i) => i % 2 === odd).map(String))
    }
  }
  expect(readers[0]!.got).toEqual(all.map(String))
  raw.close()
})

test('a message by the gateway itself is delivered without being received', async () => {
  const { url, broker, received } = await startBroker()
  const reader = await connect(url, { protocolVersion: 5 })
  const properties = new Promise((resolve) =>
    reader.client.on('message', (_t, _p, packet) => resolve(packet.properties)),
  )
  await reader.client.subscribeAsync('out/#', { qos: 1 })
  broker.publish({
    topic: 'out/1',
    payload: Buffer.from('event'),
    qos: 1,
    properties: { contentType: 'application/protobuf', userProperties: [['lane', 'urgent']] },
  })
  expect(await properties).toMatchObject({ contentType: 'application/protobuf', userProperties: { lane: 'urgent' } })
  expect(received).toEqual([])
})

describe('permissions', () => {
  test('a forbidden topic is told to MQTT 5 and acknowledged to 3.1.1, and never delivered or retained', async () => {
    const { url, received, broker, events } = await startBroker({
      mayPublish: (_who, topic) => !topic.startsWith('orders/'),
    })
    const reader = await connect(url)
    await reader.client.subscribeAsync('#', { qos: 2 })
    for (const qos of [1, 2] as const) {
      const five = await connect(url, { protocolVersion: 5, username: 'five' })
      await expect(five.client.publishAsync('orders/1', 'x', { qos, retain: true })).rejects.toMatchObject({
        code: 0x87,
      })
      await five.client.publishAsync('fine', `5 at ${qos}`, { qos })
      const four = await connect(url, { protocolVersion: 4, username: 'four' })
      await four.client.publishAsync('orders/1', 'x', { qos, retain: true })
      await four.client.publishAsync('fine', `4 at ${qos}`, { qos })
    }
    await until(() => reader.got.length === 4, 'what is permitted')
    expect(reader.got).toEqual(['5 at 1', '4 at 1', '5 at 2', '4 at 2'])
    expect(received.filter(({ permitted }) => !permitted).length).toBe(4)
    expect(broker.counts()).toMatchObject({ forbidden: 4, accepted: 4, retained: 0 })
    expect(events).toContainEqual({
      kind: 'forbidden',
      action: 'publish',
      clientId: expect.any(String),
      principal: 'four',
      topic: 'orders/1',
    })
  })

  test('the house may call a message forbidden after a look at it', async () => {
    const { url } = await startBroker({
      receive: (_who, { topic }) => Promise.resolve(topic === 'a' ? 'forbidden' : 'accepted'),
    })
    const { client, got } = await connect(url, { protocolVersion: 5 })
    await client.subscribeAsync('#')
    await expect(client.publishAsync('a', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 })
    await client.publishAsync('b', 'y', { qos: 1 })
    await until(() => got.length === 1, 'the other')
    expect(got).toEqual(['y'])
  })

  test('a filter that is denied is not kept with its session either', async () => {
    const { url, broker, say } = await startBroker({ maySubscribe: (_who, filter) => filter !== 'secret/#' })
    const { client } = await connect(url, { clientId: 'kept', clean: false })
    await client.subscribeAsync({ 'open/#': { qos: 1 }, 'secret/#': { qos: 1 } }).catch(() => {})
    await client.endAsync()
    say({ topic: 'secret/1', payload: 's' })
    say({ topic: 'open/1', payload: 'o' })
    expect(broker.counts().queued).toBe(1)
  })

  test('what a reader may not receive is left out, of its queue too, and costs it nothing else', async () => {
    const { url, say } = await startBroker({ mayReceive: (_who, topic) => !topic.startsWith('secret/') })
    const kept = { clientId: 'kept', clean: false }
    const first = await connect(url, kept)
    await first.client.subscribeAsync('#', { qos: 1 })
    const send = (from: number): void => {
      for (let i = from; i < from + 5; i++) {
        say({ topic: 'secret/1', payload: 's', retain: true })
        say({ topic: 'open/1', payload: String(i) })
      }
    }
    send(0)
    await until(() => first.got.length === 5, 'while connected')
    await first.client.endAsync()
    send(5)
    const second = await connect(url, kept)
    await until(() => second.got.length === 5, 'after it was away')
    expect([...first.got, ...second.got]).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  })

  test('$-topics are nobody’s: not to subscribe to, but for $SYS, not to publish to, not to be given', async () => {
    const { url, received, broker } = await startBroker()
    const { client, got } = await connect(url, { protocolVersion: 5 })
    await expect(client.subscribeAsync('$aws/#')).rejects.toThrow(/Not authorized/)
    await expect(client.subscribeAsync('$share/g/$x/a')).rejects.toThrow(/Not authorized/)
    await client.subscribeAsync(['#', '+/#', '+/new/clients', '$SYS/#'])
    await expect(client.publishAsync('$SYS/a', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 })
    await client.publishAsync('$SYS/broker/connection/peer/state', '1', { qos: 1, retain: true })
    const other = await connect(url)
    await other.client.endAsync()
    await pause(50)
    expect(got).toEqual([])
    expect(received.map(({ topic, permitted }) => [topic, permitted])).toEqual([['$SYS/a', false]])
    expect(broker.counts()).toMatchObject({ swallowed: 1, retained: 0 })
  })

  test.each(['$SYS/x', 'orders/1'])('a will on %s is refused when its client connects', async (topic) => {
    const { port, received } = await startBroker({ mayPublish: (_who, to) => to !== 'orders/1' })
    for (const version of [4, 5] as const) {
      const raw = await openRaw(port)
      raw.send(connectPacket({ version, will: { topic, payload: 'x' } }))
      expect((await raw.packet(mqtt.connack)).body[1]).toBe(version === 5 ? 0x87 : 5)
      await raw.closed
    }
    expect(received).toEqual([])
  })

  test('a client id belongs to who uses it, connected or away', async () => {
    const { url } = await startBroker()
    const mine = await connect(url, { clientId: 'engine-1', username: 'engine', clean: false })
    const theirs = (): Promise<unknown> =>
      mqttClient.connectAsync(url, { clientId: 'engine-1', username: 'thief', reconnectPeriod: 0 })
    await expect(theirs()).rejects.toThrow(/Identifier rejected/)
    expect(mine.client.connected).toBe(true)
    await mine.client.endAsync()
    await expect(theirs()).rejects.toThrow(/Identifier rejected/)
    await connect(url, { clientId: 'engine-1', username: 'engine', clean: false })
  })
})

test(
  'a subscriber that reads nothing holds up nobody, is cut, and keeps its session',
  { timeout: 30_000 },
  async () => {
    const { port, url, broker } = await startBroker({ limits: { unreadMsMax: 1_000 } })
    const frozen = await openRaw(port)
    frozen.send(connectPacket({ clientId: 'frozen', clean: false }), subscribePacket(['#'], 1))
    await frozen.packet(mqtt.suback)
    frozen.socket.pause()
    const healthy = await connect(url)
    let worstMs = 0
    healthy.client.on('message', (_topic, payload) => {
      worstMs = Math.max(worstMs, performance.now() - Number(payload.toString('latin1', 0, 20)))
    })
    await healthy.client.subscribeAsync('#', { qos: 1 })
    const writer = await connect(url)
    const lag = monitorEventLoopDelay({ resolution: 5 })
    lag.enable()
    const end = performance.now() + 4_000
    let sent = 0
    while (performance.now() < end && (broker.counts().cut.slow ?? 0) === 0) {
      const payload = Buffer.alloc(100_000, ' ')
      payload.write(String(performance.now()))
      await Promise.all(Array.from({ length: 2 }, () => writer.client.publishAsync('load', payload, { qos: 1 })))
      sent += 2
    }
    await until(() => healthy.got.length === sent, 'the healthy one has all')
    // Less what the machine itself made everything in this process wait.
    expect(worstMs).toBeLessThan(250 + lag.max / 1e6)
    expect(broker.counts().cut.slow).toBe(1)
    expect(broker.counts().queued).toBeGreaterThan(0)
    frozen.close()
  },
)

test(
  'a subscriber that is slow but reads gets a large retained state, and is not cut',
  { timeout: 30_000 },
  async () => {
    const { port, broker, say } = await startBroker()
    const states = 150
    const payload = Buffer.alloc(80_000)
    for (let i = 0; i < states; i++) say({ topic: `state/${i}`, payload, retain: true })
    const slow = await openRaw(port)
    slow.socket.on('data', () => {
      slow.socket.pause()
      setTimeout(() => slow.socket.resume(), 15)
    })
    slow.send(connectPacket({ clientId: 'slow' }), subscribePacket(['#'], 0))
    const got = (): number => slow.packets.filter(({ type }) => type === mqtt.publish).length
    await until(() => got() === states, 'all of it', 20_000)
    expect(broker.counts().cut.slow).toBeUndefined()
    slow.close()
  },
)

test('mosquitto’s own clients publish and subscribe', async () => {
  const { port } = await startBroker()
  for (const version of ['mqttv311', 'mqttv5']) {
    const reader = mosquittoSub([
      '-p',
      String(port),
      '-V',
      version,
      '-t',
      'in/#',
      '-q',
      '2',
      '-C',
      '3',
      '-W',
      '10',
      '-v',
      '-d',
    ])
    await reader.waitFor(/Subscribed \(mid/)
    for (const qos of ['0', '1', '2']) {
      const sent = await mosquittoPub(['-p', String(port), '-V', version, '-t', 'in/gauge', '-q', qos, '-m', `q${qos}`])
      expect(sent).toMatchObject({ code: 0 })
    }
    await until(() => /in\/gauge q2/.test(reader.stdout), 'all three')
    for (const qos of [0, 1, 2]) expect(reader.stdout).toContain(`in/gauge q${qos}`)
    await reader.kill()
  }
})

test('a Mosquitto bridge stays connected and hands on', async () => {
  const { url, port, received, broker } = await startBroker()
  const config = ['connection county', `address 127.0.0.1:${port}`, 'topic in/# out 1', 'restart_timeout 1'].join('\n')
  const neighbour = await startMosquitto({ config })
  const reader = await connect(url)
  await reader.client.subscribeAsync('#', { qos: 1 })
  await until(() => broker.counts().swallowed > 0, 'the bridge says that it is there', 10_000)
  await mosquittoPub(['-p', String(neighbour.port), '-t', 'in/gauge', '-q', '1', '-m', 'over the bridge'])
  await until(() => reader.got.length === 1, 'handed on', 10_000)
  expect(reader.got).toEqual(['over the bridge'])
  expect(received.map(({ topic }) => topic)).toEqual(['in/gauge'])
  expect(broker.counts()).toMatchObject({ refused: {}, forbidden: 0 })
  await neighbour.kill()
  await until(() => broker.counts().cut.left === 1, 'gone, and its will swallowed')
  expect(received.length).toBe(1)
})

test('whether anybody listens below a root is known at once, also when readers come, change their mind and go', async () => {
  const { broker, url } = await startBroker()
  const known = (): boolean[] => [broker.isWantedBelow('out/v1'), broker.isWanted('out/v1/a')]
  expect(known()).toEqual([false, false])
  const reader = await connect(url)
  await reader.client.subscribeAsync(['out/v2/#', 'out/v1', 'out', '+/in/#'])
  expect(known()).toEqual([false, false])
  for (const filter of ['out/+/+', '#', 'out/#', '+/v1/a', 'out/v1/a']) {
    await reader.client.subscribeAsync(filter)
    expect([filter, ...known()]).toEqual([filter, true, true])
    await reader.client.unsubscribeAsync(filter)
    expect([filter, ...known()]).toEqual([filter, false, false])
  }
  await reader.client.subscribeAsync('out/v1/b/#')
  expect(known()).toEqual([true, false])
  await reader.client.endAsync()
  await until(() => !broker.isWantedBelow('out/v1'), 'nobody is left')
})
