// One connection to another broker, seen from its client's side: CONNECT and CONNACK, whole and checked packets, pings, and an end with
// its reason. It keeps no message: what is on its way belongs to the log here and to the session there.

import type { Duplex } from 'node:stream'
import { generate, parser, type IConnackPacket, type IConnectPacket, type Packet } from 'mqtt-packet'
import type { Limits } from './limits.ts'
import { packetFault, packetSize, packetType } from './packets.ts'
import type { Clock } from './port.ts'
import { type PublishPacket, readPublish } from './publish-packet.ts'

export interface LinkGreeting {
  readonly clientId: string
  readonly username?: string
  readonly password?: Uint8Array
  readonly version: 4 | 5
  readonly keepAliveSeconds: number
  /** MQTT 5; in 3.1.1 a session has no end. */
  readonly sessionExpirySeconds: number
}

/** What the other broker is and takes, as its CONNACK says; in MQTT 3.1.1, what the standard has. */
export interface LinkWelcome {
  readonly sessionPresent: boolean
  readonly receiveMaximum: number
  readonly packetBytesMax: number
  readonly topicAliasMaximum: number
  readonly retainAvailable: boolean
  readonly wildcardsAvailable: boolean
  readonly maximumQoS: number
  readonly sessionExpirySeconds: number | undefined
}

export interface LinkEvents {
  welcomed(welcome: LinkWelcome): void
  published(packet: PublishPacket): void
  released(packetId: number): void
  /** PUBACK, with its reason code; 0 is success. */
  acknowledged(packetId: number, code: number): void
  /** SUBACK or UNSUBACK: a code for each filter. */
  answered(packetId: number, codes: readonly number[]): void
  /** Once, and the last that is heard of it. `code`: the MQTT reason with which the other end closed or refused. */
  ended(why: string, code?: number): void
}

export interface LinkConnection {
  readonly version: 4 | 5
  readonly isOpen: boolean
  /** Written, and not taken by the other end yet. */
  readonly unreadBytes: number
  send(bytes: Buffer): void
  /** Reads no further while it is on. */
  throttle(on: boolean): void
  /** With DISCONNECT; `code` is for MQTT 5. */
  close(why: string, code?: number): void
}

export interface LinkConnectionParts {
  readonly stream: Duplex
  readonly greeting: LinkGreeting
  /** Messages that the other broker may send without an acknowledgement (MQTT 5). */
  readonly receiveMaximum: number
  readonly limits: Limits
  readonly clock: Clock
  readonly events: LinkEvents
}

const [connack, suback, unsuback, pingresp] = [2, 9, 11, 13]
const pingRequest = Buffer.of(0xc0, 0)
/** TCP, TLS, a WebSocket and CONNACK, together: a radio link takes seconds, and what takes longer is tried anew. */
const welcomeMsMax = 15_000
/** Silence for so many times the keep-alive is an end (MQTT 5 §3.1.2.10 has it for the other side). */
const silenceFactor = 1.5

