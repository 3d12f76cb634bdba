// The command line against a real gateway: publish and be told, see, ask, replay, back up.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { type Outcome, run, type RunOptions } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess()
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

const launch = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  run(nodePath, [join(projectHome, 'bin/tocsin'), ...args], { cwd: tempFolder('cli'), timeoutMs: 30_000, ...options })
const tocsin = (command: string, ...args: string[]): Promise<Outcome> =>
  launch([command, '--server', gateway.grpc, ...args])
const publish = (topic: string, ...args: string[]): Promise<Outcome> =>
  tocsin('publish', '--mqtt', `mqtt://127.0.0.1:${gateway.mqttPort}`, '--topic', topic, ...args)
const reading = (value: number): string => JSON.stringify([{ n: 'water-level', u: 'm', v: value }])
/** Of a program that numbers its events itself: 16 bytes. */
const idOf = (at: number): string => Buffer.from(`drill-${String(at).padStart(10, '0')}`).toString('base64')
const idIn = ({ stdout }: Outcome, row: string): string => new RegExp(`${row} +([0-9a-f-]{36})`).exec(stdout)?.[1] ?? ''

describe('publish', () => {
  test('says that a message is stored, and where', async () => {
    const outcome = await publish('tocsin/in/senml/gauge-7', '--message', reading(2.31))
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout).toMatch(/^38 bytes on tocsin\/in\/senml\/gauge-7: acknowledged after \d+ ms\nSTORED /)
    expect(outcome.stdout).toMatch(/event +[0-9a-f-]{36} {2}routine \d+\n/)
  })

  test('says why a message is refused, and ends with 1', async () => {
    const outcome = await publish('tocsin/in/senml/gauge-7', '--message', '[{"n":')
    expect(outcome.code).toBe(1)
    expect(outcome.stdout).toMatch(/REFUSED .*\n[\s\S]*why +syntax: /)
  })

  test('says that a message that nobody reads was carried, at QoS 0, 1 and 2', async () => {
    for (const qos of ['0', '1', '2']) {
      const outcome = await publish(`somebody/else/${qos}`, '--message', 'hello', '--qos', qos)
      expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringMatching(/CARRIED /)])
    }
  })

  test('sends a file and standard input byte for byte', async () => {
    const file = join(tempFolder('cli'), 'reading.json')
    writeFileSync(file, reading(9.75))
    expect((await publish('tocsin/in/senml/gauge-8', '--file', file)).stdout).toContain('STORED')
    const mqtt = `mqtt://127.0.0.1:${gateway.mqttPort}`
    const args = ['publish', '--server', gateway.grpc, '--mqtt', mqtt, '--topic', 'raw/bytes']
    const bytes = Buffer.from([0, 255, 10, 13])
    const outcome = await launch(args, { input: bytes })
    expect(outcome.stdout).toMatch(/^4 bytes on raw\/bytes: acknowledged/)
  })

  test('sends events, counts what became of each, and says which is none', async () => {
    const file = join(tempFolder('cli'), 'events.jsonl')
    const alert = (subject: string, id = '') => ({
      id,
      subject,
      messageStatus: 'MESSAGE_STATUS_EXERCISE',
      alert: { infos: [{ event: 'Drill' }] },
    })
    const drill = (_: unknown, at: number): string => JSON.stringify(alert(`urn:drill:${at}`, idOf(at)))
    writeFileSync(file, Array.from({ length: 1_200 }, drill).join('\n'))
    const outcome = await tocsin('publish', '--events', file)
    expect(outcome).toMatchObject({ code: 0, stdout: '1200 events of 1200 answered: 1200 stored\n' })
    writeFileSync(file, JSON.stringify([alert('urn:drill:a'), { subjekt: 'b' }]))
    const wrong = await tocsin('publish', '--events', file)
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('event 2 is not of the schema: Event: unknown field: "subjekt"')
  })
})

