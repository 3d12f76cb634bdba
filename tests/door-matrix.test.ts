// Every door × every role × every label, against a whole gateway: what is sent in carries marks that some may see and others may not,
// and each answer is searched for them, whatever its form. Who sees what is written here by hand and read from nothing of ours.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials, makeGenericClientConstructor, Metadata } from '@grpc/grpc-js'
import { connectAsync, type MqttClient } from 'mqtt'
import { Agent, setGlobalDispatcher } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idText } from '../gateway/ids.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { makeToken } from '../gateway/policy/tokens.ts'
import { timestamp } from '../proto/time.ts'
import { codec, serviceDefinition } from '../proto/wire.ts'
import { alertOf, found, type Mark, marks, may, type Need, reading, roles, textOf } from './door-marks.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { eventOf } from './grpc-house.ts'
import { tempFolder } from './tools/temp-folder.ts'

// As above.
setGlobalDispatcher(new Agent({ connections: 64 }))

let gateway: GatewayProcess
const tokens = new Map<string, string>()
const ids: Uint8Array[] = []
let refusalIds: string[] = []
const live = new Map<string, Buffer[]>()
const overMqtt = new Map<string, Buffer[]>()
const subscribers: MqttClient[] = []
const clients: { close(): void }[] = []

const asIs = (bytes: Buffer): Buffer => bytes

const grpcClients = new Map<string, Record<string, (...args: unknown[]) => never>>()

