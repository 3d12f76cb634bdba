// One transmission heard several times. Sensors send everything two to eight times over, up to three seconds long; two receivers hear
// the same sensor, and rtl_433 reports each. What is alike in all but time and radio, within a short time, gets one dedup_key, so that the log keeps it
// once; the key is made from the content and the first one's time, so that two gateways that heard both in turn agree on it.

/** Differ between repeats of one transmission. */
const varying: ReadonlySet<string> = new Set([
  'time',
  'mod',
  'freq',
  'freq1',
  'freq2',
  'rssi',
  'snr',
  'noise',
  'protocol',
  'description',
  'repeat',
  'msg_repeat',
  'retry',
  'is_retry',
  'retransmit',
  'retransmission',
  // Acurite counts its repeats, and its raw message holds the count.
  'sequence_num',
  'raw_msg',
])

export interface Heard {
  readonly receivedAt: bigint
  /** The source's own clock, where it has any; counted from whenever, but always from the same. */
  readonly stampNs: bigint | undefined
  /** Whether that clock counts from 1970 in UTC. */
  readonly isAbsolute: boolean
}

export interface Repeats {
  /** The transmission's identity; with the index of the event in it, an event's. */
  keyOf(content: string, heard: Heard): Uint8Array
}

/** As many as can be on the air at once, and more; the oldest is forgotten first. */
const rememberedMax = 4_096

export function createRepeats(repeatMs: number): Repeats {
  const repeatNs = BigInt(repeatMs) * 1_000_000n
  const heardOnes = new Map<string, { readonly first: Heard; last: Heard; readonly key: Uint8Array }>()

  return {
    keyOf(content, heard) {
      const [high, low] = hash(content)
      const name = `${high} ${low}`
      const known = heardOnes.get(name)
      // Each repeat follows the last one closely, and all the first one: what repeats for ever is not one transmission.
      if (known && isWithin(known.last, heard, repeatNs) && isWithin(known.first, heard, 2n * repeatNs)) {
        known.last = heard
        return known.key
      }
      const key = keyBytes(high, low, heard.isAbsolute ? (heard.stampNs ?? heard.receivedAt) : heard.receivedAt)
      heardOnes.delete(name)
      heardOnes.set(name, { first: heard, last: heard, key })
      if (heardOnes.size > rememberedMax) heardOnes.delete(heardOnes.keys().next().value!)
      return key
    },
  }
}

/** By both clocks: what waited somewhere and came all at once was not sent all at once. */
function isWithin(before: Heard, heard: Heard, repeatNs: bigint): boolean {
  if (distance(before.receivedAt, heard.receivedAt) > repeatNs) return false
  if (before.stampNs === undefined || heard.stampNs === undefined) return true
  return distance(before.stampNs, heard.stampNs) <= repeatNs
}

const distance = (one: bigint, other: bigint): bigint => (one < other ? other - one : one - other)

export function contentOf(message: Readonly<Record<string, unknown>>): string {
  let content = ''
  for (const name in message) if (!varying.has(name)) content += `${name}=${JSON.stringify(message[name])};`
  return content
}

/** Two hashes of 32 bits, each as FNV-1a with a multiplier of its own. No secret depends on them. */
function hash(text: string): [number, number] {
  let [high, low] = [0x811c9dc5, 0x9747b28c]
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ unit, 0x85ebca6b)
    low ^= low >>> 13
  }
  return [high >>> 0, low >>> 0]
}

const prefix = Buffer.from('rtl433')

function keyBytes(high: number, low: number, ns: bigint): Uint8Array {
  const key = Buffer.alloc(prefix.length + 16)
  prefix.copy(key)
  key.writeUInt32BE(high, prefix.length)
  key.writeUInt32BE(low, prefix.length + 4)
  key.writeBigInt64BE(BigInt.asIntN(64, ns), prefix.length + 8)
  return Uint8Array.from(key)
}
