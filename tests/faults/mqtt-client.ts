// An MQTT client, of 3.1.1 or 5, that keeps its word on raw sockets: what is not acknowledged is sent again in its order (§4.4), a QoS 2
// message is told once however often it comes (§4.3.3), and all of it outlives connections. It speaks to any broker.

import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { ackPacket, disconnectPacket, frame, mqtt, pingPacket, text } from '../tools/raw-mqtt.ts'
import { type Conduct, createConduct, greetingProperties, type Mqtt5Options } from './mqtt5-conduct.ts'
import { type Mqtt5Properties, propertiesBytes, readProperties } from './mqtt5-properties.ts'
import { createPacketReader } from './packet-reader.ts'

export type QoS = 0 | 1 | 2

export interface Arrival {
  readonly topic: string
  /** A view of what was read; copy what is kept. */
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** Of MQTT 5. */
  readonly properties: Mqtt5Properties
}

/** Where to connect to: a port of loopback, or something that opens a connection of its own kind. */
export type Place = number | (() => Duplex)

export interface ClientOptions {
  readonly port: Place
  readonly clientId: string
  /** True: nothing outlives a connection, on either side. */
  readonly clean?: boolean
  readonly username?: string
  readonly password?: string
  readonly keepAliveSeconds?: number
  /** Speaks MQTT 5. */
  readonly mqtt5?: Mqtt5Options
  readonly will?: Will
  readonly onMessage?: (arrival: Arrival) => void
  /** The broker has taken responsibility: PUBACK, or PUBREC for QoS 2. `token` is what `publish` was given. */
  readonly onAcknowledged?: (token: number) => void
  /** The connection ended and neither `drop` nor `disconnect` was called. */
  readonly onLost?: () => void
}

export interface Will {
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
  /** Of MQTT 5. */
  readonly properties?: Mqtt5Properties
}

export interface Publication {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly qos: QoS
  readonly retain?: boolean
  readonly token?: number
  /** Of MQTT 5. */
  readonly properties?: Mqtt5Properties
}

/** Of MQTT 5. */
export interface SubscribeOptions {
  readonly identifier?: number
  readonly retainAsPublished?: boolean
}

export interface MqttClient {
  readonly isConnected: boolean
  /** Messages that wait for an acknowledgement. */
  readonly inFlight: number
  /** So many may wait, as the broker has it. */
  readonly inFlightMax: number
  /** How often the broker had no session although it had promised one. */
  readonly sessionsLost: number
  /** Takes over when it is connected already. Rejects when it is refused or the connection ends before CONNACK. */
  connect(): Promise<void>
  /** Queues nothing: without a connection QoS 0 is gone, and the others leave with the next one. */
  publish(publication: Publication): void
  /** Resolves with the codes of SUBACK. */
  subscribe(filters: readonly string[], qos: QoS, options?: SubscribeOptions): Promise<readonly number[]>
  unsubscribe(filters: readonly string[]): Promise<void>
  /** Reads no more, as a program that hangs. */
  freeze(): void
  thaw(): void
  /** The connection is gone without a word. */
  drop(): void
  /** For one whose keep-alive is short. */
  ping(): void
  /** Says goodbye, in MQTT 5 with how long it is to be kept; resolves when the connection is over. */
  disconnect(sessionExpirySeconds?: number): Promise<void>
}

interface Waiting {
  readonly packet: Buffer
  readonly qos: QoS
  readonly token: number
  released: boolean
}

const answerMsMax = 20_000

