// What an attacker may send: conversations of MQTT 3.1, 3.1.1 and 5 drawn from a seed, sound in part so that they get deep, with bits
// flipped, lengths forged, packets cut, doubled and out of place. The same seed, the same bytes.

import { connectPacket, frame, publishPacket, subscribePacket, text } from '../tools/raw-mqtt.ts'
import type { Random } from './fault-disk.ts'
import { createPacketReader } from './packet-reader.ts'

export type Role = 'publisher' | 'subscriber'

export interface Conversation {
  /** What to write, piece by piece, with a pause before each. */
  readonly pieces: readonly { readonly pauseMs: number; readonly bytes: Buffer }[]
  /** Packets in it, whole or not. */
  readonly packets: number
  /** The first packet, as a broker reads it, when it is a CONNECT; else nothing. */
  readonly connect: Buffer
  readonly end: 'fin' | 'rst' | 'freeze' | 'linger'
}

type Version = 3 | 4 | 5

const clientIds = Array.from({ length: 12 }, (_, i) => `hostile-${i}`)
const topics = [
  'f/a',
  'f/b/c',
  'f/b',
  'f',
  'f//',
  '/f',
  'tocsin/in/senml/hostile',
  'tocsin/v1/x',
  '$SYS/broker',
  '$share/g/f',
  'f/+',
  'f/#',
  '',
]
const filters = [
  'f/#',
  'f/+',
  '+/a',
  '#',
  '+',
  'f/b/c',
  '$SYS/#',
  '$share/g/f/#',
  'tocsin/#',
  'f/#/x',
  'a+',
  '',
  '+/+/+/+',
  '/',
]

export function drawConversation(random: Random, role: Role): Conversation {
  const version: Version = pick(random, [3, 4, 4, 4, 5])
  const isSound = random() < 0.8
  const greeting = connectOf(random, version)
  const connect = isSound ? greeting : spoil(random, greeting)
  const count = Math.floor(random() * random() * 60)
  const later = Array.from({ length: count }, () => {
    const packet = packetOf(random, version, role)
    return random() < 0.25 ? spoil(random, packet) : packet
  })
  const packets = random() < 0.97 ? [connect, ...later] : later
  const bytes = Buffer.concat(packets)
  return {
    pieces: cut(random, bytes),
    packets: packets.length,
    connect: firstConnect(bytes),
    end: pick(random, ['fin', 'fin', 'rst', 'freeze', 'linger']),
  }
}

function firstConnect(bytes: Buffer): Buffer {
  let end = 0
  createPacketReader().take(bytes, (_first, _bytes, _from, to) => (end ||= to))
  return bytes[0]! >> 4 === 1 ? bytes.subarray(0, end) : Buffer.alloc(0)
}

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!
const byte = (random: Random): number => Math.floor(random() * 256)
const noise = (random: Random, lengthMax: number): Buffer =>
  Buffer.from(Array.from({ length: Math.floor(random() * lengthMax) }, () => byte(random)))

function connectOf(random: Random, version: Version): Buffer {
  const clientId = random() < 0.05 ? '' : pick(random, clientIds)
  const clean = random() < 0.7
  const will = random() < 0.3 ? { topic: pick(random, topics), payload: 'gone' } : undefined
  const keepAlive = pick(random, [0, 1, 60, 65_535])
  return connectPacket({ clientId, version, clean, keepAlive, ...(will && { will }) })
}

function packetOf(random: Random, version: Version, role: Role): Buffer {
  const chance = random()
  const own = role === 'publisher' ? publish : subscribe
  if (chance < 0.55) return own(random, version)
  if (chance < 0.6) return (role === 'publisher' ? subscribe : publish)(random, version)
  if (chance < 0.8) return acknowledgement(random)
  if (chance < 0.83) return Buffer.of(0xc0, 0)
  if (chance < 0.85) return Buffer.of(0xe0, 0)
  if (chance < 0.88) return connectOf(random, version)
  if (chance < 0.92) return frame(0xa2, id(random), properties(random, version), text(pick(random, filters)))
  if (chance < 0.96) return frame(byte(random), noise(random, 40))
  return noise(random, 200)
}

