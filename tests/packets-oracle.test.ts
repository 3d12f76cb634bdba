// What is found sound is read by aedes' parser without a fault: whatever our checks let through, nothing behind them can stumble over.
// A packet is made by that parser's own writer, then bytes of it are changed; seeds are printed by fast-check when it fails.

import fc from 'fast-check'
import { generate, parser, type Packet } from 'mqtt-packet'
import { expect, test } from 'vitest'

import { defaultLimits } from '../broker/limits.ts'
import { clearUnusedBits, connectVersion, packetFault, packetSize } from '../broker/packets.ts'

type Version = 3 | 4 | 5

const word = fc.stringMatching(/^[a-z0-9/ é]{1,12}$/)
const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array))
const id = fc.integer({ min: 1, max: 65_535 })
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const)

const message = {
  payloadFormatIndicator: fc.boolean(),
  messageExpiryInterval: fc.nat(),
  contentType: word,
  responseTopic: word,
  correlationData: bytes,
  userProperties: fc.dictionary(word, word, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
}
const some = <Shape extends Record<string, fc.Arbitrary<unknown>>>(shape: Shape) =>
  fc.record(shape, { requiredKeys: [] })

const will = fc.record({
  topic: word,
  payload: bytes,
  qos,
  retain: fc.boolean(),
  properties: some({ ...message, willDelayInterval: fc.nat() }),
})
const connect = fc
  .record(
    {
      cmd: fc.constant('connect' as const),
      clientId: word,
      clean: fc.boolean(),
      keepalive: fc.nat(65_535),
      username: word,
      will,
      properties: some({
        sessionExpiryInterval: fc.nat(),
        receiveMaximum: id,
        maximumPacketSize: fc.integer({ min: 1, max: 1 << 20 }),
        topicAliasMaximum: fc.nat(65_535),
        requestResponseInformation: fc.boolean(),
        requestProblemInformation: fc.boolean(),
        userProperties: message.userProperties,
      }),
    },
    { requiredKeys: ['cmd', 'clientId', 'clean'] },
  )
  .chain((packet) =>
    packet.username === undefined
      ? fc.constant(packet)
      : fc.record({ password: bytes }, { requiredKeys: [] }).map((more) => ({ ...packet, ...more })),
  )
const publish = fc
  .record({
    cmd: fc.constant('publish' as const),
    topic: word,
    payload: bytes,
    retain: fc.boolean(),
    properties: some({ ...message, topicAlias: id }),
  })
  .chain((packet) =>
    fc.oneof(
      fc.constant({ ...packet, qos: 0, dup: false }),
      fc
        .record({ qos: fc.constantFrom(1, 2), messageId: id, dup: fc.boolean() })
        .map((more) => ({ ...packet, ...more })),
    ),
  )
const short = fc.record({
  cmd: fc.constantFrom('puback' as const, 'pubrec' as const, 'pubrel' as const, 'pubcomp' as const),
  messageId: id,
  properties: some({ reasonString: word, userProperties: message.userProperties }),
})
const subscribe = fc.record({
  cmd: fc.constant('subscribe' as const),
  messageId: id,
  subscriptions: fc.array(fc.record({ topic: word, qos, nl: fc.boolean(), rap: fc.boolean(), rh: fc.nat(2) }), {
    minLength: 1,
    maxLength: 3,
  }),
  properties: some({
    subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }),
    userProperties: message.userProperties,
  }),
})
const unsubscribe = fc.record({
  cmd: fc.constant('unsubscribe' as const),
  messageId: id,
  unsubscriptions: fc.array(word, { minLength: 1, maxLength: 3 }),
  properties: some({ userProperties: message.userProperties }),
})
const rest = fc.oneof(
  fc.record({
    cmd: fc.constant('disconnect' as const),
    reasonCode: fc.constantFrom(0, 4),
    properties: some({ sessionExpiryInterval: fc.nat(), reasonString: word }),
  }),
  fc.record({ cmd: fc.constant('pingreq' as const) }),
)
const packets = fc.oneof(connect, publish, short, subscribe, unsubscribe, rest)

function written(packet: object, version: Version): Buffer {
  const {
    properties: _properties,
    will: last,
    ...older
  } = packet as { properties?: object; will?: { properties?: object } }
  const { properties: _willProperties, ...olderWill } = last ?? {}
  const whole = version === 5 ? packet : { ...older, ...(last && { will: olderWill }) }
  const protocol = { protocolId: version === 3 ? 'MQIsdp' : 'MQTT', protocolVersion: version }
  return generate({ ...whole, ...protocol } as unknown as Packet, { protocolVersion: version })
}

/** As the gate looks at it: undefined when it is sound. */
function fault(packet: Buffer, version: Version): string | undefined {
  const size = packetSize(packet, 0)
  if (size !== packet.length) return 'another size'
  if (packet[0]! >> 4 === 1) {
    const spoken = connectVersion(packet, 0, size)
    if (spoken !== version) return 'another version'
  }
  return packetFault(packet, 0, size, version, defaultLimits)?.why
}

function readBy(packet: Buffer, version: Version): unknown {
  const read: unknown[] = []
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (each) => read.push(each))
  reader.on('error', (error: Error) => read.push(error.message))
  try {
    reader.parse(packet)
  } catch (error) {
    read.push(error)
  }
  // With which word a client leaves is not worth a check: it is gone either way.
  if (read[0] === 'Invalid disconnect reason code') return undefined
  return read.length === 1 && typeof read[0] === 'object' && !(read[0] instanceof Error) ? undefined : read
}

const versions = fc.constantFrom(3 as const, 4 as const, 5 as const)

test('what the parser writes is sound', () => {
  fc.assert(
    fc.property(packets, versions, (packet, version) => {
      expect(fault(written(packet, version), version)).toBeUndefined()
    }),
    { numRuns: 5_000 },
  )
})

const change = fc.record({ at: fc.nat(60), byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff)) })

test('what is changed and still found sound, the parser reads', { timeout: 60_000 }, () => {
  let sound = 0
  fc.assert(
    fc.property(
      packets,
      versions,
      fc.array(change, { maxLength: 3 }),
      fc.integer({ min: -3, max: 3 }),
      (packet, version, changes, more) => {
        const whole = written(packet, version)
        const changed = Buffer.concat([whole, Buffer.alloc(Math.max(0, more))]).subarray(0, whole.length + more)
        for (const { at, byte } of changes) if (at < changed.length) changed[at] = byte
        // One byte of length is enough for most; the others keep theirs.
        if (whole[1]! < 0x80 && changed.length < 0x82 && changed.length > 1) changed[1] = changed.length - 2
        if (fault(changed, version) !== undefined) return
        sound++
        if (version === 3 && changed[0]! >> 4 === 1) clearUnusedBits(changed, 0, changed.length)
        expect(readBy(changed, version)).toBeUndefined()
      },
    ),
    { numRuns: 10_000 },
  )
  expect(sound).toBeGreaterThan(1_000)
})
