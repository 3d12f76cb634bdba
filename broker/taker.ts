// What the gate hands on of a client that was let in: each whole packet about messages, in order, to who does something about it.

import type { PublishPacket } from './publish-packet.ts'

/** Takes what a client that was let in says of messages. */
export interface Taker {
  publish(packet: PublishPacket): void
  /** PUBACK, PUBREC, PUBREL or PUBCOMP; `reason` is 0 before MQTT 5. */
  answer(type: number, packetId: number, reason: number): void
  /** Nothing is read until `Gate.answered`. */
  subscribe(packet: Buffer): void
  /** The same. */
  unsubscribe(packet: Buffer): void
  /** Nothing that came waits for its acknowledgement. */
  isIdle(): boolean
  /** The client is alive. Not for each chunk, but soon. */
  heard(): void
  /** It has taken what it was sent. */
  drained(): void
}
