// A start reads companions, not segments: it is quick with much in the log, and after a crash only the latest segments are read.

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { tempFolder } from './tools/temp-folder.ts'

const recordCount = 200_000
/** goals.md: a million in a second; the test leaves room for a busy machine. */
const startMsMax = 1000
const program = `${import.meta.dirname}/faults/fill-log.ts`

const run = (...args: string[]): string =>
  spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: 60_000 }).stdout

test(`a log with ${recordCount} records starts within a second, also after a crash`, () => {
  const dataDir = tempFolder('log')
  expect(run('fill', dataDir, String(recordCount))).toContain(`filled ${recordCount}`)
  for (const [how, sequel] of [
    ['closed', 'crash'],
    ['crashed', 'close'],
  ] as const) {
    const [, startMs, head] = /started in (\d+) ms, head (\d+)/.exec(run('start', dataDir, sequel)) ?? []
    expect(Number(head), how).toBe(recordCount)
    expect(Number(startMs), how).toBeLessThan(startMsMax)
  }
}, 90_000)
