// What a hostile or broken client sends is turned away before it costs anything, and never stops the broker.

import { once } from 'node:events'
import mqttClient from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'

import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import {
  ackPacket,
  connected,
  connectPacket,
  frame,
  mqtt,
  openRaw,
  pingPacket,
  publishPacket,
  subscribePacket,
  text,
  withoutReason,
} from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

async function serves(port: number): Promise<void> {
  const client = await mqttClient.connectAsync(`mqtt://127.0.0.1:${port}`)
  await client.publishAsync('alive', 'yes', { qos: 1 })
  await client.endAsync()
}

const bad = Buffer.from([0x61, 0xff, 0x62])

describe('a packet that breaks the standard closes its connection', () => {
  const cases: readonly [string, Uint8Array, number][] = [
    ['a topic that is not UTF-8', publishPacket(bad), 0x81],
    ['a topic with NUL', publishPacket('a\0b'), 0x81],
    ['a topic with +', publishPacket('a/+'), 0x81],
    ['a topic with #', publishPacket('#'), 0x81],
    ['a topic of 17 levels', publishPacket(Array(17).fill('a').join('/')), 0x90],
    ['a topic of 257 bytes', publishPacket('a'.repeat(257)), 0x90],
    ['packet identifier 0', publishPacket('a', { id: 0 }), 0x82],
    ['QoS 3', frame(0x36, text('a'), Buffer.of(0, 1)), 0x81],
    ['DUP at QoS 0', frame(0x38, text('a')), 0x81],
    ['a topic longer than its packet', frame(0x30, Buffer.of(0, 9, 0x61)), 0x81],
    ['an empty filter', subscribePacket(['']), 0x81],
    ['a+ as a filter', subscribePacket(['a+']), 0x81],
    ['+a as a filter', subscribePacket(['a/+a']), 0x81],
    ['a# as a filter', subscribePacket(['a#']), 0x81],
    ['#/a as a filter', subscribePacket(['#/a']), 0x81],
    ['a filter that is not UTF-8', subscribePacket([bad]), 0x81],
    ['subscribing to nothing', frame(0x82, Buffer.of(0, 1)), 0x81],
    ['a filter at QoS 3', subscribePacket(['a'], 3), 0x81],
    ['SUBSCRIBE without its flags', frame(0x80, Buffer.of(0, 1), text('a'), Buffer.of(0)), 0x81],
    ['PUBACK of 0', ackPacket(mqtt.puback, 0), 0x82],
    ['a topic with U+009F', publishPacket('a\u009fb'), 0x81],
    ['a filter with U+0085', subscribePacket(['a\u0085b']), 0x81],
    ['a packet of servers', ackPacket(mqtt.suback, 1), 0x82],
    ['type 0', Buffer.of(0, 0), 0x82],
    ['type 0, before its length is there', Buffer.of(0x0a, 0xc0), 0x82],
    ['a packet of servers with flags', Buffer.of(0x91, 3, 0, 1, 0), 0x81],
    ['1 MB and a byte announced', Buffer.of(0x30, 0xff, 0xff, 0x3f), 0x95],
  ]
  test.each(cases)('%s', async (_what, packet, reason) => {
    const { port, broker, received } = await startBroker()
    const raw = await connected(port)
    raw.send(packet)
    await raw.closed
    // The same for MQTT 5, which is told why; properties, where its packets have them, come after what is broken here.
    const five = await connected(port, { version: 5 })
    five.send(
      packet[0] === 0x82
        ? Buffer.concat([frame(packet[0], packet.subarray(2, 4), Buffer.of(0), packet.subarray(4))])
        : packet,
    )
    expect((await five.packet(mqtt.disconnect)).body[0]).toBe(reason)
    await five.closed
    expect(received).toEqual([])
    await until(() => broker.counts().cut[reason === 0x95 ? 'too_large' : 'protocol'] === 2, 'counted')
    await serves(port)
  })
})

test.each([
  ['a length of five bytes', Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 1)],
  ['a ping with something in it', Buffer.of(0xc0, 1, 0)],
])('%s leaves open where packets begin, and closes without a word', async (_what, packet) => {
  const { port, broker } = await startBroker()
  for (const version of [4, 5] as const) {
    const raw = await connected(port, { version })
    raw.send(packet)
    await raw.closed
    expect(raw.packets.map(({ type }) => type)).toEqual([mqtt.connack])
  }
  await until(() => broker.counts().cut.protocol === 2, 'counted')
})

