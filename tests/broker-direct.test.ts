// Plain PUBLISH packets go past aedes. What a client sees must be the same: order, acknowledgements, keep-alive, its own messages
// back where it subscribed to them.

import { afterEach, expect, test } from 'vitest'
import { closeBrokers, heldReceive, pause, startBroker, until } from './tools/broker.ts'
import { connectPacket, frame, mqtt, openRaw, publishPacket, text, withoutReason } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const payloads = (packets: readonly { payload: Uint8Array }[]): string[] =>
  packets.map(({ payload }) => String(payload))

test('a client that only publishes stays within its keep-alive, and one that is silent does not', async () => {
  const { port } = await startBroker()
  const talking = await openRaw(port)
  const silent = await openRaw(port)
  talking.send(connectPacket({ clientId: 'talking', keepAlive: 1 }))
  silent.send(connectPacket({ clientId: 'silent', keepAlive: 1 }))
  await Promise.all([talking.packet(mqtt.connack), silent.packet(mqtt.connack)])
  let isOver = false
  void talking.closed.then(() => (isOver = true))
  for (let i = 0; i < 6; i++) {
    await pause(500)
    talking.send(publishPacket('t', { payload: String(i), qos: 0 }))
  }
  expect(isOver).toBe(false)
  await silent.closed
  talking.close()
})

test('a keep-alive counts from the last of several messages, however close they come', async () => {
  const { port } = await startBroker()
  await Promise.all(
    [10, 60, 120, 180, 240].map(async (gapMs) => {
      const client = await openRaw(port)
      client.send(connectPacket({ clientId: `after ${gapMs}`, keepAlive: 1 }))
      await client.packet(mqtt.connack)
      client.send(publishPacket('t', { payload: 'first', qos: 0 }))
      await pause(gapMs)
      client.send(publishPacket('t', { payload: 'last', qos: 0 }))
      const lastAt = performance.now()
      await client.closed
      // [MQTT-3.1.2-24]
      expect(performance.now() - lastAt).toBeGreaterThanOrEqual(1_500)
    }),
  )
})

test('messages of every QoS in one chunk are received in the order in which they were sent', async () => {
  const { port, received } = await startBroker()
  const client = await openRaw(port)
  client.send(connectPacket({}))
  await client.packet(mqtt.connack)
  client.send(
    publishPacket('t', { payload: '1', qos: 1, id: 1 }),
    publishPacket('t', { payload: '2', qos: 0 }),
    publishPacket('t', { payload: '3', qos: 2, id: 3 }),
    publishPacket('t', { payload: '4', qos: 1, id: 4 }),
    publishPacket('t', { payload: '5', qos: 0 }),
  )
  client.send(publishPacket('t', { payload: '6', qos: 1, id: 6 }))
  await until(() => received.length === 6, 'six messages')
  expect(payloads(received)).toEqual(['1', '2', '3', '4', '5', '6'])
  client.close()
})

test('acknowledgements of each kind leave in the order of arrival, each only when it and all before it are settled', async () => {
  const held = heldReceive()
  const { port } = await startBroker({ receive: held.receive })
  const client = await openRaw(port)
  client.send(connectPacket({}))
  await client.packet(mqtt.connack)
  client.send(
    publishPacket('t', { payload: 'a', qos: 1, id: 1 }),
    publishPacket('t', { payload: 'b', qos: 2, id: 2 }),
    publishPacket('t', { payload: 'c', qos: 1, id: 3 }),
    publishPacket('t', { payload: 'd', qos: 2, id: 4 }),
  )
  await until(() => held.calls.length === 4, 'four messages')
  for (const call of held.calls.slice(1).toReversed()) call.settle('accepted')
  await pause(50)
  expect(client.packets.slice(1)).toEqual([])
  held.calls[0]!.settle('accepted')
  await until(() => client.packets.length === 5, 'four acknowledgements')
  // [MQTT-4.6.0-2] and [MQTT-4.6.0-3]
  const ids = (kind: number) =>
    client.packets.filter(({ type }) => type === kind).map(({ body }) => body.readUInt16BE(0))
  expect([ids(mqtt.puback), ids(mqtt.pubrec)]).toEqual([
    [1, 3],
    [2, 4],
  ])
  client.close()
})

test('who subscribes and publishes in one breath gets its own message', async () => {
  const { port } = await startBroker()
  const client = await openRaw(port)
  client.send(connectPacket({}))
  await client.packet(mqtt.connack)
  client.send(
    frame(0x82, Buffer.of(0, 9), text('own'), Buffer.of(0)),
    publishPacket('own', { payload: 'hello', qos: 0 }),
  )
  const got = await client.packet(mqtt.publish)
  expect(String(got.body)).toContain('hello')
  client.close()
})

test('a forbidden topic: 0x87 to MQTT 5, an ordinary acknowledgement to 3.1.1, and the house has it either way', async () => {
  const { port, received } = await startBroker({
    mayPublish: () => false,
    receive: () => Promise.resolve('forbidden'),
  })
  for (const version of [4, 5] as const) {
    const client = await openRaw(port)
    client.send(connectPacket({ clientId: `v${version}`, version }))
    await client.packet(mqtt.connack)
    const properties = version === 5 ? Buffer.of(0) : Buffer.alloc(0)
    client.send(frame(0x32, text('secret'), Buffer.of(0, 7), properties, Buffer.from('x')))
    const { body } = withoutReason(await client.packet(mqtt.puback))
    expect([...body]).toEqual(version === 5 ? [0, 7, 0x87] : [0, 7])
    client.close()
  }
  expect(received.map(({ permitted, packetId }) => [permitted, packetId])).toEqual([
    [false, 7],
    [false, 7],
  ])
})

test('MQTT 5 properties are kept although plain messages go past aedes', async () => {
  const { port, received } = await startBroker()
  const client = await openRaw(port)
  client.send(connectPacket({ version: 5 }))
  await client.packet(mqtt.connack)
  const contentType = Buffer.concat([Buffer.of(3), text('text/plain')])
  client.send(
    frame(0x32, text('t'), Buffer.of(0, 1), Buffer.of(contentType.length), contentType, Buffer.from('with')),
    frame(0x32, text('t'), Buffer.of(0, 2), Buffer.of(0), Buffer.from('without')),
  )
  await until(() => received.length === 2, 'two messages')
  expect(received.map(({ payload, properties }) => [String(payload), properties.contentType])).toEqual([
    ['with', 'text/plain'],
    ['without', undefined],
  ])
  client.close()
})
