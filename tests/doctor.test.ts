// `tocsin doctor` and `tocsin ports` beside a gateway that runs, and without one.

import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPorts } from '../gateway/cli/open-ports.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { freePort } from './tools/free-port.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const dayMs = 86_400_000
const until = new Date(Date.now() + 90 * dayMs).toISOString().slice(0, 10)

interface Finding {
  readonly state: 'ok' | 'warn' | 'bad'
  readonly check: string
  readonly text: string
}

const tocsin = (environment: Record<string, string>, ...args: string[]): Promise<Outcome> =>
  run(nodePath, [join(projectHome, 'bin/tocsin'), ...args], {
    cwd: tempFolder('doctor'),
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    timeoutMs: 30_000,
  })
const findings = ({ stdout }: Outcome): Finding[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Finding)
const of = (all: readonly Finding[], check: string): string[] =>
  all.filter((each) => each.check === check).map(({ state, text }) => `${state}: ${text}`)

describe('beside a gateway', () => {
  let gateway: GatewayProcess
  let environment: Record<string, string>
  beforeAll(async () => {
    const [grpc, http, mqtt, plain] = [await freePort(), await freePort(), await freePort(), await freePort()]
    const file = join(tempFolder('doctor'), 'tocsin.yaml')
    writeFileSync(
      file,
      `mqtt: {listen: "mqtt://127.0.0.1:${mqtt}"}\ngrpc: {listen: "127.0.0.1:${grpc}"}\nhttp: {listen: "127.0.0.1:${http}"}\nlog: {disk_low: 0, urgent_reserve: 0}\nplaintext_exceptions: [{name: old, listen: "mqtt://127.0.0.1:${plain}", only_from: [127.0.0.2], reason: gauges of 2009, until: ${until}, approved_by: {officer: Chief A. Ruiz, date: 2026-11-01}}]\n`,
    )
    gateway = await startGatewayProcess({
      file,
      settings: {
        MQTT_LISTEN: `mqtt://127.0.0.1:${mqtt}`,
        GRPC_LISTEN: `127.0.0.1:${grpc}`,
        HTTP_LISTEN: `127.0.0.1:${http}`,
      },
    })
    environment = { TOCSIN_SETTINGS: file, TOCSIN_DATA_DIR: gateway.dataDir }
  }, 60_000)
  afterAll(() => gateway?.stop())

  test('every check is one line with its state, and only what is bad ends it with 1', async () => {
    const outcome = await tocsin(environment, 'doctor', '--json')
    const found = findings(outcome)
    expect(found.filter(({ state }) => state === 'bad')).toEqual([])
    expect(outcome.code).toBe(0)
    expect(of(found, 'settings')).toEqual([expect.stringMatching(/^ok: \d\d checks, and nothing that stops a start$/)])
    expect(of(found, 'gateway')).toEqual([expect.stringMatching(/^ok: tocsin runs, version /)])
    expect(of(found, 'alarms')).toEqual(['ok: none'])
    expect(of(found, 'disk')).toEqual([expect.stringMatching(/^ok: .* free of /)])
    expect(of(found, 'clock')).toEqual([expect.stringContaining('warn: it is not measured; name time servers')])
    expect(of(found, 'plain text')).toEqual([
      expect.stringMatching(
        /^warn: old takes plain text .* from 127\.0\.0\.2, approved by Chief A\. Ruiz, until .*; 0 messages/,
      ),
    ])
    expect(of(found, 'audit')).toEqual([expect.stringMatching(/^ok: whole: \d+ entries$/)])
    expect(of(found, 'backup')).toEqual([expect.stringContaining('warn: the audit knows of none; run tocsin backup')])
    const [ports = ''] = of(found, 'ports')
    expect(ports).toMatch(/^ok: open are those of the settings and no others: /)
    expect(ports.match(/127\.0\.0\.1:\d+/g)).toHaveLength(4)
  })

  test('a port that no setting says is bad, and so are files and settings that would stop a start', async () => {
    const file = join(tempFolder('doctor'), 'other.yaml')
    writeFileSync(file, 'mqtt: {listen: "mqtt://0.0.0.0:0"}\n')
    chmodSync(file, 0o646)
    const other = { TOCSIN_SETTINGS: file, TOCSIN_DATA_DIR: gateway.dataDir }
    const outcome = await tocsin(other, 'doctor', '--json', '--server', gateway.grpc)
    expect(outcome.code).toBe(1)
    const found = findings(outcome)
    expect(of(found, 'plain_mqtt')).toEqual([expect.stringContaining('bad: mqtt.listen: mqtt://0.0.0.0:0 would take')])
    expect(of(found, 'files_writable')).toEqual([expect.stringContaining('run chmod o-w')])
    expect(of(found, 'ports')).toContainEqual(
      expect.stringMatching(/^bad: it listens on 127\.0\.0\.1 port \d+, which no setting says/),
    )
  })

  test('for people each line begins with its state, and the last counts them', async () => {
    const { stdout } = await tocsin(environment, 'doctor')
    expect(stdout).toMatch(/^ok {4}settings {7}\d\d checks/m)
    expect(stdout).toMatch(/\n\n\d+ ok, \d+ warnings?, 0 bad\n$/)
  })
})

