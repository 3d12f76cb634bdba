// `tocsin query` and `tocsin series` against a real gateway: what mosquitto_pub sent is read back with its value, unit and time.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { mosquittoPub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { generatedFolder } from './tools/python-contract.ts'
import { runPython } from './tools/python.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

/** 2026-11-22T12:00:00Z. */
const noonS = 1_795_348_800
const hour = ['--from', '2026-11-22T12:00:00Z', '--to', '2026-11-22T13:00:00Z']

const launch = (args: readonly string[], server: string): Promise<Outcome> =>
  run(nodePath, [join(projectHome, 'bin/tocsin'), ...args, '--server', server], {
    cwd: tempFolder('cli'),
    timeoutMs: 30_000,
  })

describeWithTools('values that mosquitto_pub sent', () => {
  let gateway: GatewayProcess
  const tocsin = (...args: string[]): Promise<Outcome> => launch(args, gateway.grpc)

  beforeAll(async () => {
    gateway = await startGatewayProcess({ settings: { TELEMETRY_STORE: 'sqlite', TELEMETRY_KEEP: '3650d' } })
    // Centimetres: what is kept is metres. Nothing came between 12:10 and 12:20.
    const levels: [minute: number, cm: number][] = [[0, 231], [5, 250], [20, 270], [25, 290]] // prettier-ignore
    const pack = levels.map(([minute, v]) => ({ n: 'water-level', u: 'cm', v, t: noonS + minute * 60 }))
    for (const device of ['gauge-7', 'gauge-8'])
      await send(`tocsin/in/senml/${device}`, device === 'gauge-7' ? pack : pack.slice(0, 1))
    const listed = async (): Promise<number> => (await tocsin('series', '--format', 'csv')).stdout.split('\r\n').length
    // A header, two series, and what stands behind the last line end.
    while ((await listed()) < 4) await sleep(100)
  }, 90_000)
  afterAll(async () => {
    await gateway?.stop()
  })

  async function send(topic: string, message: unknown): Promise<void> {
    const options = ['-p', String(gateway.mqttPort), '-q', '1', '-t', topic, '-m', JSON.stringify(message)]
    expect(await mosquittoPub(options)).toMatchObject({ code: 0 })
  }

  test('are read back as CSV with value, unit and time', async () => {
    const { code, stdout } = await tocsin('query', 'water_level', '--device', 'gauge-7', ...hour, '--format', 'csv')
    expect(code).toBe(0)
    const rows = stdout.split('\r\n').map((row) => row.split(','))
    const column = (name: string): string[] => rows.slice(1, -1).map((row) => row[rows[0]!.indexOf(name)]!)
    expect(column('time')).toEqual(['12:00', '12:05', '12:20', '12:25'].map((clock) => `2026-11-22T${clock}:00Z`))
    expect(column('value')).toEqual(['2.31', '2.5', '2.7', '2.9'])
    expect(new Set(column('unit'))).toEqual(new Set(['m']))
  })

  test('are read back as windows, with the empty ones told', async () => {
    const asked = ['query', 'water_level', '--device', 'gauge-*', ...hour, '--window', '10m', '--aggregate', 'max']
    const { stdout } = await tocsin(...asked)
    expect(stdout).toContain('water level, largest of every 10 min, 2 series')
    expect(stdout).toMatch(/:00:00 +2\.5 +m +2\n.*no value for 10 min\n.*:20:00 +2\.9 +m +2$/m)
    const json = JSON.parse((await tocsin(...asked, '--format', 'json')).stdout) as {
      series: { points: { at: string; number: number; count: string }[] }[]
    }
    expect(json.series[0]!.points).toEqual([
      expect.objectContaining({ at: '2026-11-22T12:00:00Z', number: 2.5, count: '2' }),
      expect.objectContaining({ at: '2026-11-22T12:20:00Z', number: 2.9, count: '2' }),
    ])
  })

  test('are drawn without colours through a pipe, as wide as asked', async () => {
    const { stdout } = await tocsin('query', 'water_level', ...hour, '--plot', '--width', '60')
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toMatch(/[\u2801-\u28ff]/)
    const edges = stdout.split('\n').filter((line) => line.includes('└'))
    expect(edges.map((line) => line.length)).toEqual([60, 60])
  })

  test('that were cut are told of, in every format', async () => {
    const asked = ['query', 'water_level', '--device', 'gauge-7', ...hour, '--max-points', '2']
    expect((await tocsin(...asked)).stdout).toContain('gauge-7: TRUNCATED, it has more than these 2 values')
    expect((await tocsin(...asked, '--format', 'csv')).stderr).toContain('gauge-7: TRUNCATED')
  })

  test('that are not there are told of, with the nearest name', async () => {
    const silent = await tocsin(
      'query',
      'water_level',
      '--from',
      '2026-11-22T14:00:00Z',
      '--to',
      '2026-11-22T15:00:00Z',
    )
    expect([silent.code, silent.stdout]).toEqual([0, expect.stringMatching(/gauge-7: SILENT in all of this range/)])
    expect(await tocsin('query', 'water_levl')).toMatchObject({
      code: 1,
      stderr: 'tocsin: no series has the quantity "water_levl"; did you mean water_level?\n',
    })
    const device = await tocsin('query', 'water_level', '--device', 'guage-7')
    expect([device.code, device.stderr]).toEqual([1, expect.stringContaining('did you mean gauge-7?')])
    const exercise = await tocsin('query', 'water_level', '--status', 'exercise')
    expect(exercise.stderr).toContain('--status may be actual')
  })

  test('are listed as series, by device and by when they were heard', async () => {
    const all = await tocsin('series', '--device', 'gauge-*')
    expect(all.stdout).toMatch(/water_level +gauge-7 +m .*\n.*water_level +gauge-8 +m /)
    const since = await tocsin('series', '--active-since', '2026-11-22T12:10:00Z')
    expect(since.stdout).toContain('gauge-7')
    expect(since.stdout).not.toContain('gauge-8')
  })

  test('are read by a Python client that was made of the .proto files alone', async () => {
    const script = join(import.meta.dirname, 'clients/series.py')
    const asked = await runPython(script, [await generatedFolder(), gateway.grpc, 'water_level', String(noonS)])
    expect(asked).toMatchObject({ code: 0, stderr: '' })
    expect(asked.stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      { listed: 'gauge-7', unit: 'm', last_at: noonS + 25 * 60 },
      { listed: 'gauge-8', unit: 'm', last_at: noonS },
      { device: 'gauge-7', unit: 'm', points: [[noonS, 2.31, 1], [noonS + 300, 2.5, 1], [noonS + 1_200, 2.8, 2]] },
      { device: 'gauge-8', unit: 'm', points: [[noonS, 2.31, 1]] },
      { complete: true, truncated: false },
    ]) // prettier-ignore
  })
})

test('without a store, the lines to write are said', { timeout: 40_000 }, async () => {
  const gateway = await startGatewayProcess({ settings: { TELEMETRY_STORE: 'off' } })
  const { code, stderr } = await launch(['query', 'water_level'], gateway.grpc).finally(() => gateway.stop())
  expect(code).toBe(1)
  expect(stderr).toMatch(/telemetry:\n +store: auto\n.*TOCSIN_TELEMETRY_STORE=auto/)
})
