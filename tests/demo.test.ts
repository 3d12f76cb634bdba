// The demonstration, played to its end at full speed: what the dispatcher saw is what the story says, and none of it is real.

import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { silentGauge } from '../demo/gauges.ts'
import { type Played, runDemo } from '../demo/run-demo.ts'
import type { Said } from '../demo/said.ts'
import { story } from '../demo/story.ts'
import { countByKind, deviceOf, silentDevices } from '../demo/summary.ts'
import { MessageStatus } from '../proto/generated/types.ts'
import { timestampNs } from '../proto/time.ts'
import { startChild } from './tools/child.ts'

describe('played at full speed', () => {
  const printed: string[] = []
  let played: Played | undefined

  beforeAll(async () => {
    played = await runDemo(
      { speed: 3_600, signal: new AbortController().signal },
      {
        print: (line) => void printed.push(line),
        tell: (line) => void printed.push(line),
        paint: (_style, text) => text,
        width: undefined,
        whenFull() {},
      },
    )
  }, 60_000)

  const wanted = ({ becomes }: Said): readonly string[] => ('fault' in becomes ? [] : becomes)

  test('the dispatcher sees every event of the story, by kind', () => {
    const counts = Map.groupBy(story.flatMap(wanted), (kind) => kind)
    // The gateway says that it started.
    const expected = [...counts].map(([kind, { length }]) => [kind, length] as const)
    expect(countByKind(played?.events ?? [])).toEqual(new Map([...expected, ['SYSTEM_EVENT', 1]]))
    expect(story.length).toBeGreaterThan(50)
  })

  test('what is rubbish is in quarantine, where it came and why, and is shown', () => {
    const refused = story.filter(({ becomes }) => 'fault' in becomes)
    expect(played?.refusals.map(({ channel, fault }) => ({ channel, fault }))).toEqual(
      refused.map(({ to, becomes }) => ({ channel: to, fault: 'fault' in becomes ? becomes.fault : '' })),
    )
    expect(refused.length).toBe(2)
    expect(printed.join('\n')).toContain('tocsin/in/senml/culvert-9  syntax: not JSON at byte 31')
  })

  test('nothing is actual, and every line that shows an event shouts it', () => {
    const statuses = new Set(played?.events.map(({ messageStatus }) => messageStatus))
    expect([...statuses].toSorted()).toEqual([MessageStatus.EXERCISE, MessageStatus.SYSTEM])
    const lines = printed.filter((line) => /^\d\d:\d\d:\d\d\.\d{3} /.test(line))
    expect(lines).toHaveLength(played?.events.length ?? 0)
    expect(lines.filter((line) => !/ (EXERCISE|SYSTEM) /.test(line))).toEqual([])
  })

  test('nothing is measured in the future, and the river crests and falls', () => {
    const late = played?.events.filter(
      ({ observedAt, receivedAt }) =>
        (timestampNs(observedAt) ?? 0n) > (timestampNs(receivedAt) ?? 0n) + 1_000_000_000n,
    )
    expect(late).toEqual([])
    const levels = (played?.events ?? [])
      .filter((event) => deviceOf(event) === 'gauge-lower-ford' && event.body === 'observation')
      .map((event) => (event.body === 'observation' ? event.observation.measurements : []))
      .map((measurements = []) => measurements.find(({ quantity }) => quantity === 'water_level'))
      .map((measurement) => (measurement?.value === 'number' ? measurement.number : Number.NaN))
    const crest = levels.indexOf(Math.max(...levels))
    expect(levels).toHaveLength(12)
    expect(crest).toBeGreaterThan(4)
    expect(crest).toBeLessThan(9)
    expect(levels.toSpliced(crest)).toEqual(levels.toSpliced(crest).toSorted((a, b) => a - b))
    expect(levels.slice(crest)).toEqual(levels.slice(crest).toSorted((a, b) => b - a))
  })

  test('the gauge that died is named, with how long it is silent', () => {
    const minutes = 60 - silentGauge.lastMinute
    const [first, ...others] = silentDevices(played?.events ?? [], played?.endedAt ?? new Date())
    expect(first).toEqual({ device: silentGauge.name, silentMs: minutes * 60_000, usualMs: 300_000 })
    expect(others).toEqual([])
    expect(printed.join('\n')).toContain(`${silentGauge.name} has said nothing for 37 min; it used to every 5 min`)
    // And while it plays: after more than three reports that did not come, once.
    const told = printed.filter((line) => line.startsWith('──') && line.includes('has said nothing'))
    expect(told).toEqual([expect.stringContaining(`${silentGauge.name} has said nothing for 16 min`)])
  })
})

test('Ctrl-C ends all that it started, and leaves nothing', { timeout: 40_000 }, async () => {
  const demo = startChild(process.execPath, [join(import.meta.dirname, '../demo/main.ts'), '--speed', '60'])
  try {
    await demo.waitFor(/EXERCISE .*observed/, 30_000)
    const [, port = '', dataDir = ''] = /MQTT mqtt:\/\/127\.0\.0\.1:(\d+).*data (\S+)/.exec(demo.stdout) ?? []
    expect(existsSync(dataDir)).toBe(true)
    expect(await demo.stop('SIGINT')).toEqual({ code: 0, signal: null })
    expect(existsSync(dataDir)).toBe(false)
    expect(await isOpen(Number(port))).toBe(false)
  } finally {
    await demo.stop()
  }
})

test('a speed that is none is refused with what it may be', async () => {
  const demo = startChild(process.execPath, [join(import.meta.dirname, '../demo/main.ts'), '--speed', 'fast'])
  expect(await demo.exited).toEqual({ code: 2, signal: null })
  expect(demo.stderr).toBe('demo: --speed must be a whole number from 1 to 3600; it is "fast"\n')
})

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
