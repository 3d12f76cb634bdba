// How fast frames come and the disk fills: counts and free space are looked at now and then, so that the way in pays nothing for it.

import type { Accounting } from './accounting.ts'
import type { Clock } from './clock.ts'

export interface Rates {
  /** Over the last minute, or since the start where that is less; by input as in the accounting, and of all frames. */
  framesPerSecond(): { readonly total: number; readonly byInput: ReadonlyMap<string, number> }
  /** When frames of an input were last seen to have come, to within `sampleMs`; nanoseconds UTC; undefined: never. */
  lastFrameAt(input: string): bigint | undefined
  disk(): DiskForecast
  start(): void
  stop(): void
  /** What the timer does; for tests. */
  sample(): void
}

export interface DiskForecast {
  /** Undefined: not for long enough to tell. */
  readonly watchedMs?: number
  /** Undefined: it does not fill, or nobody can tell yet. */
  readonly fullInMs?: number
}

export const sampleMs = 5_000
const minuteMs = 60_000
/** Segments are taken from the disk 64 MB at a time: less than this says more of them than of what came. */
const watchedMsMin = 600_000
/** Day and night differ; older than a day says nothing of today. */
const watchedMsMax = 86_400_000
/** One sample of free space a minute. */
const diskEveryMs = 60_000

interface Sample {
  readonly atMs: number
  readonly total: number
  readonly byInput: ReadonlyMap<string, number>
}

interface Parts {
  readonly clock: Clock
  readonly accounting: Pick<Accounting, 'totals' | 'byInput'>
  freeBytes(): number
}

export function createRates({ clock, accounting, freeBytes }: Parts): Rates {
  const samples: Sample[] = [take()]
  const disk = [{ atMs: nowMs(), free: freeBytes() }]
  const lastAt = new Map<string, bigint>()
  let timer: NodeJS.Timeout | undefined

  function nowMs(): number {
    return Number(clock.monotonic() / 1_000_000n)
  }

  function take(): Sample {
    const byInput = new Map<string, number>()
    for (const [input, fates] of accounting.byInput) {
      byInput.set(
        input,
        [...fates.values()].reduce((sum, count) => sum + count, 0),
      )
    }
    return { atMs: nowMs(), total: accounting.totals.received, byInput }
  }

  function noteLast(newest: Sample): void {
    const before = samples.at(-1)
    for (const [input, count] of newest.byInput) {
      if (count > (before?.byInput.get(input) ?? 0)) lastAt.set(input, clock.now())
    }
  }

  function sample(): void {
    const newest = take()
    noteLast(newest)
    samples.push(newest)
    while ((samples[1]?.atMs ?? Infinity) <= newest.atMs - minuteMs) samples.shift()
    if (newest.atMs - disk.at(-1)!.atMs < diskEveryMs) return
    disk.push({ atMs: newest.atMs, free: freeBytes() })
    while (disk[0]!.atMs < newest.atMs - watchedMsMax) disk.shift()
  }

  return {
    framesPerSecond() {
      const now = take()
      const from = samples[0]!
      // In the first moments a second is the least that a rate can be told of.
      const seconds = Math.max((now.atMs - from.atMs) / 1_000, 1)
      const byInput = new Map<string, number>()
      for (const [input, count] of now.byInput) {
        byInput.set(input, (count - (from.byInput.get(input) ?? 0)) / seconds)
      }
      return { total: (now.total - from.total) / seconds, byInput }
    },
    lastFrameAt(input) {
      const now = take()
      return (now.byInput.get(input) ?? 0) > (samples.at(-1)!.byInput.get(input) ?? 0) ? clock.now() : lastAt.get(input)
    },
    disk() {
      const [from] = disk
      const watchedMs = nowMs() - from!.atMs
      if (watchedMs < watchedMsMin) return {}
      const free = freeBytes()
      const used = from!.free - free
      return used <= 0 ? { watchedMs } : { watchedMs, fullInMs: free / (used / watchedMs) }
    },
    start() {
      timer = setInterval(sample, sampleMs)
      timer.unref()
    },
    stop: () => clearInterval(timer),
    sample,
  }
}
