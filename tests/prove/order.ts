// Per publisher and topic never inverted, nothing acknowledged lost to a session that is kept, no QoS 2
// doubled, through cuts, takeovers and absences; and the same with kill -9 in the middle.

import { seededRandom } from '../faults/fault-disk.ts'
import type { LazyFs } from '../faults/lazyfs.ts'
import { blow, drawStorm, startTcpProxy } from '../faults/tcp-proxy.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, onEachLazyFs, type Row, type RowContext } from './row.ts'
import { runTraffic } from './traffic.ts'

export const order: Row = {
  name: 'order',
  promise:
    'mixed QoS 0/1/2, retained, reconnects, takeovers: acknowledged and lost to a kept session, QoS 2 doubled, inverted',
  wanted: '0, 0, 0',
  unit: 'messages',
  counts: { test: 6_000, proof: 200_000, night: 1_000_000 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context, 0)) }),
}

export const orderThroughKills: Row = {
  name: 'order-kill',
  promise: 'the same with kill -9 at random points',
  wanted: '0, 0, 0',
  unit: 'messages',
  counts: { test: 6_000, proof: 100_000, night: 1_000_000 },
  run: async (context) => ({
    findings: await onEach(context, (peer) => scenario(peer, context, killsOf[context.size])),
    notes: ['a session that was promised and is gone is counted beside'],
  }),
}

export const orderThroughStorms: Row = {
  name: 'order-net',
  promise: 'the same through a bad network: cuts, resets, half-open links, delays, narrow links',
  wanted: '0, 0, 0',
  unit: 'messages',
  counts: { test: 3_000, proof: 50_000, night: 1_000_000 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context, 0, 'storm')) }),
}

const squallsMax = 100_000

export const orderThroughPowerLosses: Row = {
  name: 'order-power',
  promise: 'the same with losses of power (LazyFS) at random points',
  wanted: '0, 0, 0',
  unit: 'messages',
  counts: { test: 6_000, proof: 50_000, night: 1_000_000 },
  run: (context) => onEachLazyFs(context, (peer, disk) => scenario(peer, context, killsOf[context.size], disk)),
}

const killsOf = { test: 2, proof: 10, night: 100 }

async function scenario(
  name: PeerName,
  { seed, count, say }: RowContext,
  kills: number,
  trouble?: LazyFs | 'storm',
): Promise<Finding> {
  const disk = trouble === 'storm' ? undefined : trouble
  await using peer = await startPeer(name, disk ? { folder: `${disk.folder}/data` } : {})
  await using network = await startTcpProxy(peer.port)
  const over = new AbortController()
  const traffic = await runTraffic({
    port: trouble === 'storm' ? network.port : peer.port,
    seed,
    messages: count,
    kills,
    say: (line) => say(`${name}: ${line}`),
    storm() {
      if (trouble === 'storm') void blow(network, drawStorm(seededRandom(seed), squallsMax), over.signal)
    },
    calm: () => over.abort(),
    async kill() {
      await peer.kill()
      await disk?.losePower()
      await peer.start()
    },
  })
  const { verdict, sessionsLost, flagged, acknowledged, arrivals, events, seconds } = traffic
  const { lost, doubled, inverted, invertedWithinQos, stale, invented, repeats } = verdict
  const counted = [
    `${number(lost)} lost of ${number(acknowledged)}`,
    `${number(doubled)} doubled`,
    `${number(inverted)} inverted (${number(invertedWithinQos)} within a QoS)`,
    ...(stale > 0 ? [`${stale} stale retained`] : []),
    ...(invented > 0 ? [`${invented} invented`] : []),
    ...(flagged > 0 ? [`${flagged} wrongly flagged as retained`] : []),
    ...(sessionsLost > 0 ? [`${sessionsLost} sessions lost`] : []),
  ]
  const happened = Object.entries(events).map(([event, times]) => `${event} ${times}`)
  say(
    `${name}: ${number(arrivals)} arrivals, ${number(repeats)} repeats of QoS 1, ${number(seconds, 1)} s; ${happened.join(', ')}`,
  )
  return {
    text: counted.join(', '),
    ...(name === 'tocsin' && { met: lost + doubled + inverted + stale + invented + sessionsLost + flagged === 0 }),
    details: verdict.examples,
  }
}
