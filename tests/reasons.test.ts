// Why, in words, for clients of MQTT 5: on every answer that says no and on every connection that the broker closes; never more than
// the client lets it be told, and never more than it takes.

import { afterEach, describe, expect, test } from 'vitest'

import { startGatewayProcess } from './gateway/process.ts'
import { closeBrokers, heldReceive, startBroker, type TestParts, until } from './tools/broker.ts'
import {
  connectPacket,
  frame,
  mqtt,
  openRaw,
  publishPacket,
  subscribePacket,
  text,
  withoutReason,
} from './tools/raw-mqtt.ts'
import type { RawMqtt, RawPacket } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const suback = 9
const unsuback = 11

const greeting = (properties: Buffer, clientId = 'five'): Buffer =>
  frame(0x10, text('MQTT'), Buffer.of(5, 2, 0, 60), Buffer.of(properties.length), properties, text(clientId))

async function comes(port: number, properties: Buffer = Buffer.alloc(0), clientId?: string): Promise<RawMqtt> {
  const raw = await openRaw(port)
  raw.send(greeting(properties, clientId))
  await raw.packet(mqtt.connack)
  return raw
}

/** Its bytes without words, as hex, and the words. */
function told(packet: RawPacket): readonly [string, string | undefined] {
  const { body, words } = withoutReason(packet)
  return [body.toString('hex'), words]
}

const forbidding: TestParts = {
  mayPublish: (_principal, topic) => !topic.startsWith('secret'),
  maySubscribe: (_principal, filter) => !filter.startsWith('secret'),
  receive: (_principal, { topic }) => Promise.resolve(topic === 'nobody' ? 'unread' : 'accepted'),
  explain: (_principal, { what, topic }) => `${what} ${topic}: ask the site`,
}
const unsubscribe = (filter: string): Buffer => frame(0xa2, Buffer.of(0, 3), Buffer.of(0), text(filter))

