// The packet cases and interoperability tests of other projects, by the runner of `npm run suites`, where their folders are named.

import { absent, type folders, playSequences, suiteFolder } from '../suites/main.ts'
import { runPaho } from '../suites/paho.ts'
import { peers } from '../suites/peers.ts'
import { missesOf, type SuiteReport } from '../suites/report.ts'
import type { PeerName } from './peer.ts'
import { type Finding, onEach, type Row, type RowContext } from './row.ts'

type Suite = keyof typeof folders

const suiteRow = (name: string, suite: Suite, promise: string, wanted: string): Row => ({
  name,
  promise,
  wanted,
  unit: 'runs',
  counts: { test: 1, proof: 1, night: 1 },
  async run(context) {
    const folder = suiteFolder(suite)
    if (folder === undefined) return { findings: {}, notes: [`left out: ${absent(suite)}`] }
    return { findings: await onEach(context, (peer) => scenario(peer, suite, folder, context)) }
  },
})

export const packets = suiteRow('packets', 'packets', 'mosquitto’s own packet cases, 3.1.1', '305 of 305')
export const paho = suiteRow('paho', 'paho', 'paho interoperability, 3.1.1', '11 of 11')

async function scenario(name: PeerName, suite: Suite, folder: string, { say }: RowContext): Promise<Finding> {
  await using peer = await peers[name]()
  const reports: SuiteReport[] =
    suite === 'packets'
      ? await playSequences(folder, { name, port: peer.port }, { versions: [4], only: /(?:)/ })
      : [{ suite, peer: name, outcomes: await runPaho({ folder, port: peer.port, refusedFilter: peer.refusedFilter }) }]
  const outcomes = reports.flatMap((report) => report.outcomes)
  const misses = reports.flatMap((report) => missesOf(report))
  say(`${name}: ${outcomes.length - misses.length} of ${outcomes.length}`)
  return {
    text: `${outcomes.length - misses.length} of ${outcomes.length}`,
    ...(name === 'tocsin' && { met: misses.length === 0 && outcomes.length > 0 }),
    details: misses.map(({ name: title, miss }) => `${title}: ${miss}`),
  }
}
