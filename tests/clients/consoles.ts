// Dispatch consoles in a process of their own: so many that read, so many that froze. It measures how old records are when they
// come; on standard input `report` prints that as one line, `anew` forgets it, `freeze` and `thaw` change the last console.
//
// usage: node consoles.ts TARGET COUNT

import { createInterface } from 'node:readline'
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js'
import type { SubscribeResponse } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { serviceDefinition } from '../../proto/wire.ts'

interface Stream {
  on(event: 'data', listener: (response: Buffer) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  pause(): void
  resume(): void
}

const [target = '', count = '1'] = process.argv.slice(2)
const service = serviceDefinition('tocsin.v1.EventService')
const definition = service['Subscribe']!
const decode = definition.responseDeserialize as (bytes: Buffer) => SubscribeResponse
// Reading is left to one console in ten: fifty that decode every record would be a load of their own.
const Client = makeGenericClientConstructor(
  { Subscribe: { ...definition, responseDeserialize: (bytes: Buffer) => bytes } },
  'tocsin.v1.EventService',
)
let agesMs: number[] = []
let live = 0

function open(index: number): Stream {
  const client = new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const stream = (client['Subscribe'] as (request: object) => Stream).call(client, { latest: {} })
  stream.on('data', (bytes) => {
    const response = index % 10 === 0 ? decode(bytes) : undefined
    const nowMs = Date.now()
    // The first message of each stream says that it is live.
    if (!response || response.item !== 'batch') return void (live += 1)
    for (const { loggedAtNs } of response.batch.records ?? [])
      agesMs.push(nowMs - Number(toBigInt(loggedAtNs) / 1_000_000n))
  })
  stream.on('error', (error) => {
    process.stdout.write(`console ${index} ended: ${error.message}\n`)
  })
  return stream
}

const streams = Array.from({ length: Number(count) }, (_, index) => open(index))
const last = streams.at(-1)
const waiting = setInterval(() => {
  if (live < streams.length) return
  clearInterval(waiting)
  process.stdout.write('live\n')
}, 10)

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'freeze') last?.pause()
  if (line === 'thaw') last?.resume()
  if (line === 'anew') agesMs = []
  if (line !== 'report') return
  const sorted = agesMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? -1
  process.stdout.write(
    `${JSON.stringify({ records: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? -1 })}\n`,
  )
})
