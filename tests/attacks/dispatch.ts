// Dispatch, while the gateway is under attack: an alert each 100 ms over MQTT, read from a gRPC stream of the urgent lane, each waited for.
// What the machine alone would do to them is measured beside them, by a server that only gives back what it gets.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js'
import { Lane } from '../../proto/generated/types.ts'
import { serviceDefinition } from '../../proto/wire.ts'
import { createMqttClient } from '../faults/mqtt-client.ts'
import { startMachineDelay } from '../prove/bystander.ts'

export interface Latencies {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** The worst of the server that does nothing, in the same time. */
  readonly machineMs: number
}

export interface Dispatch {
  /** Of all that was sent since the last call and has come; then what has not come is waited for, so long. */
  take(): Promise<Latencies & { readonly missing: number }>
  /** Why its stream or its connection ended, when it did. */
  readonly broken: readonly string[]
  stop(): Promise<void>
}

const everyMs = 100
const lastMsMax = 10_000
const example = readFileSync(join(import.meta.dirname, '../../adapters/cap/fixtures/flash-flood.xml'), 'utf8')
const definition = serviceDefinition('tocsin.v1.EventService')['Subscribe']!
const Client = makeGenericClientConstructor(
  { Subscribe: { ...definition, responseDeserialize: (bytes: Buffer) => bytes } },
  'tocsin.v1.EventService',
)

const alertOf = (n: number): string =>
  example
    .replace(/<identifier>[^<]*/, `<identifier>dispatch-${n}-end`)
    .replaceAll(/<(sent|effective|onset)>[^<]*/g, `<$1>${new Date().toISOString().slice(0, 19)}-00:00`)
    .replace(/<expires>[^<]*/, `<expires>${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}-00:00`)

export async function startDispatch(mqttPort: number, grpc: string): Promise<Dispatch> {
  const sentMs = new Map<number, number>()
  let delaysMs: number[] = []
  const broken: string[] = []
  let isOver = false
  let next = 0
  const client = new Client(grpc, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const stream = (client['Subscribe'] as (request: object) => NodeJS.EventEmitter & { cancel(): void }).call(client, {
    start: 'latest',
    latest: {},
    filter: { lanes: [Lane.URGENT] },
  })
  const live = new Promise((resolve) => stream.once('data', resolve))
  stream.on('data', (bytes: Buffer) => {
    for (const [, n] of bytes.toString('latin1').matchAll(/dispatch-(\d+)-end/g)) {
      const sent = sentMs.get(Number(n))
      if (sent === undefined) continue
      sentMs.delete(Number(n))
      delaysMs.push(performance.now() - sent)
    }
  })
  stream.on('error', (error: Error) => isOver || broken.push(`the stream ended: ${error.message}`))
  const publisher = createMqttClient({
    port: mqttPort,
    clientId: 'dispatch-writes',
    clean: true,
    onLost: () => broken.push('the connection of its publisher was cut'),
  })
  await publisher.connect()
  await live
  const machine = await startMachineDelay()
  const beat = setInterval(() => {
    machine.beat()
    sentMs.set(next, performance.now())
    publisher.publish({ topic: 'tocsin/in/cap/dispatch', payload: alertOf(next++), qos: 1 })
  }, everyMs)
  return {
    async take() {
      const until = next
      const waiting = (): number => [...sentMs.keys()].filter((n) => n < until).length
      for (let ms = 0; waiting() > 0 && ms < lastMsMax; ms += 10) await sleep(10)
      const sorted = delaysMs.toSorted((a, b) => a - b)
      delaysMs = []
      const at = (share: number): number =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity
      const latencies = { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
      return { ...latencies, machineMs: machine.take(), missing: waiting() }
    },
    broken,
    async stop() {
      isOver = true
      clearInterval(beat)
      stream.cancel()
      client.close()
      await machine.stop()
      await publisher.disconnect()
    },
  }
}
