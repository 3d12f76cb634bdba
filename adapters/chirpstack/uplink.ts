// An uplink, or the result of an integration, → what the device measured, what it warns of, and how it was heard.

import type { EventDraft } from '../adapter.ts'
import { numberValue } from '../values.ts'
import { Quality } from '../../proto/generated/types.ts'
import type { Attribute, Measurement } from '../../proto/generated/types.ts'
import { detectionsOf } from './detections.ts'
import { type Source, add } from './device.ts'
import { healthOf } from './health.ts'
import { type Contents, type Leaf, contentsOf } from './object.ts'
import { objectDepthMax, plainStruct } from './protobuf.ts'
import { signalOf } from './radio.ts'
import { type Fields, type Reading, bytesAt, countAt, fail, fieldsAt, flagAt, isFields, textAt } from './reading.ts'
import { type Meaning, meaningOf } from './words.ts'
import { parseJson } from '../json-text.ts'

const textBytesMax = 4_096 // observation.proto, Measurement.text
const blobBytesMax = 65_536 // observation.proto, Measurement.blob
const channelBytesMax = 64 // observation.proto, Measurement.channel
const unitBytesMax = 64

export function uplinkEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const object = objectOf(reading, message)
  const contents = object ? contentsOf(reading, object) : { leaves: [] }
  const measured = contents.leaves.map((leaf) => ({ leaf, measurement: measurementOf(reading, leaf) }))
  const measurements = measured.flatMap(({ measurement }) => measurement ?? [])
  if (measurements.length === 0 && !contents.place) measurements.push(...payloadOf(reading, message))
  giveNumbers(measurements)
  const attributes = [...source.attributes, ...frameAttributes(reading, message)]
  const common = { attributes, ...(contents.place && { location: contents.place }) }
  const bodies: EventDraft[] = [
    ...valuesBody(measurements, contents),
    ...detectionsOf(contents.leaves).map((detection): EventDraft => ({ body: 'detection', detection })),
    {
      body: 'deviceStatus',
      deviceStatus: {
        ...healthOf(measured),
        ...signalOf(reading, message),
        ...(source.observedAt && { lastSeen: source.observedAt }),
        ...(source.name !== '' && { displayName: source.name }),
      },
    },
  ]
  return bodies.map((body, n) => ({ ...source.head(n), ...common, ...body }))
}

/** What an integration made of a device's message, such as a modem's report; nothing was heard anew. */
export function integrationEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const object = objectOf(reading, message)
  const contents = object ? contentsOf(reading, object) : { leaves: [] }
  const measurements = contents.leaves.flatMap((leaf) => measurementOf(reading, leaf) ?? [])
  giveNumbers(measurements)
  const attributes = [...source.attributes]
  add(reading, attributes, 'integration_name', textAt(reading, message, 'integrationName'))
  add(reading, attributes, 'event_type', textAt(reading, message, 'eventType'))
  const common = { attributes, ...(contents.place && { location: contents.place }) }
  return valuesBody(measurements, contents).map((body, n) => ({ ...source.head(n), ...common, ...body }))
}

function valuesBody(measurements: readonly Measurement[], contents: Contents): EventDraft[] {
  if (measurements.length > 0) return [{ body: 'observation', observation: { measurements: [...measurements] } }]
  return contents.place ? [{ body: 'position', position: {} }] : []
}

/** Version 4: an object or a Struct. Version 3: an object, or an object as JSON in a text. */
function objectOf(reading: Reading, message: Fields): Fields | undefined {
  const text = message['objectJSON']
  if (typeof text === 'string' && text !== '') {
    const parsed = parseJson(Buffer.from(text), { bytesMax: 262_144, depthMax: objectDepthMax })
    if ('fault' in parsed) return fail(reading, `objectJSON: ${parsed.why}`, parsed.fault)
    if (parsed.value === null) return undefined
    return isFields(parsed.value) ? parsed.value : { value: parsed.value }
  }
  const object = fieldsAt(reading, message, 'object')
  // Only protobuf has a class of its own.
  if (!object || Object.getPrototypeOf(object) === Object.prototype) return object
  return plainStruct(object) ?? fail(reading, `object is nested deeper than ${objectDepthMax}`, 'length')
}

/** A device without a codec: its bytes, as only its maker can read them. */
function payloadOf(reading: Reading, message: Fields): Measurement[] {
  const bytes = bytesAt(reading, message, 'data')
  if (bytes.length === 0) return []
  if (bytes.length > blobBytesMax) {
    fail(reading, `data has ${bytes.length} bytes, at most ${blobBytesMax}`, 'length')
    return []
  }
  const channel = `f_port_${countAt(reading, message, 'fPort')}`
  return [{ quantity: 'payload', value: 'blob', blob: bytes, channel }]
}

