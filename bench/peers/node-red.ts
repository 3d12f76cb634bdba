// The peer that many would build first: mosquitto, and a Node-RED flow that reads SenML and writes batches to InfluxDB. Headless, without
// telemetry, on 127.0.0.1, in a temporary user folder; its packages are locked in this folder and installed when first needed.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startChild } from '../../tests/tools/child.ts'
import { freePort } from '../../tests/tools/free-port.ts'
import { flow } from './node-red-flow.ts'

export interface Peer {
  readonly pid: number
  stop(): Promise<void>
}

export interface PeerOptions {
  readonly mqttPort: number
  readonly influxPort: number
  readonly database: string
}

const program = join(import.meta.dirname, 'node_modules/node-red/red.js')
const startTimeoutMs = 60_000
const installTimeoutMs = 300_000

/** Installs what package-lock.json of this folder names; needs the network once. */
export function installPeers(say: (line: string) => void): void {
  if (existsSync(program)) return
  say('installing the peers into bench/peers/node_modules (once)')
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: import.meta.dirname,
    stdio: 'ignore',
    timeout: installTimeoutMs,
  })
}

/** Resolves when its flow is connected; that it has subscribed, the broker says. */
export async function startNodeRed(options: PeerOptions): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-node-red-'))
  const port = await freePort()
  writeFileSync(join(folder, 'settings.cjs'), settingsText(port))
  writeFileSync(join(folder, 'flow.json'), JSON.stringify(flow(options)))
  const args = [program, '--settings', join(folder, 'settings.cjs'), '--userDir', folder, join(folder, 'flow.json')]
  const child = startChild(process.execPath, args, {
    cwd: folder,
    input: '',
    env: { PATH: '/usr/bin:/bin', HOME: folder, NODE_ENV: 'production' },
  })
  const stop = async (): Promise<void> => {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await child.waitFor(/Connected to broker/, startTimeoutMs)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid, stop }
}

const settingsText = (port: number): string =>
  `module.exports = ${JSON.stringify(
    {
      uiHost: '127.0.0.1',
      uiPort: port,
      httpAdminRoot: false,
      httpNodeRoot: false,
      disableEditor: true,
      telemetry: { enabled: false, updateNotification: false },
      externalModules: { autoInstall: false, palette: { allowInstall: false }, modules: { allowInstall: false } },
      credentialSecret: false,
      runtimeState: { enabled: false, ui: false },
      logging: { console: { level: 'info', metrics: false, audit: false } },
    },
    undefined,
    2,
  )}\n`
