// How the gateway is: what it received and what became of it, how far its log and its readers are, what is wrong now.

import { Fate, Lane } from '../../proto/generated/types.ts'
import type { BookmarkStatus, GetStatusResponse } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { durationMs, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import type { Command } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { nameOf } from './event-summary.ts'
import { bytesText } from './progress.ts'
import { pad, safe, safeJson, type Terminal } from './terminal.ts'
import { spanText } from './time.ts'

/** Refusals are counted among the newest so many. */
const refusalsMax = 1_000
const frameCodec = codec('tocsin.v1.Frame')
const statusCodec = codec('tocsin.v1.GetStatusResponse')

export const status: Command = {
  name: 'status',
  usage: '[options]',
  about: 'Says how the gateway is, and what is wrong now.',
  options: { json: { about: 'As JSON.' }, ...connectionOptions },
  wordsMax: 0,
  examples: [],
  async run(given, terminal) {
    const connection = connect(given)
    try {
      const state = await connection.call('AdminService/GetStatus', {})
      if (given.flag('json')) {
        terminal.print(safeJson(statusCodec.toJson(state)))
        return 0
      }
      const { bookmarks = [] } = await connection.call('AdminService/ListBookmarks', {})
      printState(state, terminal)
      printReaders(bookmarks, terminal)
      await printRefusals(connection, terminal)
      printUnknownQuantities(state, terminal)
      printAlarms(state, terminal)
      return 0
    } finally {
      connection.close()
    }
  },
}

const nameColumns = 11
const count = (value: number): string => value.toLocaleString('en-US')

function printState(state: GetStatusResponse, { print, paint }: Terminal): void {
  const row = (name: string, text: string): void => print(`${paint('dim', pad(name, nameColumns))}${text}`)
  const [now, startedAt] = [timestampNs(state.now) ?? 0n, timestampNs(state.startedAt) ?? 0n]
  const upMs = Number(now - startedAt) / 1e6
  const { gateway = '', jurisdiction = '', version = '' } = state
  row('gateway', `${safe(gateway)} of ${safe(jurisdiction)}, version ${safe(version)}, up for ${spanText(upMs)}`)
  const received = toNumber(state.received)
  const perSecond = upMs > 0 ? (received / upMs) * 1_000 : 0
  const fates = (state.fates ?? []).map((each) => `${count(toNumber(each.count))} ${nameOf(Fate, each.fate)}`)
  row(
    'frames',
    `${count(received)} received (${perSecond.toFixed(1)}/s): ${[...fates, `${toNumber(state.pending)} pending`].join(', ')}`,
  )
  for (const lane of state.lanes ?? []) {
    const [head, oldest] = [toNumber(lane.head), toNumber(lane.oldest)]
    const kept = oldest > head ? 'none kept' : `${count(oldest)} to ${count(head)}`
    row(nameOf(Lane, lane.lane), kept)
  }
  const [free, total] = [toNumber(state.diskFreeBytes), toNumber(state.diskTotalBytes)]
  if (total > 0) row('disk', `${bytesText(free)} free of ${bytesText(total)}`)
  const offsetMs = durationMs(state.clockOffset)
  row('clock', offsetMs === undefined ? 'not measured (see clock.sntp_servers)' : offsetText(offsetMs))
}

const offsetText = (ms: number): string =>
  `${Math.abs(ms).toFixed(1)} ms ${ms < 0 ? 'behind' : 'ahead of'} its time servers`

function printReaders(bookmarks: readonly BookmarkStatus[], { print, paint }: Terminal): void {
  for (const { reader = '', urgentLag, routineLag, lagAge, problem, connected } of bookmarks) {
    const waiting = toNumber(urgentLag) + toNumber(routineLag)
    const age = durationMs(lagAge)
    const lag =
      waiting === 0
        ? 'has all'
        : `${count(waiting)} wait${age === undefined ? '' : `, the oldest for ${spanText(age)}`}`
    const trouble = problem ? `; ${paint('red', safe(problem))}` : connected ? '' : '; not running'
    print(`${paint('dim', pad('reader', nameColumns))}${safe(reader)}: ${lag}${trouble}`)
  }
}

async function printRefusals(connection: Connection, { print, paint }: Terminal): Promise<void> {
  const page = await connection.call('AdminService/ListRefusals', { pageSize: refusalsMax })
  const faults = new Map<string, number>()
  for (const bytes of page.frames ?? []) {
    const { fault = 'other' } = frameCodec.decode(bytes)
    faults.set(fault, (faults.get(fault) ?? 0) + 1)
  }
  const rest = page.nextPageToken?.length ? ', of the newest' : ''
  const listed = [...faults].map(([fault, number]) => `${number} ${safe(fault)}`).join(', ')
  print(
    `${paint('dim', pad('quarantine', nameColumns))}${listed === '' ? 'empty' : `${listed}${rest} (tocsin refusals)`}`,
  )
}

function printUnknownQuantities({ unknownQuantities = [] }: GetStatusResponse, { print, paint }: Terminal): void {
  for (const { adapter = '', measurements, names = [] } of unknownQuantities) {
    const listed = `${count(toNumber(measurements))} measurements: ${names.map(safe).join(', ')}`
    print(`${paint('dim', pad('unknown', nameColumns))}quantities of ${safe(adapter)}, ${listed}`)
  }
}

function printAlarms({ alarms = [] }: GetStatusResponse, { print, paint }: Terminal): void {
  for (const { code = '', text = '' } of alarms) {
    print(`${paint(['red', 'bold'], pad('ALARM', nameColumns))}${safe(code)}: ${safe(text)}`)
  }
}
