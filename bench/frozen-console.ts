// The frozen console: fifty gRPC streams, and in every second run one of them belongs to a process that is stopped (SIGSTOP) before
// the load. The others must not notice, and the gateway must not keep for it what it does not read.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ConsoleReport } from './consoles.ts'
import { stampOffset, startConsoles } from './consoles-process.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { measureLoad } from './load-process.ts'
import { ratio, runPairs } from './pairs.ts'
import { treeUsage } from './process-tree.ts'
import type { Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

export const frozenConsole: Row = {
  name: 'frozen',
  about: 'one frozen gRPC subscriber among 50: the others’ p99 and the gateway’s memory over 60 s',
  run: measure,
}

const others = 49
const perSecond = 1_000
const loadSeconds = 60
// The heap has found its size by then.
const warmUpSeconds = 20
const settleMs = 500
const memoryEachMs = 500
/** Of the load's end, over which memory is averaged: the collector's rhythm shows less. */
const memoryWindowMs = 10_000

interface Outcome {
  readonly report: ConsoleReport
  readonly grownBytes: number
}

async function measure({ pairs: count, messages = perSecond * loadSeconds, say }: RowOptions): Promise<RowResult> {
  const pairs = await runPairs(
    count,
    () => run(messages, true),
    () => run(messages, false),
    ({ a, b }, number) => say(`pair ${number}: frozen ${text(a)}; without ${text(b)}`),
  )
  const grown = spread(pairs.map(({ a, b }) => (a.grownBytes - b.grownBytes) / 1024))
  return {
    figures: [
      {
        name: 'p99 of the others, with / without',
        value: ratio(
          pairs,
          (a) => a.report.ageMs.p99,
          (b) => b.report.ageMs.p99,
        ),
        unit: '×',
        wanted: { atMost: 1.25 },
      },
      { name: 'p99 of the others, one frozen', value: spread(pairs.map(({ a }) => a.report.ageMs.p99)), unit: 'ms' },
      { name: 'p99 of the others, none frozen', value: spread(pairs.map(({ b }) => b.report.ageMs.p99)), unit: 'ms' },
      { name: 'memory grown, with less without', value: grown, unit: 'kB', wanted: { atMost: 2_048 } },
      { name: 'memory grown, one frozen', value: spread(pairs.map(({ a }) => a.grownBytes / 1024)), unit: 'kB' },
      { name: 'memory grown, none frozen', value: spread(pairs.map(({ b }) => b.grownBytes / 1024)), unit: 'kB' },
      {
        name: 'deliveries missing',
        value: spread(pairs.flatMap(({ a, b }) => [a, b].map(({ report }) => messages * others - report.deliveries))),
        unit: '',
        wanted: { atMost: 0 },
      },
    ],
    notes: [
      'Memory is what the kernel counts as resident, so the garbage collector’s rhythm is in it: look at the median of the pairs.',
    ],
  }
}

async function run(messages: number, freeze: boolean): Promise<Outcome> {
  const gateway = await startGatewayProcess()
  const stampOffsetNs = stampOffset()
  const started = []
  try {
    const consoles = await startConsoles(gateway.grpcAddress, others, stampOffsetNs)
    started.push(consoles)
    const last = await startConsoles(gateway.grpcAddress, 1, stampOffsetNs)
    started.push(last)
    const load = { port: gateway.mqttPort, connections: 10, rate: perSecond, stampOffsetNs }
    const memory = watchMemory(gateway.pid)
    await measureLoad({ ...load, messages: perSecond * warmUpSeconds }, gateway.pid)
    await sleep(settleMs)
    await consoles.reset()
    const before = memory.mean()
    if (freeze) last.freeze()
    await measureLoad({ ...load, messages }, gateway.pid)
    const grownBytes = memory.mean() - before
    memory.stop()
    await sleep(settleMs)
    return { report: await consoles.report(), grownBytes }
  } finally {
    for (const each of started) await each.stop()
    await gateway.stop()
  }
}

/** Resident bytes over the last seconds. */
function watchMemory(pid: number): { mean(): number; stop(): void } {
  const samples: number[] = []
  const timer = setInterval(() => {
    samples.push(treeUsage(pid).residentBytes)
    if (samples.length > memoryWindowMs / memoryEachMs) samples.shift()
  }, memoryEachMs)
  return {
    mean: () => samples.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, samples.length),
    stop: () => clearInterval(timer),
  }
}

const text = ({ report, grownBytes }: Outcome): string =>
  `p99 ${report.ageMs.p99.toFixed(1)} ms, grown ${Math.round(grownBytes / 1024).toLocaleString('en')} kB`
