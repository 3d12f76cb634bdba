// How entries lie in a file, and how each holds the one before it. A file is length-delimited tocsin.v1.AuditEntry messages, so that any
// protobuf tool reads it; an entry names the SHA-256 of the bytes of the one before, so that none can be changed, taken out or put in
// without the next one saying so.

import { hash } from 'node:crypto'
import type { AuditEntry } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import { entryFields, type EntryFields } from './entry-fields.ts'

/** An entry's number and the digest of its bytes: who has these can tell whether anything up to it is as it was. */
export interface Head {
  /** 0: nothing was written yet. */
  readonly number: number
  readonly sha256: Uint8Array
}

export const noHead: Head = { number: 0, sha256: new Uint8Array(32) }

/** Far above what entry.ts makes: a length beyond it is none of ours. */
export const entryBytesMax = 1 << 20

const entryCodec = codec('tocsin.v1.AuditEntry')

/** By way of the text, which is three times as fast as asking for the bytes (Node 24). */
export const digestOf = (bytes: Uint8Array): Buffer => Buffer.from(hash('sha256', bytes), 'hex')

/** The entry's bytes with their length before them, and the head after it. */
export function encodeLinked(entry: AuditEntry, before: Head): { readonly framed: Buffer; readonly head: Head } {
  const number = before.number + 1
  const bytes = entryCodec.encode({ ...entry, number, previousSha256: before.sha256 })
  return { framed: Buffer.concat([lengthBytes(bytes.length), bytes]), head: { number, sha256: digestOf(bytes) } }
}

/** A whole entry in a file. */
export interface Placed extends EntryFields {
  readonly offset: number
  readonly end: number
  /** Without the length. */
  readonly bytes: Buffer
  /** Decoded when it is looked at. */
  readonly entry: AuditEntry
}

/** Where the bytes of the entry at `offset` begin and end; undefined: there is no whole one. */
export function rangeAt(file: Buffer, offset: number): { readonly start: number; readonly end: number } | undefined {
  let length = 0
  for (let at = offset, shift = 0; at < file.length && shift < 28; at += 1, shift += 7) {
    const byte = file[at]!
    length += (byte & 0x7f) * 2 ** shift
    if (byte > 0x7f) continue
    // Written in the one shortest way: a longer form of the same length would be a change that no digest covers.
    const isShortest = shift === 0 || byte !== 0
    const end = at + 1 + length
    return isShortest && length > 0 && length <= entryBytesMax && end <= file.length
      ? { start: at + 1, end }
      : undefined
  }
  return undefined
}

/** Where the last whole entry of a file ends: one that is being written may follow. */
export function wholeEnd(file: Buffer): number {
  let end = 0
  for (let range = rangeAt(file, 0); range; range = rangeAt(file, end)) end = range.end
  return end
}

/** Undefined when there is no whole entry at `offset`, or none that can be read. */
export function entryAt(file: Buffer, offset: number): Placed | undefined {
  const range = rangeAt(file, offset)
  if (!range) return undefined
  const bytes = file.subarray(range.start, range.end)
  const fields = entryFields(bytes)
  if (!fields) return undefined
  let decoded: AuditEntry | undefined
  return {
    ...fields,
    offset,
    end: range.end,
    bytes,
    get entry() {
      return (decoded ??= readEntry(bytes))
    },
  }
}

/** An entry that was changed so that nothing of it can be read still has its place. */
function readEntry(bytes: Uint8Array): AuditEntry {
  try {
    return entryCodec.decode(bytes)
  } catch {
    return {}
  }
}

export interface Walked {
  /** After the last entry that follows from the one before it. */
  readonly head: Head
  readonly end: number
  /** Why the walk ended before the file did; absent: it did not. */
  readonly why?: string
  /** What stands before the end was changed, or what stands behind it; absent: it is what stands behind it. */
  readonly changed?: true
}

/** Entries of a file one after the other, as long as each follows from the one before; `before` is absent where it is not known; before the first there is `noHead`. */
export function walkChain(
  file: Buffer,
  first: number,
  before: Head | undefined,
  each: (placed: Placed, head: Head) => void = () => {},
): Walked {
  let head: Head = before ?? { number: first - 1, sha256: noHead.sha256 }
  let isKnown = before !== undefined
  let offset = 0
  while (offset < file.length) {
    const placed = entryAt(file, offset)
    if (!placed) return { head, end: offset, why: `entry ${head.number + 1} cannot be read` }
    if (placed.number !== head.number + 1) {
      return { head, end: offset, why: `entry ${head.number + 1} should stand here; it is ${placed.number}` }
    }
    if (isKnown && !isEqual(placed.previousSha256, head.sha256)) {
      const why =
        head.number === 0
          ? 'entry 1 does not begin the chain'
          : `entry ${head.number} or ${placed.number} was changed: the digest of the one is not what the other says`
      return { head, end: offset, why, changed: true }
    }
    head = { number: placed.number, sha256: digestOf(placed.bytes) }
    isKnown = true
    offset = placed.end
    each(placed, head)
  }
  return { head, end: offset }
}

export const isEqual = (one: Uint8Array | undefined, other: Uint8Array): boolean =>
  one !== undefined && Buffer.compare(one, other) === 0

export const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

function lengthBytes(length: number): Buffer {
  const bytes: number[] = []
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
