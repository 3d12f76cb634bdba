// What belongs to a session survives its connection and the process: a second broker on what the first has flushed is the first one
// after a crash. Raw packets, since a library would hide identifiers and repeat what we want to see once.

import { afterEach, describe, expect, test } from 'vitest'
import {
  closeBrokers,
  heldReceive,
  pause,
  startBroker,
  until,
  type TestBroker,
  type TestParts,
} from './tools/broker.ts'
import { createMemoryLog, createMemoryStore, type MemoryStore } from './tools/memory-log.ts'
import { ackPacket, connected, frame, mqtt, publishPacket, type RawMqtt, subscribePacket } from './tools/raw-mqtt.ts'
import { away, got, payloads, unit, upTo } from './tools/raw-session.ts'

afterEach(closeBrokers)

/** A broker, and the same after a crash: with what was flushed, and the log, which has all that was acknowledged. */
async function crashable(parts: TestParts = {}) {
  const memory = createMemoryLog()
  let store: MemoryStore = createMemoryStore()
  const start = (): Promise<TestBroker> => startBroker({ memory, store, ...parts })
  let now = await start()
  return {
    get now() {
      return now
    },
    get store() {
      return store
    },
    async crash() {
      // What is written while it closes is not there after a crash.
      store = store.crashed()
      await closeBrokers()
      now = await start()
    },
    async stop() {
      await closeBrokers()
      now = await start()
    },
  }
}

describe('a session that is kept, after the process has died', () => {
  test('is there, with its subscriptions, and gets what it missed before and after', async () => {
    const house = await crashable()
    await away(house.now)
    for (const payload of upTo(5)) house.now.say({ topic: 'orders/1', payload })
    await house.crash()
    for (const payload of upTo(5, 5)) house.now.say({ topic: 'orders/2', payload })
    const back = await connected(house.now.port, unit)
    // Session present (MQTT 3.1.1 §3.2.2.2).
    expect(back.packets[0]!.body[0]).toBe(1)
    await until(() => got(back).length === 10, 'all of it')
    expect(payloads(back)).toEqual(upTo(10))
    back.close()
  })

  test('is told to be there although it has no subscription, and is not after a clean start', async () => {
    const house = await crashable()
    const first = await connected(house.now.port, unit)
    first.send(subscribePacket(['a'], 1), frame(0xa2, Buffer.of(0, 2), Buffer.from('\0\u0001a')))
    await first.packet(11)
    first.close()
    await house.stop()
    const second = await connected(house.now.port, unit)
    expect(second.packets[0]!.body[0]).toBe(1)
    second.close()
    const clean = await connected(house.now.port, { ...unit, clean: true })
    expect(clean.packets[0]!.body[0]).toBe(0)
    clean.close()
    await until(() => house.now.broker.counts().sessions === 0, 'the session is over')
    await house.stop()
    expect(house.now.broker.counts().sessions).toBe(0)
  })

  test('of QoS 1 may get again what it had acknowledged in the last second, and nothing older', async () => {
    const house = await crashable()
    const raw = await connected(house.now.port, unit)
    raw.send(subscribePacket(['orders/#'], 1))
    await raw.packet(mqtt.suback)
    for (const payload of upTo(3)) house.now.say({ topic: 'orders/1', payload })
    await until(() => got(raw).length === 3, 'three')
    for (const { id } of got(raw)) raw.send(ackPacket(mqtt.puback, id))
    await pause(20)
    await house.store.flush()
    house.now.say({ topic: 'orders/1', payload: '3' })
    await until(() => got(raw).length === 4, 'one more')
    raw.close()
    await house.crash()
    const back = await connected(house.now.port, unit)
    await until(() => got(back).length === 1, 'again')
    expect(payloads(back)).toEqual(['3'])
    back.close()
  })

  test('of QoS 2 gets a message whose PUBREC it gave by PUBREL alone, under the same identifier', async () => {
    const house = await crashable()
    const raw = await connected(house.now.port, unit)
    raw.send(subscribePacket(['orders/#'], 2))
    await raw.packet(mqtt.suback)
    for (const payload of ['first', 'second', 'third']) house.now.say({ topic: 'orders/1', payload, qos: 2 })
    await until(() => got(raw).length === 3, 'three')
    const ids = got(raw).map(({ id }) => id)
    raw.send(ackPacket(mqtt.pubrec, ids[1]!))
    expect((await raw.packet(mqtt.pubrel)).body.readUInt16BE(0)).toBe(ids[1])
    await house.crash()
    const back = await connected(house.now.port, unit)
    await until(() => got(back).length === 2, 'what it did not answer')
    expect(got(back).map(({ payload, id, dup }) => [payload, id, dup])).toEqual([
      ['first', ids[0], true],
      ['third', ids[2], true],
    ])
    expect((await back.packet(mqtt.pubrel)).body.readUInt16BE(0)).toBe(ids[1])
    for (const { id } of got(back)) back.send(ackPacket(mqtt.pubrec, id))
    for (const id of ids) back.send(ackPacket(mqtt.pubcomp, id))
    await pause(50)
    back.close()
    await house.stop()
    const last = await connected(house.now.port, unit)
    await pause(50)
    expect(got(last)).toEqual([])
    last.close()
  })

  test('keeps the order of a topic over both QoS', async () => {
    const house = await crashable()
    const raw = await connected(house.now.port, unit)
    raw.send(subscribePacket(['orders/#'], 2))
    await raw.packet(mqtt.suback)
    for (const [i, payload] of upTo(9).entries()) house.now.say({ topic: 'orders/1', payload, qos: i % 2 ? 2 : 1 })
    await until(() => got(raw).length === 9, 'nine')
    await house.crash()
    const back = await connected(house.now.port, unit)
    await until(() => got(back).length === 9, 'again')
    expect(payloads(back)).toEqual(upTo(9))
    back.close()
  })
})

