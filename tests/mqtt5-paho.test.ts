// MQTT 5 as Debian's paho-mqtt for Python speaks it, against a whole gateway.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import type { Child } from './tools/child.ts'
import { describeWithTools } from './tools/present.ts'
import { startPython } from './tools/python.ts'

const script = join(import.meta.dirname, 'clients/mqtt5.py')

/** A line of what a client was told; see there. */
interface Told {
  readonly on: string
  readonly as: string
  readonly reason?: number
  readonly reasons?: readonly number[]
  readonly present?: number
  readonly topic?: string
  readonly payload?: string
  readonly qos?: number
  readonly retain?: boolean
  readonly properties?: Readonly<Record<string, unknown>>
}

let gateway: GatewayProcess
let paho: Child

const told = (): Told[] =>
  paho.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told)

/** Tells it to do so, and waits for what it is told in return. */
async function does(what: string, as: string, how: object = {}, answer = ''): Promise<Told | undefined> {
  const before = told().length
  paho.stdin.write(`${JSON.stringify({ do: what, as, ...how })}\n`)
  if (answer === '') return undefined
  const [found] = await come(answer, as, 1, before)
  return found
}

const connects = async (as: string, how: object = {}) => (await does('connect', as, how, 'connect'))!
const publishes = (as: string, topic: string, payload: string, how: object = {}) =>
  does('publish', as, { topic, payload, ...how }, 'published')
const subscribes = async (as: string, topic: string, options: object = { qos: 1 }, properties = {}) =>
  (await does('subscribe', as, { topic, options, properties }, 'subscribe'))!.reasons

/** So many of a kind that came to one client, from a line on. */
async function come(on: string, as: string, count: number, from = 0): Promise<Told[]> {
  const end = performance.now() + 10_000
  for (;;) {
    const found = told()
      .slice(from)
      .filter((each) => each.on === on && each.as === as)
    if (found.length >= count) return found
    if (performance.now() > end) throw new Error(`no ${count} × ${on} to ${as}: ${paho.stdout}${paho.stderr}`)
    await sleep(5)
  }
}

/** paho-mqtt 1.6.1 reads the reason of a DISCONNECT only when properties follow it; else it says 7, a lost connection. */
async function sees(as: string, reason: number): Promise<void> {
  const [gone] = await come('disconnect', as, 1)
  expect([reason, 7]).toContain(gone!.reason)
}

const payloads = (messages: readonly Told[]) => messages.map(({ payload }) => payload)

