// How the gateway is: rates and forecasts worked out from what was counted, a screen that shows silence as silence, and a gateway
// that does not answer.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccounting } from '../gateway/accounting.ts'
import { statusLines } from '../gateway/cli/status-text.ts'
import { createRates } from '../gateway/rates.ts'
import { Fate, Lane } from '../proto/generated/types.ts'
import { duration, timestamp } from '../proto/time.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { startChild } from './tools/child.ts'
import { freePort } from './tools/free-port.ts'
import { run } from './tools/run.ts'

const second = 1_000_000_000n
const gigabyte = 1e9

describe('rates', () => {
  function house() {
    let now = 1_790_000_000n * second
    let free = 100 * gigabyte
    const accounting = createAccounting()
    const clock = { now: () => now, monotonic: () => now }
    const rates = createRates({ clock, accounting, freeBytes: () => free })
    return {
      rates,
      /** Every five seconds so many frames come and so much disk is taken. */
      pass(seconds: number, frames: number, bytes: number): void {
        for (let at = 0; at < seconds; at += 5) {
          now += 5n * second
          free -= bytes
          for (let n = 0; n < frames; n++) {
            accounting.receive('senml')
            accounting.settle('senml', 'stored')
          }
          rates.sample()
        }
      },
      now: () => now,
    }
  }

  test('are those of the last minute, not of the time before', () => {
    const { rates, pass } = house()
    pass(600, 50, 0)
    expect(rates.framesPerSecond().total).toBeCloseTo(10, 6)
    pass(60, 5, 0)
    expect(rates.framesPerSecond().byInput.get('senml')).toBeCloseTo(1, 6)
    pass(60, 0, 0)
    expect(rates.framesPerSecond().byInput.get('senml')).toBe(0)
  })

  test('know when an input was last heard, and that another never was', () => {
    const { rates, pass, now } = house()
    pass(10, 1, 0)
    const heardAt = now()
    pass(900, 0, 0)
    expect(rates.lastFrameAt('senml')).toBe(heardAt)
    expect(rates.lastFrameAt('json')).toBeUndefined()
  })

  test('foretell a full disk after ten minutes, and none for one that does not fill', () => {
    const filling = house()
    filling.pass(300, 0, 0.001 * gigabyte)
    expect(filling.rates.disk()).toEqual({})
    filling.pass(700, 0, 0.001 * gigabyte)
    // 0.2 GB were taken in 1,000 s; 99.8 GB are left: 499,000 s.
    const { watchedMs, fullInMs } = filling.rates.disk()
    expect(watchedMs).toBe(1_000_000)
    expect(fullInMs! / 1_000).toBeCloseTo(499_000, 3)
    const still = house()
    still.pass(1_000, 10, 0)
    expect(still.rates.disk()).toEqual({ watchedMs: 1_000_000 })
  })
})

