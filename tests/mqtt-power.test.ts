// Power is lost right after a flush of MQTT sessions resolved, at every one of some hundred, between and during checkpoints of SQLite: the
// files are put together from what strace saw written and synced, and what was flushed must be in them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { openState, stateFile } from '../gateway/log/state.ts'
import { createSessionStore } from '../gateway/mqtt-state/session-store.ts'
import { seededRandom } from './faults/fault-disk.ts'
import { describeWithTools } from './tools/present.ts'
import { startStrace } from './tools/strace.ts'
import { tempFolder } from './tools/temp-folder.ts'
import { afterPowerLoss, replay, tracedCalls } from './tools/traced-disk.ts'

const rounds = 200
const program = `${import.meta.dirname}/faults/fill-sessions.ts`

describeWithTools('strace', () => {
  test('what was flushed outlives a loss of power, whatever else the disk keeps', { timeout: 120_000 }, async () => {
    const dataDir = tempFolder('mqtt-power')
    const trace = join(tempFolder('mqtt-trace'), 'trace')
    const command = [process.execPath, program, 'trace', dataDir, String(rounds)]
    const child = startStrace([...tracedCalls, '-o', trace, ...command])
    await child.exited
    expect(child.stdout, child.stderr).toContain('done')

    const random = seededRandom(7)
    const folder = tempFolder('mqtt-after')
    let losses = 0
    let begunAnew = 0
    let walBefore = Buffer.alloc(0)
    replay(readFileSync(trace, 'latin1'), (line, files) => {
      const safe = Number(/^safe (\d+)$/.exec(line)?.[1] ?? 0)
      if (safe === 0) return
      const wal = files.get(join(dataDir, `${stateFile}-wal`))!.seen.subarray(0, 24)
      if (!wal.equals(walBefore)) begunAnew += 1
      walBefore = Buffer.from(wal)
      for (const share of [0, random(), 1]) {
        const after = join(folder, String((losses += 1)))
        mkdirSync(after)
        for (const [path, file] of files) {
          if (![stateFile, `${stateFile}-wal`].includes(basename(path)) || !path.startsWith(dataDir)) continue
          writeFileSync(
            join(after, basename(path)),
            afterPowerLoss(file, () => random() < share),
          )
        }
        const state = openState({ dataDir: after })
        const { sessions, through } = createSessionStore({ state }).load()
        state.close()
        expect(state.movedAside).toBeUndefined()
        const last = through.get('frames') ?? 0
        expect(last, `safe ${safe}, kept ${share}`).toBeGreaterThanOrEqual(safe)
        expect(sessions[0]?.owed.map(({ number }) => number)).toEqual(owedAfter(last))
      }
    })
    expect(losses).toBe(rounds * 3)
    expect(begunAnew).toBeGreaterThan(5)
    process.stdout.write(
      `sessions, power lost ${losses} times: 0 flushed are missing; the write-ahead file was begun anew ${begunAnew} times\n`,
    )
  })
})

/** What is owed after a round: all until then, but for the fourth of every seven whose seventh has come. */
const owedAfter = (round: number): number[] =>
  Array.from({ length: round }, (_, n) => n + 1).filter((number) => number % 7 !== 4 || number + 3 > round)
