// MQTT in plain text for devices that can do nothing else: who may come, what they may do, how they are marked, and how it ends.

import { writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { createPlaintextWatch } from '../gateway/plaintext-watch.ts'
import { plaintextDoors } from '../gateway/policy/plaintext-doors.ts'
import type { Settings } from '../gateway/settings.ts'
import { Authenticity } from '../proto/generated/types.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { listAll } from './gateway/reader.ts'
import { run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const dayMs = 86_400_000
const day = (fromNow: number): string => new Date(Date.now() + fromNow * dayMs).toISOString().slice(0, 10)
const door = (name: string, from: string, last: string) =>
  `{name: ${name}, listen: "mqtt://127.0.0.1:0", only_from: ["${from}"], topics: [tocsin/in/senml/+], reason: river gauges of 2009 without TLS, until: ${last}, approved_by: {officer: Chief A. Ruiz, date: 2026-11-01}}`
const reading = '[{"n":"water-level","u":"m","v":2.5}]'

let gateway: GatewayProcess
let ports: number[]
beforeAll(async () => {
  const file = join(tempFolder('plaintext'), 'tocsin.yaml')
  writeFileSync(
    file,
    `plaintext_exceptions:\n  - ${door('old-gauges', '127.0.0.2', day(20))}\n  - ${door('older', '127.0.0.0/28', day(-1))}\n`,
  )
  gateway = await startGatewayProcess({ file })
  ports = [...gateway.stdout.matchAll(/mqtt:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
}, 60_000)
afterAll(() => gateway?.stop())

/** Rejects when it is turned away. */
function connect(port: number, localAddress: string, clientId = 'gauge-7'): Promise<MqttClient> {
  const stream = () => connectTcp({ host: '127.0.0.1', port, localAddress })
  const client = new MqttClient(stream, {
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
    username: 'x',
    password: 'y',
  })
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client))
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  })
}

describe('a door in plain text', () => {
  test('is for the addresses of its list alone', async () => {
    await expect(connect(ports[1]!, '127.0.0.1')).rejects.toThrow(/closed|ECONNRESET/)
    const client = await connect(ports[1]!, '127.0.0.2')
    await client.endAsync()
  })

  test('takes what is published, UNVERIFIED, and only on its topics', async () => {
    const client = await connect(ports[1]!, '127.0.0.2')
    await client.publishAsync('tocsin/in/senml/gauge-7', reading, { qos: 1 })
    await expect(client.publishAsync('other/topic', reading, { qos: 1 })).rejects.toThrow(/not authorized/i)
    await client.endAsync()
    const [event, ...more] = await listAll(gateway.grpc, { devices: ['gauge-7'] })
    expect(more).toEqual([])
    expect(event).toMatchObject({ authenticity: Authenticity.UNVERIFIED })
  })

  test.each(['#', 'tocsin/in/senml/+', 'tocsin/refused/gauge-7', '$share/g/#'])(
    'gives nothing: a subscription to %s is refused',
    async (filter) => {
      const client = await connect(ports[1]!, '127.0.0.2')
      const answer = await client.subscribeAsync(filter, { qos: 1 }).catch((error: unknown) => error)
      expect(JSON.stringify(answer) + String(answer)).toMatch(/135|not authorized|unspecified/i)
      await client.endAsync()
    },
  )

  test('lets nobody take over the client of another door', async () => {
    const own = await connect(ports[0]!, '127.0.0.1', 'pump-3')
    await expect(connect(ports[1]!, '127.0.0.2', 'pump-3')).rejects.toThrow(/client id|identifier|not valid|refused/i)
    expect(own.connected).toBe(true)
    await own.endAsync()
  })

  test('whose last day is over lets nobody in, and the gateway runs all the same', async () => {
    await expect(connect(ports[2]!, '127.0.0.1')).rejects.toThrow(/closed|ECONNRESET/)
  })

  test('is in the status with its counts, in the metrics, and an alarm when its end is near or there', async () => {
    const { stdout } = await run(nodePath, ['bin/tocsin', 'status', '--json', '--server', gateway.grpc], {
      cwd: projectHome,
    })
    const state = JSON.parse(stdout) as {
      plaintextExceptions: { name: string }[]
      alarms: { alarmKey: string; text: string }[]
    }
    const [old, over] = state.plaintextExceptions
    expect(old).toMatchObject({ name: 'old-gauges', onlyFrom: ['127.0.0.2'], officer: 'Chief A. Ruiz' })
    expect(old).toMatchObject({ messages: '2', turnedAway: '1' })
    expect(over).toMatchObject({ name: 'older', turnedAway: '1' })
    expect(state.alarms.map(({ alarmKey, text }) => `${alarmKey}: ${text}`)).toEqual([
      expect.stringMatching(
        /^plaintext_exception old-gauges: .* ends with \d{4}-\d\d-\d\d, in 2[01] days: move its devices/,
      ),
      expect.stringMatching(/^plaintext_exception older: .* ended with \d{4}-\d\d-\d\d: its devices are turned away/),
    ])
    const metrics = await (await fetch(`${gateway.http}/metrics`)).text()
    expect(metrics).toContain('tocsin_plaintext_messages_total{exception="old-gauges"} 2')
    expect(metrics).toContain('tocsin_plaintext_turned_away_total{exception="older"} 1')
  })

  test('stands in the page of the week', async () => {
    await gateway.stop()
    const { stdout } = await run(nodePath, ['bin/tocsin', 'audit', 'report', '--data-dir', gateway.dataDir], {
      cwd: projectHome,
    })
    const section = stdout.split('Exceptions: MQTT in plain text, UNVERIFIED')[1]?.split('\n\n')[0] ?? ''
    expect(section).toMatch(
      /old-gauges +mqtt:\/\/127\.0\.0\.1:0 +127\.0\.0\.2 .*Chief A\. Ruiz +river gauges .* +2 +1\n/,
    )
  })
})

