// What a link publishes at the other broker: the log read from a place, at QoS 1, in order within a source, urgent sources first, never
// more at once than the other end takes. Its promise: a place moves only over what the other end has acknowledged, or over what is
// counted as dropped; nothing is held here that the log does not have.

import { isExpired, restOfLife } from './expiry.ts'
import type { LinkConnection, LinkWelcome } from './link-connection.ts'
import type { LinkDropCause, LinkMessage, LinkSource, LinkStore } from './link-port.ts'
import { createOutwardAliases, type OutwardAliases } from './outward-aliases.ts'
import { writePublish } from './publish-packet.ts'

export interface LinkOut {
  attach(connection: LinkConnection, welcome: LinkWelcome): void
  /** `code`: the reason with which the other end closed, if it gave one. */
  detach(code?: number): void
  pump(): void
  acknowledged(packetId: number, code: number): void
  lag(): ReadonlyMap<string, number>
  /** A message is on its way, so that a packet identifier is in use. */
  isInUse(packetId: number): boolean
}

export interface LinkOutParts {
  readonly sources: readonly LinkSource[]
  readonly store: Pick<LinkStore, 'place' | 'setPlace'>
  readonly sentUnansweredMax: number
  now(): bigint
  nextPacketId(): number
  /** One was acknowledged. */
  delivered(): void
  dropped(cause: LinkDropCause, count: number, topic?: string): void
  /** The other end takes nothing now: try again later. */
  giveUp(why: string): void
}

interface Reader {
  readonly source: LinkSource
  /** Everything up to here is done with. */
  place: number
  /** Everything up to here was read. */
  through: number
  /** Read and not sent. */
  next: readonly LinkMessage[]
  at: number
  /** Sent, in order; the first is not acknowledged. */
  readonly flights: Flight[]
}

interface Flight {
  readonly reader: Reader
  readonly message: LinkMessage
  answered: boolean
}

/** Of the window, for urgent sources alone: an alert does not wait until telemetry is acknowledged. */
const urgentSlots = 8
/** Not written before the other end has taken what was. */
const unreadBytesMax = 512 << 10
/** Pieces of the log that are looked through in one turn, so that others have theirs. */
const piecesAtOnce = 4
/** A message that the other end answers with an unspecific error is tried so many times. */
const triesMax = 5

// MQTT 5 §3.4.2.1 and §3.14.2.1
const [unspecified, implementation, topicInvalid, packetTooLarge, quota] = [0x80, 0x83, 0x90, 0x95, 0x97]
/** Reasons to close that a single packet is to blame for. */
const blames: ReadonlySet<number> = new Set([0x81, 0x82, 0x83, topicInvalid, 0x94, packetTooLarge, 0x99, 0x9a, 0x9b])

