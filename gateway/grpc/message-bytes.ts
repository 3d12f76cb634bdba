// Protobuf messages put together from parts that are bytes already, in one copy: what is sent to consoles is never encoded twice.

/** `bytes` is a field's content, or whole fields when `tag` is absent. */
export interface Part {
  readonly tag?: number
  readonly bytes: Uint8Array
}

/** Tag of a field of wire type 2 with a number below 16 (protobuf encoding guide, "Message structure"). */
export const lengthTag = (field: number): number => (field << 3) | 2

/** All parts one after the other, and all that as the field `tag` when it is given. */
export function joinParts(parts: readonly Part[], tag?: number): Buffer {
  let length = 0
  for (const part of parts) length += partLength(part)
  const head = tag === undefined ? 0 : 1 + varintLength(length)
  const joined = Buffer.allocUnsafe(head + length)
  let at = tag === undefined ? 0 : writeHead(joined, 0, tag, length)
  for (const { tag: partTag, bytes } of parts) {
    if (partTag !== undefined) at = writeHead(joined, at, partTag, bytes.length)
    joined.set(bytes, at)
    at += bytes.length
  }
  return joined
}

export const partLength = ({ tag, bytes }: Part): number =>
  tag === undefined ? bytes.length : 1 + varintLength(bytes.length) + bytes.length

function writeHead(into: Buffer, at: number, tag: number, length: number): number {
  into[at] = tag
  let rest = length
  for (at += 1; rest > 0x7f; at += 1) {
    into[at] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  into[at] = rest
  return at + 1
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) length += 1
  return length
}

//   Record: 0D crc(4)  11 sequence(8)  19 logged_at_ns(8)  25 flags(4) …   always written so (record.proto)
const loggedAtOffset = 15

/** How many records a RecordBatch holds, and when the last one was logged. */
export function surveyBatch(batch: Uint8Array): { records: number; lastLoggedAt: bigint | undefined } {
  let records = 0
  let last = -1
  let at = 0
  while (at < batch.length) {
    const isRecord = batch[at] === lengthTag(1)
    at += 1
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = batch[at++] ?? 0
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (isRecord) {
      records += 1
      last = at
    }
    at += length
  }
  if (last < 0) return { records, lastLoggedAt: undefined }
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  return { records, lastLoggedAt: view.getBigInt64(last + loggedAtOffset, true) }
}
