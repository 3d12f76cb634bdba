// The disk fills up under load and the broker is killed while it is full: what it had acknowledged is there when there is room
// again, and its publishers knew within a second that no more was taken.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLedger } from '../faults/ledger.ts'
import { canMountSmallDisks, mountSmallDisk } from '../faults/small-disk.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import { readLog, startDevices, startKeeper } from './devices.ts'
import { type PeerName, startPeer } from './peer.ts'
import { type Finding, number, onEach, type Row, type RowContext } from './row.ts'

export const diskFull: Row = {
  name: 'disk-full',
  promise: 'acknowledged and lost when the disk is full, killed meanwhile; told its publisher after',
  wanted: '0, ≤ 1 s',
  unit: 'times',
  counts: { test: 1, proof: 3, night: 50 },
  async run(context) {
    if (!(await canMountSmallDisks())) {
      return { findings: {}, notes: ['left out: this machine lets no user mount a tmpfs of its own (unshare -rm)'] }
    }
    return {
      findings: await onEach(context, (peer) => scenario(peer, context)),
      notes: ['told: a publisher that is not acknowledged is cut off, and keeps its copy'],
    }
  },
}

const mebibytes = 24
const paddingBytes = 500
const beforeFull = 500
/** So long it is full: what is acknowledged now is acknowledged into a full disk. */
const fullMs = 3_000
/** A second, and what a machine under load takes to notice it. */
const toldMsMax = 1_500

async function scenario(name: PeerName, { count, say }: RowContext): Promise<Finding> {
  const details: string[] = []
  const sum = { acknowledged: 0, intoFull: 0, lost: 0, lostInLog: 0, sessions: 0, toldMs: 0 }
  for (let time = 1; time <= count; time++) {
    const folder = join(tempFolder('full'), 'disk')
    mkdirSync(folder)
    await using disk = await mountSmallDisk(folder, mebibytes)
    await using peer = await startPeer(name, {
      folder,
      prefix: disk.prefix,
      settings: { LOG_SEGMENT_BYTES: '1MiB' },
    })
    const ledger = createLedger()
    const keeper = await startKeeper(peer.port, ledger)
    await keeper.away()
    await sleep(1_500)
    const load = await startDevices({ port: peer.port, ledger, count: 2, window: 20, paddingBytes, perSecond: 1_500 })
    load.publish(1_000_000)
    while (ledger.acknowledged < beforeFull) await sleep(5)
    disk.fill()
    const before = ledger.acknowledged
    await sleep(fullMs)
    const intoFull = ledger.acknowledged - before
    const { toldMs } = load
    await peer.kill()
    load.halt()
    disk.makeRoom()
    await peer.start()
    await load.settled()
    await keeper.catchUp()
    const verdict = ledger.verdict(keeper.book)
    details.push(...verdict.examples.slice(0, 2))
    if (peer.gateway) {
      const inLog = ledger.verdict(await readLog(peer, ledger))
      sum.lostInLog += inLog.lost + inLog.repeats
      details.push(...inLog.examples.slice(0, 2))
    }
    await load.close()
    sum.acknowledged += ledger.acknowledged
    sum.intoFull += intoFull
    sum.lost += verdict.lost
    sum.sessions += keeper.sessionsLost
    sum.toldMs = Math.max(sum.toldMs, toldMs)
    say(`${name}: ${time}: ${number(intoFull)} acknowledged while full, told after ${number(toldMs)} ms`)
  }
  const told = sum.toldMs === Infinity ? 'never told' : `told after ${number(sum.toldMs)} ms`
  const inLog = name === 'tocsin' ? `log: ${number(sum.lostInLog)} lost or doubled; ` : ''
  const gone = sum.sessions > 0 ? `, gone ${sum.sessions} times` : ''
  return {
    text: `${inLog}session: ${number(sum.lost)} lost${gone} of ${number(sum.acknowledged)} (${number(sum.intoFull)} while full); ${told}`,
    ...(name === 'tocsin' && { met: sum.lost + sum.lostInLog + sum.sessions === 0 && sum.toldMs <= toldMsMax }),
    details,
  }
}
