// An output whose log cannot be read for a while (EIO) waits, with an alarm, and then gets all of it.

import { expect, test } from 'vitest'

import type { Log } from '../gateway/log/log.ts'
import { runOutput } from '../gateway/outputs/run-output.ts'
import { until } from './tools/broker.ts'

test('a log that cannot be read is an alarm, and is read again', async () => {
  const alarms: string[] = []
  const delivered: number[] = []
  let fails = true
  const record = { lane: 'urgent', sequence: 1 }
  const log = {
    head: { urgent: 1, routine: 0 },
    bookmarks: { get: () => ({ urgent: 0, routine: 0 }), set: () => {} },
    onAdvance: () => () => {},
    read(lane: string, after: number) {
      if (lane !== 'urgent' || after > 0) return undefined
      if (fails) throw new Error('EIO: i/o error, read')
      return { records: [record], through: 1, batch: Buffer.alloc(1), missing: [] }
    },
  } as unknown as Log
  const running = runOutput(
    {
      name: 'influxdb',
      start: 'earliest',
      batch: { records: 10, bytes: 1_000, gatherMs: 0 },
      deliver: (records) => Promise.resolve(void delivered.push(...records.map(({ sequence }) => sequence))),
      close: () => Promise.resolve(),
    },
    {
      log,
      alarms: {
        raise: (code, about, text) => alarms.push(`${code} ${about}: ${text}`),
        clear: (code, about) => alarms.push(`${code} ${about} is over`),
        list: () => [],
      },
      logger: { debug() {}, info() {}, warn() {}, error() {} } as never,
      random: () => 0,
    },
  )
  await until(() => alarms.length > 0, 'it is an alarm')
  expect(alarms[0]).toContain('output_stalled influxdb: influxdb gets nothing: the log cannot be read (EIO')
  fails = false
  await until(() => delivered.length > 0, 'it is delivered')
  expect(delivered).toEqual([1])
  await until(() => alarms.length > 1, 'the alarm is over')
  expect(alarms.at(-1)).toBe('output_stalled influxdb is over')
  await running.stop()
})