export function openLinkConnection(parts: LinkConnectionParts): LinkConnection {
  const { stream, greeting, receiveMaximum, limits, clock, events } = parts
  const { version } = greeting
  let state: 'greeting' | 'open' | 'over' = 'greeting'
  let rest: Buffer = Buffer.alloc(0)
  let failure: string | undefined
  let heardAt = clock.monotonic()
  let pinging: NodeJS.Timeout | undefined
  const late = setTimeout(() => end(`no CONNACK in ${welcomeMsMax / 1_000} s`), welcomeMsMax)

  stream.write(connectPacket(greeting, receiveMaximum, limits.packetBytesMax))
  stream.on('data', (chunk: Buffer) => {
    heardAt = clock.monotonic()
    take(chunk)
  })
  stream.on('error', (error) => (failure = error.message || String(error)))
  stream.once('end', () => end(failure ?? 'the other end closed the connection'))
  stream.once('close', () => end(failure ?? 'the connection broke'))

  function end(why: string, code?: number): void {
    if (state === 'over') return
    state = 'over'
    clearTimeout(late)
    clearInterval(pinging)
    stream.destroy()
    events.ended(why, code)
  }

  function take(chunk: Buffer): void {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    while (state !== 'over') {
      const size = at < bytes.length ? packetSize(bytes, at) : undefined
      if (size === undefined) break
      if (typeof size === 'object') return breach(size.why, size.reasonCode)
      if (size > limits.packetBytesMax) return breach('a packet larger than is taken here', tooLarge)
      if (bytes.length < at + size) break
      handle(bytes, at, at + size)
      at += size
    }
    rest = bytes.subarray(at)
  }

  function breach(why: string, code: number): void {
    close(`the other broker broke the standard: ${why}`, code)
  }

  function handle(bytes: Buffer, start: number, packetEnd: number): void {
    const type = bytes[start]! >> 4
    if (state === 'greeting') {
      if (type !== connack) return breach('something came before CONNACK', protocolError)
      // The form of MQTT 3.1.1, in which a server of that version refuses one of MQTT 5 (3.1.1 §3.2.2.3).
      const code = packetEnd - start === 4 ? bytes[start + 3]! : 0
      return code === 0 ? welcome(read(bytes, start, packetEnd)) : refused(code)
    }
    switch (type) {
      case packetType.publish:
        return publish(bytes, start, packetEnd)
      case packetType.puback:
        return events.acknowledged(...acknowledgementOf(bytes, start, packetEnd))
      case packetType.pubrel:
        return events.released(acknowledgementOf(bytes, start, packetEnd)[0])
      case suback:
      case unsuback: {
        const packet = read(bytes, start, packetEnd)
        if (packet?.cmd === 'suback') return events.answered(packet.messageId ?? 0, packet.granted as number[])
        return packet?.cmd === 'unsuback' ? events.answered(packet.messageId ?? 0, packet.granted ?? []) : undefined
      }
      case packetType.disconnect: {
        const code = packetEnd - start > 2 ? bytes[start + 2]! : 0
        return end(`the other broker disconnected (${codeText(code)})`, code)
      }
      case pingresp:
      case packetType.pubrec:
      case packetType.pubcomp:
        return
      default:
        return breach(`a packet of type ${type}, which no server sends`, protocolError)
    }
  }

  function publish(bytes: Buffer, start: number, packetEnd: number): void {
    const fault = packetFault(bytes, start, packetEnd, version, limits)
    if (fault) return breach(fault.why, fault.reasonCode)
    const packet = readPublish(bytes, start, packetEnd, version)
    if (typeof packet === 'string') return breach(packet, protocolError)
    events.published(packet)
  }

  /** The rare packets; undefined, and the end, for one that cannot be read. */
  function read(bytes: Buffer, start: number, packetEnd: number): Packet | undefined {
    let found: Packet | undefined
    let fault: string | undefined
    const reader = parser({ protocolVersion: version })
    reader.on('packet', (packet) => (found = packet))
    reader.on('error', (error: Error) => (fault = error.message))
    try {
      reader.parse(bytes.subarray(start, packetEnd))
    } catch (error) {
      // A property of a wrong kind makes it throw.
      fault = (error as Error).message
    }
    if (fault === undefined && found) return found
    breach(`a packet that cannot be read${fault === undefined ? '' : ` (${fault})`}`, malformed)
    return undefined
  }

  function welcome(packet: Packet | undefined): void {
    if (packet?.cmd !== 'connack') return
    const code = (version === 5 ? packet.reasonCode : packet.returnCode) ?? 0
    if (code !== 0) return refused(code)
    clearTimeout(late)
    state = 'open'
    // MQTT 5 §3.2.2.3.14: the server's word stands.
    const keepAliveMs = (packet.properties?.serverKeepAlive ?? greeting.keepAliveSeconds) * 1_000
    if (keepAliveMs > 0) pinging = setInterval(() => ping(keepAliveMs), keepAliveMs / 2).unref()
    events.welcomed(welcomeOf(packet))
  }

  function refused(code: number): void {
    end(`the other broker refused the connection (${refusalText(code, version)})`, code)
  }

  // Asked also while there is traffic outward: only what is heard shows that the other end is there.
  function ping(keepAliveMs: number): void {
    if (Number(clock.monotonic() - heardAt) / 1e6 > keepAliveMs * silenceFactor) {
      // What was not read on our own account is no silence of the other end.
      if (!stream.isPaused()) return end(`nothing was heard for ${(keepAliveMs * silenceFactor) / 1_000} s`)
    }
    stream.write(pingRequest)
  }

  function close(why: string, code = 0): void {
    if (state === 'over') return
    if (state === 'open') {
      // Of a DISCONNECT with the reason 0 the standard leaves out all but the type (MQTT 5 §3.14.2.1).
      stream.end(version === 5 && code !== 0 ? Buffer.of(0xe0, 1, code) : Buffer.of(0xe0, 0))
      const leaving = stream
      setTimeout(() => leaving.destroy(), goodbyeMsMax).unref()
      state = 'over'
      clearInterval(pinging)
      events.ended(why, undefined)
      return
    }
    end(why)
  }

  return {
    version,
    get isOpen() {
      return state === 'open'
    },
    get unreadBytes() {
      return stream.writableLength
    },
    send(bytes) {
      if (state !== 'open') return
      // What leaves in one turn leaves in one write.
      if (stream.writableCorked === 0) {
        stream.cork()
        process.nextTick(() => stream.uncork())
      }
      stream.write(bytes)
    },
    throttle(on) {
      if (on) stream.pause()
      else stream.resume()
    },
    close,
  }
}