function publish(random: Random, version: Version): Buffer {
  const sizes = [0, 10, 200, 5_000, 70_000]
  const qos = pick(random, [0, 1, 1, 2, 2])
  const size = random() < 0.98 ? pick(random, sizes) : 1_100_000
  const payload = random() < 0.5 ? Buffer.alloc(size, 'x') : Buffer.from(`[{"n":"x","v":${byte(random)}}]`)
  const first = 0x30 | (random() < 0.1 ? 8 : 0) | (qos << 1) | (random() < 0.2 ? 1 : 0)
  if (random() < 0.9 && version !== 5) {
    const options = {
      qos: qos as 0 | 1 | 2,
      id: 1 + byte(random),
      retain: (first & 1) === 1,
      dup: (first & 8) === 8,
      payload,
    }
    return publishPacket(pick(random, topics), options)
  }
  return frame(
    first,
    text(pick(random, topics)),
    qos > 0 ? id(random) : Buffer.alloc(0),
    properties(random, version),
    payload,
  )
}

function subscribe(random: Random, version: Version): Buffer {
  const chosen = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(random, filters))
  if (version !== 5) return subscribePacket(chosen, pick(random, [0, 1, 2, 2, 3]), 1 + byte(random))
  const wanted = chosen.flatMap((filter) => [text(filter), Buffer.of(pick(random, [0, 1, 2, 0x2e, 0xff]))])
  return frame(0x82, id(random), properties(random, version), ...wanted)
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP of identifiers that may be anybody's. */
function acknowledgement(random: Random): Buffer {
  const type = pick(random, [4, 5, 6, 7])
  return frame((type << 4) | (random() < 0.9 && type === 6 ? 2 : 0), random() < 0.95 ? id(random) : noise(random, 5))
}

const id = (random: Random): Buffer => Buffer.of(0, random() < 0.95 ? 1 + byte(random) : 0)

/** MQTT 5 §2.2.2: some of the right kinds, some twice, some of no kind at all. */
function properties(random: Random, version: Version): Buffer {
  if (version !== 5) return Buffer.alloc(0)
  if (random() < 0.5) return Buffer.of(0)
  const known = [
    Buffer.of(0x01, 1),
    Buffer.concat([Buffer.of(0x03), text('text/plain')]),
    Buffer.concat([Buffer.of(0x08), text('f/reply')]),
    Buffer.of(0x0b, 0x80),
    Buffer.of(0x23, 0, byte(random)),
    Buffer.concat([Buffer.of(0x26), text('k'), text('v')]),
    Buffer.concat([Buffer.of(byte(random)), noise(random, 8)]),
  ]
  const list = Buffer.concat(Array.from({ length: Math.floor(random() * 4) }, () => pick(random, known)))
  const length = random() < 0.9 ? list.length : byte(random) & 0x7f
  return Buffer.concat([Buffer.of(Math.min(length, 127)), list])
}

function spoil(random: Random, packet: Buffer): Buffer {
  const bytes = Buffer.from(packet)
  const at = Math.floor(random() * Math.min(bytes.length, 64))
  const chance = random()
  if (chance < 0.4) bytes[at]! ^= 1 << Math.floor(random() * 8)
  else if (chance < 0.55) bytes[at] = byte(random)
  else if (chance < 0.65) return bytes.subarray(0, at)
  else if (chance < 0.75) return Buffer.concat([bytes.subarray(0, at), noise(random, 20), bytes.subarray(at)])
  else if (chance < 0.85) return Buffer.concat([bytes, bytes])
  else if (chance < 0.95 && bytes.length > 1) bytes[1] = byte(random)
  else return Buffer.concat([bytes.subarray(0, 1), Buffer.of(0xff, 0xff, 0xff, 0xff), bytes.subarray(1)])
  return bytes
}

/** Into pieces at any byte, most of them sent at once. */
function cut(random: Random, bytes: Buffer): Conversation['pieces'] {
  const ends = Array.from({ length: Math.floor(random() * 5) }, () => Math.floor(random() * bytes.length))
  const bounds = [0, ...ends.toSorted((a, b) => a - b), bytes.length]
  return bounds.slice(1).map((end, i) => ({
    pauseMs: random() < 0.5 ? 0 : Math.floor(random() * 30),
    bytes: bytes.subarray(bounds[i], end),
  }))
}
