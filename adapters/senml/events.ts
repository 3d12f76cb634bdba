// Resolved SenML records → events: one for each device and time, in the order of their first records. A latitude and a longitude
// of the same device and time become the event's location.

import { type Decoded, type EventDraft, refused } from '../adapter.ts'
import { type Numeral, isLiteral, numeralText } from '../decimal.ts'
import { quantityOf } from '../quantities.ts'
import { senmlUnits, toSi } from '../units.ts'
import { type Value, numberValue, tellApart } from '../values.ts'
import { ClockQuality, Quality } from '../../proto/generated/types.ts'
import type { Attribute, Location, Measurement } from '../../proto/generated/types.ts'
import { timestamp } from '../../proto/time.ts'
import { sensorOf } from './names.ts'
import type { Resolved } from './resolve.ts'

export const channelBytesMax = 64 // observation.proto, Measurement.channel
export const deviceBytesMax = 256 // event.proto, Event.subject

interface Group {
  readonly device: string | undefined
  readonly subject: string | undefined
  readonly time: bigint
  readonly absolute: boolean
  readonly readings: Reading[]
}
interface Reading {
  readonly channel: string
  readonly resolved: Resolved
}

export function eventsOf(
  resolved: readonly Resolved[],
  receivedAt: bigint,
): { events: readonly EventDraft[]; warnings: readonly string[] } | Decoded {
  const groups = new Map<string, Group>()
  const warnings = new Set<string>()
  let latest: Group | undefined
  for (const one of resolved) {
    const { device, subject, channel } = sensorOf(one.base, one.rest)
    if ((device?.length ?? 0) > deviceBytesMax)
      return refused('length', `a device's name is longer than ${deviceBytesMax}`)
    if (channel.length > channelBytesMax) return refused('length', `a sensor's name is longer than ${channelBytesMax}`)
    // Neighbours mostly belong together; only others are looked for.
    if (!latest || latest.device !== device || latest.time !== one.time) {
      const key = `${device ?? ''} ${one.time}`
      latest = groups.get(key)
      if (!latest) groups.set(key, (latest = { device, subject, time: one.time, absolute: one.absolute, readings: [] }))
    }
    latest.readings.push({ channel, resolved: one })
  }
  const events = [...groups.values()].map((group) => eventOf(group, receivedAt, warnings))
  return { events, warnings: [...warnings] }
}

function eventOf(group: Group, receivedAt: bigint, warnings: Set<string>): EventDraft {
  const { location, left } = placeOf(group.readings)
  const measurements = left.map(({ channel, resolved }) => measurementOf(channel, resolved, warnings))
  tellApart(measurements)
  const attributes = group.readings.some(({ resolved }) => resolved.updateTime !== undefined)
    ? updateTimes(group.readings)
    : []
  return {
    ...(group.subject !== undefined && { subject: group.subject }),
    ...(group.device !== undefined && { origin: { device: group.device } }),
    ...timeOf(group, receivedAt),
    ...(location && { location }),
    ...(attributes.length > 0 && { attributes }),
    ...(measurements.length > 0
      ? { body: 'observation', observation: { measurements } }
      : { body: 'position', position: {} }),
  }
}

/** "Now" is left to the gateway, which calls it ASSUMED. A time relative to now is by the gateway's clock as well. */
function timeOf({ time, absolute }: Group, receivedAt: bigint): EventDraft {
  if (!absolute && time === receivedAt) return {}
  return { observedAt: timestamp(time), clockQuality: absolute ? ClockQuality.UNSYNCED : ClockQuality.ASSUMED }
}

