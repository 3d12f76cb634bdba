// One JSON object of rtl_433 → events: what is wrong (DETECTION), what was measured (OBSERVATION), how the device is
// (DEVICE_STATUS). What none of them has a place for stays as an attribute under the key that rtl_433 gives it.

import type { EventDraft } from '../adapter.ts'
import { ClockQuality } from '../../proto/generated/types.ts'
import type { Attribute, DeviceStatus, Measurement } from '../../proto/generated/types.ts'
import { timestamp } from '../../proto/time.ts'
import { tellApart } from '../values.ts'
import type { Alarms } from './alarms.ts'
import { measurementOf, numberOf } from './fields.ts'
import { meterReadingOf } from './m-bus.ts'
import { type Repeats, contentOf } from './repeats.ts'
import { statusKeys, statusOf } from './status.ts'
import { readSourceTime } from './source-time.ts'
import { isLatch, stateOf } from './states.ts'

export type Message = Readonly<Record<string, unknown>>

export interface House {
  readonly zone: string | undefined
  readonly alarms: Alarms
  readonly repeats: Repeats
}

export interface Arrival {
  readonly receivedAt: bigint
  /** The host of the receiver; "": not known. */
  readonly receiver: string
}

/** Who it is, when it was, and that it was sound: no facts of their own. */
const identityKeys: ReadonlySet<string> = new Set(['model', 'type', 'subtype', 'channel', 'id', 'mic'])
/** Codes that open doors. */
const secretKeys: ReadonlySet<string> = new Set(['pin'])
/** Before 2019 the identity had other names. */
const oldIdentityKeys = ['sensor_id', 'rid', 'sid', 'device'] as const

/**
 * The path that rtl_433 itself publishes a device under, `[type/]model[/subtype][/channel][/id]`, so that single values and whole
 * messages speak of the same device.
 */
export function deviceOf(message: Message): string {
  const id = message['id'] ?? message[oldIdOf(message) ?? '']
  const parts = [message['type'], message['model'], message['subtype'], message['channel'], id]
  return parts
    .filter((part) => typeof part === 'string' || typeof part === 'number')
    .map((part) => String(part).replaceAll(/[^-.A-Za-z0-9]/g, '_'))
    .join('/')
    .slice(0, deviceLengthMax)
}

const deviceLengthMax = 200

const oldIdOf = (message: Message): string | undefined =>
  message['id'] === undefined ? oldIdentityKeys.find((key) => message[key] !== undefined) : undefined

export function eventsOf(
  message: Message,
  device: string,
  house: House,
  { receivedAt, receiver }: Arrival,
  warnings: string[],
): EventDraft[] {
  const time = readSourceTime(message['time'], house.zone)
  const { measurements, attributes } = fieldsOf(message, time.ns === undefined, warnings)
  const status = statusOf(message, receiver)
  const battery = numberOf(message['battery_ok'])
  if (battery !== undefined && (battery < 0 || battery > 1)) warnings.push('battery_ok is not 0 to 1 and was left out')
  const common = {
    origin: { device, ...(receiver !== '' && { system: `rtl_433/${receiver}` }) },
    ...(time.ns !== undefined && { observedAt: timestamp(time.ns), clockQuality: ClockQuality.UNSYNCED }),
  }
  const drafts: EventDraft[] = []
  for (const { detection, messageStatus } of house.alarms(device, message)) {
    drafts.push({ ...common, ...(messageStatus && { messageStatus }), body: 'detection', detection })
  }
  if (measurements.length > 0) drafts.push({ ...common, body: 'observation', observation: { measurements } })
  // A remote control or a doorbell says no more than that it was heard.
  if (status || drafts.length === 0) {
    drafts.push({ ...common, body: 'deviceStatus', deviceStatus: { ...status, ...heardOf(message, time.ns) } })
  }
  const [first] = drafts
  if (attributes.length > 0) first!.attributes = attributes
  const key = house.repeats.keyOf(`${device};${contentOf(message)}`, {
    receivedAt,
    stampNs: time.stampNs,
    isAbsolute: time.ns !== undefined,
  })
  for (const [index, draft] of drafts.entries()) draft.dedupKey = Uint8Array.of(...key, index)
  return drafts
}

const modelLengthMax = 64

function heardOf({ model }: Message, ns: bigint | undefined): DeviceStatus {
  return {
    ...(ns !== undefined && { lastSeen: timestamp(ns) }),
    ...(typeof model === 'string' && model.isWellFormed() && { model: model.slice(0, modelLengthMax) }),
  }
}

const measurementsMax = 1_000 // gateway/validate.ts

function fieldsOf(
  message: Message,
  keepsTime: boolean,
  warnings: string[],
): { measurements: Measurement[]; attributes: Attribute[] } {
  const context = { isTyre: message['type'] === 'TPMS' }
  const measurements: Measurement[] = []
  const oldId = oldIdOf(message)
  const attributes: Attribute[] = []
  for (const key in message) {
    const value = message[key]
    if (value === null || identityKeys.has(key) || statusKeys.has(key) || secretKeys.has(key)) continue
    if ((key === 'time' && !keepsTime) || key === oldId || hasTwin(key, message)) continue
    // Beside the index, uv is a raw count of the sensor.
    const isRaw = isLatch(key) || (key === 'uv' && 'uvi' in message)
    const measurement =
      stateOf(key, value, message) ??
      (isRaw ? undefined : (measurementOf(key, value, context) ?? meterReadingOf(key, value)))
    if (measurement && measurements.length < measurementsMax) measurements.push(measurement)
    else if (!measurement) addAttribute(attributes, key, value, warnings)
  }
  tellApart(measurements)
  return { measurements, attributes }
}

/** Before 2019 some models said the same value twice, in both systems of units. */
const twins: readonly (readonly [string, string])[] = [
  ['_F', '_C'],
  ['_mph', '_kph'],
  ['_inch', '_mm'],
]

function hasTwin(key: string, message: Message): boolean {
  for (const [suffix, other] of twins) {
    if (key.endsWith(suffix) && key.slice(0, -suffix.length) + other in message) return true
  }
  return false
}

// gateway/validate.ts
const attributesMax = 256
const nameBytesMax = 128
const valueBytesMax = 4_096

function addAttribute(attributes: Attribute[], name: string, found: unknown, warnings: string[]): void {
  const value = withoutPin(typeof found === 'object' ? JSON.stringify(found) : String(found))
  if (attributes.length >= attributesMax) return
  if (name === '' || !name.isWellFormed() || Buffer.byteLength(name) > nameBytesMax) {
    warnings.push('a key that is empty or too long was left out')
  } else if (!value.isWellFormed() || Buffer.byteLength(value) > valueBytesMax) {
    warnings.push(`${name} is too long, or no text, and was left out`)
  } else attributes.push({ name, value })
}

/** A SimpliSafe keypad sends the code that disarms the house. */
const withoutPin = (value: string): string => value.replace(/^(Disarm Pin): .*$/, '$1')
