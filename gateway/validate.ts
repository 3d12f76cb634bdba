// What every event must be before it is stored, whatever adapter or program made it. Pure; answers in words that name the field,
// what is wrong with it and what it may be, and quote no payload.

import { MessageStatus } from '../proto/generated/types.ts'
import type { Event, Location, Measurement, Timestamp } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'

/** 64 bytes hold a SHA-512 or two UUIDs; a longer identity is hashed by its adapter. */
export const dedupKeyBytesMax = 64
/** URNs of the field are below 120 bytes; index keys must stay small. */
export const subjectBytesMax = 256
/** The largest message of a data logger that somebody wrote to us about has 400 values. */
export const measurementsMax = 1_000
/** A CAP polygon of a whole state at full detail has some 3,000 points. */
export const polygonPointsMax = 10_000
/** Above this an event would not fit a gRPC message of 1 MB together with its frame. */
export const eventBytesMax = 512 * 1024
const attributesMax = 256
const referencesMax = 1_000
const textBytesMax = 4_096
const blobBytesMax = 65_536
/** protobuf Timestamp: 0001-01-01 to 9999-12-31. */
const timestampSecondsMin = -62_135_596_800
const timestampSecondsMax = 253_402_300_799

/** Why the event is refused; undefined when it is sound. */
export function validate(event: Event): string | undefined {
  if (!event.body) return 'the event has no body'
  if (!event.messageStatus || event.messageStatus > MessageStatus.DRAFT) {
    return 'message_status is not set; it is one of ACTUAL, EXERCISE, SYSTEM, TEST, DRAFT'
  }
  if (event.id?.length !== 16) return 'id is not 16 bytes'
  if ((event.dedupKey?.length ?? 0) > dedupKeyBytesMax) return `dedup_key is longer than ${dedupKeyBytesMax} bytes`
  if (tooLong(event.subject, subjectBytesMax)) return `subject is longer than ${subjectBytesMax} bytes`
  if ((event.priority ?? 0) > 10) return 'priority is above 10'
  if ((event.references?.length ?? 0) > referencesMax) return `more than ${referencesMax} references`
  return (
    invalidTimes(event) ??
    invalidAttributes(event) ??
    (event.location && invalidLocation(event.location)) ??
    invalidBody(event)
  )
}

function invalidTimes(event: Event): string | undefined {
  const { observedAt, sentAt, effectiveAt, expiresAt, receivedAt } = event
  return (
    invalidTime('observedAt', observedAt) ??
    invalidTime('sentAt', sentAt) ??
    invalidTime('effectiveAt', effectiveAt) ??
    invalidTime('expiresAt', expiresAt) ??
    (receivedAt ? invalidTime('receivedAt', receivedAt) : 'received_at is not set')
  )
}

const invalidTime = (name: string, time: Timestamp | undefined): string | undefined =>
  time && !isTime(time) ? `${name} is not a time between the years 1 and 9999` : undefined

function isTime(time: Timestamp): boolean {
  const seconds = toNumber(time.seconds)
  const nanos = time.nanos ?? 0
  return seconds >= timestampSecondsMin && seconds <= timestampSecondsMax && nanos >= 0 && nanos <= 999_999_999
}

function invalidAttributes(event: Event): string | undefined {
  if ((event.attributes?.length ?? 0) > attributesMax) return `more than ${attributesMax} attributes`
  for (const { name, value } of event.attributes ?? []) {
    if (!name || tooLong(name, 128)) return 'an attribute has no name, or one longer than 128 bytes'
    if (tooLong(value, textBytesMax)) return `an attribute is longer than ${textBytesMax} bytes`
  }
  return undefined
}

function invalidLocation(location: Location): string | undefined {
  const { latitude, longitude } = location
  if ((latitude === undefined) !== (longitude === undefined)) return 'location has a latitude or a longitude alone'
  if (latitude !== undefined && longitude !== undefined && !isPlace(latitude, longitude)) {
    return 'location is not on the globe: latitude −90 to 90, longitude −180 to 180'
  }
  for (const name of ['altitudeM', 'horizontalAccuracyM', 'verticalAccuracyM', 'speedMps', 'courseDeg'] as const) {
    const value = location[name]
    if (value !== undefined && !Number.isFinite(value)) return `location.${name} is not a finite number`
  }
  for (const polygon of location.polygons ?? []) {
    const points = polygon.points ?? []
    if (points.length < 4 || points.length > polygonPointsMax)
      return `a polygon has ${points.length} points; 4 to ${polygonPointsMax}`
    if (!points.every((point) => isPlace(point.latitude ?? 0, point.longitude ?? 0)))
      return 'a polygon leaves the globe'
  }
  for (const { center, radiusM } of location.circles ?? []) {
    if (!isPlace(center?.latitude ?? 0, center?.longitude ?? 0)) return 'a circle is not on the globe'
    if (!((radiusM ?? 0) >= 0 && (radiusM ?? 0) < 21_000_000)) return 'the radius of a circle is not 0 to 21,000,000 m'
  }
  return undefined
}

const isPlace = (latitude: number, longitude: number): boolean =>
  latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180

function invalidBody(event: Event): string | undefined {
  if (event.body === 'observation') {
    const measurements = event.observation.measurements ?? []
    if (measurements.length === 0) return 'the observation has no measurement'
    return invalidMeasurements(measurements)
  }
  if (event.body === 'detection') {
    if (!event.detection.agent) return 'the detection has no agent: what was detected'
    return invalidMeasurements(event.detection.measurements ?? [])
  }
  if (event.body === 'position' && event.location?.latitude === undefined) return 'the position has no location'
  return undefined
}

function invalidMeasurements(measurements: readonly Measurement[]): string | undefined {
  if (measurements.length > measurementsMax) return `more than ${measurementsMax} measurements`
  for (const measurement of measurements) {
    const { quantity, value } = measurement
    if (!quantity || tooLong(quantity, 64)) return 'a measurement has no quantity, or one longer than 64 bytes'
    if (value === 'number' && !Number.isFinite(measurement.number)) return `${quantity} is not a finite number`
    if (value === 'text' && tooLong(measurement.text, textBytesMax))
      return `${quantity} is longer than ${textBytesMax} bytes`
    if (value === 'blob' && measurement.blob.length > blobBytesMax)
      return `${quantity} is longer than ${blobBytesMax} bytes`
    if (measurement.sum !== undefined && !Number.isFinite(measurement.sum))
      return `the sum of ${quantity} is not a finite number`
  }
  return undefined
}

/** Cheap for short texts: UTF-8 has at most three bytes for each UTF-16 unit. */
const tooLong = (text: string | undefined, bytesMax: number): boolean =>
  text !== undefined && text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax
