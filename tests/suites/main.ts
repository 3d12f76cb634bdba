// `npm run suites`: the tests of other MQTT projects against a gateway of ours, and Debian's mosquitto beside it. They lie in folders
// that the environment names, and are not part of this project. Options: --peer NAME, --suite NAME, --versions 3,4,5, --only PATTERN,
// --json. Ends with 1 on a miss of ours that nobody explained, with 2 when a suite was not there.

import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { runPaho } from './paho.ts'
import { peers, type Peer, type PeerName } from './peers.ts'
import { play } from './play.ts'
import { openMissesOf, reportText, type Outcome, type SuiteReport } from './report.ts'
import { readSequences, type Version } from './sequences.ts'

/** Where each suite lies; what the setting names is a copy of the repository. */
export const folders = {
  paho: { setting: 'TOCSIN_PAHO_TESTING', repository: 'eclipse/paho.mqtt.testing' },
  packets: { setting: 'TOCSIN_MOSQUITTO_TESTS', repository: 'eclipse-mosquitto/mosquitto' },
} as const

type SuiteName = keyof typeof folders

const named = (suite: SuiteName): string => process.env[folders[suite].setting] ?? ''

/** Undefined where it is not to be had; `absent` says why. */
export const suiteFolder = (suite: SuiteName): string | undefined =>
  existsSync(named(suite)) ? named(suite) : undefined

export function absent(suite: SuiteName): string {
  const { setting, repository } = folders[suite]
  const what = named(suite) === '' ? 'is not set' : `names ${named(suite)}, which is not there`
  return `${setting} ${what}; it is to name a copy of ${repository}`
}

export interface Wanted {
  readonly versions: readonly Version[]
  readonly only: RegExp
}

const versionName = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' } as const

export async function playSequences(
  folder: string,
  peer: Pick<Peer, 'name' | 'port'>,
  wanted: Wanted,
): Promise<SuiteReport[]> {
  const outcomes = new Map<Version, Outcome[]>(wanted.versions.map((version) => [version, []]))
  // One after the other, in mosquitto's order: some leave something for the next.
  for (const sequence of readSequences(folder)) {
    const list = outcomes.get(sequence.version)
    if (!list || !wanted.only.test(sequence.name)) continue
    const miss = await play(peer.port, sequence)
    list.push({ name: sequence.name, ...(miss === undefined ? undefined : { miss }) })
  }
  return [...outcomes].map(([version, list]) => ({
    suite: `packet cases, ${versionName[version]}`,
    peer: peer.name,
    outcomes: list,
  }))
}

async function runSuite(suite: SuiteName, folder: string, peer: Peer, wanted: Wanted): Promise<SuiteReport[]> {
  if (suite === 'packets') return playSequences(folder, peer, wanted)
  const { port, refusedFilter } = peer
  const reports: SuiteReport[] = []
  for (const version of ([4, 5] as const).filter((each) => wanted.versions.includes(each))) {
    const outcomes = await runPaho({ folder, port, version, refusedFilter })
    reports.push({ suite: `paho interoperability, ${versionName[version]}`, peer: peer.name, outcomes })
  }
  return reports
}

function options(): { suites: SuiteName[]; peerNames: PeerName[]; wanted: Wanted; json: boolean } | string {
  const { values } = parseArgs({
    options: {
      suite: { type: 'string' },
      peer: { type: 'string' },
      versions: { type: 'string', default: '3,4,5' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  })
  const suites = keysOf(folders).filter((name) => values.suite === undefined || values.suite === name)
  const peerNames = keysOf(peers).filter((name) => values.peer === undefined || values.peer === name)
  if (suites.length === 0) return `No suite "${values.suite}"; there are ${keysOf(folders).join(', ')}.`
  if (peerNames.length === 0) return `No broker "${values.peer}"; there are ${keysOf(peers).join(', ')}.`
  const versions = ([3, 4, 5] as const).filter((version) => values.versions.split(',').includes(String(version)))
  return { suites, peerNames, wanted: { versions, only: new RegExp(values.only) }, json: values.json }
}

const keysOf = <Keys extends string>(table: Record<Keys, unknown>): Keys[] => Object.keys(table) as Keys[]

async function main(): Promise<number> {
  const given = options()
  if (typeof given === 'string') {
    process.stderr.write(`${given}\n`)
    return 2
  }
  const reports: SuiteReport[] = []
  for (const suite of given.suites) {
    const folder = suiteFolder(suite)
    if (folder === undefined) process.stderr.write(`${suite}: not run. ${absent(suite)}.\n`)
    for (const name of folder === undefined ? [] : given.peerNames) {
      await using peer = await peers[name]()
      for (const report of await runSuite(suite, folder!, peer, given.wanted)) {
        reports.push(report)
        if (!given.json) process.stdout.write(reportText(report))
      }
    }
  }
  if (given.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`)
  if (given.suites.some((suite) => suiteFolder(suite) === undefined)) return 2
  return reports.some((report) => report.peer === 'tocsin' && openMissesOf(report).length > 0) ? 1 : 0
}

if (import.meta.main) process.exitCode = await main()
