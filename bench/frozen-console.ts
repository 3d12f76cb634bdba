// The frozen console: fifty gRPC streams, and in every second run one of them belongs to a process that is stopped (SIGSTOP) before
// the load. The others must not notice, and the gateway must not keep for it what it does not read.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ConsoleReport } from './consoles.ts'
import { stampOffset, startConsoles } from './consoles-process.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { inspectorArgs, watchLiveMemory } from './live-memory.ts'
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
// Each commit is a message to each stream: ten thousand a second, which two cores carry with room to spare.
const perSecond = 200
const loadSeconds = 60
// The heap has found its size by then.
const warmUpSeconds = 10
// Consoles that lag have read everything then.
const settleMs = 3_000

interface Outcome {
  readonly report: ConsoleReport
  /** Grown over the load: what is referred to, and what the kernel counts. */
  readonly liveBytes: number
  readonly residentBytes: number
}

async function measure({ pairs: count, messages = perSecond * loadSeconds, say }: RowOptions): Promise<RowResult> {
  const pairs = await runPairs(
    count,
    () => run(messages, true),
    () => run(messages, false),
    ({ a, b }, number) => say(`pair ${number}: frozen ${text(a)}; without ${text(b)}`),
  )
  const grown = spread(pairs.map(({ a, b }) => (a.liveBytes - b.liveBytes) / 1024))
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
      { name: 'live memory grown, with less without', value: grown, unit: 'kB', wanted: { atMost: 2_048 } },
      { name: 'live memory grown, one frozen', value: spread(pairs.map(({ a }) => a.liveBytes / 1024)), unit: 'kB' },
      { name: 'live memory grown, none frozen', value: spread(pairs.map(({ b }) => b.liveBytes / 1024)), unit: 'kB' },
      {
        name: 'resident, with less without',
        value: spread(pairs.map(({ a, b }) => (a.residentBytes - b.residentBytes) / 1024)),
        unit: 'kB',
      },
      {
        name: 'deliveries missing',
        value: spread(pairs.flatMap(({ a, b }) => [a, b].map(({ report }) => messages * others - report.deliveries))),
        unit: '',
        wanted: { atMost: 0 },
      },
    ],
    notes: [
      'Live memory is what the gateway still refers to after a full garbage collection, asked through its inspector.',
    ],
  }
}

async function run(messages: number, freeze: boolean): Promise<Outcome> {
  const gateway = await startGatewayProcess({ nodeArgs: inspectorArgs })
  const stampOffsetNs = stampOffset()
  const started = []
  try {
    const consoles = await startConsoles(gateway.grpcAddress, others, stampOffsetNs)
    started.push(consoles)
    const last = await startConsoles(gateway.grpcAddress, 1, stampOffsetNs)
    started.push(last)
    const load = { port: gateway.mqttPort, connections: 10, rate: perSecond, stampOffsetNs }
    const memory = await watchLiveMemory(gateway.errorText())
    await measureLoad({ ...load, messages: perSecond * warmUpSeconds }, gateway.pid)
    await sleep(settleMs)
    await consoles.reset()
    const before = { live: await memory.bytes(), resident: treeUsage(gateway.pid).residentBytes }
    if (freeze) last.freeze()
    await measureLoad({ ...load, messages }, gateway.pid)
    await sleep(settleMs)
    const report = await consoles.report()
    const residentBytes = treeUsage(gateway.pid).residentBytes - before.resident
    const liveBytes = (await memory.bytes()) - before.live
    memory.close()
    return { report, liveBytes, residentBytes }
  } finally {
    for (const each of started) await each.stop()
    await gateway.stop()
  }
}

const text = ({ report, liveBytes }: Outcome): string =>
  `p99 ${report.ageMs.p99.toFixed(1)} ms, grown ${Math.round(liveBytes / 1024).toLocaleString('en')} kB`
