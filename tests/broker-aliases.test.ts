// Topic aliases in what a client is sent: only to whom takes them, no more than it takes, each known before it stands alone.

import { afterEach, expect, test } from 'vitest'

import { closeBrokers, startBroker, until } from './tools/broker.ts'
import {
  connectPacket,
  frame,
  mqtt,
  openRaw,
  publishPacket,
  subscribePacket,
  text,
  type RawMqtt,
} from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

/** A reader of everything that takes so many aliases, and no packet larger than that. */
async function reader(port: number, aliasesMax: number, packetBytesMax = 10_000): Promise<RawMqtt> {
  const raw = await openRaw(port)
  const properties = Buffer.of(
    8,
    0x22,
    aliasesMax >> 8,
    aliasesMax & 255,
    0x27,
    0,
    0,
    packetBytesMax >> 8,
    packetBytesMax & 255,
  )
  raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 2, 0, 60), properties, text('reader')))
  await raw.packet(mqtt.connack)
  raw.send(subscribePacket(['#'], 1, 1, 5))
  await raw.packet(mqtt.suback)
  return raw
}

async function publish(port: number, ...messages: readonly (readonly [string, string])[]): Promise<void> {
  const raw = await openRaw(port)
  raw.send(connectPacket({ clientId: 'writer' }))
  await raw.packet(mqtt.connack)
  raw.send(...messages.map(([topic, payload]) => publishPacket(topic, { qos: 0, payload })))
  raw.socket.end()
  await raw.closed
}

/** Of a PUBLISH of QoS 0: topic, alias, payload. */
function read({ body }: { body: Buffer }): [string, number | undefined, string] {
  const topicEnd = 2 + body.readUInt16BE(0)
  const propertiesEnd = topicEnd + 1 + body[topicEnd]!
  const alias = body[topicEnd] === 3 && body[topicEnd + 1] === 0x23 ? body.readUInt16BE(topicEnd + 2) : undefined
  return [body.toString('utf8', 2, topicEnd), alias, body.toString('utf8', propertiesEnd)]
}

async function given(raw: RawMqtt, count: number): Promise<ReturnType<typeof read>[]> {
  const messages = () => raw.packets.filter(({ type }) => type === mqtt.publish)
  await until(() => messages().length === count, `${count} messages`)
  return messages().map(read)
}

test('the first topics get one, and the topic itself is sent once for each', async () => {
  const { port } = await startBroker()
  const raw = await reader(port, 2)
  await publish(port, ['a', '1'], ['b/c', '2'], ['a', '3'], ['d', '4'], ['b/c', '5'], ['d', '6'])
  expect(await given(raw, 6)).toEqual([
    ['a', 1, '1'],
    ['b/c', 2, '2'],
    ['', 1, '3'],
    ['d', undefined, '4'],
    ['', 2, '5'],
    ['d', undefined, '6'],
  ])
  raw.close()
})

test('who takes none is sent none', async () => {
  const { port } = await startBroker()
  const raw = await reader(port, 0)
  await publish(port, ['a', '1'], ['a', '2'])
  expect(await given(raw, 2)).toEqual([
    ['a', undefined, '1'],
    ['a', undefined, '2'],
  ])
  raw.close()
})

test('no more are made than the limit, whatever a client takes', async () => {
  const { port } = await startBroker({ limits: { topicAliasesMax: 1 } })
  const raw = await reader(port, 65_535)
  await publish(port, ['a', '1'], ['b', '2'], ['a', '3'])
  expect(await given(raw, 3)).toEqual([
    ['a', 1, '1'],
    ['b', undefined, '2'],
    ['', 1, '3'],
  ])
  raw.close()
})

test('one that went with a message too large for the client is not known to it', async () => {
  const { port } = await startBroker()
  const raw = await reader(port, 1, 60)
  await publish(port, ['a', 'x'.repeat(100)], ['a', '2'], ['a', '3'])
  expect(await given(raw, 2)).toEqual([
    ['a', 1, '2'],
    ['', 1, '3'],
  ])
  raw.close()
})

test('a new connection begins anew', async () => {
  const { port } = await startBroker()
  for (let time = 0; time < 2; time++) {
    const raw = await reader(port, 5)
    await publish(port, ['a', '1'])
    expect(await given(raw, 1)).toEqual([['a', 1, '1']])
    raw.close()
    await raw.closed
  }
})