describe('events', () => {
  test('are listed in order, the last ones first asked for, with ids that can be asked for', async () => {
    for (const value of [1.5, 2.5, 3.5]) await publish('tocsin/in/senml/gauge-9', '--message', reading(value))
    const listed = await tocsin('events', '--device', 'gauge-9', '--limit', '2')
    expect(listed.stdout).toMatch(/water level 2\.5 m.*\n.*water level 3\.5 m/)
    expect(listed.stderr).toBe('2 events; there may be more, see --limit\n')
    const newest = await tocsin('events', '--device', 'gauge-9', '--newest', '--limit', '2')
    expect(newest.stdout).toMatch(/3\.5 m.*\n.*2\.5 m/)
    const first = await tocsin('events', '--device', 'gauge-9', '--from', '10m', '--limit', '1', '--json')
    const { eventId } = JSON.parse(first.stdout) as { eventId: string }
    const one = await tocsin('events', eventId, '--raw')
    expect(one.stdout).toContain('"number": 1.5')
    expect(one.stdout).toContain(reading(1.5))
  })

  test('that are written as JSON can be published again, and are duplicates', async () => {
    const { stdout } = await tocsin('events', '--subject', 'urn:drill:1*', '--limit', '50', '--json')
    expect(stdout.split('\n')).toHaveLength(51)
    const again = await launch(['publish', '--server', gateway.grpc, '--events', '-'], { input: stdout })
    expect(again.stdout).toBe('50 events of 50 answered: 50 duplicate\n')
  })

  test('that are not there are said not to be', async () => {
    const none = await tocsin('events', '--device', 'nobody')
    expect([none.code, none.stderr]).toEqual([0, 'no event matches\n'])
    const unknown = await tocsin('events', '0199a4d2-7c1e-7a30-8000-0123456789ab')
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/^tocsin: No event with this id/)])
  })
})

describe('fate, refusals and status', () => {
  test('tell the same of a refused message, which a replay leaves in quarantine while nothing is mended', async () => {
    const sent = await publish('tocsin/in/senml/gauge-10', '--message', 'not json')
    const id = idIn(sent, 'frame')
    const fate = await tocsin('fate', id)
    expect([fate.code, fate.stdout]).toEqual([0, expect.stringContaining('REFUSED')])
    const refusals = await tocsin('refusals', '--topic', 'tocsin/in/senml/gauge-10', '--raw')
    expect(refusals.stdout).toContain(id)
    expect(refusals.stdout).toContain('not json')
    for (const args of [[id], ['--all', '--topic', 'tocsin/in/senml/gauge-10'], [id, '--dry-run']]) {
      const replayed = await tocsin('refusals', '--replay', ...args)
      expect([replayed.code, replayed.stdout]).toEqual([
        1,
        expect.stringMatching(/^1 frame read again: 0 .* 1 refused again/),
      ])
    }
    expect((await tocsin('refusals', '--topic', 'tocsin/in/senml/gauge-10')).stdout).toContain(id)
  })

  test('say so when nothing is known', async () => {
    const fate = await tocsin('fate', '--topic', 'nowhere/at/all')
    expect([fate.code, fate.stderr]).toEqual([1, 'nothing is known here of nowhere/at/all, or no longer\n'])
    expect((await tocsin('refusals', '--reason', 'checksum')).stderr).toContain('nothing that matches')
  })

  test('status adds up', async () => {
    const { code, stdout } = await tocsin('status')
    expect(code).toBe(0)
    const row = /frames +([\d,]+) received \([\d.]+\/s in the last minute\): (.*)/.exec(stdout)
    const parts = [...(row?.[2] ?? '').matchAll(/([\d,]+) /g)].map(([, text]) => Number(text!.replaceAll(',', '')))
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(Number(row?.[1]?.replaceAll(',', '')))
    expect(stdout).toMatch(/clock +not measured/)
    expect(stdout).toMatch(
      /quarantine +syntax +\d+, \d+ in the last hour\n +the last .* ago on tocsin\/in\/senml\/gauge-\d+: /,
    )
  })
})

describe('backup, restore and holds', () => {
  test('a backup of the running gateway is whole, and restores into a new folder only', async () => {
    const [target, restored] = [join(tempFolder('backup'), 'b'), join(tempFolder('restored'), 'data')]
    const made = await launch(['backup', target, '--data-dir', gateway.dataDir])
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/is whole: \d+ records/) })
    const back = await launch(['restore', target, '--data-dir', restored])
    expect(back).toMatchObject({ code: 0, stdout: expect.stringMatching(/is restored: \d+ records/) })
    const again = await launch(['restore', target, '--data-dir', restored])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')])
    const nowhere = await launch(['backup', target, '--data-dir', join(restored, 'wrong')])
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('there is no data folder')])

    const hold = (...args: string[]) => launch(['hold', ...args, '--data-dir', restored])
    const span = ['--from', '2026-11-01', '--to', '2026-11-30', '--reason', 'court order']
    expect((await hold('add', 'case-1', ...span)).code).toBe(0)
    expect((await hold('list')).stdout).toMatch(/^case-1 +2026-11-01 00:00:00.000 to .* court order\n$/)
    expect((await hold('release', 'case-1')).code).toBe(0)
    expect((await hold('release', 'case-1')).stderr).toContain('there is no hold case-1')
  })

  test('holds of a running gateway are not changed behind its back', async () => {
    const args = ['hold', 'add', 'x', '--from', '1h', '--to', '1m', '--reason', 'r', '--data-dir', gateway.dataDir]
    const outcome = await launch(args)
    expect([outcome.code, outcome.stderr]).toEqual([1, expect.stringMatching(/process \d+ has the lock/)])
  })
})
