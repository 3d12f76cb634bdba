// Row 3: the whole job, from QoS 1 publishes to rows in a real InfluxDB, beside mosquitto with a Node-RED flow that writes batches, and
// beside mosquitto with a script of mqtt.js and the influx package. The time ends when the last row is there; rows are counted.

import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'

import { startChild } from '../tests/tools/child.ts'
import { startInfluxdb, type Influxdb } from '../tests/tools/influxdb.ts'
import { startMosquitto } from '../tests/tools/mosquitto.ts'
import { startGatewayProcess } from './gateway-process.ts'
import type { MeasurementsEach } from './load-packets.ts'
import { measureLoad } from './load-process.ts'
import { runPairs } from './pairs.ts'
import { topicFilter } from './peers/node-red-flow.ts'
import { installPeers, startNodeRed, type Peer, type PeerOptions } from './peers/node-red.ts'
import { treeUsage } from './process-tree.ts'
import type { Figure, Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

export const wholeJob: Row = {
  name: '3',
  about:
    'whole job to rows in InfluxDB, three rows a message, beside mosquitto with Node-RED in batches, and with a script',
  run: (options) => measure(3, options),
}

export const wholeJobOfSingles: Row = {
  name: '3-single',
  about: 'the same with one row a message',
  run: (options) => measure(1, options),
}

interface Job {
  readonly messages: number
  readonly measurements: MeasurementsEach
}

interface Outcome {
  readonly rowsPerSecond: number
  readonly lost: number
  /** Of all servers but InfluxDB, for each message. */
  readonly cpuMicrosEach: number
  readonly influxdbMicrosEach: number
}

/** What is measured, without InfluxDB, which is the same for all. */
interface Side {
  readonly mqttPort: number
  readonly pids: readonly number[]
  stop(): Promise<void>
}

const messagesDefault = 80_000
const database = 'tocsin'
const load = { connections: 10, window: 100 }
/** Written and counted before the measured ones, by other devices: the just-in-time compilers have seen the whole path then. */
const warmUpMessages = 20_000
// Asking the counters costs InfluxDB next to nothing; counting rows costs more, so it is done at the end.
const pollMs = 20
/** No new row for so long: what is not there does not come any more. */
const quietMs = 5_000

// A broker that drops what its subscriber is slow to take would lose most of it; these let it keep all in memory.
const patientMosquitto = [
  'log_type none',
  'log_type information',
  'log_type subscribe',
  'max_queued_messages 0',
  'max_inflight_messages 0',
].join('\n')

async function measure(
  measurements: MeasurementsEach,
  { pairs: count, messages = messagesDefault, say }: RowOptions,
): Promise<RowResult> {
  const job = { messages, measurements }
  installPeers(say)
  const scripts: Outcome[] = []
  const pairs = await runPairs(
    count,
    () => run(job, startTocsin),
    async () => {
      const nodeRed = await run(job, (influxdb) => startPeer(influxdb, 'node-red'))
      scripts.push(await run(job, (influxdb) => startPeer(influxdb, 'script')))
      return nodeRed
    },
    ({ a, b }, number) =>
      say(`pair ${number}: Tocsin ${text(a)}; Node-RED ${text(b)}; script ${text(scripts[number - 1]!)}`),
  )
  const ofTocsin = pairs.map(({ a }) => a)
  const ofNodeRed = pairs.map(({ b }) => b)
  const ratios = (others: readonly Outcome[]) =>
    spread(ofTocsin.map(({ rowsPerSecond }, index) => rowsPerSecond / others[index]!.rowsPerSecond))
  return {
    figures: [
      { name: 'Tocsin / Node-RED', value: ratios(ofNodeRed), unit: '×', wanted: { atLeast: 2.5 } },
      { name: 'Tocsin / script', value: ratios(scripts), unit: '×' },
      ...figures('Tocsin', ofTocsin, { atMost: 0 }),
      ...figures('Node-RED', ofNodeRed),
      ...figures('script', scripts),
    ],
    notes: [
      `The rates are rows a second from the first publish to the last row; a message is ${measurements === 1 ? 'one row' : 'three rows'} on all sides.`,
      'Tocsin acknowledges a message when it is on disk, mosquitto before anybody has it; only Tocsin survives a crash in between.',
    ],
  }
}

function figures(name: string, outcomes: readonly Outcome[], wantedLost?: Figure['wanted']): Figure[] {
  const of = (value: (outcome: Outcome) => number) => spread(outcomes.map(value))
  return [
    { name: `${name}, rows`, value: of(({ rowsPerSecond }) => rowsPerSecond), unit: '/s' },
    {
      name: `${name}, rows lost`,
      value: of(({ lost }) => lost),
      unit: '',
      ...(wantedLost && { wanted: wantedLost }),
    },
    { name: `${name}, CPU a message`, value: of(({ cpuMicrosEach }) => cpuMicrosEach), unit: 'µs' },
    { name: `InfluxDB then, CPU a message`, value: of(({ influxdbMicrosEach }) => influxdbMicrosEach), unit: 'µs' },
  ]
}

async function run(job: Job, start: (influxdb: Influxdb) => Promise<Side>): Promise<Outcome> {
  const influxdb = await startInfluxdb()
  try {
    await influxdb.query(`CREATE DATABASE ${database}`)
    const side = await start(influxdb)
    try {
      return await publishAndCount(job, influxdb, side)
    } finally {
      await side.stop()
    }
  } finally {
    await influxdb.stop()
  }
}

async function publishAndCount({ messages, measurements }: Job, influxdb: Influxdb, side: Side): Promise<Outcome> {
  await publishUntilWritten({ messages: warmUpMessages, measurements }, load.connections, influxdb, side)
  const before = { side: cpuOf(side.pids), influxdb: cpuOf([influxdb.pid]), rows: await counted(influxdb) }
  const seconds = await publishUntilWritten({ messages, measurements }, 0, influxdb, side)
  const cpu = { side: cpuOf(side.pids) - before.side, influxdb: cpuOf([influxdb.pid]) - before.influxdb }
  const rows = (await counted(influxdb)) - before.rows
  return {
    rowsPerSecond: rows / seconds,
    lost: messages * measurements - rows,
    cpuMicrosEach: cpu.side / messages,
    influxdbMicrosEach: cpu.influxdb / messages,
  }
}

/** Answers the seconds from the first publish to the last row that came. */
async function publishUntilWritten(
  { messages, measurements }: Job,
  firstDevice: number,
  influxdb: Influxdb,
  side: Side,
): Promise<number> {
  const expected = (await written(influxdb)) + messages * measurements
  const started = Promise.withResolvers<number>()
  const options = { ...load, messages, measurements, firstDevice, port: side.mqttPort }
  const loaded = measureLoad(options, side.pids[0]!, () => started.resolve(performance.now()))
  // A load that cannot begin ends the run here.
  const startedMs = await Promise.race([started.promise, loaded.then(() => started.promise)])
  let last = { rows: 0, atMs: startedMs }
  for (;;) {
    const rows = await written(influxdb)
    const now = performance.now()
    if (rows !== last.rows) last = { rows, atMs: now }
    if (rows >= expected || now - last.atMs > quietMs) break
    await sleep(pollMs)
  }
  await loaded
  return (last.atMs - startedMs) / 1000
}

const cpuOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + treeUsage(pid).cpuMicros, 0)

