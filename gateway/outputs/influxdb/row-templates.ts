// The short way to the rows of a device's next event, which mostly differs from the one before in its id, its times and its numbers.
// Where all else of it is the same to the byte, so is all else of its rows, and they are written without it being decoded. Its
// promise: what the long way would write, to the byte; of whatever it is not sure of it says nothing.

import type { Event, Measurement } from '../../../proto/generated/types.ts'
import { fieldsOf, type Field } from '../../event-template.ts'
import { counterOf } from '../../ids.ts'
import { familyOf } from './families.ts'
import { createLines } from './line-protocol.ts'
import type { Lines } from './line-protocol.ts'
import type { Target } from './rows.ts'

export interface RowTemplate {
  readonly target: Target
  readonly rows: readonly RowText[]
  /** What `touched` is told of each row. */
  readonly families: readonly string[]
  readonly device: string
  /** Behind the id, up to the provenance. */
  readonly head: Uint8Array
  /** Behind the times; each number is left out of the comparison. */
  readonly rest: Uint8Array
  readonly slots: readonly number[]
}

/** Of one subject. */
interface Known {
  /** Undefined: no way was found. */
  template: RowTemplate | undefined
  /** Events since the last one that it fitted. */
  misses: number
}

/** What stands before the value and behind it. */
interface RowText {
  readonly before: Uint8Array
  readonly between: Uint8Array
}

export interface RowTemplates {
  /** The one that fits; the event's own numbers are remembered until the next is asked for. */
  find(event: Uint8Array): RowTemplate | undefined
  /** The rows of the event that was found last. */
  write(template: RowTemplate, lines: Lines, sequence: number): void
  /** Milliseconds, of the event that was found last. */
  readonly atMs: number
  /** The long way has written these rows of it. */
  learn(encoded: Uint8Array, event: Event, written: Written): void
}

/** The last `written` of the lines, one or more, are its rows. */
export interface Written {
  readonly target: Target
  readonly device: string
  readonly lines: Lines
  readonly written: number
  readonly sequence: number
}

/** About 1 kB each. */
const templatesMax = 10_000
/** Where they are forgotten before they are of use, making them costs more than they save. */
const hitsForAll = 4 * templatesMax

const measurementsMax = 16
const idBytes = 16
const headAt = 2 + idBytes
const [idTag, subjectTag, provenanceTag, observedTag, receivedTag] = [0x0a, 0x1a, 0x4a, 0x52, 0x5a]
const [secondsTag, nanosTag] = [0x08, 0x10]
const [idField, observedField, receivedField, observationField] = [1, 10, 11, 14]
const [measurementField, numberField, blobField] = [1, 2, 6]
const nanosOfMs = 1_000_000

export function createRowTemplates(): RowTemplates {
  const known = new Map<number, Known>()
  const scratch = createLines(4 << 10)
  const double = new Float64Array(1)
  const doubleBytes = new Uint8Array(double.buffer)
  const numbers = new Float64Array(measurementsMax)
  const id = new Uint8Array(idBytes)
  let atMs = 0
  let hits = hitsForAll

  function find(event: Uint8Array): RowTemplate | undefined {
    const entry = known.get(subjectSum(event))
    const template = entry?.template
    if (!entry || !template) return undefined
    const { head, rest, slots } = template
    if (!isSame(event, headAt, head, 0, head.length)) return undefined
    const restAt = readTimes(event, headAt + head.length)
    if (restAt < 0 || event.length - restAt !== rest.length) return undefined
    let from = 0
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index]!
      if (!isSame(event, restAt, rest, from, slot)) return undefined
      for (let byte = 0; byte < 8; byte++) doubleBytes[byte] = event[restAt + slot + byte]!
      if (!Number.isFinite(double[0]!)) return undefined
      numbers[index] = double[0]!
      from = slot + 8
    }
    if (!isSame(event, restAt, rest, from, rest.length)) return undefined
    for (let byte = 0; byte < idBytes; byte++) id[byte] = event[2 + byte]!
    entry.misses = 0
    hits++
    return template
  }

  /** Where the event goes on behind its times; −1: it is not what such an event looks like. */
  function readTimes(event: Uint8Array, start: number): number {
    let at = start
    while (event[at] === provenanceTag) at = behind(event, at)
    const end = behind(event, at)
    if (event[at] !== observedTag || event[at + 1]! > 0x7f || event[end] !== receivedTag) return -1
    at += 2
    let [seconds, nanos] = [0, 0]
    if (at < end && event[at] === secondsTag) {
      for (let scale = 1, more = true; more; scale *= 128) {
        const byte = event[++at]!
        seconds += (byte & 0x7f) * scale
        more = byte > 0x7f
      }
      at++
    }
    if (at < end && event[at] === nanosTag) {
      for (let scale = 1, more = true; more; scale *= 128) {
        const byte = event[++at]!
        nanos += (byte & 0x7f) * scale
        more = byte > 0x7f
      }
      at++
    }
    // Before 1970, or finer than a millisecond, which is a field of its own.
    if (at !== end || seconds > 1e11 || nanos % nanosOfMs !== 0) return -1
    atMs = seconds * 1_000 + nanos / nanosOfMs
    return behind(event, end)
  }

  function write({ rows }: RowTemplate, lines: Lines, sequence: number): void {
    const counter = counterOf(id)
    for (let index = 0; index < rows.length; index++) {
      const { before, between } = rows[index]!
      lines.begin('')
      lines.again(before)
      lines.float('value', numbers[index]!)
      lines.again(between)
      lines.id('event_id', id)
      lines.integer('sequence', sequence)
      lines.end(atMs, counter)
    }
  }

  function learn(encoded: Uint8Array, event: Event, { target, device, lines, written, sequence }: Written): void {
    const entry = entryOf(subjectSum(encoded))
    // A device whose events differ each time is tried ever more rarely.
    if (!entry || (++entry.misses & (entry.misses - 1)) !== 0) return
    const measurements = event.body === 'observation' ? (event.observation.measurements ?? []) : []
    const isPlain = measurements.length === written && measurements.every((each) => isPlainNumber(each))
    if (!isPlain || written > measurementsMax) return
    const parts = partsOf(encoded, written)
    const rows = Array.from({ length: written }, (_, index) => lines.line(lines.count - written + index))
    const texts = rows.map((row, index) => textOf(row, measurements[index]!))
    if (!parts || !texts.every((text) => text !== undefined)) return
    const families = measurements.map(({ quantity = '' }) => familyOf(quantity))
    const { misses } = entry
    const template = { target, rows: texts, families, device, ...parts }
    entry.template = template
    // Held to its promise before it is ever used.
    scratch.clear()
    if (find(encoded) === template) write(template, scratch, sequence)
    if (Buffer.compare(scratch.bytes(), Buffer.concat(rows)) !== 0) entry.template = undefined
    entry.misses = misses
  }

  function entryOf(sum: number): Known | undefined {
    let entry = known.get(sum)
    if (entry || sum < 0) return entry
    if (known.size >= templatesMax) {
      if (hits < hitsForAll) return undefined
      known.clear()
      hits = 0
    }
    known.set(sum, (entry = { template: undefined, misses: 0 }))
    return entry
  }

  return {
    find,
    write,
    learn,
    get atMs() {
      return atMs
    },
  }
}

