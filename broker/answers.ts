// Packets in which the broker says no, and why. A reason in words goes only to who lets it be told (MQTT 5 §3.1.2.11.7) and only where it
// fits into what that client takes (§3.1.2.11.4); without words the packet says its code alone.

import { lengthBytes, writeVariableInteger } from './message-properties.ts'

const reasonString = 0x1f

/** Reasons are sentences of ours; this is no bound that any of them comes near. */
const reasonBytesMax = 1_000

/** What of it may be told, in what size. */
export interface Reason {
  readonly why: string | undefined
  /** MQTT 5 Maximum Packet Size of the client. */
  readonly bytesMax: number
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP of MQTT 5 (§3.4.2). */
export const acknowledgement = (first: number, packetId: number, code: number, reason: Reason): Buffer =>
  packet(first, [packetId >> 8, packetId & 0xff, code], nothing, nothing, reason)

/** DISCONNECT of MQTT 5 (§3.14.2). */
export const disconnect = (code: number, reason: Reason): Buffer => packet(0xe0, [code], nothing, nothing, reason)

/** CONNACK that turns away (MQTT 3.1.1 §3.2.2.3, MQTT 5 §3.2.2); `returnCode` is that of the older versions. */
export const refusedConnack = (version: number, returnCode: number, code: number, reason: Reason): Buffer =>
  version === 5 ? packet(0x20, [0, code], noProperties, nothing, reason) : Buffer.of(0x20, 2, 0, returnCode)

/** SUBACK: a code for each filter (MQTT 3.1.1 and 5 §3.9.3). */
export function suback(version: number, packetId: number, codes: readonly number[], reason: Reason): Buffer {
  const id = [packetId >> 8, packetId & 0xff]
  if (version === 5) return packet(0x90, id, noProperties, codes, reason)
  // MQTT 3.1.1 knows one refusal.
  return packet(0x90, id, nothing, codes.map((code) => (code > 2 ? 0x80 : code)), noReason) // prettier-ignore
}

/** UNSUBACK: before MQTT 5 it has no codes (§3.11). */
export function unsuback(version: number, packetId: number, codes: readonly number[], reason: Reason): Buffer {
  const id = [packetId >> 8, packetId & 0xff]
  return version === 5 ? packet(0xb0, id, noProperties, codes, reason) : packet(0xb0, id, nothing, nothing, noReason)
}

const nothing: readonly number[] = []
/** Their length. */
const noProperties: readonly number[] = [0]
const noReason: Reason = { why: undefined, bytesMax: Infinity }

/** `bare`: what stands in the place of the properties when there are none. */
function packet(
  first: number,
  head: readonly number[],
  bare: readonly number[],
  tail: readonly number[],
  { why, bytesMax }: Reason,
): Buffer {
  const whole = why === undefined ? undefined : framed(first, [head, reasonProperties(why), tail])
  return whole && whole.length <= bytesMax ? whole : framed(first, [head, bare, tail])
}

function reasonProperties(why: string): Buffer {
  const text = Buffer.from(why.slice(0, reasonBytesMax / 4))
  const length = 3 + text.length
  const bytes = Buffer.allocUnsafe(lengthBytes(length) + length)
  const at = writeVariableInteger(bytes, 0, length)
  bytes[at] = reasonString
  text.copy(bytes, bytes.writeUInt16BE(text.length, at + 1))
  return bytes
}

function framed(first: number, parts: readonly (readonly number[] | Buffer)[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(length) + length)
  bytes[0] = first
  let at = writeVariableInteger(bytes, 1, length)
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
