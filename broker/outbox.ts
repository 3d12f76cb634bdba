// What one client is to be sent and was not given to its socket yet: packets in order, and acknowledgements of four bytes, which are
// kept as numbers until they leave together.

export type ShortPacket = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

export const firstBytes: Record<ShortPacket, number> = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 }

const shortBytes = 4

/** A class, since there is one for each connection. */
export class Outbox {
  #out: Buffer[] = []
  #outBytes = 0
  /** PUBREC, before all else, and the others, behind it. */
  #before: number[] = []
  #behind: number[] = []
  /** The rest of a packet that has begun to leave is in front: nothing comes before that. */
  #begun = false

  get bytes(): number {
    return this.#outBytes + (this.#before.length + this.#behind.length) * shortBytes
  }

  push(packet: Buffer): void {
    this.#out.push(packet)
    this.#outBytes += packet.length
  }

  /**
   * An acknowledgement of success, the same in MQTT 3.1.1 and 5 (§3.4.2). Those of one kind leave in the order in which they are given;
   * a client that reads its own messages has PUBREC before them.
   */
  pushShort(packet: ShortPacket, packetId: number): void {
    ;(packet === 'pubrec' ? this.#before : this.#behind).push((firstBytes[packet] << 16) | packetId)
  }

  /** Everything pushed so far keeps its place before what is pushed next. */
  settle(): void {
    if (this.#before.length > 0) {
      this.#out.splice(this.#begun ? 1 : 0, 0, shortPackets(this.#before))
      this.#outBytes += this.#before.length * shortBytes
      this.#before = []
    }
    if (this.#behind.length > 0) {
      this.push(shortPackets(this.#behind))
      this.#behind = []
    }
  }

  /** About so many bytes of it, at the front. */
  take(bytesAbout: number): Buffer | undefined {
    this.settle()
    const out = this.#out
    if (out.length === 0) return undefined
    if (this.#outBytes <= bytesAbout) {
      this.#out = []
      this.#outBytes = 0
      this.#begun = false
      return out.length === 1 ? out[0]! : Buffer.concat(out)
    }
    let count = 0
    let bytes = 0
    while (count < out.length && bytes + out[count]!.length <= bytesAbout) bytes += out[count++]!.length
    if (count > 0) {
      this.#outBytes -= bytes
      this.#begun = false
      return Buffer.concat(out.splice(0, count), bytes)
    }
    const large = out[0]!
    out[0] = large.subarray(bytesAbout)
    this.#begun = true
    this.#outBytes -= bytesAbout
    return large.subarray(0, bytesAbout)
  }
}

function shortPackets(packets: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(packets.length * shortBytes)
  let at = 0
  for (const packet of packets) {
    bytes[at] = packet >> 16
    bytes[at + 1] = 2
    bytes[at + 2] = (packet >> 8) & 0xff
    bytes[at + 3] = packet & 0xff
    at += shortBytes
  }
  return bytes
}
