// What a link publishes: the place in the log moves only over what the other broker has answered, whatever it answers, and a
// connection that breaks costs nothing but sending again.

import { parser, type IPublishPacket } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import type { LinkConnection, LinkWelcome } from '../broker/link-connection.ts'
import { createLinkOut } from '../broker/link-out.ts'
import type { LinkMessage, LinkSource } from '../broker/link-port.ts'

const now = 1_795_600_000_000_000_000n
const welcome: LinkWelcome = {
  sessionPresent: true,
  receiveMaximum: 65_535,
  packetBytesMax: Infinity,
  topicAliasMaximum: 0,
  retainAvailable: true,
  wildcardsAvailable: true,
  maximumQoS: 2,
  sessionExpirySeconds: undefined,
}

function sourceOf(name: string, urgent: boolean, messages: LinkMessage[]): LinkSource {
  return {
    name,
    urgent,
    get head() {
      return messages.at(-1)?.number ?? 0
    },
    read(after) {
      const left = messages.filter(({ number }) => number > after)
      return left.length === 0
        ? undefined
        : { messages: left.slice(0, 5), through: left.slice(0, 5).at(-1)!.number, gone: 0 }
    },
  }
}

const message = (number: number, payload = `m${number}`, more: Partial<LinkMessage> = {}): LinkMessage => ({
  number,
  topic: 'a/b',
  payload: Buffer.from(payload),
  retain: false,
  receivedAt: now,
  ...more,
})
const upTo = (last: number, from = 1): LinkMessage[] =>
  Array.from({ length: last - from + 1 }, (_, i) => message(from + i))

function house(sources: readonly LinkSource[], places: Record<string, number> = { frames: 0, urgent: 0 }) {
  const dropped: string[] = []
  const gaveUp: string[] = []
  let packetId = 0
  let delivered = 0
  const out = createLinkOut({
    sources,
    store: { place: (name) => places[name], setPlace: (name, number) => void (places[name] = number) },
    sentUnansweredMax: 100,
    now: () => now,
    nextPacketId: () => ++packetId,
    delivered: () => delivered++,
    dropped: (cause, count) => void dropped.push(`${cause} ${count}`),
    giveUp: (why) => void gaveUp.push(why),
  })
  function connect(more: Partial<LinkWelcome> = {}) {
    const sent: IPublishPacket[] = []
    const reader = parser({ protocolVersion: 5 })
    reader.on('packet', (packet) => void sent.push(packet as IPublishPacket))
    const connection: LinkConnection = {
      version: 5,
      isOpen: true,
      unreadBytes: 0,
      send: (bytes) => void reader.parse(bytes),
      throttle() {},
      close() {},
    }
    out.attach(connection, { ...welcome, ...more })
    return { sent, payloads: () => sent.map(({ payload }) => String(payload)) }
  }
  return { out, places, dropped, gaveUp, connect, delivered: () => delivered }
}

describe('the place of a link in the log', () => {
  test('moves with acknowledgements, in order, however they come', () => {
    const { out, places, connect } = house([sourceOf('frames', false, upTo(3))])
    const { sent } = connect()
    const [one, two, three] = sent.map(({ messageId }) => messageId!)
    out.acknowledged(two!, 0)
    expect(places['frames']).toBe(0)
    out.acknowledged(one!, 0)
    expect(places['frames']).toBe(2)
    out.acknowledged(three!, 0)
    expect(places['frames']).toBe(3)
    expect(out.lag()).toEqual(new Map([['frames', 0]]))
  })

  test('goes back with a broken connection to what was not acknowledged, and the order stays', () => {
    const { out, connect } = house([sourceOf('frames', false, upTo(4))])
    const first = connect()
    out.acknowledged(first.sent[0]!.messageId!, 0)
    out.detach()
    expect(connect().payloads()).toEqual(['m2', 'm3', 'm4'])
  })

  test('begins at the head for a new link, and never beyond it', () => {
    const messages = upTo(4)
    expect(house([sourceOf('frames', false, messages)], {}).places['frames']).toBe(4)
    expect(house([sourceOf('frames', false, messages)], { frames: 99 }).places['frames']).toBe(4)
  })
})

