// A client that sends as fast as it can costs the others little.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, expect, test } from 'vitest'

import { closeBrokers, startBroker, until } from './tools/broker.ts'
import { connected, frame, mqtt, pingPacket, publishPacket, text } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const times = (count: number, packet: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => packet))

test('four hundred thousand PINGREQ are answered in little time, and little of it at once', async () => {
  const { port } = await startBroker()
  const { socket } = await connected(port, { clientId: 'flood' })
  let bytes = 0
  socket.removeAllListeners('data').on('data', (chunk: Buffer) => void (bytes += chunk.length))
  const flood = times(400_000, pingPacket)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const begun = performance.now()
  socket.write(flood)
  await until(() => bytes === 800_000, 'all are answered', 10_000)
  delay.disable()
  // Through aedes it took 3.5 s.
  expect(performance.now() - begun).toBeLessThan(1_000)
  expect(delay.max / 1e6).toBeLessThan(250)
  socket.destroy()
})

test('while one unsubscribes ten thousand times, another’s message is acknowledged', async () => {
  const { port } = await startBroker()
  const flood = await connected(port, { clientId: 'flood' })
  const device = await connected(port, { clientId: 'device' })
  const unsubscribe = frame(0xa2, Buffer.of(0, 1), text('a'))
  flood.send(times(10_000, unsubscribe))
  await flood.packet(11)
  device.send(publishPacket('a', { id: 1 }))
  await device.packet(mqtt.puback)
  expect(flood.packets.length).toBeLessThan(5_000)
  await until(() => flood.packets.length === 10_001, 'all are answered', 10_000)
  flood.close()
  device.close()
})
