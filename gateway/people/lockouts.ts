// Who guesses is locked out for a while: an account after five failures in fifteen minutes, an address after fifty, over all names. Time is
// monotonic, so that nobody opens a lock by setting the clock. What is open already is no business of a lock.

import { isIPv6 } from 'node:net'
import type { Clock } from '../clock.ts'

export interface Lockouts {
  /** `account` is one that there is; undefined: the name is nobody's. */
  isLocked(account: string | undefined, host: string): boolean
  /** The lock that this failure was one too many for, if any. */
  failed(account: string | undefined, host: string): Lock | undefined
  succeeded(account: string): void
  /** False: it was not locked. */
  unlock(account: string): boolean
  /** Locks that hold now. */
  locks(): readonly Lock[]
}

export interface Lock {
  readonly of: 'account' | 'address'
  readonly name: string
}

export const accountFailuresMax = 5
export const addressFailuresMax = 50
export const lockoutMs = 15 * 60_000
/** Addresses that are remembered; accounts are as many as there are. */
const addressesMax = 10_000

interface Trace {
  /** Monotonic ms, oldest first. */
  failures: number[]
  lockedUntil: number
}

export function createLockouts(clock: Pick<Clock, 'monotonic'>): Lockouts {
  const accounts = new Map<string, Trace>()
  const addresses = new Map<string, Trace>()
  const nowMs = (): number => Number(clock.monotonic() / 1_000_000n)
  const holds = (trace: Trace | undefined): boolean => trace !== undefined && trace.lockedUntil > nowMs()

  /** True: locked by this one. */
  function note(traces: Map<string, Trace>, name: string, most: number): boolean {
    const now = nowMs()
    const trace = traces.get(name) ?? { failures: [], lockedUntil: 0 }
    // Behind all others: whoever fails last is forgotten last.
    traces.delete(name)
    traces.set(name, trace)
    // A lock is not made longer by those who go on.
    if (trace.lockedUntil > now) return false
    trace.failures = [...trace.failures.filter((at) => at > now - lockoutMs), now]
    if (trace.failures.length < most) return false
    trace.failures = []
    trace.lockedUntil = now + lockoutMs
    return true
  }

  function makeRoom(): void {
    if (addresses.size < addressesMax) return
    for (const [name, trace] of addresses) {
      if (holds(trace)) continue
      addresses.delete(name)
      return
    }
    // All are locked: the oldest lock is over first.
    addresses.delete(addresses.keys().next().value!)
  }

  const held = (of: Lock['of'], traces: Map<string, Trace>): Lock[] =>
    [...traces].flatMap(([name, trace]) => (holds(trace) ? [{ of, name }] : []))

  return {
    isLocked: (account, host) =>
      (account !== undefined && holds(accounts.get(account))) || holds(addresses.get(networkOf(host))),
    failed(account, host) {
      const address = networkOf(host)
      if (!addresses.has(address)) makeRoom()
      const isAddressLocked = note(addresses, address, addressFailuresMax)
      if (account !== undefined && note(accounts, account, accountFailuresMax)) return { of: 'account', name: account }
      return isAddressLocked ? { of: 'address', name: address } : undefined
    },
    succeeded: (account) => void accounts.delete(account),
    unlock(account) {
      const was = holds(accounts.get(account))
      accounts.delete(account)
      return was
    },
    locks: () => [...held('account', accounts), ...held('address', addresses)],
  }
}

/** Whoever has one IPv6 address has the 64 bits below it (RFC 4291 §2.5.4). */
export function networkOf(host: string): string {
  const bare = host.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.toLowerCase().split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}
