// The properties of a message of MQTT 5 reach who reads it as they were sent: user properties in their order, with every repetition of
// a name (§3.3.2.3.7), over the log, a restart and a will.

import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'

import { defaultLimits } from '../broker/limits.ts'
import { packetFault } from '../broker/packets.ts'
import type { UserProperty } from '../broker/port.ts'
import { readPublish, writePublish } from '../broker/publish-packet.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { openTestLog } from './grpc-log.ts'
import { closeBrokers, startBroker, until } from './tools/broker.ts'
import { createMemoryStore } from './tools/memory-log.ts'
import { connectPacket, frame, mqtt, openRaw, subscribePacket, text, type RawMqtt } from './tools/raw-mqtt.ts'
import { tempFolder } from './tools/temp-folder.ts'

afterEach(closeBrokers)

const route: readonly UserProperty[] = [
  ['via', 'mast 3'],
  ['unit', 'mm'],
  ['via', 'hill 1'],
  ['', ''],
  ['unit', 'mm'],
  ['__proto__', 'ü'],
  ['via', 'mast 3'],
]
const listed = (...items: readonly Uint8Array[]): Buffer => {
  const whole = Buffer.concat(items)
  return Buffer.concat([Buffer.of(whole.length), whole])
}
const userProperties = (pairs: readonly UserProperty[]): Buffer =>
  Buffer.concat(pairs.map(([name, value]) => Buffer.concat([Buffer.of(0x26), text(name), text(value)])))
const id = Buffer.of(0, 9)

async function reader(port: number, filter: string, clientId = 'reader'): Promise<RawMqtt> {
  const raw = await openRaw(port)
  raw.send(connectPacket({ version: 5, clientId }), subscribePacket([filter], 0, 1, 5))
  await raw.packet(mqtt.suback)
  return raw
}

test('user properties come to a reader in the order in which they were sent, the same bytes', async () => {
  const { port, received } = await startBroker()
  const subscriber = await reader(port, 'a/#')
  const sender = await openRaw(port)
  sender.send(connectPacket({ version: 5, clientId: 'sender' }))
  sender.send(frame(0x32, text('a/b'), id, listed(userProperties(route)), Buffer.from('payload')))
  const { body } = await subscriber.packet(mqtt.publish)
  expect(body).toEqual(Buffer.concat([text('a/b'), listed(userProperties(route)), Buffer.from('payload')]))
  expect(received[0]!.properties).toEqual({ userProperties: route })
})

test('so do those of a will, also when the gateway was restarted before it was sent', async () => {
  const store = createMemoryStore()
  const first = await startBroker({ store })
  const vanishing = await openRaw(first.port)
  const correlation = Buffer.concat([Buffer.of(0x09), text(Buffer.of(0, 255))])
  const will = [listed(userProperties(route), correlation), text('gone/unit'), text('silent')]
  vanishing.send(frame(0x10, text('MQTT'), Buffer.of(5, 6, 0, 1), Buffer.of(0), text('unit'), ...will))
  await vanishing.packet(mqtt.connack)
  await first.broker.close()
  const second = await startBroker({ store })
  await until(() => second.received.length === 1, 'the will is sent', 4_000)
  expect(second.received[0]).toMatchObject({
    topic: 'gone/unit',
    will: true,
    properties: { userProperties: route, correlationData: Buffer.of(0, 255) },
  })
})

test('the log has them in their order, and gives them so to who was away', { timeout: 30_000 }, async () => {
  const dataDir = tempFolder('user-properties')
  const before = await startGatewayProcess({ dataDir })
  const away = await openRaw(before.mqttPort)
  const week = Buffer.concat([Buffer.of(5, 0x11), Buffer.of(0, 9, 58, 128)])
  const comes = frame(0x10, text('MQTT'), Buffer.of(5, 0, 0, 60), week, text('away'))
  away.send(comes, subscribePacket(['plant/#'], 1, 1, 5))
  await away.packet(mqtt.suback)
  away.close()
  const sender = await openRaw(before.mqttPort)
  sender.send(connectPacket({ version: 5, clientId: 'sender' }))
  sender.send(frame(0x32, text('plant/x'), id, listed(userProperties(route)), Buffer.from('1')))
  await sender.packet(mqtt.puback)
  await before.stop()

  const after = await startGatewayProcess({ dataDir })
  const back = await openRaw(after.mqttPort)
  back.send(comes)
  const { body } = await back.packet(mqtt.publish)
  expect(body.includes(listed(userProperties(route)))).toBe(true)
  back.close()
  await after.stop()

  const log = await openTestLog(dataDir)
  const { frames } = log.readFrames(0, { frames: 100, bytes: 1e6 })!
  const kept = frames.find(({ frame: { channel } }) => channel === 'plant/x')!.frame.properties
  expect(kept?.map(({ name = '', value = '' }) => [name, value])).toEqual(route)
  await log.close()
})

const anyText = fc.string({ unit: 'grapheme', maxLength: 8 })
const properties = fc.record(
  {
    contentType: anyText,
    userProperties: fc.array(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 40 }),
    responseTopic: fc.constantFrom('answers/7', 'ü'),
    correlationData: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    messageExpirySeconds: fc.nat(),
    payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
  },
  { requiredKeys: [], noNullPrototype: true },
)
const packet = fc.record({
  topic: fc.constantFrom('a/b', 'ü'),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  retain: fc.boolean(),
  properties,
  topicAlias: fc.option(fc.integer({ min: 1, max: 0xffff }), { nil: undefined }),
})

test('whatever names repeat, what is written of a message is sound and is read again as the same', () => {
  fc.assert(
    fc.property(packet, (given) => {
      const sent = { ...given, dup: false, packetId: given.qos > 0 ? 7 : 0 }
      const bytes = writePublish({ ...sent, version: 5, subscriptionIdentifiers: [] })
      expect(packetFault(bytes, 0, bytes.length, 5, defaultLimits)).toBeUndefined()
      const { topicAlias, ...rest } = sent
      expect(readPublish(bytes, 0, bytes.length, 5)).toEqual(topicAlias === undefined ? rest : { ...rest, topicAlias })
    }),
    { numRuns: 2_000 },
  )
})
