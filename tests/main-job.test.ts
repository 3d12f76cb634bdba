// The main job, end to end, with programs we did not write: mosquitto's client publishes, `tocsin watch` shows, InfluxDB's own
// client finds the rows, and the fate of each message can be asked for.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { type Child, startChild } from './tools/child.ts'
import { type Influxdb, startInfluxdb } from './tools/influxdb.ts'
import { mosquittoPub, mosquittoSub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const settings = `
gateway: {jurisdiction: county-a.example, owner: em.county-a.example}
mappings:
  - name: tank
    topics: [plant/+/state]
    device: =$topic[1]
    time: {path: ts, format: unix_s}
    measurements:
      - {quantity: water_level, value: level.cm, unit: cm}
`

describeWithTools('the main job', () => {
  let gateway: GatewayProcess
  let influxdb: Influxdb
  let watch: Child

  const tocsin = (...args: string[]): Promise<Outcome> =>
    run(nodePath, ['bin/tocsin', ...args, '--server', gateway.grpc], { cwd: projectHome, timeoutMs: 30_000 })
  const publish = async (topic: string, message: string): Promise<void> => {
    const outcome = await mosquittoPub(['-p', String(gateway.mqttPort), '-q', '1', '-t', topic, '-m', message])
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
  }

  beforeAll(async () => {
    influxdb = await startInfluxdb()
    const file = join(tempFolder('settings'), 'tocsin.yaml')
    writeFileSync(file, settings)
    gateway = await startGatewayProcess({ file, settings: { INFLUX_URL: influxdb.url } })
    watch = startChild(nodePath, ['bin/tocsin', 'watch', '--server', gateway.grpc], { cwd: projectHome, input: '' })
    await watch.waitFor('Ctrl-C ends', 20_000)
  }, 60_000)

  afterAll(async () => {
    await watch?.stop()
    await gateway?.stop()
    await influxdb?.stop()
  })

  test('a SenML reading and a mapped JSON one are shown within a second', async () => {
    const startedAt = performance.now()
    await publish('tocsin/in/senml/gauge-7', '[{"n":"water-level","u":"m","v":2.31}]')
    await watch.waitFor(/gauge-7.*2\.31/, 5_000)
    const shownAfterMs = performance.now() - startedAt
    await publish('plant/tank-7/state', `{"ts": ${Math.floor(Date.now() / 1000)}, "level": {"cm": 142.5}}`)
    await watch.waitFor(/tank-7.*1\.425/, 5_000)
    // The client's own start is in it; a loaded machine gets a little more than the second we promise.
    expect(shownAfterMs).toBeLessThan(2_000)
  })

  test('both are rows in InfluxDB, found by its own client', async () => {
    const rows = async (): Promise<string> =>
      inspect(await influxdb.query('SELECT value, unit FROM water_level GROUP BY device', 'tocsin'), { depth: 9 })
    for (let i = 0; i < 100 && !(await rows()).includes('1.425'); i++) await sleep(50)
    const found = await rows()
    expect(found).toContain('2.31')
    expect(found).toContain('1.425')
    expect(found).toContain('gauge-7')
  })

  test('a plain MQTT subscriber gets every message raw, as from any broker', async () => {
    const subscriber = mosquittoSub(['-p', String(gateway.mqttPort), '-q', '1', '-t', '#', '-v', '-d'])
    await subscriber.waitFor('Subscribed (mid', 5_000)
    await publish('somebody/else', 'hello')
    await subscriber.waitFor('somebody/else hello', 5_000)
    await subscriber.stop()
  })

  test('what is broken is acknowledged, kept with its reason, and read again after the fix', async () => {
    await publish('tocsin/in/senml/gauge-8', '[{"n":"water-level","u":"m","v":2.718281')
    const fate = await tocsin('fate', '--topic', 'tocsin/in/senml/gauge-8')
    expect(fate.stdout).toMatch(/refused/i)
    const refusals = await tocsin('refusals')
    expect(refusals.stdout).toContain('gauge-8')
    expect(refusals.stdout).not.toContain('2.718281')
  })

  test('frames received are as many as their fates, in metrics too', async () => {
    const metrics = await (await fetch(`${gateway.http}/metrics`)).text()
    const value = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1])
    const fates = [...metrics.matchAll(/^tocsin_frames_total\{.*\} (\d+)/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    )
    expect(value('tocsin_frames_received_total')).toBe(4)
    expect(fates + value('tocsin_frames_pending')).toBe(4)
  })

  test('what was read here and is given back is a duplicate, not a second event', async () => {
    const events = await tocsin('events', '--device', 'tank-7', '--json')
    const file = join(tempFolder('events'), 'events.jsonl')
    writeFileSync(file, events.stdout)
    const again = await tocsin('publish', '--events', file)
    expect(again.stdout + again.stderr).toMatch(/duplicate/i)
    expect((await tocsin('events', '--device', 'tank-7', '--json')).stdout).toBe(events.stdout)
  })

  test('the command line lists events and shows one', async () => {
    const events = await tocsin('events', '--device', 'tank-7', '--json')
    expect(events.stdout).toContain('1.425')
    expect(events.code).toBe(0)
  })
})

test('a second gateway on the same folder is refused with a sentence', { timeout: 60_000 }, async () => {
  const first = await startGatewayProcess()
  const second = await run(nodePath, ['gateway/main.ts'], {
    cwd: projectHome,
    env: { PATH: process.env['PATH'] ?? '', TOCSIN_DATA_DIR: first.dataDir, TOCSIN_MQTT_LISTEN: 'mqtt://127.0.0.1:0' },
    timeoutMs: 30_000,
  })
  await first.stop()
  expect(second.code).toBe(1)
  expect(second.stderr).toContain('folder_in_use')
})

test('settings that open a door to the network are refused with the line to change', { timeout: 60_000 }, async () => {
  const outcome = await run(nodePath, ['gateway/main.ts'], {
    cwd: projectHome,
    env: {
      PATH: process.env['PATH'] ?? '',
      TOCSIN_DATA_DIR: tempFolder('door'),
      TOCSIN_MQTT_LISTEN: 'mqtt://0.0.0.0:1883',
    },
    timeoutMs: 30_000,
  })
  expect(outcome.code).toBe(2)
  expect(outcome.stderr).toContain('mqtts')
})
