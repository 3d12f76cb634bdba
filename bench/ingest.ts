// Rows 1 and 2: how fast QoS 1 messages are acknowledged, Tocsin with each of them decoded, normalised and on disk before its PUBACK,
// beside a bare mosquitto that acknowledges from memory and keeps nothing.

import { startMosquitto } from '../tests/tools/mosquitto.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { type MeasuredLoad, measureLoad } from './load-process.ts'
import { ratio, runPairs } from './pairs.ts'
import type { Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

export interface Shape {
  readonly connections: number
  readonly window: number
  readonly messages: number
  readonly warmUp: number
}

// The warm-up is long enough that the just-in-time compiler has seen the whole path.
export const pipelined: Shape = { connections: 10, window: 100, messages: 200_000, warmUp: 40_000 }
export const manyDevices: Shape = { connections: 1_000, window: 1, messages: 100_000, warmUp: 20_000 }

export const durableIngest: Row = {
  name: '1',
  about: 'durable ingest, 10 connections × 100 in flight, beside bare mosquitto',
  run: (options) => ingest(pipelined, options),
}

export const durableIngestOfMany: Row = {
  name: '2',
  about: 'durable ingest, 1,000 connections × 1 in flight, beside bare mosquitto',
  run: (options) => ingest(manyDevices, options),
}

// Its configuration of the tests logs every packet.
const quietMosquitto = 'log_type none\nlog_type information'

/** Above this share of a core the generator may be what limits, and the result says so. */
const generatorCoresMax = 0.85

async function ingest(shape: Shape, { pairs: count, messages, say }: RowOptions): Promise<RowResult> {
  const load = { ...shape, messages: messages ?? shape.messages }
  const pairs = await runPairs(
    count,
    async () => {
      const gateway = await startGatewayProcess()
      try {
        return await measureLoad({ ...load, port: gateway.mqttPort }, gateway.pid)
      } finally {
        await gateway.stop()
      }
    },
    async () => {
      const mosquitto = await startMosquitto({ config: quietMosquitto })
      try {
        return await measureLoad({ ...load, port: mosquitto.port }, mosquitto.pid)
      } finally {
        await mosquitto.stop()
      }
    },
    ({ a, b }, number) => say(`pair ${number}: Tocsin ${runText(a)}; mosquitto ${runText(b)}`),
  )
  const generator = spread(pairs.flatMap(({ a, b }) => [a.cores, b.cores]))
  return {
    figures: [
      {
        name: 'Tocsin / mosquitto',
        value: ratio(
          pairs,
          (a) => a.perSecond,
          (b) => b.perSecond,
        ),
        unit: '×',
        wanted: { atLeast: 0.4 },
      },
      { name: 'Tocsin, acknowledged', value: spread(pairs.map(({ a }) => a.perSecond)), unit: '/s' },
      { name: 'mosquitto, acknowledged', value: spread(pairs.map(({ b }) => b.perSecond)), unit: '/s' },
      { name: 'Tocsin, CPU a message', value: spread(pairs.map(({ a }) => a.serverMicrosEach)), unit: 'µs' },
      { name: 'mosquitto, CPU a message', value: spread(pairs.map(({ b }) => b.serverMicrosEach)), unit: 'µs' },
      { name: 'Tocsin, PUBLISH to PUBACK p50', value: spread(pairs.map(({ a }) => a.ackMs.p50)), unit: 'ms' },
      { name: 'Tocsin, PUBLISH to PUBACK p99', value: spread(pairs.map(({ a }) => a.ackMs.p99)), unit: 'ms' },
      { name: 'load generator', value: generator, unit: 'cores' },
    ],
    notes:
      generator.max > generatorCoresMax
        ? ['The load generator used most of a core in some run, so the faster side may be faster than shown.']
        : [],
  }
}

export const runText = ({ perSecond, serverMicrosEach }: MeasuredLoad): string =>
  `${Math.round(perSecond).toLocaleString('en')}/s, ${serverMicrosEach.toFixed(1)} µs`
