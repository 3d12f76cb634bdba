// Packets that belong together come in their order, or the connection ends: acknowledgements of each QoS, identifiers that are in use,
// a CONNECT that is wrong. What only comes late is not held against anybody.

import { afterEach, describe, expect, test } from 'vitest'

import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import {
  ackPacket,
  connected,
  connectPacket,
  disconnectPacket,
  frame,
  mqtt,
  openRaw,
  pingPacket,
  publishPacket,
  subscribePacket,
  text,
  type RawMqtt,
  withoutReason,
} from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

async function isAlive(raw: RawMqtt): Promise<void> {
  const from = raw.packets.length
  raw.send(pingPacket)
  await raw.packet(mqtt.pingresp, from)
}

/** A client to which a message is on its way at that QoS, with its identifier. */
async function withMessage(port: number, qos: 1 | 2): Promise<{ raw: RawMqtt; id: number }> {
  const raw = await connected(port, { clientId: 'reader' })
  raw.send(subscribePacket(['t'], qos))
  await raw.packet(mqtt.suback)
  const other = await connected(port, { clientId: 'other' })
  other.send(publishPacket('t', { qos, id: 7 }))
  const { body } = await raw.packet(mqtt.publish)
  other.close()
  return { raw, id: body.readUInt16BE(3) }
}

describe('an acknowledgement that is not the one of its message ends the connection', () => {
  test.each([
    ['PUBREC', 1, [mqtt.pubrec]],
    ['PUBCOMP', 1, [mqtt.pubcomp]],
    ['PUBACK', 2, [mqtt.puback]],
    ['PUBCOMP before PUBREC', 2, [mqtt.pubcomp]],
    ['PUBACK after PUBREC', 2, [mqtt.pubrec, mqtt.puback]],
  ] as const)('%s at QoS %i', async (_what, qos, answers) => {
    const { port, broker } = await startBroker()
    const { raw, id } = await withMessage(port, qos)
    for (const type of answers) raw.send(ackPacket(type, id))
    await raw.closed
    await until(() => broker.counts().cut.protocol === 1, 'counted')
  })

  test('but not PUBREC once more, which is answered once more', async () => {
    const { port } = await startBroker()
    const { raw, id } = await withMessage(port, 2)
    raw.send(ackPacket(mqtt.pubrec, id), ackPacket(mqtt.pubrec, id))
    await until(() => raw.packets.filter(({ type }) => type === mqtt.pubrel).length === 2, 'PUBREL twice')
    raw.send(ackPacket(mqtt.pubcomp, id))
    await isAlive(raw)
    raw.close()
  })

  test('and not one whose message is not on its way at all', async () => {
    const { port } = await startBroker()
    const raw = await connected(port)
    raw.send(...[mqtt.puback, mqtt.pubcomp].map((type) => ackPacket(type, 9)))
    await isAlive(raw)
    raw.send(ackPacket(mqtt.pubrec, 9))
    expect([...(await raw.packet(mqtt.pubrel)).body]).toEqual([0, 9])
    raw.send(ackPacket(mqtt.pubrel, 9))
    expect([...(await raw.packet(mqtt.pubcomp)).body]).toEqual([0, 9])
    raw.close()
    // The same in MQTT 5: §3.6.2.1 has 0x92 for it, which mosquitto and its clients do not look for.
    const five = await connected(port, { version: 5 })
    five.send(ackPacket(mqtt.pubrec, 9), ackPacket(mqtt.pubrel, 9))
    expect([...(await five.packet(mqtt.pubrel)).body]).toEqual([0, 9])
    expect([...(await five.packet(mqtt.pubcomp)).body]).toEqual([0, 9])
    five.close()
  })

  test('a PUBREC that refuses a message nobody knows of is not answered', async () => {
    const { port } = await startBroker()
    const raw = await connected(port, { version: 5 })
    raw.send(frame(0x50, Buffer.of(0, 9, 0x80)))
    await isAlive(raw)
    expect(raw.packets.map(({ type }) => type)).toEqual([mqtt.connack, mqtt.pingresp])
    raw.close()
  })
})

