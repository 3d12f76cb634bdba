// The power goes under load, on a real file system that forgets what was not synced: what was acknowledged is in the gateway's log,
// once, and reaches a session that was away.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { createLedger } from '../faults/ledger.ts'
import { mountLazyFs, whyNoLazyFs } from '../faults/lazyfs.ts'
import { readLog, startDevices, startKeeper } from './devices.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'

export const powerLoss: Row = {
  name: 'power-disk',
  promise: 'acknowledged and lost when the power goes under load (LazyFS): in the log, and to a session that was away',
  wanted: '0 and 0',
  unit: 'losses of power',
  counts: { test: 1, proof: 10, night: 200 },
  async run(context) {
    const why = await whyNoLazyFs()
    if (why !== undefined) return { findings: {}, notes: [`left out: ${why}`] }
    return { findings: await onEach(context, (peer) => scenario(peer, context)) }
  },
}

const messagesEachLife = 4_000
const savedMs = 1_500

async function scenario(name: PeerName, { seed, count, say }: RowContext): Promise<Finding> {
  const random = seededRandom(seed)
  await using disk = await mountLazyFs()
  await using peer = await startPeer(name, { folder: `${disk.folder}/data`, settings: { LOG_SEGMENT_BYTES: '1MiB' } })
  const ledger = createLedger()
  const keeper = await startKeeper(peer.port, ledger)
  const load = await startDevices({ port: peer.port, ledger, count: 4, window: 50 })
  await sleep(savedMs)
  for (let life = 1; life <= count; life++) {
    await keeper.away()
    load.publish(messagesEachLife)
    const goesAt = ledger.acknowledged + Math.floor(messagesEachLife * (0.05 + 0.9 * random()))
    for (let ms = 0; ledger.acknowledged < goesAt && ms < 20_000; ms += 1) await sleep(1)
    await peer.kill()
    load.halt()
    await disk.losePower()
    await peer.start()
    await load.settled()
    await keeper.catchUp()
    if (life % Math.ceil(count / 5) === 0)
      say(`${name}: ${life} losses of power, ${number(ledger.acknowledged)} acknowledged`)
  }
  const toSession = ledger.verdict(keeper.book)
  const inLog = peer.gateway && ledger.verdict(await readLog(peer, ledger))
  await load.close()
  const logText = inLog ? `log: ${number(inLog.lost)} lost, ${number(inLog.repeats)} doubled; ` : ''
  const gone = keeper.sessionsLost > 0 ? `, gone ${keeper.sessionsLost} times` : ''
  const isWhole = toSession.lost + toSession.inverted + keeper.sessionsLost === 0
  return {
    text: `${logText}session: ${number(toSession.lost)} lost${gone} of ${number(ledger.acknowledged)}, ${count} losses of power`,
    ...(name === 'tocsin' && { met: isWhole && inLog!.lost + inLog!.repeats + inLog!.inverted === 0 }),
    details: [...toSession.examples, ...(inLog?.examples ?? [])],
  }
}
