// What the gRPC tests share: a real log in a temporary folder with the real server before it, events as the pipeline makes them,
// and a client of grpc-js with everything it was given.

import { randomFillSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials, makeGenericClientConstructor, type Client, type ServiceError } from '@grpc/grpc-js'
import type { CallNotes } from '../gateway/audit/calls.ts'
import { systemClock } from '../gateway/clock.ts'
import type { Access, Principal, View } from '../gateway/grpc/access.ts'
import { createGrpcServer, type GrpcServer, type GrpcServerParts } from '../gateway/grpc/server.ts'
import type { SignInDoor } from '../gateway/grpc/sign-in-service.ts'
import { createIds } from '../gateway/ids.ts'
import type { Appended, Log } from '../gateway/log/log.ts'
import type { Logger } from '../gateway/logger.ts'
import { newRecord } from '../gateway/pipeline.ts'
import { everything } from '../gateway/policy/rights.ts'
import { ClockQuality, Fate, MessageStatus } from '../proto/generated/types.ts'
import type {
  Event,
  Frame,
  Record as StoredRecord,
  SubscribeRequest,
  SubscribeResponse,
} from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { timestamp } from '../proto/time.ts'
import { codec, serviceDefinition } from '../proto/wire.ts'
import { openTestLog } from './grpc-log.ts'
import { emptyRoom, principals } from './tools/registry.ts'

export const quietLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
export const quietNotes: CallNotes = {
  call() {},
  stream: () => ({ given() {}, end() {} }),
  handshake() {},
  refuseUnwritten() {},
  close() {},
}
const closed = (): never => {
  throw new Error('nobody signs in in this test')
}
export const closedDoor: SignInDoor = { signIn: closed, signOut: closed, certifiedBy: () => undefined }
export const seesAll: View = {
  key: 'all',
  everything: true,
  mayPassWhole: () => true,
  mayRead: () => true,
  shown: (record) => record,
  mayReadFrame: () => true,
}
export const anonymous: Principal = { name: 'grpc:anonymous', authenticity: 'unverified', rights: everything }
export const openAccess: Access = {
  authenticate: () => ({ principal: anonymous }),
  view: () => seesAll,
  may: () => true,
  mayIngest: () => true,
}

export interface House extends AsyncDisposable {
  readonly log: Log
  readonly server: GrpcServer
  readonly target: string
  append(...events: Event[]): Promise<Appended>
  client(service?: string): TestClient
}

export async function openHouse(parts: Partial<GrpcServerParts> & { folder?: string } = {}): Promise<House> {
  const { folder, ...given } = parts
  const log = given.log ?? (await openTestLog(folder))
  const server = createGrpcServer({
    address: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    logger: quietLogger,
    access: openAccess,
    recentFates: { recent: () => [] },
    receiveEvents: () => Promise.reject(new Error('this test publishes nothing')),
    admin: {
      status: () => ({}),
      readers: () => [],
      replay: async () => ({ fate: 'refused', why: '' }),
      audit: { list: async () => Buffer.alloc(0) },
      principals: principals(),
      room: emptyRoom,
    },
    notes: quietNotes,
    signIn: closedDoor,
    ready: () => true,
    ...given,
    log,
  })
  await server.start()
  const target = `127.0.0.1:${server.port}`
  const clients: TestClient[] = []
  return {
    log,
    server,
    target,
    append: (...events) => appendEvents(log, events),
    client(service = 'tocsin.v1.EventService') {
      const client = testClient(target, service)
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await server.close()
      await log.close()
    },
  }
}

const ids = createIds((bytes) => void randomFillSync(bytes))

/** A reading of gauge-1 unless something else is said. */
export function eventOf(given: Event = {}): Event {
  return {
    id: ids.next(systemClock.now()),
    subject: 'urn:dev:gauge-1',
    messageStatus: MessageStatus.ACTUAL,
    origin: { device: 'gauge-1', adapter: 'senml', jurisdiction: 'county-a.example' },
    receivedAt: timestamp(systemClock.now()),
    clockQuality: ClockQuality.ASSUMED,
    ...(!given.body && {
      body: 'observation',
      observation: { measurements: [{ quantity: 'level', value: 'doubleValue', doubleValue: 1.5, unit: 'm' }] },
    }),
    ...given,
  } as Event
}

export const deviceEvent = (device: string, given: Event = {}): Event =>
  eventOf({ subject: `urn:dev:${device}`, origin: { device, adapter: 'senml' }, ...given })

/** Text to people goes by the urgent lane. */
export const urgentEvent = (text: string): Event =>
  eventOf({ subject: `urn:text:${text}`, body: 'message', message: { text } })