describe('an answer that says no', () => {
  test('says why: PUBACK, PUBREC, SUBACK, UNSUBACK', async () => {
    const { port } = await startBroker(forbidding)
    const raw = await comes(port)
    raw.send(publishPacket('secret/a', { id: 1, version: 5 }), publishPacket('secret/b', { id: 2, qos: 2, version: 5 }))
    expect(told(await raw.packet(mqtt.puback))).toEqual(['000187', 'publish secret/a: ask the site'])
    expect(told(await raw.packet(mqtt.pubrec))).toEqual(['000287', 'publish secret/b: ask the site'])
    raw.send(subscribePacket(['a', 'secret/#', 'secret/b'], 1, 3, 5))
    expect(told(await raw.packet(suback))).toEqual(['000300018787', 'filter 2 of 3: subscribe secret/#: ask the site'])
    raw.send(unsubscribe('never'))
    expect(told(await raw.packet(unsuback))).toEqual(['00030011', 'there is no such subscription'])
    raw.close()
  })

  test('says so of a topic that nobody reads once, and the code each time', async () => {
    const { port } = await startBroker(forbidding)
    const raw = await comes(port)
    for (let id = 1; id <= 2; id++) {
      const from = raw.packets.length
      raw.send(publishPacket('nobody', { id, version: 5 }))
      const words = id === 1 ? 'unread nobody: ask the site' : undefined
      expect(told(await raw.packet(mqtt.puback, from))).toEqual([`000${id}10`, words])
    }
    raw.close()
  })

  test('says nothing in words to who asked for none, but in CONNACK and DISCONNECT', async () => {
    const { port } = await startBroker(forbidding)
    const none = Buffer.of(0x17, 0)
    const raw = await comes(port, none)
    raw.send(publishPacket('secret/a', { id: 1, version: 5 }), publishPacket('nobody', { id: 2, version: 5 }))
    raw.send(subscribePacket(['secret/#'], 1, 3, 5))
    expect([...(await raw.packet(suback)).body]).toEqual([0, 3, 0, 0x87])
    const acknowledged = raw.packets.filter(({ type }) => type === mqtt.puback).map(({ body }) => body.toString('hex'))
    expect(acknowledged).toEqual(['000187', '000210'])
    raw.send(frame(0x32, text('a/#'), Buffer.of(0, 4, 0)))
    const [code, words] = told(await raw.packet(mqtt.disconnect))
    expect([code, words]).toEqual(['81', expect.stringMatching(/^a topic with a wildcard; correct the client/)])

    const refused = await openRaw(port)
    refused.send(greeting(Buffer.concat([none, Buffer.of(0x15), text('SCRAM-SHA-1')])))
    expect(told(await refused.packet(mqtt.connack))).toEqual(['008c00', expect.stringMatching(/^enhanced auth/)])
    await refused.closed
  })

  test('leaves the words out where they would make it larger than its client takes', async () => {
    const { port } = await startBroker(forbidding)
    const words = 'publish secret/a: ask the site'
    const whole = 2 + 3 + 1 + 3 + words.length
    for (const [bytesMax, expected] of [
      [whole, words],
      [whole - 1, undefined],
    ] as const) {
      const raw = await comes(port, Buffer.of(0x27, 0, 0, 0, bytesMax))
      raw.send(publishPacket('secret/a', { id: 1, version: 5 }))
      expect(told(await raw.packet(mqtt.puback))).toEqual(['000187', expected])
      raw.close()
      await raw.closed
    }
  })

  test('that is itself larger than its client takes closes the connection', async () => {
    const { port, events } = await startBroker()
    const raw = await comes(port, Buffer.of(0x27, 0, 0, 0, 40))
    const filters = Array.from({ length: 40 }, (_, i) => `a/${i}`)
    raw.send(subscribePacket(filters, 1, 3, 5))
    const { body } = await raw.packet(mqtt.disconnect)
    expect(body.toString('hex')).toBe('95')
    await raw.closed
    expect(raw.packets.map(({ type }) => type)).toEqual([mqtt.connack, mqtt.disconnect])
    await until(() => events.some(({ kind }) => kind === 'disconnected'), 'told of')
  })

  test('has four bytes when it says yes', async () => {
    const { port } = await startBroker()
    const raw = await comes(port)
    raw.send(publishPacket('a', { id: 1, version: 5 }), publishPacket('a', { id: 2, qos: 2, version: 5 }))
    expect((await raw.packet(mqtt.puback)).body.toString('hex')).toBe('0001')
    expect((await raw.packet(mqtt.pubrec)).body.toString('hex')).toBe('0002')
    raw.close()
  })
})

describe('CONNACK that turns away says why, and what MQTT 3.1.1 can say of it', () => {
  test.each([
    ['credentials', '008600', /^name and secret are missing or wrong/, 4],
    ['not_allowed', '008700', /^this client may not connect here/, 5],
    ['unavailable', '008800', /^who you are could not be checked now/, 3],
    ['client_id', '008500', /^this client id is in use by another sender/, 2],
  ] as const)('%s', async (refused, code, words, returnCode) => {
    const { port } = await startBroker({ authenticate: () => Promise.resolve({ refused }) })
    const five = await openRaw(port)
    five.send(connectPacket({ version: 5 }))
    expect(told(await five.packet(mqtt.connack))).toEqual([code, expect.stringMatching(words)])
    await five.closed
    const four = await openRaw(port)
    four.send(connectPacket())
    expect([...(await four.packet(mqtt.connack)).body]).toEqual([0, returnCode])
    await four.closed
    expect([five, four].map(({ packets }) => packets.length)).toEqual([1, 1])
  })

  test('a will that it may not leave', async () => {
    const { port } = await startBroker(forbidding)
    const raw = await openRaw(port)
    raw.send(connectPacket({ version: 5, will: { topic: 'secret/w', payload: 'x' } }))
    expect(told(await raw.packet(mqtt.connack))).toEqual(['008700', 'its will: will secret/w: ask the site'])
    await raw.closed
  })

  test('as many sessions as may be', async () => {
    const { port } = await startBroker({ limits: { sessionsMax: 1 } })
    const kept = Buffer.of(0x11, 0, 0, 0, 60)
    await comes(port, kept, 'first')
    const raw = await openRaw(port)
    raw.send(greeting(kept, 'second'))
    expect(told(await raw.packet(mqtt.connack))).toEqual(['009700', expect.stringMatching(/^as many sessions/)])
    await raw.closed
  })
})

