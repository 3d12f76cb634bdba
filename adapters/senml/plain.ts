// The short way from the bytes of a plain pack to its events, for the many messages that need none of SenML's finer points: base
// values, sums, places, exponents, more digits than a double has. It answers exactly what the long way answers, or leaves it to it.

import { type Decoded, type EventDraft, type Frame, events } from '../adapter.ts'
import { toSi } from '../units.ts'
import { tellApart } from '../values.ts'
import { ClockQuality } from '../../proto/generated/types.ts'
import type { Measurement, Timestamp } from '../../proto/generated/types.ts'
import { nsPerSecond, timestamp } from '../../proto/time.ts'
import {
  type PlainRecord,
  afterSpace,
  bn,
  bt,
  bu,
  createPlainRecord,
  has,
  n,
  plainNanos,
  plainNumber,
  plainSeconds,
  readPlainRecord,
  t,
  u,
  v,
  vb,
  vs,
} from './plain-record.ts'
import {
  type BaseSensors,
  type PlainSensor,
  type PlainSensors,
  createPlainSensors,
  usualSensorsMax,
} from './plain-sensors.ts'
import { packBytesMax, recordsMax } from './records.ts'
import { relativeSecondsMax, timeNsMax, timeNsMin } from './resolve.ts'

const [openArray, closeArray, comma] = [0x5b, 0x5d, 0x2c]
const ownLabels = (1 << n) | (1 << u) | (1 << vs) | (1 << vb) | (1 << t) | (1 << v)
const baseLabels = (1 << bn) | (1 << bt) | (1 << bu)
const valueLabels = (1 << vs) | (1 << vb) | (1 << v)

interface Pack {
  readonly bytes: Buffer
  /** All of it; made when more of it is asked for than the base name. */
  text: string | undefined
  readonly receivedAt: bigint
  // What holds for the records to come.
  base: string
  baseSensors: BaseSensors
  /** Records since the base name, of those that say something. */
  sinceBase: number
  baseUnit: string
  hasBaseTime: boolean
  baseSeconds: number
  baseNanos: number
  // The time of the record at hand; `now` has none.
  timing: 'now' | 'relative' | 'absolute'
  seconds: number
  nanos: number
  readonly groups: Group[]
  /** Where they are many. */
  groupsByKey: Map<string, Group> | undefined
}

/** What becomes one event. */
interface Group {
  readonly device: string | undefined
  readonly seconds: number
  readonly nanos: number
  readonly measurements: Measurement[]
  readonly draft: EventDraft
}

/** Undefined: not plain. Whatever it remembers is bounded. */
export function createPlainReader(): (frame: Frame) => Decoded | undefined {
  const sensors = createPlainSensors()
  const record = createPlainRecord()
  return ({ bytes, receivedAt, contentType = '' }) => {
    if (bytes[0] !== openArray || bytes.length > packBytesMax) return undefined
    if (contentType !== '' && contentType !== 'application/senml+json') return undefined
    const pack = createPack(bytes, receivedAt, sensors.ofBase(''))
    return readPack(bytes, pack, record, sensors) ? eventsOf(pack) : undefined
  }
}

const createPack = (bytes: Uint8Array, receivedAt: bigint, baseSensors: BaseSensors): Pack => ({
  bytes: bufferOf(bytes),
  text: undefined,
  receivedAt,
  base: '',
  baseSensors,
  sinceBase: 0,
  baseUnit: '',
  hasBaseTime: false,
  baseSeconds: 0,
  baseNanos: 0,
  timing: 'now',
  seconds: 0,
  nanos: 0,
  groups: [],
  groupsByKey: undefined,
})

const bufferOf = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

function readPack(bytes: Uint8Array, pack: Pack, record: PlainRecord, sensors: PlainSensors): boolean {
  let at = afterSpace(bytes, 1)
  for (let records = 1; ; records++) {
    if (records > recordsMax) return false
    at = readPlainRecord(bytes, at, record)
    if (at < 0) return false
    if ((record.has & baseLabels) !== 0) takeBase(pack, record, sensors)
    if ((record.has & ownLabels) !== 0 && !take(pack, record, sensors)) return false
    at = afterSpace(bytes, at)
    if (bytes[at] !== comma) break
    at = afterSpace(bytes, at + 1)
  }
  return bytes[at] === closeArray && afterSpace(bytes, at + 1) === bytes.length && pack.groups.length > 0
}

