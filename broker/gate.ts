// Stands between a client's socket and everything else. Each packet is checked whole, every size on the fixed header before a body is
// waited for. Messages and their acknowledgements go to the house; what makes, keeps and ends a connection goes on to aedes. What
// leaves, leaves in one write for each turn, and who does not read it is neither waited for nor read from.

import { Duplex } from 'node:stream'

import { acknowledgement, disconnect, refusedConnack, type Reason } from './answers.ts'
import { correctConnack } from './connack.ts'
import { leaveTogether, type Gates } from './gates.ts'
import { closeAfterLastWords } from './last-words.ts'
import type { Limits } from './limits.ts'
import { noProperties, willProperties } from './message-properties.ts'
import { firstBytes, type ShortPacket } from './outbox.ts'
import { Outflow } from './outflow.ts'
import {
  clearUnusedBits,
  connectVersion,
  disconnectExpirySeconds,
  keepWill,
  packetFault,
  packetSize,
  packetType,
  reasonCode,
  type PacketFault,
} from './packets.ts'
import type { CutReason, MessageProperties, Peer } from './port.ts'
import { type LatestTopic, noTopic, readPublish } from './publish-packet.ts'
import { closingWords } from './reasons.ts'
import type { Taker } from './taker.ts'

// Of an unfinished packet.
const piecesMax = 128

const pingResponse = Buffer.of(0xd0, 0)

export class Gate extends Duplex {
  readonly peer: Peer
  /** 0 until there was a CONNECT. */
  version = 0
  /** Told in CONNACK; aedes knows of no session. */
  sessionPresent = false
  /** MQTT 5 Maximum Packet Size that it asked for. */
  packetBytesMax = Infinity
  willProperties: MessageProperties = noProperties
  /** MQTT 5 Request Problem Information: acknowledgements may say why in words. CONNACK and DISCONNECT always may. */
  wantsReasons = true
  /** CONNECT asked for a session that does not outlive it. */
  endsWithConnection = false
  /** Why it was closed, when that was our doing. */
  cutReason: CutReason | undefined
  /** What was wrong with the packet it was closed for, in words. */
  fault: string | undefined
  readonly #socket: Duplex
  readonly #limits: Limits
  readonly #all: Gates
  /** `greeting` until CONNECT, `waiting` until aedes has let the client in, `open`, then `stopped` when we read no further. */
  #state: 'greeting' | 'waiting' | 'open' | 'stopped' = 'greeting'
  /** What `destroyed` says, without a look into four objects. */
  #closed = false
  /** Too much is unread: nothing more is read. */
  #full = false
  #held: Buffer[] = []
  #heldBytes = 0
  #wanted = 2
  #ended = false
  #throttled = false
  /** The taker has a SUBSCRIBE or UNSUBSCRIBE: what comes behind it must find it done. */
  #awaited = false
  /** It was told in CONNACK that it is let in, or that it is not. */
  #answer: 'accepted' | 'refused' | undefined
  #taker: Taker | undefined
  /** Chunks since the last look; 2: more than one. */
  #chunks = 0
  #latestTopic: LatestTopic | undefined
  readonly #out: Outflow
  #scheduled = false

  constructor(socket: Duplex, peer: Peer, limits: Limits, all: Gates) {
    super({ readableHighWaterMark: 64 << 10 })
    this.peer = peer
    this.#socket = socket
    this.#limits = limits
    this.#all = all
    this.#out = new Outflow(socket, Math.min(limits.unreadBytesQos0Max, limits.unreadBytesMax), () =>
      this.#progressed(),
    )
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.once('end', () => this.#end())
    socket.on('error', (error) => this.destroy(error))
    socket.once('close', () => this.destroy())
  }

  /** What it was sent and has not taken. */
  get unreadBytes(): number {
    return this.#out.unreadBytes
  }

