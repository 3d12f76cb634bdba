// Two kinds of MQTT 5 clients that keep to the letter and are as unhelpful as it lets them be: they answer late and out of order, refuse
// messages, take little at once, use aliases, and lose their connection in the middle. They note what the broker does wrong.

import { connect, type Socket } from 'node:net'
import { generate, parser, type IConnackPacket, type IPublishPacket, type Packet } from 'mqtt-packet'

export type Random = () => number

export interface FlowClient {
  /** What it has seen that may not be. */
  readonly wrong: string[]
  /** A sentence on what it still waits for; empty when nothing. */
  waitsFor(): string
  /** Does one of the things that it may do now. */
  act(): void
  /** Its connection is lost; it comes back with the next `act`. */
  drop(): void
  close(): void
}

interface Wire {
  send(packet: Packet): void
  destroy(): void
}

function openWire(port: number, onPacket: (packet: Packet) => void, onClose: () => void): Wire {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const reader = parser({ protocolVersion: 5 })
  let over = false
  const end = (): void => {
    if (!over) onClose()
    over = true
  }
  reader.on('packet', (packet) => over || onPacket(packet))
  socket.on('data', (chunk: Buffer) => reader.parse(chunk))
  for (const event of ['error', 'close']) socket.on(event, end)
  return {
    send: (packet) => void socket.write(generate(packet, { protocolVersion: 5 })),
    destroy() {
      over = true
      socket.destroy()
    },
  }
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!

/** Removes one of them, seldom the first. */
const takeAny = <Item>(random: Random, items: Item[]): Item | undefined =>
  items.splice(Math.floor(random() * items.length), 1)[0]

const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1))

export interface FlowMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 1 | 2
}

/** Publishes them in order, never more at once than the broker takes. */
export function flowPublisher(port: number, clientId: string, random: Random, messages: FlowMessage[]): FlowClient {
  const wrong: string[] = []
  const waiting = [...messages]
  /** By identifier, in the order in which they were sent. */
  const open = new Map<number, { message: FlowMessage; released: boolean }>()
  const releases: number[] = []
  let aliases = new Map<string, number>()
  let aliasesMax = 0
  let quota = 0
  let nextId = 0
  let wire: Wire | undefined
  let isHere = false

  function come(): void {
    isHere = false
    wire = openWire(port, take, () => {
      wire = undefined
      isHere = false
    })
    const properties = { sessionExpiryInterval: 600 }
    wire.send({ cmd: 'connect', protocolVersion: 5, clientId, clean: false, keepalive: 60, properties } as Packet)
  }

  function take(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack':
        return welcome(packet)
      case 'puback':
      case 'pubcomp':
        quota += open.delete(packet.messageId!) ? 1 : 0
        return
      case 'pubrec':
        if (!open.has(packet.messageId!)) wrong.push(`${clientId}: PUBREC of nothing`)
        else if ((packet.reasonCode ?? 0) >= 0x80) wrong.push(`${clientId}: PUBREC ${packet.reasonCode}`)
        else {
          open.get(packet.messageId!)!.released = true
          releases.push(packet.messageId!)
        }
        return
      case 'disconnect':
        wrong.push(`${clientId}: DISCONNECT ${packet.reasonCode}`)
    }
  }

  function welcome({ reasonCode, sessionPresent, properties = {} }: IConnackPacket): void {
    if (reasonCode !== 0) return void wrong.push(`${clientId}: CONNACK ${reasonCode}`)
    if (open.size > 0 && !sessionPresent) wrong.push(`${clientId}: its session is gone`)
    isHere = true
    aliases = new Map()
    aliasesMax = properties.topicAliasMaximum ?? 0
    quota = properties.receiveMaximum ?? 65_535
    releases.length = 0
    for (const [id, { message, released }] of open) {
      quota--
      if (released) releases.push(id)
      else publish(id, message, true)
    }
  }

  function publish(messageId: number, { topic, payload, qos }: FlowMessage, dup: boolean): void {
    const known = aliases.get(topic)
    const isNew = known === undefined && aliases.size < aliasesMax && random() < 0.5
    if (isNew) aliases.set(topic, aliases.size + 1)
    const alias = aliases.get(topic)
    const said = known === undefined ? topic : ''
    const properties = { ...(alias !== undefined && { topicAlias: alias }), userProperties: { n: payload } }
    wire!.send({ cmd: 'publish', topic: said, payload, qos, dup, retain: false, messageId, properties })
  }

  return {
    wrong,
    waitsFor: () => (waiting.length + open.size > 0 ? `${clientId}: ${waiting.length} to send, ${open.size} open` : ''),
    act() {
      if (!wire) return come()
      if (!isHere) return
      if (releases.length > 0 && random() < 0.5) {
        const messageId = takeAny(random, releases)!
        wire.send({ cmd: 'pubrel', messageId, reasonCode: 0 })
      } else if (waiting.length > 0 && quota > 0) {
        do nextId = (nextId % 65_535) + 1
        while (open.has(nextId))
        const message = waiting.shift()!
        open.set(nextId, { message, released: false })
        quota--
        publish(nextId, message, false)
      }
    },
    drop() {
      wire?.destroy()
      wire = undefined
    },
    close: () => wire?.destroy(),
  }
}