test('after a crash and a cut connection the order is still that of the log', async () => {
  const house = await crashable()
  const raw = await connected(house.now.port, unit)
  raw.send(subscribePacket(['orders/#'], 2))
  await raw.packet(mqtt.suback)
  for (const [i, payload] of upTo(6).entries()) house.now.say({ topic: 'orders/1', payload, qos: i % 2 ? 2 : 1 })
  await until(() => got(raw).length === 6, 'six')
  await house.crash()
  const cut = await connected(house.now.port, unit)
  await until(() => got(cut).length === 6, 'again')
  cut.close()
  await until(() => house.now.broker.counts().connections === 0, 'it is cut')
  const back = await connected(house.now.port, unit)
  await until(() => got(back).length === 6, 'once more')
  expect(payloads(back)).toEqual(upTo(6))
  back.close()
})

describe('a publisher of QoS 2', () => {
  test('sends again after a crash what was not released, and nobody gets it twice', async () => {
    const house = await crashable()
    await away(house.now)
    const device = { clientId: 'device', clean: false }
    const raw = await connected(house.now.port, device)
    const packet = publishPacket('orders/1', { qos: 2, id: 7, payload: 'once' })
    raw.send(packet)
    await raw.packet(mqtt.pubrec)
    await house.crash()
    const again = await connected(house.now.port, device)
    again.send(publishPacket('orders/1', { qos: 2, id: 7, payload: 'once', dup: true }))
    await again.packet(mqtt.pubrec)
    again.send(ackPacket(mqtt.pubrel, 7))
    await again.packet(mqtt.pubcomp)
    // The identifier is free: the same bytes are a new message now, also after a crash.
    await house.crash()
    const third = await connected(house.now.port, device)
    third.send(packet)
    await third.packet(mqtt.pubrec)
    const reader = await connected(house.now.port, unit)
    await until(() => got(reader).length === 2, 'two messages')
    expect(payloads(reader)).toEqual(['once', 'once'])
    third.close()
    reader.close()
  })

  test('whose identifier was written and whose message was not stored sends a new message', async () => {
    let full = true
    const house = await crashable({
      receive: () => (full ? Promise.reject(new Error('disk full')) : Promise.resolve('accepted')),
      limits: { unstoredCutMs: 10 },
    })
    await away(house.now)
    const device = { clientId: 'device', clean: false }
    const raw = await connected(house.now.port, device)
    raw.send(publishPacket('orders/1', { qos: 2, id: 7, payload: 'once' }))
    await raw.closed
    full = false
    await house.crash()
    const again = await connected(house.now.port, device)
    again.send(publishPacket('orders/1', { qos: 2, id: 7, payload: 'once', dup: true }))
    await again.packet(mqtt.pubrec)
    const reader = await connected(house.now.port, unit)
    await until(() => got(reader).length === 1, 'the message')
    again.close()
    reader.close()
  })

  test.each(['cut', 'taken over'])(
    'whose connection is %s before its messages are stored sends none of them twice',
    async (how) => {
      const held = heldReceive()
      const { port, received } = await startBroker({ receive: held.receive })
      const device = { clientId: 'device', clean: false }
      const first = await connected(port, device)
      const send = (raw: RawMqtt, dup: boolean): void =>
        raw.send(
          publishPacket('orders/1', { qos: 2, id: 1, payload: 'a', dup }),
          publishPacket('orders/1', { qos: 1, id: 2, payload: 'b', dup }),
          publishPacket('orders/1', { qos: 2, id: 3, payload: 'c', dup }),
        )
      send(first, false)
      await until(() => held.calls.length === 3, 'given to the house')
      if (how === 'cut') first.close()
      const second = await connected(port, device)
      send(second, true)
      await pause(30)
      for (const call of held.calls) call.settle('accepted')
      await until(() => held.calls.length === 4, 'QoS 1 may come twice')
      held.calls[3]!.settle('accepted')
      await until(() => second.packets.filter(({ type }) => type === mqtt.pubrec).length === 2, 'both are answered')
      expect(received.map(({ payload, dup }) => [String(payload), dup])).toEqual([
        ['a', false],
        ['b', false],
        ['c', false],
        ['b', true],
      ])
      second.close()
    },
  )

  test('is not answered while its identifier cannot be written', async () => {
    const house = await crashable({ limits: { unstoredCutMs: 10 } })
    const raw = await connected(house.now.port, { clientId: 'device', clean: false })
    house.store.refusing = true
    raw.send(publishPacket('orders/1', { qos: 2, id: 7, payload: 'once' }))
    await raw.closed
    expect(raw.packets.map(({ type }) => type)).toEqual([mqtt.connack])
    expect(house.now.received).toEqual([])
  })
})