/** Answers as bytes, so that nothing of ours reads them first. One connection for each service: an address may have only so many. */
function grpcOf(service: string) {
  const known = grpcClients.get(service)
  if (known) return known
  const definition = Object.fromEntries(
    Object.entries(serviceDefinition(`tocsin.v1.${service}`)).map(([name, method]) => [
      name,
      { ...method, responseDeserialize: asIs },
    ]),
  )
  const Client = makeGenericClientConstructor(definition as never, service)
  const client = new Client(gateway.grpc, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  clients.push(client)
  const calls = client as unknown as Record<string, (...args: unknown[]) => never>
  grpcClients.set(service, calls)
  return calls
}

function metadataOf(role: string): Metadata {
  const metadata = new Metadata()
  const token = tokens.get(role)
  if (token) metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

/** The answer, or nothing when it is refused. */
const unary = (service: string, method: string, request: object, role: string): Promise<Buffer> =>
  new Promise((resolve) => {
    grpcOf(service)[method]!(request, metadataOf(role), (error: unknown, answer: Buffer) =>
      resolve(error ? Buffer.alloc(0) : answer),
    )
  })

function stream(
  request: object,
  role: string,
): { readonly chunks: Buffer[]; close(): void; readonly over: Promise<void> } {
  const chunks: Buffer[] = []
  const call = grpcOf('EventService')['Subscribe']!(request, metadataOf(role)) as unknown as NodeJS.ReadableStream & {
    cancel(): void
  }
  const { promise: over, resolve } = Promise.withResolvers<void>()
  call.on('data', (chunk: Buffer) => chunks.push(chunk))
  call.on('error', () => resolve())
  call.on('end', () => resolve())
  return { chunks, close: () => call.cancel(), over }
}

/** All that comes until nothing more does. */
async function drained(request: object, role: string): Promise<Buffer> {
  const reader = stream(request, role)
  await Promise.race([reader.over, sleep(700)])
  reader.close()
  return Buffer.concat(reader.chunks)
}

async function http(path: string, role: string, accept = 'application/json'): Promise<Buffer> {
  const headers = { authorization: `Bearer ${tokens.get(role)}`, accept }
  const answer = await fetch(gateway.http + path, { headers })
  const body = Buffer.from(await answer.arrayBuffer())
  return answer.ok ? body : Buffer.alloc(0)
}

async function httpStream(path: string, role: string): Promise<Buffer> {
  const headers = { authorization: `Bearer ${tokens.get(role)}` }
  const chunks: Uint8Array[] = []
  const answer = await fetch(gateway.http + path, { headers, signal: AbortSignal.timeout(1_000) })
  try {
    if (answer.ok) for await (const chunk of answer.body!) chunks.push(chunk)
  } catch {
    // It does not end by itself.
  }
  return Buffer.concat(chunks)
}

const forEachId = async (ask: (id: Uint8Array) => Promise<Buffer>): Promise<Buffer> =>
  Buffer.concat(await Promise.all(ids.map(ask)))

type Ask = (role: string) => Promise<Buffer>

/** Doors that give every event to who may see it: there, what may be seen must be there too. */
const whole: Readonly<Record<string, Ask>> = {
  'gRPC Subscribe, earliest': (role) => drained({ start: 'earliest', earliest: {} }, role),
  'gRPC Subscribe, live': async (role) => Buffer.concat(live.get(role) ?? []),
  'gRPC ListEvents': (role) => unary('EventService', 'ListEvents', { pageSize: 1_000 }, role),
  'gRPC GetEvent': (role) => forEachId((id) => unary('EventService', 'GetEvent', { id }, role)),
  'HTTP /v1/events': (role) => http('/v1/events?limit=1000', role),
  'HTTP /v1/events/{id}': (role) => forEachId((id) => http(`/v1/events/${idText(id)}`, role)),
  'HTTP /v1/events/{id}, encoded': (role) =>
    forEachId((id) => http(`/v1/events/${idText(id)}`, role, 'application/x-protobuf')),
  'HTTP /v1/stream': (role) => httpStream('/v1/stream?start=earliest', role),
}

const partly: Readonly<Record<string, Ask>> = {
  'gRPC Subscribe, current': (role) => drained({ start: 'current', current: {} }, role),
  'gRPC Subscribe, with frames': (role) => drained({ start: 'earliest', earliest: {}, includeRaw: true }, role),
  'gRPC Subscribe, filtered by box': (role) =>
    drained(
      { start: 'earliest', earliest: {}, filter: { box: { south: 30, west: -130, north: 45, east: -110 } } },
      role,
    ),
  'gRPC GetEvent, with its frame': (role) =>
    forEachId((id) => unary('EventService', 'GetEvent', { id, includeRaw: true }, role)),
  'gRPC GetFate': (role) => forEachId((id) => unary('EventService', 'GetFate', { of: 'id', id }, role)),
  'gRPC GetFate, by topic': async (role) =>
    Buffer.concat(
      await Promise.all(
        ['tocsin/in/senml/plant', 'cji/x', 'cji/broken', 'tocsin/in/cap/x', 'grpc/publish'].map((channel) =>
          unary('EventService', 'GetFate', { of: 'channel', channel, limit: 100 }, role),
        ),
      ),
    ),
  'gRPC ListRefusals': (role) => unary('AdminService', 'ListRefusals', { includePayload: true }, role),
  'gRPC ListWaiting': (role) => unary('AdminService', 'ListWaiting', {}, role),
  'gRPC GetStatus': (role) => unary('AdminService', 'GetStatus', {}, role),
  'gRPC ListPrincipals': (role) => unary('AdminService', 'ListPrincipals', {}, role),
  'gRPC ListAudit': (role) => unary('AdminService', 'ListAudit', { pageSize: 1_000 }, role),
  'gRPC ListSeries': (role) => unary('TelemetryService', 'ListSeries', {}, role),
  'HTTP /v1/events/{id}/frame': (role) => forEachId((id) => http(`/v1/events/${idText(id)}/frame`, role)),
  'HTTP /v1/events/{id}/frame, its bytes': (role) =>
    forEachId((id) => http(`/v1/events/${idText(id)}/frame`, role, 'application/octet-stream')),
  'HTTP /v1/events.geojson': (role) => http('/v1/events.geojson?limit=500', role, '*/*'),
  'HTTP /v1/alerts.geojson': (role) => http('/v1/alerts.geojson', role, '*/*'),
  'HTTP /v1/alerts.atom': (role) => http('/v1/alerts.atom', role, '*/*'),
  'HTTP /v1/alerts/{id}.cap': (role) => forEachId((id) => http(`/v1/alerts/${idText(id)}.cap`, role, '*/*')),
  'HTTP /v1/fates/{id}': (role) => forEachId((id) => http(`/v1/fates/${idText(id)}`, role)),
  'HTTP /v1/refusals': (role) => http('/v1/refusals', role),
  'HTTP /v1/refusals/{id}': async (role) =>
    Buffer.concat(await Promise.all(refusalIds.map((id) => http(`/v1/refusals/${id}`, role)))),
  'HTTP /v1/series': (role) => http('/v1/series', role),
  'HTTP /v1/devices/waiting': (role) => http('/v1/devices/waiting', role),
  'HTTP /v1/status': (role) => http('/v1/status', role),
  'HTTP /v1/audit': (role) => http('/v1/audit?limit=1000', role),
  'HTTP /metrics': (role) => http('/metrics', role, '*/*'),
  'MQTT #': async (role) => Buffer.concat(overMqtt.get(role) ?? []),
  'MQTT #, retained': async (role) => Buffer.concat(await retainedFor(role)),
}

const secret = 'a long and secret sentence'

async function subscriber(role: string, into: Buffer[]): Promise<void> {
  const client = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
    username: `service:${role}`,
    password: secret,
    protocolVersion: 5,
    reconnectPeriod: 0,
  })
  subscribers.push(client)
  client.on('message', (topic, payload) => into.push(Buffer.from(topic), payload))
  await client.subscribeAsync('#', { qos: 1 })
}

