// Stands between a client's socket and aedes, and hands on whole, sound packets only. Every size is checked on the fixed header,
// before a body is waited for. Plain PUBLISH packets, nearly all there are, it gives to the house directly.

import { Duplex } from 'node:stream'

import type { Limits } from './limits.ts'
import {
  clearUnusedBits,
  connectVersion,
  packetFault,
  packetSize,
  packetType,
  plainPublish,
  reasonCode,
  type PacketFault,
  type PlainPublish,
} from './packets.ts'
import type { ClientCertificate, CutReason } from './port.ts'

/** Bytes of unfinished packets, over all connections. */
export interface Held {
  bytes: number
}

export interface Peer {
  readonly address: string
  readonly listener: string
  readonly certificate?: ClientCertificate
}

/** Takes plain messages past aedes, whose parser, streams and acknowledgements cost more than all the rest of their way. */
export interface Direct {
  publish(packet: PlainPublish): void
  /** Once for each chunk with such messages: the client is alive. */
  heard(): void
}

// The peer may still be sending when we have said our last word; closing on unread bytes would reset the connection, and the
// last word would be lost. So long we read on and throw away.
const lingerMs = 200

// Who takes less than this in `unreadMsMax` stands still.
const pieceBytes = 64 << 10

const pubackBytes = 4

export class Guard extends Duplex {
  readonly peer: Peer
  /** 0 until there was a CONNECT. */
  version = 0
  /** Why it was closed, when that was our doing. */
  cutReason: CutReason | undefined
  /** What was wrong with the packet it was closed for, in words. */
  fault: string | undefined
  readonly #socket: Duplex
  readonly #limits: Limits
  readonly #allHeld: Held
  /** `greeting` until CONNECT, `waiting` until aedes has let the client in, `open`, then `stopped` when we read no further. */
  #state: 'greeting' | 'waiting' | 'open' | 'stopped' = 'greeting'
  #held: Buffer[] = []
  #heldBytes = 0
  #wanted = 2
  #ended = false
  #throttled = false
  #acknowledged: number[] = []
  #direct: Direct | undefined
  readonly #sendSoon = (): void => this.sendAcknowledgements()