function frameAttributes(reading: Reading, message: Fields): Attribute[] {
  const attributes: Attribute[] = [
    { name: 'f_cnt', value: String(countAt(reading, message, 'fCnt')) },
    { name: 'dr', value: String(countAt(reading, message, 'dr')) },
  ]
  // Port 0 is the network's own; an uplink without a port is one without a payload.
  const port = countAt(reading, message, 'fPort')
  if (port !== 0) attributes.push({ name: 'f_port', value: String(port) })
  for (const [field, name] of [
    ['adr', 'adr'],
    ['confirmed', 'confirmed'],
    ['confirmedUplink', 'confirmed'],
  ] as const) {
    if (flagAt(reading, message, field)) attributes.push({ name, value: 'true' })
  }
  if (fieldsAt(reading, message, 'joinServerContext')) {
    attributes.push({ name: 'payload_encrypted', value: 'true' })
    reading.warnings.add('the payload is encrypted: its key is with a join server, not with ChirpStack')
  }
  return attributes
}

function measurementOf(reading: Reading, leaf: Leaf): Measurement | undefined {
  const meaning = meaningOf(leaf.word, leaf.unitText, leaf.isNumbered)
  const value = valueOf(leaf, meaning)
  if (value === undefined) {
    reading.warnings.add('a text of the object is too long: left in the frame')
    return undefined
  }
  const number = leaf.number ?? meaning.number
  const isNumber = value.value === 'number' || value.value === undefined
  if (isNumber && leaf.unitText !== '' && !meaning.unit)
    reading.warnings.add('a unit is not known: kept as the source wrote it')
  return {
    quantity: meaning.quantity,
    ...value,
    ...(isNumber && unitFields(meaning)),
    ...(number !== undefined && { index: number }),
    channel: shortened(leaf.path.toWellFormed()),
    ...(meaning.aggregation !== undefined && { aggregation: meaning.aggregation }),
  }
}

type Valued = Pick<Measurement, 'quality'> & (ReturnType<typeof numberValue> | { value?: undefined })

/** Undefined: too long to be kept. */
function valueOf({ value, unitText }: Leaf, { unit }: Meaning): Valued | undefined {
  if (typeof value === 'boolean') return { value: 'flag', flag: value }
  const number = typeof value === 'string' && unitText !== '' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && !Number.isNaN(number)) {
    const read = numberValue(number, unit)
    if (read.value === 'number' && Number.isFinite(read.number)) return read
    return { quality: Quality.MISSING }
  }
  if (typeof value !== 'string') return { quality: Quality.MISSING }
  const text = value.toWellFormed()
  return Buffer.byteLength(text) > textBytesMax ? undefined : { value: 'text', text }
}

function unitFields({ unit, sourceUnit }: Meaning): Pick<Measurement, 'unit' | 'sourceUnit'> {
  const isShort = sourceUnit !== undefined && Buffer.byteLength(sourceUnit) <= unitBytesMax
  return {
    ...(unit && unit.code !== '' && { unit: unit.code }),
    ...(isShort && sourceUnit !== unit?.code && { sourceUnit: sourceUnit.toWellFormed() }),
  }
}

/** The end of a path says more than its beginning. */
function shortened(path: string): string {
  if (path.length * 3 <= channelBytesMax || Buffer.byteLength(path) <= channelBytesMax) return path
  let [end, size] = [path.length, 0]
  const characters = [...path]
  end = characters.length
  while (end > 0) {
    size += Buffer.byteLength(characters[end - 1]!)
    if (size > channelBytesMax) break
    end--
  }
  return characters.slice(end).join('')
}

/**
 * A number in the word or the path says which one it is, whatever else the message holds. Where a quantity stands several times
 * without, or with the same number, each that follows takes the next free one.
 */
function giveNumbers(measurements: readonly Measurement[]): void {
  const alike = Map.groupBy(measurements, ({ quantity, aggregation }) => `${quantity} ${aggregation ?? ''}`)
  for (const several of alike.values()) {
    if (several.length < 2) continue
    const taken = new Set<number>()
    for (const measurement of several) {
      const wanted = measurement.index
      if (wanted === undefined || taken.has(wanted)) measurement.index = undefined as never
      else taken.add(wanted)
    }
    let next = 0
    for (const measurement of several) {
      if (measurement.index !== undefined) continue
      while (taken.has(next)) next++
      taken.add(next)
      measurement.index = next
    }
  }
}
