// kill -9 and loss of power under load: what was acknowledged is in the gateway's log, once, and reaches a session that was away all
// the while.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import type { LazyFs } from '../faults/lazyfs.ts'
import { createLedger } from '../faults/ledger.ts'
import { readLog, startDevices, startKeeper } from './devices.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, onEachLazyFs, type Row, type RowContext } from './row.ts'

export const kill: Row = {
  name: 'kill',
  promise: 'acknowledged and lost, kill -9 under load: in the log, and to a session that was away',
  wanted: '0 and 0',
  unit: 'kills',
  counts: { test: 2, proof: 50, night: 1_000 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context)) }),
}

export const powerLoss: Row = {
  name: 'power-disk',
  promise: 'the same when the power goes and what was not synced is gone (LazyFS)',
  wanted: '0 and 0',
  unit: 'losses of power',
  counts: { test: 1, proof: 10, night: 200 },
  run: (context) => onEachLazyFs(context, (peer, disk) => scenario(peer, context, disk)),
}

const devices = 4
const window = 50
/** Below the bound of what is kept for one session. */
const messagesEachLife = 6_000
const savedMs = 1_500

async function scenario(name: PeerName, { seed, count, say }: RowContext, disk?: LazyFs): Promise<Finding> {
  const folder = disk && { folder: `${disk.folder}/data` }
  await using peer = await startPeer(name, { ...folder, settings: { LOG_SEGMENT_BYTES: '1MiB' } })
  const random = seededRandom(seed)
  const ledger = createLedger()
  const keeper = await startKeeper(peer.port, ledger)
  const load = await startDevices({ port: peer.port, ledger, count: devices, window })
  // Whoever saves what he has once a second has saved the session.
  await sleep(savedMs)
  for (let life = 1; life <= count; life++) {
    await keeper.away()
    load.publish(messagesEachLife)
    const endsAt = ledger.acknowledged + Math.floor(messagesEachLife * (0.05 + 0.9 * random()))
    for (let ms = 0; ledger.acknowledged < endsAt && ms < 20_000; ms += 1) await sleep(1)
    await peer.kill()
    load.halt()
    await disk?.losePower()
    await peer.start()
    await load.settled()
    await keeper.catchUp()
    if (life % Math.ceil(count / 5) === 0) say(`${name}: ${life} times, ${number(ledger.acknowledged)} acknowledged`)
  }
  const toSession = ledger.verdict(keeper.book)
  const inLog = peer.gateway && ledger.verdict(await readLog(peer, ledger))
  await load.close()
  const parts = [
    ...(inLog ? [`log: ${number(inLog.lost)} lost, ${number(inLog.repeats)} doubled`] : []),
    `session: ${number(toSession.lost)} lost`,
    ...(toSession.inverted > 0 ? [`${number(toSession.inverted)} inverted`] : []),
    ...(keeper.sessionsLost > 0 ? [`gone ${keeper.sessionsLost} times`] : []),
  ]
  const faults = [toSession.lost, toSession.inverted, keeper.sessionsLost]
  if (inLog) faults.push(inLog.lost, inLog.repeats, inLog.inverted)
  return {
    text: `${parts.join('; ')} of ${number(ledger.acknowledged)}, ${count} times`,
    ...(name === 'tocsin' && { met: faults.every((fault) => fault === 0) && ledger.acknowledged > 0 }),
    details: [...toSession.examples, ...(inLog?.examples ?? [])],
  }
}
