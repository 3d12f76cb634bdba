// A bit of the log flips on its disk: at the next start it is found and told, and costs one record; everything else is read.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../faults/fault-disk.ts'
import { createLedger } from '../faults/ledger.ts'
import { readLog, startDevices } from './devices.ts'
import { scrape } from './metrics.ts'
import { startPeer } from './peer.ts'
import { found, number, type Row, type RowContext } from './row.ts'

export const flippedBit: Row = {
  name: 'bit',
  promise: 'a flipped bit in a record on disk: records lost, and whether the damage is told',
  wanted: '1, told',
  unit: 'bits',
  counts: { test: 1, proof: 10, night: 500 },
  run: async (context) => ({ findings: { tocsin: await found(() => scenario(context)) } }),
}

const messages = 2_000

async function scenario({ seed, count, say }: RowContext) {
  const random = seededRandom(seed)
  const details: string[] = []
  let [lost, told] = [0, 0]
  await using peer = await startPeer('tocsin')
  const ledger = createLedger()
  const load = await startDevices({ port: peer.port, ledger, count: 2, window: 100 })
  load.publish(messages)
  await load.settled()
  await load.close()
  for (let bit = 1; bit <= count; bit++) {
    await peer.stop()
    const flipped = flip(join(peer.folder, 'log'), Math.floor(random() * messages), random)
    await peer.start()
    const book = await readLog(peer, ledger)
    const { lost: missing } = ledger.verdict(book)
    const damaged = (await scrape(peer.gateway!.http)).total('tocsin_log_damaged_records_total')
    if (missing !== 1)
      details.push(`${missing} records lost by bit ${flipped.bit} of byte ${flipped.at} (TOCSIN_SEED=${seed})`)
    if (damaged === 0) details.push(`nothing told of byte ${flipped.at}`)
    lost = Math.max(lost, missing)
    told += damaged > 0 ? 1 : 0
    await peer.stop()
    flipped.undo()
    await peer.start()
  }
  say(`${number(messages)} messages, ${count} bits`)
  return {
    text: `at most ${lost} lost by a bit, ${told} of ${count} told`,
    met: details.length === 0,
    details,
  }
}

/** One bit in the reading of one message: every value stands in clear in its record. */
function flip(folder: string, n: number, random: () => number) {
  const series = join(folder, 'routine-standard')
  for (const name of readdirSync(series).filter((file) => file.endsWith('.seg'))) {
    const file = join(series, name)
    const bytes = readFileSync(file)
    const places: number[] = []
    for (let at = bytes.indexOf('device-'); at >= 0; at = bytes.indexOf('device-', at + 1)) places.push(at)
    const at = places[n % Math.max(1, places.length)]
    if (at === undefined) continue
    const bit = Math.floor(random() * 8)
    const original = bytes[at]!
    const write = (value: number): void => {
      bytes[at] = value
      writeFileSync(file, bytes)
    }
    write(original ^ (1 << bit))
    return { at, bit, undo: () => write(original) }
  }
  throw new Error(`no record of a device in ${series}`)
}