function takeBase(pack: Pack, record: PlainRecord, sensors: PlainSensors): void {
  if (has(record, bn)) {
    pack.base = pack.bytes.toString('latin1', record.from[bn], record.to[bn])
    pack.baseSensors = sensors.ofBase(pack.base)
    pack.sinceBase = 0
  }
  if (has(record, bu)) pack.baseUnit = textOf(pack, record, bu)
  if (has(record, bt)) {
    pack.hasBaseTime = true
    pack.baseSeconds = plainSeconds(record, bt)
    pack.baseNanos = plainNanos(record, bt)
  }
}

/** Only ASCII gets through, which is the same in all encodings. */
function textOf(pack: Pack, record: PlainRecord, label: number): string {
  pack.text ??= pack.bytes.toString('latin1')
  return pack.text.slice(record.from[label], record.to[label])
}

/** Whether the record was plain. */
function take(pack: Pack, record: PlainRecord, sensors: PlainSensors): boolean {
  const sensor = usualSensor(pack, record) ?? sensorOf(pack, record, sensors)
  if (!sensor) return false
  pack.sinceBase++
  const measurement = measurementOf(pack, record, sensor)
  if (!measurement || !setTime(pack, record)) return false
  const group = groupOf(pack, sensor)
  if (!group) return false
  group.measurements.push(measurement)
  return true
}

/** The one that stood in this place before, when it is this one: found without a text being made. */
function usualSensor({ bytes, baseSensors, sinceBase, baseUnit }: Pack, record: PlainRecord): PlainSensor | undefined {
  const sensor = baseSensors.usual[sinceBase]
  if (!sensor) return undefined
  const isNamed = has(record, n) ? isText(bytes, record, n, sensor.name) : sensor.name === ''
  if (!isNamed) return undefined
  const isInUnit = has(record, u) ? isText(bytes, record, u, sensor.sourceUnit) : sensor.sourceUnit === baseUnit
  return isInUnit ? sensor : undefined
}

function isText(bytes: Buffer, { from, to }: PlainRecord, label: number, text: string): boolean {
  const start = from[label]!
  if (to[label]! - start !== text.length) return false
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false
  return true
}

/** Undefined for what is not plain. */
function sensorOf(pack: Pack, record: PlainRecord, sensors: PlainSensors): PlainSensor | undefined {
  const name = has(record, n) ? textOf(pack, record, n) : ''
  const unit = has(record, u) ? textOf(pack, record, u) : pack.baseUnit
  let sensor = pack.baseSensors.byName.get(name)
  if (!sensor || sensor.sourceUnit !== unit) {
    sensor = sensors.learn(pack.base, name, unit)
    if (!sensor) return undefined
    pack.baseSensors = sensors.ofBase(pack.base)
  }
  if (pack.sinceBase < usualSensorsMax) pack.baseSensors.usual[pack.sinceBase] = sensor
  return sensor
}

function measurementOf(pack: Pack, record: PlainRecord, sensor: PlainSensor): Measurement | undefined {
  const { quantity, unit, sourceUnit, channel, conversion } = sensor
  const values = record.has & valueLabels
  if (values === 1 << v) {
    const number = plainNumber(record)
    // Most are like this; written out, they all have one shape.
    if (sourceUnit === unit && unit !== '' && channel !== '')
      return { quantity, value: 'number', number, unit, channel }
    return {
      quantity,
      value: 'number',
      number: conversion ? toSi(number, conversion) : number,
      ...(conversion && { sourceValue: textOf(pack, record, v) }),
      ...restOf(sensor),
    }
  }
  if (values === 1 << vb) return { quantity, value: 'flag', flag: record.flag, ...restOf(sensor) }
  // None, or several.
  return values === 1 << vs ? { quantity, value: 'text', text: textOf(pack, record, vs), ...restOf(sensor) } : undefined
}

const restOf = ({
  unit,
  sourceUnit,
  channel,
}: PlainSensor): { unit?: string; sourceUnit?: string; channel?: string } => ({
  ...(unit !== '' && { unit }),
  ...(sourceUnit !== unit && { sourceUnit }),
  ...(channel !== '' && { channel }),
})

