// RecordHeader written by hand, because it is written for every record: a quarter of what the generic encoder takes. A test
// holds it to the generic one, field by field.

import type { EventKind, MessageStatus, RecordHeader } from '../../proto/generated/types.ts'
import {
  putBytes,
  putFixed64,
  putNumber,
  putString,
  putVarint,
  stringBytesMax,
  type Target,
  utf8,
} from './wire-bytes.ts'

/** Fields other than strings and bytes, with their tags. */
const fixedPartBytesMax = 96

/** Room for the whole header. */
export function headerBytesMax(header: RecordHeader): number {
  let size = fixedPartBytesMax + (header.resendKey?.length ?? 0) + (header.dedupKey?.length ?? 0)
  size += stringBytesMax(header.subject) + stringBytesMax(header.jurisdiction) + stringBytesMax(header.owner)
  size += stringBytesMax(header.sender) + stringBytesMax(header.topic)
  size += stringBytesMax(header.device) + stringBytesMax(header.adapter)
  if (header.properties) {
    for (const { name, value } of header.properties) size += 16 + stringBytesMax(name) + stringBytesMax(value)
  }
  return size
}

/** For `NewRecord.encodedHeader`. */
export function encodeHeader(header: RecordHeader): Uint8Array {
  const target: Target = { bytes: Buffer.allocUnsafeSlow(headerBytesMax(header)), at: 0 }
  putHeader(target, header)
  return target.bytes.subarray(0, target.at)
}

export function putHeader(target: Target, header: RecordHeader): void {
  putNumber(target, 0x08, header.kind)
  putNumber(target, 0x10, header.messageStatus)
  putString(target, 0x1a, header.subject)
  putString(target, 0x22, header.jurisdiction)
  putString(target, 0x2a, header.owner)
  putNumber(target, 0x30, header.severity)
  putNumber(target, 0x38, header.labels)
  putFixed64(target, 0x41, header.cell)
  putString(target, 0x4a, header.sender)
  putString(target, 0x52, header.topic)
  putNumber(target, 0x58, header.qos)
  if (header.retain) putNumber(target, 0x60, 1)
  if (header.properties) putProperties(target, 0x6a, header.properties)
  putBytes(target, 0x72, header.resendKey)
  putBytes(target, 0x7a, header.dedupKey)
  putString(target, 0x82, header.device)
  putString(target, 0x8a, header.adapter)
  putFixed64(target, 0x91, header.expiresAtNs)
  if (header.hasArea) putNumber(target, 0x98, 1)
  putNumber(target, 0xa0, header.fieldLabels)
  if (header.lawEnforcementPlace) putNumber(target, 0xa8, 1)
}

interface Named {
  readonly name?: string
  readonly value?: string
}

export function putProperties(target: Target, tag: number, properties: readonly Named[]): void {
  for (const { name, value } of properties) {
    target.bytes[target.at++] = tag
    const lengthAt = target.at++
    putString(target, 0x0a, name)
    putString(target, 0x12, value)
    putLengthBefore(target, lengthAt)
  }
}

/** Of what has been written behind the one byte that was left for it. */
function putLengthBefore(target: Target, lengthAt: number): void {
  const length = target.at - lengthAt - 1
  if (length > 0x7f) {
    // Rare: most have a few dozen bytes.
    const more = length < 0x4000 ? 1 : length < 0x200000 ? 2 : 3
    target.bytes.copyWithin(lengthAt + 1 + more, lengthAt + 1, target.at)
    target.at = lengthAt
    putVarint(target, length)
    target.at += length
  } else target.bytes[lengthAt] = length
}

/** dedup_key of an encoded header, without decoding the rest; undefined: it has none. */
export function dedupKeyOf(header: Uint8Array): Uint8Array | undefined {
  let at = 0
  while (at < header.length) {
    const tag = header[at]!
    at += tag > 0x7f ? 2 : 1
    const wireType = tag & 7
    if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else {
      let [value, scale] = [0, 1]
      while (header[at]! > 0x7f) {
        value += (header[at++]! & 0x7f) * scale
        scale *= 128
      }
      value += (header[at++] ?? 0) * scale
      if (wireType !== 2) continue
      if (tag === 0x7a) return header.subarray(at, at + value)
      at += value
    }
  }
  return undefined
}

export interface CurrentFacts {
  readonly kind: EventKind
  readonly status: MessageStatus
  readonly subject: string
}

/** Kind, message status and subject of an encoded header, which are its first three fields where they are set. */
export function currentFactsOf(header: Uint8Array): CurrentFacts {
  let [at, kind, status, subject] = [0, 0, 0, '']
  if (header[at] === 0x08) [kind, at] = [header[at + 1]!, at + 2]
  if (header[at] === 0x10) [status, at] = [header[at + 1]!, at + 2]
  if (header[at] === 0x1a) {
    // At most 256 bytes (validate.ts), so a length of one or two bytes.
    const isLong = header[at + 1]! > 0x7f
    const length = (header[at + 1]! & 0x7f) + (isLong ? header[at + 2]! << 7 : 0)
    const start = at + (isLong ? 3 : 2)
    subject = utf8(header, start, start + length)
  }
  return { kind: kind as EventKind, status: status as MessageStatus, subject }
}