describeWithTools('Debian’s paho-mqtt over MQTT 5', () => {
  beforeAll(async () => {
    gateway = await startGatewayProcess({ settings: { MQTT_KEEP_ALIVE_MAX: '60s' } })
  })
  afterAll(() => gateway.stop())
  beforeEach(() => {
    paho = startPython(script, [String(gateway.mqttPort)])
  })
  afterEach(() => paho.kill())

  test('CONNACK tells it the limits, its name, and what it was held to', async () => {
    const { reason, present, properties } = await connects('a', {
      keepalive: 120,
      properties: { SessionExpiryInterval: 0xffff_ffff },
    })
    const { AssignedClientIdentifier, ...rest } = properties!
    expect([reason, present]).toEqual([0, 0])
    expect(AssignedClientIdentifier).toMatch(/^\S{8,}$/)
    expect(rest).toMatchObject({
      ServerKeepAlive: 60,
      SessionExpiryInterval: 7 * 24 * 3_600,
      ReceiveMaximum: 1_000,
      MaximumPacketSize: 1 << 20,
      TopicAliasMaximum: 10,
      SharedSubscriptionAvailable: 1,
    })
  })

  test.each([0, 1, 2])('a message comes as it was sent, with all its properties in order, at QoS %i', async (qos) => {
    await connects('reader')
    expect(await subscribes('reader', `whole/${qos}`, { qos: 2 }, { SubscriptionIdentifier: 128 })).toEqual([2])
    await connects('writer')
    const properties = {
      PayloadFormatIndicator: 1,
      ContentType: 'text/plain',
      ResponseTopic: 'whole/answers',
      CorrelationData: 'c-1',
      UserProperty: [
        ['unit', 'm'],
        ['site', 'weir é'],
        ['unit', 'ft'],
        ['', ''],
        ['unit', 'm'],
      ],
    }
    await publishes('writer', `whole/${qos}`, 'höhe', {
      qos,
      properties: { ...properties, MessageExpiryInterval: 3_600 },
    })
    const [message] = await come('message', 'reader', 1)
    const { MessageExpiryInterval, ...rest } = message!.properties!
    expect(message).toMatchObject({ topic: `whole/${qos}`, payload: 'höhe', qos, retain: false })
    expect(MessageExpiryInterval).toBeGreaterThan(3_590)
    expect(rest).toEqual({ ...properties, SubscriptionIdentifier: [128] })
  })

  test('an alias stands for the topic that came with it, and one beyond the limit ends the connection', async () => {
    await connects('reader')
    await subscribes('reader', 'alias/#')
    await connects('writer')
    for (const topic of ['alias/a', '', '']) {
      await publishes('writer', topic, topic, { properties: { TopicAlias: 10 } })
    }
    const messages = await come('message', 'reader', 3)
    expect(messages.map(({ topic }) => topic)).toEqual(['alias/a', 'alias/a', 'alias/a'])
    await does('publish', 'writer', { topic: 'alias/a', payload: '', qos: 0, properties: { TopicAlias: 11 } })
    await sees('writer', 0x94)
  })

  test('options of a subscription: no local, retain as published, retain handling', async () => {
    await connects('writer')
    await publishes('writer', 'options/kept', 'kept', { retain: true })
    const options = { qos: 1, noLocal: true, retainAsPublished: true }
    await connects('own')
    await subscribes('own', 'options/#', { ...options, retainHandling: 2 })
    await publishes('own', 'options/own', 'mine')
    await publishes('writer', 'options/other', 'yours', { retain: true })
    await subscribes('own', 'options/#', { ...options, retainHandling: 1 })
    await subscribes('own', 'options/#', { ...options, retainHandling: 0 })
    const messages = await come('message', 'own', 3)
    await sleep(50)
    expect(payloads(told().filter(({ on, as }) => on === 'message' && as === 'own'))).toHaveLength(3)
    expect(payloads(messages).toSorted()).toEqual(['kept', 'yours', 'yours'])
    expect(messages.map(({ retain }) => retain)).toEqual([true, true, true])
    await connects('plain')
    await subscribes('plain', 'options/plain')
    await publishes('plain', 'options/plain', 'to myself', { retain: true })
    expect((await come('message', 'plain', 1))[0]).toMatchObject({ payload: 'to myself', retain: false })
  })

  test('members of a group share, and what one is given that goes without acknowledging is given to another', async () => {
    for (const member of ['one', 'two']) {
      await connects(member)
      expect(await subscribes(member, '$share/crew/shared/#')).toEqual([1])
    }
    await connects('writer')
    for (let n = 0; n < 10; n++) await publishes('writer', 'shared/work', `${n}`)
    const given = [await come('message', 'one', 5), await come('message', 'two', 5)]
    expect(given.flatMap(payloads).toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
    await does('drop', 'one')
    for (let n = 10; n < 15; n++) await publishes('writer', 'shared/work', `${n}`)
    expect(payloads(await come('message', 'two', 10)).slice(5)).toEqual(['10', '11', '12', '13', '14'])
  })

  test('its will waits for its delay; DISCONNECT 0x04 sends it at once, and 0x00 never', async () => {
    await connects('reader')
    await subscribes('reader', 'wills/#')
    for (const id of ['lost', 'said', 'none']) {
      await connects(id, {
        id,
        properties: { SessionExpiryInterval: 60 },
        will: {
          topic: `wills/${id}`,
          payload: id,
          properties: {
            WillDelayInterval: id === 'lost' ? 1 : 0,
            UserProperty: [
              ['unit', '1'],
              ['unit', '2'],
            ],
          },
        },
      })
    }
    const began = performance.now()
    await does('drop', 'lost')
    await does('disconnect', 'said', { reason: 4 })
    await does('disconnect', 'none')
    const wills = await come('message', 'reader', 2)
    expect(performance.now() - began).toBeGreaterThan(950)
    expect(payloads(wills)).toEqual(['said', 'lost'])
    expect(wills.map(({ properties }) => properties)).toEqual([
      {
        UserProperty: [
          ['unit', '1'],
          ['unit', '2'],
        ],
      },
      {
        UserProperty: [
          ['unit', '1'],
          ['unit', '2'],
        ],
      },
    ])
    await sleep(50)
    expect(told().filter(({ on }) => on === 'message')).toHaveLength(2)
  })

  test('sees the reason of a subscription that is refused, and of one that was not there', async () => {
    await connects('a')
    expect(await subscribes('a', '$forbidden/#')).toEqual([0x87])
    const answer = await does('unsubscribe', 'a', { topic: 'never/subscribed' }, 'unsubscribe')
    expect(answer!.reasons).toEqual([0x11])
  })

  test('finds its session when it comes back, and what came meanwhile in order', async () => {
    const back = { id: 'unit-4', clean: false, properties: { SessionExpiryInterval: 60 } }
    expect((await connects('before', back)).present).toBe(0)
    await subscribes('before', 'resumed', { qos: 2 })
    await does('disconnect', 'before', {}, 'disconnect')
    await connects('writer')
    const sent = Array.from({ length: 20 }, (_, n) => `${n}`)
    for (const payload of sent) await publishes('writer', 'resumed', payload, { qos: 2 })
    expect((await connects('after', back)).present).toBe(1)
    expect(payloads(await come('message', 'after', 20))).toEqual(sent)
    await does('disconnect', 'after', { properties: { SessionExpiryInterval: 0 } }, 'disconnect')
    expect((await connects('last', back)).present).toBe(0)
  })

  test('hears why it is sent away when another takes its name', async () => {
    await connects('first', { id: 'unit-1' })
    await connects('second', { id: 'unit-1' })
    await sees('first', 0x8e)
  })
})
