// A dispatch console that hangs on a full stream: what the gateway holds for it, measured as what it still refers to after a full garbage
// collection, with the console frozen and, before that, with the same console reading.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspectorArgs, watchLiveMemory } from '../../bench/live-memory.ts'
import { createLedger } from '../faults/ledger.ts'
import { startChild } from '../tools/child.ts'
import { type Devices, startDevices } from './devices.ts'
import { startPeer } from './peer.ts'
import { found, number, type Row, type RowContext, slack } from './row.ts'

export const stalledConsole: Row = {
  name: 'console',
  promise: 'a stalled gRPC console, 5,000 events of 1 kB a second: memory held for it',
  wanted: '≤ 2 MB',
  unit: 'seconds',
  counts: { test: 2, proof: 15, night: 60 },
  run: async (context) => ({ findings: { tocsin: await found(() => scenario(context)) } }),
}

const perSecond = 5_000
const paddingBytes = 850
/** The log's own memory for readers at its end, and the heap, have found their size by then. */
const warmUpSeconds = 8
const heldBytesMax = 2e6

async function scenario(context: RowContext) {
  const { count: seconds, size, say } = context
  await using peer = await startPeer('tocsin', { env: { NODE_OPTIONS: inspectorArgs.join(' ') } })
  const { grpc, stderr } = peer.gateway!
  await using console = startChild(process.execPath, [join(import.meta.dirname, '../clients/consoles.ts'), grpc, '1'])
  await console.waitFor('live', 20_000)
  const memory = await watchLiveMemory(stderr)
  const ledger = createLedger()
  const load = await startDevices({ port: peer.port, ledger, count: 4, window: 200, paddingBytes, perSecond })

  await run(load, size === 'test' ? 1 : warmUpSeconds)
  const begun = await memory.bytes()
  await run(load, seconds)
  const read = await memory.bytes()
  console.signal('SIGSTOP')
  const before = ledger.acknowledged
  await run(load, seconds)
  const frozen = await memory.bytes()
  const sent = ledger.acknowledged - before
  console.signal('SIGCONT')
  memory.close()
  await load.close()
  const held = frozen - read - Math.max(0, read - begun)
  say(`grown ${number((read - begun) / 1e3)} kB while it read, ${number((frozen - read) / 1e3)} kB while it was frozen`)
  return {
    text: `${number(Math.max(0, held) / 1e6, 2)} MB for ${number((sent * 1.1) / 1e3)} MB not read (${number(sent / seconds)} events/s)`,
    met: held <= heldBytesMax * slack(context) && sent > 0,
  }
}

async function run(load: Devices, seconds: number): Promise<void> {
  load.publish(Infinity)
  await sleep(seconds * 1_000)
  load.halt()
  await load.settled()
  // What readers of the log still have to read is read.
  await sleep(1_000)
}
