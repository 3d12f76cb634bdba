// The waiting room: devices that nobody has admitted, with what they send and from where; and the decision about them.

import type { WaitingDevice } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { type Column, printColumns } from './columns.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { counted, safe, safeJson, type Terminal } from './terminal.ts'
import { stampText } from './time.ts'

const actions = ['waiting', 'admit', 'block', 'list'] as const
const deviceCodec = codec('tocsin.v1.WaitingDevice')

export const devices: Command = {
  name: 'devices',
  usage: '[waiting [PREFIX]] | admit|block NAME [--behind PRINCIPAL] | list [PREFIX]',
  about: 'Shows devices that nobody knows, with what they send and from where; admits or blocks them.',
  options: {
    behind: {
      value: 'PRINCIPAL',
      about: 'Behind which principal it stands, such as system:chirpstack; "unknown" for one with a certificate.',
    },
    json: { about: 'With waiting and list: one line of JSON for each.' },
    ...connectionOptions,
  },
  wordsMax: 2,
  wordOf: () => actions,
  examples: [
    ['tocsin devices', 'Who waits, what each says, from where, since when.'],
    ['tocsin devices admit urn:dev:mac:70b3d57ed0067001', 'What waits of it goes on its way, then what it sends.'],
    ['tocsin devices admit "urn:dev:mac:70b3d5*"', 'All that wait and begin so.'],
    ['tocsin devices block urn:dev:mac:00000000deadbeef', 'Refused from now on; what it said stays in quarantine.'],
  ],
  async run(given, terminal) {
    const [action = 'waiting', name] = given.words
    const connection = connect(given)
    try {
      if (action === 'waiting' || action === 'list') {
        return await list(connection, given, action === 'list', name ?? '', terminal)
      }
      if (action !== 'admit' && action !== 'block') throw new UsageError(`${action} is none of ${actions.join(', ')}`)
      if (name === undefined)
        throw new UsageError(`say which: tocsin devices ${action} NAME; tocsin devices lists them`)
      return await decide(connection, given, action, name, terminal)
    } finally {
      connection.close()
    }
  },
}

async function decide(
  connection: Connection,
  given: Given,
  action: 'admit' | 'block',
  device: string,
  { print }: Terminal,
): Promise<number> {
  const request = { device, principal: given.text('behind') ?? '' }
  if (action === 'admit') {
    const answer = await connection.call('AdminService/AdmitDevice', request)
    const messages = counted(toNumber(answer.messages), 'message')
    print(`${counted(answer.devices ?? 0, 'device')} admitted; ${messages} on their way`)
  } else {
    const answer = await connection.call('AdminService/BlockDevice', request)
    const messages = counted(toNumber(answer.messages), 'message')
    print(`${counted(answer.devices ?? 0, 'device')} blocked; ${messages} kept in quarantine`)
  }
  return 0
}

async function list(
  connection: Connection,
  given: Given,
  decided: boolean,
  devicePrefix: string,
  terminal: Terminal,
): Promise<number> {
  const found: WaitingDevice[] = []
  let [dropped, unlisted] = [0, 0]
  let pageToken: Uint8Array | undefined
  do {
    const page = await connection.call('AdminService/ListWaiting', {
      devicePrefix,
      principal: given.text('behind') ?? '',
      decided,
      pageSize: 1_000,
      ...(pageToken && { pageToken }),
    })
    found.push(...(page.devices ?? []))
    dropped = toNumber(page.dropped)
    unlisted = toNumber(page.unlisted)
    pageToken = page.nextPageToken?.length ? page.nextPageToken : undefined
  } while (pageToken)
  if (given.flag('json')) for (const each of found) terminal.print(safeJson(deviceCodec.toJson(each)))
  else if (found.length === 0) terminal.tell(decided ? 'no device was admitted or blocked' : 'no device waits')
  else if (decided) printColumns(found, decidedColumns, terminal)
  else printColumns(found.toSorted(urgentFirst), waitingColumns, terminal)
  if (dropped > 0) terminal.tell(`${counted(dropped, 'routine message')} let go, since too many waited`)
  if (unlisted > 0)
    terminal.tell(`${counted(unlisted, 'urgent message')} of devices for which the list has no room yet`)
  return 0
}

const urgentFirst = (a: WaitingDevice, b: WaitingDevice): number =>
  Number(toNumber(b.urgent) > 0) - Number(toNumber(a.urgent) > 0)

const name: Column<WaitingDevice> = { head: 'device', text: ({ device = '' }) => safe(device) }
const behind: Column<WaitingDevice> = { head: 'behind', text: ({ principal = '' }) => safe(principal) }
const stamp = (at: bigint | undefined): string => (at === undefined ? '' : stampText(at))

const waitingColumns: readonly Column<WaitingDevice>[] = [
  name,
  {
    head: 'urgent',
    right: true,
    text: ({ urgent }) => (toNumber(urgent) > 0 ? String(toNumber(urgent)) : ''),
  },
  { head: 'messages', right: true, text: ({ messages }) => String(toNumber(messages)) },
  { head: 'first', text: ({ firstSeen }) => stamp(timestampNs(firstSeen)) },
  { head: 'last', text: ({ lastSeen }) => stamp(timestampNs(lastSeen)) },
  behind,
  { head: 'from', text: ({ addresses = [] }) => safe(addresses.join(' ')) },
  { head: 'topics', text: ({ topics = [] }) => safe(topics.slice(0, 2).join(' ') + (topics.length > 2 ? ' …' : '')) },
  { head: 'format', text: ({ adapter = '' }) => safe(adapter) },
  { head: 'says', text: ({ says = '' }) => safe(says) },
]

const decidedColumns: readonly Column<WaitingDevice>[] = [
  name,
  behind,
  { head: '', text: ({ admitted }) => (admitted ? 'admitted' : 'blocked') },
  { head: 'since', text: ({ decidedAt }) => stamp(timestampNs(decidedAt)) },
]
