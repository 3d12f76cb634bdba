// A frame that came in, until the log tells what became of it: then it is counted, and whoever gave it is told. A class, since there
// is one for each message.

import type { Frame } from '../adapters/adapter.ts'
import type { Frame as KeptFrame } from '../proto/generated/types.ts'
import { type RecentFate, noInput } from './accounting.ts'
import type { Fate, Sender, ToldFate } from './inputs/receive.ts'
import type { Place, Told } from './log/log.ts'
import type { PipelineParts, Read } from './pipeline.ts'
import type { Route } from './routes.ts'

type GivenParts = Pick<PipelineParts, 'accounting' | 'clock' | 'clockFaulty' | 'waiting'>

export class Given implements Told {
  readonly #parts: GivenParts
  readonly #frameId: Uint8Array
  readonly #sender: Sender
  readonly #frame: Frame
  readonly #route: Route | undefined
  readonly #read: Read
  readonly #told: ToldFate
  readonly #isPlain: boolean

  constructor(
    parts: GivenParts,
    frameId: Uint8Array,
    sender: Sender,
    frame: Frame,
    route: Route | undefined,
    read: Read,
    told: ToldFate,
  ) {
    this.#parts = parts
    this.#frameId = frameId
    this.#sender = sender
    this.#frame = frame
    this.#route = route
    this.#read = read
    this.#told = told
    this.#isPlain = told.storedPlainly !== undefined && read.fate === 'stored' && !read.clockFault
  }

  /** The same, for a frame that waits for its device. */
  waitingAs(kept: KeptFrame): Told {
    const entered = (number: number | undefined): void => this.#parts.waiting?.entered(this.#sender, kept, number)
    return {
      stored: (number, places) => {
        entered(number)
        this.stored(number, places)
      },
      duplicate: () => {
        entered(undefined)
        this.duplicate()
      },
      notTaken: (error) => {
        entered(undefined)
        this.notTaken(error)
      },
    }
  }

  stored(_number: number, places: readonly Place[]): void {
    // Most are like this. What else belongs to them was last looked at thousands of messages ago, and is slow to come by.
    if (this.#isPlain) {
      this.#parts.accounting.settle(inputOf(this.#route), 'stored')
      return this.#told.storedPlainly!()
    }
    this.#settle(fateOf(this.#frameId, this.#read, places))
  }

  duplicate(): void {
    this.#settle({ frameId: this.#frameId, fate: 'duplicate' })
  }

  notTaken(error: unknown): void {
    const { accounting } = this.#parts
    accounting.settle(inputOf(this.#route), 'not_taken')
    accounting.remember(this.#recent('not_taken', error instanceof Error ? error.message : String(error)))
    this.#told.notTaken(error)
  }

  #settle(fate: Fate): void {
    const { accounting } = this.#parts
    const input = inputOf(this.#route)
    accounting.settle(input, fate.fate, fate.fate === 'refused' ? fate.fault : undefined)
    if (fate.fate === 'stored' && fate.clockFault) {
      accounting.clockFault(input)
      this.#parts.clockFaulty?.(fate.clockFault, this.#sender.name, this.#frame.channel)
    }
    // Of other fates the log itself tells.
    if (fate.fate === 'duplicate') accounting.remember(this.#recent(fate.fate, ''))
    this.#told.settled(fate)
  }

  #recent(fate: 'duplicate' | 'not_taken', why: string): RecentFate {
    const { channel, receivedAt } = this.#frame
    const adapter = this.#route?.input.adapter.name ?? ''
    const settledAt = this.#parts.clock.now()
    return { frameId: this.#frameId, channel, sender: this.#sender.name, adapter, receivedAt, settledAt, fate, why }
  }
}

/** As it is counted. */
export const inputOf = (route: Route | undefined): string => route?.input.name ?? noInput

function fateOf(frameId: Uint8Array, read: Read, places: readonly Place[]): Fate {
  switch (read.fate) {
    case 'stored': {
      const { eventIds, clockFault } = read
      return clockFault
        ? { frameId, fate: 'stored', places, eventIds, clockFault }
        : { frameId, fate: 'stored', places, eventIds }
    }
    case 'refused':
      return { frameId, fate: 'refused', fault: read.fault, why: read.why }
    case 'ignored':
      return { frameId, fate: 'ignored', why: read.why }
    default:
      return { frameId, fate: read.fate }
  }
}
