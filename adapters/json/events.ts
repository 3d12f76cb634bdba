// One message and the compiled mapping that fits it → events. For each element: an observation, a device status and a position, as
// far as the mapping asks for them and the message has them.

import type { EventDraft } from '../adapter.ts'
import { ClockQuality, MessageStatus, Online } from '../../proto/generated/types.ts'
import type { DeviceStatus, Location } from '../../proto/generated/types.ts'
import { duration, timestamp } from '../../proto/time.ts'
import type { Scope } from './expression.ts'
import { type CompiledMapping, type Texts, constantOr } from './compiled.ts'
import { measurementsOf } from './measurements.ts'
import { type Reading, exactValueAt, fail, flagAt, numberAt, scopesOf, textAt, valueAt, wordOf } from './reading.ts'
import { readTime } from '../written-time.ts'

/** One event each: a gateway's list of its sensors, or a feed of quakes. */
const elementsMax = 1_000
const subjectBytesMax = 256
const textBytesMax = 4_096

export function eventsOf(mapping: CompiledMapping, scope: Scope, reading: Reading): EventDraft[] {
  const drafts: EventDraft[] = []
  for (const [at, element] of elementsOf(mapping, scope, reading).entries()) {
    if (reading.fault) break
    drafts.push(...draftsOf(mapping, element, reading, mapping.repeat ? `${mapping.repeat.of}[${at}].` : ''))
  }
  return drafts
}

function elementsOf({ repeat }: CompiledMapping, scope: Scope, reading: Reading): readonly Scope[] {
  return repeat ? scopesOf('', repeat, scope, reading, elementsMax) : [scope]
}

function draftsOf(mapping: CompiledMapping, scope: Scope, reading: Reading, place: string): EventDraft[] {
  const common = commonOf(mapping, scope, reading, place)
  const measurements = measurementsOf(mapping, scope, reading, place)
  const deviceStatus = deviceStatusOf(mapping, scope, reading, place)
  const drafts: EventDraft[] = []
  if (measurements.length > 0) drafts.push({ ...common, body: 'observation', observation: { measurements } })
  if (deviceStatus) drafts.push({ ...common, body: 'deviceStatus', deviceStatus })
  if (drafts.length === 0 && common.location) drafts.push({ ...common, body: 'position', position: {} })
  return drafts
}

/** What every event of the element says. */
function commonOf(mapping: CompiledMapping, scope: Scope, reading: Reading, place: string): Omit<EventDraft, 'body'> {
  const subject = constantOr(mapping.subject, scope, reading, `${place}subject`, subjectBytesMax)
  const device = constantOr(mapping.device, scope, reading, `${place}device`, subjectBytesMax)
  const status = constantOr(mapping.status, scope, reading, `${place}status`, textBytesMax)
  const messageStatus = status === undefined ? undefined : wordOf(MessageStatus, status)
  if (status !== undefined && !messageStatus) fail(reading, `${place}status`, 'is no message status such as ACTUAL')
  const location = locationOf(mapping, scope, reading, place)
  const attributes = Object.entries(mapping.attributes).flatMap(([name, expression]) => {
    const value = textAt(reading, `${place}attributes.${name}`, expression, scope, textBytesMax)
    return value === undefined ? [] : [{ name, value }]
  })
  return {
    ...(subject !== undefined && { subject }),
    ...(device !== undefined && { origin: { device } }),
    ...(messageStatus && { messageStatus }),
    ...timeOf(mapping, scope, reading, place),
    ...(location && { location }),
    ...(attributes.length > 0 && { attributes }),
  }
}

function timeOf({ time }: CompiledMapping, scope: Scope, reading: Reading, place: string): Partial<EventDraft> {
  if (!time) return {}
  const found = exactValueAt(reading, `${place}time.path`, time.path, scope)
  if (found === undefined) return {}
  const ns = readTime(found, time.format, time.zone)
  if (ns === undefined) return fail(reading, `${place}time`, `is no time of the format ${time.format}`) ?? {}
  return { observedAt: timestamp(ns), clockQuality: ClockQuality.UNSYNCED }
}

function locationOf(
  { position }: CompiledMapping,
  scope: Scope,
  reading: Reading,
  place: string,
): Location | undefined {
  if (!position) return undefined
  const number = (name: keyof typeof position) => numberAt(reading, `${place}position.${name}`, position[name], scope)
  const [latitude, longitude] = [number('latitude'), number('longitude')]
  // A tracker without a fix sends neither.
  if (latitude === undefined || longitude === undefined) return undefined
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
    return fail(reading, `${place}position`, 'is not on the globe', 'range')
  }
  return {
    latitude,
    longitude,
    ...set('altitudeM', number('altitude_m')),
    ...set('horizontalAccuracyM', number('horizontal_accuracy_m')),
    ...set('verticalAccuracyM', number('vertical_accuracy_m')),
    ...set('speedMps', number('speed_mps')),
    ...set('courseDeg', number('course_deg')),
  }
}

/** Absent is left out, never 0. */
function set<Name extends string, Field>(name: Name, value: Field | undefined): { [key in Name]?: Field } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]?: Field })
}

function deviceStatusOf(
  { deviceStatus: texts }: CompiledMapping,
  scope: Scope,
  reading: Reading,
  place: string,
): DeviceStatus | undefined {
  if (!texts) return undefined
  const at = (name: string): string => `${place}device_status.${name}`
  const number = (name: keyof Texts<'device_status'>) => numberAt(reading, at(name), texts[name], scope)
  const flag = (name: keyof Texts<'device_status'>) => flagAt(reading, at(name), texts[name], scope)
  const text = (name: keyof Texts<'device_status'>) => textAt(reading, at(name), texts[name], scope, textBytesMax)
  const online = flagOrWord(reading, at('online'), texts.online && valueAt(reading, at('online'), texts.online, scope))
  const uptime = number('uptime_s')
  const status: DeviceStatus = {
    ...(online !== undefined && { online: online ? Online.ONLINE : Online.OFFLINE }),
    ...set('batteryFraction', number('battery_fraction')),
    ...set('batteryV', number('battery_v')),
    ...set('batteryLow', flag('battery_low')),
    ...set('externalPower', flag('external_power')),
    ...set('charging', flag('charging')),
    ...set('rssiDbm', number('rssi_dbm')),
    ...set('snrDb', number('snr_db')),
    ...set('linkQuality', number('link_quality')),
    ...set('firmware', text('firmware')),
    ...set('hardware', text('hardware')),
    ...(uptime !== undefined && { uptime: duration(BigInt(Math.round(uptime * 1e9))) }),
    ...set('temperatureCel', number('temperature_cel')),
    ...set('tamper', flag('tamper')),
    ...set('model', text('model')),
    ...set('displayName', text('display_name')),
  }
  const fraction = status.batteryFraction
  if (fraction !== undefined && (fraction < 0 || fraction > 1)) {
    return fail(reading, at('battery_fraction'), 'is not 0 to 1; divide percent by 100', 'range')
  }
  return Object.keys(status).length > 0 ? status : undefined
}

/** Tasmota and others say "Online" and "Offline". */
function flagOrWord(reading: Reading, place: string, found: unknown): boolean | undefined {
  if (found === undefined || typeof found === 'boolean') return found
  const word = String(found).toLowerCase()
  if (['online', 'connected', 'up', 'true', '1'].includes(word)) return true
  if (['offline', 'disconnected', 'down', 'false', '0'].includes(word)) return false
  return fail(reading, place, 'is neither online nor offline')
}
