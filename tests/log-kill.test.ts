// A process killed under load, again and again on the same folder: what it said is safe is there, once.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startChild } from './tools/child.ts'
import { tempFolder } from './tools/temp-folder.ts'

const kills = 20
const program = `${import.meta.dirname}/faults/fill-log.ts`

test(`${kills} times kill -9 under load: 0 acknowledged are missing, 0 are doubled`, async () => {
  const dataDir = tempFolder('log')
  const safe = new Set<string>()
  for (let kill = 0; kill <= kills; kill++) {
    const child = startChild(process.execPath, [program, 'load', dataDir], {})
    await child.waitFor(/^open /m)
    const there = new Map(
      [...child.stdout.matchAll(/^there (\w+) (\d+)$/gm)].map(([, event, count]) => [event!, count!]),
    )
    expect(
      [...there.values()].filter((count) => count !== '1'),
      `kill ${kill}`,
    ).toEqual([])
    expect(
      [...safe].filter((event) => !there.has(event)),
      `kill ${kill}`,
    ).toEqual([])
    expect(child.stdout).not.toContain('alarm')
    expect(/^open \d+ \d+ (\d+)$/m.exec(child.stdout)?.[1], `missing after kill ${kill}`).toBe('0')
    if (kill < kills) {
      await child.waitFor(/^safe /m)
      await sleep(kill * 10)
    }
    await child.kill()
    for (const [, event] of child.stdout.matchAll(/^safe (\w{36})$/gm)) safe.add(event!)
  }
  expect(safe.size).toBeGreaterThan(kills * 32)
}, 60_000)