  /** The client is let in: what it sent behind its CONNECT is handed on now, in order. */
  open(taker: Taker): void {
    if (this.#state !== 'waiting') return
    this.#state = 'open'
    this.#taker = taker
    this.#resume()
  }

  /** SUBSCRIBE or UNSUBSCRIBE is done. What came behind it has its turn in the next: each costs more than it looks. */
  answered(): void {
    setImmediate(() => {
      this.#awaited = false
      this.#resume()
    })
  }

  /** The taker is idle. */
  idle(): void {
    if (this.#ended) this.#resume()
  }

  /** Hands nothing on for a while, and lets the client wait in its own socket. */
  throttle(on: boolean): void {
    if (this.#throttled === on) return
    this.#throttled = on
    if (on) this.#socket.pause()
    else this.#resume()
  }

  /** A whole packet. */
  send(bytes: Buffer): void {
    if (this.#closed) return
    this.#out.push(bytes)
    this.#schedule()
  }

  /** MQTT 5 §3.1.2.11.4: what it does not take is not sent; without an answer to what it asked there is nothing to go on with. */
  sendOrCut(answer: Buffer): void {
    if (answer.length <= this.packetBytesMax) return this.send(answer)
    this.fault = `an answer of ${answer.length} bytes, above the Maximum Packet Size of its client`
    this.cut('protocol', reasonCode.packetTooLarge)
  }

  /** An acknowledgement of success. */
  sendShort(packet: ShortPacket, packetId: number): void {
    if (this.#closed) return
    this.#out.pushShort(packet, packetId)
    this.#schedule()
  }

  /** An acknowledgement with an MQTT 5 reason code, and words where they may be told. */
  sendRefusal(packet: ShortPacket, packetId: number, code: number, why?: string): void {
    this.#out.settle()
    this.send(acknowledgement(firstBytes[packet], packetId, code, this.reason(why)))
  }

  /** For an acknowledgement: what of it may be told. */
  reason(why: string | undefined): Reason {
    return { why: this.wantsReasons ? why : undefined, bytesMax: this.packetBytesMax }
  }

  /** Reads no further from this client. */
  stop(): void {
    this.#state = 'stopped'
    this.#socket.pause()
    this.#drop()
  }

  /** Closes at once; for MQTT 5 with a DISCONNECT that says why, when the client still reads and was let in. */
  cut(reason: CutReason, code?: number): void {
    if (this.destroyed) return
    this.cutReason ??= reason
    if (reason === 'slow') this.#socket.destroy()
    else if (code !== undefined) this.#sayGoodbye(code, closingWords(reason, this.fault))
    this.destroy(new Error(`connection cut: ${reason}`))
  }

  /** [MQTT-3.14.0-1]: not before a CONNACK that lets it in. */
  #sayGoodbye(code: number, why: string | undefined): void {
    if (this.version !== 5 || this.#answer !== 'accepted') return
    this.send(disconnect(code, { why, bytesMax: this.packetBytesMax }))
  }

  /** Answers a CONNECT with a refusal, in the place of aedes; `code` is that of MQTT 3.1.1, `reason` that of MQTT 5. */
  refuse(code: number, reason: number, why?: string): void {
    this.send(refusedConnack(this.version, code, reason, { why, bytesMax: this.packetBytesMax }))
    this.#answer = 'refused'
  }

  /** Who takes nothing at all is gone, whatever its connection says. */
  cutIfStill(now: number, msMax: number): void {
    const since = this.#out.stillSince(now)
    if (since === Infinity) this.#all.behind.delete(this)
    else if (since < now - msMax) this.cut('slow')
  }

  override _read(): void {
    if (this.#state === 'greeting' || (this.#state === 'open' && !this.#holds())) this.#socket.resume()
  }

  /** What aedes says; it never waits for the client. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#sendFromAedes(chunk)
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#sendFromAedes(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }

  #sendFromAedes(bytes: Buffer): void {
    if (this.#answer === 'refused') return
    const isConnack = bytes[0] === 0x20 && this.#state === 'waiting'
    const lets = isConnack && correctConnack(bytes, this.version, this.sessionPresent)
    this.sendOrCut(bytes)
    if (lets) this.#answer = 'accepted'
  }

  #schedule(): void {
    const unread = this.#out.unreadAfterPush()
    const { unreadBytesMax } = this.#limits
    if (unread > 4 * unreadBytesMax) return this.cut('slow')
    if (unread > unreadBytesMax) this.#full = true
    if (this.#scheduled) return
    this.#scheduled = true
    leaveTogether(this.#all, this)
  }

  /** At the end of the turn. */
  leave(): void {
    this.#scheduled = false
    if (!this.#closed && !this.#out.flush()) this.#all.behind.add(this)
  }

  #progressed(): void {
    this.#full = this.#out.unreadBytes > this.#limits.unreadBytesMax
    if (this.#closed || this.#full) return
    this.#taker?.drained()
    if (this.#state === 'open') this.#resume()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#out.end()
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#closed = true
    this.#drop()
    this.#all.behind.delete(this)
    const socket = this.#socket
    if (!socket.destroyed) {
      this.#out.end()
      closeAfterLastWords(socket, this.#ended)
    }
    done(error)
  }

  #holds(): boolean {
    return this.#throttled || this.#awaited || this.#full
  }

  #resume(): void {
    if (this.#state !== 'open' || this.#holds()) return
    if (this.#heldBytes >= this.#wanted) this.#handOnHeld()
    if (this.#closed || this.#holds() || this.#stopped()) return
    if (!this.#ended) this.#socket.resume()
    // Who says no more may still be told that his messages are safe.
    else if (this.#taker!.isIdle()) this.push(null)
  }

  #take(chunk: Buffer): void {
    if (this.#closed || this.#state === 'stopped') return
    const mayPass = this.#state !== 'waiting' && !this.#holds()
    if (mayPass && this.#heldBytes === 0 && chunk.length >= this.#wanted) return this.#handOn(chunk)
    this.#hold(chunk)
    if (!mayPass) this.#socket.pause()
    else if (this.#heldBytes >= this.#wanted) this.#handOnHeld()
  }

  #handOnHeld(): void {
    const bytes = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)
    this.#drop()
    this.#handOn(bytes)
  }

  /** Hands on every whole packet there is, and keeps the rest. */
  #handOn(bytes: Buffer): void {
    this.#wanted = 2
    let at = 0
    if (this.#state === 'open' && this.#chunks < 2) this.#talk()
    while (at < bytes.length && !this.#awaited && !this.#throttled) {
      const size = this.#next(bytes, at)
      if (size === undefined) return
      if (at + size > bytes.length) {
        this.#wanted = size
        break
      }
      if (this.#state === 'greeting') {
        this.#state = 'waiting'
        this.#socket.pause()
        if (this.version === 5) this.willProperties = willProperties(bytes, at, at + size)
        this.push(bytes.subarray(at, at + size))
        at += size
        break
      }
      if (!this.#give(bytes, at, at + size)) return
      at += size
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at))
    if (this.#holds()) this.#socket.pause()
  }

  /** The first since the last look counts at once, and those behind it at the next: a look comes sooner than any keep-alive ends. */
  #talk(): void {
    if (this.#chunks++ > 0) return
    this.#all.talking.push(this)
    this.#taker!.heard()
  }

  lookAt(): void {
    if (this.#chunks > 1) this.#taker!.heard()
    this.#chunks = 0
  }

  /** One packet to whom it concerns; true: the connection goes on. */
  #give(bytes: Buffer, start: number, end: number): boolean | undefined {
    const type = bytes[start]! >> 4
    switch (type) {
      case packetType.publish: {
        const packet = readPublish(bytes, start, end, this.version, (this.#latestTopic ??= noTopic()))
        if (typeof packet === 'string')
          return this.#fail({ reasonCode: reasonCode.malformed, why: `PUBLISH with ${packet}` })
        this.#taker!.publish(packet)
        break
      }
      case packetType.puback:
      case packetType.pubrec:
      case packetType.pubrel:
      case packetType.pubcomp: {
        let at = start + 1
        while (bytes[at++]! >= 0x80);
        this.#taker!.answer(type, bytes.readUInt16BE(at), this.version === 5 && at + 2 < end ? bytes[at + 2]! : 0)
        break
      }
      case packetType.subscribe:
      case packetType.unsubscribe:
        this.#awaited = true
        this.#taker![type === packetType.subscribe ? 'subscribe' : 'unsubscribe'](bytes.subarray(start, end))
        break
      case packetType.pingreq:
        this.send(pingResponse)
        break
      case packetType.disconnect:
        if (this.version === 5 && this.endsWithConnection && disconnectExpirySeconds(bytes, start, end) > 0) {
          // MQTT 5 §3.14.2.2.2
          return this.#fail({ reasonCode: reasonCode.protocol, why: 'DISCONNECT keeps a session that CONNECT did not' })
        }
        if (this.version === 5) keepWill(bytes, start, end)
        this.push(bytes.subarray(start, end))
        // §3.14.4: nothing comes behind it.
        this.stop()
        return false
      default:
        // §3.1
        return this.#fail({ reasonCode: reasonCode.protocol, why: 'a second CONNECT' })
    }
    return !this.#closed && !this.#stopped()
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
    if ('answer' in version) this.send(Buffer.from(version.answer))
    this.#fail({ reasonCode: reasonCode.unsupportedVersion, why: version.why })
    return false
  }

  #fail(fault: PacketFault): undefined {
    this.cutReason = fault.reasonCode === reasonCode.packetTooLarge ? 'too_large' : 'protocol'
    this.fault = fault.why
    // MQTT 5 §4.13.1
    if (!fault.silent) {
      const why = closingWords(this.cutReason, fault.why)
      if (this.#state === 'open') this.#sayGoodbye(fault.reasonCode, why)
      else if (this.version === 5) this.refuse(0, fault.reasonCode, why)
    }
    this.destroy(new Error(`not according to the standard or too large: ${fault.why}`))
  }

  /** A copy, where a few bytes would keep the whole chunk in memory. */
  #keep(rest: Buffer): void {
    this.#hold(rest.length * 2 > rest.buffer.byteLength ? rest : Buffer.from(rest))
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes)
    // A packet that comes byte by byte would take a hundred times its size.
    if (this.#held.length > piecesMax) this.#held = [Buffer.concat(this.#held)]
    this.#heldBytes += bytes.length
    this.#all.heldBytes += bytes.length
    if (this.#all.heldBytes > this.#limits.heldBytesMax && this.#heldBytes < this.#wanted) {
      this.#fail({ reasonCode: reasonCode.serverBusy, why: 'too many unfinished packets over all connections' })
    }
  }

  #drop(): void {
    this.#all.heldBytes -= this.#heldBytes
    this.#held = []
    this.#heldBytes = 0
  }

  #end(): void {
    this.#ended = true
    if (this.#state === 'greeting') this.push(null)
    else this.#resume()
  }
}
