// MQTT 5 as mqtt.js speaks it, against a whole gateway: what it is told when it connects, what it is given of a message, and which
// reasons it sees.

import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { until } from './tools/broker.ts'

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess({ settings: { MQTT_KEEP_ALIVE_MAX: '60s' } })
})
afterAll(() => gateway.stop())

const clients: MqttClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true)
})

interface Connected {
  readonly client: MqttClient
  readonly connack: IConnackPacket
  /** Messages that it was given: topic, text, and the packet. */
  readonly given: [string, string, IPublishPacket][]
}

async function connected(options: IClientOptions = {}, port = gateway.mqttPort): Promise<Connected> {
  const client = connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  clients.push(client)
  const given: Connected['given'] = []
  client.on('message', (topic, payload, packet) => given.push([topic, payload.toString(), packet]))
  client.on('error', () => {})
  const connack = await welcomed(client)
  return { client, connack, given }
}

const welcomed = (client: MqttClient): Promise<IConnackPacket> =>
  new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('close', () => reject(new Error('closed before CONNACK')))
  })

const texts = ({ given }: Connected): string[] => given.map(([, text]) => text)

/** The packets of a kind that come to it from here on, as they came: mqtt.js writes in them later. */
function received<Kind extends string>(client: MqttClient, cmd: Kind): { reasonCode?: number; topic?: string }[] {
  const packets: object[] = []
  client.on('packetreceive', (packet) => packet.cmd === cmd && packets.push(structuredClone(packet)))
  return packets
}

/** What a call was refused with. */
const refusal = (call: Promise<unknown>): Promise<number | undefined> =>
  call.then(
    () => undefined,
    (error: { code: number }) => error.code,
  )

test('CONNACK tells it the limits, its name, and what it was held to', async () => {
  const { connack } = await connected({
    clientId: '',
    keepalive: 120,
    properties: { sessionExpiryInterval: 0xffff_ffff },
  })
  const { assignedClientIdentifier, ...told } = connack.properties!
  expect(assignedClientIdentifier).toMatch(/^\S{8,}$/)
  expect({ ...told }).toMatchObject({
    serverKeepAlive: 60,
    sessionExpiryInterval: 7 * 24 * 3_600,
    receiveMaximum: 1_000,
    maximumPacketSize: 1 << 20,
    topicAliasMaximum: 10,
    sharedSubscriptionAvailable: true,
  })
  expect([connack.reasonCode, connack.sessionPresent]).toEqual([0, false])
  // Who asks for what is taken is not told anything else.
  const modest = await connected({ clientId: 'modest', keepalive: 30, properties: { sessionExpiryInterval: 30 } })
  for (const name of ['serverKeepAlive', 'sessionExpiryInterval', 'assignedClientIdentifier']) {
    expect(modest.connack.properties).not.toHaveProperty(name)
  }
})

test.each([0, 1, 2] as const)('a message comes as it was sent, with all its properties, at QoS %i', async (qos) => {
  const reader = await connected()
  await reader.client.subscribeAsync(`whole/${qos}`, { qos: 2, properties: { subscriptionIdentifier: 268_435_455 } })
  const { client } = await connected()
  const properties = {
    payloadFormatIndicator: true,
    contentType: 'text/plain; charset=utf-8',
    responseTopic: 'whole/answers',
    correlationData: Buffer.of(0, 1, 255),
    userProperties: { unit: ['m', 'ft', 'm'], site: 'weir é' },
  }
  await client.publishAsync(`whole/${qos}`, 'höhe', {
    qos,
    properties: { ...properties, messageExpiryInterval: 3_600 },
  })
  await until(() => reader.given.length === 1, 'the message')
  const [topic, text, packet] = reader.given[0]!
  const { messageExpiryInterval, ...rest } = packet.properties!
  expect([topic, text, packet.qos, packet.retain]).toEqual([`whole/${qos}`, 'höhe', qos, false])
  expect(messageExpiryInterval).toBeGreaterThan(3_590)
  expect(messageExpiryInterval).toBeLessThanOrEqual(3_600)
  expect({ ...rest, userProperties: { ...rest.userProperties } }).toEqual({
    ...properties,
    subscriptionIdentifier: 268_435_455,
  })
})

