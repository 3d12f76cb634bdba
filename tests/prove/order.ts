// Per publisher and topic never inverted, nothing acknowledged lost to a session that is kept, no QoS 2
// doubled, through cuts, takeovers and absences; and the same with kill -9 in the middle.

import { seededRandom } from '../faults/fault-disk.ts'
import type { LazyFs } from '../faults/lazyfs.ts'
import type { Verdict } from '../faults/ledger.ts'
import { blow, drawStorm, startTcpProxy } from '../faults/tcp-proxy.ts'
import type { Version } from './message-traits.ts'
import { scrape } from './metrics.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, onEachLazyFs, type Row, type RowContext } from './row.ts'
import { runTraffic, wrongdoings } from './traffic.ts'

interface Kind {
  readonly version: Version
  /** Kills, or losses of power. */
  readonly areKilled?: boolean
  readonly trouble?: LazyFs | 'storm'
}

const orderRow = (name: string, promise: string, counts: Row['counts'], kind: Kind): Row => ({
  name,
  promise,
  wanted: '0, 0, 0',
  unit: 'messages',
  counts,
  run: async (context) => ({
    findings: await onEach(context, (peer) => scenario(peer, context, kind)),
    notes: [
      ...(kind.areKilled ? ['a session that was promised and is gone is counted beside'] : []),
      ...(kind.version === 5 ? [mqtt5Note] : []),
    ],
  }),
})

const mqtt5Note =
  'expired, too large: acknowledged and not given, of those that had a second to live, and of those larger than their reader takes'
const mixed = 'mixed QoS 0/1/2, retained, reconnects, takeovers'
const wrongs = 'acknowledged and lost to a kept session, QoS 2 doubled, inverted'

export const order = orderRow(
  'order',
  `${mixed}: ${wrongs}`,
  { test: 6_000, proof: 200_000, night: 1_000_000 },
  { version: 4 },
)

export const orderThroughKills = orderRow(
  'order-kill',
  'the same with kill -9 at random points',
  { test: 6_000, proof: 100_000, night: 1_000_000 },
  { version: 4, areKilled: true },
)

export const orderThroughStorms = orderRow(
  'order-net',
  'the same through a bad network: cuts, resets, half-open links, delays, narrow links',
  { test: 3_000, proof: 50_000, night: 1_000_000 },
  { version: 4, trouble: 'storm' },
)

export const orderOfMqtt5 = orderRow(
  'order5',
  `MQTT 5, shared subscriptions, expiry, receive maximum 1 and 10, aliases, ${mixed}: ${wrongs}; what came not as it was sent`,
  { test: 6_000, proof: 100_000, night: 1_000_000 },
  { version: 5 },
)

export const orderOfMqtt5ThroughKills = orderRow(
  'order5-kill',
  'the same with kill -9 at random points',
  { test: 6_000, proof: 50_000, night: 1_000_000 },
  { version: 5, areKilled: true },
)

export const orderOfMqtt5ThroughStorms = orderRow(
  'order5-net',
  'the same through a bad network',
  { test: 3_000, proof: 30_000, night: 1_000_000 },
  { version: 5, trouble: 'storm' },
)

const squallsMax = 100_000

const powerRow = (name: string, promise: string, version: Version): Row => ({
  name,
  promise,
  wanted: '0, 0, 0',
  unit: 'messages',
  counts: { test: 6_000, proof: 50_000, night: 1_000_000 },
  run: (context) =>
    onEachLazyFs(context, (peer, trouble) => scenario(peer, context, { version, areKilled: true, trouble })),
})

export const orderThroughPowerLosses = powerRow(
  'order-power',
  '`order` with losses of power (LazyFS) at random points',
  4,
)
export const orderOfMqtt5ThroughPowerLosses = powerRow(
  'order5-power',
  '`order5` with losses of power (LazyFS) at random points',
  5,
)

const killsOf = { test: 2, proof: 10, night: 100 }

async function scenario(
  name: PeerName,
  { seed, count, size, say }: RowContext,
  { version, areKilled = false, trouble }: Kind,
): Promise<Finding> {
  const disk = trouble === 'storm' ? undefined : trouble
  await using peer = await startPeer(name, {
    ...(disk && { folder: `${disk.folder}/data` }),
    // With no bound of its own it may heed no Receive Maximum.
    ...(version === 5 && { mosquitto: 'max_inflight_messages 100' }),
  })
  await using network = await startTcpProxy(peer.port)
  const over = new AbortController()
  const traffic = await runTraffic({
    port: trouble === 'storm' ? network.port : peer.port,
    seed,
    version,
    messages: count,
    eventEach: version === 5 ? 300 : 1_000,
    kills: areKilled ? killsOf[size] : 0,
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
  const { verdict, wrong, acknowledged, arrivals, events, seconds } = traffic
  const { lost, doubled, inverted, ...others } = wrongdoings(traffic)
  const { invertedWithinQos, expired, tooLarge, repeats } = verdict
  const counted = [
    `${number(lost)} lost of ${number(acknowledged)}`,
    `${number(doubled)} doubled`,
    `${number(inverted)} inverted (${number(invertedWithinQos)} within a QoS)`,
    ...Object.entries(others).flatMap(([what, times]) => (times > 0 ? [`${number(times)} ${what}`] : [])),
    ...(version === 5 ? [`${number(expired)} expired`, `${number(tooLarge)} too large`] : []),
  ]
  const happened = Object.entries(events).map(([event, times]) => `${event} ${times}`)
  say(
    `${name}: ${number(arrivals)} arrivals, ${number(repeats)} repeats of QoS 1, ${number(seconds, 1)} s; ${happened.join(', ')}`,
  )
  const uncounted = peer.gateway && !areKilled ? await uncountedDrops(peer.gateway.http, verdict) : []
  const isKept = Object.values(wrongdoings(traffic)).every((times) => times === 0) && uncounted.length === 0
  // Of MQTT 5 what is to be shown must have happened.
  const isShown = version === 4 || (expired > 0 && tooLarge > 0)
  return {
    text: counted.join(', '),
    ...(name === 'tocsin' && { met: isKept && isShown }),
    details: [...uncounted, ...wrong, ...verdict.examples],
  }
}

/** What somebody was not given and had an excuse for was dropped by the gateway for this reason, and it says so. */
async function uncountedDrops(http: string, { expired, tooLarge }: Verdict): Promise<string[]> {
  const metrics = await scrape(http)
  const told = (cause: string): number => metrics.total('tocsin_mqtt_dropped_messages_total', { cause })
  const [toldExpired, toldTooLarge] = [told('expired'), told('too_large')]
  // What is too large may expire before it is looked at.
  const isTold = expired <= toldExpired && expired + tooLarge <= toldExpired + toldTooLarge
  const never = `${expired} expired and ${tooLarge} too large never came`
  return isTold ? [] : [`${never}, and the gateway counts ${toldExpired} and ${toldTooLarge}`]
}
