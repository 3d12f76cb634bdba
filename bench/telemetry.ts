// Row `telemetry`: the same values, taken in by one gateway, in its SQLite file and in a real InfluxDB; the same questions to both, whose
// answers must be the same to the last byte. Row `telemetry-ingest`: what keeping the SQLite file costs intake.

import { deepStrictEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { systemClock } from '../gateway/clock.ts'
import type { InfluxdbSettings } from '../gateway/outputs/influxdb/settings.ts'
import { createQueryClient } from '../gateway/telemetry/influxdb/client.ts'
import { createInfluxdbReader } from '../gateway/telemetry/influxdb/reader.ts'
import { listPlan, queryPlan } from '../gateway/telemetry/requests.ts'
import { openFile, telemetryFile } from '../gateway/telemetry/sqlite/file.ts'
import { createSqliteReader } from '../gateway/telemetry/sqlite/reader.ts'
import type { Permit, SeriesReader } from '../gateway/telemetry/store.ts'
import { SeriesAggregate } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { type Influxdb, startInfluxdb } from '../tests/tools/influxdb.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts'
import { pipelined } from './ingest.ts'
import { measureLoad } from './load-process.ts'
import { ratio, runPairs } from './pairs.ts'
import type { Figure, Row, RowOptions, RowResult } from './row.ts'
import { spread } from './statistics.ts'

/** Three values each. */
const messagesDefault = 333_334
const database = 'tocsin'
const pollMs = 500
const catchUpMsMax = 600_000
const hourNs = 3_600_000_000_000n

export const telemetryAnswers: Row = {
  name: 'telemetry',
  about: 'a million values: the same answers from SQLite and from InfluxDB, and how long they take',
  run: compareStores,
}

export const telemetryIngest: Row = {
  name: 'telemetry-ingest',
  about: 'row 1 with the SQLite store, beside itself without',
  run: measureCost,
}

async function compareStores({ pairs, messages = messagesDefault, say }: RowOptions): Promise<RowResult> {
  await using influxdb = await startInfluxdb()
  const gateway = await startGatewayProcess({
    settings: {
      TOCSIN_INFLUX_URL: influxdb.url,
      TOCSIN_INFLUX_DATABASE: database,
      TOCSIN_TELEMETRY_STORE: 'sqlite',
    },
  })
  try {
    await measureLoad({ ...pipelined, messages, warmUp: 0, port: gateway.mqttPort }, gateway.pid)
    await caughtUp(gateway)
    return await askBoth(gateway, influxdb, pairs, messages, say)
  } finally {
    await gateway.stop()
  }
}

async function askBoth(
  { dataDir }: GatewayProcess,
  { url }: Influxdb,
  pairs: number,
  messages: number,
  say: RowOptions['say'],
): Promise<RowResult> {
  const settings: InfluxdbSettings = {
    url,
    version: 'v1',
    database,
    exerciseDatabase: `${database}_exercise`,
    gzip: false,
    timeoutMs: 60_000,
    batchRows: 1,
    include: [],
    manage: false,
  }
  const client = createQueryClient(settings, systemClock)
  const readers: Readonly<Record<'sqlite' | 'influxdb', SeriesReader>> = {
    sqlite: createSqliteReader(openFile(join(dataDir, telemetryFile))),
    influxdb: createInfluxdbReader(client, async () => ({ main: database, exercise: `${database}_exercise` })),
  }
  const figures: Figure[] = []
  try {
    for (const { name, ask } of questions(messages)) {
      const timed = async (reader: SeriesReader) => {
        const begun = performance.now()
        const answer = await ask(reader)
        return { ms: performance.now() - begun, answer }
      }
      const asked = await runPairs(
        pairs,
        () => timed(readers.sqlite),
        () => timed(readers.influxdb),
      )
      for (const { a, b } of asked) deepStrictEqual(b.answer, a.answer, `${name}: the stores answer differently`)
      say(`${name}: the same answer ${pairs} times`)
      figures.push(
        { name: `${name}, SQLite`, value: spread(asked.map(({ a }) => a.ms)), unit: 'ms' },
        { name: `${name}, InfluxDB`, value: spread(asked.map(({ b }) => b.ms)), unit: 'ms' },
        { name: `${name}, InfluxDB / SQLite`, value: spread(asked.map(({ a, b }) => b.ms / a.ms)), unit: '×' },
      )
    }
  } finally {
    for (const reader of Object.values(readers)) await reader.close()
  }
  return {
    figures,
    notes: [
      `${(messages * 3).toLocaleString('en')} values of 30 series; every answer of InfluxDB was compared with that of SQLite and was the same.`,
    ],
  }
}

interface Question {
  readonly name: string
  ask(reader: SeriesReader): Promise<unknown>
}

const everything: Permit = async (series) => series.map(() => true)

function questions(messages: number): readonly Question[] {
  const now = systemClock.now()
  // Its devices count time up by a millisecond a message, from when they began.
  const range = { from: timestamp(now - hourNs), to: timestamp(now + hourNs) }
  const seconds = Math.max(1, Math.round(messages / 100_000))
  const query = (name: string, request: object): Question => ({
    name,
    ask: (reader) => reader.query(queryPlan({ quantity: 'water_level', ...range, ...request }, now), everything),
  })
  return [
    query('mean for each window, every device', { window: { seconds } }),
    query('largest for each window, one device', {
      window: { seconds },
      aggregate: SeriesAggregate.MAXIMUM,
      devices: ['gauge-0'],
    }),
    query('10,000 values as they are, one device', { devices: ['gauge-0'], maxPoints: 10_000 }),
    { name: 'list of series', ask: (reader) => reader.list(listPlan({}), everything) },
  ]
}

/** Until every output has everything. */
async function caughtUp({ httpUrl }: GatewayProcess): Promise<void> {
  const until = performance.now() + catchUpMsMax
  while (performance.now() < until) {
    const metrics = await (await fetch(`${httpUrl}/metrics`)).text()
    const lags = [...metrics.matchAll(/^tocsin_output_lag\w*\{[^}]*\} (\d+)/gm)].map(([, lag]) => Number(lag))
    if (lags.length > 0 && lags.every((lag) => lag === 0)) return
    await sleep(pollMs)
  }
  throw new Error('the stores did not catch up')
}

