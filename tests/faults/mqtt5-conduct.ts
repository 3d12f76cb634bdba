// What a client of MQTT 5 has to keep of one connection, and what it can see of the broker's conduct on it: no more at once than it
// asked for (§4.9), no larger packet (§3.1.2.11.4), no alias that it was not told (§3.3.2.3.4), no packet that blames the client.

import { propertiesBytes, type Mqtt5Properties } from './mqtt5-properties.ts'

export interface Mqtt5Options {
  readonly sessionExpirySeconds?: number
  readonly receiveMaximum?: number
  readonly packetBytesMax?: number
  /** Aliases that the broker may use towards it. */
  readonly topicAliasMaximum?: number
  /** What the broker should not have done, in words. */
  readonly onWrong?: (what: string) => void
}

export interface Conduct {
  /** Of CONNACK. */
  welcomed(properties: Mqtt5Properties): void
  /** Of the broker: so many messages may wait for its acknowledgement. */
  readonly receiveMaximum: number
  /** The topic that is meant. */
  arrived(packet: {
    readonly topic: string
    readonly alias?: number | undefined
    readonly id: number
    readonly bytes: number
  }): string
  /** PUBACK or PUBCOMP has left. */
  answered(id: number): void
  /** PUBACK or PUBREC. */
  reason(what: string, code: number): void
  /** It says goodbye. */
  dismissed(code: number): void
  /** What leaves for this topic: now and then an alias alone. */
  aliased(topic: string): { readonly topic: string; readonly alias?: number }
}

const receiveMaximumMost = 65_535
/** Fewer than a publisher has topics, so that they are given anew all the time. */
const aliasesUsed = 2
/** Malformed, protocol error, receive maximum, alias, packet too large: no broker is to find any of it in what a sound client sends. */
const blames = new Set([0x81, 0x82, 0x93, 0x94, 0x95])

export function createConduct(clientId: string, options: Mqtt5Options): Conduct {
  const { receiveMaximum = receiveMaximumMost, packetBytesMax = Infinity, topicAliasMaximum = 0 } = options
  const wrong = (what: string): void => options.onWrong?.(`${clientId}: ${what}`)
  const unanswered = new Set<number>()
  const inward = new Map<number, string>()
  const outward = new Map<number, string>()
  let told: Mqtt5Properties = {}
  let aliasNext = 0

  return {
    welcomed: (properties) => void (told = properties),
    get receiveMaximum() {
      return told.receiveMaximum ?? receiveMaximumMost
    },
    arrived({ topic, alias, id, bytes }) {
      if (bytes > packetBytesMax) wrong(`a packet of ${bytes} bytes, and it takes ${packetBytesMax}`)
      if (id > 0) unanswered.add(id)
      if (unanswered.size > receiveMaximum) wrong(`${unanswered.size} messages at once, and it takes ${receiveMaximum}`)
      if (alias === undefined) {
        if (topic === '') wrong('neither a topic nor an alias')
        return topic
      }
      if (alias < 1 || alias > topicAliasMaximum) wrong(`alias ${alias}, and it takes ${topicAliasMaximum}`)
      if (topic !== '') inward.set(alias, topic)
      const meant = inward.get(alias)
      if (meant === undefined) wrong(`alias ${alias} stands for nothing`)
      return meant ?? ''
    },
    answered: (id) => void unanswered.delete(id),
    reason(what, code) {
      if (code >= 0x80) wrong(`${what} with reason 0x${code.toString(16)}`)
    },
    dismissed(code) {
      if (blames.has(code)) wrong(`DISCONNECT with reason 0x${code.toString(16)}`)
    },
    aliased(topic) {
      const most = Math.min(told.topicAliasMaximum ?? 0, aliasesUsed)
      if (most === 0) return { topic }
      for (const [alias, known] of outward) if (known === topic) return { topic: '', alias }
      const alias = (aliasNext++ % most) + 1
      outward.set(alias, topic)
      return { topic, alias }
    },
  }
}

export const greetingProperties = (options: Mqtt5Options): Buffer => {
  const { sessionExpirySeconds, receiveMaximum, packetBytesMax, topicAliasMaximum } = options
  return propertiesBytes({
    ...(sessionExpirySeconds !== undefined && { sessionExpirySeconds }),
    ...(receiveMaximum !== undefined && { receiveMaximum }),
    ...(packetBytesMax !== undefined && { packetBytesMax }),
    ...(topicAliasMaximum !== undefined && { topicAliasMaximum }),
  })
}
