// PUBACK and PUBREC are the gateway's word that a message is safe: never before `receive` says so, in the order of arrival, and
// never for what could not be stored.

import mqttClient from 'mqtt'
import { afterEach, describe, expect, test } from 'vitest'

import { closeBrokers, heldReceive, pause, startBroker, until } from './tools/broker.ts'
import { createMemoryLog, createMemoryStore } from './tools/memory-log.ts'
import {
  ackPacket,
  connected,
  connectPacket,
  disconnectPacket,
  mqtt,
  openRaw,
  publishPacket,
  type RawMqtt,
} from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const ids = (raw: RawMqtt, type: number): number[] =>
  raw.packets.filter((packet) => packet.type === type).map(({ body }) => body.readUInt16BE(0))

describe('a message is acknowledged only when it is safe', () => {
  test.each([
    [1, mqtt.puback],
    [2, mqtt.pubrec],
  ] as const)('at QoS %i', async (qos, ack) => {
    const held = heldReceive()
    const { port } = await startBroker({ receive: held.receive })
    const raw = await connected(port)
    raw.send(publishPacket('a/b', { qos, id: 7, payload: 'x' }))
    await until(() => held.calls.length === 1, 'received')
    await pause(50)
    expect(ids(raw, ack)).toEqual([])
    held.calls[0]!.settle('accepted')
    await raw.packet(ack)
    expect(ids(raw, ack)).toEqual([7])
  })

  test('what is received is what was sent, with its MQTT 5 properties', async () => {
    const { url, received } = await startBroker()
    const client = await mqttClient.connectAsync(url, { protocolVersion: 5, clientId: 'gauge-7' })
    await client.publishAsync('in/gauge-7', Buffer.of(0, 255), {
      qos: 1,
      retain: true,
      properties: {
        contentType: 'application/senml+cbor',
        responseTopic: 'answers',
        correlationData: Buffer.from('c'),
        messageExpiryInterval: 60,
        payloadFormatIndicator: true,
        userProperties: { unit: 'm', ['__proto__']: 'p' },
      },
    })
    await client.endAsync()
    expect(received).toMatchObject([
      {
        topic: 'in/gauge-7',
        payload: Buffer.of(0, 255),
        qos: 1,
        retain: true,
        dup: false,
        clientId: 'gauge-7',
        protocolVersion: 5,
        will: false,
        permitted: true,
        properties: {
          contentType: 'application/senml+cbor',
          responseTopic: 'answers',
          correlationData: Buffer.from('c'),
          messageExpirySeconds: 60,
          payloadFormatIndicator: 1,
        },
      },
    ])
    expect(received[0]!.properties.userProperties).toContainEqual(['unit', 'm'])
  })

  test('of one client many are on their way at once, though each came in a chunk of its own', async () => {
    const held = heldReceive()
    const { port, broker } = await startBroker({ receive: held.receive })
    const raw = await connected(port)
    for (let id = 1; id <= 50; id++) {
      raw.send(publishPacket('a', { id }))
      await until(() => held.calls.length === id, `message ${id} received`)
    }
    expect(broker.counts().inFlight).toBe(50)
    held.calls.forEach(({ settle }) => settle('accepted'))
    await until(() => ids(raw, mqtt.puback).length === 50, 'all acknowledged')
    expect(broker.counts().inFlight).toBe(0)
  })

  test('no more than the limit are on their way, and the rest come later', async () => {
    const held = heldReceive()
    const { port } = await startBroker({ receive: held.receive, limits: { inFlightMax: 10 } })
    const raw = await connected(port)
    for (let id = 1; id <= 30; id++) {
      raw.send(publishPacket('a', { id }))
      await pause(2)
    }
    await until(() => held.calls.length >= 10, 'the first ten')
    await pause(50)
    expect(held.calls.length).toBe(10)
    for (let settled = 0; settled < 30; settled++) {
      await until(() => held.calls.length > settled, 'the next')
      held.calls[settled]!.settle('accepted')
    }
    await until(() => ids(raw, mqtt.puback).length === 30, 'all acknowledged')
  })
})

