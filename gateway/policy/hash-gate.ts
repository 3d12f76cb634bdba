// Checking secrets costs 19 MiB and a thread for some 50 ms each: so many at once and no more, a bounded queue, and no more than a few of
// it for one address. A flood of wrong secrets takes neither the memory of the gateway nor the threads that write its disk.

import { GatewayError } from '../../proto/errors.ts'

export interface HashGate {
  /** Rejects with GatewayError overloaded when too many wait; `work` was not begun then. */
  run<Value>(host: string, work: () => Promise<Value>): Promise<Value>
  readonly waiting: number
}

export interface HashGateLimits {
  readonly atOnceMax: number
  readonly waitingMax: number
  readonly perHostMax: number
}

// Node has four threads for hashing and for the disk: one is left in any case.
export const peopleHashLimits: HashGateLimits = { atOnceMax: 1, waitingMax: 32, perHostMax: 8 }
// Of one address as many as are checked in some three seconds: who comes from elsewhere waits no longer than that. The others come again.
export const deviceHashLimits: HashGateLimits = { atOnceMax: 2, waitingMax: 1_000, perHostMax: 100 }

export function createHashGate({ atOnceMax, waitingMax, perHostMax }: HashGateLimits): HashGate {
  const queue: (() => void)[] = []
  const hosts = new Map<string, number>()
  let running = 0

  function leave(host: string): void {
    const left = (hosts.get(host) ?? 1) - 1
    if (left > 0) hosts.set(host, left)
    else hosts.delete(host)
    // The place goes to who waits longest; nobody who comes meanwhile has it.
    const next = queue.shift()
    if (next) next()
    else running -= 1
  }

  return {
    async run(host, work) {
      const own = hosts.get(host) ?? 0
      if (queue.length >= waitingMax || own >= perHostMax) {
        throw new GatewayError('overloaded', 'Too many sign in at this moment: try again in a few seconds.')
      }
      hosts.set(host, own + 1)
      if (running >= atOnceMax) await new Promise<void>((resolve) => queue.push(resolve))
      else running += 1
      try {
        return await work()
      } finally {
        leave(host)
      }
    },
    get waiting() {
      return queue.length
    },
  }
}
