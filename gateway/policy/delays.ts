// Devices that fail are made to wait longer and longer, and never locked out: after three failures under one name from one address, or
// fifty from one address, each further try waits, up to eight seconds, before anything is checked. Time is monotonic.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { networkOf } from '../people/lockouts.ts'

export interface Delays {
  /** Waits for its turn; false: too many wait before it, and it was not checked. */
  pass(name: string, address: string): Promise<boolean>
  failed(name: string, address: string): void
  succeeded(name: string, address: string): void
}

const nameFailuresFree = 3
const addressFailuresFree = 50
const firstMs = 250
const delayMsMax = 8_000
/** The broker answers after ten seconds in any case. */
const waitMsMax = 9_000
const forgetMs = 15 * 60_000
const tracesMax = 20_000
const nameCharsMax = 128

interface Trace {
  failures: number
  /** Monotonic ms. */
  lastMs: number
  notBeforeMs: number
}

export function createDelays(clock: Pick<Clock, 'monotonic'>, wait: (ms: number) => Promise<unknown> = sleep): Delays {
  const traces = new Map<string, Trace>()
  const nowMs = (): number => Number(clock.monotonic() / 1_000_000n)

  const keysOf = (name: string, address: string): readonly (readonly [key: string, free: number])[] => {
    const network = networkOf(address)
    return [
      [`${network} ${name.slice(0, nameCharsMax)}`, nameFailuresFree],
      [network, addressFailuresFree],
    ]
  }

  const stepMs = ({ failures }: Trace, free: number): number =>
    failures < free ? 0 : Math.min(delayMsMax, firstMs * 2 ** Math.min(16, failures - free))

  function traceOf(key: string): Trace | undefined {
    const trace = traces.get(key)
    if (trace && nowMs() - trace.lastMs > forgetMs) traces.delete(key)
    return traces.get(key)
  }

  return {
    async pass(name, address) {
      const now = nowMs()
      const found = keysOf(name, address).flatMap(([key, free]) => {
        const trace = traceOf(key)
        return trace ? [{ trace, step: stepMs(trace, free) }] : []
      })
      const at = Math.max(now, ...found.map(({ trace }) => trace.notBeforeMs))
      if (at - now > waitMsMax) return false
      // Many at once stand behind each other: none of them is checked early.
      for (const { trace, step } of found) if (step > 0) trace.notBeforeMs = at + step
      if (at > now) await wait(at - now)
      return true
    },
    failed(name, address) {
      for (const [key, free] of keysOf(name, address)) {
        const trace = traceOf(key) ?? { failures: 0, lastMs: 0, notBeforeMs: 0 }
        trace.failures += 1
        trace.lastMs = nowMs()
        trace.notBeforeMs = Math.max(trace.notBeforeMs, trace.lastMs + stepMs(trace, free))
        if (!traces.has(key) && traces.size >= tracesMax) traces.delete(traces.keys().next().value!)
        traces.set(key, trace)
      }
    },
    succeeded(name, address) {
      const [[own] = ['']] = keysOf(name, address)
      traces.delete(own)
    },
  }
}
