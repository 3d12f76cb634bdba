// Row 1 or 2 under Node's own CPU profiler: what costs most on the gateway's main thread and on the thread that writes the log.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startGatewayProcess } from './gateway-process.ts'
import type { Shape } from './ingest.ts'
import { measureLoad } from './load-process.ts'
import { profileText, summarise } from './profile.ts'
import type { RowOptions } from './row.ts'

const functionsShown = 60

export async function profileIngest(shape: Shape, { messages = shape.messages }: RowOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-profile-'))
  try {
    const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`]
    const gateway = await startGatewayProcess({ nodeArgs })
    try {
      const load = { ...shape, messages, port: gateway.mqttPort }
      await measureLoad(load, gateway.pid)
    } finally {
      // Profiles are written when it ends by itself.
      await gateway.stop()
    }
    // CPU.<date>.<time>.<pid>.<thread>.<sequence>.cpuprofile: the main thread is 0.
    const files = readdirSync(folder).toSorted()
    return files
      .map((file) => {
        const thread = file.split('.')[4] === '0' ? 'main thread' : 'thread that writes the log'
        return profileText(thread, summarise(join(folder, file)), functionsShown, messages + shape.warmUp)
      })
      .join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