describe('a QoS 2 message that comes again before PUBREL', () => {
  const message = publishPacket('t', { qos: 2, id: 5, payload: 'x' })
  const marked = publishPacket('t', { qos: 2, id: 5, payload: 'x', dup: true })
  const pubrecs = (raw: RawMqtt): number => raw.packets.filter(({ type }) => type === mqtt.pubrec).length

  test('is acknowledged each time when it says so, and is one message', async () => {
    const { port, received } = await startBroker()
    const raw = await connected(port)
    raw.send(message, marked, marked, marked)
    await until(() => pubrecs(raw) === 4, 'four times')
    await isAlive(raw)
    expect(received).toHaveLength(1)
    raw.close()
  })

  test('is forgiven once when it does not, and then ends the connection', async () => {
    const { port, received } = await startBroker()
    const raw = await connected(port)
    raw.send(message, message)
    await until(() => pubrecs(raw) === 2, 'twice')
    raw.send(message)
    await raw.closed
    expect(received).toHaveLength(1)
  })

  test('is forgiven once on each connection: a device that never says so still comes to its end', async () => {
    const { port, received } = await startBroker()
    for (let time = 0; time < 4; time++) {
      const raw = await connected(port, { clientId: 'device', clean: false })
      raw.send(message)
      await until(() => pubrecs(raw) === 1, 'acknowledged')
      raw.close()
      await raw.closed
    }
    const last = await connected(port, { clientId: 'device', clean: false })
    last.send(message)
    await last.packet(mqtt.pubrec)
    last.send(ackPacket(mqtt.pubrel, 5))
    await last.packet(mqtt.pubcomp)
    expect(received).toHaveLength(1)
    last.close()
  })

  test('is no repetition when it says something else, nor after PUBREL', async () => {
    const { port } = await startBroker()
    const raw = await connected(port)
    raw.send(message, publishPacket('t', { qos: 2, id: 5, payload: 'y' }), message)
    await until(() => pubrecs(raw) === 3, 'three times')
    raw.send(ackPacket(mqtt.pubrel, 5), message, message)
    await until(() => pubrecs(raw) === 5, 'anew')
    await isAlive(raw)
    raw.close()
  })
})

test.each([
  [1, [mqtt.publish, mqtt.puback]],
  [2, [mqtt.pubrec, mqtt.publish]],
] as const)('who reads what he publishes at QoS %i gets both in this order', async (qos, order) => {
  const { port } = await startBroker()
  const raw = await connected(port)
  raw.send(subscribePacket(['t'], qos))
  await raw.packet(mqtt.suback)
  const from = raw.packets.length
  raw.send(publishPacket('t', { qos, id: 5, retain: true }))
  await until(() => raw.packets.length === from + 2, 'both')
  expect(raw.packets.slice(from).map(({ type }) => type)).toEqual(order)
  // It is not retained to him: he was subscribed when it came (MQTT 3.1.1 §3.3.1.3). It is the first that he is sent.
  const copy = raw.packets.slice(from).find(({ type }) => type === mqtt.publish)!
  expect([copy.flags, copy.body.readUInt16BE(3)]).toEqual([qos << 1, 1])
  raw.close()
})

describe('a CONNECT of MQTT 5 that is wrong', () => {
  const head = (flags: number): readonly Buffer[] => [text('MQTT'), Buffer.of(5, flags, 0, 60)]
  const none = Buffer.of(0)

  test.each([
    ['a client id with a control character', frame(0x10, ...head(2), none, text('a\u0007')), 0x85],
    ['a property twice', frame(0x10, ...head(2), Buffer.of(6, 0x21, 0, 1, 0x21, 0, 1), text('a')), 0x82],
    ['properties that are cut off', frame(0x10, ...head(2), Buffer.of(9, 0x21), text('a')), 0x81],
    ['a will on a wildcard', frame(0x10, ...head(6), none, text('a'), none, text('w/#'), text('')), 0x81],
    ['something behind its end', frame(0x10, ...head(2), none, text('a'), none), 0x81],
  ])('is told so: %s', async (_what, packet, reason) => {
    const { port } = await startBroker()
    const raw = await openRaw(port)
    raw.send(packet)
    expect([...withoutReason(await raw.packet(mqtt.connack)).body]).toEqual([0, reason, 0])
    await raw.closed
  })

  test.each([
    ['a user name with a control character', frame(0x10, ...head(0x82), none, text('a'), text('b\u0001'))],
    ['no user name where one is announced', frame(0x10, ...head(0x82), none, text('a'))],
    ['no password where one is announced', frame(0x10, ...head(0xc2), none, text('a'), text('b'))],
  ])('is closed without a word when it does not say who it is: %s', async (_what, packet) => {
    const { port } = await startBroker()
    const raw = await openRaw(port)
    raw.send(packet)
    await raw.closed
    expect(raw.packets).toEqual([])
  })

  test.each([
    ['no keep-alive', frame(0x10, text('MQTT'), Buffer.of(5, 2))],
    ['a reserved flag', frame(0x10, ...head(3), none, text('a'))],
    ['a will of QoS 3', frame(0x10, ...head(0x1e), none, text('a'), none, text('w'), text(''))],
    ['flags in its fixed header', frame(0x12, ...head(2), none, text('a'))],
  ])('is closed without a word when it cannot be read as far as its flags: %s', async (_what, packet) => {
    const { port } = await startBroker()
    const raw = await openRaw(port)
    raw.send(packet)
    await raw.closed
    expect(raw.packets).toEqual([])
  })
})

