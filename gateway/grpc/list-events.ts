// Pages of records by time, oldest or newest first: the two lanes merged by the time of logging. A page costs a bounded part of
// the gateway's time, so a selective filter may get a short page, even an empty one, with a token to go on from.

import { setImmediate as breathe } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { ListEventsRequest } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestampNs } from '../../proto/time.ts'
import type { Lane, LanePosition, Log, StoredRecord } from '../log/log.ts'
import type { View } from './access.ts'
import { passing } from './batches.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { compileFilter, type CompiledFilter } from './filter.ts'
import { joinParts, lengthTag, type Part } from './message-bytes.ts'

const pageSizeDefault = 100
const pageSizeMax = 1_000
/** Clients take 4 MB unless told otherwise. */
const pageBytesMax = 2 << 20
/** Records looked at for one page. */
const scanMax = 100_000
/** Records looked at before others get their turn: about a millisecond's worth. */
const chunkRecords = 500
const chunkBytes = 1 << 20

const pageTag = { records: lengthTag(1), nextPageToken: lengthTag(2) }

export async function listEvents({ log }: { log: Log }, request: ListEventsRequest, view: View): Promise<Buffer> {
  const filter = compileFilter(request.filter)
  const from = timestampNs(request.from)
  const to = timestampNs(request.to)
  const range = {
    after: from === undefined ? oldest(log) : log.before(from),
    through: to === undefined ? { ...log.head } : log.before(to),
  }
  const size = Math.min(request.pageSize || pageSizeDefault, pageSizeMax)
  const seal = sealOf(request, filter)
  const start = request.pageToken?.length ? openToken(log, request.pageToken, seal) : undefined
  const walk = request.newestFirst ? backward(log, filter, range, start) : forward(log, filter, range, start)
  const page = await gather(walk, (record) => passing({ filter, view }, record), size)
  const parts: Part[] = page.records.map(({ bytes }) => ({ tag: pageTag.records, bytes }))
  if (page.hasMore) parts.push({ tag: pageTag.nextPageToken, bytes: sealedToken(log, walk.place(), seal) })
  return joinParts(parts)
}

/** Records in order; `place` is where to go on after those that were taken. */
interface Walk {
  next(): StoredRecord | undefined
  place(): LanePosition
}

async function gather(walk: Walk, shownOf: (record: StoredRecord) => StoredRecord | undefined, size: number) {
  const records: StoredRecord[] = []
  let bytes = 0
  for (let scanned = 1; scanned <= scanMax; scanned++) {
    const record = walk.next()
    if (!record) return { records, hasMore: false }
    const shown = shownOf(record)
    if (shown) {
      records.push(shown)
      bytes += shown.bytes.length
    }
    if (records.length >= size || bytes >= pageBytesMax) break
    if (scanned % chunkRecords === 0) await breathe()
  }
  return { records, hasMore: true }
}

interface Range {
  readonly after: LanePosition
  readonly through: LanePosition
}

const oldest = (log: Log): LanePosition => ({ urgent: log.oldest.urgent - 1, routine: log.oldest.routine - 1 })

function forward(log: Log, filter: CompiledFilter, { after, through }: Range, start: LanePosition | undefined): Walk {
  const place = { urgent: start?.urgent ?? after.urgent, routine: start?.routine ?? after.routine }
  const read = { ...place }
  const ahead: Record<Lane, StoredRecord[]> = { urgent: [], routine: [] }
  const fill = (lane: Lane): void => {
    while (ahead[lane].length === 0 && read[lane] < through[lane] && filter.lanes.includes(lane)) {
      const slice = log.read(lane, read[lane], { records: chunkRecords, bytes: chunkBytes })
      if (!slice) return
      read[lane] = slice.through
      ahead[lane] = slice.records.filter(({ sequence }) => sequence <= through[lane]).toReversed()
    }
  }
  return {
    next() {
      const record = takeOf(ahead, fill, (a, b) => a.loggedAt <= b.loggedAt)
      if (record) place[record.lane] = record.sequence
      return record
    },
    place: () => place,
  }
}

function backward(log: Log, filter: CompiledFilter, { after, through }: Range, start: LanePosition | undefined): Walk {
  // Here a place is the last sequence that was not taken yet.
  const place = { urgent: start?.urgent ?? through.urgent, routine: start?.routine ?? through.routine }
  const least = {
    urgent: Math.max(after.urgent, oldest(log).urgent),
    routine: Math.max(after.routine, oldest(log).routine),
  }
  const read = { ...place }
  const ahead: Record<Lane, StoredRecord[]> = { urgent: [], routine: [] }
  const fill = (lane: Lane): void => {
    while (ahead[lane].length === 0 && read[lane] > least[lane] && filter.lanes.includes(lane)) {
      const end = read[lane]
      const begin = Math.max(least[lane], end - chunkRecords)
      ahead[lane] = between(log, lane, begin, end)
      read[lane] = begin
    }
  }
  return {
    next() {
      const record = takeOf(ahead, fill, (a, b) => a.loggedAt > b.loggedAt)
      if (record) place[record.lane] = record.sequence - 1
      return record
    },
    place: () => place,
  }
}

/** All records in (begin, end], oldest first. */
function between(log: Log, lane: Lane, begin: number, end: number): StoredRecord[] {
  const records: StoredRecord[] = []
  for (let at = begin; at < end;) {
    const slice = log.read(lane, at, { records: end - at, bytes: chunkBytes })
    if (!slice) break
    for (const record of slice.records) if (record.sequence <= end) records.push(record)
    at = slice.through
  }
  return records
}

/** Takes the last of one lane's stack: of the lane whose record `goesFirst`. */
function takeOf(
  ahead: Record<Lane, StoredRecord[]>,
  fill: (lane: Lane) => void,
  goesFirst: (urgent: StoredRecord, routine: StoredRecord) => boolean,
): StoredRecord | undefined {
  fill('urgent')
  fill('routine')
  const [urgent, routine] = [ahead.urgent.at(-1), ahead.routine.at(-1)]
  if (urgent && (!routine || goesFirst(urgent, routine))) return ahead.urgent.pop()
  return ahead.routine.pop()
}

/** A token holds for the request it was given for. */
const sealOf = (request: ListEventsRequest, filter: CompiledFilter): number =>
  crc32(`${filter.key} ${timestampNs(request.from)} ${timestampNs(request.to)} ${request.newestFirst ?? false}`)

function sealedToken(log: Log, bookmark: LanePosition, seal: number): Buffer {
  const loggedAt = { urgent: BigInt(seal), routine: 0n }
  return encodeCursor({ epoch: log.epoch, bookmark, loggedAt, inSnapshot: false })
}

function openToken(log: Log, token: Uint8Array, seal: number): LanePosition {
  const { epoch, bookmark, loggedAt } = decodeCursor(token, 'page_token')
  if (epoch === log.epoch && loggedAt.urgent === BigInt(seal)) return bookmark
  const text =
    'page_token belongs to another request, or to the log before it was restored: ask for the first page again.'
  throw new GatewayError('invalid_argument', text)
}
