// `tocsin watch` as somebody at a console lives with it: a frozen gateway, a restarted one, a full pipe, hostile texts, Ctrl-C.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, expect, test } from 'vitest'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { type Child, startChild } from './tools/child.ts'
import { freePort } from './tools/free-port.ts'
import { tempFolder } from './tools/temp-folder.ts'

const started: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each.stop()
})

async function startGateway(options: Parameters<typeof startGatewayProcess>[0] = {}): Promise<GatewayProcess> {
  const gateway = await startGatewayProcess(options)
  started.push(gateway)
  return gateway
}

async function startWatch({ grpc }: { grpc: string }, ...args: string[]): Promise<Child> {
  const launcher = join(projectHome, 'bin/tocsin')
  const cwd = tempFolder('cli')
  const child = startChild(nodePath, [launcher, 'watch', '--server', grpc, ...args], { cwd, input: '' })
  started.push(child)
  // What it shows of a new gateway first is that this gateway started.
  await child.waitFor('Gateway tocsin started', 15_000)
  return child
}

async function device(mqttPort: number): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { reconnectPeriod: 0 })
  started.push({ stop: () => client.endAsync(true) })
  return client
}

const send = (client: MqttClient, n: number): Promise<unknown> =>
  client.publishAsync(`tocsin/in/senml/gauge-${n}`, JSON.stringify([{ n: 'count', v: n }]), { qos: 1 })
const shown = (child: Child): number[] => [...child.stdout.matchAll(/ gauge-(\d+) /g)].map(([, n]) => Number(n))

test('shows what was there and what comes, and counts at Ctrl-C', { timeout: 40_000 }, async () => {
  const gateway = await startGateway()
  const client = await device(gateway.mqttPort)
  await send(client, 1)
  const watch = await startWatch(gateway)
  await send(client, 2)
  await watch.waitFor('gauge-2')
  expect(shown(watch)).toEqual([1, 2])
  expect(await watch.stop('SIGINT')).toEqual({ code: 0, signal: null })
  expect(watch.stderr).toMatch(/^3 events \(0 urgent\) in \d+ (ms|s)$/m)
  expect(watch.stdout).not.toContain('\u001b')
})

test('a text that would take over the terminal arrives as a text', { timeout: 40_000 }, async () => {
  const gateway = await startGateway()
  const client = await device(gateway.mqttPort)
  const evil = '\u001b]0;owned\u0007\u009b2J\u202e'
  await client.publishAsync('tocsin/in/senml/evil', JSON.stringify([{ n: 'note', vs: evil }]), { qos: 1 })
  for (const args of [[], ['--json']]) {
    const watch = await startWatch(gateway, ...args)
    await watch.waitFor('owned')
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    expect(watch.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  }
})

test('a frozen gateway is told of as silence, and its return too', { timeout: 40_000 }, async () => {
  const gateway = await startGateway()
  const watch = await startWatch(gateway)
  gateway.signal('SIGSTOP')
  await watch.waitFor(/no word from the gateway for 6 s/, 12_000)
  gateway.signal('SIGCONT')
  await watch.waitFor(/the gateway is back after \d+ s|the line is back after/, 10_000)
})

test('a restarted gateway is found again, with every event once', { timeout: 60_000 }, async () => {
  const grpcPort = await freePort()
  const settings = { GRPC_LISTEN: `127.0.0.1:${grpcPort}` }
  const first = await startGateway({ settings })
  const watch = await startWatch(first)
  const before = await device(first.mqttPort)
  for (let n = 1; n <= 50; n++) await send(before, n)
  await watch.waitFor('gauge-50 ')
  await first.kill()
  await watch.waitFor(/the line is broken: .*; trying again/)
  const second = await startGateway({ settings, dataDir: first.dataDir })
  const after = await device(second.mqttPort)
  for (let n = 51; n <= 100; n++) await send(after, n)
  await watch.waitFor('gauge-100 ', 15_000)
  expect(watch.stderr).toContain('the line is back after')
  expect(shown(watch)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1))
})

test(
  'goes on from its cursor file the next time, and ends after as many as were asked for',
  { timeout: 40_000 },
  async () => {
    const gateway = await startGateway()
    const client = await device(gateway.mqttPort)
    const cursor = join(tempFolder('cli'), 'cursor')
    const watch = await startWatch(gateway, '--from', 'earliest', '--cursor', cursor)
    await send(client, 1)
    await watch.waitFor('gauge-1 ')
    for (let i = 0; i < 100 && !existsSync(cursor); i++) await sleep(20)
    await watch.stop('SIGINT')
    for (const n of [2, 3, 4]) await send(client, n)
    const launcher = join(projectHome, 'bin/tocsin')
    const again = startChild(
      nodePath,
      [launcher, 'watch', '--server', gateway.grpc, '--cursor', cursor, '--count', '3'],
      {},
    )
    expect(await again.exited).toEqual({ code: 0, signal: null })
    expect(shown(again)).toEqual([2, 3, 4])
  },
)

test('shows only what the filter lets pass', { timeout: 40_000 }, async () => {
  const gateway = await startGateway()
  const client = await device(gateway.mqttPort)
  for (const n of [21, 31, 22]) await send(client, n)
  const launcher = join(projectHome, 'bin/tocsin')
  const filter = ['--device', 'gauge-2*,', '--topic', 'tocsin/in/#', '--count', '2', '--json']
  const watch = startChild(nodePath, [launcher, 'watch', '--server', gateway.grpc, ...filter], { input: '' })
  expect(await watch.exited).toEqual({ code: 0, signal: null })
  const topics = watch.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { topic: string }).topic)
  expect(topics.toSorted()).toEqual(['tocsin/in/senml/gauge-21', 'tocsin/in/senml/gauge-22'])
})
