// The delay of a will (MQTT 5 §3.1.3.2.2): it ends when it is over, when the session of its client ends, and not when its client comes
// back to that session; a restart neither ends it nor begins it anew.

import { afterEach, expect, test } from 'vitest'
import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { createMemoryLog, createMemoryStore } from './tools/memory-log.ts'
import { connected, disconnectPacket, type RawConnect } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const seconds = (id: number, value: number): Buffer => Buffer.of(id, 0, 0, value >> 8, value & 255)
const willAfter = (delay: number) => ({ topic: 'gone', payload: 'unit', properties: seconds(0x18, delay) })
const unit = (delay: number, expiry: number, more: RawConnect = {}): RawConnect => ({
  clientId: 'unit',
  version: 5,
  clean: false,
  properties: seconds(0x11, expiry),
  will: willAfter(delay),
  ...more,
})

test('who starts anew ends the session of before: a will that waited is sent, by takeover and after a while away', async () => {
  const { port, broker, received } = await startBroker()
  await connected(port, unit(100, 100))
  const second = await connected(port, unit(100, 100, { clean: true }))
  await until(() => received.length === 1, 'that of the first')
  second.close()
  await until(() => broker.counts().connections === 0, 'away')
  await pause(20)
  expect(received).toHaveLength(1)
  const third = await connected(port, { clientId: 'unit', version: 5, clean: true })
  await until(() => received.length === 2, 'that of the second')
  third.send(disconnectPacket)
  await third.closed
  await pause(20)
  expect(received.map(({ topic, will }) => [topic, will])).toEqual([
    ['gone', true],
    ['gone', true],
  ])
})

test('who comes back to the session is not said to be gone, by takeover or after a while away', async () => {
  const { port, broker, received } = await startBroker()
  await connected(port, unit(1, 100))
  const second = await connected(port, unit(1, 100))
  second.close()
  await until(() => broker.counts().connections === 0, 'away')
  const third = await connected(port, unit(1, 100))
  await pause(1_200)
  expect(received).toEqual([])
  third.close()
  await until(() => received.length === 1, 'gone at last')
})

test('after a crash the end of the session cuts the delay short', async () => {
  const [memory, store] = [createMemoryLog(), createMemoryStore()]
  const { port } = await startBroker({ memory, store })
  // It ends with its connection, and its client is given 1.5 s to come back.
  await connected(port, unit(1_000, 0, { keepAlive: 1 }))
  await closeBrokers()
  const { received } = await startBroker({ memory, store: store.crashed() })
  await until(() => received.length === 1, 'its will', 2_500)
})

test('a restart does not begin the delay anew', async () => {
  const [memory, store] = [createMemoryLog(), createMemoryStore()]
  const first = await startBroker({ memory, store })
  const raw = await connected(first.port, unit(3, 100, { keepAlive: 60 }))
  raw.close()
  await until(() => first.broker.counts().connections === 0, 'away')
  const left = performance.now()
  await closeBrokers()
  await pause(1_500)
  const second = await startBroker({ memory, store })
  await pause(500)
  await closeBrokers()
  const third = await startBroker({ memory, store })
  await until(() => third.received.length === 1, 'its will', 3_000)
  expect(second.received).toEqual([])
  expect(performance.now() - left).toBeGreaterThan(2_900)
  expect(performance.now() - left).toBeLessThan(4_000)
})
