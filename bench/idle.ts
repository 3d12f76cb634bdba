// What a connection costs that says nothing: memory of the server with ten thousand of them, less what it had before, beside a bare
// mosquitto and a bare aedes. A device that reports once an hour is such a connection for nearly all of its life.

import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'

import { startChild, type Child } from '../tests/tools/child.ts'
import { startMosquitto } from '../tests/tools/mosquitto.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { inspectorArgs, watchLiveMemory } from './live-memory.ts'
import { runPairs } from './pairs.ts'
import { treeUsage } from './process-tree.ts'
import type { Figure, Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

export const idleConnections: Row = {
  name: 'idle',
  about: 'memory of 10,000 idle MQTT connections, beside bare aedes and bare mosquitto',
  run: measure,
}

const connectionsDefault = 10_000
/** Open and closed again before: code is compiled and buffers have their size. */
const warmUpConnections = 200
const settleMs = 2_000
const openTimeoutMs = 300_000

/** Of one connection. */
interface Cost {
  readonly residentBytes: number
  /** What is still referred to after a full garbage collection; of a server in Node.js. */
  readonly liveBytes: number | undefined
}

interface Server {
  readonly pid: number
  readonly port: number
  /** Where Node.js says that its inspector listens; absent: it is no Node.js. */
  readonly stderr?: string
}

async function measure({
  pairs: count,
  messages: connections = connectionsDefault,
  say,
}: RowOptions): Promise<RowResult> {
  const pairs = await runPairs(
    count,
    () => ofTocsin(connections),
    async () => ({ aedes: await ofAedes(connections), mosquitto: await ofMosquitto(connections) }),
    ({ a, b }, number) =>
      say(`round ${number}: Tocsin ${text(a)}; aedes ${text(b.aedes)}; mosquitto ${text(b.mosquitto)}`),
  )
  const resident = (name: string, costs: readonly Cost[]): Figure => ({
    name: `${name}, resident`,
    value: spread(costs.map(({ residentBytes }) => residentBytes / 1024)),
    unit: 'kB',
  })
  const live = (name: string, costs: readonly Cost[]): Figure => ({
    name: `${name}, live`,
    value: spread(costs.map(({ liveBytes = NaN }) => liveBytes / 1024)),
    unit: 'kB',
  })
  const [tocsin, aedes, mosquitto] = [
    pairs.map(({ a }) => a),
    pairs.map(({ b }) => b.aedes),
    pairs.map(({ b }) => b.mosquitto),
  ]
  return {
    figures: [
      { ...resident('Tocsin', tocsin), wanted: { atMost: 14 } },
      live('Tocsin', tocsin),
      resident('bare aedes', aedes),
      live('bare aedes', aedes),
      resident('bare mosquitto', mosquitto),
    ],
    notes: [
      'For each connection. Resident is what the kernel counts, for Node.js after a full garbage collection; live is what is still referred to.',
      'What the kernel itself keeps for a socket is in neither.',
    ],
  }
}

async function ofTocsin(connections: number): Promise<Cost> {
  const gateway = await startGatewayProcess({ nodeArgs: inspectorArgs })
  try {
    return await costOf({ pid: gateway.pid, port: gateway.mqttPort, stderr: gateway.errorText() }, connections)
  } finally {
    await gateway.stop()
  }
}

async function ofAedes(connections: number): Promise<Cost> {
  const program = join(import.meta.dirname, 'peers/bare-aedes.ts')
  const aedes = startChild(process.execPath, [...inspectorArgs, program], { input: '' })
  try {
    await aedes.waitFor(/listening \d+/)
    const port = Number(/listening (\d+)/.exec(aedes.stdout)?.[1])
    return await costOf({ pid: aedes.pid, port, stderr: aedes.stderr }, connections)
  } finally {
    await aedes.stop()
  }
}

async function ofMosquitto(connections: number): Promise<Cost> {
  const mosquitto = await startMosquitto({ config: 'log_type none\nlog_type information' })
  try {
    return await costOf({ pid: mosquitto.pid, port: mosquitto.port }, connections)
  } finally {
    await mosquitto.stop()
  }
}

async function costOf({ pid, port, stderr }: Server, connections: number): Promise<Cost> {
  const memory = stderr === undefined ? undefined : await watchLiveMemory(stderr)
  const now = async () => {
    await sleep(settleMs)
    const live = await memory?.bytes()
    return { live, resident: treeUsage(pid).residentBytes }
  }
  await close(await openIdle(port, warmUpConnections))
  const before = await now()
  const idle = await openIdle(port, connections)
  const after = await now()
  await close(idle)
  memory?.close()
  return {
    residentBytes: (after.resident - before.resident) / connections,
    liveBytes: after.live === undefined ? undefined : (after.live - (before.live ?? NaN)) / connections,
  }
}

async function openIdle(port: number, connections: number): Promise<Child> {
  const program = join(import.meta.dirname, 'idle-connections.ts')
  const child = startChild(process.execPath, [program, String(port), String(connections)])
  try {
    await child.waitFor('open', openTimeoutMs)
    return child
  } catch (error) {
    await child.kill()
    throw error
  }
}

async function close(child: Child): Promise<void> {
  child.stdin.end()
  await child.exited
}

const text = ({ residentBytes, liveBytes }: Cost): string =>
  `${(residentBytes / 1024).toFixed(1)} kB${liveBytes === undefined ? '' : `, live ${(liveBytes / 1024).toFixed(1)}`}`
