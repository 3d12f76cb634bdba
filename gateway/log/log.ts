// The log: inputs only append to it, outputs only read from it. An append resolves when it is on disk and `head` covers it; a
// frame is taken whole or not at all. This file is the contract; create-log.ts makes one.

import type { GatewayError } from '../../proto/errors.ts'
import type { EventKind, Frame, RecordHeader } from '../../proto/generated/types.ts'

export type Lane = 'urgent' | 'routine'
export const lanes: readonly Lane[] = ['urgent', 'routine']

/** Segments are kept and removed by class; see settings `log.retention`. */
export type Retention = 'standard' | 'record'

/** How far something is in each lane: the last sequence dealt with; 0: nothing. Sequences are whole numbers from 1, below 2^53. */
export type LanePosition = Readonly<Record<Lane, number>>
export type Bookmark = LanePosition

export interface NewRecord {
  readonly lane: Lane
  readonly retention: Retention
  readonly header: RecordHeader
  /** The same by `encodeHeader`, from whoever has many with one. */
  readonly encodedHeader?: Uint8Array
  /** The encoded event. */
  readonly event: Uint8Array
  /**
   * From whoever would make `event` only for the log to copy it: writes it where there is room for `eventBytesMax`, and answers where it
   * ends. Called again when a commit failed.
   */
  putEvent?(target: Buffer, at: number): number
  /** With `putEvent`. */
  readonly eventBytesMax?: number
}

/** A frame with all that came of it. `fate` is STORED with one or more records, or IGNORED, CARRIED, REFUSED, WAITING or DUPLICATE with none. */
export interface NewFrame {
  /** As it is kept: id, received_at, adapter, channel, sender, payload, fate, why … `sha256` and `events` are added by the log. */
  readonly frame: Frame
  readonly records: readonly NewRecord[]
  /** What `encodeFrameRest` makes of the two, from whoever has many with the same. */
  readonly encodedRest?: Uint8Array | undefined
  /** The transport says that it is sent again (MQTT DUP): `frame.resendKey` is looked for before anything is stored. */
  readonly resent?: boolean
  /** Somebody is to be given the frame itself: it is kept, as a DUPLICATE, also when every event of it was here before. */
  readonly carry?: boolean
}

export type Appended =
  /** `number`: of the frame, see `AppendedFrame`. */
  | { readonly fate: 'stored'; readonly number: number; readonly places: readonly Place[] }
  /** Every event of the frame, or the frame itself as a resend, was here before. Durable when this resolves. */
  | { readonly fate: 'duplicate' }

/** Is told once what became of a frame, in the turn in which its commit is done; it must not throw. */
export interface Told {
  stored(number: number, places: readonly Place[]): void
  /** As `Appended` has it. */
  duplicate(): void
  /** Nothing of the frame was taken, do not acknowledge: log_full, log_failed, overloaded or stopping. */
  notTaken(error: GatewayError): void
}

export interface Place {
  readonly lane: Lane
  readonly sequence: number
}

/** A frame that is durable now, with what came of it: the objects that were appended, to be read only. */
export interface AppendedFrame {
  /** 1, 2, 3 … over all frames of this log, refused ones too, in the order in which they were appended; below 2^53. */
  readonly number: number
  readonly frame: Frame
  /** Those that were not here before. */
  readonly records: readonly NewRecord[]
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly loggedAt: bigint
}

export interface NumberedFrame {
  readonly number: number
  /** Decoded from the disk. Its bytes are views of something larger: whoever keeps them copies them. */
  readonly frame: Frame
}

/** What lies between `after` and `through` and is still there; numbers that are missing are gone (retention, damage, payload removed). */
export interface FrameSlice {
  readonly frames: readonly NumberedFrame[]
  /** > `after`. */
  readonly through: number
}

export interface FrameLimit {
  readonly frames: number
  /** Of the encoded frames. */
  readonly bytes: number
}

export interface StoredRecord {
  readonly lane: Lane
  readonly sequence: number
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly loggedAt: bigint
  /** True when the payload was removed: `event` is zeros. */
  readonly removed: boolean
  /** The encoded tocsin.v1.Record, as on disk. Valid for as long as it is held. */
  readonly bytes: Uint8Array
  /** Decoded on first use. */
  readonly header: RecordHeader
  /** The encoded event inside `bytes`. */
  readonly event: Uint8Array
  readonly frameId: Uint8Array
}

/** What lies between a reader's bookmark and `through`, in one lane. */
export interface Slice {
  readonly lane: Lane
  readonly after: number
  /** The bookmark after this slice; ≥ `after`. */
  readonly through: number
  /** The records as they lie on disk, in the form of tocsin.v1.RecordBatch (with commit marks). */
  readonly batch: Uint8Array
  /** True when `batch` may be handed on as it is: nothing in it is void. */
  readonly clean: boolean
  /** Parsed on first use; without void ones. */
  readonly records: readonly StoredRecord[]
  /** Sequences in (after, through] that are gone, and why. */
  readonly missing: readonly Missing[]
}

