// Who is cut is told why, also when he is still sending and slow to read: closing on what nobody has read would take the last word back.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'

import { closeBrokers, startBroker } from './tools/broker.ts'
import { connected, mqtt, pingPacket, publishPacket } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

test('a client that goes on sending for a second reads DISCONNECT with its reason', async () => {
  const { port } = await startBroker()
  const raw = await connected(port, { version: 5 })
  raw.socket.pause()
  // A third time without DUP.
  const packet = publishPacket('a', { qos: 2, id: 7, payload: 'x', version: 5 })
  raw.send(packet, packet, packet)
  for (let sent = 0; sent < 20; sent++) {
    await sleep(50)
    raw.send(pingPacket)
  }
  raw.socket.resume()
  const { body } = await raw.packet(mqtt.disconnect)
  expect(body[0]).toBe(0x82)
  await raw.closed
})