/** A sum of the subject's bytes, by which events of one device are found; −1: it is not where our encoder puts it. */
function subjectSum(event: Uint8Array): number {
  const length = event[headAt + 1]!
  if (event[0] !== idTag || event[1] !== idBytes || event[headAt] !== subjectTag || length > 0x7f) return -1
  const end = headAt + 2 + length
  let sum = 0x811c9dc5
  for (let at = headAt + 2; at < end; at++) sum = Math.imul(sum ^ event[at]!, 0x01000193)
  return sum & 0x3fffffff
}

/** Two that share a sum are told apart here: the subject is part of what is compared. */
function isSame(event: Uint8Array, offset: number, known: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (event[offset + at] !== known[at]) return false
  return true
}

/** Behind the field at `at`, which has a length of up to two bytes. */
function behind(event: Uint8Array, at: number): number {
  const length = event[at + 1]!
  if (length < 0x80) return at + 2 + length
  return at + 3 + (length & 0x7f) + event[at + 2]! * 128
}

const isPlainNumber = (measurement: Measurement): boolean =>
  measurement.value === 'number' && Number.isFinite(measurement.number) && !measurement.measuredAt

function partsOf(event: Uint8Array, measurements: number): Pick<RowTemplate, 'head' | 'rest' | 'slots'> | undefined {
  const fields = fieldsOf(event, 0, event.length)
  const only = (number: number) => {
    const found = fields.filter((field) => field.number === number)
    return found.length === 1 ? found[0] : undefined
  }
  const [id, observed, received, observation] = [
    only(idField),
    only(observedField),
    only(receivedField),
    only(observationField),
  ]
  if (!id || !observed || !received || !observation || observation.from < received.to) return undefined
  let headEnd = headAt
  for (const { at, to } of fields) if (at >= headAt && to <= observed.at && event[at] !== provenanceTag) headEnd = to
  const slots = fieldsOf(event, observation.from, observation.to)
    .filter(({ number }) => number === measurementField)
    .map((one) => numberAt(event, one) - received.to)
  if (slots.length !== measurements || slots.some((slot) => slot < 0)) return undefined
  return { head: event.slice(headAt, headEnd), rest: event.slice(received.to), slots }
}

/** Of a measurement that has a number and no other value; −1: it is none. */
function numberAt(event: Uint8Array, { from, to }: Field): number {
  const values = fieldsOf(event, from, to).filter(({ number }) => number >= numberField && number <= blobField)
  const [value] = values
  return values.length === 1 && value?.number === numberField && value.to - value.from === 8 ? value.from : -1
}

const [space, backslash] = [0x20, 0x5c]
const idKey = Buffer.from(',event_id="')

/** The parts of a row whose first field is its value. */
function textOf(row: Uint8Array, measurement: Measurement): RowText | undefined {
  if (measurement.value !== 'number') return undefined
  const { number } = measurement
  const line = Buffer.from(row)
  let fieldsAt = line.indexOf(space)
  while (fieldsAt > 0 && line[fieldsAt - 1] === backslash) fieldsAt = line.indexOf(space, fieldsAt + 1)
  const value = ` value=${Object.is(number, -0) ? '-0' : String(number)}`
  const valueEnd = fieldsAt + value.length
  const idAt = line.lastIndexOf(idKey)
  if (fieldsAt < 0 || line.toString('latin1', fieldsAt, valueEnd) !== value || idAt < valueEnd) return undefined
  return { before: line.subarray(0, fieldsAt), between: line.subarray(valueEnd, idAt) }
}
