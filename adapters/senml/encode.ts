// Events → a SenML pack in JSON. Only what SenML can say without saying something else: it has no status, no labels, no quality
// and no accuracy, so an event that needs one of these to be understood is not sent in this form.

import type { Encoded } from '../adapter.ts'
import { decimalText, numeralText, parseDecimal } from '../decimal.ts'
import { senmlUnits } from '../units.ts'
import { Action, ClockQuality, Label, MessageStatus, Quality } from '../../proto/generated/types.ts'
import type { Event, Measurement, Timestamp } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { timestampNs } from '../../proto/time.ts'

type Fields = Record<string, string>

export function encode(events: readonly Event[]): Encoded {
  const records: string[] = []
  const lost = new Set<string>()
  for (const event of events) {
    const why = unsayable(event)
    if (why) return { outcome: 'unsupported', why }
    for (const fields of recordsOf(event)) {
      if ('why' in fields && Object.keys(fields).length === 1)
        return { outcome: 'unsupported', why: fields['why'] ?? '' }
      records.push(`{${Object.entries(fields).map(([label, text]) => `"${label}":${text}`)}}`)
    }
    for (const name of lostFields(event)) lost.add(name)
  }
  if (records.length === 0) return { outcome: 'unsupported', why: 'no events' }
  const bytes = new TextEncoder().encode(`[${records.join(',')}]`)
  return { outcome: 'bytes', bytes, contentType: 'application/senml+json', lost: [...lost].toSorted() }
}

/** What must not be lost on the way: `adapter.ts`, Encoded. */
function unsayable(event: Event): string | undefined {
  const { messageStatus, action, handling, location } = event
  if (messageStatus !== MessageStatus.ACTUAL) return 'SenML has no message status, so only ACTUAL can be sent'
  if (action && action !== Action.REPORT) return 'SenML can only report: no update, cancel or request'
  // OPS is what no label means, and PUBLIC may be read by anybody: to leave these out tells nobody more.
  if (handling?.labels?.some((label) => label !== Label.PUBLIC && label !== Label.OPS))
    return 'SenML has no handling labels'
  if (handling?.releasableTo?.length || handling?.caveat) return 'SenML has no handling labels'
  if (
    location?.precisionBits ||
    location?.horizontalAccuracyM !== undefined ||
    location?.verticalAccuracyM !== undefined
  ) {
    return 'SenML has no accuracy of a position'
  }
  if (event.body !== 'observation' && event.body !== 'position') return `SenML has no ${event.body ?? 'empty event'}`
  return (event.body === 'observation' ? (event.observation.measurements ?? []) : []).map(unsayableValue).find(Boolean)
}

function unsayableValue({ quality = 0, uncertainty, sum, value }: Measurement): string | undefined {
  const isMissingBesideSum = quality === Quality.MISSING && sum !== undefined && value === undefined
  if (uncertainty !== undefined) return 'SenML has no uncertainty'
  if (quality !== Quality.UNSPECIFIED && quality !== Quality.GOOD && !isMissingBesideSum) return 'SenML has no quality'
  return value === undefined && sum === undefined ? 'a measurement without value or sum' : undefined
}

function* recordsOf(event: Event): Generator<Fields> {
  const device = event.origin?.device ?? ''
  const updateTimes = new Map((event.attributes ?? []).map(({ name = '', value = '' }) => [name, value]))
  for (const measurement of measurementsOf(event)) {
    const channel = measurement.channel || (device === '' ? (measurement.quantity ?? '') : '')
    const bn = device === '' || channel === '' ? device : device + (device.startsWith('urn:') ? ':' : '/')
    if (!/^[A-Za-z0-9][-A-Za-z0-9:./_]*$/.test(bn + channel)) {
      yield { why: "a device's or sensor's name has characters that SenML does not allow" }
      return
    }
    const time = secondsOf(measurement.measuredAt ?? event.observedAt)
    const value = valueFields(measurement)
    const updateTime = updateTimes.get(channel === '' ? 'ut' : `ut:${channel}`)
    if (time === undefined || !value) {
      yield {
        why: value ? 'a time before July 1978, which SenML reads as relative' : 'a unit that SenML does not have',
      }
      return
    }
    yield {
      ...(bn !== '' && { bn: JSON.stringify(bn) }),
      ...(channel !== '' && { n: JSON.stringify(channel) }),
      ...value,
      ...(time !== '' && { t: time }),
      ...(updateTime !== undefined && parseDecimal(updateTime) && { ut: updateTime }),
    }
  }
}

