// The brokers that a proof is run on: a whole gateway and Debian's mosquitto, each a process of its own that can be killed, starved
// and started again on its port and folder. A scenario sees nothing of either but the port.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { treeUsage } from '../../bench/process-tree.ts'
import { startGatewayProcess, type GatewayProcess } from '../gateway/process.ts'
import { debian } from '../tools/debian.ts'
import { freePort } from '../tools/free-port.ts'
import { type Child, startChild } from '../tools/child.ts'
import { tempFolder } from '../tools/temp-folder.ts'

export type PeerName = 'tocsin' | 'mosquitto'
export const peerNames: readonly PeerName[] = ['tocsin', 'mosquitto']

export interface PeerOptions {
  /** Where it keeps what must survive; a new folder when not given. */
  readonly folder?: string
  /** Put in front of its command. */
  readonly prefix?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** TOCSIN_… without the prefix. */
  readonly settings?: Readonly<Record<string, string>>
  readonly settingsFile?: string
  /** Lines of its configuration. */
  readonly mosquitto?: string
}

export interface RunningPeer extends AsyncDisposable {
  readonly name: PeerName
  readonly port: number
  readonly folder: string
  /** The gateway's other doors; absent for mosquitto. */
  readonly gateway: GatewayProcess | undefined
  readonly isRunning: boolean
  /** Of the broker itself, not of what stands in front of it. */
  readonly pid: number
  residentBytes(): number
  /** All that it has written to its log since its first start. */
  readonly logBytes: number
  /** The end of what it wrote to its log, for people. */
  readonly lastWords: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** In order. */
  stop(): Promise<void>
  /** On the same port and folder. */
  start(): Promise<void>
}

export async function startPeer(name: PeerName, options: PeerOptions = {}): Promise<RunningPeer> {
  const folder = options.folder ?? tempFolder(name)
  const port = await freePort()
  const launch = name === 'tocsin' ? launchGateway : launchMosquitto
  let child = await launch(port, folder, options)
  let earlierLogBytes = 0
  const logged = (): number => child.outputChars
  const end = async (how: () => Promise<unknown>): Promise<void> => {
    await how()
    earlierLogBytes += logged()
  }
  return {
    name,
    port,
    folder,
    get gateway() {
      return name === 'tocsin' ? (child as GatewayProcess) : undefined
    },
    get isRunning() {
      return child.running
    },
    get pid() {
      return brokerPid(name, child.pid, folder)
    },
    residentBytes: () => treeUsage(child.pid).residentBytes,
    get logBytes() {
      return earlierLogBytes + (child.running ? logged() : 0)
    },
    get lastWords() {
      return (child.stderr || child.stdout).slice(-600)
    },
    async kill() {
      const exited = child.exited
      process.kill(brokerPid(name, child.pid, folder), 'SIGKILL')
      await end(() => exited)
    },
    stop: () => end(() => child.stop()),
    async start() {
      child = await launch(port, folder, options)
    },
    async [Symbol.asyncDispose]() {
      if (child.running) await child.stop()
    },
  }
}

/** Behind a prefix such as unshare or strace the child may be something else. */
function brokerPid(name: PeerName, childPid: number, folder: string): number {
  const file = name === 'tocsin' ? 'lock' : 'mosquitto.pid'
  return Number(readFileSync(join('/proc', String(childPid), 'root', folder, file), 'utf8').split(/\s/)[0])
}

async function launchGateway(port: number, folder: string, options: PeerOptions): Promise<Child> {
  const { prefix, env, settings, settingsFile } = options
  return startGatewayProcess({
    dataDir: folder,
    mqttPort: port,
    prefix: [...(prefix ?? []), ...environmentPrefix(env)],
    settings: { LOG_SEGMENT_BYTES: '8MiB', ...settings },
    ...(settingsFile === undefined ? undefined : { file: settingsFile }),
  })
}

/**
 * As durable as it can be set: everything is saved once a second and at its end, and no queue is bounded. (`autosave_on_changes`
 * saves all there is for each message, which stops it under any load.)
 */
const mosquittoLines = [
  'user root',
  'persistence true',
  'autosave_interval 1',
  'max_queued_messages 0',
  'max_inflight_messages 0',
  'log_dest stderr',
  'log_type error',
  'log_type warning',
  'log_type notice',
  'log_type information',
]

async function launchMosquitto(port: number, folder: string, options: PeerOptions): Promise<Child> {
  mkdirSync(folder, { recursive: true })
  const file = join(tempFolder('mosquitto-config'), 'mosquitto.conf')
  const extra = options.mosquitto ?? ''
  const where = [`listener ${port} 127.0.0.1`, `persistence_location ${folder}/`, `pid_file ${folder}/mosquitto.pid`]
  const open = extra.includes('allow_anonymous') ? [] : ['allow_anonymous true']
  writeFileSync(file, [...mosquittoLines, ...where, ...open, extra, ''].join('\n'))
  const [command = '', ...args] = [
    ...(options.prefix ?? []),
    ...environmentPrefix(options.env),
    debian.programPath('mosquitto'),
    '-c',
    file,
  ]
  const child = startChild(command, args, { env: debian.environment(), input: '' })
  try {
    await child.waitFor(/mosquitto version \S+ running/)
  } catch (error) {
    await child.kill()
    throw error
  }
  return child
}

const environmentPrefix = (env: PeerOptions['env']): readonly string[] =>
  env === undefined ? [] : ['env', ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
