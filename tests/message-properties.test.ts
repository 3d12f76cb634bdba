// The properties of a PUBLISH: what another's writer makes of them we read, and what we write another's reader reads; in whatever company and
// order. Seeds are printed by fast-check when it fails.

import fc from 'fast-check'
import { generate, parser, type IPublishPacket } from 'mqtt-packet'
import { expect, test } from 'vitest'

import { defaultLimits } from '../broker/limits.ts'
import { readPublishProperties } from '../broker/message-properties.ts'
import { packetFault } from '../broker/packets.ts'
import type { MessageProperties, QoS } from '../broker/port.ts'
import { noTopic, readPublish, writePublish } from '../broker/publish-packet.ts'
import { frame, text } from './tools/raw-mqtt.ts'

const word = fc.oneof(fc.stringMatching(/^[a-z é]{0,12}$/), fc.constantFrom('', '\u{2a6d4}', 'x'.repeat(300)))
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const seconds = fc.integer({ min: 0, max: 0xffff_ffff })
const properties = fc
  .record(
    {
      payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
      messageExpirySeconds: seconds,
      contentType: word,
      responseTopic: fc.stringMatching(/^[a-z/é]{1,12}$/),
      correlationData: bytes,
      userProperties: fc.dictionary(word, word, { minKeys: 1, maxKeys: 4 }),
    },
    { requiredKeys: [] },
  )
  .map(({ userProperties, ...rest }): MessageProperties => ({
    ...rest,
    ...(userProperties && { userProperties: Object.entries(userProperties) }),
  }))
const message = fc.record({
  topic: fc.stringMatching(/^[a-z/é]{1,12}$/),
  payload: bytes,
  qos: fc.constantFrom<QoS>(0, 1, 2),
  retain: fc.boolean(),
  properties,
  topicAlias: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
})

/** As mqtt-packet calls them. */
function theirs({ messageExpirySeconds, payloadFormatIndicator, userProperties, ...same }: MessageProperties) {
  return {
    ...same,
    ...(messageExpirySeconds !== undefined && { messageExpiryInterval: messageExpirySeconds }),
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: payloadFormatIndicator === 1 }),
    ...(userProperties && { userProperties: Object.fromEntries(userProperties) }),
  }
}

function readByThem(packet: Buffer): IPublishPacket {
  const read: IPublishPacket[] = []
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (each) => read.push(each as IPublishPacket))
  reader.parse(packet)
  expect(read).toHaveLength(1)
  return read[0]!
}

test('are read as another’s writer made them', () => {
  fc.assert(
    fc.property(message, ({ topicAlias, ...sent }) => {
      const alias = topicAlias === undefined ? {} : { topicAlias }
      const packet = generate(
        {
          cmd: 'publish',
          ...sent,
          dup: false,
          ...(sent.qos > 0 && { messageId: 7 }),
          properties: { ...theirs(sent.properties), ...alias } as NonNullable<IPublishPacket['properties']>,
        },
        { protocolVersion: 5 },
      )
      expect(packetFault(packet, 0, packet.length, 5, defaultLimits)).toBeUndefined()
      // Not at the beginning of what was read, and not at its end.
      const chunk = Buffer.concat([Buffer.of(1, 2, 3), packet, Buffer.of(4, 5)])
      const read = readPublish(chunk, 3, 3 + packet.length, 5)
      expect(read).toEqual({ ...sent, ...alias, dup: false, packetId: sent.qos > 0 ? 7 : 0 })
    }),
    { numRuns: 500 },
  )
})

test('are written so that another’s reader finds them', () => {
  fc.assert(
    fc.property(
      message,
      fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
      (sent, subscriptionIdentifiers) => {
        const packetId = sent.qos > 0 ? 7 : 0
        const read = readByThem(
          writePublish({ ...sent, version: 5, dup: false, packetId, subscriptionIdentifiers }) as Buffer,
        )
        const { topic, payload, qos, retain } = sent
        expect(read).toMatchObject({ cmd: 'publish', topic, payload, qos, retain, dup: false })
        const [identifier, ...more] = subscriptionIdentifiers
        expect({ ...read.properties }).toEqual({
          ...theirs(sent.properties),
          ...(sent.topicAlias !== undefined && { topicAlias: sent.topicAlias }),
          ...(identifier !== undefined && {
            subscriptionIdentifier: more.length > 0 ? subscriptionIdentifiers : identifier,
          }),
        })
      },
    ),
    { numRuns: 500 },
  )
})

