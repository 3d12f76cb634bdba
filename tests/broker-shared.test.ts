// Shared subscriptions: each message goes to one member of its group, each member gets its share, and nothing is lost with a member.

import { afterEach, expect, test } from 'vitest'
import { closeBrokers, pause, startBroker, until, type TestBroker, type TestParts } from './tools/broker.ts'
import { createMemoryLog, createMemoryStore } from './tools/memory-log.ts'
import { ackPacket, connected, connectPacket, frame, mqtt, openRaw, subscribePacket, text } from './tools/raw-mqtt.ts'
import { got, payloads, upTo } from './tools/raw-session.ts'

afterEach(closeBrokers)

const filter = '$share/desk/orders/#'

async function member(port: number, clientId: string, options: { qos?: 0 | 1 | 2; clean?: boolean } = {}) {
  const { qos = 1, clean = true } = options
  const raw = await openRaw(port)
  raw.send(connectPacket({ clientId, clean }))
  await raw.packet(mqtt.connack)
  raw.send(subscribePacket([filter], qos))
  expect((await raw.packet(mqtt.suback)).body.at(-1)).toBe(qos)
  return raw
}

const byNumber = (texts: readonly string[]): string[] => texts.toSorted((one, other) => Number(one) - Number(other))

function say({ say: publish }: TestBroker, texts: readonly string[], qos: 0 | 1 | 2 = 1): void {
  for (const payload of texts) publish({ topic: 'orders/1', payload, qos })
}

test.each([0, 1, 2] as const)('at QoS %i each message goes to one member, and each has its share', async (qos) => {
  const broker = await startBroker()
  const members = await Promise.all(['a', 'b', 'c'].map((id) => member(broker.port, id, { qos })))
  say(broker, upTo(30), qos)
  await until(() => members.flatMap(got).length === 30, 'thirty')
  await pause(20)
  expect(members.map((raw) => got(raw).length)).toEqual([10, 10, 10])
  expect(byNumber(members.flatMap(payloads))).toEqual(upTo(30))
  members.forEach((raw) => raw.close())
})

test('a group and a subscription of one’s own are two things; two groups each get everything', async () => {
  const broker = await startBroker()
  const one = await member(broker.port, 'one')
  one.send(subscribePacket(['orders/#'], 1), subscribePacket(['$share/other/orders/+'], 1))
  await until(() => one.packets.filter(({ type }) => type === mqtt.suback).length === 3, 'granted')
  say(broker, ['x'])
  await until(() => got(one).length === 3, 'its own, and one for each group')
  one.close()
})

test('what a member that goes has not acknowledged goes to another', async () => {
  const broker = await startBroker({ limits: { sentUnansweredMax: 5 } })
  const [stays, goes] = [await member(broker.port, 'stays'), await member(broker.port, 'goes')]
  say(broker, upTo(20))
  await until(() => got(stays).length === 5 && got(goes).length === 5, 'as much as each takes')
  goes.send(ackPacket(mqtt.puback, got(goes)[0]!.id))
  await until(() => got(goes).length === 6, 'one more')
  const done = payloads(goes)[0]!
  goes.close()
  await until(() => broker.broker.counts().connections === 1, 'it has gone')
  for (let at = 0; at < 19; at++) {
    await until(() => got(stays).length > at, `number ${at}`)
    stays.send(ackPacket(mqtt.puback, got(stays)[at]!.id))
  }
  await pause(20)
  expect(byNumber(payloads(stays))).toEqual(upTo(20).filter((each) => each !== done))
  expect(broker.broker.counts().queued).toBe(0)
  stays.close()
})

test('a member that does not keep up leaves its share to the others', async () => {
  const broker = await startBroker({ limits: { sentUnansweredMax: 5 } })
  const [frozen, alive] = [await member(broker.port, 'frozen'), await member(broker.port, 'alive')]
  let seen = 0
  alive.socket.on('data', () => {
    for (const { id } of got(alive).slice(seen)) {
      alive.send(ackPacket(mqtt.puback, id))
      seen++
    }
  })
  say(broker, upTo(200))
  await until(() => got(alive).length === 195, 'all but what the frozen one holds')
  expect(got(frozen).length).toBe(5)
  frozen.close()
  await until(() => got(alive).length === 200, 'and that too, when it is gone')
  alive.close()
})

async function crashing(parts: TestParts = {}) {
  const memory = createMemoryLog()
  let store = createMemoryStore()
  const start = (): Promise<TestBroker> => startBroker({ memory, store, ...parts })
  let now = await start()
  return {
    get now() {
      return now
    },
    async crash() {
      store = store.crashed()
      await closeBrokers()
      now = await start()
    },
  }
}

test('what comes while no member is there, and the process dies, is for the first that is back', async () => {
  const house = await crashing()
  for (const id of ['a', 'b']) (await member(house.now.port, id, { clean: false })).close()
  await until(() => house.now.broker.counts().connections === 0, 'all have gone')
  say(house.now, upTo(5))
  await house.crash()
  say(house.now, upTo(5, 5))
  const back = await openRaw(house.now.port)
  back.send(connectPacket({ clientId: 'b', clean: false }))
  await until(() => got(back).length === 10, 'all of it')
  expect(payloads(back)).toEqual(upTo(10))
  back.close()
})

