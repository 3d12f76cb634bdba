// The short way for the next message of a device: it mostly says what the one before said, with other numbers. Where its adapter
// vouches for that (`Decoder.pattern`), the event is that one's bytes with the new numbers in them. Whatever hangs on the numbers
// themselves is looked at here, and what is unusual in any way is left to the long way, which alone judges, flags and refuses.

import { type Decoder, type Frame, type Pattern, type PatternNumbers, patternNumbersMax } from '../adapters/adapter.ts'
import { quantities } from '../adapters/quantities.ts'
import type { Event, Measurement, RecordHeader } from '../proto/generated/types.ts'
import { codec } from '../proto/wire.ts'
import { type EventTemplate, eventTemplate } from './event-template.ts'
import type { KnownRest } from './frame-rest.ts'
import type { Ids } from './ids.ts'
import { guardedSubject } from './devices/guarded-subject.ts'
import type { Sender, Transport } from './inputs/receive.ts'
import type { NewRecord } from './log/log.ts'
import { encodeHeader } from './log/record-header.ts'
import { clockAheadNsMax, clockSetSince } from './normalise.ts'
import { type UnknownQuantities, rangeOf } from './quantities.ts'
import type { Route } from './routes.ts'

/** Of one channel. */
export interface Habit {
  shape: Shape | undefined
  /** Frames since the last one that the shape fitted. */
  misses: number
  /** So many are let pass before a new shape is made. */
  patience: number
  /** Frames that the shape fitted. */
  hits: number
}

export const newHabit = (): Habit => ({ shape: undefined, misses: 0, patience: 1, hits: 0 })

/** What the frames of one channel and sender have in common. */
export interface Shape {
  readonly sender: Sender
  readonly qos: number
  readonly pattern: Pattern
  readonly template: EventTemplate
  /** For each number, what it may be without being remarkable. */
  readonly min: Float64Array
  readonly max: Float64Array
  /** Measured, and not in the registry: counted each time. */
  readonly unknown: readonly string[]
  /** As it was first, for those who decide by what an event is and not by its numbers. */
  readonly event: Event
  readonly lane: NewRecord['lane']
  readonly retention: NewRecord['retention']
  readonly header: RecordHeader
  readonly encodedHeader: Uint8Array
  readonly contentType: string | undefined
  readonly properties: Frame['properties']
  /** What frames of it are kept with, once there was one. */
  rest: KnownRest | undefined
}

export interface ShapesParts {
  readonly ids: Ids
  mayPublish(sender: Sender, event: Event): string | undefined
  readonly unknownQuantities?: UnknownQuantities
  adapterFailed(adapter: string, error: unknown): void
}

export interface Shapes {
  /** The one record of a frame; undefined: it takes the long way. */
  read(route: Route, sender: Sender, frame: Frame, transport: Transport | undefined): ShapedRecord | undefined
  /** The long way made this of it, and found nothing to say about it. */
  learn(route: Route, sender: Sender, frame: Frame, transport: Transport | undefined, record: NewRecord): void
}

/** A record whose event is written when the log writes it. A class, since there is one for each message. */
export class ShapedRecord implements NewRecord {
  readonly id: Uint8Array
  readonly shape: Shape
  readonly #frame: Frame

  constructor(id: Uint8Array, shape: Shape, frame: Frame) {
    this.id = id
    this.shape = shape
    this.#frame = frame
  }

  get lane(): NewRecord['lane'] {
    return this.shape.lane
  }

  get retention(): NewRecord['retention'] {
    return this.shape.retention
  }

  get header(): RecordHeader {
    return this.shape.header
  }

  get encodedHeader(): Uint8Array {
    return this.shape.encodedHeader
  }

  get eventBytesMax(): number {
    return this.shape.template.bytesMax
  }