/** One frame with all of these events, as the pipeline appends it. */
export function appendEvents(
  log: Log,
  events: readonly Event[],
  channel = 'tocsin/in/senml/gauge-1',
): Promise<Appended> {
  const receivedAt = systemClock.now()
  const sender = { name: 'mqtt:test', authenticity: 'unverified', link: 'mqtt' } as const
  const bytes = Buffer.from(`frame of ${events.length}`)
  const frame: Frame = {
    id: ids.next(receivedAt),
    receivedAt: timestamp(receivedAt),
    channel,
    sender: sender.name,
    adapter: 'senml',
    payload: bytes,
    fate: events.length > 0 ? Fate.STORED : Fate.IGNORED,
  }
  const records = events.map((event) => newRecord(event, sender, { bytes, receivedAt, channel }, undefined))
  return log.append({ frame, records })
}

export interface TestClient {
  readonly raw: InstanceType<ReturnType<typeof makeGenericClientConstructor>>
  unary<Response>(method: string, request: object): Promise<Response>
  subscribe(request: SubscribeRequest): Reader
  close(): void
}

export function testClient(target: string, service: string, security = credentials.createInsecure()): TestClient {
  const definition = serviceDefinition(service)
  const Constructor = makeGenericClientConstructor(definition, service)
  // A connection of its own, as a console has.
  const raw = new Constructor(target, security, { 'grpc.use_local_subchannel_pool': 1 })
  return {
    raw,
    unary: (method, request) =>
      new Promise((resolve, reject) => {
        const call = raw[method] as (
          this: Client,
          request: object,
          done: (error: ServiceError | null, value: never) => void,
        ) => void
        call.call(raw, request, (error, value) => (error ? reject(error) : resolve(value)))
      }),
    subscribe(request) {
      const call = raw['Subscribe'] as (this: Client, request: object) => Stream
      return readerOf(call.call(raw, request))
    },
    close: () => raw.close(),
  }
}

interface Stream {
  on(event: 'data', listener: (response: SubscribeResponse) => void): unknown
  on(event: 'error', listener: (error: ServiceError) => void): unknown
  on(event: 'end', listener: () => void): unknown
  cancel(): void
  pause(): void
  resume(): void
}

export interface Reader {
  readonly responses: SubscribeResponse[]
  /** All records of all batches, in the order they came. */
  readonly records: StoredRecord[]
  /** The last cursor that came. */
  readonly cursor: Uint8Array | undefined
  readonly error: ServiceError | undefined
  readonly ended: boolean
  until(isThere: (reader: Reader) => boolean, timeoutMs?: number): Promise<Reader>
  count(item: SubscribeResponse['item']): number
  cancel(): void
  pause(): void
  resume(): void
}

function readerOf(stream: Stream): Reader {
  const responses: SubscribeResponse[] = []
  const records: StoredRecord[] = []
  let cursor: Uint8Array | undefined
  let error: ServiceError | undefined
  let ended = false
  stream.on('data', (response) => {
    responses.push(response)
    if (response.item === 'batch') for (const record of response.batch.records ?? []) records.push(record)
    const { item } = response
    const newer =
      item === 'batch'
        ? response.batch.cursor
        : item === 'caughtUp'
          ? response.caughtUp.cursor
          : item === 'heartbeat'
            ? response.heartbeat.cursor
            : undefined
    if (newer?.length) cursor = newer
  })
  stream.on('error', (reason) => (error = reason))
  stream.on('end', () => (ended = true))
  const reader: Reader = {
    responses,
    records,
    get cursor() {
      return cursor
    },
    get error() {
      return error
    },
    get ended() {
      return ended
    },
    async until(isThere, timeoutMs = 8_000) {
      for (let waited = 0; waited < timeoutMs; waited += 5) {
        if (isThere(reader)) return reader
        if (error && waited > 200) break
        await sleep(5)
      }
      if (isThere(reader)) return reader
      const items = responses.map(({ item }) => item).join(' ')
      throw new Error(
        `it did not come: ${records.length} records; ${items.slice(0, 500)}; ${error?.message ?? 'no error'}`,
      )
    },
    count: (item) => responses.filter((response) => response.item === item).length,
    cancel: () => stream.cancel(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  }
  return reader
}

const eventCodec = codec('tocsin.v1.Event')
export const eventIn = (record: StoredRecord): Event => eventCodec.decode(record.event ?? new Uint8Array())
/** "urgent 1", "routine 17". */
export const placeIn = ({ lane, sequence }: StoredRecord): string =>
  `${lane === 1 ? 'urgent' : 'routine'} ${toNumber(sequence)}`
export const devicesIn = (records: readonly StoredRecord[]): string[] =>
  records.map((record) => eventIn(record).origin?.device ?? '')