/** Points that InfluxDB has taken, those written twice counted twice: its own counters. */
async function written({ url }: Influxdb): Promise<number> {
  const answer = await fetch(`${url}/debug/vars`)
  const counters = (await answer.json()) as Record<string, { name?: string; values?: { writePointsOk?: number } }>
  return Object.values(counters)
    .filter(({ name }) => name === 'shard')
    .reduce((sum, { values }) => sum + (values?.writePointsOk ?? 0), 0)
}

/** Rows that are there. */
async function counted(influxdb: Influxdb): Promise<number> {
  const series = await influxdb.query('SELECT count("value") FROM /.*/', database)
  return series.reduce((sum, { values }) => sum + Number(values[0]?.[1] ?? 0), 0)
}

async function startTocsin(influxdb: Influxdb): Promise<Side> {
  const gateway = await startGatewayProcess({
    settings: { TOCSIN_INFLUX_URL: influxdb.url, TOCSIN_INFLUX_DATABASE: database },
  })
  return { mqttPort: gateway.mqttPort, pids: [gateway.pid], stop: gateway.stop }
}

async function startPeer(influxdb: Influxdb, name: 'node-red' | 'script'): Promise<Side> {
  const mosquitto = await startMosquitto({ config: patientMosquitto })
  const options = { mqttPort: mosquitto.port, influxPort: influxdb.port, database }
  try {
    const peer = name === 'node-red' ? await startNodeRed(options) : startScript(options)
    const stop = async (): Promise<void> => {
      await peer.stop()
      await mosquitto.stop()
    }
    try {
      await mosquitto.waitFor(topicFilter)
    } catch (error) {
      await stop()
      throw error
    }
    return { mqttPort: mosquitto.port, pids: [mosquitto.pid, peer.pid], stop }
  } catch (error) {
    await mosquitto.stop()
    throw error
  }
}

function startScript({ mqttPort, influxPort, database: name }: PeerOptions): Peer {
  const program = join(import.meta.dirname, 'peers/script.ts')
  const child = startChild(process.execPath, [program, String(mqttPort), String(influxPort), name], { input: '' })
  return { pid: child.pid, stop: async () => void (await child.stop()) }
}

const text = ({ rowsPerSecond, lost, cpuMicrosEach }: Outcome): string =>
  `${Math.round(rowsPerSecond).toLocaleString('en')} rows/s${lost > 0 ? ` (${lost} lost)` : ''}, ${cpuMicrosEach.toFixed(0)} µs`