test('a session that is there is told of in CONNACK, but not to MQTT 3.1, which has no word for it', async () => {
  const { port } = await startBroker()
  for (const version of [4, 3] as const) {
    const flags: number[] = []
    for (let time = 0; time < 2; time++) {
      const raw = await openRaw(port)
      raw.send(connectPacket({ version, clientId: `kept-${version}`, clean: false }))
      flags.push((await raw.packet(mqtt.connack)).body[0]!)
      await pause(20)
      raw.close()
      await raw.closed
    }
    expect(flags).toEqual(version === 4 ? [0, 1] : [0, 0])
  }
})

describe('a PUBACK of MQTT 5', () => {
  test('says that nobody reads the topic: no adapter, as the house says, and no subscriber', async () => {
    const { port } = await startBroker({
      receive: (_principal, { topic }) => Promise.resolve(topic === 't' ? 'unread' : 'accepted'),
    })
    const five = await connected(port, { version: 5, clientId: 'five' })
    const four = await connected(port, { clientId: 'four' })
    const answer = async (raw: RawMqtt, packet: Buffer, type = mqtt.puback): Promise<number[]> => {
      const from = raw.packets.length
      raw.send(packet)
      return [...withoutReason(await raw.packet(type, from)).body]
    }
    expect(await answer(five, publishPacket('t', { id: 1, version: 5 }))).toEqual([0, 1, 0x10])
    expect(await answer(five, publishPacket('read', { id: 2, version: 5 }))).toEqual([0, 2])
    expect(await answer(four, publishPacket('t', { id: 3 }))).toEqual([0, 3])
    expect(await answer(five, publishPacket('t', { id: 4, qos: 2, version: 5 }), mqtt.pubrec)).toEqual([0, 4])
    four.send(subscribePacket(['+']))
    await four.packet(mqtt.suback)
    expect(await answer(five, publishPacket('t', { id: 5, version: 5 }))).toEqual([0, 5])
    for (const each of [five, four]) each.close()
  })

  test('refuses $SYS, but swallows what a bridge says of its state', async () => {
    const { port, received } = await startBroker()
    const raw = await connected(port, { version: 5 })
    raw.send(publishPacket('$SYS/broker/connection/me', { id: 1, version: 5 }))
    expect([...withoutReason(await raw.packet(mqtt.puback)).body]).toEqual([0, 1, 0x87])
    raw.send(publishPacket('$SYS/broker/connection/me/state', { id: 2, version: 5 }))
    expect([...(await raw.packet(mqtt.puback, 2)).body]).toEqual([0, 2])
    expect(received.map(({ topic, permitted }) => [topic, permitted])).toEqual([['$SYS/broker/connection/me', false]])
    raw.close()
  })
})

describe('DISCONNECT of MQTT 5', () => {
  const keep = frame(0xe0, Buffer.of(0, 5, 0x11, 0, 0, 0, 30))

  test('may not keep a session that CONNECT did not ask for', async () => {
    const { port } = await startBroker()
    const raw = await connected(port, { version: 5 })
    raw.send(keep)
    expect([...withoutReason(await raw.packet(mqtt.disconnect)).body]).toEqual([0x82])
    await raw.closed
  })

  test('may keep one for longer, or end it', async () => {
    const { port, broker } = await startBroker()
    for (const [last, sessions] of [
      [keep, 1],
      [frame(0xe0, Buffer.of(0, 5, 0x11, 0, 0, 0, 0)), 0],
    ] as const) {
      const raw = await openRaw(port)
      raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 0, 0, 60), Buffer.of(5, 0x11, 0, 0, 0, 1), text('unit-7')))
      await raw.packet(mqtt.connack)
      raw.send(last)
      await raw.closed
      expect(raw.packets.map(({ type }) => type)).toEqual([mqtt.connack])
      await until(() => broker.counts().connections === 0, 'gone')
      expect(broker.counts().sessions).toBe(sessions)
    }
  })
})

