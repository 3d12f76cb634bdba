// kill -9 under load: what was acknowledged is in the gateway's log, once, and reaches a session that was away all the while.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { createLedger } from '../faults/ledger.ts'
import { readLog, startDevices, startKeeper } from './devices.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'

export const kill: Row = {
  name: 'kill',
  promise: 'acknowledged and lost, kill -9 under load: in the log, and to a session that was away',
  wanted: '0 and 0',
  unit: 'kills',
  counts: { test: 3, proof: 50, night: 1_000 },
  run: async (context) => ({ findings: await onEach(context, (peer) => scenario(peer, context)) }),
}

const devices = 4
const window = 50
/** Below the bound of what is kept for one session. */
const messagesEachLife = 6_000
const savedMs = 1_500

async function scenario(name: PeerName, { seed, count: kills, say }: RowContext): Promise<Finding> {
  await using peer = await startPeer(name, { settings: { LOG_SEGMENT_BYTES: '1MiB' } })
  const random = seededRandom(seed)
  const ledger = createLedger()
  const keeper = await startKeeper(peer.port, ledger)
  const load = await startDevices({ port: peer.port, ledger, count: devices, window })
  // Whoever saves what he has once a second has saved the session.
  await sleep(savedMs)
  for (let life = 1; life <= kills; life++) {
    await keeper.away()
    load.publish(messagesEachLife)
    const killAt = ledger.acknowledged + Math.floor(messagesEachLife * (0.05 + 0.9 * random()))
    for (let ms = 0; ledger.acknowledged < killAt && ms < 20_000; ms += 1) await sleep(1)
    await peer.kill()
    load.halt()
    await peer.start()
    await load.settled()
    await keeper.catchUp()
    if (life % Math.ceil(kills / 5) === 0) say(`${name}: ${life} kills, ${number(ledger.acknowledged)} acknowledged`)
  }
  const toSession = ledger.verdict(keeper.book)
  const parts = [`session: ${number(toSession.lost)} lost`]
  let met = toSession.lost === 0 && toSession.inverted === 0 && keeper.sessionsLost === 0
  const examples = [...toSession.examples]
  if (toSession.inverted > 0) parts.push(`${number(toSession.inverted)} inverted`)
  if (keeper.sessionsLost > 0) parts.push(`gone ${keeper.sessionsLost} times`)
  if (peer.gateway) {
    const inLog = ledger.verdict(await readLog(peer, ledger))
    parts.unshift(`log: ${number(inLog.lost)} lost, ${number(inLog.repeats)} doubled`)
    met &&= inLog.lost + inLog.repeats + inLog.inverted === 0
    examples.push(...inLog.examples)
  }
  await load.close()
  return {
    text: `${parts.join('; ')} of ${number(ledger.acknowledged)}, ${kills} kills`,
    ...(name === 'tocsin' && { met }),
    details: examples,
  }
}
