// Starts consoles.ts and speaks with it.

import { join } from 'node:path'

import { startChild } from '../tests/tools/child.ts'
import type { ConsoleReport } from './consoles.ts'

export interface Consoles {
  readonly pid: number
  /** Stops and continues the whole process, as a frozen program would (SIGSTOP, SIGCONT). */
  freeze(): void
  thaw(): void
  reset(): Promise<void>
  /** Since the last reset; once. */
  report(): Promise<ConsoleReport>
  stop(): Promise<void>
}

const program = join(import.meta.dirname, 'consoles.ts')
const openTimeoutMs = 60_000

/** Resolves when every stream is open. */
export async function startConsoles(
  address: string,
  streams: number,
  stampOffsetNs: bigint,
  token?: string,
): Promise<Consoles> {
  const env = token === undefined ? {} : { env: { CONSOLE_TOKEN: token } }
  const child = startChild(process.execPath, [program, address, String(streams), String(stampOffsetNs)], env)
  try {
    await child.waitFor('open', openTimeoutMs)
  } catch (error) {
    await child.kill()
    throw error
  }
  return {
    pid: child.pid,
    freeze: () => child.signal('SIGSTOP'),
    thaw: () => child.signal('SIGCONT'),
    async reset() {
      child.stdin.write('reset\n')
      await child.waitFor('reset')
    },
    async report() {
      child.stdin.write('report\n')
      await child.waitFor(/^\{.*\}$/m)
      return JSON.parse(/^\{.*\}$/m.exec(child.stdout)?.[0] ?? '') as ConsoleReport
    },
    // It has nothing to settle, and a frozen one would not hear a polite word.
    stop: async () => void (await child.kill()),
  }
}

/** What makes the monotonic clock of this machine, the same in all its processes, the time of day. */
export const stampOffset = (): bigint => BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