describe('acknowledgements leave in the order of arrival', () => {
  test('though the house settles in another order', async () => {
    const held = heldReceive()
    const { port } = await startBroker({ receive: held.receive })
    const raw = await connected(port)
    raw.send(...[1, 2, 3, 4, 5].map((id) => publishPacket('a', { id })))
    await until(() => held.calls.length === 5, 'all received')
    for (const i of [4, 2, 1, 3]) held.calls[i]!.settle('accepted')
    await pause(50)
    expect(ids(raw, mqtt.puback)).toEqual([])
    held.calls[0]!.settle('accepted')
    await until(() => ids(raw, mqtt.puback).length === 5, 'all acknowledged')
    expect(ids(raw, mqtt.puback)).toEqual([1, 2, 3, 4, 5])
  })

  test('for a burst of 1,000, also of one sent together with CONNECT', async () => {
    const { port, received } = await startBroker({
      receive: () => new Promise((resolve) => setTimeout(() => resolve('accepted'), Math.round(Math.random() * 5))),
    })
    const raw = await openRaw(port)
    const all = Array.from({ length: 1_000 }, (_, i) => i + 1)
    raw.send(connectPacket(), ...all.map((id) => publishPacket('a', { id, payload: String(id) })))
    await until(() => ids(raw, mqtt.puback).length === 1_000, 'all acknowledged')
    expect(ids(raw, mqtt.puback)).toEqual(all)
    expect(received.map(({ payload }) => Number(Buffer.from(payload).toString()))).toEqual(all)
  })
})

describe('QoS 2', () => {
  test('a message sent again before PUBREL is received and delivered once', async () => {
    const { port, url, received } = await startBroker()
    const reader = await mqttClient.connectAsync(url)
    const got: string[] = []
    reader.on('message', (_topic, payload) => got.push(String(payload)))
    await reader.subscribeAsync('a', { qos: 2 })
    const first = await connected(port, { clean: false })
    first.send(publishPacket('a', { qos: 2, id: 9, payload: 'once' }))
    await first.packet(mqtt.pubrec)
    first.close()
    const second = await connected(port, { clean: false })
    second.send(publishPacket('a', { qos: 2, id: 9, dup: true, payload: 'once' }))
    await second.packet(mqtt.pubrec)
    second.send(ackPacket(mqtt.pubrel, 9))
    await second.packet(mqtt.pubcomp)
    expect(received.length).toBe(1)
    second.send(publishPacket('a', { qos: 2, id: 9, payload: 'another' }))
    await until(() => got.length === 2, 'both delivered')
    expect(got).toEqual(['once', 'another'])
    await reader.endAsync()
  })

  test('a message sent again while the first is still on its way waits for that one', async () => {
    const held = heldReceive()
    const { port } = await startBroker({ receive: held.receive })
    const first = await connected(port, { clean: false })
    first.send(publishPacket('a', { qos: 2, id: 9 }))
    await until(() => held.calls.length === 1, 'received')
    first.close()
    const second = await connected(port, { clean: false })
    second.send(publishPacket('a', { qos: 2, id: 9, dup: true }))
    await pause(50)
    expect(held.calls.length).toBe(1)
    expect(ids(second, mqtt.pubrec)).toEqual([])
    held.calls[0]!.settle('accepted')
    await second.packet(mqtt.pubrec)
  })

  test('a clean start forgets the identifiers of before', async () => {
    const { port, received } = await startBroker()
    for (const payload of ['one', 'two']) {
      const raw = await connected(port)
      raw.send(publishPacket('a', { qos: 2, id: 1, payload }))
      await raw.packet(mqtt.pubrec)
      raw.close()
    }
    expect(received.map(({ payload }) => String(payload))).toEqual(['one', 'two'])
  })

  test('who never releases is cut at the limit', async () => {
    const { port, broker } = await startBroker({ limits: { inFlightMax: 5 } })
    const raw = await connected(port)
    raw.send(...[1, 2, 3, 4, 5, 6].map((id) => publishPacket('a', { qos: 2, id })))
    await raw.closed
    await until(() => broker.counts().cut.receive_maximum === 1, 'counted')
  })

  test('a bridge that comes back with a long queue is not cut for what it sent before', async () => {
    const { port, broker, received } = await startBroker({ limits: { inFlightMax: 2, unreleasedKeptMax: 3 } })
    for (const batch of [
      [1, 2, 3],
      [4, 5, 6],
    ]) {
      const raw = await connected(port, { clean: false })
      raw.send(...batch.map((id) => publishPacket('a', { qos: 2, id, payload: String(id) })))
      // Cut before it has released any.
      for (const _ of batch) await raw.packet(mqtt.pubrec)
      raw.close()
    }
    const raw = await connected(port, { clean: false })
    raw.send(...[1, 2, 3, 4, 5, 6].map((id) => ackPacket(mqtt.pubrel, id)))
    await until(() => ids(raw, mqtt.pubcomp).length === 6, 'all released')
    expect(received.map(({ payload }) => String(payload))).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(broker.counts().cut.receive_maximum).toBeUndefined()
  })
})

test('who sends no more is told all the same that his messages are safe', async () => {
  const house = heldReceive()
  const { port, broker } = await startBroker({ receive: house.receive })
  const client = await openRaw(port)
  client.send(connectPacket(), publishPacket('a', { id: 1 }), publishPacket('a', { id: 2 }))
  client.socket.end()
  await until(() => house.calls.length === 2, 'both are here')
  house.calls[0]!.settle('accepted')
  await pause(50)
  house.calls[1]!.settle('accepted')
  await client.closed
  expect(client.packets.map(({ type }) => type)).toEqual([mqtt.connack, mqtt.puback, mqtt.puback])
  await until(() => broker.counts().connections === 0, 'the connection is over')
})