describe('what the other broker takes', () => {
  test('is at most its Receive Maximum at once, and the next with each acknowledgement', () => {
    const { out, connect } = house([sourceOf('frames', false, upTo(6))])
    const { sent, payloads } = connect({ receiveMaximum: 2 })
    expect(payloads()).toEqual(['m1', 'm2'])
    out.acknowledged(sent[0]!.messageId!, 0)
    expect(payloads()).toEqual(['m1', 'm2', 'm3'])
  })

  test('urgent goes before what waits, and has places that telemetry does not take', () => {
    const urgent: LinkMessage[] = []
    const { out, connect } = house([sourceOf('urgent', true, urgent), sourceOf('frames', false, upTo(40))])
    const { payloads } = connect({ receiveMaximum: 20 })
    // 8 of 20 are kept free.
    expect(payloads()).toHaveLength(12)
    urgent.push(message(1, 'alert'))
    out.pump()
    expect(payloads().at(-1)).toBe('alert')
  })

  test('a message beyond its Maximum Packet Size is counted, and not tried again', () => {
    const { places, connect, dropped } = house([sourceOf('frames', false, [message(1, 'x'.repeat(500)), message(2)])])
    const { payloads } = connect({ packetBytesMax: 100 })
    expect(payloads()).toEqual(['m2'])
    expect(dropped).toEqual(['too_large 1'])
    expect(places['frames']).toBe(1)
  })

  test('retain is left out where it keeps none', () => {
    const { connect } = house([sourceOf('frames', false, [message(1, 'kept', { retain: true })])])
    expect(connect({ retainAvailable: false }).sent[0]!.retain).toBe(false)
  })

  test('a topic goes once, and then its alias', () => {
    const { connect } = house([sourceOf('frames', false, upTo(2))])
    const { sent } = connect({ topicAliasMaximum: 5 })
    expect(sent.map(({ topic, properties }) => [topic, properties?.topicAlias])).toEqual([
      ['a/b', 1],
      ['', 1],
    ])
  })

  test('what has outlived its expiry is counted, and the rest of a life goes along', () => {
    const lived = (seconds: number) => ({
      receivedAt: now - 10_000_000_000n,
      properties: { messageExpirySeconds: seconds },
    })
    const { connect, dropped } = house([
      sourceOf('frames', false, [message(1, 'old', lived(5)), message(2, 'young', lived(60))]),
    ])
    const { sent, payloads } = connect()
    expect(payloads()).toEqual(['young'])
    expect(sent[0]!.properties?.messageExpiryInterval).toBe(50)
    expect(dropped).toEqual(['expired 1'])
  })
})

describe('a negative answer', () => {
  test('to a message that is not permitted is counted, and the next goes on (0x87)', () => {
    const { out, places, connect, dropped, gaveUp, delivered } = house([sourceOf('frames', false, upTo(2))])
    const { sent } = connect()
    out.acknowledged(sent[0]!.messageId!, 0x87)
    out.acknowledged(sent[1]!.messageId!, 0x10)
    expect([places['frames'], dropped, gaveUp, delivered()]).toEqual([2, ['refused 1'], [], 1])
  })

  test('for a full quota is tried later, for ever (0x97)', () => {
    const { out, places, connect, dropped, gaveUp } = house([sourceOf('frames', false, upTo(1))])
    for (let i = 1; i <= 20; i++) {
      const { sent } = connect()
      out.acknowledged(sent[0]!.messageId!, 0x97)
      out.detach()
      expect([gaveUp.length, dropped, places['frames']]).toEqual([i, [], 0])
    }
  })

  test('that says nothing is tried five times (0x80)', () => {
    const { out, places, connect, dropped, gaveUp } = house([sourceOf('frames', false, upTo(2))])
    for (let i = 1; i <= 5; i++) {
      const { sent } = connect()
      out.acknowledged(sent[0]!.messageId!, 0x80)
      if (i < 5) out.detach()
    }
    expect([gaveUp.length, dropped, places['frames']]).toEqual([4, ['refused 1'], 1])
  })

  test('by closing the connection is one when the message was alone on its way (0x95)', () => {
    const { out, places, connect, dropped } = house([sourceOf('frames', false, upTo(3))])
    expect(connect().sent).toHaveLength(3)
    out.detach(0x95)
    expect([connect().sent.length, dropped]).toEqual([1, []])
    out.detach(0x95)
    expect([dropped, places['frames']]).toEqual([['too_large 1'], 1])
    expect(connect().payloads()).toEqual(['m2', 'm3'])
  })
})
