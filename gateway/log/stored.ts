// Records and frames as readers are given them: what lies on disk, decoded only when it is looked at.

import type { Frame, RecordHeader } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import type { FrameEntry } from './frames.ts'
import type { Lane, StoredRecord } from './log.ts'
import {
  eventRange,
  flagRemoved,
  flagsAt,
  frameIdAt,
  headerAt,
  laneAt,
  loggedAt,
  recordPrefixBytes,
  sequenceAt,
} from './record.ts'

const headerCodec = codec('tocsin.v1.RecordHeader')

export const storedRecord = (bytes: Uint8Array, at: number, size: number): StoredRecord => new Stored(bytes, at, size)

/** A class, since there is one for each record that is read, and few look at all of it. */
class Stored implements StoredRecord {
  readonly sequence: number
  readonly #batch: Uint8Array
  readonly #at: number
  readonly #size: number
  #header: RecordHeader | undefined

  constructor(batch: Uint8Array, at: number, size: number) {
    this.sequence = sequenceAt(batch, at)
    this.#batch = batch
    this.#at = at
    this.#size = size
  }

  get lane(): Lane {
    return laneAt(this.#batch, this.#at)
  }

  get loggedAt(): bigint {
    return loggedAt(this.#batch, this.#at)
  }

  get removed(): boolean {
    return (flagsAt(this.#batch, this.#at) & flagRemoved) !== 0
  }

  get bytes(): Uint8Array {
    return this.#batch.subarray(this.#at + recordPrefixBytes, this.#at + this.#size)
  }

  get header(): RecordHeader {
    return (this.#header ??= headerCodec.decode(headerAt(this.#batch, this.#at)))
  }

  get event(): Uint8Array {
    const { start, end } = eventRange(this.#batch, this.#at)
    return this.#batch.subarray(start, end)
  }

  get frameId(): Uint8Array {
    return frameIdAt(this.#batch, this.#at)
  }
}

const frameCodec = codec('tocsin.v1.Frame')
export const decodeFrame = (entry: FrameEntry): Frame => frameCodec.decode(entry.bytes)