describe('what cannot be stored', () => {
  test('is not acknowledged, its client is cut within a second, and sends it again', async () => {
    let full = true
    const { url, received, broker } = await startBroker({
      receive: () => (full ? Promise.reject(new Error('disk full')) : Promise.resolve('accepted')),
    })
    const client = await mqttClient.connectAsync(url, { clientId: 'device', clean: false, reconnectPeriod: 50 })
    const began = performance.now()
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    const acknowledged = client.publishAsync('a', 'kept by the device', { qos: 1 })
    await closed
    expect(performance.now() - began).toBeLessThan(1_300)
    full = false
    await acknowledged
    expect(received.at(-1)).toMatchObject({ payload: Buffer.from('kept by the device') })
    expect(broker.counts()).toMatchObject({ unstored: 1, accepted: 1, cut: { unstored: 1 }, inFlight: 0 })
    await client.endAsync()
  })

  test('stops the acknowledgements of all behind it, and reading', async () => {
    const held = heldReceive()
    const { port } = await startBroker({ receive: held.receive, limits: { unstoredCutMs: 200 } })
    const raw = await connected(port)
    raw.send(...[1, 2, 3].map((id) => publishPacket('a', { id })))
    await until(() => held.calls.length === 3, 'all received')
    held.calls[0]!.settle('accepted')
    held.calls[2]!.settle('accepted')
    await raw.packet(mqtt.puback)
    held.calls[1]!.settle(new Error('disk full'))
    await pause(20)
    raw.send(publishPacket('a', { id: 4 }))
    await raw.closed
    expect(ids(raw, mqtt.puback)).toEqual([1])
    expect(held.calls.length).toBe(3)
  })

  test('tells an MQTT 5 client why it is cut', async () => {
    const { port } = await startBroker({
      receive: () => Promise.reject(new Error('disk full')),
      limits: { unstoredCutMs: 50 },
    })
    const raw = await connected(port, { version: 5 })
    raw.send(publishPacket('a', { version: 5 }))
    expect((await raw.packet(mqtt.disconnect)).body[0]).toBe(0x89)
  })
})

test('a message whose sender has left already is delivered all the same', async () => {
  const held = heldReceive()
  const { port, url } = await startBroker({ receive: held.receive })
  const reader = await mqttClient.connectAsync(url)
  const got: string[] = []
  reader.on('message', (_topic, payload) => got.push(String(payload)))
  await reader.subscribeAsync('#', { qos: 1 })
  for (const qos of [0, 1, 2] as const) {
    const raw = await connected(port)
    raw.send(publishPacket('a', { qos, payload: `at ${qos}` }), disconnectPacket)
    await raw.closed
  }
  await until(() => held.calls.length === 3, 'received')
  held.calls.forEach(({ settle }) => settle('accepted'))
  await until(() => got.length === 3, 'delivered')
  expect(got.toSorted()).toEqual(['at 0', 'at 1', 'at 2'])
  await reader.endAsync()
})

test('of all sessions together so many QoS 2 messages may be without PUBREL, over a restart too; one released makes room', async () => {
  const [memory, store] = [createMemoryLog(), createMemoryStore()]
  const limits = { unreleasedInAllMax: 3 }
  const first = await startBroker({ memory, store, limits })
  const kept = { clientId: 'kept', clean: false }
  const one = await connected(first.port, kept)
  one.send(publishPacket('t', { qos: 2, id: 1 }), publishPacket('t', { qos: 2, id: 2 }))
  await until(() => one.packets.length === 3, 'both are received')
  const other = await connected(first.port, { clientId: 'other' })
  other.send(publishPacket('t', { qos: 2, id: 1 }), publishPacket('t', { qos: 2, id: 2 }))
  await other.closed
  await until(() => first.broker.counts().connections === 1, 'it was cut, and its session has ended')
  one.send(publishPacket('t', { qos: 2, id: 3 }))
  await until(() => one.packets.length === 4, 'the third, in the place of that of the other')
  await closeBrokers()
  const second = await startBroker({ memory, store, limits })
  const third = await connected(second.port, { clientId: 'third' })
  third.send(publishPacket('t', { qos: 2, id: 1 }))
  await third.closed
  const back = await connected(second.port, kept)
  back.send(ackPacket(mqtt.pubrel, 1))
  await back.packet(mqtt.pubcomp)
  const fourth = await connected(second.port, { clientId: 'fourth' })
  fourth.send(publishPacket('t', { qos: 2, id: 1 }))
  await fourth.packet(mqtt.pubrec)
  expect(second.broker.counts().cut).toEqual({ receive_maximum: 1 })
})
