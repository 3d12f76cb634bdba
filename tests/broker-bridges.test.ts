// What mosquitto's bridges need of a broker and cannot say: over MQTT 5 they ask for the session they left, and name no expiry for it.

import { afterEach, expect, test } from 'vitest'
import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { connected, mqtt, subscribePacket } from './tools/raw-mqtt.ts'
import { got } from './tools/raw-session.ts'

afterEach(closeBrokers)

const state = { topic: '$SYS/broker/connection/county-b/state', payload: '0' }
const asMosquitto = { clientId: 'county-b', version: 5, clean: false, will: state } as const

/** CONNACK in MQTT 5: acknowledge flags, reason, properties. */
const isPresent = (body: Uint8Array): boolean => body[0] === 1

test('a bridge of mosquitto finds over MQTT 5 what came while it was away, and is told for how long', async () => {
  const { port, say } = await startBroker()
  const first = await connected(port, asMosquitto)
  const told = first.packets[0]!.body
  // Session Expiry Interval (0x11), 7 days in seconds.
  const at = told.indexOf(Buffer.of(0x11, 0, 0x09, 0x3a, 0x80))
  expect(at).toBeGreaterThan(1)
  first.send(subscribePacket(['orders/#'], 1, 1, 5))
  await first.packet(mqtt.suback)
  first.close()
  await pause(20)
  say({ topic: 'orders/1', payload: 'while away', qos: 1 })
  const second = await connected(port, asMosquitto)
  expect(isPresent(second.packets[0]!.body)).toBe(true)
  await until(() => got(second).length === 1, 'delivered')
  second.close()
})

test.each([
  ['another client of MQTT 5 that names no expiry', { will: { topic: 'devices/7/gone', payload: '' } }],
  ['a bridge that asks for a clean start', { clean: true }],
  ['a bridge that says itself that its session is to end', { properties: Buffer.of(0x11, 0, 0, 0, 0) }],
])('%s has no session when it comes again', async (_, differs) => {
  const { port } = await startBroker()
  const first = await connected(port, { ...asMosquitto, ...differs })
  first.close()
  await pause(20)
  const second = await connected(port, { ...asMosquitto, ...differs, clean: false })
  expect(isPresent(second.packets[0]!.body)).toBe(false)
  second.close()
})
