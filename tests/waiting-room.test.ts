// Devices that nobody knows, against a whole gateway: what they send is kept and acknowledged, and reaches nobody until somebody admits
// them; then it comes in the order in which it was sent, once, whatever happens in between.

import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, describe, expect, test } from 'vitest'
import { nameOf } from '../gateway/cli/event-summary.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { Fate, Flag, Authenticity, SystemEventType } from '../proto/generated/types.ts'
import type {
  AdmitDeviceResponse,
  Event,
  GetFateResponse,
  GetStatusResponse,
  ListEventsResponse,
  ListWaitingResponse,
} from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { codec } from '../proto/wire.ts'
import { type GatewayOptions, type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { type TestClient, testClient } from './grpc-house.ts'

const secret = 'a long and secret sentence'
const secretHash = await hashSecret(Buffer.from(secret))
const eventCodec = codec('tocsin.v1.Event')
const open: { stop(): Promise<unknown> }[] = []
afterAll(async () => {
  for (const each of open.toReversed()) await each.stop()
})

interface House {
  readonly gateway: GatewayProcess
  readonly admin: TestClient
  readonly events: TestClient
}

async function houseOf(options: GatewayOptions = {}): Promise<House> {
  const gateway = await startGatewayProcess(options)
  open.push(gateway)
  const [admin, events] = [
    testClient(gateway.grpc, 'tocsin.v1.AdminService'),
    testClient(gateway.grpc, 'tocsin.v1.EventService'),
  ]
  open.push({ stop: async () => [admin, events].forEach((client) => client.close()) })
  return { gateway, admin, events }
}

const enterSystem = (admin: TestClient, more: object = {}) =>
  admin.unary('PutPrincipal', {
    principal: { principal: 'system:plant', publishTopics: ['tocsin/in/senml/#'], subjects: ['urn:dev:'], ...more },
    secretHash,
  })

const connect = (gateway: GatewayProcess, options: object = {}): Promise<MqttClient> =>
  connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
    username: 'system:plant',
    password: secret,
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...options,
  })

const say = (client: MqttClient, device: string, value: number) =>
  client.publishAsync('tocsin/in/senml/plant', JSON.stringify([{ n: `urn:dev:${device}:level`, u: 'm', v: value }]), {
    qos: 1,
  })

async function eventsOf({ events }: House): Promise<Event[]> {
  const { records = [] } = await events.unary<ListEventsResponse>('ListEvents', { pageSize: 1_000 })
  return records.map(({ event }) => eventCodec.decode(event!)).filter(({ body }) => body === 'observation')
}

const valuesOf = (events: readonly Event[]): number[] =>
  events
    .flatMap((event) => (event.body === 'observation' ? (event.observation.measurements ?? []) : []))
    .map((each) => (each.value === 'number' ? each.number : NaN))

async function waiting({ admin }: House, request: object = {}) {
  const { devices = [], dropped, nextPageToken } = await admin.unary<ListWaitingResponse>('ListWaiting', request)
  const numbered = devices.map((each) => ({
    ...codecOfDevice.decode(codecOfDevice.encode(each)),
    device: each.device ?? '',
    admitted: each.admitted ?? false,
    blocked: each.blocked ?? false,
    messages: toNumber(each.messages),
    urgent: toNumber(each.urgent),
  }))
  return { devices: numbered, dropped: toNumber(dropped), nextPageToken }
}
const codecOfDevice = codec('tocsin.v1.WaitingDevice')

