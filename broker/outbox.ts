// What one client is to be sent and was not given to its socket yet: packets in order, and acknowledgements of four bytes, which are
// kept as numbers until they leave together.

export type ShortPacket = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

export const firstBytes: Record<ShortPacket, number> = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 }

const shortBytes = 4

/**
 * A class, since there is one for each connection. Of a thousand that are told of one message each, what counts is how many places in
 * memory each takes: so there are no empty lists.
 */
export class Outbox {
  #bytes = 0
  /** The only acknowledgement, when there is nothing but one. */
  #single = 0
  #out: Buffer[] | undefined
  /** PUBREC, before all else, and the others, behind it. */
  #before: number[] | undefined
  #behind: number[] | undefined
  /** The rest of a packet that has begun to leave is in front: nothing comes before that. */
  #begun = false

  get bytes(): number {
    return this.#bytes
  }

  push(packet: Buffer): void {
    this.#noSingle()
    this.#bytes += packet.length
    ;(this.#out ??= []).push(packet)
  }

  /**
   * An acknowledgement of success, the same in MQTT 3.1.1 and 5 (§3.4.2). Those of one kind leave in the order in which they are given;
   * a client that reads its own messages has PUBREC before them.
   */
  pushShort(packet: ShortPacket, packetId: number): void {
    const short = (firstBytes[packet] << 16) | packetId
    if (this.#bytes === 0) this.#single = short
    else {
      this.#noSingle()
      this.#pushMore(short)
    }
    this.#bytes += shortBytes
  }

  #pushMore(short: number): void {
    if (short >> 16 === firstBytes.pubrec) (this.#before ??= []).push(short)
    else (this.#behind ??= []).push(short)
  }

  #noSingle(): void {
    if (this.#single === 0) return
    this.#pushMore(this.#single)
    this.#single = 0
  }

  /** Everything pushed so far keeps its place before what is pushed next. */
  settle(): void {
    this.#noSingle()
    if (this.#before) {
      ;(this.#out ??= []).splice(this.#begun ? 1 : 0, 0, shortPackets(this.#before))
      this.#before = undefined
    }
    if (this.#behind) {
      ;(this.#out ??= []).push(shortPackets(this.#behind))
      this.#behind = undefined
    }
  }

  /** About so many bytes of it, at the front. */
  take(bytesAbout: number): Buffer | undefined {
    if (this.#single !== 0 && bytesAbout >= shortBytes) {
      const packet = shortPackets([this.#single])
      this.#single = this.#bytes = 0
      return packet
    }
    this.settle()
    const out = this.#out
    if (!out) return undefined
    if (this.#bytes <= bytesAbout) {
      this.#out = undefined
      this.#bytes = 0
      this.#begun = false
      return out.length === 1 ? out[0]! : Buffer.concat(out)
    }
    let count = 0
    let bytes = 0
    while (count < out.length && bytes + out[count]!.length <= bytesAbout) bytes += out[count++]!.length
    if (count > 0) {
      this.#bytes -= bytes
      this.#begun = false
      return Buffer.concat(out.splice(0, count), bytes)
    }
    const large = out[0]!
    out[0] = large.subarray(bytesAbout)
    this.#begun = true
    this.#bytes -= bytesAbout
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
