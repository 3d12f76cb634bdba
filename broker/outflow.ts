// Gives a client's socket what the client is to be sent, a piece at a time, and knows whether the client takes it. A socket takes
// acknowledgements at once, as a rule: only for the end of a write that somebody may wait for is it asked to call back.

import type { Writable } from 'node:stream'

import { Outbox } from './outbox.ts'

// So much is given to the socket at once: who takes less than this in `unreadMsMax` stands still.
const pieceBytes = 64 << 10

export class Outflow extends Outbox {
  readonly #socket: Writable
  readonly #heedlessBytes: number
  readonly #written: (error?: Error | null) => void
  /** So much was unread that somebody may wait until it is less. */
  #watched = false
  /** The end of a write is waited for. */
  #waits = false
  /** The socket had not taken all of it when it was given the last piece. */
  #stands = false
  #given = 0
  /** Of what was given, when that was looked at last, and when it last became more, ms of a monotonic clock. */
  #taken = 0
  #takenAt = 0

  /**
   * `progressed` is called when the socket has taken a piece and has been given the next one; of what was never more than `heedlessBytes`
   * it may not be.
   */
  constructor(socket: Writable, heedlessBytes: number, progressed: () => void) {
    super()
    this.#socket = socket
    this.#heedlessBytes = heedlessBytes
    this.#written = (error) => {
      this.#waits = false
      if (error || socket.destroyed) return
      this.#watched = this.unreadBytes > heedlessBytes
      this.flush()
      progressed()
    }
  }

  /** What the client was sent and has not taken. */
  get unreadBytes(): number {
    return this.bytes + this.#unreadOfSocket
  }

  /** The same, to be asked when something was pushed. */
  unreadAfterPush(): number {
    const unread = this.unreadBytes
    if (unread > this.#heedlessBytes) this.#watched = true
    return unread
  }

  /** Asks the socket only where it may have some: of a thousand sockets none is at hand. */
  get #unreadOfSocket(): number {
    return this.#stands ? this.#socket.writableLength : 0
  }

  /** Gives the socket the next piece, unless it has one to take yet. False: something is unread. */
  flush(): boolean {
    const piece = this.#waits ? undefined : this.take(pieceBytes)
    if (piece) this.#give(piece)
    return this.unreadBytes === 0
  }

  #give(piece: Buffer): void {
    const socket = this.#socket
    const before = this.#unreadOfSocket
    this.#waits = this.bytes > 0 || before > 0 || this.#watched
    if (this.#waits) socket.write(piece, this.#written)
    else socket.write(piece)
    this.#given += piece.length
    const left = socket.writableLength
    this.#stands = left > 0
    if (before === 0 && left > 0) {
      this.#taken = this.#given - left
      this.#takenAt = performance.now()
    }
  }

  /** Since when the client has taken nothing, to be asked again and again; Infinity: it has taken everything. */
  stillSince(now: number): number {
    const left = this.#unreadOfSocket
    this.#stands = left > 0
    if (left === 0 && this.bytes === 0) return Infinity
    const taken = this.#given - left
    if (taken !== this.#taken) this.#takenAt = now
    this.#taken = taken
    return this.#takenAt
  }

  /** All that there is, when no more will come. */
  end(): void {
    const rest = this.take(Infinity)
    if (rest) this.#socket.write(rest)
  }
}