  constructor(socket: Duplex, peer: Peer, limits: Limits, held: Held) {
    super({ writableHighWaterMark: limits.unreadBytesMax, readableHighWaterMark: 64 << 10 })
    this.peer = peer
    this.#socket = socket
    this.#limits = limits
    this.#allHeld = held
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.once('end', () => this.#end())
    socket.on('error', (error) => this.destroy(error))
    socket.once('close', () => this.destroy())
  }

  /** The client is let in: what it sent behind its CONNECT is handed on now, in order. */
  open(direct?: Direct): void {
    if (this.#state !== 'waiting') return
    this.#state = 'open'
    this.#direct = direct
    this.#resume()
  }

  /** Hands nothing on for a while, and lets the client wait in its own socket. */
  throttle(on: boolean): void {
    if (this.#throttled === on) return
    this.#throttled = on
    if (on) this.#socket.pause()
    else if (this.#state === 'open') this.#resume()
  }

  /**
   * A PUBACK of success, the same in MQTT 3.1.1 and 5 (§3.4.2): all of a turn leave in one write. False when the client is slow to
   * read: then aedes acknowledges, which cuts those who stand still.
   */
  acknowledge(packetId: number): boolean {
    if (this.destroyed || this.writableNeedDrain) {
      this.sendAcknowledgements()
      return false
    }
    if (this.#acknowledged.push(packetId) === 1) process.nextTick(this.#sendSoon)
    return true
  }

  /** Those that wait leave before what is written next. */
  sendAcknowledgements(): void {
    const ids = this.#acknowledged
    if (ids.length === 0) return
    this.#acknowledged = []
    if (this.destroyed) return
    const packets = Buffer.allocUnsafe(ids.length * pubackBytes)
    for (let index = 0; index < ids.length; index++) {
      packets.writeUInt16BE(0x4002, index * pubackBytes)
      packets.writeUInt16BE(ids[index]!, index * pubackBytes + 2)
    }
    // Straight into the socket when nothing waits in front of it, which is the rule; else in line, where waiting is counted.
    if (this.writableLength === 0 && this.#socket.writableLength === 0) this.#socket.write(packets)
    else this.write(packets)
  }

  /** Reads no further from this client. */
  stop(): void {
    this.#state = 'stopped'
    this.#socket.pause()
    this.#drop()
  }

  /** Closes at once; for MQTT 5 with a DISCONNECT that says why, when the client still reads. */
  cut(reason: CutReason, code?: number): void {
    this.cutReason ??= reason
    const talks = reason !== 'slow' && this.#state !== 'greeting'
    if (talks && this.version === 5 && code !== undefined) this.#socket.write(Buffer.of(0xe0, 1, code))
    if (reason === 'slow') this.#socket.destroy()
    this.destroy(new Error(`connection cut: ${reason}`))
  }

  /** Answers a CONNECT with a refusal; `code` is that of MQTT 3.1.1, `reason` that of MQTT 5. */
  refuse(code: number, reason: number): void {
    this.#socket.write(this.version === 5 ? Buffer.of(0x20, 3, 0, reason, 0) : Buffer.of(0x20, 2, 0, code))
  }

  override _read(): void {
    if (!this.#throttled && (this.#state === 'greeting' || this.#state === 'open')) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done)
  }

  /** Piece by piece, so that a reader that is slow is told from one that stands still: aedes cuts who makes no progress. */
  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes.length > pieceBytes ? bytes.subarray(0, pieceBytes) : bytes, (error) => {
      if (error || bytes.length <= pieceBytes) return done(error)
      if (this.writableNeedDrain && !this.destroyed) this.emit('drain')
      this.#send(bytes.subarray(pieceBytes), done)
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#drop()
    const socket = this.#socket
    if (this.#ended || socket.destroyed) socket.destroy()
    else {
      const timer = setTimeout(() => socket.destroy(), lingerMs)
      socket.once('close', () => clearTimeout(timer))
      socket.removeAllListeners('data')
      socket.once('end', () => socket.destroy())
      socket.end()
      socket.resume()
    }
    done(error)
  }

  #resume(): void {
    if (this.#heldBytes >= this.#wanted) this.#handOn()
    if (this.destroyed) return
    if (this.#ended) this.push(null)
    else this.#socket.resume()
  }

  #take(chunk: Buffer): void {
    if (this.destroyed || this.#state === 'stopped') return
    this.#hold(chunk)
    if (this.#state === 'waiting' || this.#throttled) this.#socket.pause()
    else if (this.#heldBytes >= this.#wanted) this.#handOn()
  }

  /** Hands on every whole packet there is, and keeps the rest. */
  #handOn(): void {
    const bytes = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)
    this.#drop()
    this.#wanted = 2
    let at = 0
    let from = 0
    // Behind a packet that aedes has not read yet, or is to read, a message keeps its place.
    let direct = this.#state === 'open' && this.readableLength === 0 ? this.#direct : undefined
    while (at < bytes.length) {
      const size = this.#next(bytes, at)
      if (size === undefined) return
      if (at + size > bytes.length) {
        this.#wanted = size
        break
      }
      const message = direct && plainPublish(bytes, at, at + size, this.version)
      if (message) {
        if (from === 0) direct!.heard()
        direct!.publish(message)
        if (this.destroyed || this.#stopped()) return
        from = at + size
      } else direct = undefined
      at += size
      if (this.#state === 'greeting') {
        this.#state = 'waiting'
        this.#socket.pause()
        break
      }
    }
    // A copy, so that a few bytes do not keep the whole chunk in memory.
    if (at < bytes.length) this.#hold(at === 0 ? bytes : Buffer.from(bytes.subarray(at)))
    if (at > from && !this.push(at - from === bytes.length ? bytes : bytes.subarray(from, at))) this.#socket.pause()
  }

  /** What a call in between may have made it. */
  #stopped(): boolean {
    return this.#state === 'stopped'
  }

  /** The size of the packet at `at`, checked as far as it is here; undefined when the connection was closed for it. */
  #next(bytes: Buffer, at: number): number | undefined {
    const greeting = this.#state === 'greeting'
    if (greeting && bytes[at]! >> 4 !== packetType.connect) {
      return this.#fail({ reasonCode: reasonCode.protocol, why: 'the first packet is not CONNECT' })
    }
    const size = packetSize(bytes, at)
    if (size === undefined) return bytes.length - at + 1
    if (typeof size === 'object') return this.#fail(size)
    const sizeMax = greeting ? this.#limits.firstPacketBytesMax : this.#limits.packetBytesMax
    if (size > sizeMax) {
      const why = `a packet of ${size} bytes; at most ${sizeMax} are taken`
      return this.#fail({ reasonCode: reasonCode.packetTooLarge, why })
    }
    if (at + size > bytes.length) return size
    if (greeting && !this.#speaks(bytes, at, size)) return undefined
    const fault = packetFault(bytes, at, at + size, this.version, this.#limits)
    if (greeting && !fault && this.version === 3) clearUnusedBits(bytes, at, at + size)
    return fault ? this.#fail(fault) : size
  }

  #speaks(bytes: Buffer, at: number, size: number): boolean {
    const version = connectVersion(bytes, at, at + size)
    if (typeof version === 'number') {
      this.version = version
      return true
    }
    if ('answer' in version) this.#socket.write(version.answer)
    this.#fail({ reasonCode: reasonCode.unsupportedVersion, why: version.why })
    return false
  }

  #fail(fault: PacketFault): undefined {
    this.cutReason = fault.reasonCode === reasonCode.packetTooLarge ? 'too_large' : 'protocol'
    this.fault = fault.why
    if (this.#state === 'open' && this.version === 5) this.#socket.write(Buffer.of(0xe0, 1, fault.reasonCode))
    this.destroy(new Error(`not according to the standard or too large: ${fault.why}`))
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    this.#allHeld.bytes += bytes.length
    if (this.#allHeld.bytes > this.#limits.heldBytesMax && this.#heldBytes < this.#wanted) {
      this.#fail({ reasonCode: reasonCode.serverBusy, why: 'too many unfinished packets over all connections' })
    }
  }

  #drop(): void {
    this.#allHeld.bytes -= this.#heldBytes
    this.#held = []
    this.#heldBytes = 0
  }

  #end(): void {
    this.#ended = true
    if (this.#state !== 'waiting' && !this.#throttled) this.push(null)
  }
}
