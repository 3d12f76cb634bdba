// Runs the load generator in a process of its own against a server, and takes the server's CPU time over the measured part.

import { join } from 'node:path'

import { startChild } from '../tests/tools/child.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import { treeUsage } from './process-tree.ts'

export interface MeasuredLoad extends LoadResult {
  /** CPU time of the server's process tree for each message. */
  readonly serverMicrosEach: number
}

export type ProcessLoadOptions = Pick<LoadOptions, 'port' | 'connections' | 'messages'> &
  Partial<Omit<LoadOptions, 'topic'>>

const program = join(import.meta.dirname, 'load.ts')
const warmTimeoutMs = 120_000
const timeoutMs = 300_000

/** `onWarm` is called when the measured part begins. Rejects when that has not ended in `timeoutMs`. */
export async function measureLoad(
  options: ProcessLoadOptions,
  serverPid: number,
  onWarm: () => void = () => {},
): Promise<MeasuredLoad> {
  const { port, connections, messages, window = 1, warmUp = 0, rate = 0, stampOffsetNs } = options
  const numbers = { port, connections, window, messages, 'warm-up': warmUp, rate }
  const { firstDevice = 0, measurements = 3, form = '3.1.1', credentials } = options
  const named = {
    ...numbers,
    'first-device': firstDevice,
    measurements,
    form,
    ...(stampOffsetNs !== undefined && { stamp: stampOffsetNs }),
    ...(credentials && { user: credentials[0] }),
  }
  const args = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)])
  const env = credentials && { LOAD_SECRET: credentials[1] }
  const child = startChild(process.execPath, [program, ...args], { input: '', ...(env && { env }) })
  try {
    await child.waitFor('warm', warmTimeoutMs)
    onWarm()
    const before = treeUsage(serverPid).cpuMicros
    await child.waitFor(/^\{.*\}$/m, timeoutMs)
    const micros = treeUsage(serverPid).cpuMicros - before
    const result = JSON.parse(/^\{.*\}$/m.exec(child.stdout)?.[0] ?? '') as LoadResult
    return { ...result, serverMicrosEach: micros / result.acked }
  } finally {
    await child.stop()
  }
}