describe('a will of MQTT 5', () => {
  // §3.14.2.1: what a client may say.
  const reasons = [0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]

  test.each(reasons)('is sent after DISCONNECT with reason %i, as after none', async (reason) => {
    const { port, received } = await startBroker()
    const raw = await connected(port, { version: 5, will: { topic: 'gone', payload: 'unit' } })
    raw.send(frame(0xe0, Buffer.of(reason)))
    await until(() => received.length === 1, 'its will')
    expect(received[0]).toMatchObject({ topic: 'gone', will: true })
  })

  test.each([frame(0xe0), frame(0xe0, Buffer.of(0)), frame(0xe0, Buffer.of(0, 0))])(
    'is taken back by reason 0, said or not',
    async (last) => {
      const { port, broker, received } = await startBroker()
      const raw = await connected(port, { version: 5, will: { topic: 'gone', payload: 'unit' } })
      raw.send(last)
      await until(() => broker.counts().connections === 0, 'it has gone')
      await pause(20)
      expect(received).toEqual([])
    },
  )
})

test('what stands behind DISCONNECT is not taken', async () => {
  const { port, broker, received } = await startBroker()
  const raw = await connected(port)
  raw.send(publishPacket('t', { payload: 'before' }), disconnectPacket, publishPacket('t', { payload: 'behind' }))
  await until(() => broker.counts().connections === 0, 'it has gone')
  expect(received.map(({ payload }) => String(payload))).toEqual(['before'])
})

test('an acknowledgement is that of its message, however much it says beside', async () => {
  const { port, say } = await startBroker({ limits: { sentUnansweredMax: 1 } })
  const raw = await connected(port, { version: 5 })
  raw.send(subscribePacket(['t'], 1, 1, 5))
  await raw.packet(mqtt.suback)
  // A reason string may have 65,535 bytes: then the length of the packet has three.
  const reasonString = Buffer.concat([Buffer.of(0x1f), text('x'.repeat(65_535))])
  const length = Buffer.of((reasonString.length & 0x7f) | 0x80, ((reasonString.length >> 7) & 0x7f) | 0x80, 4)
  for (const payload of ['first', 'second']) say({ topic: 't', payload })
  const { body } = await raw.packet(mqtt.publish)
  const id = body.readUInt16BE(3)
  raw.send(frame(0x40, Buffer.of(id >> 8, id & 255, 0), length, reasonString))
  await until(() => raw.packets.filter(({ type }) => type === mqtt.publish).length === 2, 'the second')
  raw.close()
})

test('a client that takes no packet as large as its CONNACK is closed without one', async () => {
  const { port } = await startBroker()
  const raw = await openRaw(port)
  raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 2, 0, 60), Buffer.of(5, 0x27, 0, 0, 0, 2), text('a')))
  await raw.closed
  expect(raw.packets).toEqual([])
})

test('a session whose time is over is not there any more, nor what it was owed', async () => {
  const { port } = await startBroker()
  const expiry = (seconds: number): Buffer => Buffer.of(5, 0x11, 0, 0, 0, seconds)
  const enter = async (seconds: number): Promise<RawMqtt> => {
    const raw = await openRaw(port)
    raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 0, 0, 60), expiry(seconds), text('unit-7')))
    await raw.packet(mqtt.connack)
    return raw
  }
  const leave = async (raw: RawMqtt): Promise<void> => {
    raw.send(Buffer.of(0xe0, 0))
    await raw.closed
  }
  const first = await enter(1)
  first.send(subscribePacket(['t'], 1, 1, 5))
  await first.packet(mqtt.suback)
  await leave(first)
  const other = await connected(port, { clientId: 'other' })
  other.send(publishPacket('t'))
  await other.packet(mqtt.puback)
  await pause(1_100)
  const second = await enter(60)
  expect(second.packets[0]!.body[0]).toBe(0)
  await isAlive(second)
  expect(second.packets.map(({ type }) => type)).toEqual([mqtt.connack, mqtt.pingresp])
  await leave(second)
  const third = await enter(60)
  expect(third.packets[0]!.body[0]).toBe(1)
  for (const each of [third, other]) each.close()
})

test('$SYS may be subscribed to by whom the house lets, and is silent; other topics with $ may not', async () => {
  const { port, broker } = await startBroker({ maySubscribe: (_principal, filter) => filter !== '$SYS/secret' })
  const raw = await connected(port)
  raw.send(subscribePacket(['$SYS/#', '$SYS/secret', '$share/g', '$aws/x', '$SYS'], 1))
  expect([...(await raw.packet(mqtt.suback)).body.subarray(2)]).toEqual([1, 0x80, 0x80, 0x80, 0x80])
  const other = await connected(port, { clientId: 'other' })
  other.send(publishPacket('$SYS/broker/load', { payload: 'forged' }))
  await other.packet(mqtt.puback)
  await pause(50)
  expect(raw.packets.map(({ type }) => type)).toEqual([mqtt.connack, mqtt.suback])
  expect(broker.counts().connections).toBe(2)
  for (const each of [raw, other]) each.close()
})
