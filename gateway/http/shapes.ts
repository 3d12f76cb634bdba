// What the API says in JSON: records, frames and fates in the same words as the command line's --json. The event inside is ProtoJSON
// of the schema; ids are written as people pass them on, times in RFC 3339.

import { Fate, Lane } from '../../proto/generated/types.ts'
import type { Event, Frame, FrameFate, Record as WireRecord, Timestamp } from '../../proto/generated/types.ts'
import { toBigInt, toNumber } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { idText } from '../ids.ts'
import { adviceFor } from '../refusal-advice.ts'
import { nameOf } from './filter-parameters.ts'

const eventCodec = codec('tocsin.v1.Event')
const [removedFlag, voidFlag] = [1, 2]

/** Left from a write that was never acknowledged; readers skip it. */
export const isVoid = ({ flags = 0 }: WireRecord): boolean => (flags & voidFlag) !== 0

/** Undefined when the payload was removed. */
export const eventOf = ({ flags = 0, event }: WireRecord): Event | undefined =>
  (flags & removedFlag) !== 0 || !event ? undefined : eventCodec.decode(event)

export function recordJson(record: WireRecord) {
  const event = eventOf(record)
  return {
    lane: nameOf(Lane, record.lane),
    sequence: toNumber(record.sequence),
    loggedAt: rfc3339(toBigInt(record.loggedAtNs)),
    ...id('eventId', event?.id),
    ...id('frameId', record.frameId),
    topic: record.header?.topic ?? '',
    sender: record.header?.sender ?? '',
    ...(event ? { event: eventCodec.toJson(event) } : { removed: true }),
  }
}

/** `payload` is base64; without one where it was not asked for, or is not for this reader. */
export function frameJson(frame: Frame) {
  const { fate, fault, why, contentType, warnings = [], properties = [], payload, replayedAt, replayFate } = frame
  return {
    ...id('frameId', frame.id),
    ...time('receivedAt', frame.receivedAt),
    fate: nameOf(Fate, fate),
    ...(fault && { fault }),
    ...(why && { why }),
    ...(fault && { whatToDo: adviceFor(fault) }),
    topic: frame.channel ?? '',
    sender: frame.sender ?? '',
    adapter: frame.adapter ?? '',
    ...(contentType && { contentType }),
    ...(properties.length > 0 && {
      properties: properties.map(({ name = '', value = '' }) => ({ name, value })),
    }),
    ...(warnings.length > 0 && { warnings }),
    ...time('replayedAt', replayedAt),
    ...(replayFate && { replayFate: nameOf(Fate, replayFate) }),
    ...(payload && payload.length > 0 && { payload: Buffer.from(payload).toString('base64') }),
  }
}

export function fateJson(fate: FrameFate) {
  const { fault, why, places = [], warnings = [] } = fate
  return {
    ...id('frameId', fate.frameId),
    fate: nameOf(Fate, fate.fate),
    ...(fault && { fault }),
    ...(why && { why }),
    ...(fault && { whatToDo: adviceFor(fault) }),
    ...time('receivedAt', fate.receivedAt),
    ...time('settledAt', fate.settledAt),
    topic: fate.channel ?? '',
    sender: fate.sender ?? '',
    adapter: fate.adapter ?? '',
    ...(warnings.length > 0 && { warnings }),
    events: places.map((place) => ({
      lane: nameOf(Lane, place.lane),
      sequence: toNumber(place.sequence),
      ...id('eventId', place.eventId),
    })),
  }
}

function id(name: string, bytes: Uint8Array | undefined): Record<string, string> {
  return bytes?.length === 16 ? { [name]: idText(bytes) } : {}
}

function time(name: string, value: Timestamp | undefined): Record<string, string> {
  const ns = timestampNs(value)
  return ns === undefined ? {} : { [name]: rfc3339(ns) }
}
