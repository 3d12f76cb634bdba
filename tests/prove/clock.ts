// Somebody sets the clock while devices send: an hour ahead, a day back, a year ahead, and to and fro, and the gateway is killed in between.
// Nothing that was acknowledged is lost, doubled or out of order for it.

import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../faults/fault-disk.ts'
import { createLedger } from '../faults/ledger.ts'
import { createProcessClock } from '../faults/process-clock.ts'
import { readLog, startDevices, startKeeper } from './devices.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'

export const clock: Row = {
  name: 'clock',
  promise: 'acknowledged and lost, doubled or inverted while the clock is set by seconds to a year, with a kill',
  wanted: '0, 0, 0',
  unit: 'jumps',
  counts: { test: 4, proof: 20, night: 500 },
  async run(context) {
    if (!createProcessClock()) {
      return { findings: {}, notes: ['left out: no libfaketime here (sh tests/tools/fetch.sh faults)'] }
    }
    return { findings: await onEach(context, (peer) => scenario(peer, context)) }
  },
}

const jumpsSeconds = [1, -1, 30, -30, 90, -90, 3_600, -3_600, 86_400, -86_400, 31_536_000]
const betweenMs = 400

async function scenario(name: PeerName, { seed, count, say }: RowContext): Promise<Finding> {
  const random = seededRandom(seed)
  const set = createProcessClock()!
  await using peer = await startPeer(name, { env: set.env })
  const ledger = createLedger()
  const keeper = await startKeeper(peer.port, ledger)
  await sleep(1_500)
  const load = await startDevices({ port: peer.port, ledger, count: 3, window: 30, perSecond: 1_000 })
  load.publish(1_000_000)
  const killAfter = Math.floor(random() * count)
  for (let jump = 0; jump < count; jump++) {
    const offset = random() < 0.3 ? 0 : jumpsSeconds[Math.floor(random() * jumpsSeconds.length)]!
    set.set(offset)
    await sleep(betweenMs)
    if (jump !== killAfter) continue
    await peer.kill()
    set.set(jumpsSeconds[Math.floor(random() * jumpsSeconds.length)]!)
    await peer.start()
  }
  load.halt()
  const isSettled = await load.settled()
  await keeper.away()
  await keeper.catchUp()
  const toSession = ledger.verdict(keeper.book)
  const inLog = peer.gateway && ledger.verdict(await readLog(peer, ledger))
  await load.close()
  say(`${name}: ${number(ledger.acknowledged)} acknowledged, killed after jump ${killAfter + 1}`)
  const logText = inLog ? `log: ${inLog.lost} lost, ${inLog.repeats} doubled, ${inLog.inverted} inverted; ` : ''
  const isWhole =
    toSession.lost + toSession.inverted === 0 && (!inLog || inLog.lost + inLog.repeats + inLog.inverted === 0)
  return {
    text: `${logText}session: ${number(toSession.lost)} lost, ${toSession.inverted} inverted of ${number(ledger.acknowledged)}`,
    ...(name === 'tocsin' && { met: isWhole && isSettled && ledger.acknowledged > 0 }),
    details: [
      ...toSession.examples,
      ...(inLog?.examples ?? []),
      ...(isSettled ? [] : ['not everything was acknowledged in the end']),
    ],
  }
}
