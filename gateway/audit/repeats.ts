// What somebody does again and again, in one entry a minute: the first is written at once, what comes of the same kind after it is counted
// and written when the minute is over. Whoever varies what they are called cannot make it more: beyond a bound all are counted as one.

import type { Clock } from '../clock.ts'
import type { AuditNote } from './audit.ts'

export interface Repeats {
  note(key: string, note: AuditNote): void
  /** Writes what is counted so far. */
  flush(): void
  close(): void
}

const windowMs = 60_000
/** A county's devices, coming back after a power cut, are each written. */
const keysMax = 20_000

interface Gathered {
  count: number
  note: AuditNote
  since: bigint
}

export function createRepeats({ clock, write }: { clock: Clock; write: (note: AuditNote) => void }): Repeats {
  const known = new Map<string, Gathered>()
  const beyond = new Map<string, Gathered>()
  const timer = setInterval(flush, windowMs).unref()

  function note(key: string, one: AuditNote): void {
    const gathered = known.get(key)
    if (gathered) return count(gathered, one)
    if (known.size < keysMax) {
      known.set(key, { count: 0, note: one, since: 0n })
      return write(one)
    }
    const { action, type, outcome } = one
    const others = beyond.get(`${action} ${outcome}`) ?? { count: 0, note: one, since: 0n }
    beyond.set(`${action} ${outcome}`, others)
    const text = `More than ${keysMax} different ones did this within a minute; these are the others.`
    count(others, { action, type, outcome, text })
  }

  function count(gathered: Gathered, one: AuditNote): void {
    if (gathered.count === 0) gathered.since = clock.now()
    gathered.count += 1
    gathered.note = one
  }

  function flush(): void {
    for (const gathered of [...known.values(), ...beyond.values()]) {
      const { count: times, note: last, since } = gathered
      if (times === 1) write(last)
      else if (times > 1) write({ ...last, count: times, since })
    }
    known.clear()
    beyond.clear()
  }

  return {
    note,
    flush,
    close() {
      clearInterval(timer)
      flush()
    },
  }
}