test('of QoS 2 a message stays with the member that it was sent to, over a crash too', async () => {
  const house = await crashing()
  const first = await member(house.now.port, 'first', { clean: false, qos: 2 })
  say(house.now, ['once'], 2)
  await until(() => got(first).length === 1, 'it')
  const { id } = got(first)[0]!
  const other = await member(house.now.port, 'other', { clean: false, qos: 2 })
  await house.crash()
  const [otherBack, firstBack] = [await openRaw(house.now.port), await openRaw(house.now.port)]
  otherBack.send(connectPacket({ clientId: 'other', clean: false }))
  await otherBack.packet(mqtt.connack)
  await pause(30)
  expect(got(otherBack)).toEqual([])
  firstBack.send(connectPacket({ clientId: 'first', clean: false }))
  await until(() => got(firstBack).length === 1, 'it again')
  expect(got(firstBack)[0]).toMatchObject({ payload: 'once', id })
  for (const raw of [other, otherBack, firstBack]) raw.close()
})

test('a member leaves by UNSUBSCRIBE, and with the last one the group is over', async () => {
  const broker = await startBroker()
  const [a, b] = [await member(broker.port, 'a'), await member(broker.port, 'b')]
  const unsubscribe = frame(0xa2, Buffer.of(0, 9), text(filter))
  a.send(unsubscribe)
  await a.packet(11)
  say(broker, upTo(4))
  await until(() => got(b).length === 4, 'all for the other')
  expect(got(a)).toEqual([])
  b.send(unsubscribe)
  await b.packet(11)
  expect(broker.broker.isWanted('orders/1')).toBe(false)
  say(broker, ['5'])
  await pause(20)
  expect([...got(a), ...got(b)].length).toBe(4)
  a.close()
  b.close()
})

test('a group needs a permission for its filter, a name, and a filter', async () => {
  const { port } = await startBroker({ maySubscribe: (_who, asked) => asked !== 'orders/#' })
  const raw = await openRaw(port)
  raw.send(connectPacket())
  await raw.packet(mqtt.connack)
  for (const [index, denied] of [filter, '$share//orders', '$share/a', '$share/a/', '$share/a/$x'].entries()) {
    raw.send(subscribePacket([denied], 1))
    await until(() => raw.packets.length === index + 2, denied)
    expect([denied, raw.packets.at(-1)!.body.at(-1)]).toEqual([denied, 0x80])
  }
  raw.close()
})

test('MQTT 5 is told that there are shared subscriptions', async () => {
  const { port } = await startBroker()
  const raw = await openRaw(port)
  raw.send(connectPacket({ version: 5 }))
  const { body } = await raw.packet(mqtt.connack)
  // Shared Subscription Available (MQTT 5 §3.2.2.3.13).
  expect(body.indexOf(Buffer.of(0x2a, 1))).toBeGreaterThan(0)
  expect(body.indexOf(Buffer.of(0x2a, 0))).toBe(-1)
  raw.close()
})

test('what nobody in the group may read is not in the way of what they may', async () => {
  const broker = await startBroker({ mayReceive: (_principal, topic) => topic !== 'orders/secret' })
  const one = await member(broker.port, 'one')
  broker.say({ topic: 'orders/secret', payload: 'secret' })
  say(broker, upTo(3))
  await until(() => got(one).length === 3, 'what they may read')
  expect(payloads(one)).toEqual(upTo(3))
  expect(broker.broker.counts().queued).toBe(0)
  one.close()
})

test('what comes back from a member that goes comes in order to the one that stays', async () => {
  const broker = await startBroker({ limits: { sentUnansweredMax: 5 } })
  const goes = await member(broker.port, 'goes')
  say(broker, upTo(10))
  await until(() => got(goes).length === 5, 'as much as it takes')
  const comes = await member(broker.port, 'comes')
  await until(() => got(comes).length === 5, 'the rest')
  goes.close()
  await until(() => broker.broker.counts().connections === 1, 'it has gone')
  for (let at = 0; at < 10; at++) {
    await until(() => got(comes).length > at, 'the next')
    comes.send(ackPacket(mqtt.puback, got(comes)[at]!.id))
  }
  expect(payloads(comes)).toEqual([...upTo(5, 5), ...upTo(5)])
  comes.close()
})

test('a client cannot take the name under which a group is stored', async () => {
  const { port } = await startBroker()
  const raw = await openRaw(port)
  raw.send(connectPacket({ clientId: filter, clean: false }))
  expect((await raw.packet(mqtt.connack)).body[1]).toBe(2)
})

test('what all groups together are owed has a bound, but for what is urgent', async () => {
  const broker = await startBroker({ limits: { queuedMessagesInAllMax: 30 } })
  const raw = await connected(broker.port, { clientId: 'many', clean: false })
  raw.send(subscribePacket(upTo(10).map((group) => `$share/${group}/orders/#`)))
  await raw.packet(mqtt.suback)
  raw.close()
  await until(() => broker.broker.counts().connections === 0, 'away')
  say(broker, upTo(5))
  expect(broker.broker.counts()).toMatchObject({ queued: 30, dropped: { offline_queue: 20 } })
  broker.say({ topic: 'orders/1', payload: 'fire', kind: 'urgent' })
  expect(broker.broker.counts().queued).toBe(40)
})