/** A location is said as two or three more values. */
function measurementsOf(event: Event): Measurement[] {
  const { latitude, longitude, altitudeM } = event.location ?? {}
  const place: Measurement[] = []
  if (latitude !== undefined && longitude !== undefined) {
    place.push({ value: 'number', number: latitude, sourceUnit: 'lat', unit: 'deg', channel: '', quantity: 'latitude' })
    place.push({
      value: 'number',
      number: longitude,
      sourceUnit: 'lon',
      unit: 'deg',
      channel: '',
      quantity: 'longitude',
    })
    if (altitudeM !== undefined) place.push({ value: 'number', number: altitudeM, unit: 'm', channel: 'alt' })
  }
  return [...(event.body === 'observation' ? (event.observation.measurements ?? []) : []), ...place]
}

/** Decimal seconds; empty for no time; undefined for a time that would be read as relative. */
function secondsOf(time: Timestamp | undefined): string | undefined {
  const ns = timestampNs(time)
  if (ns === undefined) return ''
  return ns < 268_435_456_000_000_000n ? undefined : decimalText({ digits: ns, exponent: -9 })
}

function valueFields(measurement: Measurement): Fields | undefined {
  const { sum, unit = '', sourceValue, sourceUnit } = measurement
  // With the source's own value goes the source's own unit. A sum is in our unit.
  const asSource =
    sum === undefined && sourceUnit !== undefined && (sourceValue !== undefined || keeps(sourceUnit, unit))
  const u = asSource ? sourceUnit : keeps(sourceUnit ?? '', unit) ? sourceUnit : senmlNames.get(unit)
  if (u === undefined && unit !== '') return undefined
  return {
    ...(u !== undefined && u !== '' && { u: JSON.stringify(u) }),
    ...valueField(measurement, asSource || sum === undefined ? sourceValue : undefined),
    ...(sum !== undefined && { s: numeralText(sum) }),
  }
}

/** Whether a source unit is one of SenML and means the same number as ours, such as %RH and %. */
function keeps(sourceUnit: string, unit: string): boolean {
  const known = senmlUnits.get(sourceUnit)
  return known ? known.code === unit && Object.keys(known).length === 1 : sourceUnit !== '' && unit === ''
}

/** UCUM code → the SenML unit that means it; the first of the registry's order. */
const senmlNames = new Map(
  [...senmlUnits]
    .filter(([, unit]) => Object.keys(unit).length === 1)
    .map(([name, unit]) => [unit.code, name] as const)
    .toReversed(),
)

function valueField(measurement: Measurement, sourceValue: string | undefined): Fields {
  switch (measurement.value) {
    case undefined:
      return {}
    case 'number':
      return { v: sourceValue !== undefined && parseDecimal(sourceValue) ? sourceValue : String(measurement.number) }
    case 'integer':
      return { v: String(toBigInt(measurement.integer)) }
    case 'flag':
      return { vb: String(measurement.flag) }
    case 'text':
      return { vs: JSON.stringify(measurement.text) }
    case 'blob':
      return { vd: JSON.stringify(Buffer.from(measurement.blob).toString('base64url')) }
  }
}

const said: ReadonlySet<string> = new Set(
  'body observation position origin observedAt location attributes messageStatus action subject handling'.split(' '),
)

/** Fields that the event has and the pack has not. */
function lostFields(event: Event): string[] {
  const lost = Object.entries(event).flatMap(([name, value]) => (isSet(value) && !said.has(name) ? [name] : []))
  // The pack's time reads as the device's own.
  if (event.clockQuality !== undefined && event.clockQuality !== ClockQuality.UNSYNCED) lost.push('clockQuality')
  else if (event.clockQuality === ClockQuality.UNSYNCED) lost.splice(lost.indexOf('clockQuality'), 1)
  if (event.attributes?.some(({ name = '' }) => name !== 'ut' && !name.startsWith('ut:'))) lost.push('attributes')
  return [...new Set(lost)]
}

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== 0 && !(Array.isArray(value) && value.length === 0)
