// Subscribers that hang: somebody else's messages are not late for it, and the broker does not grow by what they do not read.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '../tools/child.ts'
import { isWithin, startBystander } from './bystander.ts'
import type { Crowd, CrowdCount } from './crowd.ts'
import { scrape } from './metrics.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext, slack } from './row.ts'

// A megabyte a second to each of two, 150 kB to each of two hundred: the kernel's buffers of who does not read, some three megabytes,
// are full within the time of a proof.
const payloadBytes = 10_000
const worstMsMax = 50
const groupMsMax = 250

const frozenRow = (name: string, promise: string, wanted: string, crowd: Crowd): Row => ({
  name,
  promise,
  wanted,
  unit: 'seconds',
  counts: { test: 4, proof: 30, night: 120 },
  run: async (context) => ({
    findings: await onEach(context, (peer) => scenario(peer, context, crowd)),
    notes: [
      'before: the same crowd, nobody frozen. The machine: a server that gives back what it gets, at the same time.',
      ...(crowd.members > 0
        ? [
            'held: sent to the member that hangs, no more than the ten that it takes at once, and given to it when it is back',
          ]
        : []),
    ],
  }),
})

const few = { subscribers: 2, frozen: 1, perSecond: 100, payloadBytes, takesAtOnce: 10 }

export const oneFrozen = frozenRow(
  'frozen',
  'a frozen subscriber: worst delay of another topic',
  `≤ ${worstMsMax} ms`,
  { ...few, version: 4, members: 0 },
)
export const manyFrozen = frozenRow(
  'frozen-100',
  '100 of 200 subscribers frozen at once: worst delay of another topic',
  `≤ ${worstMsMax} ms`,
  { subscribers: 200, frozen: 100, perSecond: 15, payloadBytes, takesAtOnce: 10, version: 4, members: 0 },
)
export const oneFrozenOfMqtt5 = frozenRow(
  'frozen5',
  'MQTT 5, a frozen subscriber, and a frozen member of four that share: worst delay of another topic, and of the group; lost, doubled',
  `≤ ${worstMsMax} ms, ≤ ${groupMsMax} ms; 0, 0`,
  { ...few, version: 5, members: 4 },
)

async function scenario(name: PeerName, context: RowContext, crowd: Crowd): Promise<Finding> {
  const { count: seconds, say } = context
  await using peer = await startPeer(name, { settings: { LOGGING_LEVEL: 'error' } })
  const args = [join(import.meta.dirname, 'crowd.ts'), String(peer.port), JSON.stringify(crowd)]
  await using others = startChild(process.execPath, args)
  await others.waitFor('ready', 30_000)
  const bystander = await startBystander(peer.port)
  await sleep(1_000)
  bystander.take()
  await sleep((seconds * 1_000) / 2)
  const before = bystander.take()
  const residentBefore = peer.residentBytes()
  others.stdin.write(`freeze ${crowd.frozen}\n`)
  await sleep(seconds * 1_000)
  const after = bystander.take()
  const grownMb = (peer.residentBytes() - residentBefore) / 1e6
  const cut = peer.gateway
    ? (await scrape(peer.gateway.http)).total('tocsin_mqtt_cut_total', { reason: 'slow' })
    : undefined
  others.stdin.write('count\n')
  await others.waitFor(/\}\n$/, 30_000)
  const counted = JSON.parse(/\{.*\}/.exec(others.stdout)![0]) as CrowdCount
  say(`${name}: ${JSON.stringify(counted)}, grown ${number(grownMb)} MB${cut === undefined ? '' : `, ${cut} cut`}`)
  await bystander.stop()
  const calm = isWithin(after, worstMsMax * slack(context))
  const { group } = counted
  const shared =
    crowd.members === 0
      ? true
      : group.lost + group.doubled === 0 &&
        group.held <= crowd.takesAtOnce &&
        isWithin({ ...after, worstMs: group.worstMs, count: group.given }, groupMsMax * slack(context))
  // Nobody can say when one of the two is beyond its bound by the machine's doing.
  const met = calm === false || shared === false ? false : calm && shared
  const ofGroup =
    crowd.members === 0
      ? ''
      : `; group: ${number(group.worstMs)} ms, ${group.lost} lost, ${group.doubled} doubled of ${number(group.given)}, ${group.held} held`
  return {
    text: `${number(after.worstMs)} ms (before ${number(before.worstMs)}, the machine ${number(after.machineMs)}), grown ${number(grownMb)} MB${ofGroup}`,
    ...(name === 'tocsin' && met !== undefined && { met }),
    details: [`p99 ${number(after.p99Ms, 1)} ms of ${after.count}, before ${number(before.p99Ms, 1)} ms`],
  }
}
