// The quarantine: what was refused, why, and what to do; and its reading again after a fix.

import type {
  Frame,
  ListRefusalsRequest,
  ReplayRefusalsRequest,
  ReplayRefusalsResponse,
} from '../../proto/generated/types.ts'
import { Fate } from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { timestamp, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { idText } from '../ids.ts'
import { adviceFor, carriedAdvice, faults } from '../refusal-advice.ts'
import { type Command, type Given, UsageError, wholeNumber } from './command.ts'
import { connect, type Connection, connectionOptions } from './connection.ts'
import { nameOf } from './event-summary.ts'
import { idOf, printFrame } from './events.ts'
import { adapterNames } from './filter-options.ts'
import { createProgress } from './progress.ts'
import { counted, pad, safe, safeJson, type Terminal } from './terminal.ts'
import { parseTime, stampText } from './time.ts'

const limitDefault = 20
const limitMax = 1_000_000
const pageSizeMax = 1_000
/** Ids that fit into one request below its limit of 1 MB, with room. */
const idsMax = 10_000
const frameCodec = codec('tocsin.v1.Frame')

export const refusals: Command = {
  name: 'refusals',
  usage: '[options] | --replay (ID… | --all) [options]',
  about: 'Shows what was refused and why, or reads it again after a fix.',
  options: {
    reason: {
      value: 'FAULT',
      many: true,
      of: () => faults,
      about: 'Only this kind of fault, such as syntax, range, forbidden.',
    },
    topic: { value: 'FILTER', many: true, about: 'Only these MQTT topics, with + and #.' },
    adapter: { value: 'NAME', many: true, of: adapterNames, about: 'Only of these adapters.' },
    sender: { value: 'NAME', many: true, about: 'Only of these senders, such as mqtt:gauge-7.' },
    from: { value: 'TIME', about: 'Received at or after this time.' },
    to: { value: 'TIME', about: 'Received before this time.' },
    limit: { value: 'N', about: `At most so many; default ${limitDefault}.` },
    carried: { about: 'Instead: what came on topics that no adapter read, and that one may read by now.' },
    replayed: { about: 'Also those that were read again since.' },
    raw: { about: 'Also the messages, byte for byte.' },
    json: { about: 'One line of JSON for each.' },
    replay: { about: 'Reads the frames named by their IDs again, or with --all those that the other options name.' },
    all: { about: 'With --replay: all that match.' },
    'dry-run': { about: 'With --replay: says what would come of it, and changes nothing.' },
    ...connectionOptions,
  },
  wordsMax: idsMax,
  examples: [
    ['tocsin refusals', 'The last 20, each with what to do about it.'],
    [
      'tocsin refusals --reason syntax --topic "tocsin/in/json/#" --raw',
      'What a mapping could not read, with the bytes.',
    ],
    [
      'tocsin refusals --replay --all --adapter json --dry-run',
      'What would come of them with the mapping as it is now.',
    ],
  ],
  async run(given, terminal) {
    const ids = given.words.map(idOf)
    const connection = connect(given)
    try {
      if (given.flag('replay')) return await replay(connection, given, ids, terminal)
      if (ids.length > 0) throw new UsageError('an ID belongs to --replay; tocsin fate ID shows one')
      return await list(connection, given, terminal)
    } finally {
      connection.close()
    }
  },
}

function matching(given: Given): ListRefusalsRequest {
  const [from, to] = [given.text('from'), given.text('to')]
  return {
    faults: [...given.texts('reason')],
    channels: [...given.texts('topic')],
    adapters: [...given.texts('adapter')],
    senders: [...given.texts('sender')],
    includeReplayed: given.flag('replayed'),
    carried: given.flag('carried'),
    ...(from !== undefined && { from: timestamp(parseTime(from, 'from')) }),
    ...(to !== undefined && { to: timestamp(parseTime(to, 'to')) }),
  }
}

async function list(connection: Connection, given: Given, terminal: Terminal): Promise<number> {
  const limit = wholeNumber(given, 'limit', 1, limitMax) ?? limitDefault
  const isRaw = given.flag('raw')
  const request = { ...matching(given), includePayload: isRaw || given.flag('json') }
  let left = limit
  let pageToken = new Uint8Array()
  do {
    const pageSize = Math.min(left, pageSizeMax)
    const page = await connection.call('AdminService/ListRefusals', { ...request, pageSize, pageToken })
    for (const bytes of (page.frames ?? []).slice(0, left)) {
      left -= 1
      const frame = frameCodec.decode(bytes)
      if (given.flag('json')) terminal.print(safeJson(frameCodec.toJson(frame)))
      else printRefusal(frame, isRaw, terminal)
    }
    pageToken = new Uint8Array(page.nextPageToken ?? [])
  } while (left > 0 && pageToken.length > 0)
  const nothing = given.flag('carried')
    ? 'nothing that was carried matches'
    : 'the quarantine holds nothing that matches'
  if (left === limit) terminal.tell(nothing)
  else if (left === 0 && pageToken.length > 0)
    terminal.tell(`${counted(limit, 'refusal')}; there are more, see --limit`)
  return 0
}

function printRefusal(frame: Frame, isRaw: boolean, terminal: Terminal): void {
  const { print, paint } = terminal
  const { fault = '', why = '', channel = '', sender = '', adapter = '', replayFate } = frame
  const at = timestampNs(frame.receivedAt) ?? 0n
  const again = timestampNs(frame.replayedAt)
  const isCarried = frame.fate === Fate.CARRIED
  const row = (name: string, text: string): void => print(`  ${paint('dim', pad(name, 9))}${text}`)
  print(
    `${paint('dim', stampText(at))}  ${paint(['red', 'bold'], pad(safe(fault || (isCarried ? 'carried' : 'refused')), 11))}  ${safe(why)}`,
  )
  row('came by', `${safe(channel || '–')} from ${safe(sender || '–')}${adapter ? `, read by ${safe(adapter)}` : ''}`)
  row('to do', isCarried ? carriedAdvice : adviceFor(fault))
  if (frame.id?.length) row('frame', idText(frame.id))
  if (again !== undefined) row('replayed', `${stampText(again)}: ${nameOf(Fate, replayFate)}`)
  if (isRaw) printFrame(frame, terminal)
  print('')
}

async function replay(connection: Connection, given: Given, ids: readonly Uint8Array[], terminal: Terminal) {
  const isAll = given.flag('all')
  if (isAll === ids.length > 0) throw new UsageError('--replay needs the IDs of frames, or --all')
  const dryRun = given.flag('dry-run')
  const request: ReplayRefusalsRequest = isAll ? { matching: matching(given), dryRun } : { frameIds: [...ids], dryRun }
  const progress = createProgress(dryRun ? 'trying' : 'replaying', (count) => counted(count, 'frame'))
  const last = await lastOf(connection, request, (answer) => progress.at(toNumber(answer.read), toNumber(answer.total)))
  progress.end()
  const { stored, refused, duplicate, ignored } = last
  const [read, total] = [toNumber(last.read), toNumber(last.total)]
  const verb = dryRun ? 'would be' : 'are now'
  terminal.print(
    `${counted(read, 'frame')} read again: ${toNumber(stored)} ${verb} stored, ${toNumber(refused)} refused again, ` +
      `${toNumber(duplicate)} here before, ${toNumber(ignored)} without an event`,
  )
  if (read < total) terminal.tell(`the replay ended before its end: ${total - read} were not read`)
  return toNumber(refused) > 0 || read < total ? 1 : 0
}

function lastOf(
  connection: Connection,
  request: ReplayRefusalsRequest,
  tell: (answer: ReplayRefusalsResponse) => void,
): Promise<ReplayRefusalsResponse> {
  return new Promise((resolve, reject) => {
    let last: ReplayRefusalsResponse = {}
    const stream = connection.open('AdminService/ReplayRefusals', request)
    stream.on('data', (answer: ReplayRefusalsResponse) => {
      last = answer
      tell(answer)
    })
    stream.on('error', (error) => reject(connection.explain(error)))
    stream.on('end', () => resolve(last))
  })
}
