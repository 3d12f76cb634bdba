// Subscribers that hang: somebody else's messages are not late for it, and the broker does not grow by what they do not read.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '../tools/child.ts'
import { isWithin, startBystander } from './bystander.ts'
import { scrape } from './metrics.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext, slack } from './row.ts'

interface Crowd {
  readonly subscribers: number
  readonly frozen: number
  readonly perSecond: number
}

// A megabyte a second to each of two, 150 kB to each of two hundred: the kernel's buffers of who does not read, some three megabytes,
// are full within the time of a proof.
const payloadBytes = 10_000
const worstMsMax = 50

const frozenRow = (name: string, promise: string, crowd: Crowd): Row => ({
  name,
  promise,
  wanted: `≤ ${worstMsMax} ms`,
  unit: 'seconds',
  counts: { test: 4, proof: 30, night: 120 },
  run: async (context) => ({
    findings: await onEach(context, (peer) => scenario(peer, context, crowd)),
    notes: [
      'before: the same crowd, nobody frozen. The machine: a server that gives back what it gets, at the same time.',
    ],
  }),
})

export const oneFrozen = frozenRow('frozen', 'a frozen subscriber: worst delay of another topic', {
  subscribers: 2,
  frozen: 1,
  perSecond: 100,
})
export const manyFrozen = frozenRow(
  'frozen-100',
  '100 of 200 subscribers frozen at once: worst delay of another topic',
  {
    subscribers: 200,
    frozen: 100,
    perSecond: 15,
  },
)

async function scenario(name: PeerName, context: RowContext, crowd: Crowd): Promise<Finding> {
  const { count: seconds, say } = context
  await using peer = await startPeer(name, { settings: { LOGGING_LEVEL: 'error' } })
  const { subscribers, frozen, perSecond } = crowd
  const script = join(import.meta.dirname, 'crowd.ts')
  const args = [script, peer.port, subscribers, perSecond, payloadBytes].map(String)
  await using others = startChild(process.execPath, args)
  await others.waitFor('ready', 30_000)
  const bystander = await startBystander(peer.port)
  await sleep(1_000)
  bystander.take()
  await sleep((seconds * 1_000) / 2)
  const before = bystander.take()
  const residentBefore = peer.residentBytes()
  others.stdin.write(`freeze ${frozen}\n`)
  await sleep(seconds * 1_000)
  const after = bystander.take()
  const grownMb = (peer.residentBytes() - residentBefore) / 1e6
  const cut = peer.gateway
    ? (await scrape(peer.gateway.http)).total('tocsin_mqtt_cut_total', { reason: 'slow' })
    : undefined
  others.stdin.write('count\n')
  await others.waitFor(/\}\n$/)
  say(
    `${name}: ${/\{.*\}/.exec(others.stdout)?.[0]}, grown ${number(grownMb)} MB${cut === undefined ? '' : `, ${cut} cut`}`,
  )
  await bystander.stop()
  const met = isWithin(after, worstMsMax * slack(context))
  return {
    text: `${number(after.worstMs)} ms (before ${number(before.worstMs)}, the machine ${number(after.machineMs)}), grown ${number(grownMb)} MB`,
    ...(name === 'tocsin' && met !== undefined && { met }),
    details: [`p99 ${number(after.p99Ms, 1)} ms of ${after.count}, before ${number(before.p99Ms, 1)} ms`],
  }
}
