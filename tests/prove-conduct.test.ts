// The judge of MQTT 5 can say no: what a broker may not do towards a client is told, and what it may is not; a message that was altered
// on its way is found.

import { expect, test } from 'vitest'
import { parser, type Packet } from 'mqtt-packet'
import { createConduct, type Conduct } from './faults/mqtt5-conduct.ts'
import { propertiesBytes, readProperties } from './faults/mqtt5-properties.ts'
import { alterationOf, propertiesOf } from './prove/message-traits.ts'
import { frame, text } from './tools/raw-mqtt.ts'

function judged(course: (conduct: Conduct) => void): string[] {
  const wrong: string[] = []
  const most = { receiveMaximum: 2, packetBytesMax: 50, topicAliasMaximum: 1 }
  course(createConduct('me', { ...most, onWrong: (what) => wrong.push(what) }))
  return wrong
}

const packet = { topic: 'a/b', id: 1, bytes: 20 }

test.each<[string, string[], (conduct: Conduct) => void]>([
  ['two at once, and then one more after an acknowledgement', [], (conduct) => {
    for (const id of [1, 2]) conduct.arrived({ ...packet, id })
    conduct.answered(1)
    conduct.arrived({ ...packet, id: 3 })
  }],
  ['three at once', ['me: 3 messages at once, and it takes 2'], (conduct) => {
    for (const id of [1, 2, 3]) conduct.arrived({ ...packet, id })
  }],
  ['a packet that is too large', ['me: a packet of 51 bytes, and it takes 50'], (conduct) => {
    conduct.arrived({ ...packet, bytes: 51 })
  }],
  ['an alias that stands for what it was told', [], (conduct) => {
    conduct.arrived({ ...packet, alias: 1 })
    expect(conduct.arrived({ ...packet, topic: '', alias: 1 })).toBe('a/b')
  }],
  ['an alias that was never told', ['me: alias 1 stands for nothing'], (conduct) => {
    conduct.arrived({ ...packet, topic: '', alias: 1 })
  }],
  ['an alias above what it takes', ['me: alias 2, and it takes 1'], (conduct) => {
    conduct.arrived({ ...packet, alias: 2 })
  }],
  ['no topic at all', ['me: neither a topic nor an alias'], (conduct) => {
    conduct.arrived({ ...packet, topic: '' })
  }],
  ['a refused message', ['me: PUBACK with reason 0x97'], (conduct) => {
    conduct.reason('PUBACK', 0x10)
    conduct.reason('PUBACK', 0x97)
  }],
  ['being taken over, and being blamed for a protocol error', ['me: DISCONNECT with reason 0x82'], (conduct) => {
    conduct.dismissed(0x8e)
    conduct.dismissed(0x82)
  }],
])('of a connection: %s', (_what, wrong, course) => {
  expect(judged(course)).toEqual(wrong)
}) // prettier-ignore

const arrival = { topic: 'prove/p0/t0', payload: Buffer.of(), qos: 1, retain: false, dup: false } as const

// Number 9 of a stream has a life of an hour, a content type and user properties; number 5 a response topic, and a second to live.
test.each([
  [9, {}, undefined],
  [9, { contentType: 'text/1' }, 'contentType "text/1" for "text/0"'],
  [9, { messageExpirySeconds: 3_599 }, undefined],
  [9, { messageExpirySeconds: 3_601 }, 'expiry 3601 of 3600'],
  [9, { messageExpirySeconds: 0 }, 'expiry 0 of 3600'],
  [4, { messageExpirySeconds: 9 }, 'expiry 9 for undefined'],
  [5, {}, undefined],
  [5, { correlation: '' }, 'correlation "" for "0-5"'],
])('of message %i, that %j is found', (n, changed, found) => {
  const properties = { ...propertiesOf(0, n), ...changed }
  expect(alterationOf({ ...arrival, properties }, 0, n)).toBe(found)
})

test('user properties in another order are found', () => {
  const sent = propertiesOf(0, 9)
  const turned = { ...sent, user: sent.user!.toReversed() }
  expect(alterationOf({ ...arrival, properties: turned }, 0, 9)).toContain('user [')
})

test('the proof writes what others read, and reads what it wrote', () => {
  const properties = {
    payloadFormat: 1,
    messageExpirySeconds: 70_000,
    contentType: 'a',
    responseTopic: 'b/c',
    correlation: 'd',
    identifiers: [1, 300, 268_435_455],
    topicAlias: 700,
    user: [['n', '1'], ['n', '2'], ['', 'é']], // prettier-ignore
  } as const
  const bytes = propertiesBytes(properties)
  expect(readProperties(Buffer.concat([bytes, Buffer.from('rest')]), 0)).toEqual({ properties, end: bytes.length })
  let read: Packet | undefined
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (got) => (read = got))
  reader.parse(frame(0x30, text('a'), bytes))
  expect(read).toMatchObject({
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 70_000,
      contentType: 'a',
      responseTopic: 'b/c',
      correlationData: Buffer.from('d'),
      subscriptionIdentifier: [1, 300, 268_435_455],
      topicAlias: 700,
      userProperties: { n: ['1', '2'], '': 'é' },
    },
  })
})