const settingsWith = (tree: unknown): Settings => ({ plaintext_exceptions: tree }) as unknown as Settings
const sound = {
  name: 'old',
  listen: 'mqtt://192.0.2.10:1883',
  only_from: ['192.0.2.0/28', '2001:db8::7'],
  reason: 'river gauges of 2009',
  until: '2027-03-31',
  approved_by: { officer: 'Chief A. Ruiz', date: '2026-11-01' },
}

test.each([
  [{ only_from: [] }, /0\.only_from: names the addresses/],
  [{ only_from: ['192.0.2.0/33'] }, /0\.only_from\.0: must be an address or a network/],
  [{ only_from: ['gauge.county-a.example'] }, /0\.only_from\.0: must be an address or a network/],
  [{ reason: '' }, /0\.reason: says why/],
  [{ until: 'next year' }, /0\.until: is the last day/],
  [{ listen: 'mqtts://192.0.2.10:8883' }, /plaintext_exceptions, old: .* must begin with mqtt:\/\/ or ws:\/\//],
  [{ approved_by: undefined }, /0\.approved_by/],
])('an exception with %j is not taken', (change, text) => {
  expect(() => plaintextDoors(settingsWith([{ ...sound, ...change }]))).toThrow(text)
})

test('an exception is for its addresses, to the end of its last day', () => {
  const [old] = plaintextDoors(settingsWith([sound]))
  const cases = {
    '192.0.2.0': true,
    '192.0.2.15': true,
    '192.0.2.16': false,
    '2001:db8::7': true,
    '2001:db8::8': false,
    x: false,
  }
  for (const [address, admitted] of Object.entries(cases)) expect(old!.admits(address), address).toBe(admitted)
  const at = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n
  expect(old!.isOver(at('2027-03-31T23:59:59.999Z'))).toBe(false)
  expect(old!.isOver(at('2027-04-01T00:00:00Z'))).toBe(true)
})

test('its end is said 30, 7 and 1 days before, and at the end its clients are cut', () => {
  let now = BigInt(Date.parse('2027-02-01T00:00:00Z')) * 1_000_000n
  const clock = { now: () => now, monotonic: () => now, stepNs: () => 0n }
  const said: string[] = []
  const cut: string[] = []
  const alarms = createAlarms(clock, ({ text }, raised) => void (raised && said.push(text)))
  const notes: unknown[] = []
  for (const date of ['02-01', '03-02', '03-10', '03-25', '03-26', '03-31', '04-01']) {
    now = BigInt(Date.parse(`2027-${date}T00:00:00Z`)) * 1_000_000n
    // A restart says it again as well.
    const watch = createPlaintextWatch({
      doors: plaintextDoors(settingsWith([sound])),
      clock,
      alarms,
      audit: { note: (note) => void notes.push(note) },
    })
    watch.start((principal) => void cut.push(principal))
    watch.stop()
  }
  expect(said.map((text) => /in (\d+) days|ended/.exec(text)?.[0])).toEqual([
    'in 30 days',
    'in 22 days',
    'in 7 days',
    'in 6 days',
    'in 1 days',
    'ended',
  ])
  expect(cut).toEqual(['plain:old'])
  expect(notes.length).toBe(14)
})