/** RFC 8428 §4.5.3: base time and time are added; what is below 2^28 seconds is relative to now. */
function setTime(pack: Pack, record: PlainRecord): boolean {
  const hasOwnTime = has(record, t)
  let seconds = pack.baseSeconds + (hasOwnTime ? plainSeconds(record, t) : 0)
  let nanos = pack.baseNanos + (hasOwnTime ? plainNanos(record, t) : 0)
  if (nanos >= nanosPerSecond) {
    nanos -= nanosPerSecond
    seconds++
  }
  while (nanos < 0) {
    nanos += nanosPerSecond
    seconds--
  }
  pack.seconds = seconds
  pack.nanos = nanos
  if (seconds >= relativeSecondsMax) pack.timing = 'absolute'
  else pack.timing = hasOwnTime || pack.hasBaseTime ? 'relative' : 'now'
  return seconds <= secondsMax
}

const nanosPerSecond = 1_000_000_000
const secondsMax = Number(timeNsMax / nsPerSecond)

/** The group of the time at hand; undefined for a pack with times of both kinds, which could meet. */
function groupOf(pack: Pack, sensor: PlainSensor): Group | undefined {
  const { groups, timing } = pack
  const known = groups.length > searchedMax ? groupByKey(pack, sensor) : groupBySearch(pack, sensor)
  if (known) return known
  const [first] = groups
  if (first && (first.draft.clockQuality === ClockQuality.UNSYNCED) !== (timing === 'absolute')) return undefined
  return addGroup(pack, sensor)
}

// Looking through so few is quicker than the keys of a table.
const searchedMax = 8

function groupBySearch({ groups, seconds, nanos }: Pack, { device }: PlainSensor): Group | undefined {
  for (let at = groups.length - 1; at >= 0; at--) {
    const group = groups[at]!
    if (group.device === device && group.seconds === seconds && group.nanos === nanos) return group
  }
  return undefined
}

function groupByKey(pack: Pack, { device }: PlainSensor): Group | undefined {
  pack.groupsByKey ??= new Map(pack.groups.map((group) => [keyOf(group.device, group.seconds, group.nanos), group]))
  return pack.groupsByKey.get(keyOf(device, pack.seconds, pack.nanos))
}

const keyOf = (device: string | undefined, seconds: number, nanos: number): string =>
  `${device ?? ''} ${seconds} ${nanos}`

function addGroup(pack: Pack, { device, subject }: PlainSensor): Group | undefined {
  const { seconds, nanos } = pack
  const time = timeOf(pack)
  if (!time) return undefined
  const measurements: Measurement[] = []
  const observation = { measurements }
  const { observedAt, clockQuality } = time
  // Most are like this; written out, they all have one shape.
  const draft: EventDraft =
    device !== undefined && subject === undefined && observedAt && clockQuality
      ? { origin: { device }, observedAt, clockQuality, body: 'observation', observation }
      : {
          ...(subject !== undefined && { subject }),
          ...(device !== undefined && { origin: { device } }),
          ...time,
          body: 'observation',
          observation,
        }
  const group: Group = { device, seconds, nanos, measurements, draft }
  pack.groups.push(group)
  pack.groupsByKey?.set(keyOf(device, seconds, nanos), group)
  return group
}

interface ObservedTime {
  readonly observedAt?: Timestamp
  readonly clockQuality?: ClockQuality
}

/** As the long way has it: "now" is left to the gateway. Undefined beyond the years that a Timestamp has. */
function timeOf({ timing, seconds, nanos, receivedAt }: Pack): ObservedTime | undefined {
  if (timing === 'absolute') return { observedAt: { seconds, nanos }, clockQuality: ClockQuality.UNSYNCED }
  if (timing === 'now') return now
  const time = receivedAt + BigInt(seconds) * nsPerSecond + BigInt(nanos)
  if (time < timeNsMin || time > timeNsMax) return undefined
  return time === receivedAt ? now : { observedAt: timestamp(time), clockQuality: ClockQuality.ASSUMED }
}

const now: ObservedTime = {}

function eventsOf({ groups }: Pack): Decoded {
  for (const { measurements } of groups) if (measurements.length > 1) tellApart(measurements)
  return events(groups.map(({ draft }) => draft))
}
