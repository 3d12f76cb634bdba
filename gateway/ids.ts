// Ids of frames and events: UUIDv7 (RFC 9562 §5.7) with a running counter of 19 bits (§6.2) in rand_a and the first seven bits of
// rand_b. Two ids of one gateway differ, also within a millisecond, also when the clock steps back.

export interface Ids {
  /** 16 bytes. `at` is nanoseconds since 1970-01-01 UTC. */
  next(at: bigint): Uint8Array
}

const counterMask = 0x7ffff
const idsPerFill = 2_048

/** `fillRandom` writes random bytes; asked once for every 2,048 ids, since asking costs more than the bytes. */
export function createIds(fillRandom: (bytes: Uint8Array) => void): Ids {
  const randomBytesPerId = 7
  const pool = new Uint8Array(randomBytesPerId * idsPerFill)
  let poolAt = pool.length
  const seed = new Uint8Array(4)
  fillRandom(seed)
  let counter = new DataView(seed.buffer).getUint32(0) & counterMask
  // Many ids are asked for with one time, and dividing it costs as much as all the rest.
  let [latestAt, ms] = [-1n, 0]

  return {
    next(at) {
      if (poolAt === pool.length) {
        fillRandom(pool)
        poolAt = 0
      }
      counter = (counter + 1) & counterMask
      if (at !== latestAt) {
        latestAt = at
        ms = Number(at / 1_000_000n)
      }
      const id = new Uint8Array(16)
      id[0] = ms / 2 ** 40
      id[1] = ms / 2 ** 32
      id[2] = ms / 2 ** 24
      id[3] = ms / 2 ** 16
      id[4] = ms / 2 ** 8
      id[5] = ms
      id[6] = 0x70 | (counter >> 15)
      id[7] = counter >> 7
      // Two variant bits, then the last seven bits of the counter: six here, one in the next byte.
      id[8] = 0x80 | ((counter >> 1) & 0x3f)
      id[9] = ((counter & 1) << 7) | ((pool[poolAt] ?? 0) & 0x7f)
      for (let i = 10; i < 16; i++) id[i] = pool[poolAt + i - 9] ?? 0
      poolAt += randomBytesPerId
      return id
    },
  }
}

/** The 19-bit counter of an id that `createIds` made; of any other UUIDv7 the same bits, which are random then. */
export function counterOf(id: Uint8Array): number {
  return ((id[6]! & 0x0f) << 15) | (id[7]! << 7) | ((id[8]! & 0x3f) << 1) | (id[9]! >> 7)
}

/** Milliseconds since 1970-01-01 UTC that a UUIDv7 begins with; it stands at `at`. */
export function idTimeMs(bytes: Uint8Array, at = 0): number {
  let ms = 0
  for (let i = at; i < at + 6; i++) ms = ms * 256 + (bytes[i] ?? 0)
  return ms
}

/** "0190b5e4-…": the text form of 16 bytes. */
export function idText(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The 16 bytes of a text form, with or without hyphens; undefined when it is none. */
export function parseId(text: string): Uint8Array | undefined {
  const hex = text.replaceAll('-', '')
  return /^[0-9a-f]{32}$/i.test(hex) ? new Uint8Array(Buffer.from(hex, 'hex')) : undefined
}
