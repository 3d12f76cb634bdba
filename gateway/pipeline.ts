// The way in, on one screen: decode, normalise, validate, permit, append; the answer is the frame's fate. Read this file first.

import type { Decoded, EventDraft, Frame } from '../adapters/adapter.ts'
import { encodeEvent } from '../proto/generated/encode.ts'
import { Authenticity, Fate as StoredFate, Flag, Label } from '../proto/generated/types.ts'
import type { Event, Frame as KeptFrame } from '../proto/generated/types.ts'
import { timestamp, timestampNs } from '../proto/time.ts'
import { codec } from '../proto/wire.ts'
import type { Accounting } from './accounting.ts'
import { clockWarning } from './clock-faults.ts'
import type { Clock } from './clock.ts'
import { guardedSubject } from './devices/guarded-subject.ts'
import { saysOf } from './devices/says.ts'
import { encodedRestOf } from './frame-rest.ts'
import { Given, inputOf } from './given.ts'
import type { Ids } from './ids.ts'
import type { ClockFault, Receive, RefusalFault, Sender, Take, ToldFate, Transport } from './inputs/receive.ts'
import { kindOf, laneOf, retentionOf } from './lane.ts'
import type { Log, NewRecord } from './log/log.ts'
import { type Site, normalise } from './normalise.ts'
import { labelsMask, maskOf, propertiesOf, recordHeader } from './record-header.ts'
import type { UnknownQuantities } from './quantities.ts'
import type { Route, Routes } from './routes.ts'
import { type ShapedRecord, type Shapes, createShapes } from './shapes.ts'
import { eventBytesMax, validate } from './validate.ts'

/** What the pipeline needs of the house; tests pass their own. */
export interface PipelineParts {
  readonly routes: Routes
  readonly log: Log
  readonly ids: Ids
  readonly clock: Clock
  readonly accounting: Accounting
  /** Why this sender may not say this; undefined: it may. */
  mayPublish(sender: Sender, event: Event): string | undefined
  /** Whether an event of this id is in the log; asked only for events that say they came from here. */
  isKnown(id: Uint8Array): boolean
  /** Counts measurements of quantities that the registry does not have. */
  readonly unknownQuantities?: UnknownQuantities
  /** What to say of a channel that no adapter reads; tells the operator once for each kind of them. */
  whyUnread(channel: string): string
  /** A sender with its guard, where that is not looked for once for each connection. */
  guarded?(sender: Sender): Sender
  /** Hears of each frame that waits for its device, before it is given to the log and when that has answered. */
  readonly waiting?: WaitingFrames
  /** Tells the operator of a device whose clock is wrong, however often it is called. */
  clockFaulty?(fault: ClockFault, sender: string, topic: string): void
  /** An adapter threw: a bug of ours. The frame is kept in quarantine; this tells the operator. */
  adapterFailed(adapter: string, error: unknown): void
}

export interface WaitingFrames {
  entering(sender: Sender, frame: KeptFrame): void
  /** With its number in the log; undefined: it is not there, or was before. */
  entered(sender: Sender, frame: KeptFrame, number: number | undefined): void
}

export interface Pipeline {
  readonly take: Take
  readonly receive: Receive
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { routes, log, ids, accounting } = parts
  const shapes = createShapes(parts)

  function take(sender: Sender, frame: Frame, transport: Transport | undefined, told: ToldFate): void {
    const frameId = transport?.frameId ?? ids.next(frame.receivedAt)
    const route = routes.find(frame.channel, transport?.byTopicOnly ? undefined : frame.contentType)
    accounting.receive(inputOf(route))
    const read = readAny(parts, shapes, route, sender, frame, transport)
    const given = new Given(parts, frameId, sender, frame, route, read, told)
    const carry = transport?.wanted ?? false
    // Nothing to keep: its events are durable, or they would not have been found.
    if (read.fate === 'duplicate' && !carry) return queueMicrotask(() => given.duplicate())
    const kept = keptFrame(frameId, read, sender, frame, route, transport)
    const { records } = read
    if (read.fate === 'waiting') {
      parts.waiting?.entering(sender, kept)
      return log.put({ frame: kept, records, resent: transport?.resent ?? false }, given.waitingAs(kept))
    }
    const encodedRest =
      read.fate === 'stored' && read.shaped ? encodedRestOf(read.shaped.shape, read.records, kept) : undefined
    log.put({ frame: kept, records, encodedRest, resent: transport?.resent ?? false, carry }, given)
  }

  return {
    take,
    /** Resolves when the frame is settled for good; rejects when nothing was taken, and then it must not be acknowledged. */
    receive: (sender, frame, transport) =>
      new Promise((resolve, reject) =>
        take(parts.guarded?.(sender) ?? sender, frame, transport, { settled: resolve, notTaken: reject }),
      ),
  }
}

