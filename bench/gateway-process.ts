// A real gateway as `npm start` runs it, in a process of its own on free ports and a new data folder, which is removed when it stops.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startChild } from '../tests/tools/child.ts'
import { freePort } from '../tests/tools/free-port.ts'

export interface GatewayProcess {
  readonly pid: number
  readonly mqttPort: number
  readonly grpcAddress: string
  readonly httpUrl: string
  readonly dataDir: string
  /** What it has written to standard error. */
  errorText(): string
  /** Resolves when it has ended and its folder is gone. */
  stop(): Promise<void>
}

export interface GatewayProcessOptions {
  readonly settings?: Readonly<Record<`TOCSIN_${string}`, string>>
  readonly nodeArgs?: readonly string[]
}

const main = join(import.meta.dirname, '../gateway/main.ts')
const startTimeoutMs = 30_000
// A port that was free may be taken before the gateway listens on it; that it happens thrice is not chance.
const startsMax = 3

export async function startGatewayProcess(options: GatewayProcessOptions = {}): Promise<GatewayProcess> {
  for (let start = 1; ; start++) {
    try {
      return await startOnce(options)
    } catch (error) {
      if (start === startsMax || !String(error).includes('port_taken')) throw error
    }
  }
}

async function startOnce({ settings = {}, nodeArgs = [] }: GatewayProcessOptions): Promise<GatewayProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const [mqttPort, grpcPort, httpPort] = [await freePort(), await freePort(), await freePort()]
  const child = startChild(process.execPath, [...nodeArgs, main], {
    cwd: dataDir,
    input: '',
    env: {
      PATH: '/usr/bin:/bin',
      HOME: dataDir,
      TOCSIN_DATA_DIR: dataDir,
      TOCSIN_MQTT_LISTEN: `mqtt://127.0.0.1:${mqttPort}`,
      TOCSIN_GRPC_LISTEN: `127.0.0.1:${grpcPort}`,
      TOCSIN_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
      // A gigabyte written beforehand would take the disk from what is measured.
      TOCSIN_LOG_URGENT_RESERVE: '0',
      ...settings,
    },
  })
  const stop = async (): Promise<void> => {
    await child.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    await child.waitFor('Tocsin is listening', startTimeoutMs)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    pid: child.pid,
    mqttPort,
    grpcAddress: `127.0.0.1:${grpcPort}`,
    errorText: () => child.stderr,
    httpUrl: `http://127.0.0.1:${httpPort}`,
    dataDir,
    stop,
  }
}
