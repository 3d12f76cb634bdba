// Runs the load generator in a process of its own against a server, and takes the server's CPU time over the measured part.

import { join } from 'node:path'

import { startChild } from '../tests/tools/child.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import { treeUsage } from './process-tree.ts'

export interface MeasuredLoad extends LoadResult {
  /** CPU time of the server's process tree for each message. */
  readonly serverMicrosEach: number
}

const program = join(import.meta.dirname, 'load.ts')
const warmTimeoutMs = 120_000

/** Rejects when the load has not ended in `timeoutMs`. */
export async function measureLoad(
  options: Omit<LoadOptions, 'topic'>,
  serverPid: number,
  timeoutMs = 300_000,
): Promise<MeasuredLoad> {
  const { stampOffsetNs, ...counts } = options
  const args = Object.entries({ ...counts, 'warm-up': options.warmUp, ...(stampOffsetNs && { stamp: stampOffsetNs }) })
  const command = args.filter(([name]) => name !== 'warmUp').flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = startChild(process.execPath, [program, ...command], { input: '' })
  try {
    await child.waitFor('warm', warmTimeoutMs)
    const before = treeUsage(serverPid).cpuMicros
    await child.waitFor(/^\{.*\}$/m, timeoutMs)
    const micros = treeUsage(serverPid).cpuMicros - before
    const result = JSON.parse(/^\{.*\}$/m.exec(child.stdout)?.[0] ?? '') as LoadResult
    return { ...result, serverMicrosEach: micros / result.acked }
  } finally {
    await child.stop()
  }
}