test('the log is not read for groups of which nobody takes more', async () => {
  const memory = createMemoryLog()
  let reads = 0
  const { fetch } = memory
  Object.assign(memory, { fetch: (number: number) => (reads++, fetch(number)) })
  // Nothing is kept in memory, so that each look is seen.
  const broker = await startBroker({ memory, limits: { sentUnansweredMax: 2, recentBytesMax: 0 } })
  const raw = await connected(broker.port, { clientId: 'many' })
  raw.send(subscribePacket(upTo(100).map((group) => `$share/${group}/orders/#`)))
  await raw.packet(mqtt.suback)
  say(broker, upTo(3))
  await until(() => got(raw).length === 2, 'as much as it takes')
  expect(reads).toBe(0)
  raw.send(ackPacket(mqtt.puback, got(raw)[0]!.id))
  await until(() => got(raw).length === 3, 'one more')
  await pause(20)
  expect(reads).toBe(1)
  raw.close()
})

test('of two groups of one member that does not keep up neither waits until the other is done', async () => {
  const broker = await startBroker({ limits: { sentUnansweredMax: 1 } })
  const raw = await connected(broker.port, { clientId: 'slow' })
  raw.send(subscribePacket(['$share/a/orders/#', '$share/b/alarms/#']))
  await raw.packet(mqtt.suback)
  say(broker, upTo(10))
  for (const payload of ['x', 'y']) broker.say({ topic: 'alarms/1', payload })
  for (let at = 0; at < 12; at++) {
    await until(() => got(raw).length > at, 'the next')
    raw.send(ackPacket(mqtt.puback, got(raw)[at]!.id))
  }
  expect(payloads(raw).slice(0, 6).toSorted()).toEqual(['0', '1', '2', '3', 'x', 'y'])
  raw.close()
})

test.each([
  [1, false],
  [2, false],
  [2, true],
] as const)(
  'at QoS %i a message of a group has the identifier of that subscription, whatever others there are (kept: %s)',
  async (qos, kept) => {
    const { port, broker, say: publish } = await startBroker()
    const properties = Buffer.of(0x11, 0, 0, 0, kept ? 100 : 0)
    const come = () => connected(port, { clientId: 'one', version: 5, clean: false, properties })
    const raw = await come()
    for (const [index, asked] of ['#', '$share/a/orders/#', '$share/b/orders/#'].entries()) {
      raw.send(frame(0x82, Buffer.of(0, 1), Buffer.of(2, 0x0b, index + 1), text(asked), Buffer.of(qos)))
      await until(() => raw.packets.length === index + 2, asked)
    }
    publish({ topic: 'orders/1', payload: 'x', qos })
    const identifiers = ({ packets }: typeof raw): (number | undefined)[] =>
      packets
        .filter(({ type }) => type === mqtt.publish)
        // Behind topic and packet identifier: the length of the properties, their name, the number.
        .map(({ body }) => body[14])
        .toSorted()
    await until(() => identifiers(raw).length === 3, 'its own and two')
    expect(identifiers(raw)).toEqual([1, 2, 3])
    raw.close()
    if (!kept) return
    await until(() => broker.counts().connections === 0, 'away')
    const back = await come()
    await until(() => identifiers(back).length === 3, 'again')
    expect(identifiers(back)).toEqual([1, 2, 3])
    back.close()
  },
)

test('what is too large for one member goes to those that take it, and to nobody where none does', async () => {
  const { port, broker, say: publish } = await startBroker()
  const come = async (clientId: string, properties: Buffer) => {
    const raw = await connected(port, { clientId, version: 5, properties })
    raw.send(subscribePacket([filter], 1, 1, 5))
    await raw.packet(mqtt.suback)
    return raw
  }
  // MQTT 5 Maximum Packet Size.
  const small = await come('small', Buffer.of(0x27, 0, 0, 0, 60))
  const large = await come('large', Buffer.alloc(0))
  const count = ({ packets }: typeof small): number => packets.filter(({ type }) => type === mqtt.publish).length
  for (let i = 0; i < 6; i++) publish({ topic: 'orders/1', payload: 'x'.repeat(i % 2 ? 100 : 1) })
  await until(() => count(small) + count(large) === 6, 'all')
  expect(count(small)).toBeGreaterThan(0)
  expect(broker.counts().dropped).toEqual({})
  large.close()
  await until(() => broker.counts().connections === 1, 'only the small one')
  publish({ topic: 'orders/1', payload: 'x'.repeat(100) })
  publish({ topic: 'orders/1', payload: 'last' })
  await until(() => small.packets.at(-1)!.body.toString().endsWith('last'), 'what is behind it')
  expect(broker.counts().dropped['too_large']).toBeGreaterThan(0)
  small.close()
})
