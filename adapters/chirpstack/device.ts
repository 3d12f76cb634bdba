// What every event of a message has in common: which device it speaks of, when, under whose application, and the identity by which a
// second delivery of the same message is known.

import type { EventDraft } from '../adapter.ts'
import { ClockQuality } from '../../proto/generated/types.ts'
import type { Attribute, Timestamp } from '../../proto/generated/types.ts'
import type { Address, EventType } from './event-type.ts'
import {
  type Fields,
  type Reading,
  addressAt,
  fail,
  fieldsAt,
  listAt,
  nameAt,
  numberAt,
  textAt,
  timeAt,
} from './reading.ts'

/** What the gateway takes is 256 attributes; those of the radio and the event come beside the tags. */
const tagsMax = 128
const nameBytesMax = 128 // event.proto, Attribute.name
const valueBytesMax = 4_096 // event.proto, Attribute.value

export interface Source {
  readonly eui: string
  readonly name: string
  readonly devAddr: string | undefined
  readonly observedAt: Timestamp | undefined
  readonly attributes: readonly Attribute[]
  /** The nth event of the message. */
  head(n: number): EventDraft
}

export function sourceOf(reading: Reading, message: Fields, type: EventType, address: Address): Source | undefined {
  // Version 3 has the device's fields in the message itself.
  const info = fieldsAt(reading, message, 'deviceInfo') ?? message
  const isVersion3 = info === message
  const eui = addressAt(reading, info, isVersion3 ? 'devEUI' : 'devEui', 8)
  const devAddr = addressAt(reading, message, 'devAddr', 4)
  if (reading.fault) return undefined
  if (eui === undefined) return fail(reading, 'no device EUI: neither deviceInfo.devEui nor devEUI')
  if (address.devEui !== undefined && address.devEui.toLowerCase() !== eui) {
    return fail(reading, 'the device EUI of the message is not that of its topic', 'range')
  }
  const observedAt = observedAtOf(reading, message)
  const attributes = [...attributesOf(reading, info, devAddr), ...regionOf(reading, message)]
  const identity = identityOf(reading, message, type, eui, devAddr)
  const clock = hasGpsTime(message) ? ClockQuality.SYNCED : ClockQuality.UNSYNCED
  return {
    eui,
    name: textAt(reading, info, 'deviceName'),
    devAddr,
    observedAt,
    attributes,
    head: (n) => ({
      ...(identity !== undefined && { dedupKey: Uint8Array.from(Buffer.from(`lorawan:${identity}:${n}`)) }),
      // RFC 9039 §4.1: a DevEUI is an EUI-64.
      subject: `urn:dev:mac:${eui}`,
      origin: { system: 'chirpstack', device: eui },
      ...(observedAt && { observedAt, clockQuality: clock }),
    }),
  }
}

/** The server's `time`, else a gateway's; version 3 may say only when it published. */
function observedAtOf(reading: Reading, message: Fields): Timestamp | undefined {
  const time = timeAt(reading, message, 'time')
  if (time) return time
  for (const each of listAt(reading, message, 'rxInfo')) {
    const heard = gatewayTime(reading, each)
    if (heard) return heard
  }
  return timeAt(reading, message, 'publishedAt')
}

/** By the gateway's clock where it has one, else by the server's. `time` is what both versions called it before. */
export const gatewayTime = (reading: Reading, rxInfo: Fields): Timestamp | undefined =>
  timeAt(reading, rxInfo, 'gwTime') ?? timeAt(reading, rxInfo, 'time') ?? timeAt(reading, rxInfo, 'nsTime')

/** A gateway counts the time since the GPS epoch only where it has it from satellites. */
function hasGpsTime(message: Fields): boolean {
  const rxInfo = message['rxInfo']
  if (!Array.isArray(rxInfo)) return false
  return rxInfo.some((each: Fields) => Boolean(each['timeSinceGpsEpoch'] ?? each['timeSinceGPSEpoch']))
}

const idForm = /^[0-9A-Za-z-]{1,40}$/

/**
 * The server's own id of the uplink, with the kind of event: a join, a status and an uplink may come of one frame. Version 3 gives
 * none: there it is the device's address and frame counter. A counter alone begins again with each session, so it is none.
 */
function identityOf(
  reading: Reading,
  message: Fields,
  type: EventType,
  eui: string,
  devAddr: string | undefined,
): string | undefined {
  const id = textAt(reading, message, 'deduplicationId').toLowerCase()
  if (idForm.test(id)) return `${id}:${type}`
  if (type === 'txack') return `${eui}:${numberAt(reading, message, 'downlinkId') ?? ''}:txack`
  if (type === 'log' && message['time']) {
    const { seconds = 0, nanos = 0 } = timeAt(reading, message, 'time') ?? {}
    return `${eui}:${String(seconds)}.${nanos}:log`
  }
  const counter = numberAt(reading, message, 'fCnt')
  return devAddr !== undefined && counter !== undefined ? `${eui}:${devAddr}:${type}:${counter}` : undefined
}

/** Field → attribute; version 3 writes ids with a capital D. */
const named: readonly (readonly [string, string])[] = [
  ['deviceName', 'device_name'],
  ['deviceProfileName', 'device_profile_name'],
  ['deviceProfileId', 'device_profile_id'],
  ['deviceProfileID', 'device_profile_id'],
  ['applicationName', 'application_name'],
  ['applicationId', 'application_id'],
  ['applicationID', 'application_id'],
  ['tenantName', 'tenant_name'],
  ['tenantId', 'tenant_id'],
]
const deviceClasses = ['CLASS_A', 'CLASS_B', 'CLASS_C']

function attributesOf(reading: Reading, info: Fields, devAddr: string | undefined): Attribute[] {
  const attributes: Attribute[] = []
  for (const [field, name] of named) add(reading, attributes, name, textAt(reading, info, field))
  // Every device is of class A at least, and proto3 leaves that out.
  const deviceClass = nameAt(info, 'deviceClassEnabled', deviceClasses)
  if (deviceClass !== 'CLASS_A') add(reading, attributes, 'device_class_enabled', deviceClass)
  add(reading, attributes, 'dev_addr', devAddr ?? '')
  const tags = Object.entries(fieldsAt(reading, info, 'tags') ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (tags.length > tagsMax) reading.warnings.add(`more than ${tagsMax} tags: the rest is left in the frame`)
  for (const [tag, value] of tags.slice(0, tagsMax)) {
    if (typeof value === 'string') add(reading, attributes, `tag.${tag}`.toWellFormed(), value.toWellFormed())
  }
  return attributes
}

function regionOf(reading: Reading, message: Fields): Attribute[] {
  const region: Attribute[] = []
  add(reading, region, 'region_config_id', textAt(reading, message, 'regionConfigId'))
  return region
}

/** Empty is absent. */
export function add(reading: Reading, attributes: Attribute[], name: string, value: string): void {
  if (value === '') return
  if (Buffer.byteLength(name) > nameBytesMax || Buffer.byteLength(value) > valueBytesMax) {
    reading.warnings.add('a name or tag is too long: left in the frame')
    return
  }
  attributes.push({ name, value })
}
