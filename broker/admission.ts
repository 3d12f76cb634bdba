// Who may open one more connection: so many in all, so many from one address, so many in a second. Costs a turned-away caller's
// socket and nothing else.

import type { Limits } from './limits.ts'
import type { Clock, RefusalReason } from './port.ts'

export interface Admission {
  /** A reason to turn it away, or the function that gives its place back. */
  admit(address: string): RefusalReason | (() => void)
  readonly connections: number
}

export function createAdmission(limits: Limits, clock: Clock): Admission {
  const perAddress = new Map<string, number>()
  let connections = 0
  let tokens = limits.connectsBurst
  let filledAt = clock.monotonic()

  function tokenTaken(): boolean {
    const now = clock.monotonic()
    tokens = Math.min(limits.connectsBurst, tokens + (Number(now - filledAt) / 1e9) * limits.connectsPerSecond)
    filledAt = now
    if (tokens < 1) return false
    tokens--
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
    admit(address) {
      if (connections >= limits.connectionsMax) return 'connections'
      const here = perAddress.get(address) ?? 0
      if (here >= limits.connectionsPerAddressMax) return 'address_connections'
      if (!tokenTaken()) return 'connect_rate'
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
