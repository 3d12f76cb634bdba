// A client id has one connection, and a connection that has ended leaves nothing behind, whenever it ends.

import { Duplex } from 'node:stream'
import { afterEach, expect, test } from 'vitest'

import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { createMemoryStore } from './tools/memory-log.ts'
import { connectPacket, disconnectPacket, frame, mqtt, openRaw, pingPacket, type RawMqtt } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

async function open(port: number, count: number): Promise<RawMqtt[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(port)))
}

test.each([4, 5] as const)(
  'of many that come at once with one client id one stays (MQTT version %i)',
  async (version) => {
    const { port, broker, events } = await startBroker()
    const [first, ...others] = await open(port, 6)
    first!.send(connectPacket({ clientId: 'unit', version }))
    await first!.packet(mqtt.connack)
    for (const other of others) other.send(connectPacket({ clientId: 'unit', version }))
    await until(() => broker.counts().connections === 1, 'one is left')
    expect(events.filter(({ kind }) => kind === 'connected')).toHaveLength(6)
    expect(events.filter(({ kind }) => kind === 'disconnected')).toHaveLength(5)
    expect(broker.counts().cut).toEqual({ taken_over: 5 })
    // MQTT 5 §3.1.4: told why.
    if (version === 5) expect((await first!.packet(mqtt.disconnect)).body[0]).toBe(0x8e)
    for (const each of [first!, ...others]) each.close()
    await until(() => events.filter(({ kind }) => kind === 'disconnected').length === 6, 'all have gone')
  },
)

test('the will of who takes over is kept when that of the one before has been sent', async () => {
  const store = createMemoryStore()
  const { port, received } = await startBroker({ store })
  const willOf = (payload: string) => connectPacket({ clientId: 'unit', will: { topic: 'gone', payload } })
  const kept = (): string[] => store.load().wills.map(({ payload }) => String(payload))
  const [first, second, third] = await open(port, 3)
  first!.send(willOf('first'))
  await first!.packet(mqtt.connack)
  second!.send(willOf('second'))
  await second!.packet(mqtt.connack)
  await until(() => received.length === 1, 'the will of the first')
  await pause(20)
  expect(String(received[0]!.payload)).toBe('first')
  expect(kept()).toEqual(['second'])
  second!.send(disconnectPacket)
  await second!.closed
  await until(() => kept().length === 0, 'the will of the second is not to be sent')
  third!.send(willOf('third'))
  await third!.packet(mqtt.connack)
  expect(kept()).toEqual(['third'])
  third!.close()
  await until(() => received.length === 2 && kept().length === 0, 'it is sent, and kept no longer')
})

test('who goes before he is let in takes nothing from who is here', async () => {
  const plain = createMemoryStore()
  // So long it takes until a will is stored.
  const store = { ...plain, flush: () => pause(60) }
  const { port, broker, events } = await startBroker({ store })
  const [here, goes, comes] = await open(port, 3)
  here!.send(connectPacket({ clientId: 'unit' }))
  await here!.packet(mqtt.connack)
  goes!.send(connectPacket({ clientId: 'unit', will: { topic: 'gone', payload: 'x' } }))
  await pause(30)
  goes!.socket.resetAndDestroy()
  await pause(80)
  here!.send(pingPacket)
  await here!.packet(mqtt.pingresp)
  comes!.send(connectPacket({ clientId: 'unit' }))
  await comes!.packet(mqtt.connack)
  await here!.closed
  comes!.close()
  await until(() => broker.counts().connections === 0, 'all have gone')
  await pause(20)
  const told = events.map(({ kind }) => kind)
  expect(told).toEqual(['connected', 'disconnected', 'connected', 'disconnected'])
})

test('a session that ends while its client is being let in once more is not said to be there', async () => {
  const store = { ...createMemoryStore(), flush: () => pause(60) }
  const { port, broker } = await startBroker({ store })
  const unit = { clientId: 'unit', version: 5, clean: false, properties: Buffer.of(0x11, 0, 0, 0, 100) } as const
  const [first, second] = await open(port, 2)
  first!.send(connectPacket(unit))
  await first!.packet(mqtt.connack)
  second!.send(connectPacket({ ...unit, will: { topic: 'gone', payload: 'x' } }))
  await pause(30)
  // DISCONNECT that ends its session.
  first!.send(frame(0xe0, Buffer.of(0, 5, 0x11, 0, 0, 0, 0)))
  expect((await second!.packet(mqtt.connack)).body[0]).toBe(0)
  second!.close()
  await until(() => broker.counts().connections === 0, 'both have gone')
  const third = await openRaw(port)
  third.send(connectPacket(unit))
  expect((await third.packet(mqtt.connack)).body[0]).toBe(1)
  third.close()
})

test('who goes while he is being let in leaves no session that nobody ever leaves', async () => {
  let people = 0
  const line = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const { broker, port } = await startBroker({
    authenticate: () => Promise.resolve({ name: `person ${++people}` }),
    // It ends when aedes has counted it in and has not told it yet.
    onEvent: ({ kind }) => void (kind === 'connected' && people === 1 && line.destroy()),
  })
  broker.enter(line, { address: '127.0.0.1', listener: 'tcp' })
  line.push(connectPacket({ clientId: 'unit' }))
  await until(() => people === 1 && line.destroyed, 'it has come and gone')
  await pause(50)
  const other = await openRaw(port)
  other.send(connectPacket({ clientId: 'unit' }))
  // Refused as long as somebody else has the name.
  expect((await other.packet(mqtt.connack)).body[1]).toBe(0)
  other.close()
})
