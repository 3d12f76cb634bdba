// Row 5: how long a message takes from the publisher's socket to ten consoles, on disk before, at 2,000 a second; and how long its
// acknowledgement takes. Repeated, and given as medians of the runs.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ConsoleReport } from './consoles.ts'
import { stampOffset, startConsoles } from './consoles-process.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { measureLoad, type MeasuredLoad } from './load-process.ts'
import type { Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

export const consoleLatency: Row = {
  name: '5',
  about: 'publish to console at 2,000/s, durable, 10 gRPC streams; and publish to PUBACK',
  run: measure,
}

const perSecond = 2_000
const streams = 10
const messagesDefault = 20_000
const warmUp = 6_000
// For the last deliveries, far above any latency that would be acceptable.
const settleMs = 500

interface Outcome {
  readonly load: MeasuredLoad
  readonly consoles: ConsoleReport
}

async function measure({ pairs, messages = messagesDefault, say }: RowOptions): Promise<RowResult> {
  const outcomes: Outcome[] = []
  for (let number = 1; number <= pairs; number++) {
    const outcome = await run(messages)
    const { p50, p99 } = outcome.consoles.ageMs
    say(
      `run ${number}: console p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms; PUBACK p50 ${outcome.load.ackMs.p50.toFixed(2)} ms`,
    )
    outcomes.push(outcome)
  }
  const of = (value: (outcome: Outcome) => number) => spread(outcomes.map(value))
  return {
    figures: [
      {
        name: 'publish to console p50',
        value: of(({ consoles }) => consoles.ageMs.p50),
        unit: 'ms',
        wanted: { atMost: 2 },
      },
      {
        name: 'publish to console p99',
        value: of(({ consoles }) => consoles.ageMs.p99),
        unit: 'ms',
        wanted: { atMost: 8 },
      },
      { name: 'publish to PUBACK p50', value: of(({ load }) => load.ackMs.p50), unit: 'ms' },
      { name: 'publish to PUBACK p99', value: of(({ load }) => load.ackMs.p99), unit: 'ms' },
      { name: 'published', value: of(({ load }) => load.perSecond), unit: '/s' },
      {
        name: 'deliveries missing',
        value: of(({ consoles }) => messages * streams - consoles.deliveries),
        unit: '',
        wanted: { atMost: 0 },
      },
      { name: 'gateway, CPU a message', value: of(({ load }) => load.serverMicrosEach), unit: 'µs' },
    ],
    notes: ['Generator, gateway and consoles share the cores, so a busy machine shows in the p99 first.'],
  }
}

async function run(messages: number): Promise<Outcome> {
  const gateway = await startGatewayProcess()
  try {
    const stampOffsetNs = stampOffset()
    const consoles = await startConsoles(gateway.grpcAddress, streams, stampOffsetNs)
    try {
      const load = { port: gateway.mqttPort, connections: 10, rate: perSecond, stampOffsetNs }
      await measureLoad({ ...load, messages: warmUp }, gateway.pid)
      await sleep(settleMs)
      await consoles.reset()
      const measured = await measureLoad({ ...load, messages }, gateway.pid)
      await sleep(settleMs)
      return { load: measured, consoles: await consoles.report() }
    } finally {
      await consoles.stop()
    }
  } finally {
    await gateway.stop()
  }
}