export interface FlowReader extends FlowClient {
  /** Payloads that it took, in the order in which they first came, by topic. */
  readonly taken: ReadonlyMap<string, readonly string[]>
  /** Payloads that it said no to. */
  readonly refused: ReadonlySet<string>
  readonly isSubscribed: boolean
}

export interface ReaderOptions {
  readonly filters: readonly { readonly topic: string; readonly qos: 1 | 2 }[]
  /** Its session outlives its connection. */
  readonly kept: boolean
  /** The most that it takes at once; each connection takes another number up to that. */
  readonly receiveMaximum: number
}

type Due = { readonly cmd: 'puback' | 'pubrec' | 'pubcomp'; readonly messageId: number }

export function flowReader(port: number, clientId: string, random: Random, options: ReaderOptions): FlowReader {
  const { filters, kept } = options
  const wrong: string[] = []
  const taken = new Map<string, string[]>()
  const all = new Set<string>()
  const refused = new Set<string>()
  /** QoS 2 identifiers that it has taken and not been asked to forget. */
  const once = new Map<number, string>()
  /** On their way to it over this connection. */
  let open = new Set<number>()
  let due: Due[] = []
  let aliases = new Map<number, string>()
  let receiveMaximum = 0
  let wire: Wire | undefined
  let isSubscribed = false

  function come(): void {
    receiveMaximum = between(random, 1, options.receiveMaximum)
    open = new Set()
    due = []
    aliases = new Map()
    wire = openWire(port, take, () => (wire = undefined))
    const properties = {
      receiveMaximum,
      topicAliasMaximum: between(random, 0, 3),
      sessionExpiryInterval: kept ? 600 : 0,
    }
    wire.send({ cmd: 'connect', protocolVersion: 5, clientId, clean: !kept, keepalive: 60, properties } as Packet)
  }

  function take(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack': {
        if (packet.reasonCode !== 0) return void wrong.push(`${clientId}: CONNACK ${packet.reasonCode}`)
        if (!packet.sessionPresent) {
          once.clear()
          const subscriptions = filters.map(({ topic, qos }) => ({ topic, qos, nl: false, rap: false, rh: 0 }))
          wire!.send({ cmd: 'subscribe', messageId: 1, subscriptions } as Packet)
        }
        return
      }
      case 'suback':
        isSubscribed = true
        return
      case 'publish':
        return given(packet)
      case 'pubrel':
        once.delete(packet.messageId!)
        due.push({ cmd: 'pubcomp', messageId: packet.messageId! })
        return
      case 'disconnect':
        wrong.push(`${clientId}: DISCONNECT ${packet.reasonCode}`)
    }
  }

  function given({ topic: said, payload, qos, dup, messageId, properties = {} }: IPublishPacket): void {
    const { topicAlias } = properties
    if (topicAlias !== undefined && said !== '') aliases.set(topicAlias, said)
    const topic = said === '' ? aliases.get(topicAlias ?? 0) : said
    if (topic === undefined) return void wrong.push(`${clientId}: an alias of nothing`)
    const id = messageId!
    if (open.has(id) && !dup) wrong.push(`${clientId}: identifier ${id} twice`)
    open.add(id)
    if (open.size > receiveMaximum) wrong.push(`${clientId}: ${open.size} at once for ${receiveMaximum}`)
    const text = payload.toString()
    if (qos === 1) {
      keep(topic, text)
      due.push({ cmd: 'puback', messageId: id })
      return
    }
    if (once.has(id) && once.get(id) !== text) wrong.push(`${clientId}: identifier ${id} stands for another message`)
    if (!once.has(id)) {
      once.set(id, text)
      if (all.has(text) && !refused.has(text)) wrong.push(`${clientId}: ${text} twice at QoS 2`)
      keep(topic, text)
    }
    due.push({ cmd: 'pubrec', messageId: id })
  }

  function keep(topic: string, text: string): void {
    if (all.has(text)) return
    all.add(text)
    const list = taken.get(topic)
    if (list) list.push(text)
    else taken.set(topic, [text])
  }

  return {
    wrong,
    taken,
    refused,
    get isSubscribed() {
      return isSubscribed
    },
    waitsFor: () => (due.length > 0 ? `${clientId}: ${due.length} to answer` : ''),
    act() {
      if (!wire) return come()
      const answer = takeAny(random, due)
      if (!answer) return
      const { cmd, messageId } = answer
      // MQTT 5 §3.4.2.1 and §3.5.2.1: after a PUBREC of 0x80 or above the identifier is free; so it is after any PUBACK.
      const reasonCode = cmd !== 'pubcomp' && random() < 0.15 ? pick(random, [0x80, 0x83, 0x97]) : 0
      if (cmd === 'pubrec' && reasonCode > 0) {
        refused.add(once.get(messageId)!)
        once.delete(messageId)
      }
      if (cmd !== 'pubrec' || reasonCode > 0) open.delete(messageId)
      wire.send({ cmd, messageId, reasonCode } as Packet)
    },
    drop() {
      wire?.destroy()
      wire = undefined
    },
    close: () => wire?.destroy(),
  }
}
