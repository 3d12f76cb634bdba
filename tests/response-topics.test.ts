// Who asks for an answer names the topic of it, and who answers may publish in more places. So nobody is made to answer where the asking
// one could not read it, nor where an answer would be read as an event that he could not publish; and what he asked comes unaltered.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

import { hashSecret } from '../gateway/policy/secrets.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { openTestLog } from './grpc-log.ts'
import { closeBrokers, startBroker, until } from './tools/broker.ts'
import {
  connected,
  frame,
  mqtt,
  openRaw,
  subscribePacket,
  text,
  withoutReason,
  type RawMqtt,
} from './tools/raw-mqtt.ts'
import { createMemoryStore } from './tools/memory-log.ts'
import { tempFolder } from './tools/temp-folder.ts'

afterEach(closeBrokers)

const listed = (...items: readonly Uint8Array[]): Buffer => {
  const whole = Buffer.concat(items)
  return Buffer.concat([
    whole.length < 128 ? Buffer.of(whole.length) : Buffer.of((whole.length & 127) | 128, whole.length >> 7),
    whole,
  ])
}
const responseTopic = (topic: string): Buffer => Buffer.concat([Buffer.of(8), text(topic)])

/** Its PUBACK or PUBREC: the code, and the words. */
async function ask(raw: RawMqtt, topic: string, answerOn: string, qos: 1 | 2 = 1): Promise<readonly [number, string?]> {
  const from = raw.packets.length
  raw.send(frame(0x30 | (qos << 1), text(topic), Buffer.of(0, 7), listed(responseTopic(answerOn)), Buffer.from('?')))
  const { body, words } = withoutReason(await raw.packet(qos === 1 ? mqtt.puback : mqtt.pubrec, from))
  return words === undefined ? [body[2] ?? 0] : [body[2] ?? 0, words]
}

const house = { mayBeAnswered: (_principal: unknown, topic: string) => topic.startsWith('answers/') }

test('a request whose answer may be sent there reaches its readers with its response topic, unaltered', async () => {
  const { port } = await startBroker(house)
  const responder = await connected(port, { version: 5, clientId: 'responder' })
  responder.send(subscribePacket(['ask'], 0, 1, 5))
  await responder.packet(9)
  const asking = await connected(port, { version: 5, clientId: 'asking' })
  expect(await ask(asking, 'ask', 'answers/ü')).toEqual([0])
  const { body } = await responder.packet(mqtt.publish)
  expect(body).toEqual(Buffer.concat([text('ask'), listed(responseTopic('answers/ü')), Buffer.from('?')]))
})

test.each([1, 2] as const)(
  'one whose answer may not be sent there is forbidden and reaches nobody, at QoS %i',
  async (qos) => {
    const { port, received, broker, events } = await startBroker(house)
    const responder = await connected(port, { version: 5, clientId: 'responder' })
    responder.send(subscribePacket(['#'], 0, 1, 5))
    await responder.packet(9)
    const asking = await connected(port, { version: 5, clientId: 'asking' })
    for (const topic of ['plant/valve', '$SYS/x', `answers/${'x'.repeat(250)}`, `answers${'/x'.repeat(16)}`]) {
      expect(await ask(asking, 'ask', topic, qos)).toEqual([0x87, 'no answer here'])
    }
    expect(received.map(({ topic, permitted, denied }) => [topic, permitted, denied?.what])).toEqual(
      Array.from({ length: 4 }, () => ['ask', false, 'answer']),
    )
    expect(broker.counts().forbidden).toBe(4)
    expect(events).toContainEqual({
      kind: 'forbidden',
      action: 'answer',
      clientId: 'asking',
      principal: 'anybody',
      topic: 'plant/valve',
    })
    expect(responder.packets.filter(({ type }) => type === mqtt.publish)).toEqual([])
  },
)

const comesWithWill = (answerOn: string): Buffer =>
  frame(
    0x10,
    text('MQTT'),
    Buffer.of(5, 6, 0, 1, 0),
    text('unit'),
    listed(responseTopic(answerOn)),
    text('w'),
    text('x'),
  )