/** Asked until it holds. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await holds()) return
    await sleep(50)
  }
  throw new Error('it did not come to that within 5 s')
}

async function countsOf({ admin }: House): Promise<Record<string, number>> {
  const { fates = [], received, pending } = await admin.unary<GetStatusResponse>('GetStatus', {})
  const counts = fates.map(({ fate, count }) => [nameOf(Fate, fate), toNumber(count)] as const)
  return { ...Object.fromEntries(counts), received: toNumber(received), pending: toNumber(pending) }
}

describe('a new device behind a system', () => {
  test('is acknowledged, listed with what it says and from where, and heard by nobody; admitted, all of it comes in order', async () => {
    const house = await houseOf({ settings: { MQTT_OUT: 'true' } })
    const { gateway, admin } = house
    await enterSystem(admin)
    const watcher = await connect(gateway, { username: undefined, password: undefined })
    const heard: string[] = []
    watcher.on('message', (topic) => heard.push(topic))
    await watcher.subscribeAsync('#', { qos: 1 })
    const plant = await connect(gateway)
    for (const value of [1.5, 2.5, 3.5]) await say(plant, 'ow:10e2073a01080063', value)
    await sleep(300)

    expect(await eventsOf(house)).toEqual([])
    expect(heard).toEqual([])
    const { devices } = await waiting(house)
    expect(devices).toMatchObject([
      {
        device: 'urn:dev:ow:10e2073a01080063',
        principal: 'system:plant',
        messages: 3,
        urgent: 0,
        topics: ['tocsin/in/senml/plant'],
        adapter: 'senml',
        admitted: false,
      },
    ])
    expect(devices[0]!.addresses).toEqual([expect.stringContaining('127.0.0.1')])
    expect(devices[0]!.says).toContain('3.5 m')
    const before = await countsOf(house)
    expect(before).toMatchObject({ waiting: 3, stored: 0, pending: 0 })
    expect(before['received']).toBe(3)

    const admitted = await admin.unary<AdmitDeviceResponse>('AdmitDevice', { device: 'urn:dev:ow:10e2073a01080063' })
    expect([admitted.devices, toNumber(admitted.messages)]).toEqual([1, 3])
    await until(async () => (await eventsOf(house)).length === 3)
    await say(plant, 'ow:10e2073a01080063', 4.5)
    const all = await eventsOf(house)
    expect(valuesOf(all).toSorted()).toEqual([1.5, 2.5, 3.5, 4.5])
    for (const event of all) expect(event.authenticity).toBe(Authenticity.AUTHENTICATED)
    const replayed = all.filter(({ flags = [] }) => flags.includes(Flag.REPLAYED))
    expect(valuesOf(replayed).toSorted()).toEqual([1.5, 2.5, 3.5])
    expect((await waiting(house)).devices).toEqual([])
    expect((await waiting(house, { decided: true })).devices).toMatchObject([{ admitted: true, blocked: false }])

    const { received, pending, ...fates } = await countsOf(house)
    expect(Object.values(fates).reduce((sum, count) => sum + count, 0) + pending!).toBe(received)
    await watcher.endAsync()
    await plant.endAsync()
  }, 30_000)

  test('keeps the id that its sender was given: the fate of it is WAITING, and STORED when it was admitted', async () => {
    const house = await houseOf()
    await enterSystem(house.admin)
    const plant = await connect(house.gateway)
    await say(plant, 'mac:0024befffe804ff1', 7)
    const fateOf = async () => {
      const request = { of: 'channel', channel: 'tocsin/in/senml/plant', limit: 10 }
      return ((await house.events.unary<GetFateResponse>('GetFate', request)).fates ?? []).at(-1)!
    }
    const before = await fateOf()
    expect(before.fate).toBe(Fate.WAITING)
    await house.admin.unary('AdmitDevice', { device: 'urn:dev:mac:0024befffe804ff1' })
    await until(async () => (await eventsOf(house)).length === 1)
    const request = { of: 'id', id: before.frameId }
    const [after] = (await house.events.unary<GetFateResponse>('GetFate', request)).fates ?? []
    expect(after!.fate).toBe(Fate.STORED)
    await plant.endAsync()
  }, 30_000)

  test('that is blocked is refused from then on and takes no room; admitted again, what waited comes', async () => {
    const house = await houseOf()
    const { admin } = house
    await enterSystem(admin)
    const plant = await connect(house.gateway)
    await say(plant, 'mac:0024befffe804ff1', 1)
    await admin.unary('BlockDevice', { device: 'urn:dev:mac:0024befffe804ff1' })
    await say(plant, 'mac:0024befffe804ff1', 2)
    expect(await countsOf(house)).toMatchObject({ waiting: 1, refused: 1, stored: 0 })
    const answer = await fetch(`${house.gateway.http}/v1/refusals?payload=true`)
    const { refusals } = (await answer.json()) as { refusals: Record<string, unknown>[] }
    expect(refusals).toHaveLength(1)
    expect(refusals[0]).toMatchObject({ fault: 'blocked' })
    expect(refusals[0]!['payload'] ?? '').toBe('')
    await admin.unary('AdmitDevice', { device: 'urn:dev:mac:0024befffe804ff1' })
    await until(async () => (await eventsOf(house)).length === 1)
    await say(plant, 'mac:0024befffe804ff1', 3)
    expect(valuesOf(await eventsOf(house)).toSorted()).toEqual([1, 3])
    await plant.endAsync()
  }, 30_000)

  test('whose subject is beyond the prefix of its system is refused', async () => {
    const house = await houseOf()
    await enterSystem(house.admin, { subjects: ['urn:dev:mac:'] })
    const plant = await connect(house.gateway)
    await say(plant, 'ow:10e2073a01080063', 1).catch(() => {})
    expect(await countsOf(house)).toMatchObject({ refused: 1, waiting: 0, stored: 0 })
    await plant.endAsync()
  }, 30_000)

  test('passes at once where its system admits new ones, and where the system names no subjects', async () => {
    const house = await houseOf()
    await enterSystem(house.admin, { admitsNew: true })
    const plant = await connect(house.gateway)
    await say(plant, 'ow:10e2073a01080063', 1)
    await plant.endAsync()
    await enterSystem(house.admin, { subjects: [] })
    const again = await connect(house.gateway)
    await say(again, 'ow:10e2073a01080064', 2)
    expect(await countsOf(house)).toMatchObject({ stored: 2, waiting: 0 })
    await again.endAsync()
  }, 30_000)

  test('is recognised on the short way too: after a hundred messages of a device, blocking it holds for the next', async () => {
    const house = await houseOf()
    const { admin } = house
    await enterSystem(admin)
    const plant = await connect(house.gateway)
    await admin.unary('AdmitDevice', { device: 'urn:dev:mac:01', principal: 'system:plant' })
    for (let value = 0; value < 100; value++) await say(plant, 'mac:01', value)
    await admin.unary('BlockDevice', { device: 'urn:dev:mac:01' })
    await say(plant, 'mac:01', 100)
    expect(await countsOf(house)).toMatchObject({ stored: 100, refused: 1 })
    await plant.endAsync()
  }, 30_000)
})

describe('killed', () => {
  test('between what waited and its admission, nothing is lost; killed while it goes on its way, nothing comes twice', async () => {
    const first = await houseOf()
    await enterSystem(first.admin)
    const plant = await connect(first.gateway)
    const sent = Array.from({ length: 300 }, (_, value) => value)
    await Promise.all(sent.map((value) => say(plant, 'mac:02', value)))
    await first.gateway.kill()

    const { dataDir } = first.gateway
    const second = await houseOf({ dataDir })
    expect((await waiting(second)).devices).toMatchObject([{ device: 'urn:dev:mac:02', messages: 300 }])
    await second.admin.unary('AdmitDevice', { device: 'urn:dev:mac:02' })
    await until(async () => (await eventsOf(second)).length > 20)
    await second.gateway.kill()

    const third = await houseOf({ dataDir })
    await until(async () => (await eventsOf(third)).length >= 300)
    await sleep(300)
    const values = valuesOf(await eventsOf(third))
    expect(values.toSorted((a, b) => a - b)).toEqual(sent)
    expect((await waiting(third)).devices).toEqual([])
    const again = await connect(third.gateway)
    await say(again, 'mac:02', 1_000)
    await until(async () => (await eventsOf(third)).length === 301)
  }, 60_000)
})

describe('many of them', () => {
  test('take bounded room: the oldest routine messages are let go and counted, all were acknowledged', async () => {
    const house = await houseOf({ settings: { DEVICES_WAITING_MAX: '1000' } })
    await enterSystem(house.admin)
    const plant = await connect(house.gateway)
    const names = Array.from({ length: 3_000 }, (_, at) => `mac:${String(at).padStart(6, '0')}`)
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(names.slice(at, at + 500).map((name) => say(plant, name, 1)))
    }
    const found: string[] = []
    let page = await waiting(house, { pageSize: 600 })
    for (;;) {
      found.push(...page.devices.map(({ device }) => device))
      if (!page.nextPageToken?.length) break
      page = await waiting(house, { pageSize: 600, pageToken: page.nextPageToken })
    }
    expect(found).toEqual(names.slice(2_000).map((name) => `urn:dev:${name}`))
    expect(page.dropped).toBe(2_000)
    expect(await countsOf(house)).toMatchObject({ waiting: 3_000, received: 3_000 })
    const admitted = await house.admin.unary<AdmitDeviceResponse>('AdmitDevice', { device: 'urn:dev:mac:0029*' })
    expect([admitted.devices, toNumber(admitted.messages)]).toEqual([100, 100])
    await until(async () => (await eventsOf(house)).length === 100)
    await plant.endAsync()
  }, 60_000)
})

describe('something urgent', () => {
  test('raises an alarm that says nothing of the message nor its device, and is cleared by the decision', async () => {
    const house = await houseOf()
    const { admin, events } = house
    const xml = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>alert-1</identifier><sender>w@example</sender>
<sent>2026-11-25T12:00:00-00:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity>
<certainty>Likely</certainty><headline>dam</headline><area><areaDesc>Here</areaDesc></area></info></alert>`
    await enterSystem(admin, { subjects: ['cap:', 'alert:'], publishTopics: ['tocsin/in/#'] })
    const plant = await connect(house.gateway)
    await plant.publishAsync('tocsin/in/cap/dam', xml, { qos: 1 })
    const { devices } = await waiting(house)
    expect(devices).toMatchObject([{ urgent: 1, messages: 1 }])
    const { alarms = [] } = await admin.unary<GetStatusResponse>('GetStatus', {})
    expect(alarms.map(({ alarmKey }) => alarmKey)).toContain('device_waiting system:plant')
    const listed = async () =>
      ((await events.unary<ListEventsResponse>('ListEvents', { pageSize: 1_000 })).records ?? [])
        .map(({ event }) => eventCodec.decode(event!))
        .flatMap((event) =>
          event.body === 'systemEvent' && event.systemEvent.code === 'device_waiting' ? [event] : [],
        )
    await until(async () => (await listed()).length === 1)
    const [said] = await listed()
    expect(said!.systemEvent.type).toBe(SystemEventType.QUARANTINED)
    expect(
      JSON.stringify(said, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toMatch(/dam|alert-1|Flood/)
    await admin.unary('AdmitDevice', { device: devices[0]!.device })
    await until(async () => ((await admin.unary<GetStatusResponse>('GetStatus', {})).alarms ?? []).length === 0)
    await plant.endAsync()
  }, 30_000)
})
