// SUBSCRIBE costs what it may cost: so many filters, so many retained messages in line, and no turn that others wait for.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, expect, test } from 'vitest'

import { closeBrokers, pause, startBroker, until } from './tools/broker.ts'
import { createMemoryLog, createMemoryStore } from './tools/memory-log.ts'
import { connected, frame, mqtt, publishPacket, subscribePacket, text } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const reader = (port: number, clean = true) => connected(port, { clientId: 'reader', clean })

const filters = (count: number, prefix = 'f'): string[] => Array.from({ length: count }, (_, i) => `${prefix}/${i}`)

test.each([true, false])(
  'more filters in one packet than a client may have close the connection (clean: %s)',
  async (clean) => {
    const { port, events } = await startBroker()
    const client = await reader(port, clean)
    // About as many as there is room for in the largest packet.
    const many = Buffer.concat(
      Array.from({ length: 120_000 }, (_, i) => Buffer.concat([text(i.toString(36)), Buffer.of(1)])),
    )
    client.send(frame(0x82, Buffer.of(0, 1), many))
    await client.closed
    await until(() => events.some((event) => event.kind === 'disconnected'), 'it is told')
    expect(events.at(-1)).toMatchObject({ why: 'protocol', detail: 'more than 1000 filters' })
  },
)

test('filters beyond those that a client may have are refused, in one packet as in many', async () => {
  const { port } = await startBroker()
  const client = await reader(port)
  client.send(subscribePacket(filters(600), 1, 1))
  await client.packet(mqtt.suback)
  client.send(subscribePacket([...filters(100), ...filters(500, 'g')], 1, 2))
  await until(() => client.packets.length === 3, 'the second SUBACK')
  const codes = [...client.packets[2]!.body.subarray(2)]
  expect(codes.filter((code) => code === 1)).toHaveLength(100 + 400)
  expect(codes.slice(500)).toEqual(Array.from({ length: 100 }, () => 0x80))
})

test('who subscribes again and again without reading is owed no more than a session may be', async () => {
  const { port, say, broker } = await startBroker({ limits: { queuedMessagesMax: 10_000 } })
  for (let i = 0; i < 4_000; i++) say({ topic: `r/${i}`, payload: 'x', retain: true })
  const client = await reader(port)
  for (let id = 1; id <= 20; id++) client.send(subscribePacket(['#'], 1, id))
  await until(() => client.packets.filter(({ type }) => type === mqtt.suback).length === 20, 'all are answered')
  expect(broker.counts().queued).toBe(10_000)
  expect(broker.counts().dropped.offline_queue).toBe(20 * 4_000 - 10_000 - 92)
})

test('a thousand filters that cover all that is retained hold nobody up', async () => {
  const { port, say } = await startBroker({ limits: { queuedMessagesMax: 30_000 } })
  for (let i = 0; i < 20_000; i++) say({ topic: `a/b/c/d/e/f/g/h/i/j/${i}`, payload: 'x', retain: true })
  const client = await reader(port)
  // Each level as it is, or any: 2 to the tenth ways to say the same.
  const ways = Array.from({ length: 1_000 }, (_, way) =>
    [...'abcdefghij', '#'].map((level, i) => (level !== '#' && way & (1 << i) ? '+' : level)).join('/'),
  )
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  client.send(subscribePacket(ways, 0, 1))
  await client.packet(mqtt.suback)
  await pause(500)
  delay.disable()
  // It took a minute in one turn.
  expect(delay.max / 1e6).toBeLessThan(1_500)
})

test('with No Local a client is not given what it retained itself, over a restart either', async () => {
  const [memory, store] = [createMemoryLog(), createMemoryStore()]
  const first = await startBroker({ memory, store })
  const bridge = await connected(first.port, { clientId: 'bridge', version: 5 })
  bridge.send(publishPacket('r/mine', { id: 1, retain: true, payload: 'x', version: 5 }))
  await bridge.packet(mqtt.puback)
  first.say({ topic: 'r/other', payload: 'y', retain: true })
  const noLocal = 4
  const retained = async (port: number, clientId: string): Promise<string[]> => {
    const raw = await connected(port, { clientId, version: 5 })
    raw.send(subscribePacket(['r/#'], noLocal, 7, 5))
    await raw.packet(mqtt.suback)
    await pause(30)
    raw.close()
    return raw.packets.flatMap(({ type, body }) =>
      type === mqtt.publish ? [body.toString('utf8', 2, 2 + body.readUInt16BE(0))] : [],
    )
  }
  expect(await retained(first.port, 'bridge')).toEqual(['r/other'])
  await closeBrokers()
  const second = await startBroker({ memory, store })
  expect(await retained(second.port, 'bridge')).toEqual(['r/other'])
  expect((await retained(second.port, 'somebody')).toSorted()).toEqual(['r/mine', 'r/other'])
})
