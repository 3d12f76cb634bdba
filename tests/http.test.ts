// The HTTP face as a supervisor, Prometheus and a stranger meet it: real connections to a real server on a free port.

import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createAccounting } from '../gateway/accounting.ts'
import type { MetricsParts } from '../gateway/http/families.ts'
import { influxdbFamilies } from '../gateway/http/influxdb-families.ts'
import { createHttpServer, type HttpServer, type NotReady } from '../gateway/http/server.ts'
import { newMetrics } from '../gateway/outputs/influxdb/metrics.ts'

let server: HttpServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

describe('health and readiness', () => {
  test('say that the process lives, and nothing more', async () => {
    const { get } = await start()
    const answer = await get('/healthz')
    expect([answer.status, await answer.json()]).toEqual([200, { alive: true, version: '1.2.3' }])
  })

  test('say 503 with the reasons while the gateway cannot take messages, and 200 when it can', async () => {
    const reasons: NotReady[] = [{ part: 'disk', why: 'no space left; free some' }]
    const { get } = await start({ notReady: reasons })
    const before = await get('/readyz')
    expect([before.status, await before.json()]).toEqual([503, { ready: false, reasons: [...reasons] }])
    reasons.length = 0
    const after = await get('/readyz')
    expect([after.status, await after.json()]).toEqual([200, { ready: true, reasons: [] }])
  })

  test('send headers that keep browsers from doing anything with an answer', async () => {
    const { get } = await start()
    for (const path of ['/healthz', '/nowhere']) {
      const { headers } = await get(path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })
})

describe('what is refused', () => {
  test('an unknown path is answered with those there are', async () => {
    const { get } = await start()
    const answer = await get('/metrics/')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: 'not_found', paths: ['/healthz', '/readyz', '/metrics'] })
  })

  test('writing is answered with 405, and a large body is not read', async () => {
    const { url } = await start()
    expect((await fetch(`${url}/healthz`, { method: 'DELETE' })).status).toBe(405)
    const posted = await fetch(`${url}/healthz`, { method: 'POST', body: 'x'.repeat(100_000) })
    expect(posted.status).toBeGreaterThanOrEqual(400)
  })

  test('a fault of ours is told without its inside', async () => {
    const { get, said } = await start({
      metrics: {
        ...metrics(),
        alarms: () => {
          throw new Error('secret detail')
        },
      },
    })
    const answer = await get('/metrics')
    const text = await answer.text()
    expect(answer.status).toBe(500)
    expect(text).not.toMatch(/secret|at .*\.ts/)
    expect(said).toContain('an HTTP request failed inside the gateway')
  })

  test('what is no HTTP gets 400 and an end', async () => {
    const { port } = await start()
    expect(await talk(port, '\x16\x03\x01\x02\n\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('a client that never finishes its headers is cut after 10 s', { timeout: 20_000 }, async () => {
    const { port } = await start()
    const startedAt = performance.now()
    expect(await talk(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toMatch(/^HTTP\/1\.1 408 /)
    expect(performance.now() - startedAt).toBeLessThan(13_000)
  })

  test('a taken port is named with what to do', async () => {
    const { port } = await start()
    const second = createHttpServer(parts({ port }))
    await expect(second.start()).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining('http.listen'),
    })
  })
})

describe('metrics', () => {
  test('are in Prometheus’ text format, with names by its conventions', async () => {
    const { get } = await start()
    const answer = await get('/metrics')
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const families = lint(await answer.text())
    expect(families.size).toBeGreaterThan(40)
  })

  test('say what became of every frame, so that the sum can be checked', async () => {
    const { samples } = await scrape(await start())
    expect(samples.get('tocsin_frames_received_total')).toBe(4)
    expect(samples.get('tocsin_frames_total{input="senml",fate="stored"}')).toBe(2)
    expect(samples.get('tocsin_frames_total{input="none",fate="carried"}')).toBe(0)
    expect(samples.get('tocsin_frames_refused_total{fault="syntax"}')).toBe(1)
    expect(samples.get('tocsin_frames_pending')).toBe(1)
    const settled = [...samples].filter(([name]) => name.startsWith('tocsin_frames_total{')).map(([, value]) => value)
    expect(settled.reduce((sum, value) => sum + value, 0) + 1).toBe(4)
  })

  test('show the log, the outputs, the broker, consoles and alarms', async () => {
    const { samples } = await scrape(await start())
    expect(samples.get('tocsin_log_head{lane="urgent"}')).toBe(7)
    expect(samples.get('tocsin_log_records_total{lane="routine"}')).toBe(500)
    expect(samples.get('tocsin_output_lag_records{output="influx",lane="routine"}')).toBe(12)
    expect(samples.get('tocsin_output_failing{output="influx"}')).toBe(1)
    expect(samples.get('tocsin_mqtt_connections')).toBe(3)
    expect(samples.get('tocsin_grpc_calls_total{method="tocsin.v1.EventService/Subscribe",code="0"}')).toBe(2)
    expect(samples.get('tocsin_alarms_active{code="disk_low"}')).toBe(1)
    expect(samples.get('tocsin_log_commit_seconds_bucket{le="+Inf"}')).toBe(9)
  })

  test('count requests by the route, never by what a client wrote', async () => {
    const started = await start()
    for (const path of ['/healthz', '/healthz', '/nowhere?x=1', '/elsewhere']) await started.get(path)
    const { samples } = await scrape(started)
    expect(samples.get('tocsin_http_requests_total{method="GET",route="/healthz",status="200"}')).toBe(2)
    expect(samples.get('tocsin_http_requests_total{method="GET",route="none",status="404"}')).toBe(2)
  })

  test('show a clock offset only when it is measured', async () => {
    let offset: { offsetS: number; delayS: number; servers: number } | undefined
    const started = await start({ metrics: { ...metrics(), clockOffset: () => offset } })
    expect((await scrape(started)).samples.has('tocsin_clock_offset_seconds')).toBe(false)
    offset = { offsetS: -0.0125, delayS: 0.001, servers: 3 }
    expect((await scrape(started)).samples.get('tocsin_clock_offset_seconds')).toBe(-0.0125)
  })

  test('of InfluxDB say what became of every record, and no time of a success before there was one', async () => {
    const influxdb = { ...newMetrics(), rows: 40, refused: 2 }
    influxdb.failures.timeout = 3
    influxdb.withheld.PHI = 1
    const further = influxdbFamilies(() => influxdb)
    const started = await start({ metrics: { ...metrics(), further } })
    const { samples } = await scrape(started)
    expect(samples.get('tocsin_influxdb_rows_total')).toBe(40)
    expect(samples.get('tocsin_influxdb_retries_total{class="timeout"}')).toBe(3)
    expect(samples.get('tocsin_influxdb_withheld_records_total{label="PHI"}')).toBe(1)
    expect(samples.has('tocsin_influxdb_last_success_timestamp_seconds')).toBe(false)
    influxdb.lastSuccessAt = 1_700_000_000_500_000_000n
    expect((await scrape(started)).samples.get('tocsin_influxdb_last_success_timestamp_seconds')).toBe(1_700_000_000.5)
  })

  test('of a part may hold any text without breaking the format', async () => {
    const further = [
      {
        name: 'tocsin_odd_values',
        kind: 'gauge',
        help: 'A\nB \\ C',
        read: () => [{ labels: { input: 'a"b\\c\nd' }, value: 1 }],
      },
    ] as const
    const { samples } = await scrape(await start({ metrics: { ...metrics(), further } }))
    expect(samples.get('tocsin_odd_values{input="a\\"b\\\\c\\nd"}')).toBe(1)
  })
})

/** What `promtool check metrics` looks at, for our own families. */
function lint(text: string): ReadonlySet<string> {
  const helps = new Map([...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name, help]) => [name!, help!]))
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]))
  for (const [name, type] of types) {
    if (!name.startsWith('tocsin_')) continue
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
    expect(helps.has(name)).toBe(true)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(name, 'base units, not their multiples').not.toMatch(
      /_(ms|milliseconds|minutes|kb|mib|kilobytes|percent)(_|$)/,
    )
    expect(name).not.toMatch(/_(gauge|counter|histogram|summary)(_|$)/)
  }
  const seen = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    expect(line).toMatch(/^[a-zA-Z_:][\w:]*(\{(\w+="(\\.|[^"\\\n])*",?)*\})? (Na[Nn]|[+-]Inf|-?[\d.e+-]+)( \d+)?$/)
    const series = line.slice(0, line.lastIndexOf(' '))
    expect([series, seen.has(series)]).toEqual([series, false])
    seen.add(series)
  }
  return new Set(types.keys())
}

