// `tocsin doctor`: everything that may be wrong with a gateway, in one list, each with what to do. It changes nothing. It ends with 1 when
// something is bad; a warning alone is no reason for a script to stop.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { AuditEntry } from '../../proto/generated/types.ts'
import { auditFolder } from '../audit/files.ts'
import { systemClock } from '../clock.ts'
import { configuredInputs } from '../configured-inputs.ts'
import { configuredLinks } from '../links/link-settings.ts'
import { plaintextDoors } from '../policy/plaintext-doors.ts'
import { readUsers } from '../policy/principals.ts'
import { readRoles } from '../policy/roles.ts'
import { findUnsafe, unsafeChecks } from '../policy/unsafe/unsafe-checks.ts'
import { fileOfSettings, readSettings, type Settings } from '../settings.ts'
import { checkFiles, isSound } from './audit-verify.ts'
import type { Command, Given } from './command.ts'
import { connect, connectionOptions } from './connection.ts'
import { dataFolderOptions } from './data-folder.ts'
import { type Finding, ofBackup, ofCertificates, ofPorts, ofPrincipals, ofState } from './doctor-checks.ts'
import { counted, pad, safe, safeJson, type Style, type Terminal } from './terminal.ts'

export const doctor: Command = {
  name: 'doctor',
  usage: '[options]',
  about: 'Looks for all that may be wrong, in the settings and with the gateway that runs, and says what to do.',
  options: {
    json: { about: 'One line of JSON for each finding.' },
    ...dataFolderOptions,
    ...connectionOptions,
  },
  wordsMax: 0,
  examples: [
    ['tocsin doctor', 'On the machine of the gateway, as its user.'],
    ['tocsin doctor --json || mail …', 'For a timer: it ends with 1 when something is bad.'],
  ],
  async run(given, terminal) {
    const found = await examine(given)
    for (const finding of found) show(finding, given, terminal)
    const count = (state: Finding['state']): number => found.filter((each) => each.state === state).length
    if (!given.flag('json'))
      terminal.print(`\n${count('ok')} ok, ${counted(count('warn'), 'warning')}, ${count('bad')} bad`)
    return count('bad') > 0 ? 1 : 0
  },
}

async function examine(given: Given): Promise<Finding[]> {
  const file = given.text('settings') ?? process.env['TOCSIN_SETTINGS']
  let settings: Settings
  try {
    const dataDir = given.text('data-dir')
    const environment = dataDir === undefined ? process.env : { ...process.env, TOCSIN_DATA_DIR: dataDir }
    settings = readSettings({ file, environment })
  } catch (error) {
    return faultsOf('settings', error)
  }
  const local = ofSettings(settings, fileOfSettings(file))
  const asked = await ofGateway(given, settings, local)
  return [...local, ...ofCertificates(settings), ...asked, ...ofAudit(given, settings)]
}

function ofSettings(settings: Settings, settingsFile: string | undefined): Finding[] {
  const site = { settings, environment: process.env, now: systemClock.now(), settingsFile }
  const readers = [
    () => readUsers(settings['mqtt.users']),
    () => readRoles(settings.roles),
    () => configuredInputs(settings),
    () => configuredLinks(settings, process.env),
    () => plaintextDoors(settings),
  ]
  const invalid = readers.flatMap((read) => {
    try {
      read()
      return []
    } catch (error) {
      return faultsOf('settings', error)
    }
  })
  // As whom this command runs says nothing of the gateway, which tells it itself.
  const unsafe = findUnsafe(site)
    .filter(({ check }) => check !== 'root')
    .map(({ check, level, text }): Finding => ({ state: level === 'refused' ? 'bad' : 'warn', check, text }))
  const found = [...invalid, ...unsafe]
  if (found.some(({ state }) => state === 'bad')) return found
  return [
    { state: 'ok', check: 'settings', text: `${unsafeChecks.length} checks, and nothing that stops a start` },
    ...found,
  ]
}

function faultsOf(check: string, error: unknown): Finding[] {
  if (!(error instanceof GatewayError)) throw error
  return error.message.split('\n').map((text) => ({ state: 'bad', check, text }))
}

async function ofGateway(given: Given, settings: Settings, said: readonly Finding[]): Promise<Finding[]> {
  const connection = connect(given)
  try {
    const state = await connection.call('AdminService/GetStatus', {})
    const principals = await connection
      .call('AdminService/ListPrincipals', { pageSize: 1 })
      .then(() => ofPrincipals(connection, settings, systemClock.now()))
      .catch((error: unknown): Finding[] => [
        { state: 'warn', check: 'principals', text: `they cannot be looked at: ${connection.explain(error).message}` },
      ])
    const told = new Set(said.map(({ text }) => text))
    const warnings = (state.warnings ?? []).filter((text) => !told.has(text))
    return [
      ...warnings.map((text): Finding => ({ state: 'warn', check: 'start', text })),
      ...ofState(state, settings),
      ...principals,
      ...ofPorts(settings),
    ]
  } catch (error) {
    return [{ state: 'bad', check: 'gateway', text: connection.explain(error).message }]
  } finally {
    connection.close()
  }
}

function ofAudit(given: Given, settings: Settings): Finding[] {
  if (!existsSync(join(settings.data_dir, auditFolder)))
    return [
      { state: 'warn', check: 'audit', text: `there is none in ${settings.data_dir}; did a gateway ever run there?` },
    ]
  let backup: AuditEntry | undefined
  try {
    const found = checkFiles(given, ({ entry }) => {
      if (entry.type === SystemEventType.BACKUP_MADE || entry.type === SystemEventType.BACKUP_FAILED) backup = entry
    })
    const [first] = found.faults
    const audit: Finding = isSound(found)
      ? { state: 'ok', check: 'audit', text: `whole: ${found.entries.toLocaleString('en-US')} entries` }
      : {
          state: 'bad',
          check: 'audit',
          text: first
            ? `entry ${first.number}: ${first.what}; keep the data folder as it is, and run tocsin audit verify`
            : 'nothing says where it ends; run tocsin audit verify --head with a head that was kept',
        }
    return [audit, ...ofBackup(backup, systemClock.now())]
  } catch (error) {
    return faultsOf('audit', error)
  }
}

const styles: Readonly<Record<Finding['state'], Style>> = { ok: 'green', warn: 'yellow', bad: ['red', 'bold'] }

function show(finding: Finding, given: Given, { print, paint }: Terminal): void {
  if (given.flag('json')) return print(safeJson(finding))
  const { state, check, text } = finding
  print(`${paint(styles[state], pad(state, 6))}${pad(safe(check), 15)}${safe(text)}`)
}