test('stand in any order, and a packet may be of nothing else', () => {
  const [expiry, type, alias] = [Buffer.of(2, 0, 0, 0, 60), Buffer.of(3, 0, 1, 0x61), Buffer.of(0x23, 0, 4)]
  for (const order of [
    [expiry, type, alias],
    [alias, expiry, type],
    [type, alias, expiry],
  ]) {
    const packet = frame(0x30, text(''), Buffer.of(12), ...order)
    expect(readPublish(packet, 0, packet.length, 5)).toEqual({
      topic: '',
      payload: Buffer.alloc(0),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: { messageExpirySeconds: 60, contentType: 'a' },
      topicAlias: 4,
    })
  }
})

test('that come again are read the same, with their own correlation data, and one changed bit is noticed', () => {
  const list = (correlation: string, type = 'a'): Buffer =>
    Buffer.concat([Buffer.of(2, 0, 0, 0, 60, 9), text(correlation), Buffer.of(3), text(type), Buffer.of(0x23, 0, 4)])
  const packet = (given: Buffer): Buffer =>
    frame(0x30, text('t'), Buffer.of(given.length), given, Buffer.from('payload'))
  const fault = (whole: Buffer) => packetFault(whole, 0, whole.length, 5, defaultLimits)?.why
  const read = (whole: Buffer) => readPublish(whole, 0, whole.length, 5)
  for (const correlation of ['one', 'two', '\u0000!x', 'another', '', 'one']) {
    const whole = packet(list(correlation))
    expect(fault(whole)).toBeUndefined()
    expect(read(whole)).toMatchObject({
      properties: { messageExpirySeconds: 60, contentType: 'a', correlationData: Buffer.from(correlation) },
      topicAlias: 4,
      payload: Buffer.from('payload'),
    })
  }
  const sound = packet(list('one'))
  const at = 5
  for (let bit = 0; bit < list('one').length * 8; bit++) {
    expect(fault(sound)).toBeUndefined()
    read(sound)
    const flipped = Buffer.from(sound)
    flipped[at + (bit >> 3)]! ^= 1 << (bit & 7)
    const why = fault(flipped)
    if (why === undefined) expect(read(flipped)).not.toEqual(read(sound))
    // Judged as by who has never seen it.
    else expect(why).toBe(packetFault(flipped, 0, flipped.length, 5, { ...defaultLimits })?.why)
  }
})

test('of a will are not taken for those of a message', () => {
  const delayed = Buffer.of(5, 0x18, 0, 0, 0, 1)
  expect(readPublishProperties(delayed, 0).end).toBe(6)
  const whole = frame(0x30, text('t'), delayed)
  expect(packetFault(whole, 0, whole.length, 5, defaultLimits)?.why).toBe('a will delay interval in PUBLISH')
})

test('without a topic and an alias a message is for nobody', () => {
  for (const list of ['00', '0403000161']) {
    const packet = frame(0x30, text(''), Buffer.from(list, 'hex'))
    expect(readPublish(packet, 0, packet.length, 5)).toBe('neither a topic nor an alias')
  }
})

test('a topic that is remembered from the packet before is never taken for another one', () => {
  const topics = fc.constantFrom(
    '',
    'a',
    'b',
    'tocsin/in/senml/gauge-7',
    'tocsin/in/senml/gauge-8',
    'é',
    'x'.repeat(300),
  )
  fc.assert(
    fc.property(fc.array(topics, { maxLength: 20 }), (said) => {
      const latest = noTopic()
      for (const topic of said) {
        const packet = frame(0x30, text(topic), Buffer.of(3, 0x23, 0, 4))
        expect(readPublish(packet, 0, packet.length, 5, latest)).toMatchObject({ topic, topicAlias: 4 })
      }
    }),
  )
})