/** Only a whole and possible place counts as one; half of it, or two of them, stay measurements. */
function placeOf(readings: readonly Reading[]): { location?: Location; left: readonly Reading[] } {
  if (!readings.some(({ resolved }) => resolved.unit === 'lat')) return { left: readings }
  const latitude = only(readings, 'lat')
  const longitude = only(readings, 'lon')
  if (!latitude || !longitude || Math.abs(latitude.degrees) > 90 || Math.abs(longitude.degrees) > 180) {
    return { left: readings }
  }
  const altitude = altitudeOf(readings)
  const used = new Set([latitude.reading, longitude.reading, altitude?.reading])
  return {
    location: {
      latitude: latitude.degrees,
      longitude: longitude.degrees,
      ...(altitude && { altitudeM: altitude.metres }),
    },
    left: readings.filter((reading) => !used.has(reading)),
  }
}

function only(readings: readonly Reading[], unit: string): { reading: Reading; degrees: number } | undefined {
  const [reading, second] = readings.filter(({ resolved }) => resolved.unit === unit)
  const degrees = reading && plainNumber(reading.resolved)
  return reading === undefined || second !== undefined || degrees === undefined ? undefined : { reading, degrees }
}

/** SenML has no unit of altitude; metres that a device calls "alt" are one. */
function altitudeOf(readings: readonly Reading[]): { reading: Reading; metres: number } | undefined {
  const [reading, second] = readings.filter(
    ({ channel, resolved }) => resolved.unit === 'm' && /^(?:.*[:/._-])?alt(?:itude)?$/i.test(channel),
  )
  const metres = reading && plainNumber(reading.resolved)
  return reading === undefined || second !== undefined || metres === undefined ? undefined : { reading, metres }
}

function plainNumber({ value, isText, sum }: Resolved): number | undefined {
  if (sum !== undefined || isText || value === undefined) return undefined
  return isNumeral(value) ? Number(numeralText(value)) : undefined
}

const isNumeral = (value: NonNullable<Resolved['value']>): value is Numeral =>
  typeof value === 'number' || typeof value === 'bigint' || isLiteral(value)

function measurementOf(channel: string, resolved: Resolved, warnings: Set<string>): Measurement {
  const { unit: sourceUnit, sum } = resolved
  const unit = senmlUnits.get(sourceUnit)
  if (!unit && sourceUnit !== '') warnings.add('a unit is not in the SenML registry: kept as the source wrote it')
  const code = unit?.code ?? ''
  const measurement: Measurement = { quantity: quantityOf(channel, code, sourceUnit), ...valueOf(resolved) }
  if (code !== '') measurement.unit = code
  if (sourceUnit !== '' && sourceUnit !== code) measurement.sourceUnit = sourceUnit
  if (sum !== undefined) Object.assign(measurement, sumOf(sum, sourceUnit))
  if (resolved.value === undefined) measurement.quality = Quality.MISSING
  if (channel !== '') measurement.channel = channel
  return measurement
}

function valueOf({ value, isText, unit }: Resolved): Value {
  if (value === undefined) return {}
  if (typeof value === 'boolean') return { value: 'flag', flag: value }
  if (isText || typeof value === 'string') return { value: 'text', text: String(value) }
  if (!isNumeral(value)) return { value: 'blob', blob: value }
  return numberValue(value, senmlUnits.get(unit))
}

/** A sum is in the value's unit times seconds; a level against a reference, such as dBm, has none that could be converted. */
function sumOf(sum: Numeral, sourceUnit: string): { sum?: number } {
  const known = senmlUnits.get(sourceUnit)
  const number = Number(numeralText(sum))
  return known?.less ? {} : { sum: known ? toSi(number, known) : number }
}

/** RFC 8428 §4.3, ut: how long until the sensor reports again at the latest. One for all, or one for each sensor's name. */
function updateTimes(readings: readonly Reading[]): Attribute[] {
  const found = new Map<string, string>()
  for (const { channel, resolved } of readings) {
    if (resolved.updateTime !== undefined)
      found.set(channel === '' ? 'ut' : `ut:${channel}`, numeralText(resolved.updateTime))
  }
  return [...found].map(([name, value]) => ({ name, value }))
}