export function createMqttClient(options: ClientOptions): MqttClient {
  const { port, clientId, clean = false, mqtt5, onMessage = () => {}, onAcknowledged = () => {} } = options
  const waiting = new Map<number, Waiting>()
  /** Packet ids of QoS 2 messages that were told and not yet released. */
  const told = new Set<number>()
  const answers = new Map<number, (codes: Buffer) => void>()
  let socket: Duplex | undefined
  let isConnected = false
  let hadSession = false
  let sessionsLost = 0
  let nextId = 0
  let endWait: (() => void) | undefined
  let opening: Promise<void> | undefined
  let isLost = false
  let conduct: Conduct | undefined
  /** Acknowledgements leave when what came together is read: until then the broker cannot know them. */
  let acks: Buffer[] = []
  let answered: number[] = []

  function freeId(): number {
    do nextId = (nextId % 65_535) + 1
    while (waiting.has(nextId) || answers.has(nextId))
    return nextId
  }

  function open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = typeof port === 'function' ? port() : connect({ port, host: '127.0.0.1', noDelay: true })
      const reader = createPacketReader()
      const mineConduct = mqtt5 && createConduct(clientId, mqtt5)
      const late = setTimeout(
        () => mine.destroy(new Error(`${clientId}: no CONNACK in ${answerMsMax} ms`)),
        answerMsMax,
      )
      let failed: Error | undefined
      mine.on('error', (error) => (failed = error))
      mine.write(greeting(options))
      mine.on('data', (chunk: Buffer) => {
        reader.take(chunk, (first, bytes, from, to) => {
          if (mine.destroyed) return
          if (first >> 4 === mqtt.connack) {
            mineConduct?.welcomed(readProperties(bytes, from + 2).properties)
            welcome(bytes[from]! & 1, bytes[from + 1]!)
          } else if (socket === mine) answer(first, bytes, from, to)
        })
        if (socket !== mine || acks.length === 0) return
        if (!mine.destroyed) mine.write(Buffer.concat(acks))
        for (const id of answered) conduct?.answered(id)
        acks = []
        answered = []
      })
      mine.on('close', () => {
        clearTimeout(late)
        reject(failed ?? new Error(`${clientId}: the connection ended before CONNACK`))
        if (socket !== mine) return
        const wasConnected = isConnected
        forget()
        if (endWait) endWait()
        // Who is being taken over by his own next connection has lost nothing until that one fails.
        else if (wasConnected && opening) isLost = true
        else if (wasConnected) options.onLost?.()
      })

      function welcome(sessionPresent: number, code: number): void {
        if (code !== 0) return void mine.destroy(new Error(`${clientId}: CONNACK ${code}`))
        clearTimeout(late)
        // Read until now, so that what the broker sent before it let the new connection in counts as earlier.
        socket?.destroy()
        socket = mine
        conduct = mineConduct
        acks = []
        answered = []
        isConnected = true
        if (clean || sessionPresent === 0) {
          if (hadSession && !clean) sessionsLost += 1
          told.clear()
        }
        hadSession = true
        resend(mine, sessionPresent === 1)
        resolve()
      }
    })
  }

  async function openOnce(): Promise<void> {
    try {
      await open()
      isLost = false
    } catch (error) {
      if (isLost && !isConnected) queueMicrotask(() => options.onLost?.())
      isLost = false
      throw error
    }
  }

  function forget(): void {
    socket = undefined
    isConnected = false
    if (clean) {
      waiting.clear()
      told.clear()
    }
    for (const [id, settle] of answers) {
      answers.delete(id)
      settle(Buffer.alloc(0))
    }
  }

  function resend(to: Duplex, sessionPresent: boolean): void {
    const packets: Buffer[] = []
    for (const [id, { packet, released }] of waiting) {
      if (!released) packets.push(Buffer.concat([Buffer.of(packet[0]! | 8), packet.subarray(1)]))
      else if (sessionPresent) packets.push(ackPacket(mqtt.pubrel, id))
      // Taken by a broker that has forgotten it: sending it anew would double it.
      else waiting.delete(id)
    }
    if (packets.length > 0) to.write(Buffer.concat(packets))
  }

  function answer(first: number, bytes: Buffer, from: number, end: number): void {
    const type = first >> 4
    if (type === mqtt.publish) return arrive(first, bytes, from, end)
    const id = end - from >= 2 ? bytes.readUInt16BE(from) : 0
    const sent = waiting.get(id)
    // MQTT 5 §3.4.2.1: without one it is 0.
    const reason = end - from > 2 ? bytes[from + 2]! : 0
    if (type === mqtt.puback && sent?.qos === 1) {
      conduct?.reason('PUBACK', reason)
      waiting.delete(id)
      onAcknowledged(sent.token)
    } else if (type === mqtt.pubrec) {
      conduct?.reason('PUBREC', reason)
      if (sent && !sent.released) {
        sent.released = true
        onAcknowledged(sent.token)
      }
      acks.push(ackPacket(mqtt.pubrel, id))
    } else if (type === mqtt.pubcomp) waiting.delete(id)
    else if (type === mqtt.pubrel) {
      told.delete(id)
      answered.push(id)
      acks.push(ackPacket(mqtt.pubcomp, id))
    } else if (type === mqtt.suback || type === unsuback) {
      const settle = answers.get(id)
      answers.delete(id)
      settle?.(bytes.subarray(mqtt5 ? readProperties(bytes, from + 2).end : from + 2, end))
    } else if (type === mqtt.disconnect) conduct?.dismissed(end > from ? bytes[from]! : 0)
  }

  function arrive(first: number, bytes: Buffer, from: number, end: number): void {
    const qos = ((first >> 1) & 3) as QoS
    const topicEnd = from + 2 + bytes.readUInt16BE(from)
    const id = qos > 0 ? bytes.readUInt16BE(topicEnd) : 0
    const idEnd = topicEnd + (qos > 0 ? 2 : 0)
    const { properties, end: payloadAt } = mqtt5 ? readProperties(bytes, idEnd) : { properties: none, end: idEnd }
    const named = bytes.toString('utf8', from + 2, topicEnd)
    const size = end - from + headBytes(end - from)
    const topic = conduct?.arrived({ topic: named, alias: properties.topicAlias, id, bytes: size }) ?? named
    const isRepeat = qos === 2 && told.has(id)
    if (qos === 2) told.add(id)
    if (!isRepeat) {
      onMessage({
        topic,
        payload: bytes.subarray(payloadAt, end),
        qos,
        retain: (first & 1) === 1,
        dup: (first & 8) !== 0,
        properties,
      })
    }
    if (qos === 1) answered.push(id)
    if (qos > 0) acks.push(ackPacket(qos === 1 ? mqtt.puback : mqtt.pubrec, id))
  }

  async function ask(first: number, body: Buffer, what: string): Promise<Buffer> {
    if (!socket || !isConnected) throw new Error(`${clientId} is not connected`)
    const id = freeId()
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const late = setTimeout(() => reject(new Error(`${clientId}: no answer to ${what}`)), answerMsMax)
    answers.set(id, resolve)
    socket.write(frame(first, Buffer.of(id >> 8, id & 255), body))
    return promise.finally(() => clearTimeout(late))
  }

  return {
    get isConnected() {
      return isConnected
    },
    get inFlight() {
      return waiting.size
    },
    get sessionsLost() {
      return sessionsLost
    },
    get inFlightMax() {
      return conduct?.receiveMaximum ?? 65_535
    },
    connect: () => (opening ??= openOnce().finally(() => (opening = undefined))),
    publish({ topic, payload, qos, retain = false, token = 0, properties = none }) {
      const id = qos > 0 ? freeId() : 0
      const write = (named: string, topicAlias?: number): Buffer => {
        const more = mqtt5
          ? [propertiesBytes(topicAlias === undefined ? properties : { ...properties, topicAlias })]
          : []
        const packetId = qos > 0 ? Buffer.of(id >> 8, id & 255) : Buffer.alloc(0)
        return frame(
          0x30 | (qos << 1) | (retain ? 1 : 0),
          text(named),
          packetId,
          ...more,
          Buffer.from(payload as string),
        )
      }
      // Another connection does not know the alias of this one.
      if (qos > 0) waiting.set(id, { packet: write(topic), qos, token, released: false })
      if (!isConnected) return
      const { topic: named, alias } = conduct?.aliased(topic) ?? { topic }
      socket?.write(alias === undefined && qos > 0 ? waiting.get(id)!.packet : write(named, alias))
    },
    async subscribe(filters, qos, { identifier, retainAsPublished = false } = {}) {
      const option = Buffer.of(qos | (retainAsPublished ? 8 : 0))
      const more = mqtt5 ? [propertiesBytes(identifier === undefined ? none : { identifiers: [identifier] })] : []
      const body = Buffer.concat([...more, ...filters.flatMap((filter) => [text(filter), option])])
      const codes = await ask(0x82, body, 'SUBSCRIBE')
      if (codes.length === 0) throw new Error(`${clientId}: the connection ended before SUBACK`)
      return [...codes]
    },
    async unsubscribe(filters) {
      const more = mqtt5 ? [propertiesBytes(none)] : []
      await ask(0xa2, Buffer.concat([...more, ...filters.map((filter) => text(filter))]), 'UNSUBSCRIBE')
    },
    freeze: () => void socket?.pause(),
    thaw: () => void socket?.resume(),
    drop() {
      const mine = socket
      forget()
      mine?.destroy()
    },
    ping: () => void (isConnected && socket?.write(pingPacket)),
    async disconnect(sessionExpirySeconds) {
      const mine = socket
      if (!mine) return
      const ended = new Promise<void>((resolve) => (endWait = resolve))
      const isTold = mqtt5 && sessionExpirySeconds !== undefined
      mine.end(isTold ? frame(0xe0, Buffer.of(0), propertiesBytes({ sessionExpirySeconds })) : disconnectPacket)
      const late = setTimeout(() => mine.destroy(), 2_000)
      await ended.finally(() => clearTimeout(late))
      endWait = undefined
    },
  }
}

const unsuback = 11
const none: Mqtt5Properties = {}
const headBytes = (length: number): number => (length < 0x80 ? 2 : length < 0x4000 ? 3 : length < 0x200000 ? 4 : 5)

function greeting({
  clientId,
  clean = false,
  username,
  password,
  keepAliveSeconds = 60,
  mqtt5,
  will,
}: ClientOptions): Buffer {
  const secret = [username, password].filter((each) => each !== undefined).map((each) => text(each))
  const willFlags = will ? 4 | (will.qos << 3) : 0
  const flags = (clean ? 2 : 0) | willFlags | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40)
  const head = Buffer.of(mqtt5 ? 5 : 4, flags, keepAliveSeconds >> 8, keepAliveSeconds & 255)
  const wanted = mqtt5 ? [greetingProperties(mqtt5)] : []
  const willProperties = mqtt5 && will ? [propertiesBytes(will.properties ?? none)] : []
  const last = will ? [...willProperties, text(will.topic), text(will.payload)] : []
  return frame(0x10, text('MQTT'), head, ...wanted, text(clientId), ...last, ...secret)
}
