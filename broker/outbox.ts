// What one client is to be sent and was not given to its socket yet: packets in order, and acknowledgements of four bytes, which are
// kept as numbers until they leave together.

export type ShortPacket = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'

export const firstBytes: Record<ShortPacket, number> = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 }

export interface Outbox {
  push(packet: Buffer): void
  /**
   * An acknowledgement of success, the same in MQTT 3.1.1 and 5 (§3.4.2). Those of one kind leave in the order in which they are given;
   * a client that reads its own messages has PUBREC before them.
   */
  pushShort(packet: ShortPacket, packetId: number): void
  /** Everything pushed so far keeps its place before what is pushed next. */
  settle(): void
  /** About so many bytes of it, at the front. */
  take(bytesAbout: number): Buffer | undefined
  readonly bytes: number
}

const shortBytes = 4

export function createOutbox(): Outbox {
  let out: Buffer[] = []
  let outBytes = 0
  // PUBREC, before all else, and the others, behind it.
  let before: number[] = []
  let behind: number[] = []
  /** The rest of a packet that has begun to leave: nothing comes before that. */
  let begun = false

  function settle(): void {
    if (before.length > 0) {
      out.splice(begun ? 1 : 0, 0, shortPackets(before))
      outBytes += before.length * shortBytes
      before = []
    }
    if (behind.length > 0) {
      out.push(shortPackets(behind))
      outBytes += behind.length * shortBytes
      behind = []
    }
  }

  return {
    get bytes() {
      return outBytes + (before.length + behind.length) * shortBytes
    },
    push(packet) {
      out.push(packet)
      outBytes += packet.length
    },
    pushShort(packet, packetId) {
      ;(packet === 'pubrec' ? before : behind).push((firstBytes[packet] << 16) | packetId)
    },
    settle,
    take(bytesAbout) {
      settle()
      if (out.length === 0) return undefined
      if (outBytes <= bytesAbout) {
        const all = out.length === 1 ? out[0]! : Buffer.concat(out)
        out = []
        outBytes = 0
        begun = false
        return all
      }
      let count = 0
      let bytes = 0
      while (count < out.length && bytes + out[count]!.length <= bytesAbout) bytes += out[count++]!.length
      if (count > 0) {
        outBytes -= bytes
        begun = false
        return Buffer.concat(out.splice(0, count), bytes)
      }
      const large = out[0]!
      out[0] = large.subarray(bytesAbout)
      begun = true
      outBytes -= bytesAbout
      return large.subarray(0, bytesAbout)
    },
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
