// rtl_433: cheap radio sensors of the ISM bands, as the receiver program reports them.
//
//   rtl_433/<host>/events   {"time":"2026-11-22 12:00:00","model":"Acurite-Tower","id":2532,"channel":"A",
//                            │                            │ device: Acurite-Tower/A/2532
//                            local: a time only in the zone the site declares
//                            "battery_ok":1,"temperature_C":21.4,"humidity":48,"mic":"CHECKSUM"}
//                            │              │           └ suffix of the unit (words.ts)
//                            ok or low, no percentage
//   rtl_433/<host>/devices/Acurite-Tower/A/2532/temperature_C   21.40000    the same again, value by value
//   rtl_433/<host>/states        statistics of the receiver
//   rtl_433/<host>/availability  online | offline

import { z } from 'zod'
import {
  type Adapter,
  type Decoded,
  type Decoder,
  type EventDraft,
  type Frame,
  events,
  ignored,
  refused,
} from '../adapter.ts'
import { parseJson } from '../json-text.ts'
import { isZone } from '../written-time.ts'
import { alarmForm, createAlarms } from './alarms.ts'
import { type House, type Message, deviceOf, eventsOf } from './message.ts'
import { createRepeats } from './repeats.ts'
import { availabilityOf } from './status.ts'

/** Sensors repeat a transmission within a second; receivers agree on the time within another. */
const repeatMsDefault = 2_000

const options = z
  .strictObject({
    zone: z.string().refine(isZone, 'is no time zone such as Europe/Vienna').optional(),
    single_values: z.enum(['ignored', 'read']).default('ignored'),
    repeat_ms: z.number().int().min(0).max(60_000).default(repeatMsDefault),
    alarms: z.array(alarmForm).max(1_000).default([]),
  })
  .prefault({})

export const rtl433: Adapter = {
  name: 'rtl433',
  spec: 'rtl_433 docs/DATA_FORMAT.md (2026-08), releases 18.05 to 25.12',
  version: '1',
  topics: ['rtl_433/+/events', 'rtl_433/+/states', 'rtl_433/+/devices/#', 'rtl_433/+/availability'],
  repeatMs: repeatMsDefault,
  options,
  decoder: createDecoder,
}

const limits = {
  // rtl_433 cuts an event at 2 kB; programs between us and it add some.
  bytesMax: 65_536,
  depthMax: 8,
}

function createDecoder(given: unknown): Decoder {
  const { zone, single_values: singleValues, repeat_ms: repeatMs, alarms } = options.parse(given)
  const house: House = { zone, alarms: createAlarms(alarms), repeats: createRepeats(repeatMs) }
  return {
    decode(frame) {
      const place = placeOf(frame.channel)
      switch (place.kind) {
        case 'states':
          return ignored('statistics of the receiver')
        case 'availability':
          return decodeAvailability(frame, place.receiver)
        case 'value':
          return singleValues === 'read'
            ? decodeValue(frame, place, house)
            : ignored('a single value, which the message on …/events has as well; single_values: read where it has not')
        default:
          return decodeMessage(frame, place.receiver, house)
      }
    },
  }
}

interface Place {
  readonly kind: 'message' | 'states' | 'availability' | 'value'
  readonly receiver: string
  /** Of a single value. */
  readonly device?: string
  readonly key?: string
}

const valueTopic = /^(?:(?:.*\/)?([^/]+)\/)?devices\/(.+)\/([^/]+)$/
const otherTopic = /^(?:(?:.*\/)?([^/]+)\/)?(events|states|availability)$/

/** Whatever the base of the topics, their last levels are the same. */
function placeOf(channel: string): Place {
  if (channel.startsWith('tocsin/in/')) return { kind: 'message', receiver: '' }
  const other = otherTopic.exec(channel)
  if (other) {
    const [, receiver = '', name] = other
    return { kind: name === 'states' || name === 'availability' ? name : 'message', receiver }
  }
  const [, receiver = '', device, key] = valueTopic.exec(channel) ?? []
  return device !== undefined && key !== undefined
    ? { kind: 'value', receiver, device, key }
    : { kind: 'message', receiver: '' }
}

function decodeMessage(frame: Frame, receiver: string, house: House): Decoded {
  const parsed = parseJson(frame.bytes, limits)
  if ('fault' in parsed) return refused(parsed.fault, parsed.why)
  if (!isObject(parsed.value)) return refused('syntax', 'not a JSON object; rtl_433 sends one for each message')
  const { model } = parsed.value
  if (model === undefined) return ignored('no model: a log line or statistics of the receiver')
  if (typeof model !== 'string' || model === '') return refused('syntax', 'model is no text')
  return decoded(parsed.value, deviceOf(parsed.value), frame, receiver, house)
}

function decoded(message: Message, device: string, { receivedAt }: Frame, receiver: string, house: House): Decoded {
  const warnings: string[] = []
  return events(eventsOf(message, device, house, { receivedAt, receiver }, warnings), [...new Set(warnings)])
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const utf8 = new TextDecoder('utf-8', { fatal: true })
const valueBytesMax = 4_096

/** Undefined: not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Parts of a device's path, and what no single value says anything by. */
const pathKeys: ReadonlySet<string> = new Set(['time', 'id', 'channel', 'mic', 'protocol', 'description'])

/** `<model>/<id>/<key>` with the value as text. A number between key and end is an element of a list, which has no key. */
function decodeValue(frame: Frame, { device = '', key = '', receiver }: Place, house: House): Decoded {
  if (pathKeys.has(key)) return ignored(`${key} belongs to the device’s name or to its message`)
  if (/^\d+$/.test(key)) return ignored('one element of a list')
  if (frame.bytes.length > valueBytesMax)
    return refused('length', `${frame.bytes.length} bytes, at most ${valueBytesMax}`)
  const text = textOf(frame.bytes)
  if (text === undefined) return refused('syntax', 'not UTF-8')
  if (text === '') return refused('length', 'no bytes')
  const [type] = device.split('/')
  const message = { ...(type === 'TPMS' && { type }), [key]: text }
  const read = decoded(message, device, frame, receiver, house)
  return read.outcome === 'events' && read.events.every(saysNothing) ? ignored(`${key} is no quantity`) : read
}

const saysNothing = (event: EventDraft): boolean =>
  event.body === 'deviceStatus' && Object.keys(event.deviceStatus).length === 0

function decodeAvailability(frame: Frame, receiver: string): Decoded {
  const status = frame.bytes.length <= valueBytesMax ? availabilityOf(textOf(frame.bytes) ?? '') : undefined
  if (!status) return refused('syntax', 'neither "online" nor "offline"')
  const device = receiver === '' ? 'rtl_433' : `rtl_433/${receiver}`
  return events([{ origin: { device }, body: 'deviceStatus', deviceStatus: status }])
}
