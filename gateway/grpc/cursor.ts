// The cursor that a client stores: a bookmark with the epoch of its log, sealed by a checksum. It is opaque to clients. What is
// no cursor of ours is refused; a foreign or too new one is a matter for the subscription, never an error.

import { crc32 } from 'node:zlib'
import { GatewayError } from '../../proto/errors.ts'
import type { LanePosition } from '../log/log.ts'

export interface Cursor {
  readonly epoch: bigint
  readonly bookmark: LanePosition
  /** When the last record up to the bookmark was logged, for each lane, ns UTC; 0: none was. What to resume by in another epoch. */
  readonly loggedAt: LaneTimes
  /** The reader was still being given the snapshot of a `current` start: it begins with it again. */
  readonly inSnapshot: boolean
}

export interface LaneTimes {
  readonly urgent: bigint
  readonly routine: bigint
}

//   0        1       2        10        18         26           34            42      46
//   version  flags   epoch    urgent    routine    urgent at    routine at    crc32
//   all little-endian; the crc covers what is before it
const version = 1
const inSnapshotFlag = 1
const crcAt = 42
const cursorBytes = 46

export function encodeCursor({ epoch, bookmark, loggedAt, inSnapshot }: Cursor): Buffer {
  const bytes = Buffer.allocUnsafe(cursorBytes)
  bytes[0] = version
  bytes[1] = inSnapshot ? inSnapshotFlag : 0
  bytes.writeBigUInt64LE(epoch, 2)
  bytes.writeBigUInt64LE(BigInt(bookmark.urgent), 10)
  bytes.writeBigUInt64LE(BigInt(bookmark.routine), 18)
  bytes.writeBigInt64LE(loggedAt.urgent, 26)
  bytes.writeBigInt64LE(loggedAt.routine, 34)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, crcAt)), crcAt)
  return bytes
}

/** `name` is the field of the request it came in. */
export function decodeCursor(given: Uint8Array, name: string): Cursor {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  const sound = bytes.length === cursorBytes && crc32(bytes.subarray(0, crcAt)) === bytes.readUInt32LE(crcAt)
  if (!sound) {
    const text = `${name} is no cursor of a Tocsin gateway (${bytes.length} bytes): give back one exactly as it came, or start by time.`
    throw new GatewayError('invalid_argument', text)
  }
  if (bytes[0] !== version) {
    const text = `${name} is a cursor of version ${bytes[0]}, and this gateway knows version ${version}: start by time.`
    throw new GatewayError('invalid_argument', text)
  }
  return {
    epoch: bytes.readBigUInt64LE(2),
    bookmark: { urgent: Number(bytes.readBigUInt64LE(10)), routine: Number(bytes.readBigUInt64LE(18)) },
    loggedAt: { urgent: bytes.readBigInt64LE(26), routine: bytes.readBigInt64LE(34) },
    inSnapshot: ((bytes[1] ?? 0) & inSnapshotFlag) !== 0,
  }
}