  putEvent(target: Buffer, at: number): number {
    const { pattern, template } = this.shape
    const { bytes, receivedAt } = this.#frame
    // The log mostly writes what was read last.
    if (read.of !== this.#frame) pattern.read(bytes, read)
    read.of = this.#frame
    return template.put(target, at, this.id, receivedAt, read)
  }

  get event(): Buffer {
    const bytes = Buffer.alloc(this.eventBytesMax)
    return bytes.subarray(0, this.putEvent(bytes, 0))
  }
}

/** What was read last, and of which frame. */
const read: PatternNumbers & { of: Frame | undefined } = {
  numbers: new Float64Array(patternNumbersMax),
  seconds: 0,
  nanos: 0,
  of: undefined,
}

/** About 3 kB each. */
const shapesMax = 10_000
/** Where shapes are forgotten before they are of use, making them costs more than they save: each of so many frames that fit pays for one. */
const hitsForOne = 16
const patienceMax = 1_024
/** Of MQTT 5: what a device says of itself each time. */
const propertiesMax = 16
const propertyCharactersMax = 512
const secondsAheadMax = Number(clockAheadNsMax / 1_000_000_000n)
const secondsSetSince = Number(clockSetSince / 1_000_000_000n)

const eventCodec = codec('tocsin.v1.Event')

export function createShapes({ ids, mayPublish, unknownQuantities, adapterFailed }: ShapesParts): Shapes {
  /** Those that have one, in the order in which they got it. */
  const having: Habit[] = []
  let oldest = 0
  let credit = shapesMax

  function readShaped(
    route: Route,
    sender: Sender,
    frame: Frame,
    transport: Transport | undefined,
  ): ShapedRecord | undefined {
    const { habit } = route
    const { shape } = habit
    if (!shape || !isSame(shape, sender, frame, transport)) return undefined
    const { receivedAt } = frame
    if (!fits(route, shape, frame) || !isUsual(shape, read, receivedAt)) return undefined
    // Asked each time, since what a sender may say can change; the long way says why not.
    if (mayPublish(sender, shape.event) !== undefined) return undefined
    if (sender.guard && sender.guard.judge(guardedSubject(shape.event)) !== 'pass') return undefined
    for (const quantity of shape.unknown) unknownQuantities?.count(route.input.adapter.name, quantity)
    habit.misses = 0
    habit.hits += 1
    credit = Math.min(credit + 1 / hitsForOne, shapesMax)
    return new ShapedRecord(ids.next(receivedAt), shape, frame)
  }

  function fits({ input, habit }: Route, { pattern }: Shape, frame: Frame): boolean {
    read.of = frame
    try {
      return pattern.read(frame.bytes, read)
    } catch (error) {
      adapterFailed(input.adapter.name, error)
      habit.shape = undefined
      return false
    }
  }

  function learn(
    route: Route,
    sender: Sender,
    frame: Frame,
    transport: Transport | undefined,
    record: NewRecord,
  ): void {
    const { habit } = route
    habit.misses += 1
    if (habit.misses <= habit.patience || credit < 1 || transport?.retain || !areFew(frame.properties)) return
    habit.patience = habit.hits > hitsForOne ? 1 : Math.min(habit.patience * 2, patienceMax)
    habit.misses = 0
    habit.hits = 0
    credit -= 1
    try {
      const shape = shapeOf(route.decoderFor(frame), sender, frame, transport, record)
      if (shape && !habit.shape) remember(habit)
      habit.shape = shape ?? habit.shape
    } catch (error) {
      adapterFailed(route.input.adapter.name, error)
    }
  }

  function remember(habit: Habit): void {
    const before = having[oldest]
    if (before) before.shape = undefined
    having[oldest] = habit
    oldest = (oldest + 1) % shapesMax
  }

  function shapeOf(
    decoder: Decoder,
    sender: Sender,
    frame: Frame,
    transport: Transport | undefined,
    { lane, retention, header, event: bytes }: NewRecord,
  ): Shape | undefined {
    // Of these there is one for each event, not for each device.
    if (header.dedupKey || header.expiresAtNs || header.cell || header.hasArea) return undefined
    const decoded = eventCodec.decode(bytes)
    // Its own, not its prototype's, which looks for it among all fields each time that it is asked.
    const event = { ...decoded, body: decoded.body } as Event
    const measured = event.body === 'observation' ? event.observation.measurements : undefined
    if (!measured || event.flags?.length || measured.some(({ quality }) => quality)) return undefined
    const pattern = decoder.pattern?.(frame, event)
    const template = pattern && eventTemplate(bytes, pattern)
    read.of = undefined
    if (!template || !pattern.read(frame.bytes, read)) return undefined
    // The long way vouches for it: the first one must come out as it was.
    const filled = Buffer.alloc(template.bytesMax)
    const end = template.put(filled, 0, event.id!, frame.receivedAt, read)
    if (!filled.subarray(0, end).equals(bytes)) return undefined
    const ranges = pattern.measurements.map((at) => rangeOf(measured[at]!))
    return {
      sender,
      qos: transport?.qos ?? 0,
      pattern,
      template,
      min: Float64Array.from(ranges, (range) => range?.min ?? -Infinity),
      max: Float64Array.from(ranges, (range) => range?.max ?? Infinity),
      unknown: unknownAmong(measured),
      event,
      lane,
      retention,
      header,
      encodedHeader: encodeHeader(header),
      contentType: frame.contentType,
      properties: frame.properties,
      rest: undefined,
    }
  }

  return { read: readShaped, learn }
}

function isSame(shape: Shape, sender: Sender, frame: Frame, transport: Transport | undefined): boolean {
  if (transport?.retain || shape.qos !== (transport?.qos ?? 0)) return false
  if (shape.contentType !== frame.contentType || !areSame(shape.properties, frame.properties)) return false
  const known = shape.sender
  if (known === sender) return true
  return known.name === sender.name && known.authenticity === sender.authenticity && known.link === sender.link
}

/** Few enough to be kept with a shape. */
function areFew(properties: Frame['properties'] = []): boolean {
  let characters = 0
  for (const [name, value] of properties) characters += name.length + value.length
  return properties.length <= propertiesMax && characters <= propertyCharactersMax
}

function areSame(some: Frame['properties'], others: Frame['properties']): boolean {
  if (some === others) return true
  if (!some || !others || some.length !== others.length) return false
  for (let at = 0; at < some.length; at++) {
    const [one, other] = [some[at]!, others[at]!]
    if (one[0] !== other[0] || one[1] !== other[1]) return false
  }
  return true
}

/** Neither its clock nor a value gives cause to look twice. */
function isUsual({ pattern, min, max }: Shape, { numbers, seconds }: PatternNumbers, receivedAt: bigint): boolean {
  const received = secondsOf(receivedAt)
  const observed = pattern.hasTime ? seconds : received
  if (!(observed >= secondsSetSince && observed - received < secondsAheadMax)) return false
  for (let at = 0; at < min.length; at++) {
    const number = numbers[at]!
    if (!(number >= min[at]! && number <= max[at]!)) return false
  }
  return true
}

let latest = 0n
let latestSeconds = 0

/** Many messages have one time of receipt. */
function secondsOf(receivedAt: bigint): number {
  if (receivedAt !== latest) {
    latest = receivedAt
    latestSeconds = Number(receivedAt / 1_000_000_000n)
  }
  return latestSeconds
}

const unknownAmong = (measurements: readonly Measurement[]): string[] =>
  measurements.flatMap(({ quantity }) => (quantity && !quantities.has(quantity) ? [quantity] : []))
