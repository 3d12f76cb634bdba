// The examples of docs/http.md, run as they stand there against a real gateway: what a newcomer copies works, and says what is said.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { run } from './tools/run.ts'

let gateway: GatewayProcess
beforeAll(async () => {
  gateway = await startGatewayProcess({ settings: { TELEMETRY_STORE: 'sqlite' } })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
})

const page = readFileSync('docs/http.md', 'utf8')
const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!)

test('docs/http.md: every example works, in their order', { timeout: 60_000 }, async () => {
  expect(blocks.length).toBeGreaterThan(7)
  for (const block of blocks) {
    const script = block
      .replaceAll('http://127.0.0.1:8080', gateway.http)
      // A stream does not end by itself.
      .replaceAll('curl -sN', 'curl -sN --max-time 2')
    const promised = [...block.matchAll(/^# → (.*)$/gm)].map(([, text]) => text!)
    expect(promised.length).toBeGreaterThan(0)
    const isKept = (said: string): boolean => promised.every((text) => said.includes(text))
    // oxlint-disable-next-line no-await-in-loop -- each builds on those before
    const said = await saidOf(script, isKept)
    for (const text of promised) expect(said).toContain(text)
  }
})

/** Once, and again while it says less: the telemetry store follows the log. */
async function saidOf(script: string, isKept: (said: string) => boolean): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { stdout } = await run('sh', ['-c', script], { timeoutMs: 20_000 })
    if (isKept(stdout) || attempt === attemptsMax) return stdout
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await sleep(500)
  }
}

const attemptsMax = 10
