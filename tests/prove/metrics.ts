// The gateway's own counts, as anybody can scrape them, and the identity that must hold in each scrape: what was received is what
// was settled, fate by fate, and what is on its way.

import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningPeer } from './peer.ts'

export interface Metrics {
  /** The sum over all label sets; 0 when there is none. */
  total(name: string, labels?: Readonly<Record<string, string>>): number
}

export async function scrape(http: string): Promise<Metrics> {
  const answer = await fetch(`${http}/metrics`)
  const samples = (await answer.text()).split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, labels, value: Number(value) }]
  })
  return {
    total: (name, wanted = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter(({ labels }) => Object.entries(wanted).every(([key, value]) => labels.includes(`${key}="${value}"`)))
        .reduce((sum, { value }) => sum + value, 0),
  }
}

/** Undefined when the books are right; else what is wrong, in figures. */
export function accountingFault(metrics: Metrics): string | undefined {
  const received = metrics.total('tocsin_frames_received_total')
  const settled = metrics.total('tocsin_frames_total')
  const pending = metrics.total('tocsin_frames_pending')
  if (received === settled + pending) return undefined
  return `${received} received, ${settled} settled and ${pending} pending`
}

export interface AccountingWatch {
  readonly scrapes: number
  readonly faults: readonly string[]
  stop(): Promise<void>
}

/** Scrapes again and again while the gateway runs, also through its restarts. */
export function watchAccounting(peer: RunningPeer, everyMs = 100): AccountingWatch {
  const faults: string[] = []
  let scrapes = 0
  let isStopped = false
  const watching = (async () => {
    while (!isStopped) {
      try {
        const fault = accountingFault(await scrape(peer.gateway!.http))
        scrapes += 1
        if (fault !== undefined) faults.push(fault)
      } catch {
        // It is down, which is this test's doing.
      }
      await sleep(everyMs)
    }
  })()
  return {
    get scrapes() {
      return scrapes
    },
    faults,
    async stop() {
      isStopped = true
      await watching
    },
  }
}