describe('the screen', () => {
  const now = 1_790_000_000n * second
  const before = (seconds: number) => timestamp(now - BigInt(seconds) * second)
  const span = (seconds: number) => duration(BigInt(seconds) * second)
  const lines = statusLines(
    {
      state: {
        gateway: 'g',
        jurisdiction: 'j',
        version: '1',
        now: timestamp(now),
        startedAt: before(7_200),
        received: 12,
        framesPerSecond: 0.5,
        inputs: [
          { name: 'json', frames: 0 },
          { name: 'rtl_433', frames: 5, lastFrameAt: before(3_600), fates: [{ fate: Fate.STORED, count: 5 }] },
          { name: 'senml', frames: 7, lastFrameAt: before(2), framesPerSecond: 0.02, fates: [] },
          { name: 'none', frames: 0 },
        ],
        lanes: [{ lane: Lane.ROUTINE, head: 12, oldest: 3, oldestAt: before(600), newestAt: before(60) }],
        links: [
          { name: 'county-b', up: true, since: before(600), received: 7, published: 12, lastReceivedAt: before(4_000) },
          { name: 'county-c', up: false, since: before(90), problem: 'ECONNREFUSED', waiting: 40, dropped: 2 },
        ],
        diskFreeBytes: 3e9,
        diskTotalBytes: 10e9,
        diskFullIn: span(86_400),
        diskWatched: span(3_600),
        alarms: [{ code: 'disk_low', text: 'little is left', since: before(120) }],
      },
      bookmarks: [
        { reader: 'influxdb', urgentLag: 1, routineLag: 9, lagAge: span(90), problem: 'away', connected: true },
      ],
      refusals: [
        {
          fault: 'syntax',
          count: 3,
          lastHour: 1,
          newest: { at: now - 30n * second, topic: 'a/\u001b[2J', why: 'not JSON' },
        },
      ],
      isCut: false,
    },
    (_style, text) => text,
  )
  const screen = lines.join('\n')

  test('says for how long an input has been silent, and which was never heard', () => {
    expect(screen).toMatch(/^ +rtl_433 +silent for 1 h +5 stored$|^input +rtl_433 +silent for 1 h +5 stored$/m)
    expect(screen).toMatch(/senml +1\.2\/min/)
    expect(screen).toMatch(/nothing since the start: json$/m)
  })

  test('says how far a reader lags, how old a lane is, when the disk is full, and since when an alarm is on', () => {
    expect(screen).toContain('influxdb      10 wait (1 urgent), the oldest for 1 min 30 s; away')
    expect(screen).toContain('routine       3 to 12; the oldest 10 min ago, the last 1 min ago')
    expect(screen).toContain('7.00 GB used, 3.00 GB free of 10.0 GB; full in 1 d, at the rate of the last 1 h')
    expect(screen).toContain('ALARM      disk_low: little is left (for 2 min)')
  })

  test('says of each link to another broker since when it is up or down, when it was last heard, and what waits', () => {
    expect(screen).toContain('county-b      up for 10 min; 7 in, the last 1 h 6 min ago; 12 out, 0 wait')
    expect(screen).toContain(
      'county-c      down for 1 min 30 s; nothing came; 0 out, 40 wait, 2 left out; ECONNREFUSED',
    )
  })

  test('says what is refused, with the newest example and nothing that a terminal obeys', () => {
    expect(screen).toContain('3, 1 in the last hour')
    expect(screen).toContain('the last 30 s ago on a/␛[2J: not JSON')
  })

  test('is one screen', () => expect(lines.length).toBeLessThan(24))
})

describe('a gateway', () => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await startGatewayProcess({ settings: { MQTT_OUT: 'true' } })
  }, 60_000)
  afterAll(async () => {
    await gateway?.stop()
  })
  const command = (...args: string[]): string[] => ['bin/tocsin', 'status', ...args]

  test('tells programs all of it as JSON', async () => {
    const { stdout } = await run(nodePath, command('--json', '--server', gateway.grpc), { cwd: projectHome })
    const told = JSON.parse(stdout) as Record<string, unknown>
    expect(told).toMatchObject({ jurisdiction: 'local', refusals: [], diskTotalBytes: expect.stringMatching(/^\d+$/) })
    expect(told['bookmarks']).toContainEqual(expect.objectContaining({ reader: 'mqtt', connected: true }))
    expect((told['inputs'] as { name: string }[]).map(({ name }) => name)).toContain('senml')
  })

  test(
    'that is not there is said not to be, and so is one that goes while it is watched',
    { timeout: 60_000 },
    async () => {
      const nowhere = await run(nodePath, command('--server', `127.0.0.1:${await freePort()}`), { cwd: projectHome })
      expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringMatching(/nothing listens on .*npm start/)])

      const watch = startChild(nodePath, command('--watch', '--server', gateway.grpc), { cwd: projectHome, input: '' })
      await watch.waitFor(/gateway +tocsin of local/, 20_000)
      process.kill(gateway.pid!, 'SIGSTOP')
      await watch.waitFor(/no word from the gateway for \d+ s: it does not answer; what stands above is old/, 20_000)
      process.kill(gateway.pid!, 'SIGCONT')
      const { length } = watch.stdout
      for (let i = 0; i < 100 && watch.stdout.length <= length; i++) await new Promise((go) => setTimeout(go, 100))
      expect(watch.stdout.length).toBeGreaterThan(length)
      expect((await watch.stop()).code).toBe(0)
    },
  )
})