describe('DISCONNECT says why', () => {
  test('another came with its client id', async () => {
    const { port } = await startBroker()
    const first = await comes(port)
    await comes(port)
    expect(told(await first.packet(mqtt.disconnect))).toEqual(['8e', expect.stringMatching(/^another connection/)])
  })

  test('it was silent for longer than its keep-alive allows, and its will is sent', async () => {
    const { port, received, events } = await startBroker()
    const raw = await openRaw(port)
    raw.send(connectPacket({ version: 5, keepAlive: 1, will: { topic: 'w', payload: 'gone' } }))
    expect(told(await raw.packet(mqtt.disconnect))).toEqual(['8d', expect.stringMatching(/^nothing was heard/)])
    await raw.closed
    await until(() => received.length === 1, 'its will')
    expect(events.find(({ kind }) => kind === 'disconnected')).toMatchObject({ why: 'keep_alive' })
  })

  test('what it sent could not be stored', async () => {
    const held = heldReceive()
    const { port } = await startBroker({ receive: held.receive, limits: { unstoredCutMs: 10 } })
    const raw = await comes(port)
    raw.send(publishPacket('a', { version: 5 }))
    await until(() => held.calls.length === 1, 'received')
    held.calls[0]!.settle(new Error('disk full'))
    expect(told(await raw.packet(mqtt.disconnect))).toEqual(['89', expect.stringMatching(/^it could not be stored/)])
  })

  test('the rights of its principal have changed; others stay', async () => {
    const { port, broker } = await startBroker()
    const named = (user: string): Buffer =>
      frame(0x10, text('MQTT'), Buffer.of(5, 0x82, 0, 60, 0), text(`of-${user}`), text(user))
    const [one, other] = [await openRaw(port), await openRaw(port)]
    one.send(named('unit-7'))
    other.send(named('unit-8'))
    await Promise.all([one.packet(mqtt.connack), other.packet(mqtt.connack)])
    broker.renew('unit-7')
    expect(told(await one.packet(mqtt.disconnect))).toEqual(['98', expect.stringMatching(/^the rights of this sender/)])
    await one.closed
    other.send(Buffer.of(0xc0, 0))
    await other.packet(mqtt.pingresp)
    expect(broker.counts()).toMatchObject({ connections: 1, cut: { rights_changed: 1 } })
  })

  test('the gateway is stopping', async () => {
    const { port, broker } = await startBroker()
    const raw = await comes(port)
    await broker.close()
    expect(told(await raw.packet(mqtt.disconnect))).toEqual(['8b', expect.stringMatching(/^the gateway is stopping/)])
  })
})

test('a gateway tells a device the words that it keeps with the frame, and what to do', async () => {
  const gateway = await startGatewayProcess()
  const raw = await comes(gateway.mqttPort)
  raw.send(publishPacket('tocsin/v1/mine', { id: 1, version: 5 }))
  const [code, words] = told(await raw.packet(mqtt.puback))
  expect([code, words]).toEqual([
    '000187',
    expect.stringMatching(/^only the gateway itself publishes below tocsin\/v1\/.*; .*mqtt\.users/),
  ])
  raw.send(publishPacket('plant/unit-7', { id: 2, version: 5 }))
  const unread = await raw.packet(mqtt.puback, raw.packets.length)
  expect(told(unread)).toEqual([
    '000210',
    expect.stringMatching(/^no adapter reads this topic; .*the message is kept$/),
  ])
  raw.close()
  await gateway.stop()
})
