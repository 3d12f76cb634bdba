// What `tocsin doctor` looks at beside the settings: the gateway that runs, its machine, its ports, its audit. Each check answers sentences
// with what to do; what cannot be looked at is said, and is no all-clear.

import { SystemEventType } from '../../proto/generated/types.ts'
import type { AuditEntry, GetStatusResponse } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { durationMs, timestampNs } from '../../proto/time.ts'
import { flowsOf } from '../flows.ts'
import { builtinRoles, readRoles } from '../policy/roles.ts'
import { endings } from '../policy/unsafe/certificates.ts'
import type { Settings } from '../settings.ts'
import type { Connection } from './connection.ts'
import { openPorts, pidOf } from './open-ports.ts'
import { bytesText } from './progress.ts'
import { counted } from './terminal.ts'
import { dayText, spanText } from './time.ts'

export interface Finding {
  readonly state: 'ok' | 'warn' | 'bad'
  readonly check: string
  readonly text: string
}

type Findings = Generator<Finding>
const ok = (check: string, text: string): Finding => ({ state: 'ok', check, text })
const warn = (check: string, text: string): Finding => ({ state: 'warn', check, text })
const bad = (check: string, text: string): Finding => ({ state: 'bad', check, text })

const dayMs = 86_400_000
/** CJIS, HIPAA and common sense want them made often; a week is when it hurts. */
const backupAgeMsMax = 7 * dayMs
const fullSoonMs = 30 * dayMs
// As the alarm clock_offset has it.
const offsetMsMax = 100

export function* ofState(state: GetStatusResponse, settings: Settings): Findings {
  const now = timestampNs(state.now) ?? 0n
  const age = Number(now - (timestampNs(state.startedAt) ?? now)) / 1e6
  yield ok('gateway', `${state.gateway ?? ''} runs, version ${state.version ?? ''}, for ${spanText(age)}`)
  const alarms = state.alarms ?? []
  for (const { code = '', text = '' } of alarms) yield bad('alarms', `${code}: ${text}`)
  if (alarms.length === 0) yield ok('alarms', 'none')
  yield* ofDisk(state, settings)
  const offsetMs = durationMs(state.clockOffset)
  if (offsetMs === undefined)
    yield warn('clock', 'it is not measured; name time servers in clock.sntp_servers, and run chrony')
  else if (Math.abs(offsetMs) >= offsetMsMax)
    yield bad('clock', `it is off by ${Math.abs(offsetMs).toFixed(0)} ms; repair chrony or ntpd`)
  else yield ok('clock', `it is off by ${Math.abs(offsetMs).toFixed(1)} ms`)
  for (const { name = '', up, problem = '' } of state.links ?? [])
    yield up ? ok('links', `${name} is up`) : bad('links', `${name} is down: ${problem || 'not connected yet'}`)
  for (const { name = '', listen, onlyFrom = [], endsAt, officer, messages, turnedAway } of state.plaintextExceptions ??
    []) {
    const until = timestampNs(endsAt) ?? 0n
    const what = `${name} takes plain text on ${listen} from ${onlyFrom.join(', ')}, approved by ${officer}`
    const came = `${counted(toNumber(messages), 'message')}, ${toNumber(turnedAway)} turned away`
    yield until <= now
      ? bad('plain text', `${what}; its last day is over, its devices are turned away`)
      : warn('plain text', `${what}, until ${dayText(until - 1n)}; ${came}`)
  }
}

function* ofDisk(state: GetStatusResponse, settings: Settings): Findings {
  const [free, total] = [toNumber(state.diskFreeBytes), toNumber(state.diskTotalBytes)]
  const text = `${bytesText(free)} free of ${bytesText(total)}`
  const fullInMs = durationMs(state.diskFullIn)
  if (free < settings['log.disk_low']) yield bad('disk', `${text}; free space, or shorten log.keep_…`)
  else if (fullInMs !== undefined && fullInMs < fullSoonMs)
    yield warn('disk', `${text}, full in ${spanText(fullInMs)} as it fills now; free space, or shorten log.keep_…`)
  else yield ok('disk', text)
}

export async function ofPrincipals(connection: Connection, settings: Settings, now: bigint): Promise<Finding[]> {
  const roles = rolesOf(settings)
  const found: Finding[] = []
  let count = 0
  let pageToken: Uint8Array | undefined
  do {
    const page = await connection.call('AdminService/ListPrincipals', {
      pageSize: 1_000,
      ...(pageToken && { pageToken }),
    })
    for (const { principal: name = '', roles: held = [], tokens = [] } of page.principals ?? []) {
      count += 1
      const unknown = held.filter((role) => !roles.has(role))
      if (unknown.length > 0)
        found.push(
          warn(
            'principals',
            `${name} has the role ${unknown.join(', ')}, which is not defined and gives nothing; see roles`,
          ),
        )
      for (const { expiresAt } of tokens) {
        const leftMs = Number((timestampNs(expiresAt) ?? now) - now) / 1e6
        if (leftMs > 0 && leftMs < 7 * dayMs)
          found.push(warn('principals', `a token of ${name} ends in ${spanText(leftMs)}; give it another`))
      }
    }
    pageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
  } while (pageToken)
  return found.length > 0 ? found : [ok('principals', `${counted(count, 'principal')}, all with roles that there are`)]
}

function rolesOf(settings: Settings): ReadonlySet<string> {
  try {
    return new Set(readRoles(settings.roles).keys())
  } catch {
    return new Set(Object.keys(builtinRoles))
  }
}

export function* ofPorts(settings: Settings): Findings {
  const pid = pidOf(settings.data_dir)
  const open = pid === undefined ? undefined : openPorts(pid)
  if (!open)
    return yield warn('ports', 'what is really open cannot be told here; on Linux, run it as the gateway’s user')
  const wanted = flowsOf(settings, {}).filter(({ direction }) => direction === 'in')
  const isWanted = ({ address, port }: { address: string; port: number }): boolean =>
    wanted.some(
      (flow) => (flow.host === 'localhost' || flow.host === address) && (flow.port === 0 || flow.port === port),
    )
  const others = open.filter((each) => !isWanted(each))
  for (const { address, port } of others)
    yield bad('ports', `it listens on ${address} port ${port}, which no setting says; restart it with these settings`)
  if (others.length === 0) {
    const list = open.map(({ address, port }) => `${address}:${port}`).join(', ')
    yield ok('ports', `open are those of the settings and no others: ${list}`)
  }
}

export function* ofCertificates(settings: Settings): Findings {
  const all = endings(settings)
  for (const { key, name, until } of all)
    yield ok('certificates', `${key}: ${name}, until ${until.toISOString().slice(0, 10)}`)
  if (all.length === 0) yield ok('certificates', 'none is used: everything listens on this machine')
}

/** `last`: the newest entry of a backup in the audit. */
export function* ofBackup(last: AuditEntry | undefined, now: bigint): Findings {
  const at = timestampNs(last?.at)
  if (!last || at === undefined)
    return yield warn('backup', 'the audit knows of none; run tocsin backup FOLDER to another disk, each night')
  const ageMs = Number(now - at) / 1e6
  const where = last.object ? ` to ${last.object}` : ''
  if (last.type === SystemEventType.BACKUP_FAILED)
    yield bad('backup', `the last one${where} failed ${spanText(ageMs)} ago: ${last.text ?? ''}`)
  else if (ageMs > backupAgeMsMax)
    yield warn('backup', `the last one${where} is ${spanText(ageMs)} old; run tocsin backup each night`)
  else yield ok('backup', `the last one${where} was made ${spanText(ageMs)} ago`)
}