test('a will that asks for more than its client may have is refused at CONNECT', async () => {
  const { port } = await startBroker(house)
  const raw = await openRaw(port)
  raw.send(comesWithWill('plant/valve'))
  const { body, words } = withoutReason(await raw.packet(mqtt.connack))
  expect([body[1], words]).toEqual([0x87, 'its will: no answer here'])
  await raw.closed
})

test('nor is a will sent after a restart that may not ask so any more', { timeout: 10_000 }, async () => {
  const store = createMemoryStore()
  const before = await startBroker({ ...house, store })
  const raw = await openRaw(before.port)
  raw.send(comesWithWill('answers/unit'))
  await raw.packet(mqtt.connack)
  await before.broker.close()
  const after = await startBroker({ store, mayBeAnswered: () => false })
  await until(() => store.load().wills.length === 0, 'the will is over', 5_000)
  expect(after.received).toEqual([])
})

test(
  'a gateway lets answers be asked for where the asking one may read them and do no harm',
  { timeout: 40_000 },
  async () => {
    const dataDir = tempFolder('answers')
    const file = join(tempFolder('settings'), 'tocsin.yaml')
    const hash = await hashSecret(Buffer.from('secret'))
    writeFileSync(
      file,
      `mqtt:
  users:
    - {name: narrow, secret_hash: "${hash}", publish: [plant/ask], subscribe: [plant/answers/narrow/#]}
    - {name: wide, secret_hash: "${hash}", publish: [plant/ask], subscribe: ['#']}
    - {name: device, secret_hash: "${hash}", publish: [plant/ask, 'tocsin/in/senml/#'], subscribe: ['#']}
`,
    )
    const gateway = await startGatewayProcess({ dataDir, file })
    const as = async (user: string): Promise<RawMqtt> => {
      const raw = await openRaw(gateway.mqttPort)
      raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 0xc2, 0, 60, 0), text(user), text(user), text('secret')))
      await raw.packet(mqtt.connack)
      return raw
    }
    const [narrow, wide, device] = [await as('narrow'), await as('wide'), await as('device')]
    const unread = 0x10
    const codeOf = async (raw: RawMqtt, topic: string): Promise<number> => (await ask(raw, 'plant/ask', topic))[0]

    expect(await codeOf(narrow, 'plant/answers/narrow/7')).toBe(unread)
    expect(await ask(narrow, 'plant/ask', 'plant/answers/other/7')).toEqual([
      0x87,
      expect.stringMatching(/^its response topic is one that this sender may not read; .*mqtt\.users/),
    ])
    expect(await codeOf(wide, 'plant/answers/other/7')).toBe(unread)
    // An answer there would be an event, with the authority of who answers.
    expect((await ask(wide, 'plant/ask', 'tocsin/in/senml/wide'))[1]).toMatch(/^its response topic is read as messages/)
    expect(await codeOf(device, 'tocsin/in/senml/wide')).toBe(unread)
    for (const topic of ['tocsin/v1/county-a/x', 'tocsin/refused/other']) expect(await codeOf(wide, topic)).toBe(0x87)
    // Nobody else publishes there, and it is what it would be told on.
    expect(await codeOf(wide, 'tocsin/refused/wide')).toBe(unread)
    for (const raw of [narrow, wide, device]) raw.close()
    await gateway.stop()

    const log = await openTestLog(dataDir)
    const { frames } = log.readFrames(0, { frames: 100, bytes: 1e6 })!
    const asked = frames.filter(({ frame: { channel } }) => channel === 'plant/ask').map(({ frame: kept }) => kept)
    expect(asked.map(({ fault, mqtt: envelope }) => [fault ?? '', envelope?.responseTopic])).toEqual([
      ['', 'plant/answers/narrow/7'],
      ['forbidden', undefined],
      ['', 'plant/answers/other/7'],
      ['forbidden', undefined],
      ['', 'tocsin/in/senml/wide'],
      ['forbidden', undefined],
      ['forbidden', undefined],
      ['', 'tocsin/refused/wide'],
    ])
    await log.close()
  },
)
