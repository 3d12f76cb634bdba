// Records and frames as readers are given them: what lies on disk, decoded only when it is looked at.

import type { Frame, RecordHeader } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import type { FrameEntry } from './frames.ts'
import type { StoredRecord } from './log.ts'
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

export function storedRecord(bytes: Uint8Array, at: number, size: number): StoredRecord {
  let header: RecordHeader | undefined
  return {
    lane: laneAt(bytes, at),
    sequence: sequenceAt(bytes, at),
    loggedAt: loggedAt(bytes, at),
    removed: (flagsAt(bytes, at) & flagRemoved) !== 0,
    bytes: bytes.subarray(at + recordPrefixBytes, at + size),
    get header() {
      return (header ??= headerCodec.decode(headerAt(bytes, at)))
    },
    get event() {
      const { start, end } = eventRange(bytes, at)
      return bytes.subarray(start, end)
    },
    frameId: frameIdAt(bytes, at),
  }
}

const frameCodec = codec('tocsin.v1.Frame')
export const decodeFrame = (entry: FrameEntry): Frame => frameCodec.decode(entry.bytes)
