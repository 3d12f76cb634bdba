// Who may open one more connection: so many in all, so many from one address, so many in a second, of all and of one address. Costs a
// turned-away caller's socket and nothing else.

import { isIPv6 } from 'node:net'

import type { Limits } from './limits.ts'
import type { Clock, RefusalReason } from './port.ts'

export interface Admission {
  /** A reason to turn it away, or the function that gives its place back. */
  admit(address: string): RefusalReason | (() => void)
  readonly connections: number
}

/** Tokens that are taken one for each connection, and come back with time. */
interface Bucket {
  tokens: number
  filledAt: bigint
}

/** Of so many addresses it is remembered how fast they come; a bucket that is full again says nothing. */
const rememberedMax = 10_000

export function createAdmission(limits: Limits, clock: Clock): Admission {
  const { connectsPerSecond, connectsBurst, connectsPerSecondPerAddress, connectsBurstPerAddress } = limits
  const perAddress = new Map<string, number>()
  const buckets = new Map<string, Bucket>()
  const ofAll: Bucket = { tokens: connectsBurst, filledAt: clock.monotonic() }
  let connections = 0

  function fill(bucket: Bucket, perSecond: number, burst: number, now: bigint): number {
    bucket.tokens = Math.min(burst, bucket.tokens + (Number(now - bucket.filledAt) / 1e9) * perSecond)
    bucket.filledAt = now
    return bucket.tokens
  }

  function bucketOf(address: string, now: bigint): Bucket {
    let bucket = buckets.get(address)
    if (!bucket) {
      if (buckets.size >= rememberedMax) forgetFull(now)
      buckets.set(address, (bucket = { tokens: connectsBurstPerAddress, filledAt: now }))
    }
    return bucket
  }

  function forgetFull(now: bigint): void {
    for (const [address, bucket] of buckets) {
      const isFull = fill(bucket, connectsPerSecondPerAddress, connectsBurstPerAddress, now) >= connectsBurstPerAddress
      if (isFull) buckets.delete(address)
    }
    if (buckets.size >= rememberedMax) buckets.clear()
  }

  /** One address must not take what all have, so its own is looked at first. */
  function tokensTaken(address: string): boolean {
    const now = clock.monotonic()
    const its = bucketOf(address, now)
    if (fill(its, connectsPerSecondPerAddress, connectsBurstPerAddress, now) < 1) return false
    if (fill(ofAll, connectsPerSecond, connectsBurst, now) < 1) return false
    its.tokens--
    ofAll.tokens--
    return true
  }

  function leave(address: string): void {
    connections--
    const left = (perAddress.get(address) ?? 1) - 1
    if (left > 0) perAddress.set(address, left)
    else perAddress.delete(address)
  }

  return {
    get connections() {
      return connections
    },
    admit(whole) {
      const address = networkOf(whole)
      if (connections >= limits.connectionsMax) return 'connections'
      const here = perAddress.get(address) ?? 0
      if (here >= limits.connectionsPerAddressMax) return 'address_connections'
      if (!tokensTaken(address)) return 'connect_rate'
      connections++
      perAddress.set(address, here + 1)
      let left = false
      return () => {
        if (!left) leave(address)
        left = true
      }
    },
  }
}

/** Whoever has an address of IPv6 has the 2^64 beside it (RFC 6177): they count as one. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = plain.split('%', 1)[0]!.split('::')
  const [first, last] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = plain.includes('::')
    ? Array.from({ length: Math.max(0, 8 - first!.length - last!.length) }, () => '0')
    : []
  return `${[...first!, ...zeros, ...last!]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
