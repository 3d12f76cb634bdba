// Which event a message is: the last level of its topic says so; where it came another way, what the transport carried beside it, and
// at last the shape of the message itself.

import protobuf from 'protobufjs/light.js'
import type { Frame } from '../adapter.ts'
import type { Fields } from './reading.ts'

export const eventTypes = ['up', 'join', 'status', 'ack', 'txack', 'log', 'location', 'integration'] as const
export type EventType = (typeof eventTypes)[number]

// Version 3 has `error` where version 4 has `log`.
const typeByWord: ReadonlyMap<string, EventType> = new Map([
  ...eventTypes.map((type): [string, EventType] => [type, type]),
  ['error', 'log'],
])

export interface Address {
  readonly type: EventType | undefined
  /** A word in the event's place that is none of ours. */
  readonly unknownType: boolean
  /** As it stands in the topic. */
  readonly devEui: string | undefined
}

// application/<application>/device/<EUI>/event/<type>, with any prefix; a site may also have set a template of its own.
const eventTopic = /(?:^|\/)device\/([^/]+)\/event\/([^/?]+)/
const euiForm = /^[0-9A-Fa-f]{16}$/

export function addressOf({ channel, properties }: Frame): Address {
  const match = eventTopic.exec(channel)
  if (match) {
    const type = typeByWord.get(match[2] ?? '')
    return { type, unknownType: type === undefined, devEui: match[1] }
  }
  // HTTP integration: POST …?event=up.
  const asked = properties?.findLast(([name]) => name === 'event')?.[1] ?? /[?&]event=([a-z]+)/.exec(channel)?.[1]
  const levels = channel.split('?', 1)[0]!.split('/')
  const type = typeByWord.get(asked ?? levels.at(-1) ?? '')
  return {
    type,
    unknownType: asked !== undefined && type === undefined,
    devEui: levels.findLast((level) => euiForm.test(level)),
  }
}

/** A downlink on its way to a device: ours to write, not to read. */
export const isCommand = (channel: string): boolean => /(?:^|\/)device\/[^/]+\/command\/[^/]+$/.test(channel)

/** Undefined where several would fit: a status with nothing but zeros is nothing but its head. */
export function typeByShape(message: Fields): EventType | undefined {
  const has = (...names: string[]): boolean => names.some((name) => name in message)
  if (has('integrationName', 'eventType')) return 'integration'
  if (has('rxInfo', 'data', 'object', 'objectJSON') && !has('acknowledged')) {
    // A join of version 3 has rxInfo too, but no frame counter.
    return has('fCnt', 'fPort', 'data', 'object', 'objectJSON') || 'deviceInfo' in message ? 'up' : 'join'
  }
  if (has('margin', 'batteryLevel', 'batteryLevelUnavailable', 'externalPowerSource')) return 'status'
  if (has('level', 'code', 'description', 'error')) return 'log'
  if (has('location')) return 'location'
  if (has('downlinkId', 'gatewayId', 'gatewayID')) return 'txack'
  if (has('acknowledged', 'queueItemId', 'fCntDown')) return 'ack'
  return has('devAddr') ? 'join' : undefined
}

const [varint, fixed64, delimited, fixed32] = [0, 1, 2, 5]

/** The same for protobuf, where only numbers and wire types of the outermost fields can be seen. */
export function typeByWire(bytes: Uint8Array): EventType | undefined {
  const seen = outermost(bytes)
  if (!seen) return undefined
  const has = (wireType: number, ...fields: number[]): boolean => fields.some((field) => seen.has(field * 8 + wireType))
  // Field 1 is an id of text in most, a number in `txack`, and a Timestamp, which begins with its seconds, in `log`.
  if (has(varint, 1)) return 'txack'
  if (seen.get(8 + delimited)?.[0] === 0x08) return 'log'
  const fourth = seen.get(4 * 8 + delimited)
  // Only a status has no text or message in field 4.
  if (!fourth) return has(varint, 5, 6, 7) || has(fixed32, 8) ? 'status' : undefined
  // An id of 36 characters, a location that begins with a double, a device address of eight digits.
  if (fourth.length === 36) return 'ack'
  if (fourth[0] === 8 + fixed64 || fourth[0] === 2 * 8 + fixed64) return 'location'
  if (has(varint, 5, 6, 7, 8, 9) || has(delimited, 10, 11, 12, 13)) return 'up'
  return has(delimited, 6) && fourth.length !== 8 ? 'integration' : 'join'
}

/** Tag → content of the last length-delimited field of it, empty for others. */
function outermost(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const reader = protobuf.Reader.create(bytes)
  const seen = new Map<number, Uint8Array>()
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if ((tag & 7) === delimited) seen.set(tag, reader.bytes())
      else {
        reader.skipType(tag & 7)
        seen.set(tag, nothing)
      }
    }
  } catch {
    return undefined
  }
  return seen
}

const nothing = new Uint8Array()
