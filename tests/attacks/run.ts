// Runs an attack on a whole gateway while dispatch works beside it, and judges: alive, nothing missed, in time, memory bounded, refused.

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { treeUsage } from '../../bench/process-tree.ts'
import { hashSecret } from '../../gateway/policy/secrets.ts'
import { type GatewayProcess, startGatewayProcess } from '../gateway/process.ts'
import { certificateAuthority } from '../tools/certificates.ts'
import { startChild } from '../tools/child.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import { type Attack, type Deeds, narrow, narrowTopic, type Target } from './attack.ts'
import { startDispatch, type Latencies } from './dispatch.ts'

export type Size = 'test' | 'full'

export interface Survived {
  readonly name: string
  readonly about: string
  readonly before: Latencies
  readonly during: Latencies
  readonly residentMb: { readonly before: number; readonly most: number; readonly after: number }
  readonly auditKb: number
  readonly text: string
  /** What the gateway counted of it. */
  readonly counted: string
  readonly faults: readonly string[]
  /** Undefined: the machine was late by itself, so that nobody can say whose doing it was. */
  readonly inTime: boolean | undefined
}

/** An alert is on a console within this, whatever is done to the gateway. */
const lateMsMax = 500
/** What an attack may make it grow by, at most: what the limits of its doors add up to (docs/security.md). */
const grownMbMax = 400
const seconds = { test: { calm: 1, attack: 2 }, full: { calm: 3, attack: 6 } } as const
const attackMsMax = 180_000

export async function survive(attack: Attack, size: Size): Promise<Survived> {
  const gateway = await startGateway(attack.overTls === true)
  try {
    return await besieged(gateway, attack, size)
  } finally {
    await gateway.stop()
  }
}

async function besieged(gateway: GatewayProcess, attack: Attack, size: Size): Promise<Survived> {
  const { name, about, counts } = attack
  const { calm, attack: attackSeconds } = seconds[size]
  const faults: string[] = []
  const dispatch = await startDispatch(gateway.mqttPort, gateway.grpc)
  await sleep(1_000)
  await dispatch.take()
  await sleep(calm * 1_000)
  const before = await dispatch.take()
  const resident = (): number => treeUsage(gateway.pid).residentBytes / 1e6
  const residentBefore = resident()
  let most = residentBefore
  const watching = setInterval(() => {
    if (gateway.running) most = Math.max(most, resident())
  }, 100)
  const [countedBefore, auditBefore] = [await countsOf(gateway), auditBytes(gateway)]

  const target: Target = {
    mqtt: gateway.mqttPort,
    mqtts: Number(/mqtts:\/\/127\.0\.0\.1:(\d+)/.exec(gateway.stdout)?.[1] ?? 0),
    grpc: Number(gateway.grpc.split(':')[1]),
    http: Number(new URL(gateway.http).port),
    seconds: attackSeconds,
    count: counts[size],
  }
  const file = join(import.meta.dirname, 'attacker.ts')
  const attacker = startChild(process.execPath, [file, name, JSON.stringify(target)], { input: '' })
  await Promise.race([attacker.exited, sleep(attackMsMax)])
  if (attacker.running) await attacker.kill()
  const during = await dispatch.take()
  const deeds = JSON.parse(/^\{.*\}$/m.exec(attacker.stdout)?.[0] ?? 'null') as Deeds | null
  if (!deeds) faults.push(`the attack failed: ${attacker.stderr.slice(-400)}`)
  await sleep(calm * 1_000)
  const late = await dispatch.take()
  clearInterval(watching)

  const isUp = gateway.running
  if (!isUp) faults.push(`the gateway ended: ${gateway.stderr.slice(-600)}`)
  const missing = during.missing + late.missing
  if (missing > 0) faults.push(`${missing} alerts did not come`)
  faults.push(...dispatch.broken, ...(deeds?.faults ?? []))
  const after = isUp ? resident() : 0
  if (most - residentBefore > grownMbMax) faults.push(`it grew by ${(most - residentBefore).toFixed(0)} MB`)
  const counted = isUp ? changed(countedBefore, await countsOf(gateway)) : ''
  await dispatch.stop()
  const bound = lateMsMax * (size === 'test' ? 4 : 1)
  const inTime = during.maxMs <= bound ? true : during.maxMs - during.machineMs <= bound ? undefined : false
  if (inTime === false)
    faults.push(`an alert took ${during.maxMs.toFixed(0)} ms (the machine alone ${during.machineMs.toFixed(0)})`)
  return {
    name,
    about,
    before,
    during,
    residentMb: { before: residentBefore, most, after },
    auditKb: (auditBytes(gateway) - auditBefore) / 1e3,
    text: deeds?.text ?? '',
    counted,
    faults,
    inTime,
  }
}

async function startGateway(overTls: boolean): Promise<GatewayProcess> {
  const folder = tempFolder('attacked')
  const server = certificateAuthority('attacked').issue('localhost', { ipAddresses: ['127.0.0.1'] })
  writeFileSync(join(folder, 'server.pem'), server.certificate)
  writeFileSync(join(folder, 'server.key'), server.key, { mode: 0o600 })
  const user = {
    name: narrow.name,
    secret_hash: await hashSecret(Buffer.from(narrow.secret)),
    publish: [narrowTopic],
    subscribe: [narrowTopic],
  }
  const settings = {
    mqtt: { listen: ['mqtt://127.0.0.1:0', 'mqtts://127.0.0.1:0'], users: [user], out: true },
    tls: { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') },
    http: { ingest: true },
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'tocsin.yaml'), JSON.stringify(settings))
  return startGatewayProcess({
    file: join(folder, 'tocsin.yaml'),
    settings: {
      MQTT_LISTEN: 'mqtt://127.0.0.1:0,mqtts://127.0.0.1:0',
      LOGGING_LEVEL: 'error',
      LOG_SEGMENT_BYTES: '8MiB',
      ...(overTls && { HTTP_LISTEN: 'https://127.0.0.1:0' }),
    },
  })
}

function auditBytes({ dataDir }: GatewayProcess): number {
  const folder = join(dataDir, 'audit')
  if (!existsSync(folder)) return 0
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

const telling =
  /^tocsin_(mqtt_refused_total|mqtt_cut_total|mqtt_dropped_total|frames_refused_total|grpc_refused_\w+|grpc_cut_for_resets_total|http_refused_\w+)/

/** The counts that say what was refused, as anybody can scrape them. */
async function countsOf(gateway: GatewayProcess): Promise<Map<string, number>> {
  const text = await scraped(gateway)
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, sample = '', value] = /^(\S+(?: \S+)*?) (\S+)$/.exec(line) ?? []
    if (telling.test(sample)) found.set(sample.replace(/^tocsin_/, ''), Number(value))
  }
  return found
}

function scraped({ http }: GatewayProcess): Promise<string> {
  if (http.startsWith('http:'))
    return fetch(`${http}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    )
  return new Promise((resolve) => {
    const asking = request(`${http}/metrics`, { rejectUnauthorized: false, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (piece) => (text += String(piece)))
      answer.on('end', () => resolve(text))
    })
    asking.on('error', () => resolve(''))
    asking.end()
  })
}

const changed = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string =>
  [...after]
    .map(([sample, value]) => [sample, value - (before.get(sample) ?? 0)] as const)
    .filter(([, more]) => more > 0)
    .map(
      ([sample, more]) =>
        `${sample
          .replace(/_total|\{\w+="|"\}/g, ' ')
          .replaceAll(/ +/g, ' ')
          .trim()} ${more.toLocaleString('en')}`,
    )
    .join(', ')