describe('retained messages', () => {
  test('are there after a crash, also those of which only the log tells', async () => {
    const house = await crashable()
    house.now.say({ topic: 'state/1', payload: 'old', retain: true })
    house.now.say({ topic: 'state/2', payload: 'gone', retain: true })
    await house.store.flush()
    house.now.say({ topic: 'state/1', payload: 'new', retain: true })
    house.now.say({ topic: 'state/2', payload: '', retain: true })
    house.now.say({ topic: 'state/3', payload: 'more', retain: true })
    await house.crash()
    const raw = await connected(house.now.port, unit)
    raw.send(subscribePacket(['state/#'], 1))
    await until(() => got(raw).length === 2, 'two')
    await pause(20)
    expect(got(raw).map(({ payload, retain }) => [payload, retain])).toEqual([
      ['new', true],
      ['more', true],
    ])
    raw.close()
  })

  test('come before what is published after the subscription, and nothing is missed in between', async () => {
    const house = await crashable()
    const raw = await connected(house.now.port, unit)
    for (let i = 0; i < 200; i++) {
      const topic = `race/${i}`
      house.now.say({ topic, payload: 'before', retain: true })
      raw.send(subscribePacket([topic], 1))
      const turns = i % 5
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      house.now.say({ topic, payload: 'after', retain: true })
      await until(() => payloads(raw).at(-1) === 'after', `${topic} at last`)
      for (const { id } of got(raw)) raw.send(ackPacket(mqtt.puback, id))
      // Either both, or the newer one as retained: never the older one last, never none.
      const seen = payloads(raw)
      expect([['after'], ['before', 'after']]).toContainEqual(seen)
      raw.packets.length = 0
    }
    raw.close()
  })
})

describe('wills', () => {
  const will = { topic: 'gone/7', payload: 'battery' }

  test('of clients that do not come back after a crash are sent, each once; of those that do are not', async () => {
    const house = await crashable()
    await connected(house.now.port, { clientId: 'silent', keepAlive: 1, will })
    await connected(house.now.port, { clientId: 'alive', keepAlive: 1, will: { ...will, topic: 'gone/8' } })
    const polite = await connected(house.now.port, { clientId: 'polite', keepAlive: 1, will })
    polite.send(Buffer.of(0xe0, 0))
    await polite.closed
    await pause(20)
    await house.crash()
    const alive = await connected(house.now.port, {
      clientId: 'alive',
      keepAlive: 10,
      will: { ...will, topic: 'gone/8' },
    })
    await until(() => house.now.received.length > 0, 'the will', 6_000)
    await pause(300)
    expect(house.now.received.map(({ topic, clientId }) => [topic, clientId])).toEqual([['gone/7', 'silent']])
    alive.close()
  })

  test('that were stored when the process died, with nothing noted since, are not sent again', async () => {
    const house = await crashable({
      receive() {
        house.store.refusing = true
        return Promise.resolve('accepted')
      },
    })
    const raw = await connected(house.now.port, { clientId: 'vanished', keepAlive: 1, will })
    raw.close()
    await until(() => house.now.received.length === 1, 'the will')
    await house.crash()
    await pause(2_600)
    expect(house.now.received).toEqual([])
  })

  test('that were sent before the crash are not sent again', async () => {
    const house = await crashable()
    const raw = await connected(house.now.port, { clientId: 'vanished', keepAlive: 1, will })
    raw.close()
    await until(() => house.now.received.length === 1, 'the will')
    await pause(20)
    await house.crash()
    await pause(2_600)
    expect(house.now.received).toEqual([])
  })
})
