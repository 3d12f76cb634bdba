// A hostile publisher and a hostile subscriber for minutes. The broker stays up, is left with no connection and
// no session that it did not have before, a bystander is not held up, and the log does not fill.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '../tools/child.ts'
import { isWithin, startBystander } from './bystander.ts'
import { accountingFault, scrape } from './metrics.ts'
import { type PeerName, type RunningPeer, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext, slack } from './row.ts'

export const fuzz: Row = {
  name: 'fuzz',
  promise: 'hostile publisher and hostile subscriber: crash, ghosts, worst delay of a bystander, log',
  wanted: 'none, 0, ≤ 100 ms, ≤ 10 MB',
  unit: 'seconds',
  counts: { test: 5, proof: 120, night: 600 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context)) }),
}

const delayMsMax = 100
const logBytesMax = 10e6
const settledMsMax = 10_000

async function scenario(name: PeerName, context: RowContext): Promise<Finding> {
  const { seed, count: seconds, say } = context
  await using peer = await startPeer(name)
  const bystander = await startBystander(peer.port)
  await sleep(1_000)
  bystander.take()
  const before = await counted(peer)
  const logBefore = peer.logBytes
  const attack = [join(import.meta.dirname, 'hostile.ts'), String(peer.port), String(seed), String(seconds)]
  await using hostile = startChild(process.execPath, attack)
  while (hostile.running && peer.isRunning) await sleep(100)
  const delay = bystander.take()
  if (!peer.isRunning) {
    return { text: 'crashed', met: false, details: [`node ${attack.join(' ')}`, peer.lastWords] }
  }
  if (!hostile.stdout.includes('}')) throw new Error(`the attack failed: ${hostile.stderr}`)
  let after = await counted(peer)
  for (let ms = 0; after && before && ms < settledMsMax && !isLike(after, before); ms += 100) {
    await sleep(100)
    after = await counted(peer)
  }
  const books = peer.gateway && accountingFault(await scrape(peer.gateway.http))
  await bystander.stop()
  const done = JSON.parse(/\{.*\}/.exec(hostile.stdout)?.[0] ?? '{}') as Record<string, number>
  const logBytes = peer.logBytes - logBefore
  say(`${name}: ${JSON.stringify(done)}, p99 of the bystander ${number(delay.p99Ms, 1)} ms of ${number(delay.count)}`)
  const ghosts =
    before && after
      ? { connections: after.connections - before.connections, sessions: after.sessions - before.sessions }
      : undefined
  const isClean = ghosts === undefined || (ghosts.connections === 0 && ghosts.sessions === 0)
  const left = ghosts ? `, ${ghosts.connections} connections and ${ghosts.sessions} sessions left` : ''
  const isSound = isClean && logBytes <= logBytesMax && books === undefined && (done['packets'] ?? 0) > 0
  const met = isSound ? isWithin(delay, delayMsMax * slack(context)) : false
  return {
    text: `up after ${number(done['packets'] ?? 0)} packets${left}, ${number(delay.worstMs)} ms (the machine ${number(delay.machineMs)}), ${number(logBytes / 1e6, 1)} MB of log`,
    ...(name === 'tocsin' && met !== undefined && { met }),
    details: [`node tests/prove/hostile.ts PORT ${seed} ${seconds}`, ...(books === undefined ? [] : [books])],
  }
}

interface Counted {
  readonly connections: number
  readonly sessions: number
}

async function counted({ gateway }: RunningPeer): Promise<Counted | undefined> {
  if (!gateway) return undefined
  const metrics = await scrape(gateway.http)
  return { connections: metrics.total('tocsin_mqtt_connections'), sessions: metrics.total('tocsin_mqtt_sessions') }
}

const isLike = (a: Counted, b: Counted): boolean => a.connections === b.connections && a.sessions === b.sessions
