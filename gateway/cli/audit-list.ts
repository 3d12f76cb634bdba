// `tocsin audit list`: asks a running gateway, newest first.

import type { AuditEntry, ListAuditRequest } from '../../proto/generated/types.ts'
import { AuditOutcome } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { timestamp, timestampNs } from '../../proto/time.ts'
import { logEventOf, outcomeWord } from '../audit/log-event.ts'
import { type Given, UsageError, wholeNumber } from './command.ts'
import { connect } from './connection.ts'
import { pad, safe, safeJson, type Terminal } from './terminal.ts'
import { parseTime, stampText } from './time.ts'

const limitDefault = 50
const limitMax = 1_000_000
const pageSizeMax = 1_000
const outcomes: Readonly<Record<string, ListAuditRequest['outcomes']>> = {
  done: [AuditOutcome.DONE],
  denied: [AuditOutcome.DENIED],
  failed: [AuditOutcome.FAILED],
}

export async function listAudit(given: Given, terminal: Terminal): Promise<number> {
  const limit = wholeNumber(given, 'limit', 1, limitMax) ?? limitDefault
  const request = requestOf(given)
  const connection = connect(given)
  try {
    let left = limit
    let pageToken = new Uint8Array()
    do {
      const pageSize = Math.min(left, pageSizeMax)
      const page = await connection.call('AdminService/ListAudit', { ...request, pageSize, pageToken })
      for (const entry of (page.entries ?? []).slice(0, left)) {
        left -= 1
        if (given.flag('json')) terminal.print(safeJson(logEventOf(entry)))
        else printEntry(entry, terminal)
      }
      pageToken = new Uint8Array(page.nextPageToken ?? [])
    } while (left > 0 && pageToken.length > 0)
    if (left === limit) terminal.tell('the audit holds nothing that matches')
    else if (left === 0 && pageToken.length > 0) {
      terminal.tell(`the newest ${limit} are shown; there are more, see --limit`)
    }
    return 0
  } finally {
    connection.close()
  }
}

function requestOf(given: Given): ListAuditRequest {
  const [from, to] = [given.text('from'), given.text('to')]
  return {
    principal: given.text('principal') ?? '',
    actions: [...given.texts('action')],
    outcomes: given.texts('outcome').flatMap((name) => {
      const found = outcomes[name]
      if (!found) throw new UsageError(`--outcome must be done, denied or failed; it is "${name}"`)
      return found
    }),
    addressPrefix: given.text('address') ?? '',
    ...(from !== undefined && { from: timestamp(parseTime(from, 'from')) }),
    ...(to !== undefined && { to: timestamp(parseTime(to, 'to')) }),
  }
}

const colours = { done: 'green', denied: 'red', failed: 'yellow', unspecified: 'dim' } as const

function printEntry(entry: AuditEntry, { print, paint }: Terminal): void {
  const outcome = outcomeWord(entry.outcome)
  const count = toNumber(entry.count)
  const { principal = '', address = '', action = '', object = '', text = '' } = entry
  const times = count > 0 ? ` × ${count}` : ''
  const who = [safe(principal || '–'), address && safe(address)].filter((part) => part !== '').join(' from ')
  print(
    `${paint('dim', stampText(timestampNs(entry.at) ?? 0n))}  ${paint(colours[outcome as keyof typeof colours] ?? 'dim', pad(outcome, 6))}  ` +
      `${pad(safe(action) + times, 24)}  ${who}${object ? `  ${safe(object)}` : ''}`,
  )
  if (text) print(`${' '.repeat(33)}${paint('dim', safe(text))}`)
}