export function createLinkOut(parts: LinkOutParts): LinkOut {
  const { store } = parts
  const readers = parts.sources.map((source): Reader => {
    // A place beyond the head is one of a log that has lost its end: what now gets these numbers is not skipped.
    const place = Math.min(store.place(source.name) ?? source.head, source.head)
    store.setPlace(source.name, place)
    return { source, place, through: place, next: [], at: 0, flights: [] }
  })
  const flights = new Map<number, Flight>()
  let connection: LinkConnection | undefined
  let welcome: LinkWelcome | undefined
  let aliases: OutwardAliases | undefined
  let window = 0
  let resting = false
  /** What the other end may have closed the connection for, and is tried alone. */
  let suspect: { readonly reader: Reader; readonly number: number; tries: number } | undefined

  const windowFor = ({ source }: Reader): number =>
    source.urgent || window <= 2 * urgentSlots ? window : window - urgentSlots

  function pump(): void {
    if (!connection || resting) return
    for (let pieces = 0; connection.isOpen && connection.unreadBytes <= unreadBytesMax;) {
      const reader = readers.find((one) => flights.size < windowFor(one) && hasNext(one))
      if (!reader) {
        const behind = readers.find((one) => flights.size < windowFor(one) && one.through < one.source.head)
        if (!behind) return
        if (pieces++ >= piecesAtOnce) return rest()
        read(behind)
        continue
      }
      send(reader, reader.next[reader.at++]!)
    }
    // Woken when it has been taken.
    if (connection.isOpen) rest(waitForRoomMs)
  }

  const hasNext = ({ next, at }: Reader): boolean => at < next.length

  function rest(ms = 0): void {
    resting = true
    const again = (): void => {
      resting = false
      pump()
    }
    if (ms === 0) setImmediate(again)
    else setTimeout(again, ms).unref()
  }

  function read(reader: Reader): void {
    const slice = readFrom(reader)
    if (!slice) return
    if (slice.gone > 0) parts.dropped('gone', slice.gone)
    reader.next = slice.messages
    reader.at = 0
    reader.through = slice.through
    settle(reader)
  }

  /** What cannot be read now is read when the link is up again. */
  function readFrom({ source, through }: Reader): ReturnType<LinkSource['read']> {
    try {
      return source.read(through)
    } catch (error) {
      return void parts.giveUp(`the log cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  function send(reader: Reader, message: LinkMessage): void {
    const now = parts.now()
    if (isExpired(message, now)) {
      parts.dropped('expired', 1, message.topic)
      return settle(reader)
    }
    const packetId = parts.nextPacketId()
    const alias = aliases?.of(message.topic)
    const bytes = writePublish({
      version: connection!.version,
      topic: alias?.known ? '' : message.topic,
      topicAlias: alias?.number,
      payload: message.payload,
      qos: 1,
      // MQTT 5 §3.2.2.3.6: to who keeps none it must not be said.
      retain: message.retain && welcome!.retainAvailable,
      // The receiver of QoS 1 keeps nothing of an identifier: what was on its way over a connection before goes as if for the first time.
      dup: false,
      packetId,
      properties: restOfLife(message, now),
      subscriptionIdentifiers: [],
    })
    if (bytes.length > welcome!.packetBytesMax) {
      parts.dropped('too_large', 1, message.topic)
      return settle(reader)
    }
    if (alias) aliases!.sent(message.topic, alias)
    const flight: Flight = { reader, message, answered: false }
    flights.set(packetId, flight)
    reader.flights.push(flight)
    connection!.send(bytes)
  }

  function settle(reader: Reader): void {
    const { flights: sent, next, at, through, source } = reader
    const place = (sent[0]?.message.number ?? next[at]?.number ?? through + 1) - 1
    if (place === reader.place) return
    reader.place = place
    store.setPlace(source.name, place)
  }

  function acknowledged(packetId: number, code: number): void {
    const flight = flights.get(packetId)
    if (!flight) return
    const { reader, message } = flight
    if (code === quota) return parts.giveUp('it takes no more for now (0x97)')
    const isUnspecific = code === unspecified || code === implementation
    if (isUnspecific && mayTryAgain(reader, message))
      return parts.giveUp(`it failed on a message (0x${code.toString(16)})`)
    if (code >= 0x80) parts.dropped(code === packetTooLarge ? 'too_large' : 'refused', 1, message.topic)
    else parts.delivered()
    flights.delete(packetId)
    flight.answered = true
    if (suspect?.reader === reader && suspect.number === message.number) {
      suspect = undefined
      if (welcome) window = windowOf(welcome)
    }
    while (reader.flights[0]?.answered) reader.flights.shift()
    settle(reader)
    pump()
  }

  /** Counts the tries of the message that is first in line. */
  function mayTryAgain(reader: Reader, { number }: LinkMessage): boolean {
    if (suspect?.reader !== reader || suspect.number !== number) suspect = { reader, number, tries: 0 }
    return ++suspect.tries < triesMax
  }

  function detach(code?: number): void {
    connection = welcome = aliases = undefined
    const [first] = flights.values()
    if (code !== undefined && blames.has(code) && first) {
      const { reader, message } = first
      const isSame = suspect?.reader === reader && suspect.number === message.number
      // Alone on its way, and the other end has closed for it again.
      if (isSame && flights.size === 1) {
        parts.dropped(code === packetTooLarge ? 'too_large' : 'refused', 1, message.topic)
        reader.flights.length = 0
        reader.next = reader.next.slice(reader.at)
        reader.at = 0
        settle(reader)
        suspect = undefined
      } else if (!isSame) suspect = { reader, number: message.number, tries: 0 }
    }
    flights.clear()
    for (const reader of readers) {
      reader.flights.length = 0
      reader.next = []
      reader.at = 0
      reader.through = reader.place
    }
  }

  const windowOf = ({ receiveMaximum }: LinkWelcome): number =>
    suspect ? 1 : Math.min(receiveMaximum, parts.sentUnansweredMax)

  return {
    attach(newConnection, newWelcome) {
      connection = newConnection
      welcome = newWelcome
      aliases = createOutwardAliases(Math.min(newWelcome.topicAliasMaximum, aliasesMax))
      window = windowOf(newWelcome)
      pump()
    },
    detach,
    pump,
    acknowledged,
    lag: () => new Map(readers.map(({ source, place }) => [source.name, source.head - place])),
    isInUse: (packetId) => flights.has(packetId),
  }
}

/** An identifier costs memory at both ends. */
const aliasesMax = 100
const waitForRoomMs = 20
