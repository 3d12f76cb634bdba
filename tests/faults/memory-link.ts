// A connection in memory: two ends of a stream, between which bytes travel for some turns of the loop, in pieces of any size, as the
// seed has it, and which can be cut with whatever is still on its way.

import { Duplex } from 'node:stream'
import type { Random } from './fault-disk.ts'

export interface MemoryLink {
  readonly near: Duplex
  readonly far: Duplex
  /** Both ends are gone, and so is what had not arrived. */
  cut(): void
}

class End extends Duplex {
  peer!: End
  readonly #random: Random
  #goOn: (() => void) | undefined

  constructor(random: Random) {
    super({ allowHalfOpen: true, emitClose: true })
    this.#random = random
    this.on('error', () => {})
  }

  override _read(): void {
    const goOn = this.#goOn
    this.#goOn = undefined
    goOn?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#travel(() => {
      const { peer } = this
      if (this.destroyed || peer.destroyed) return done()
      const middle = this.#random() < 0.3 ? Math.floor(this.#random() * chunk.length) : 0
      if (middle > 0) peer.push(chunk.subarray(0, middle))
      // Not read on the other side: whoever writes waits, as with a full buffer of the kernel.
      if (peer.push(chunk.subarray(middle))) done()
      else peer.#goOn = done
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#travel(() => {
      if (!this.peer.destroyed) this.peer.push(null)
      done()
    })
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    setImmediate(() => this.peer.destroy())
    done(error)
  }

  #travel(arrive: () => void): void {
    const turns = Math.floor(this.#random() * 3)
    const next = (left: number): void => void (left === 0 ? arrive() : setImmediate(next, left - 1))
    next(turns)
  }
}

export function createMemoryLink(random: Random): MemoryLink {
  const [near, far] = [new End(random), new End(random)]
  near.peer = far
  far.peer = near
  return {
    near,
    far,
    cut() {
      near.destroy()
      far.destroy()
    },
  }
}
