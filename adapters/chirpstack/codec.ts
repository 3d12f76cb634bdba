// ChirpStack, a LoRaWAN network server: the events of its integrations, version 4 as JSON or protobuf and version 3 as JSON.
//
//   application/<application>/device/70b3d57ba0003bb8/event/up
//                                    └ must be the message's own     └ or join status ack txack log location integration
//
//   { "deduplicationId": "…",  "time": "…",  "deviceInfo": { "devEui": "70b3d57ba0003bb8", "deviceName": "…", "tags": {…} },
//      └ same for all gateways  └ observed_at    └ origin.device, attributes
//     "fCnt": 20, "fPort": 1, "data": "AgI7…", "object": { "water_level": 1.42, … },
//                               └ raw bytes      └ what the device profile's codec made of them: measurements
//     "rxInfo": [ { "gatewayId": "…", "rssi": -106, "snr": 3.0 }, … ], "txInfo": { "frequency": 868300000, … } }
//        └ receptions, strongest first
//
// In proto3, in JSON too, what is zero, false or empty is left out: absent `fCnt` is 0, absent `acknowledged` is no.

import { type Adapter, type Decoded, type EventDraft, type Frame, events, ignored, refused } from '../adapter.ts'
import { parseJson } from '../json-text.ts'
import { type Source, sourceOf } from './device.ts'
import { type Address, type EventType, addressOf, isCommand, typeByShape, typeByWire } from './event-type.ts'
import { ackEvents, joinEvents, locationEvents, logEvents, statusEvents, txAckEvents } from './network.ts'
import { decodeProtobuf } from './protobuf.ts'
import { type Fields, type Reading, createReading, isFields, refusalOf } from './reading.ts'
import { integrationEvents, uplinkEvents } from './uplink.ts'

export const chirpstack: Adapter = {
  name: 'chirpstack',
  spec: 'ChirpStack 4 integration events (api/proto/integration, 2026-07), JSON of ChirpStack 3.17',
  version: '1',
  topics: ['application/+/device/+/event/+'],
  decoder: () => ({ decode }),
}

const limits = {
  // An uplink that two hundred gateways heard has some 150 kB.
  bytesMax: 262_144,
  // `object` and what is around it.
  depthMax: 20,
}

type Make = (reading: Reading, message: Fields, source: Source) => EventDraft[]

const makers: Readonly<Record<EventType, Make>> = {
  up: uplinkEvents,
  join: joinEvents,
  status: statusEvents,
  ack: ackEvents,
  txack: txAckEvents,
  log: logEvents,
  location: locationEvents,
  integration: integrationEvents,
}

function decode(frame: Frame): Decoded {
  const address = addressOf(frame)
  if (address.unknownType) return ignored('an event that this version does not know')
  if (isCommand(frame.channel)) return ignored('a downlink on its way to a device')
  if (frame.bytes.length === 0) return refused('length', 'no bytes')
  if (frame.bytes.length > limits.bytesMax)
    return refused('length', `${frame.bytes.length} bytes, at most ${limits.bytesMax}`)
  const read = isJson(frame) ? readJson(frame, address) : readProtobuf(frame, address)
  return 'outcome' in read ? read : eventsOf(read, address)
}

interface Message {
  readonly type: EventType
  readonly message: Fields
}

const [brace, bracket] = [0x7b, 0x5b]
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d

/**
 * By media type, else by the first byte that is no white space. Protobuf may begin with 0x0a, a line break, but then a length follows,
 * and no field 1 begins with a brace.
 */
function isJson({ bytes, contentType = '' }: Frame): boolean {
  if (/json/i.test(contentType)) return true
  if (/protobuf|octet-stream/i.test(contentType)) return false
  // A byte order mark.
  let at = bytes[0] === 0xef ? 3 : 0
  while (at < bytes.length && isBlank(bytes[at]!)) at++
  return bytes[at] === brace || bytes[at] === bracket
}

function readJson({ bytes }: Frame, { type }: Address): Message | Decoded {
  const parsed = parseJson(bytes, limits)
  if ('fault' in parsed) return refused(parsed.fault, parsed.why)
  if (!isFields(parsed.value)) return refused('syntax', 'not a JSON object')
  const message = parsed.value
  const found = type ?? typeByShape(message)
  return found === undefined ? unclear : { type: found, message }
}

const unclear = refused(
  'unsupported',
  'neither the topic nor the message says which event it is; end the topic in up, join, status, ack, txack, log or location',
)

/** Version 3 begins every message with the application's number. */
const applicationNumber = 0x08

function readProtobuf({ bytes }: Frame, { type }: Address): Message | Decoded {
  const found = type ?? typeByWire(bytes)
  if (found === undefined) return refused('syntax', 'neither JSON nor protobuf of an event')
  if (found !== 'txack' && found !== 'log' && bytes[0] === applicationNumber) {
    return refused('unsupported', 'protobuf of ChirpStack 3; set its marshaler to json')
  }
  const message = decodeProtobuf(found, bytes)
  return message ? { type: found, message } : refused('syntax', `neither JSON nor protobuf of the event ${found}`)
}

function eventsOf({ type, message }: Message, address: Address): Decoded {
  const reading = createReading()
  const source = sourceOf(reading, message, type, address)
  const drafts = source ? makers[type](reading, message, source) : []
  const refusal = refusalOf(reading)
  if (refusal) return refusal
  if (drafts.length === 0) return ignored(nothingIn[type] ?? 'nothing in it')
  return events(drafts, [...reading.warnings])
}

const nothingIn: Partial<Record<EventType, string>> = {
  location: 'a location without coordinates',
  integration: 'the result of an integration without values',
}