test('without a gateway, and with settings that cannot be read, it says so and ends with 1', async () => {
  const port = await freePort()
  const none = await tocsin({ TOCSIN_GRPC_LISTEN: `127.0.0.1:${port}` }, 'doctor', '--json')
  expect(none.code).toBe(1)
  expect(of(findings(none), 'gateway')).toEqual([expect.stringContaining(`bad: nothing listens on 127.0.0.1:${port}`)])
  const wrong = await tocsin({ TOCSIN_LOG_HOLD: 'long' }, 'doctor', '--json')
  expect(wrong.code).toBe(1)
  expect(of(findings(wrong), 'settings')).toEqual([expect.stringContaining('TOCSIN_LOG_HOLD: must be a time')])
})

test('the ports of a process are those that it listens on', async () => {
  const servers = await Promise.all(
    ['127.0.0.1', '::1'].map(
      (host) =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, host, () => resolve(server))
        }),
    ),
  )
  const places = servers.map((server) => server.address() as { address: string; port: number })
  expect(openPorts(process.pid)).toEqual(expect.arrayContaining(places.map(({ address, port }) => ({ address, port }))))
  for (const server of servers) server.close()
})

describe('ports', () => {
  const file = join(tempFolder('ports'), 'tocsin.yaml')
  writeFileSync(
    file,
    `gateway: {name: a.example}
mqtt:
  listen: "mqtts://0.0.0.0:8883, mqtt://127.0.0.1:1883"
  links: [{name: county-b, url: "mqtts://broker.county-b.example", in: [{filter: "news/#"}]}]
plaintext_exceptions: [{name: old, listen: "mqtt://192.0.2.10:1883", only_from: [192.0.2.17, 192.0.2.32/28], reason: gauges of 2009, until: ${until}, approved_by: {officer: Chief A. Ruiz, date: 2026-11-01}}]
tls: {certificate: /etc/tocsin/cert.pem, key: /etc/tocsin/key.pem}
grpc: {listen: "0.0.0.0:50051"}
http: {listen: "off"}
influx: {url: "https://influx.county-a.example"}
clock: {sntp_servers: [time.county-a.example, "192.0.2.1:1123"]}
`,
  )
  const environment = { TOCSIN_SETTINGS: file }
  const expected = [
    ['in', 'tcp', '0.0.0.0', '8883', 'MQTT', 'TLS 1.2 or 1.3', 'mqtt.listen'],
    ['in', 'tcp', '192.0.2.10', '1883', 'MQTT', 'none', 'plaintext_exceptions, old'],
    ['in', 'tcp', '0.0.0.0', '50051', 'gRPC (HTTP/2)', 'TLS 1.2 or 1.3', 'grpc.listen'],
    ['out', 'tcp', 'influx.county-a.example', '443', 'HTTP', 'TLS 1.2 or 1.3', 'influx.url'],
    ['out', 'tcp', 'broker.county-b.example', '8883', 'MQTT', 'TLS 1.2 or 1.3', 'mqtt.links, county-b'],
    ['out', 'udp', 'time.county-a.example', '123', 'SNTP', 'none', 'clock.sntp_servers'],
    ['out', 'udp', '192.0.2.1', '1123', 'SNTP', 'none', 'clock.sntp_servers'],
  ]

  test('are every flow that crosses the network, and with --all those of this machine', async () => {
    const { code, stdout } = await tocsin(environment, 'ports', '--json')
    const flows = JSON.parse(stdout) as Record<string, unknown>[]
    const shown = flows.map((flow) =>
      ['direction', 'transport', 'host', 'port', 'protocol', 'security', 'line'].map((field) => String(flow[field])),
    )
    expect([code, shown]).toEqual([0, expected])
    const all = JSON.parse((await tocsin(environment, 'ports', '--json', '--all')).stdout) as { isLocal: boolean }[]
    expect(all.filter(({ isLocal }) => isLocal)).toMatchObject([{ host: '127.0.0.1', port: 1883 }])
  })

  test('come as CSV for a spreadsheet, with what has commas in quotes', async () => {
    const { stdout } = await tocsin(environment, 'ports', '--csv')
    const [head, , exception] = stdout.split('\r\n')
    expect(head).toBe('direction,transport,host,port,protocol,security,who,purpose,line')
    expect(exception).toBe(
      `in,tcp,192.0.2.10,1883,MQTT,none,"only 192.0.2.17, 192.0.2.32/28","old devices publish, until ${until}; nothing goes to them","plaintext_exceptions, old"`,
    )
  })

  test('of a gateway with no settings are none', async () => {
    const { stdout, stderr } = await tocsin({}, 'ports')
    expect(stdout).toBe('nothing goes in or out over a network\n')
    expect(stderr).toMatch(/^4 more never leave this machine/)
  })
})
