// What the chain needs of an encoded entry, read without decoding the rest: verifying a hundred thousand of them is then a matter of
// digests. https://protobuf.dev/programming-guides/encoding

/** Of tocsin.v1.AuditEntry: number = 1, action = 5, previous_sha256 = 10. */
export interface EntryFields {
  readonly number: number
  readonly action: string
  readonly previousSha256: Buffer | undefined
}

const [varint, fixed64, lengthDelimited, fixed32] = [0, 1, 2, 5] as const

/** Undefined when the bytes are no protobuf message. */
export function entryFields(bytes: Buffer): EntryFields | undefined {
  let number = 0
  let action = ''
  let previousSha256: Buffer | undefined
  let at = 0

  /** NaN when it does not end. */
  function nextVarint(): number {
    let value = 0
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    return Number.NaN
  }

  while (at < bytes.length) {
    const tag = nextVarint()
    const field = Math.floor(tag / 8)
    switch (tag % 8) {
      case varint: {
        const value = nextVarint()
        if (Number.isNaN(value)) return undefined
        if (field === 1) number = value
        break
      }
      case fixed64:
        at += 8
        break
      case fixed32:
        at += 4
        break
      case lengthDelimited: {
        const end = nextVarint() + at
        if (!(end <= bytes.length)) return undefined
        if (field === 5) action = bytes.toString('utf8', at, end)
        if (field === 10) previousSha256 = bytes.subarray(at, end)
        at = end
        break
      }
      default:
        return undefined
    }
  }
  return at === bytes.length ? { number, action, previousSha256 } : undefined
}