describe('a first packet', () => {
  test.each([
    ['is CONNECT', pingPacket],
    ['is no more than 64 kB', Buffer.of(0x10, 0x80, 0x80, 0x08)],
    ['names MQTT', frame(0x10, text('HTTP'), Buffer.of(4, 2, 0, 60), text('x'))],
    ['has no reserved flag', frame(0x10, text('MQTT'), Buffer.of(4, 3, 0, 60), text('x'))],
    ['is UTF-8', frame(0x10, text('MQTT'), Buffer.of(4, 2, 0, 60), text(bad))],
    ['has no will on a wildcard', connectPacket({ will: { topic: 'a/#', payload: 'x' } })],
    ['ends where it says', frame(0x10, text('MQTT'), Buffer.of(4, 2, 0, 60), text('x'), Buffer.of(1))],
  ])('%s', async (_what, packet) => {
    const { port, broker } = await startBroker()
    const raw = await openRaw(port)
    raw.send(packet)
    await raw.closed
    expect(raw.packets).toEqual([])
    await until(() => broker.counts().refused.protocol === 1, 'counted')
    await until(() => broker.counts().connections === 0, 'its place is free again')
  })

  test.each([
    ['MQTT', 9, [0, 0x84, 0]],
    ['MQTT', 3, [0, 1]],
  ])('of %s in version %i is told that it is unknown, and closed', async (name, version, answer) => {
    const { port } = await startBroker()
    const raw = await openRaw(port)
    raw.send(frame(0x10, text(name), Buffer.of(version, 2, 0, 60), text('x')))
    expect([...(await raw.packet(mqtt.connack)).body]).toEqual(answer)
    await raw.closed
  })

  test('of MQTT 3.1 needs a client id, which may be longer than 23 characters, and may set bits that it does not use', async () => {
    const { port } = await startBroker()
    const nameless = await openRaw(port)
    nameless.send(connectPacket({ version: 3, clientId: '' }))
    expect([...(await nameless.packet(mqtt.connack)).body]).toEqual([0, 2])
    await nameless.closed
    const long = await openRaw(port)
    const sound = connectPacket({ version: 3, clientId: 'a name of thirty characters...' })
    // QoS 1 in the fixed header, and the lowest of the connect flags.
    long.send(Buffer.concat([Buffer.of(0x14), sound.subarray(1, 11), Buffer.of(sound[11]! | 1), sound.subarray(12)]))
    expect([...(await long.packet(mqtt.connack)).body]).toEqual([0, 0])
    long.send(pingPacket)
    await long.packet(mqtt.pingresp)
    long.close()
  })

  test('comes within its time, also when it trickles', async () => {
    const { port } = await startBroker({ limits: { connectMsMax: 200 } })
    const began = performance.now()
    const raw = await openRaw(port)
    const trickle = setInterval(() => raw.send(Buffer.of(0x10)), 50)
    await raw.closed
    clearInterval(trickle)
    expect(performance.now() - began).toBeLessThan(1_000)
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'x'.repeat(257)])(
    'with client id %s is refused',
    async (clientId) => {
      const { port } = await startBroker()
      for (const version of [4, 5] as const) {
        const raw = await openRaw(port)
        raw.send(connectPacket({ version, clientId }))
        expect((await raw.packet(mqtt.connack)).body[1]).toBe(version === 5 ? 0x85 : 2)
        await raw.closed
      }
      await serves(port)
    },
  )

  test('without a client id needs a clean start in MQTT 3.1.1', async () => {
    const { port } = await startBroker()
    const raw = await openRaw(port)
    raw.send(connectPacket({ clientId: '', clean: false }))
    expect((await raw.packet(mqtt.connack)).body[1]).toBe(2)
    await connected(port, { clientId: '' })
  })

  test.each([4, 5] as const)('is the only CONNECT (MQTT version %i)', async (version) => {
    const { port } = await startBroker()
    const raw = await connected(port, { version })
    raw.send(connectPacket({ version }))
    await raw.closed
    if (version === 5) expect([...withoutReason(raw.packets.at(-1)!).body]).toEqual([0x82])
    await serves(port)
  })
})

test('names of Object.prototype are good topics, and harmless filters', async () => {
  const { port, url } = await startBroker()
  const raw = await connected(port)
  raw.send(subscribePacket(['__proto__', 'a']))
  await raw.closed
  const client = await mqttClient.connectAsync(url)
  const got: string[] = []
  client.on('message', (topic) => got.push(topic))
  await client.subscribeAsync(['constructor', 'toString', 'a/__proto__'], { qos: 1 })
  await client.subscribeAsync(['constructor', 'toString'], { qos: 2 })
  for (const topic of ['constructor', 'toString', 'a/__proto__', '__proto__'])
    await client.publishAsync(topic, 'x', { qos: 1 })
  await until(() => got.length === 3, 'delivered')
  await client.unsubscribeAsync('constructor')
  await client.endAsync()
})

test('a property that ends beyond its packet costs a connection, and not the process', async () => {
  const { port } = await startBroker()
  const raw = await connected(port, { version: 5 })
  // A response topic (8) of 200 bytes in three bytes of properties.
  raw.send(frame(0x32, text('t'), Buffer.of(0, 9, 3, 8, 0, 200), Buffer.from('payload')))
  await raw.closed
  await serves(port)
})

