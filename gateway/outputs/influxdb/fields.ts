// The fields of a row. Each name has one type in every measurement, for ever, so that no two of our rows can conflict: a real number
// is `value`, a whole one `integer`, a state `flag`, a word `text`. What is absent in the event is absent in the row.

import { Aggregation, DeviceTransition, FixType, Online, Quality, TrackType } from '../../../proto/generated/types.ts'
import type { Detection, DeviceStatus, Event, Location, Measurement, Position } from '../../../proto/generated/types.ts'
import { durationMs, timestampNs } from '../../../proto/time.ts'
import type { Lines } from './line-protocol.ts'

export interface Fields {
  readonly lines: Lines
  /** Told of each value that is no finite number and was left out. */
  readonly notFinite: () => void
}

export function measurementFields(fields: Fields, measurement: Measurement, event: Event): void {
  const { lines } = fields
  switch (measurement.value) {
    case 'number':
      real(fields, 'value', measurement.number)
      break
    case 'integer':
      lines.integer('integer', measurement.integer)
      break
    case 'flag':
      lines.flag('flag', measurement.flag)
      break
    case 'text':
      lines.text('text', measurement.text)
      break
    case 'blob':
      // Bytes stay in the log: a database of series has no use for them, but shows that there were some.
      lines.integer('blob_bytes', measurement.blob.length)
      break
    default:
  }
  text(fields, 'unit', measurement.unit)
  name(fields, 'quality', qualityNames, measurement.quality)
  text(fields, 'source_value', measurement.sourceValue)
  text(fields, 'source_unit', measurement.sourceUnit)
  text(fields, 'source_quality', measurement.sourceQuality)
  text(fields, 'channel', measurement.channel)
  name(fields, 'aggregation', aggregationNames, measurement.aggregation)
  real(fields, 'sum', measurement.sum)
  real(fields, 'uncertainty', measurement.uncertainty)
  if (event.body !== 'observation') return
  time(fields, 'window_start_ns', event.observation.windowStart)
  time(fields, 'window_end_ns', event.observation.windowEnd)
}

export function detectionFields(fields: Fields, detection: Detection): void {
  real(fields, 'value', detection.measured)
  real(fields, 'limit', detection.limit)
  text(fields, 'unit', detection.unit)
  flag(fields, 'alarm', detection.alarm)
  real(fields, 'confidence', detection.confidence)
  text(fields, 'agent_class', detection.agentClass)
  text(fields, 'level', detection.level)
  text(fields, 'channel', detection.channel)
  text(fields, 'source_code', detection.sourceCode)
  real(fields, 'deviation_sigma', detection.deviationSigma)
  flag(fields, 'silenced', detection.silenced)
  name(fields, 'quality', qualityNames, detection.quality)
  time(fields, 'started_ns', detection.startedAt)
  time(fields, 'ended_ns', detection.endedAt)
}

export function deviceStatusFields(fields: Fields, status: DeviceStatus): void {
  name(fields, 'online', onlineNames, status.online)
  name(fields, 'transition', transitionNames, status.transition)
  real(fields, 'battery_fraction', status.batteryFraction)
  real(fields, 'battery_v', status.batteryV)
  flag(fields, 'battery_low', status.batteryLow)
  flag(fields, 'external_power', status.externalPower)
  flag(fields, 'charging', status.charging)
  real(fields, 'rssi_dbm', status.rssiDbm)
  real(fields, 'snr_db', status.snrDb)
  real(fields, 'link_quality', status.linkQuality)
  text(fields, 'firmware', status.firmware)
  text(fields, 'hardware', status.hardware)
  text(fields, 'model', status.model)
  time(fields, 'last_seen_ns', status.lastSeen)
  real(fields, 'uptime_ms', durationMs(status.uptime))
  real(fields, 'temperature_cel', status.temperatureCel)
  real(fields, 'channel_use_fraction', status.channelUseFraction)
  real(fields, 'storage_free_fraction', status.storageFreeFraction)
  flag(fields, 'tamper', status.tamper)
  text(fields, 'faults', status.faults?.join(' '))
}

export function positionFields(fields: Fields, position: Position): void {
  text(fields, 'callsign', position.callsign)
  name(fields, 'track_type', trackNames, position.trackType)
  text(fields, 'source_type', position.sourceType)
  real(fields, 'heading_deg', position.headingDeg)
  real(fields, 'vertical_rate_mps', position.verticalRateMps)
  name(fields, 'fix_type', fixNames, position.fixType)
  real(fields, 'hdop', position.hdop)
  flag(fields, 'emergency', position.emergency)
  text(fields, 'squawk', position.squawk)
  flag(fields, 'on_ground', position.onGround)
  text(fields, 'unit_id', position.unitId)
  real(fields, 'battery_fraction', position.batteryFraction)
}

export function locationFields(fields: Fields, location: Location | undefined | null): void {
  if (!location) return
  real(fields, 'latitude', location.latitude)
  real(fields, 'longitude', location.longitude)
  real(fields, 'altitude_m', location.altitudeM)
  real(fields, 'horizontal_accuracy_m', location.horizontalAccuracyM)
  real(fields, 'speed_mps', location.speedMps)
  real(fields, 'course_deg', location.courseDeg)
}

// A decoded message has null where an optional number is absent, so types are asked, not truth.
function real({ lines, notFinite }: Fields, key: string, value: number | undefined): void {
  if (typeof value === 'number' && !lines.float(key, value)) notFinite()
}

function flag({ lines }: Fields, key: string, value: boolean | undefined): void {
  if (typeof value === 'boolean') lines.flag(key, value)
}

function text({ lines }: Fields, key: string, value: string | undefined): void {
  if (value) lines.text(key, value)
}

function time({ lines }: Fields, key: string, value: Parameters<typeof timestampNs>[0]): void {
  if (value) lines.integer(key, timestampNs(value) ?? 0n)
}

/** Zero is "not said"; a number that this schema does not name is written as itself. */
function name({ lines }: Fields, key: string, names: ReadonlyMap<number, string>, value: number | undefined): void {
  if (value) lines.text(key, names.get(value) ?? String(value))
}

const namesOf = (values: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(values).map(([word, value]) => [value, word.toLowerCase()]))

export const qualityNames = namesOf(Quality)
const aggregationNames = namesOf(Aggregation)
const onlineNames = namesOf(Online)
const transitionNames = namesOf(DeviceTransition)
const trackNames = namesOf(TrackType)
const fixNames = namesOf(FixType)