export type Read =
  | {
      fate: 'stored'
      records: readonly NewRecord[]
      eventIds: readonly Uint8Array[]
      warnings: readonly string[]
      clockFault?: ClockFault | undefined
      /** Its one record, where it went the short way. */
      shaped?: ShapedRecord | undefined
    }
  | { fate: 'ignored' | 'carried'; why: string; records: readonly [] }
  | { fate: 'duplicate'; why: string; records: readonly [] }
  | { fate: 'refused'; fault: RefusalFault; why: string; records: readonly [] }
  | WaitingRead

export interface WaitingRead {
  readonly fate: 'waiting'
  readonly why: string
  readonly records: readonly []
  readonly device: string
  readonly urgent: boolean
  readonly says: string
  /** Undefined: nobody could read it. */
  readonly labels: number | undefined
}

const carried = (why: string): Read => ({ fate: 'carried', why, records: [] })
const duplicate: Read = { fate: 'duplicate', why: 'every event of it is here already', records: [] }
const refuse = (fault: RefusalFault, why: string): Read => ({ fate: 'refused', fault, why, records: [] })

function readAny(
  parts: PipelineParts,
  shapes: Shapes,
  route: Route | undefined,
  sender: Sender,
  frame: Frame,
  transport: Transport | undefined,
): Read {
  const { guard } = sender
  if (guard?.whole !== undefined) return readWhole(parts, route, sender, guard.whole, frame, transport)
  if (transport?.forbidden) return refuse('forbidden', transport.forbidden)
  if (!route) return carried(parts.whyUnread(frame.channel))
  const shaped = shapes.read(route, sender, frame, transport)
  if (shaped) {
    const records = [shaped]
    return { fate: 'stored', records, eventIds: [shaped.id], warnings: none, clockFault: undefined, shaped }
  }
  const read = readFrame(parts, route, sender, frame, transport)
  if (read.fate === 'stored' && read.records.length === 1 && read.warnings.length === 0) {
    shapes.learn(route, sender, frame, transport, read.records[0]!)
  }
  return read
}

const none: readonly string[] = []

/** Of a device that nobody has admitted: whatever it is, it waits, and what can be read of it is shown. */
function readWhole(
  parts: PipelineParts,
  route: Route | undefined,
  { guard: _guard, ...sender }: Sender,
  device: string,
  frame: Frame,
  transport: Transport | undefined,
): Read {
  const waits = { fate: 'waiting', why: waitsWhy, records: [], device } as const
  const read = route && readFrame(parts, route, sender, frame, transport)
  if (read?.fate !== 'stored') return { ...waits, urgent: false, says: read ? read.fate : '', labels: undefined }
  const { records } = read
  const says = saysOf(records.map(({ event }) => eventCodec.decode(event)))
  return { ...waits, urgent: records.some(({ lane }) => lane === 'urgent'), says, labels: labelsOfRecords(records) }
}

const waitsWhy = 'nobody has admitted its device yet'
const eventCodec = codec('tocsin.v1.Event')

/** Bytes to records; pure but for ids, and never throws. */
export function readFrame(
  parts: Pick<PipelineParts, 'ids' | 'mayPublish' | 'isKnown' | 'adapterFailed' | 'unknownQuantities'>,
  route: Route,
  sender: Sender,
  frame: Frame,
  transport: Transport | undefined,
  replayed = false,
): Read {
  const { adapter, site } = route.input
  let decoded: Decoded
  try {
    decoded = route.decoderFor(frame).decode(frame)
  } catch (error) {
    parts.adapterFailed(adapter.name, error)
    return refuse(
      'adapter',
      `the adapter ${adapter.name} failed on it; this is a fault of the gateway, not of the sender`,
    )
  }
  if (decoded.outcome === 'ignored') return { fate: 'ignored', why: decoded.why, records: [] }
  if (decoded.outcome === 'refused') return refuse(decoded.fault, decoded.why)

  // All events of a frame are checked before any is stored: a frame is taken whole or not at all.
  const { receivedAt } = frame
  const { unknownQuantities } = parts
  const reading = { receivedAt, sender, adapter, device: route.device, site, replayed, unknownQuantities }
  let records: NewRecord[] = []
  let eventIds: Uint8Array[] = []
  let known = 0
  let clockFault: ClockFault | undefined
  let waits: string | undefined
  for (const draft of decoded.events) {
    if (cameFromHere(draft, site) && parts.isKnown(draft.id!)) {
      known += 1
      continue
    }
    const event = normalise(draft, reading, parts.ids)
    const invalid = validate(event)
    if (invalid) return refuse('invalid', invalid)
    const forbidden = parts.mayPublish(sender, event)
    if (forbidden) return refuse('forbidden', forbidden)
    if (sender.guard) {
      const subject = guardedSubject(event)
      const verdict = sender.guard.judge(subject)
      if (verdict === 'outside') return refuse('forbidden', outsideWhy)
      if (verdict === 'blocked') return refuse('blocked', 'its device is blocked; the message itself is not kept')
      if (verdict === 'wait') waits ??= subject
    }
    const record = newRecord(event, sender, frame, transport)
    if (record.event.length > eventBytesMax) return refuse('length', `the event takes more than ${eventBytesMax} bytes`)
    records = withOne(records, record)
    eventIds = withOne(eventIds, event.id!)
    if (event.flags?.includes(Flag.CLOCK_FAULT)) clockFault ??= clockFaultOf(event, frame)
  }
  if (waits !== undefined) return waitingRead(waits, records)
  if (records.length === 0) return known > 0 ? duplicate : { fate: 'ignored', why: 'no event in it', records: [] }
  return { fate: 'stored', records, eventIds, warnings: decoded.warnings ?? [], clockFault }
}

const outsideWhy =
  'its sender may not speak for this subject, or the message names none; `subjects` of the principal says for which'

function waitingRead(device: string, records: readonly NewRecord[]): WaitingRead {
  const urgent = records.some(({ lane }) => lane === 'urgent')
  const says = saysOf(records.map(({ event }) => eventCodec.decode(event)))
  const labels = labelsOfRecords(records)
  return { fate: 'waiting', why: waitsWhy, records: [], device, urgent, says, labels }
}

/** Most frames have one event, and the first `push` makes room for seventeen. */
function withOne<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one]
  list.push(one)
  return list
}

const clockFaultOf = (event: Event, { receivedAt }: Frame): ClockFault => ({
  device: event.origin?.device ?? '',
  aheadNs: (timestampNs(event.observedAt) ?? receivedAt) - receivedAt,
})

/** A program gives back what it has read here. Looking for an id costs a search, so it is looked for only when it may be there. */
const cameFromHere = (draft: EventDraft, site: Site): boolean =>
  draft.id?.length === 16 && (draft.provenance ?? []).some(({ gateway }) => gateway === site.gateway)

export function newRecord(event: Event, sender: Sender, frame: Frame, transport: Transport | undefined): NewRecord {
  const header = recordHeader(event, sender, frame, transport)
  const kind = kindOf[event.body!]
  return { lane: laneOf(event, kind), retention: retentionOf(event, kind), header, event: encodeEvent(event) }
}

const storedFates = {
  stored: StoredFate.STORED,
  ignored: StoredFate.IGNORED,
  carried: StoredFate.CARRIED,
  duplicate: StoredFate.DUPLICATE,
  refused: StoredFate.REFUSED,
  waiting: StoredFate.WAITING,
} as const

export function keptFrame(
  id: Uint8Array,
  read: Read,
  sender: Sender,
  frame: Frame,
  route: Route | undefined,
  transport: Transport | undefined,
): KeptFrame {
  const kept: KeptFrame = {
    id,
    receivedAt: timestamp(frame.receivedAt),
    channel: frame.channel,
    sender: sender.name,
    payload: frame.bytes,
    fate: storedFates[read.fate],
    labels: labelsMask(route?.input.site.labels) | labelsWithin(read, route),
    authenticity: sender.authenticity === 'authenticated' ? Authenticity.AUTHENTICATED : Authenticity.UNVERIFIED,
  }
  if (route) kept.adapter = route.input.adapter.name
  if (frame.contentType) kept.contentType = frame.contentType
  if (frame.properties?.length) kept.properties = propertiesOf(frame)
  if (read.fate === 'stored' && (read.warnings.length > 0 || read.clockFault)) kept.warnings = warningsOf(read)
  if (read.fate !== 'stored' && read.why) kept.why = read.why
  if (read.fate === 'refused') kept.fault = read.fault
  // What a blocked device says is counted, and takes no room.
  if (kept.fault === 'blocked') kept.payload = new Uint8Array()
  if (transport?.resendKey) kept.resendKey = transport.resendKey
  if (read.fate === 'waiting') wait(kept, read, sender)
  else if (transport?.envelope && kept.fault !== 'forbidden' && kept.fault !== 'blocked') kept.mqtt = transport.envelope
  return kept
}

function wait(kept: KeptFrame, { device, urgent, says }: WaitingRead, { address = '' }: Sender): void {
  kept.waiting = { device, urgent, says, address, authenticity: kept.authenticity ?? Authenticity.UNVERIFIED }
  kept.authenticity = Authenticity.UNVERIFIED
}

/** Bytes carry the strictest label of what was read from them; of what nobody could read, what their format may hold. */
function labelsWithin(read: Read, route: Route | undefined): number {
  if (read.fate === 'stored') return labelsOfRecords(read.records)
  return (read.fate === 'waiting' ? read.labels : undefined) ?? (route ? maskOf(route.input.adapter.labels) : 0)
}

function labelsOfRecords(records: readonly NewRecord[]): number {
  let mask = 0
  for (const { header } of records) {
    mask |= header.labels ?? 0
    // Such a place is no label of its own; whoever may see messages as received and CJI may see both.
    if (header.lawEnforcementPlace) mask |= 1 << Label.CJI
  }
  return mask
}

function warningsOf({ warnings, clockFault }: Extract<Read, { fate: 'stored' }>): string[] {
  return clockFault ? [...warnings, clockWarning(clockFault)] : [...warnings]
}