async function retainedFor(role: string): Promise<Buffer[]> {
  if (role === 'stranger') return []
  const into: Buffer[] = []
  await subscriber(role, into)
  await sleep(300)
  return into
}

beforeAll(async () => {
  const file = join(tempFolder('matrix'), 'tocsin.yaml')
  writeFileSync(
    file,
    'mqtt: {out: true}\ninputs:\n  - {name: records-system, adapter: senml, topics: ["cji/#"], labels: [CJI], approved_by: {officer: Chief Ruiz, date: 2026-11-01}}\n  - {name: open, adapter: senml, topics: ["open/#"]}\n',
  )
  gateway = await startGatewayProcess({ file, settings: { GATEWAY_JURISDICTION: 'county-a.example' } })
  const secretHash = await hashSecret(Buffer.from(secret))
  const expiresAt = timestamp(BigInt(Date.now() + 86_400_000) * 1_000_000n)
  for (const role of roles) {
    const { id, sha256, text } = makeToken()
    tokens.set(role, text)
    if (role === 'stranger') continue
    const principal = { principal: `service:${role}`, roles: [role], subscribeTopics: ['#'] }
    await put({ principal, secretHash, addTokens: [{ id, sha256, expiresAt }], onlyNew: true })
  }
  const system = { principal: 'system:plant', publishTopics: ['tocsin/in/senml/plant'], subjects: ['urn:dev:'] }
  await put({ principal: system, secretHash, onlyNew: true })
  for (const role of roles) {
    const { chunks } = stream({ start: 'latest', latest: {} }, role)
    live.set(role, chunks)
    const received: Buffer[] = []
    overMqtt.set(role, received)
    if (role !== 'stranger') await subscriber(role, received)
  }
  await sleep(500)
  await publishEvents()
  await publishMessages()
  await publishWaiting()
  await noteIds()
  await sleep(1_500)
  const refused = JSON.parse(String(await http('/v1/refusals', 'operator'))) as { refusals: { frameId: string }[] }
  refusalIds = refused.refusals.map(({ frameId }) => frameId)
}, 120_000)

afterAll(async () => {
  for (const each of subscribers) each.end(true)
  for (const each of clients) each.close()
  await gateway?.stop()
})

const put = (request: object): Promise<void> =>
  new Promise((resolve, reject) => {
    // Whoever is on the machine itself.
    grpcOf('AdminService')['PutPrincipal']!(request, (error: Error | null) => (error ? reject(error) : resolve()))
  })

async function publishEvents(): Promise<void> {
  const eventCodec = codec('tocsin.v1.Event')
  const events = marks.flatMap(({ event }) => (event ? [Buffer.from(eventCodec.encode(event))] : []))
  // Field 5000, length-delimited.
  const text = Buffer.from(textOf('unknown'))
  const plain = eventOf({ subject: 'urn:dev:newer' })
  events.push(Buffer.concat([eventCodec.encode(plain), Buffer.of(0xc2, 0xb8, 0x02, text.length), text]))
  const call = grpcOf('EventService')['Publish']!() as unknown as NodeJS.ReadWriteStream & {
    write(request: object): void
    end(): void
  }
  const answered = new Promise((resolve, reject) => {
    call.on('data', resolve)
    call.on('error', reject)
  })
  call.write({ batch: 1, events })
  await answered
  call.end()
}

async function noteIds(): Promise<void> {
  const eventCodec = codec('tocsin.v1.Event')
  const { records = [] } = codec('tocsin.v1.ListEventsResponse').decode(
    await unary('EventService', 'ListEvents', { pageSize: 1_000 }, 'here'),
  )
  for (const { event } of records) ids.push(eventCodec.decode(event!).id!)
}