test('a message that has expired is not given to who comes back for it', async () => {
  const options = { clientId: 'sleeper', clean: false, properties: { sessionExpiryInterval: 60 } }
  const before = await connected(options)
  await before.client.subscribeAsync('short/#', { qos: 1 })
  await before.client.endAsync()
  const { client } = await connected()
  await client.publishAsync('short/lived', 'gone', { qos: 1, properties: { messageExpiryInterval: 1 } })
  await client.publishAsync('short/kept', 'here', { qos: 1, properties: { messageExpiryInterval: 3_600 } })
  await sleep(1_100)
  const after = await connected(options)
  expect(after.connack.sessionPresent).toBe(true)
  await until(() => after.given.length === 1, 'what has not expired')
  await sleep(50)
  expect(texts(after)).toEqual(['here'])
  expect(after.given[0]![2].properties!.messageExpiryInterval).toBeLessThan(3_600)
})

test('its topic aliases, of its own choice and automatic, stand for the topics that it means', async () => {
  const reader = await connected()
  await reader.client.subscribeAsync('alias/#', { qos: 1 })
  // Two more topics than there are aliases: mqtt.js gives the one that was not used for longest to another topic.
  const topics = Array.from({ length: 30 }, (_, n) => `alias/${n % 12}`)
  const automatic = await connected({ autoAssignTopicAlias: true })
  const sent = new Set<string>()
  automatic.client.on('packetsend', (packet) => {
    if (packet.cmd === 'publish')
      sent.add(`${packet.topic === '' ? 'alias' : 'topic'} ${packet.properties?.topicAlias}`)
  })
  for (const topic of [...topics, 'alias/5', 'alias/5']) await automatic.client.publishAsync(topic, topic, { qos: 1 })
  expect(sent).toContain('topic 10')
  expect([...sent].filter((each) => each.startsWith('alias'))).not.toEqual([])

  const chosen = await connected({ autoUseTopicAlias: true })
  await chosen.client.publishAsync('alias/own', 'alias/own', { qos: 1, properties: { topicAlias: 10 } })
  await chosen.client.publishAsync('alias/own', 'alias/own', { qos: 2 })
  await until(() => reader.given.length === 34, 'every message')
  expect(reader.given.filter(([topic, text]) => topic !== text)).toEqual([])
  expect(texts(reader)).toEqual([...topics, 'alias/5', 'alias/5', 'alias/own', 'alias/own'])
})

test('is given aliases as many as it takes', async () => {
  const reader = await connected({ properties: { topicAliasMaximum: 1 } })
  const raw = received(reader.client, 'publish')
  await reader.client.subscribeAsync('given/#', { qos: 1 })
  const { client } = await connected()
  for (const topic of ['given/a', 'given/b', 'given/a']) await client.publishAsync(topic, topic, { qos: 1 })
  await until(() => reader.given.length === 3, 'all three')
  expect(raw.map(({ topic }) => topic)).toEqual(['given/a', 'given/b', ''])
  expect(texts(reader)).toEqual(['given/a', 'given/b', 'given/a'])
  expect(reader.given.map(([topic]) => topic)).toEqual(['given/a', 'given/b', 'given/a'])
})

test('is never given more than its receive maximum, nor a packet larger than it takes', async () => {
  const reader = connect(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    properties: { receiveMaximum: 2, maximumPacketSize: 200 },
  })
  clients.push(reader)
  const waiting: (() => void)[] = []
  const came: string[] = []
  reader.handleMessage = (packet, done) => {
    came.push(packet.payload.toString())
    waiting.push(done)
  }
  await welcomed(reader)
  await reader.subscribeAsync('narrow', { qos: 2 })
  // mqtt.js handles one packet after the other; what has come meanwhile is counted as it comes.
  const raw = received(reader, 'publish')
  const { client } = await connected()
  const large = 'x'.repeat(300)
  for (const payload of ['0', large, '1', '2', '3', large, '4'])
    await client.publishAsync('narrow', payload, { qos: 1 })
  for (let done = 0; done < 5; done++) {
    await until(() => waiting.length > done, `message ${done}`)
    await sleep(20)
    expect(raw.length).toBeLessThanOrEqual(done + 2)
    waiting[done]!()
  }
  expect(came).toEqual(['0', '1', '2', '3', '4'])
})

