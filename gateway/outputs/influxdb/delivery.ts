// The lines of one delivery: cut into batches, two of them on their way while the next is filled. Its promise: whoever awaits `finish`
// finds every batch settled and no buffer in use, whatever failed.

import type { StoredRecord } from '../../log/log.ts'
import { requestsInFlight } from './client.ts'
import { createLines } from './line-protocol.ts'
import type { Lines } from './line-protocol.ts'
import type { Target } from './rows.ts'

/** Lines on their way, and the record of each. */
export interface Batch {
  readonly target: Target
  readonly lines: Lines
  readonly records: StoredRecord[]
}

export interface Delivery {
  /** Room for so many rows; undefined: it is there, else it is waited for while both batches are on their way. */
  room(target: Target, rowsMost: number): Promise<void> | undefined
  /** Where a record's rows are written, when there is room for them. */
  lines(target: Target): Lines
  /** So many were. */
  wrote(record: StoredRecord, target: Target, rows: number): void
  failed(): boolean
  /** Sends what is left and waits for all; throws the first failure. */
  finish(): Promise<void>
}

export interface DeliveryParts {
  /** Batches to use again, shared by all deliveries of an output; they keep their buffers. */
  readonly free: Batch[]
  readonly rowsMax: number
  /** A batch is closed when it is longer; asked each time, because the server may teach us. */
  readonly bytesMax: () => number
  readonly send: (batch: Batch) => Promise<void>
}

const targets: readonly Target[] = ['main', 'exercise']

export function createDelivery({ free, rowsMax, bytesMax, send }: DeliveryParts): Delivery {
  const open: Partial<Record<Target, Batch>> = {}
  const underWay = new Set<Promise<void>>()
  let failure: unknown

  function take(target: Target): Batch {
    const { lines, records } = free.pop() ?? { lines: createLines(), records: [] }
    lines.clear()
    records.length = 0
    return { target, lines, records }
  }

  async function close(target: Target): Promise<void> {
    const batch = open[target]
    if (!batch) return
    delete open[target]
    while (underWay.size >= requestsInFlight) await Promise.race(underWay)
    const sending = send(batch)
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => {
        underWay.delete(sending)
        free.push(batch)
      })
    underWay.add(sending)
  }

  return {
    failed: () => failure !== undefined,
    room(target, rowsMost) {
      const last = open[target]
      const isFull = last && (last.lines.count + rowsMost > rowsMax || last.lines.length > bytesMax())
      return isFull ? close(target) : undefined
    },
    lines: (target) => (open[target] ??= take(target)).lines,
    wrote(record, target, rows) {
      const { records } = open[target]!
      for (let row = 0; row < rows; row++) records.push(record)
    },
    async finish() {
      for (const target of targets) if (failure === undefined) await close(target)
      await Promise.all(underWay)
      for (const batch of Object.values(open)) free.push(batch)
      if (failure !== undefined) throw failure
    },
  }
}
