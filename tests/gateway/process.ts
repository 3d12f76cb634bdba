// A whole gateway as its users run it: a process of its own, on free loopback ports and a folder of its own.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, type Exit, startChild } from '../tools/child.ts'
import { tempFolder } from '../tools/temp-folder.ts'

export interface GatewayProcess extends Child {
  readonly dataDir: string
  readonly mqttPort: number
  readonly grpc: string
  readonly http: string
}

export interface GatewayOptions {
  readonly dataDir?: string
  /** TOCSIN_… without the prefix, such as INFLUX_URL. */
  readonly settings?: Readonly<Record<string, string>>
  /** Path of a settings file. */
  readonly file?: string
  /** Put in front of the command, such as strace and its options. */
  readonly prefix?: readonly string[]
  /** 0: any free one. The same port again is what a device expects after a restart. */
  readonly mqttPort?: number
}

export const projectHome = fileURLToPath(new URL('../../', import.meta.url))
const stopMsMax = 10_000
export const nodePath = process.execPath

/** Resolves when it listens. */
export async function startGatewayProcess(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const dataDir = options.dataDir ?? tempFolder('gateway')
  const own = {
    DATA_DIR: dataDir,
    MQTT_LISTEN: `mqtt://127.0.0.1:${options.mqttPort ?? 0}`,
    GRPC_LISTEN: '127.0.0.1:0',
    HTTP_LISTEN: '127.0.0.1:0',
    LOG_URGENT_RESERVE: '0',
    LOG_DISK_LOW: '0',
    ...options.settings,
  }
  const env: Record<string, string> = { PATH: process.env['PATH'] ?? '', HOME: dataDir }
  for (const [name, value] of Object.entries(own)) env[`TOCSIN_${name}`] = value
  if (options.file) env['TOCSIN_SETTINGS'] = options.file
  const [command = nodePath, ...args] = [...(options.prefix ?? []), nodePath, 'gateway/main.ts']
  const child = startChild(command, args, { cwd: projectHome, env, input: '' })
  try {
    await child.waitFor(/Tocsin is listening[\s\S]*\n {2}data/, 20_000)
  } catch (error) {
    await child.kill()
    throw error
  }
  const said = (pattern: RegExp): string => pattern.exec(child.stdout)?.[1] ?? ''
  // Behind a prefix such as strace the child is not the gateway; the lock of its folder says which process is.
  // Read as the child sees it, which may be in a mount namespace of its own.
  const lock = join('/proc', String(child.pid), 'root', dataDir, 'lock')
  const gatewayPid = Number(readFileSync(lock, 'utf8').split(' ')[0])
  const stop = async (): Promise<Exit> => {
    if (child.running) process.kill(gatewayPid, 'SIGTERM')
    const late = setTimeout(() => child.running && process.kill(gatewayPid, 'SIGKILL'), stopMsMax)
    return child.exited.finally(() => clearTimeout(late))
  }
  // A getter of `child` must stay one, so it is the prototype.
  return Object.assign(Object.create(child) as Child, {
    stop,
    dataDir,
    mqttPort: Number(said(/mqtt:\/\/127\.0\.0\.1:(\d+)/)),
    grpc: said(/gRPC\s+(\S+)/),
    http: said(/HTTP\s+(https?:\/\/\S+?)\/healthz/),
  })
}
