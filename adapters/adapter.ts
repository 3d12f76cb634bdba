// The contract. An adapter is a dictionary between one wire format and our events. It holds no socket, no clock, no file and no
// randomness: bytes, options and events go in, values come out. To add a format: one folder, one line in index.ts.

import type { ZodType } from 'zod'
import type { Event, Label } from '../proto/generated/types.ts'

export interface Adapter {
  /** The folder's name: what its community calls the format. */
  readonly name: string
  /** The document this follows, with its version: the reader will have it open beside the code. */
  readonly spec: string
  /** Goes up when the same bytes are read differently, so that a replay can be told from the first reading. */
  readonly version: string
  /** MQTT topic filters on which devices publish it by convention, beside `tocsin/in/<name>/<device>`. */
  readonly topics?: readonly string[]
  /** Media types that name it, where a transport carries one. */
  readonly contentTypes?: readonly string[]
  /** Labels that fields of its messages may have; absent: none, as of most sensors. What nobody could read is kept from who lacks them. */
  readonly labels?: readonly Label[]
  /** What a site may set, such as a mapping or channel keys. Holds no default secrets. */
  readonly options?: ZodType
  /** One decoder for each `stateKey`; without one, a single decoder serves all frames. Everything it remembers is bounded. */
  readonly decoder?: (options: unknown, saved?: Uint8Array) => Decoder
  readonly stateKey?: (frame: Frame) => string
  /** Sources of this format repeat a message without identity; alike ones within so long get one `dedupKey` from the decoder. */
  readonly repeatMs?: number
  readonly encode?: Encode
}

export interface Decoder {
  /** Never throws for bad bytes: a throw is a bug in the adapter. */
  decode(frame: Frame): Decoded
  /**
   * For formats whose devices send the same message again and again with other numbers: what this frame, of which `decode` made this
   * one event, has in common with them. Undefined: nothing that could be relied on. Only for a decoder without memory.
   */
  pattern?(frame: Frame, event: EventDraft): Pattern | undefined
  /** Time passed in, nanoseconds UTC: reorder windows, staleness. */
  tick?(now: bigint): Decoded
  /** State that must survive a restart: aliases, sequences. */
  save?(): Uint8Array
}

/** What stays the same from message to message of one device, and where the numbers stand. */
export interface Pattern {
  /** For each number, the place of the measurement whose `number` it is. */
  readonly measurements: readonly number[]
  /** Whether `observedAt` stands in the frame. */
  readonly hasTime: boolean
  /**
   * Reads another frame of the same channel and media type. True: `decode` would make the same event of it, but for these numbers and
   * this time. False: it differs in more, or needs a closer look; decode it.
   */
  read(bytes: Uint8Array, into: PatternNumbers): boolean
}

/** Written by `Pattern.read`; used again for the next frame. */
export interface PatternNumbers {
  /** At least as many as the pattern has. */
  readonly numbers: Float64Array
  /** Of `observedAt`, where the pattern has a time: whole seconds since 1970, not below zero, and nanoseconds. */
  seconds: number
  nanos: number
}

/** More numbers than this no pattern has. */
export const patternNumbersMax = 32

export type Encode = (events: readonly Event[], options: unknown) => Encoded

/** One whole message, already cut out of its stream. */
export interface Frame {
  readonly bytes: Uint8Array
  /** Nanoseconds since 1970-01-01 UTC, by the gateway's clock. */
  readonly receivedAt: bigint
  /** MQTT topic, HTTP path or socket name; formats that say nothing of themselves need it. */
  readonly channel: string
  /** Media type, where the transport says one. */
  readonly contentType?: string
  /** Names and values that the transport carried beside the bytes, such as MQTT 5 user properties: in order, and a name may repeat. */
  readonly properties?: readonly (readonly [name: string, value: string])[]
}

export type Decoded =
  | {
      outcome: 'events'
      events: readonly EventDraft[]
      /** What was noticed and mended or passed over; kept with the frame. */
      warnings?: readonly string[]
      /** Protocol answers of an enabled input, never commands. */
      replies?: readonly { channel: string; bytes: Uint8Array }[]
    }
  /** Sound, but says nothing we carry. */
  | { outcome: 'ignored'; why: string }
  /** Broken, or not this format at all. `why` says what and where, and never quotes the payload. */
  | { outcome: 'refused'; fault: Fault; why: string }

export type Fault = 'length' | 'syntax' | 'checksum' | 'range' | 'unsupported' | 'encrypted'

/**
 * An event as the adapter knows it. `normalise` adds id, receivedAt, provenance, adapter and its version, jurisdiction and owner,
 * a message status where the site's settings give one, lane and labels; what the adapter sets itself stays. `origin.device` is the
 * device in the format's own words; when absent it is taken from the channel.
 */
export type EventDraft = Event

export type Encoded =
  /** `lost` names the fields that the format cannot say; never status, cancel, handling or precision. */
  | { outcome: 'bytes'; bytes: Uint8Array; contentType: string; lost: readonly string[] }
  | { outcome: 'unsupported'; why: string }

export const events = (drafts: readonly EventDraft[], warnings: readonly string[] = []): Decoded =>
  warnings.length > 0 ? { outcome: 'events', events: drafts, warnings } : { outcome: 'events', events: drafts }
export const ignored = (why: string): Decoded => ({ outcome: 'ignored', why })
export const refused = (fault: Fault, why: string): Decoded => ({ outcome: 'refused', fault, why })