test('options of a subscription: no local, retain as published, retain handling', async () => {
  const writer = await connected()
  await writer.client.publishAsync('options/kept', 'kept', { qos: 1, retain: true })
  const one = await connected()
  const isRetained = () => one.given.map(([, text, { retain }]) => [text, retain])
  const subscribe = (rh: 0 | 1 | 2) => one.client.subscribeAsync('options/#', { qos: 1, nl: true, rap: true, rh })
  await subscribe(2)
  await one.client.publishAsync('options/own', 'mine', { qos: 1 })
  await writer.client.publishAsync('options/other', 'yours', { qos: 1, retain: true })
  await until(() => one.given.length === 1, 'what another says')
  expect(isRetained()).toEqual([['yours', true]])
  await one.client.unsubscribeAsync('options/#')
  await subscribe(1)
  await until(() => one.given.length === 3, 'both retained, since the subscription is new')
  await subscribe(1)
  await subscribe(0)
  await until(() => one.given.length === 5, 'both again, since it asks for them')
  await sleep(50)
  expect(texts(one).toSorted()).toEqual(['kept', 'kept', 'yours', 'yours', 'yours'])
  expect(one.given.every(([, , { retain }]) => retain)).toBe(true)

  const plain = await connected()
  await plain.client.subscribeAsync('options/plain', { qos: 1 })
  await plain.client.publishAsync('options/plain', 'to myself', { qos: 1, retain: true })
  await until(() => plain.given.length === 1, 'its own')
  expect(plain.given[0]![2].retain).toBe(false)
})

test('members of a shared subscription share, and each message comes to one of them', async () => {
  const members = [await connected(), await connected(), await connected()]
  for (const { client } of members) {
    await client.subscribeAsync('$share/crew/shared/#', { qos: 1, properties: { subscriptionIdentifier: 9 } })
  }
  const { client } = await connected()
  const sent = Array.from({ length: 30 }, (_, n) => `${n}`)
  await Promise.all(sent.map((text) => client.publishAsync('shared/work', text, { qos: 1 })))
  await until(() => members.flatMap(texts).length === 30, 'all of them')
  expect(members.flatMap(texts).toSorted((a, b) => Number(a) - Number(b))).toEqual(sent)
  expect(members.map(({ given }) => given.length)).toEqual([10, 10, 10])
  expect(
    members.flatMap(({ given }) => given).every(([, , { properties }]) => properties!.subscriptionIdentifier === 9),
  ).toBe(true)
})

test('asks and is answered on the topic that it names, with the data by which it knows its question', async () => {
  const responder = await connected()
  await responder.client.subscribeAsync('service/height', { qos: 1 })
  responder.client.on('message', (_topic, payload, { properties }) => {
    const { responseTopic = '', correlationData } = properties!
    responder.client.publish(responseTopic, `${payload.toString()}: 2.4 m`, {
      qos: 1,
      properties: { ...(correlationData && { correlationData }) },
    })
  })
  const asking = await connected()
  await asking.client.subscribeAsync('answers/console-1', { qos: 1 })
  for (const [question, correlation] of [
    ['weir', 1],
    ['lock', 2],
  ] as const) {
    const properties = { responseTopic: 'answers/console-1', correlationData: Buffer.of(correlation) }
    await asking.client.publishAsync('service/height', question, { qos: 1, properties })
  }
  await until(() => asking.given.length === 2, 'both answers')
  expect(asking.given.map(([, text, { properties }]) => [text, properties!.correlationData])).toEqual([
    ['weir: 2.4 m', Buffer.of(1)],
    ['lock: 2.4 m', Buffer.of(2)],
  ])
})

