// kill -9 and loss of power under load: what was acknowledged is in the gateway's log, once, and reaches a session that was away all
// the while, and with MQTT 5 one of those that share a subscription.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import type { LazyFs } from '../faults/lazyfs.ts'
import { createLedger } from '../faults/ledger.ts'
import { readLog, startDevices, startKeeper } from './devices.ts'
import type { Version } from './message-traits.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, onEachLazyFs, type Row, type RowContext } from './row.ts'

const killRow = (name: string, promise: string, wanted: string, version: Version): Row => ({
  name,
  promise,
  wanted,
  unit: 'kills',
  counts: { test: 2, proof: 50, night: 1_000 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context, version)) }),
})

export const kill = killRow(
  'kill',
  'acknowledged and lost, kill -9 under load: in the log, and to a session that was away',
  '0 and 0',
  4,
)
export const killOfMqtt5 = killRow(
  'kill5',
  'the same with MQTT 5, and to a group of three that share, of whom one stays, one hangs and one is away',
  '0, 0 and 0',
  5,
)

const powerRow = (name: string, like: string, wanted: string, version: Version): Row => ({
  name,
  promise: `\`${like}\` when the power goes and what was not synced is gone (LazyFS)`,
  wanted,
  unit: 'losses of power',
  counts: { test: 1, proof: 10, night: 200 },
  run: (context) => onEachLazyFs(context, (peer, disk) => scenario(peer, context, version, disk)),
})

export const powerLoss = powerRow('power-disk', 'kill', '0 and 0', 4)
export const powerLossOfMqtt5 = powerRow('power5-disk', 'kill5', '0, 0 and 0', 5)

const devices = 4
const window = 50
/** Below the bound of what is kept for one session. */
const messagesEachLife = 6_000
const savedMs = 1_500

async function scenario(
  name: PeerName,
  { seed, count, say }: RowContext,
  version: Version,
  disk?: LazyFs,
): Promise<Finding> {
  const folder = disk && { folder: `${disk.folder}/data` }
  const mosquitto = version === 5 ? { mosquitto: 'max_inflight_messages 100' } : {}
  await using peer = await startPeer(name, { ...folder, ...mosquitto, settings: { LOG_SEGMENT_BYTES: '1MiB' } })
  const random = seededRandom(seed)
  const ledger = createLedger()
  const wrong: string[] = []
  const spoken = { version, onWrong: (what: string) => void wrong.push(what) }
  const keeper = await startKeeper(peer.port, ledger, spoken)
  const group = version === 5 && { name: 'desk', members: 3 }
  const desk = group ? await startKeeper(peer.port, ledger, { ...spoken, group }) : undefined
  const keepers = desk ? [keeper, desk] : [keeper]
  const load = await startDevices({ port: peer.port, ledger, count: devices, window, ...spoken })
  // Whoever saves what he has once a second has saved the session.
  await sleep(savedMs)
  for (let life = 1; life <= count; life++) {
    for (const each of keepers) await each.away()
    load.publish(messagesEachLife)
    const endsAt = ledger.acknowledged + Math.floor(messagesEachLife * (0.05 + 0.9 * random()))
    for (let ms = 0; ledger.acknowledged < endsAt && ms < 20_000; ms += 1) await sleep(1)
    await peer.kill()
    load.halt()
    await disk?.losePower()
    await peer.start()
    await load.settled()
    for (const each of keepers) await each.catchUp()
    if (life % Math.ceil(count / 5) === 0) say(`${name}: ${life} times, ${number(ledger.acknowledged)} acknowledged`)
  }
  const toSession = ledger.verdict(keeper.book)
  const toGroup = desk && ledger.verdict(desk.book)
  const inLog = peer.gateway && ledger.verdict(await readLog(peer, ledger))
  await load.close()
  const sessionsLost = keepers.reduce((sum, each) => sum + each.sessionsLost, 0)
  const parts = [
    ...(inLog ? [`log: ${number(inLog.lost)} lost, ${number(inLog.repeats)} doubled`] : []),
    `session: ${number(toSession.lost)} lost`,
    ...(toSession.inverted > 0 ? [`${number(toSession.inverted)} inverted`] : []),
    ...(toGroup ? [`group: ${number(toGroup.lost)} lost`] : []),
    ...(sessionsLost > 0 ? [`gone ${sessionsLost} times`] : []),
    ...(wrong.length > 0 ? [`${number(wrong.length)} wrong in MQTT 5`] : []),
  ]
  const faults = [toSession.lost, toSession.inverted, toGroup?.lost ?? 0, sessionsLost, wrong.length]
  if (inLog) faults.push(inLog.lost, inLog.repeats, inLog.inverted)
  return {
    text: `${parts.join('; ')} of ${number(ledger.acknowledged)}, ${count} times`,
    ...(name === 'tocsin' && { met: faults.every((fault) => fault === 0) && ledger.acknowledged > 0 }),
    details: [...wrong.slice(0, 3), ...toSession.examples, ...(toGroup?.examples ?? []), ...(inLog?.examples ?? [])],
  }
}