async function publishMessages(): Promise<void> {
  const device = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, { protocolVersion: 5, reconnectPeriod: 0 })
  subscribers.push(device)
  const readingOf = (name: string): string => JSON.stringify([{ n: textOf(name), u: 'm', v: 1 }])
  for (const [topic, payload] of [
    ['open/x', readingOf('raw-open')],
    ['cji/x', readingOf('raw-cji')],
    ['tocsin/in/senml/x', `[{"n": ${textOf('refused-open')}`],
    ['tocsin/in/cap/x', `<alert>${textOf('refused-cap')}`],
    ['tocsin/in/cap/weather', alertOf(textOf('headline'), textOf('contact'))],
    ['cji/broken', `[{"n": ${textOf('refused-cji')}`],
  ] as const) {
    await device.publishAsync(topic, payload, { qos: 1, retain: true })
  }
}

/** Behind its system, of a device that nobody has admitted. */
async function publishWaiting(): Promise<void> {
  const plant = await connectAsync(`mqtt://127.0.0.1:${gateway.mqttPort}`, {
    username: 'system:plant',
    password: secret,
    protocolVersion: 5,
    reconnectPeriod: 0,
  })
  subscribers.push(plant)
  const payload = JSON.stringify([{ n: `urn:dev:mac:${textOf('waiting')}:level`, u: 'm', v: 1 }])
  await plant.publishAsync('tocsin/in/senml/plant', payload, { qos: 1, retain: true })
}

test('the waiting room has what waits, for operators', async () => {
  for (const door of ['gRPC ListWaiting', 'HTTP /v1/devices/waiting']) {
    const seeing = roles.map(async (role) => ((await partly[door]!(role)).includes(textOf('waiting')) ? [role] : []))
    expect((await Promise.all(seeing)).flat()).toEqual(['operator'])
  }
}, 60_000)

/**
 * By MQTT a message is seen by whoever may see its topic, though it was refused as a reading: an alert's topic needs what any field of an
 * alert may have, and a topic that nobody labelled the permission for its filter alone. Events need OPS there, since they come together.
 */
const byMqtt: Readonly<Record<string, readonly Need[]>> = {
  headline: ['OPS'],
  contact: ['PII'],
  'refused-cap': ['PII'],
  'refused-cji': ['CJI'],
  'raw-open': [],
  'refused-open': [],
}

const needed = (door: string, one: Mark): Mark =>
  door.startsWith('MQTT') ? { ...one, needs: byMqtt[one.name] ?? ['OPS', ...one.needs] } : one

function leaksOf(door: string, role: string, answer: Buffer): string[] {
  return found(answer).filter((name) => {
    const one = marks.find((each) => each.name === name)!
    return !may(role, needed(door, one))
  })
}

describe.each(Object.entries({ ...whole, ...partly }))('%s', (door, ask) => {
  test('gives nobody what is beyond his roles', async () => {
    const leaks = roles.map(async (role) => leaksOf(door, role, await ask(role)).map((name) => `${role}: ${name}`))
    expect((await Promise.all(leaks)).flat()).toEqual([])
  }, 60_000)
})

describe.each(Object.entries(whole))('%s', (door, ask) => {
  test('gives everybody all that his roles let him see', async () => {
    const answers = await Promise.all(reading.map(ask))
    for (const [at, role] of reading.entries()) {
      const wanted = marks.filter(
        (each) => may(role, each) && !each.needs.some((need) => need === 'FRAMES' || need === 'WAITING'),
      )
      const isText = door.startsWith('HTTP') && !door.includes('encoded')
      // JSON has no form for fields that the schema does not know.
      const inDoor = wanted.filter(({ name }) => !(isText && name === 'unknown'))
      expect([role, found(answers[at]!).toSorted()]).toEqual([
        role,
        expect.arrayContaining(inDoor.map(({ name }) => name).toSorted()),
      ])
    }
  }, 60_000)
})

test('the doors give something: an answer of nothing would leak nothing', async () => {
  const silent: string[] = []
  for (const [door, ask] of Object.entries(partly)) {
    const answers = await Promise.all(['records', 'operator', 'auditor'].map(ask))
    if (answers.every(({ length }) => length === 0)) silent.push(door)
  }
  expect(silent).toEqual([])
}, 60_000)

test('the table is as large as the house: every role that is built in, every mark, every door', () => {
  const cells = Object.keys({ ...whole, ...partly }).length * roles.length * marks.length
  console.info(
    `${Object.keys({ ...whole, ...partly }).length} doors × ${roles.length} roles × ${marks.length} marks: ${cells} cells`,
  )
  expect(cells).toBeGreaterThan(7_000)
})