test('its will waits for its delay, says what it was to say, and is not sent when it comes back before', async () => {
  const reader = await connected()
  await reader.client.subscribeAsync('wills/#', { qos: 1 })
  const unit = (clientId: string, willDelayInterval: number): IClientOptions => ({
    clientId,
    // A clean start would end the session before, and with it the delay (MQTT 5 §3.1.3.2.2).
    clean: false,
    properties: { sessionExpiryInterval: 60 },
    will: {
      topic: `wills/${clientId}`,
      payload: Buffer.from('lost'),
      qos: 1,
      properties: {
        willDelayInterval,
        contentType: 'text/plain',
        correlationData: Buffer.of(7),
        userProperties: { unit: ['a', 'b'] },
      },
    },
  })
  const lost = await connected(unit('lost', 1))
  const back = await connected(unit('back', 2))
  const began = performance.now()
  for (const { client } of [lost, back]) client.stream.destroy()
  await sleep(500)
  await connected(unit('back', 2))
  expect(texts(reader)).toEqual([])
  await until(() => reader.given.length === 1, 'the will')
  expect(performance.now() - began).toBeGreaterThan(950)
  const [topic, text, { properties }] = reader.given[0]!
  expect([topic, text]).toEqual(['wills/lost', 'lost'])
  expect({ ...properties, userProperties: { ...properties!.userProperties } }).toEqual({
    contentType: 'text/plain',
    correlationData: Buffer.of(7),
    userProperties: { unit: ['a', 'b'] },
  })
  await sleep(1_500)
  expect(reader.given.length).toBe(1)
})

test('sees the reason of what is refused, and of what is for nobody', async () => {
  const { client } = await connected()
  expect(await refusal(client.publishAsync('$forbidden', '', { qos: 1 }))).toBe(0x87)
  expect(await refusal(client.publishAsync('$forbidden', '', { qos: 2 }))).toBe(0x87)
  const subacks = received(client, 'suback')
  await client.subscribeAsync(['$forbidden/#', 'nobody/else'], { qos: 1 }).catch(() => {})
  expect(subacks).toMatchObject([{ granted: [0x87, 1] }])
  const pubacks = received(client, 'puback')
  await client.publishAsync('nobody/reads/this', '', { qos: 1 })
  await client.subscribeAsync('nobody/reads/#', { qos: 1 })
  await client.publishAsync('nobody/reads/this', '', { qos: 1 })
  expect(pubacks.map(({ reasonCode = 0 }) => reasonCode)).toEqual([0x10, 0])
  const unsubacks = received(client, 'unsuback')
  await client.unsubscribeAsync('never/subscribed').catch(() => {})
  expect(unsubacks).toMatchObject([{ granted: [0x11] }])
})

test('finds its session when it comes back, and what came meanwhile in order', async () => {
  const options = { clientId: 'unit-9', clean: false, properties: { sessionExpiryInterval: 60 } }
  const before = await connected(options)
  expect(before.connack.sessionPresent).toBe(false)
  await before.client.subscribeAsync('resumed', { qos: 2, properties: { subscriptionIdentifier: 5 } })
  before.client.stream.destroy()
  const { client } = await connected()
  const sent = Array.from({ length: 20 }, (_, n) => `${n}`)
  for (const text of sent) await client.publishAsync('resumed', text, { qos: 2 })
  const after = await connected(options)
  expect(after.connack.sessionPresent).toBe(true)
  await until(() => after.given.length === 20, 'all of it')
  expect(texts(after)).toEqual(sent)
  expect(new Set(after.given.map(([, , { properties }]) => properties?.subscriptionIdentifier))).toEqual(new Set([5]))
  // An expiry of 0 when it leaves ends the session.
  await after.client.endAsync(false, { properties: { sessionExpiryInterval: 0 } })
  expect((await connected(options)).connack.sessionPresent).toBe(false)
})

test('hears why it is sent away: another took its name, or the gateway stops', async () => {
  const own = await startGatewayProcess()
  const first = await connected({ clientId: 'unit-1' }, own.mqttPort)
  const toFirst = received(first.client, 'disconnect')
  const second = await connected({ clientId: 'unit-1' }, own.mqttPort)
  const toSecond = received(second.client, 'disconnect')
  await until(() => toFirst.length === 1, 'DISCONNECT to the first')
  expect(toFirst[0]!.reasonCode).toBe(0x8e)
  await own.stop()
  await until(() => toSecond.length === 1, 'DISCONNECT to the second')
  expect(toSecond[0]!.reasonCode).toBe(0x8b)
})