test('a packet that announces 100 MB is refused at once, and memory stays flat', async () => {
  const { port } = await startBroker()
  const before = process.memoryUsage().rss
  let sent = 0
  for (let i = 0; i < 4; i++) {
    const raw = await connected(port)
    raw.send(Buffer.of(0x30, 0x80, 0xc2, 0xd7, 0x2f))
    const chunk = Buffer.alloc(1 << 20)
    while (!raw.socket.destroyed && sent < 100 << 20) {
      if (!raw.socket.write(chunk)) await Promise.race([once(raw.socket, 'drain').catch(() => {}), raw.closed])
      sent += chunk.length
      if (raw.socket.closed || raw.socket.readableEnded) break
    }
    await raw.closed
    raw.close()
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(50 << 20)
})

test('half-sent packets are bounded over all connections together', async () => {
  const { port, broker } = await startBroker({ limits: { heldBytesMax: 2 << 20 } })
  const raws = await Promise.all(Array.from({ length: 4 }, (_, i) => connected(port, { clientId: `c${i}` })))
  for (const raw of raws) raw.send(frame(0x30, text('a'), Buffer.alloc(900 << 10)).subarray(0, -1))
  await until(() => (broker.counts().cut.protocol ?? 0) >= 1, 'the one too many is cut')
  await pause(100)
  expect(broker.counts().cut.protocol).toBeLessThan(4)
  raws.forEach((raw) => raw.close())
})

test('a large packet in small pieces, and small ones in one piece, arrive whole', async () => {
  const { port, received } = await startBroker()
  const raw = await connected(port)
  const large = publishPacket('large', { id: 1, payload: Buffer.alloc(300_000, 'x') })
  for (let at = 0; at < large.length; at += 50_000) {
    raw.send(large.subarray(at, at + 50_000))
    await pause(5)
  }
  const small = Buffer.concat([2, 3, 4].map((id) => publishPacket('small', { id, payload: String(id) })))
  raw.send(small.subarray(0, 1))
  await pause(5)
  raw.send(small.subarray(1, 2))
  await pause(5)
  raw.send(small.subarray(2))
  await until(() => received.length === 4, 'all')
  expect(received.map(({ payload }) => payload.length)).toEqual([300_000, 1, 1, 1])
  raw.close()
})

test('a session survives the end of the sending side, and is still answered', async () => {
  const { port } = await startBroker({ receive: async () => (await pause(30), 'accepted') })
  const raw = await openRaw(port)
  raw.socket.end(Buffer.concat([connectPacket(), publishPacket('a', { id: 5 })]))
  await raw.packet(mqtt.puback).catch(() => {})
  expect(raw.packets.some(({ type }) => type === mqtt.connack)).toBe(true)
})

test('2,000 random frames, some almost right, crash nothing', { timeout: 30_000 }, async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  process.stdout.write(`SEED=${seed}\n`)
  const random = mulberry32(seed)
  const { port, errors } = await startBroker({ limits: { connectsPerSecond: 1e6, connectsBurst: 1e6 } })
  const sound = [
    publishPacket('a/b', { id: 3, payload: 'x' }),
    publishPacket('a/b', { qos: 2, id: 3, payload: 'x', version: 5 }),
    subscribePacket(['a/#', '+/b']),
    subscribePacket(['a/#'], 1, 2, 5),
    frame(0xa2, Buffer.of(0, 1), text('a/#')),
    frame(0x32, text('t'), Buffer.of(0, 9, 3, 8, 0, 200), Buffer.from('a response topic longer than its property')),
    frame(0x32, text('t'), Buffer.of(0, 9, 12, 0x26, 0, 1, 0x61, 0, 1, 0x62, 3, 0, 1, 0x63, 0, 0)),
    ackPacket(mqtt.pubrel, 3),
    connectPacket({ version: 5, will: { topic: 'w', payload: 'x' } }),
  ]
  for (let i = 0; i < 2_000; i++) {
    const raw = await openRaw(port)
    const version = random() < 0.5 ? 4 : 5
    const bytes = Buffer.from(
      random() < 0.5 ? noise(random) : mutated(random, sound[Math.floor(random() * sound.length)]!),
    )
    if (random() < 0.8) raw.send(connectPacket({ version, clientId: `f${i % 20}` }), bytes)
    else raw.send(bytes)
    raw.socket.end()
    if (i % 20 === 0) await raw.closed
  }
  await serves(port)
  expect(errors).toEqual([])
})

function noise(random: () => number): Uint8Array {
  return Uint8Array.from({ length: 1 + Math.floor(random() * 60) }, () => Math.floor(random() * 256))
}

function mutated(random: () => number, packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet)
  for (let flips = Math.ceil(random() * 3); flips > 0; flips--) {
    copy[Math.floor(random() * copy.length)]! ^= 1 << Math.floor(random() * 8)
  }
  return random() < 0.2 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy
}

function mulberry32(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