export interface Missing {
  readonly from: number
  readonly to: number
  readonly reason: 'retention' | 'damaged'
}

export interface ReadLimit {
  readonly records: number
  readonly bytes: number
}

export interface Log {
  /** Changes only by a restore from a backup. */
  readonly epoch: bigint
  /** Last durable sequence of each lane; 0: nothing yet. */
  readonly head: LanePosition
  /** Number of the last durable frame; 0: nothing yet. Not all frames up to there need be kept. */
  readonly frameHead: number
  /** First sequence still kept in each lane; head + 1 when none is. */
  readonly oldest: LanePosition
  /** Frames and records since the log began, counted again from the log at start. */
  readonly counts: LogCounts
  readonly bookmarks: Bookmarks

  /** Rejects with what `Told.notTaken` is told. */
  append(frame: NewFrame): Promise<Appended>
  /** The same without a promise, for those who have many: `told` is told later, never before this returns. */
  put(frame: NewFrame, told: Told): void

  /** Never more than `limit`, but at least one record when there is one. Undefined: nothing after `after`. Synchronous, from memory or page cache. */
  read(lane: Lane, after: number, limit: ReadLimit): Slice | undefined
  /** The bookmark just before the first record that was logged at or after `time` (nanoseconds UTC). */
  before(time: bigint): LanePosition
  /** Called after each commit that moved `head`; returns the way to stop it. */
  onAdvance(listener: () => void): () => void

  /**
   * Called for each commit with its frames in the order of their numbers, when the head covers them and before their appends resolve:
   * so nothing may be acknowledged that a listener has not seen. It must not throw. Returns the way to stop it.
   */
  onFrames(listener: (frames: readonly AppendedFrame[]) => void): () => void
  /** Frames by number, at most `limit` of them, but at least one number further. Undefined: nothing after `after`. Synchronous, from page cache. */
  readFrames(after: number, limit: FrameLimit): FrameSlice | undefined
  /** The frame of a number; undefined: it is gone. Numbers that are near each other are found quickly. */
  readFrame(number: number): Frame | undefined

  findEvent(id: Uint8Array): StoredRecord | undefined
  /** All records of a frame, in order of `index`. */
  findFrameRecords(frameId: Uint8Array, receivedAt: bigint): readonly StoredRecord[]
  findFrame(id: Uint8Array): Frame | undefined
  /** Newest first. `channel` restricts to one channel, `fate` to those kept with that fate. */
  frames(query: FrameQuery): readonly Frame[]
  /** The same one after the other, for those who go through many. */
  eachFrame(query: Omit<FrameQuery, 'limit'>): Iterable<Frame>
  /** Says in place that a frame of the quarantine was read again. */
  markReplayed(id: Uint8Array, at: bigint, fate: 'stored' | 'refused' | 'duplicate' | 'ignored'): Promise<void>
  /** The last record of each subject and kind as of the head: what a console shows when it starts. */
  current(kinds?: ReadonlySet<EventKind>): readonly StoredRecord[]

  /** Zeroes a record's event and its frame's payload in place and flags them; resolves when durable. */
  removePayload(place: Place): Promise<void>
  /** Removes what retention allows at `now`; returns what went. */
  retain(now: bigint): Promise<readonly Removed[]>
  readonly holds: Holds

  /** Resolves when all that was appended is settled and the files are closed. */
  close(): Promise<void>
}

export interface LogCounts {
  /** Frames by what became of them. */
  readonly stored: number
  readonly refused: number
  readonly ignored: number
  readonly carried: number
  /** All that ever waited: what was admitted is counted among the others as well. */
  readonly waiting: number
  /** Records in each lane. */
  readonly records: Readonly<Record<Lane, number>>
  /** Damaged records found so far. */
  readonly damaged: number
}

export interface FrameQuery {
  readonly channel?: string
  readonly fate?: 'stored' | 'refused' | 'ignored' | 'carried' | 'waiting'
  /** Only frames received before this frame id: the next page. */
  readonly before?: Uint8Array
  readonly limit: number
}

export interface Bookmarks {
  get(name: string): Bookmark | undefined
  /** Kept in memory at once, on disk within a second and at close. `pins` holds retention back for `hold` (settings). */
  set(name: string, bookmark: Bookmark, options?: { pins?: boolean }): void
  remove(name: string): void
  list(): readonly { name: string; bookmark: Bookmark; pins: boolean; savedAt: bigint }[]
}

/** A legal or operational hold: nothing logged between the two times is removed until it is released. */
export interface Hold {
  readonly name: string
  readonly reason: string
  readonly from: bigint
  readonly to: bigint
}

export interface Holds {
  add(hold: Hold): void
  release(name: string): void
  list(): readonly Hold[]
}

export interface Removed {
  readonly series: string
  readonly records: number
  readonly bytes: number
  /** A pinned bookmark had not passed it: its reader is told of a gap. */
  readonly pinnedBy: readonly string[]
}