async function measureCost({ pairs: count, messages, say }: RowOptions): Promise<RowResult> {
  const run = async (store: 'sqlite' | 'off') => {
    const gateway = await startGatewayProcess({ settings: { TOCSIN_TELEMETRY_STORE: store } })
    try {
      return await measureLoad(
        { ...pipelined, messages: messages ?? pipelined.messages, port: gateway.mqttPort },
        gateway.pid,
      )
    } finally {
      await gateway.stop()
    }
  }
  const pairs = await runPairs(
    count,
    () => run('sqlite'),
    () => run('off'),
    ({ a, b }, number) =>
      say(
        `pair ${number}: with ${Math.round(a.perSecond)}/s, ${a.serverMicrosEach.toFixed(1)} µs; without ${Math.round(b.perSecond)}/s, ${b.serverMicrosEach.toFixed(1)} µs`,
      ),
  )
  return {
    figures: [
      {
        name: 'with / without the SQLite store, acknowledged',
        value: ratio(
          pairs,
          (a) => a.perSecond,
          (b) => b.perSecond,
        ),
        unit: '×',
        wanted: { atLeast: 0.75 },
      },
      { name: 'with, CPU a message', value: spread(pairs.map(({ a }) => a.serverMicrosEach)), unit: 'µs' },
      { name: 'without, CPU a message', value: spread(pairs.map(({ b }) => b.serverMicrosEach)), unit: 'µs' },
    ],
    notes: ['The store may be behind the log when the load ends; what it still writes then is not in these figures.'],
  }
}
