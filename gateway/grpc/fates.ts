// What became of a message: looked for among the last fates of this process, which know of duplicates and of what was not taken,
// and in the log, which knows of all that was kept. Nothing is told of a frame to one who may see nothing of it.

import { Fate } from '../../proto/generated/types.ts'
import type { Frame, FrameFate, GetFateRequest, RecordPlace } from '../../proto/generated/types.ts'
import { GatewayError } from '../../proto/errors.ts'
import { timestamp, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { type Accounting, type RecentFate, wireFate } from '../accounting.ts'
import type { Lane, Log, StoredRecord } from '../log/log.ts'
import { Lane as WireLane } from '../../proto/generated/types.ts'
import type { View } from './access.ts'

export type RecentFates = Pick<Accounting, 'recent'>

export interface FateParts {
  readonly log: Log
  readonly recentFates: RecentFates
}

const fatesMax = 100
const idBytes = 16
const eventCodec = codec('tocsin.v1.Event')

export function findFates(parts: FateParts, request: GetFateRequest, view: View): FrameFate[] {
  if (request.of === 'id') return byId(parts, request.id, view)
  if (request.of === 'channel' && request.channel) {
    return byChannel(parts, request.channel, Math.min(request.limit || 1, fatesMax), view)
  }
  throw new GatewayError('invalid_argument', 'Name the message: set id (an event or a frame, 16 bytes) or channel.')
}

function byId({ log, recentFates }: FateParts, id: Uint8Array, view: View): FrameFate[] {
  if (id.length !== idBytes) {
    throw new GatewayError('invalid_argument', `id must be ${idBytes} bytes; it is ${id.length}.`)
  }
  const record = log.findEvent(id)
  const frameId = record?.frameId ?? id
  const frame = log.findFrame(frameId)
  if (frame) return present(frameFate(log, frame, view))
  // The frame is gone before its records: they have retentions of their own.
  if (record) return present(recordFate(record, view))
  return recentFates
    .recent((fate) => equal(fate.frameId, id), 1)
    .filter(() => view.everything)
    .map(recentFate)
}

function byChannel({ log, recentFates }: FateParts, channel: string, limit: number, view: View): FrameFate[] {
  const kept = log.frames({ channel, limit }).flatMap((frame) => present(frameFate(log, frame, view)))
  const keptIds = new Set(kept.map(({ frameId }) => hex(frameId)))
  const recent = recentFates
    .recent((fate) => fate.channel === channel, limit)
    .filter((fate) => view.everything && !keptIds.has(hex(fate.frameId)))
    .map(recentFate)
  return [...kept, ...recent].toSorted(newestFirst).slice(0, limit)
}

function newestFirst(a: FrameFate, b: FrameFate): number {
  const [aAt, bAt] = [timestampNs(a.receivedAt) ?? 0n, timestampNs(b.receivedAt) ?? 0n]
  return aAt < bAt ? 1 : aAt > bAt ? -1 : 0
}

function frameFate(log: Log, frame: Frame, view: View): FrameFate | undefined {
  const { id = new Uint8Array(), receivedAt, channel = '', sender = '', adapter = '' } = frame
  // What waits is shown in the waiting room only.
  if (frame.fate === Fate.WAITING && !view.everything) return undefined
  const records = log.findFrameRecords(id, timestampNs(receivedAt) ?? 0n)
  const readable = records.filter((record) => view.shown(record) !== undefined)
  if (readable.length === 0 && (records.length > 0 || !view.mayReadFrame(frame))) return undefined
  const settledAt = records[0] ? timestamp(records[0].loggedAt) : receivedAt
  return {
    frameId: id,
    fate: frame.fate ?? Fate.UNSPECIFIED,
    fault: frame.fault ?? '',
    why: frame.why ?? '',
    ...(receivedAt && { receivedAt }),
    ...(settledAt && { settledAt }),
    places: readable.map(placeOf),
    channel,
    sender,
    adapter,
    warnings: frame.warnings ?? [],
  }
}

function recordFate(record: StoredRecord, view: View): FrameFate | undefined {
  if (!view.shown(record)) return undefined
  const { topic = '', sender = '', adapter = '' } = record.header
  const settledAt = timestamp(record.loggedAt)
  const places = [placeOf(record)]
  return { frameId: record.frameId, fate: Fate.STORED, settledAt, places, channel: topic, sender, adapter }
}

const wireLane: Readonly<Record<Lane, WireLane>> = { urgent: WireLane.URGENT, routine: WireLane.ROUTINE }

function placeOf(record: StoredRecord): RecordPlace {
  const { lane, sequence, removed, event } = record
  const eventId = removed ? undefined : eventCodec.decode(event).id
  return { lane: wireLane[lane], sequence, ...(eventId && { eventId }) }
}

/** Its labels are not known here, so it is told only to those from whom nothing is withheld. */
function recentFate(recent: RecentFate): FrameFate {
  const { frameId, fate, fault = '', why = '', receivedAt, settledAt, channel, sender, adapter } = recent
  return {
    frameId,
    fate: wireFate[fate],
    fault,
    why,
    receivedAt: timestamp(receivedAt),
    ...(settledAt !== undefined && { settledAt: timestamp(settledAt) }),
    channel,
    sender,
    adapter,
  }
}

const present = <Value>(value: Value | undefined): Value[] => (value === undefined ? [] : [value])
const hex = (id: Uint8Array | undefined): string => Buffer.from(id ?? []).toString('hex')
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
