// The gateway of the demonstration: a process as `npm start` makes it, on free ports and a folder of its own, whose settings nothing
// else on this machine can change. It never outlives this program.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface DemoGateway {
  readonly dataDir: string
  /** "mqtt://127.0.0.1:41883" */
  readonly mqtt: string
  /** "127.0.0.1:50051" */
  readonly grpc: string
  /** "http://127.0.0.1:8080" */
  readonly http: string
  /** Ends it; its folder goes too, unless it is to be kept. */
  stop(): Promise<void>
}

const main = fileURLToPath(new URL('../gateway/main.ts', import.meta.url))
const startMsMax = 30_000
const stopMsMax = 10_000

export async function startDemoGateway(jurisdiction: string, keepIn: string | undefined): Promise<DemoGateway> {
  if (keepIn !== undefined) mkdirSync(keepIn, { recursive: true })
  const dataDir = keepIn ?? mkdtempSync(join(tmpdir(), 'tocsin-demo-'))
  const child = spawn(process.execPath, [main], {
    // Its working folder is its own, so that no tocsin.yaml of somebody else is read.
    cwd: dataDir,
    env: { ...withoutTocsin(process.env), ...settings(jurisdiction, dataDir) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A terminal gives Ctrl-C to a whole group; the gateway is to end after those who speak to it.
    detached: true,
  })
  const killAtExit = (): void => void child.kill('SIGKILL')
  process.once('exit', killAtExit)
  let said = ''
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    child.kill('SIGTERM')
    await ended.finally(() => clearTimeout(late))
    process.removeListener('exit', killAtExit)
    if (keepIn === undefined) rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`the gateway did not start in ${startMsMax / 1_000} s`)),
        startMsMax,
      )
      const hear = (text: string): void => {
        said = (said + text).slice(-100_000)
        if (!/\n {2}data /.test(said)) return
        clearTimeout(late)
        resolve()
      }
      child.stdout.setEncoding('utf8').on('data', hear)
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-100_000)))
      child.once('error', reject)
      void ended.then(() => {
        clearTimeout(late)
        reject(new Error(`the gateway did not start:\n${said}`))
      })
    })
  } catch (error) {
    await stop()
    throw error
  }
  const found = (pattern: RegExp): string => pattern.exec(said)?.[1] ?? ''
  return {
    dataDir,
    mqtt: found(/(mqtt:\/\/127\.0\.0\.1:\d+)/),
    grpc: found(/gRPC\s+(\S+)/),
    http: found(/HTTP\s+(http:\/\/\S+?)\/healthz/),
    stop,
  }
}

const settings = (jurisdiction: string, dataDir: string): Record<string, string> => ({
  TOCSIN_DATA_DIR: dataDir,
  TOCSIN_GATEWAY_NAME: 'demo',
  TOCSIN_GATEWAY_JURISDICTION: jurisdiction,
  // What no format of its own says is an exercise too.
  TOCSIN_GATEWAY_MESSAGE_STATUS: 'EXERCISE',
  TOCSIN_MQTT_LISTEN: 'mqtt://127.0.0.1:0',
  TOCSIN_GRPC_LISTEN: '127.0.0.1:0',
  TOCSIN_HTTP_LISTEN: '127.0.0.1:0',
  TOCSIN_TELEMETRY_STORE: 'sqlite',
  // An hour of one county is a few hundred kilobytes: no gigabyte need be set aside for it.
  TOCSIN_LOG_SEGMENT_BYTES: '1MiB',
  TOCSIN_LOG_URGENT_RESERVE: '0',
  TOCSIN_LOG_DISK_LOW: '16MiB',
  TOCSIN_LOGGING_LEVEL: 'warn',
})

const withoutTocsin = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TOCSIN_')))