const goodbyeMsMax = 1_000
const [malformed, protocolError, tooLarge] = [0x81, 0x82, 0x95]

function connectPacket(greeting: LinkGreeting, receiveMaximum: number, packetBytesMax: number): Buffer {
  const { clientId, username, password, version, keepAliveSeconds, sessionExpirySeconds } = greeting
  const packet: IConnectPacket = {
    cmd: 'connect',
    clientId,
    protocolId: 'MQTT',
    protocolVersion: version,
    // The other broker keeps what it has for us while we are away.
    clean: false,
    keepalive: keepAliveSeconds,
    ...(username !== undefined && { username }),
    ...(password && { password: Buffer.from(password) }),
    ...(version === 5 && {
      properties: {
        sessionExpiryInterval: sessionExpirySeconds,
        receiveMaximum,
        maximumPacketSize: packetBytesMax,
      },
    }),
  }
  return generate(packet)
}

function welcomeOf({ sessionPresent, properties = {} }: IConnackPacket): LinkWelcome {
  return {
    sessionPresent,
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    packetBytesMax: properties.maximumPacketSize ?? Infinity,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    retainAvailable: properties.retainAvailable ?? true,
    wildcardsAvailable: properties.wildcardSubscriptionAvailable ?? true,
    maximumQoS: properties.maximumQoS ?? 2,
    sessionExpirySeconds: properties.sessionExpiryInterval,
  }
}

/** Identifier and reason code (MQTT 5 §3.4.2.1: 0 when it is left out). */
function acknowledgementOf(bytes: Buffer, start: number, end: number): [packetId: number, code: number] {
  let at = start + 1
  while (bytes[at++]! >= 0x80);
  const packetId = end - at >= 2 ? (bytes[at]! << 8) | bytes[at + 1]! : 0
  return [packetId, end - at > 2 ? bytes[at + 2]! : 0]
}

export const codeText = (code: number): string => `reason 0x${code.toString(16).padStart(2, '0')}`

const refusals3: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it does not take the client id',
  3: 'it is unavailable',
  4: 'wrong name or password',
  5: 'not authorized',
}
const refusals5: Readonly<Record<number, string>> = {
  0x84: 'it does not speak MQTT 5: set version: 4',
  0x85: 'it does not take the client id',
  0x86: 'wrong name or password',
  0x87: 'not authorized',
  0x88: 'it is unavailable',
  0x89: 'it is busy',
  0x8a: 'banned',
  0x9f: 'too many connections a second',
}
const refusalText = (code: number, version: 4 | 5): string => {
  if (version === 5 && code === 1) return refusals5[0x84]!
  const words = (version === 5 ? refusals5 : refusals3)[code]
  return words === undefined ? codeText(code) : `${words}, ${codeText(code)}`
}
