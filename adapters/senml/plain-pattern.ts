// What the next plain packs of a device have in common with this one: every byte but the digits of its values and of its time. A pack
// that fits is read by comparing bytes; its numbers are read as plain.ts reads them.

import { type EventDraft, type Frame, type Pattern, type PatternNumbers, patternNumbersMax } from '../adapter.ts'
import {
  afterSpace,
  bt,
  createPlainRecord,
  has,
  plainNanos,
  plainNumber,
  plainSeconds,
  readNumber,
  readPlainRecord,
  t,
  v,
  vb,
  vs,
} from './plain-record.ts'
import { packBytesMax } from './records.ts'
import { relativeSecondsMax, timeNsMax } from './resolve.ts'

/** A number of the pack: what is in front of it, and what it is. */
interface Slot {
  readonly label: typeof v | typeof bt | typeof t
  readonly from: number
  readonly to: number
  /** For a value: the place of its measurement. */
  readonly measurement: number
}

// One for all: what is read is used before anything else is read.
const record = createPlainRecord()

/** Of a pack that plain.ts made this one event of. */
export function plainPattern({ bytes }: Frame, event: EventDraft): Pattern | undefined {
  const slots = slotsOf(bytes)
  if (!slots) return undefined
  const values = slots.filter(({ label }) => label === v)
  const times = slots.length - values.length
  // RFC 8428 §4.5.3: of two the sum counts.
  if (times > 1 || values.length > patternNumbersMax) return undefined
  if (values.some(({ measurement }) => !isAsWritten(event, measurement))) return undefined
  return compiled(bytes, slots)
}

/** Undefined: it has a time that is relative to now (RFC 8428 §4.5.3). */
function slotsOf(bytes: Uint8Array): Slot[] | undefined {
  const slots: Slot[] = []
  let measurements = 0
  for (let at = afterSpace(bytes, 1); ; at = afterSpace(bytes, at + 1)) {
    at = readPlainRecord(bytes, at, record)
    if (at < 0) return undefined
    for (const label of [bt, t, v] as const) {
      if (has(record, label)) {
        if (label !== v && plainSeconds(record, label) < relativeSecondsMax) return undefined
        slots.push({ label, from: record.from[label]!, to: record.to[label]!, measurement: measurements })
      }
    }
    if (has(record, v) || has(record, vb) || has(record, vs)) measurements++
    at = afterSpace(bytes, at)
    if (bytes[at] !== comma) break
  }
  // Labels stand in any order.
  return slots.toSorted((a, b) => a.from - b.from)
}

const comma = 0x2c

/** Not converted to another unit: then the source's own digits are kept beside it. */
function isAsWritten(event: EventDraft, at: number): boolean {
  const measurement = event.body === 'observation' ? event.observation.measurements?.[at] : undefined
  return measurement?.value === 'number' && !measurement.sourceValue
}

function compiled(bytes: Uint8Array, slots: readonly Slot[]): Pattern {
  const labels = slots.map(({ label }) => label)
  // All that is not a number, in one piece, and where in it each number is missing.
  const literal = new Uint8Array(bytes.length)
  const before: number[] = []
  let [from, length] = [0, 0]
  for (const slot of [...slots, { from: bytes.length, to: bytes.length }]) {
    literal.set(bytes.subarray(from, slot.from), length)
    length += slot.from - from
    before.push(length)
    from = slot.to
  }

  function read(pack: Uint8Array, into: PatternNumbers): boolean {
    if (pack.length < length + labels.length || pack.length > packBytesMax) return false
    let [at, same, numbers] = [0, 0, 0]
    for (let slot = 0; ; slot++) {
      const end = before[slot]!
      for (; same < end; same++, at++) if (pack[at] !== literal[same]) return false
      if (slot === labels.length) return at === pack.length
      const label = labels[slot]!
      record.negative = 0
      at = readNumber(pack, at, record, label)
      if (at < 0) return false
      if (label === v) into.numbers[numbers++] = plainNumber(record)
      else if (!setTime(into, label)) return false
    }
  }

  const values = slots.filter(({ label }) => label === v)
  return {
    measurements: values.map(({ measurement }) => measurement),
    hasTime: values.length < slots.length,
    read,
  }
}

const secondsMax = Number(timeNsMax / 1_000_000_000n)

function setTime(into: PatternNumbers, label: number): boolean {
  into.seconds = plainSeconds(record, label)
  into.nanos = plainNanos(record, label)
  return into.seconds >= relativeSecondsMax && into.seconds <= secondsMax
}
