// An MQTT client on bare sockets that sends exactly the bytes it is told to and shows what comes back, so that tests can do what
// a well-behaved library refuses to.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawPacket {
  readonly type: number
  readonly flags: number
  readonly body: Buffer
}

export interface RawMqtt {
  readonly socket: Socket
  readonly packets: RawPacket[]
  /** Resolves at the first packet of that type (from `from` on); rejects when the connection ends before. */
  packet(type: number, from?: number): Promise<RawPacket>
  send(...bytes: readonly Uint8Array[]): void
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>
  close(): void
}

export const mqtt = {
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  suback: 9,
  pingresp: 13,
  disconnect: 14,
}

export async function openRaw(port: number): Promise<RawMqtt> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return rawMqtt(socket)
}

/** A client that was let in. */
export async function connected(port: number, options: RawConnect = {}): Promise<RawMqtt> {
  const raw = await openRaw(port)
  raw.send(connectPacket(options))
  await raw.packet(mqtt.connack)
  return raw
}

export function rawMqtt(socket: Socket): RawMqtt {
  const packets: RawPacket[] = []
  const watchers = new Set<() => void>()
  let rest = Buffer.alloc(0)
  let ended = false
  const closed = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true
      watchers.forEach((watch) => watch())
      resolve()
    }
    socket.once('close', end)
    socket.once('end', end)
  })
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let size = wholeSize(rest); size !== undefined && size <= rest.length; size = wholeSize(rest)) {
      const bodyAt = rest.subarray(1).findIndex((byte) => byte < 0x80) + 2
      packets.push({ type: rest[0]! >> 4, flags: rest[0]! & 15, body: rest.subarray(bodyAt, size) })
      rest = rest.subarray(size)
    }
    watchers.forEach((watch) => watch())
  })
  return {
    socket,
    packets,
    closed,
    packet: (type, from = 0) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = packets.find((packet, i) => i >= from && packet.type === type)
          if (found) resolve(found)
          else if (ended) reject(new Error(`the connection ended before a packet of type ${type}`))
          else return
          watchers.delete(watch)
        }
        watchers.add(watch)
        watch()
      }),
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    close: () => socket.destroy(),
  }
}

/** What stands before the properties of an answer of MQTT 5. */
const headBytes: Readonly<Record<number, number>> = { 2: 2, 4: 3, 5: 3, 6: 3, 7: 3, 9: 2, 11: 2, 14: 1 }

/** An answer of MQTT 5 as it would be without a reason in words, and those; it has no other property, or is left as it is. */
export function withoutReason({ type, body }: Pick<RawPacket, 'type' | 'body'>): {
  readonly body: Buffer
  readonly words: string | undefined
} {
  const head = headBytes[type]
  if (head === undefined || body.length <= head) return { body, words: undefined }
  const lengthBytes = body[head]! < 0x80 ? 1 : 2
  const length = lengthBytes === 1 ? body[head]! : (body[head]! & 0x7f) | (body[head + 1]! << 7)
  const at = head + lengthBytes
  if (body[at] !== 0x1f || 3 + body.readUInt16BE(at + 1) !== length) return { body, words: undefined }
  const words = body.toString('utf8', at + 3, at + length)
  // Where nothing else comes behind them, no properties are told by nothing at all; CONNACK has a length all the same.
  const bare = type === mqtt.connack || type === 9 || type === 11 ? Buffer.of(0) : Buffer.alloc(0)
  return { body: Buffer.concat([body.subarray(0, head), bare, body.subarray(at + length)]), words }
}

function wholeSize(bytes: Buffer): number | undefined {
  let length = 0
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[i]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) << (7 * (i - 1))
    if (byte < 0x80) return 1 + i + length
  }
  return undefined
}

export const text = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes])
}

export function frame(first: number, ...body: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(body)
  const header = [first]
  let length = whole.length
  do {
    header.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0))
    length >>= 7
  } while (length > 0)
  return Buffer.concat([Buffer.from(header), whole])
}

export interface RawConnect {
  readonly clientId?: string
  readonly version?: 3 | 4 | 5
  readonly clean?: boolean
  readonly keepAlive?: number
  readonly will?: { readonly topic: string | Uint8Array; readonly payload: string; readonly properties?: Uint8Array }
  /** Of MQTT 5, without their length, which is below 128; those of the will too. */
  readonly properties?: Uint8Array
}

export function connectPacket({
  clientId = 'raw',
  version = 4,
  clean = true,
  keepAlive = 60,
  will,
  properties,
}: RawConnect = {}): Buffer {
  const listed = (bytes: Uint8Array = Buffer.alloc(0)): Buffer =>
    version === 5 ? Buffer.concat([Buffer.of(bytes.length), bytes]) : Buffer.alloc(0)
  const name = text(version === 3 ? 'MQIsdp' : 'MQTT')
  const flags = (clean ? 2 : 0) | (will ? 4 : 0)
  const last = will ? [listed(will.properties), text(will.topic), text(will.payload)] : []
  const head = Buffer.of(version, flags, keepAlive >> 8, keepAlive & 255)
  return frame(0x10, name, head, listed(properties), text(clientId), ...last)
}

export interface RawPublish {
  readonly qos?: 0 | 1 | 2
  readonly id?: number
  readonly dup?: boolean
  readonly retain?: boolean
  readonly payload?: string | Uint8Array
  readonly version?: 4 | 5
}

export function publishPacket(topic: string | Uint8Array, options: RawPublish = {}): Buffer {
  const { qos = 1, id = 1, dup = false, retain = false, payload = '', version = 4 } = options
  const packetId = qos > 0 ? Buffer.of(id >> 8, id & 255) : Buffer.alloc(0)
  const none = version === 5 ? Buffer.of(0) : Buffer.alloc(0)
  const first = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  return frame(first, text(topic), packetId, none, Buffer.from(payload as string))
}

export function subscribePacket(
  filters: readonly (string | Uint8Array)[],
  qos = 1,
  id = 1,
  version: 4 | 5 = 4,
): Buffer {
  const none = version === 5 ? Buffer.of(0) : Buffer.alloc(0)
  return frame(0x82, Buffer.of(id >> 8, id & 255), none, ...filters.flatMap((filter) => [text(filter), Buffer.of(qos)]))
}

export const ackPacket = (type: number, id: number): Buffer =>
  frame((type << 4) | (type === mqtt.pubrel ? 2 : 0), Buffer.of(id >> 8, id & 255))
export const disconnectPacket = Buffer.of(0xe0, 0)
export const pingPacket = Buffer.of(0xc0, 0)