async function scrape({ get }: { get: (path: string) => Promise<Response> }) {
  const text = await (await get('/metrics')).text()
  lint(text)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const samples = new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
  return { samples }
}

// prettier-ignore
const brokerCounts = {
  connections: 3, sessions: 4, retained: 5, queued: 6, queuedBytes: 700, inFlight: 1, connects: 9,
  accepted: 4, forbidden: 1, unstored: 0, swallowed: 0,
  refused: { credentials: 2 }, cut: { left: 6 }, dropped: { offline_queue: 1 },
}
const grpcCounts = {
  refused: 3,
  cutForResets: 1,
  streams: 2,
  slowStreams: 1,
  messages: 20,
  records: 90,
  bytes: 9_000,
  cutStreams: 0,
  unsentBytes: 0,
  assembled: 9,
}

function metrics(): MetricsParts {
  const accounting = createAccounting()
  for (const input of ['senml', 'senml', 'senml', 'json/tanks']) accounting.receive(input)
  accounting.settle('senml', 'stored')
  accounting.settle('senml', 'stored')
  accounting.settle('–', 'refused', 'syntax')
  const counts = {
    stored: 500,
    refused: 3,
    ignored: 2,
    waiting: 0,
    carried: 0,
    records: { urgent: 7, routine: 500 },
    damaged: 0,
  }
  const output = {
    name: 'influx',
    lag: () => ({ urgent: 0, routine: 12 }),
    delivered: () => 488,
    failing: () => 'HTTP 503',
  }
  return {
    version: '1.2.3',
    accounting,
    log: { head: { urgent: 7, routine: 500 }, oldest: { urgent: 1, routine: 1 }, counts },
    outputs: () => [output],
    alarms: () => [{ code: 'disk_low' }],
    broker: () => brokerCounts,
    grpc: () => ({ ...grpcCounts, calls: new Map([['/tocsin.v1.EventService/Subscribe', new Map([[0, 2]])]]) }),
    disk: () => ({ freeBytes: 2 ** 40, totalBytes: 2 ** 41 }),
    commitSeconds: () => ({ buckets: [[0.001, 4], [0.01, 8]], sum: 0.09, count: 9 }), // prettier-ignore
  }
}

interface Options {
  readonly port?: number
  readonly notReady?: readonly NotReady[]
  readonly metrics?: MetricsParts
  readonly said?: string[]
}

function parts({ port = 0, notReady = [], metrics: given = metrics(), said = [] }: Options) {
  const say = (_details: object, text: string): void => void said.push(text)
  const logger = { debug: say, info: say, warn: say, error: say }
  return { address: { host: '127.0.0.1', port }, logger, notReady: () => notReady, metrics: given }
}

async function start(options: Options = {}) {
  const said: string[] = []
  server = createHttpServer(parts({ ...options, said }))
  await server.start()
  const { port } = server
  const url = `http://127.0.0.1:${port}`
  return { port, url, said, get: (path: string) => fetch(url + path) }
}

/** Sends bytes and gives back all that comes until the server ends the connection. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
    socket.setTimeout(15_000, () => socket.destroy(new Error(`no end in 15 s: ${answer}`)))
  })
}
