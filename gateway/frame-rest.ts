// What the frames of one shape are kept with beside what each has of its own (`NewFrame.encodedRest`), encoded once. What a client says to be
// known by again, its correlation data, is mostly another each time and of the same length: it is put in its place in a copy.

import type { Frame, MqttEnvelope } from '../proto/generated/types.ts'
import { encodeFrameRest } from './log/frames.ts'
import type { NewRecord } from './log/log.ts'

export interface KnownRest {
  readonly envelope: MqttEnvelope | undefined
  readonly bytes: Uint8Array
  /** Where its correlation data stands; looked for when another's is to go there. */
  correlationAt: number | undefined
}

/** There are many shapes, and what a client says of itself it may fill. */
const restBytesMax = 1_024

/** `frame` and `records` are of the shape that `holder` is. */
export function encodedRestOf(
  holder: { rest: KnownRest | undefined },
  records: readonly NewRecord[],
  frame: Frame,
): Uint8Array {
  const known = holder.rest
  if (!known || !isSame(known.envelope, frame.mqtt)) {
    const bytes = encodeFrameRest(frame, records)
    holder.rest =
      bytes.length > restBytesMax ? undefined : { envelope: ownCopy(frame.mqtt), bytes, correlationAt: undefined }
    return bytes
  }
  const correlation = frame.mqtt?.correlationData
  if (!correlation?.length) return known.bytes
  known.correlationAt ??= placeOf(known, records, frame)
  // A copy, since the log may not have written the one before yet.
  const bytes = Buffer.allocUnsafe(known.bytes.length)
  bytes.set(known.bytes)
  bytes.set(correlation, known.correlationAt)
  return bytes
}

/** What a packet is read into is not kept for a few bytes of it. */
function ownCopy(envelope: MqttEnvelope | undefined): MqttEnvelope | undefined {
  const correlationData = envelope?.correlationData
  return correlationData ? { ...envelope, correlationData: new Uint8Array(correlationData) } : envelope
}

/** But for the correlation data, of which the length counts. */
function isSame(one: MqttEnvelope | undefined, other: MqttEnvelope | undefined): boolean {
  if (one === other) return true
  if (!one || !other) return false
  return (
    one.qos === other.qos &&
    one.retain === other.retain &&
    one.clientId === other.clientId &&
    one.responseTopic === other.responseTopic &&
    one.messageExpirySeconds === other.messageExpirySeconds &&
    one.payloadFormatIndicator === other.payloadFormatIndicator &&
    one.correlationData?.length === other.correlationData?.length
  )
}

/** Where the encoding of a frame changes that has, for each of these bytes, another. */
function placeOf({ envelope, bytes }: KnownRest, records: readonly NewRecord[], frame: Frame): number {
  const correlationData = envelope!.correlationData!.map((byte) => ~byte & 0xff)
  const other = encodeFrameRest({ ...frame, mqtt: { ...envelope, correlationData } }, records)
  return bytes.findIndex((byte, at) => byte !== other[at])
}
