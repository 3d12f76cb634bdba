// The gateway's own certificate authority: made, its certificates listed, the gateway's own renewed. Its key stays in the data folder.

import { existsSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { SystemEventType } from '../../proto/generated/types.ts'
import { dayMs } from '../ca/authority.ts'
import { foundAuthority, type IssuedEntry, listIssued, loadAuthority, writeList } from '../ca/folder.ts'
import { authorityFiles } from '../ca/paths.ts'
import { presentHosts, renewOwn } from '../ca/server-certificate.ts'
import { readSettings, type Settings } from '../settings.ts'
import { noteInAudit } from './audit-note.ts'
import { printColumns } from './columns.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { dataFolderOf, dataFolderOptions } from './data-folder.ts'
import { safe, safeJson, type Terminal } from './terminal.ts'
import { dayText } from './time.ts'

export const ca: Command = {
  name: 'ca',
  usage: 'init [--name HOST]… | renew [--name HOST]… | list [NAME]',
  about: 'Makes a certificate authority of your own, and the gateway’s certificate; lists what it issued.',
  options: {
    name: {
      value: 'HOST',
      many: true,
      about: 'A DNS name or address by which the gateway is reached; this machine’s own are always in.',
    },
    json: { about: 'With list: one line of JSON for each.' },
    ...dataFolderOptions,
  },
  wordsMax: 2,
  wordOf: () => ['init', 'renew', 'list'],
  examples: [
    [
      'tocsin ca init --name gateway.county-a.example --name 192.0.2.10',
      'An authority, and a certificate for the gateway under these names.',
    ],
    ['tocsin ca list', 'What was issued to whom, and when it ends.'],
    ['tocsin ca renew --name gw2.county-a.example', 'A new certificate; a running gateway takes it within seconds.'],
  ],
  async run(given, terminal) {
    const [action = 'list', name] = given.words
    const folder = dataFolderOf(given)
    const settings = readSettings({ file: folder.settingsFile, environment: process.env })
    const site = { dataDir: folder.dataDir, settings, settingsFile: folder.settingsFile ?? 'tocsin.yaml' }
    if (action === 'init' && name === undefined) return init(given, site, terminal)
    if (action === 'renew' && name === undefined) return renew(given, site, terminal)
    if (action === 'list') return list(given, site, name, terminal)
    throw new UsageError('say what: ca init, ca renew, or ca list')
  },
}

interface Site {
  readonly dataDir: string
  readonly settings: Settings
  readonly settingsFile: string
}

async function init(given: Given, { dataDir, settings, settingsFile }: Site, terminal: Terminal): Promise<number> {
  const hosts = hostsOf(given)
  const nowMs = Date.now()
  if (nowMs < clockLeastMs) {
    throw new UsageError(`the clock of this machine says ${dayText(BigInt(nowMs) * 1_000_000n)}: set it first`)
  }
  const jurisdiction = settings['gateway.jurisdiction']
  await foundAuthority(dataDir, jurisdiction, nowMs)
  const authority = await loadAuthority(dataDir)
  await renewOwn({ dataDir, authority, jurisdiction, hosts, nowMs })
  await writeList(dataDir, authority, nowMs)
  const { certificate, key } = authorityFiles(dataDir)
  const type = SystemEventType.SETTINGS_CHANGED
  const details = { hosts: hosts.join(' ') }
  noteInAudit(dataDir, { action: 'make_authority', type, outcome: 'done', object: certificate, details }, terminal)
  terminal.print(`An authority for ${safe(jurisdiction)}, which ends on ${day(authority.endsAtMs)}:`)
  terminal.print(`  ${safe(certificate)}  give this to whoever connects`)
  terminal.print(`  ${safe(key)}  never give this to anybody; a backup holds it too`)
  terminal.print(
    `The gateway’s certificate is for ${[...hosts, 'localhost'].join(', ')}; the gateway renews it itself.`,
  )
  terminal.tell(`Then, in ${safe(settingsFile)}, as far as it is to be reached from the network:`)
  for (const line of sample(jurisdiction)) terminal.tell(`  ${line}`)
  if (jurisdiction === 'local') {
    terminal.tell(
      'gateway.jurisdiction is not set: certificates carry "local", and must be made anew when it is changed',
    )
  }
  return 0
}

/** The first release; a clock before it was never set. */
const clockLeastMs = Date.parse('2026-11-01T00:00:00Z')

const sample = (jurisdiction: string): readonly string[] => [
  ...(jurisdiction === 'local' ? [] : [`gateway: {jurisdiction: ${safe(jurisdiction)}}`]),
  'tls: {certificate: auto}',
  'mqtt: {listen: ["mqtt://127.0.0.1:1883", "mqtts://0.0.0.0:8883"]}',
  'grpc: {listen: "0.0.0.0:50051"}',
  'http: {listen: "https://0.0.0.0:8443"}',
]

async function renew(given: Given, { dataDir, settings }: Site, terminal: Terminal): Promise<number> {
  const authority = await loadAuthority(dataDir)
  const hosts = given.texts('name').length > 0 ? hostsOf(given) : presentHosts(dataDir)
  const jurisdiction = settings['gateway.jurisdiction']
  await renewOwn({ dataDir, authority, jurisdiction, hosts, nowMs: Date.now() })
  const type = SystemEventType.SETTINGS_CHANGED
  const details = { hosts: hosts.join(' ') }
  noteInAudit(dataDir, { action: 'renew_certificate', type, outcome: 'done', object: 'server', details }, terminal)
  terminal.print(`The gateway has a new certificate for ${[...hosts, 'localhost'].join(', ')}.`)
  terminal.tell('A running gateway takes it within seconds; connections that are open stay.')
  return 0
}

function hostsOf(given: Given): readonly string[] {
  const hosts = given.texts('name')
  const wrong = hosts.find((host) => isIP(host) === 0 && !hostForm.test(host))
  if (wrong !== undefined) throw new UsageError(`--name ${safe(wrong)} is neither a DNS name nor an address`)
  return hosts
}

// RFC 1123 §2.1
const hostForm = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i

function list(given: Given, { dataDir }: Site, name: string | undefined, terminal: Terminal): number {
  const { certificate, key } = authorityFiles(dataDir)
  if (!existsSync(certificate))
    throw new UsageError(`there is no authority in ${safe(dataDir)}: tocsin ca init makes one`)
  if ((statSync(key).mode & 0o077) !== 0) terminal.tell(`${safe(key)} can be read by other users; run chmod 600 on it`)
  const found = listIssued(dataDir).filter((entry) => name === undefined || entry.name === name)
  if (given.flag('json')) for (const entry of found) terminal.print(safeJson(entry))
  else if (found.length === 0) terminal.tell('nothing was issued')
  else printColumns(found, columns, terminal)
  return 0
}

const day = (ms: number): string => dayText(BigInt(Math.trunc(ms)) * 1_000_000n)

const columns = [
  { head: 'name', text: ({ name }: IssuedEntry) => safe(name) },
  { head: 'serial', text: ({ serial }: IssuedEntry) => serial },
  { head: 'issued', text: ({ issued_at_ms: at }: IssuedEntry) => day(at) },
  { head: 'ends', text: ({ ends_at_ms: at }: IssuedEntry) => day(at) },
  { head: '', text: stateOf },
] as const

function stateOf({ ends_at_ms: endsAtMs, revoked_at_ms: revokedAtMs, reason = '' }: IssuedEntry): string {
  if (revokedAtMs !== undefined) return `revoked ${day(revokedAtMs)}${reason && `: ${safe(reason)}`}`
  const days = Math.ceil((endsAtMs - Date.now()) / dayMs)
  if (days <= 0) return 'ended'
  return days <= 30 ? `ends in ${days} day${days === 1 ? '' : 's'}` : ''
}
