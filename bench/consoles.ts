// Dispatch consoles for a measurement: gRPC streams in a process of their own, each on its own connection, that note how old every
// event is when it arrives. It reads commands from standard input ("reset", "report") and answers in lines of JSON.
//
//   node bench/consoles.ts ADDRESS STREAMS STAMP_OFFSET_NS

import { createInterface } from 'node:readline'
import { credentials, makeGenericClientConstructor, Metadata, type ClientReadableStream } from '@grpc/grpc-js'
import protobuf from 'protobufjs/light.js'

import { serviceDefinition } from '../proto/wire.ts'

export interface ConsoleReport {
  readonly deliveries: number
  /** From the moment the message was written into the publisher's socket to its arrival here. */
  readonly ageMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

const [, , address = '', streams = '1', stampOffsetNs = '0'] = process.argv
const offsetNs = BigInt(stampOffsetNs)

// Twenty microseconds to a bucket, ten seconds in all; what is older counts as that.
const bucketMs = 0.02
const ages = new Uint32Array(500_000)
let deliveries = 0
let open = 0

const service = serviceDefinition('tocsin.v1.EventService')
const Client = makeGenericClientConstructor(
  // Messages stay bytes: decoding all of every event ten times over would measure this program.
  { Subscribe: { ...service['Subscribe']!, responseDeserialize: (bytes: Buffer) => bytes } },
  'EventService',
)

const metadata = new Metadata()
const token = process.env['CONSOLE_TOKEN']
if (token) metadata.set('authorization', `Bearer ${token}`)

for (let stream = 0; stream < Number(streams); stream++) subscribe()

function subscribe(): void {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const call = client['Subscribe'] as (request: object, metadata: Metadata) => ClientReadableStream<Buffer>
  const stream = call.call(client, { start: 'latest', latest: {} }, metadata)
  stream.once('metadata', () => {
    if (++open === Number(streams)) process.stdout.write('open\n')
  })
  stream.on('data', (message: Buffer) => note(message))
  stream.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
}

// Field numbers of tocsin.v1, see event_service.proto, record.proto, event.proto and google.protobuf.Timestamp.
const batchOfResponse = 1
const recordsOfBatch = 1
const eventOfRecord = 15
const observedAtOfEvent = 10
const secondsOfTimestamp = 1
const nanosOfTimestamp = 2

function note(message: Buffer): void {
  const now = process.hrtime.bigint() + offsetNs
  const nowSeconds = Number(now / 1_000_000_000n)
  const nowNanos = Number(now % 1_000_000_000n)
  eachField(message, batchOfResponse, (batch) =>
    eachField(batch, recordsOfBatch, (record) =>
      eachField(record, eventOfRecord, (event) =>
        eachField(event, observedAtOfEvent, (timestamp) => {
          const [seconds, nanos] = timeOf(timestamp)
          const ageMs = (nowSeconds - seconds) * 1000 + (nowNanos - nanos) / 1e6
          const bucket = Math.min(ages.length - 1, Math.max(0, Math.round(ageMs / bucketMs)))
          ages[bucket]! += 1
          deliveries += 1
        }),
      ),
    ),
  )
}

function eachField(bytes: Uint8Array, wanted: number, see: (bytes: Uint8Array) => void): void {
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === wanted && (tag & 7) === 2) see(reader.bytes())
    else reader.skipType(tag & 7)
  }
}

function timeOf(bytes: Uint8Array): [seconds: number, nanos: number] {
  const reader = protobuf.Reader.create(bytes)
  let [seconds, nanos] = [0, 0]
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === secondsOfTimestamp) seconds = Number(reader.int64())
    else if (tag >>> 3 === nanosOfTimestamp) nanos = reader.int32()
    else reader.skipType(tag & 7)
  }
  return [seconds, nanos]
}

function report(): ConsoleReport {
  const at = (share: number): number => {
    let rest = Math.ceil(deliveries * share)
    const bucket = ages.findIndex((count) => (rest -= count) <= 0)
    return bucket * bucketMs
  }
  return { deliveries, ageMs: { p50: at(0.5), p99: at(0.99), max: at(1) } }
}

createInterface({ input: process.stdin }).on('line', (command) => {
  if (command === 'reset') {
    ages.fill(0)
    deliveries = 0
    process.stdout.write('reset\n')
  } else if (command === 'report') process.stdout.write(`${JSON.stringify(report())}\n`)
})
