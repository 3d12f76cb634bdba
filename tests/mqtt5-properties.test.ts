// The properties of MQTT 5, told from the bytes: which may stand where, once, in which form and with which values.

import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'

import { defaultLimits } from '../broker/limits.ts'
import { packetFault } from '../broker/packets.ts'
import { propertiesEnd, type Place } from '../broker/properties.ts'
import { closeBrokers, startBroker } from './tools/broker.ts'
import { connectPacket, frame, mqtt, openRaw, publishPacket, text } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

const places: readonly Place[] = [
  'CONNECT',
  'will',
  'PUBLISH',
  'acknowledgement',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'DISCONNECT',
]

// MQTT 5 table 2-4, read by row: a sound example of each, and the initials of the packets in which a client may send it.
// C CONNECT, W will, P PUBLISH, A the four acknowledgements, S SUBSCRIBE, U UNSUBSCRIBE, D DISCONNECT.
const rows: readonly [string, string, string][] = [
  ['payload format indicator', '0101', 'WP'],
  ['message expiry interval', '0200000001', 'WP'],
  ['content type', '03000161', 'WP'],
  ['response topic', '08000161', 'WP'],
  ['correlation data', '090002ff00', 'WP'],
  ['subscription identifier', '0bffffff7f', 'S'],
  ['session expiry interval', '1100000000', 'CD'],
  ['assigned client identifier', '12000161', ''],
  ['server keep alive', '13000a', ''],
  ['authentication method', '15000161', 'C'],
  ['request problem information', '1700', 'C'],
  ['will delay interval', '18ffffffff', 'W'],
  ['request response information', '1901', 'C'],
  ['response information', '1a000161', ''],
  ['server reference', '1c000161', 'D'],
  ['reason string', '1f000161', 'AD'],
  ['receive maximum', '210001', 'C'],
  ['topic alias maximum', '220000', 'C'],
  ['topic alias', '230001', 'P'],
  ['maximum QoS', '2401', ''],
  ['retain available', '2501', ''],
  ['user property', '2600016100026263', 'CWPASUD'],
  ['maximum packet size', '2700000001', 'C'],
  ['wildcard subscription available', '2801', ''],
  ['subscription identifier available', '2901', ''],
  ['shared subscription available', '2a01', ''],
]
const initial: Record<Place, string> = {
  CONNECT: 'C',
  will: 'W',
  PUBLISH: 'P',
  acknowledgement: 'A',
  SUBSCRIBE: 'S',
  UNSUBSCRIBE: 'U',
  DISCONNECT: 'D',
}

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')
const listed = (...items: readonly Uint8Array[]): Buffer => {
  const whole = Buffer.concat(items)
  return Buffer.concat([Buffer.of(whole.length), whole])
}
const end = (bytes: Buffer, place: Place) => propertiesEnd(bytes, 0, bytes.length, place, defaultLimits)
const why = (bytes: Buffer, place: Place): string => {
  const result = end(bytes, place)
  return typeof result === 'number' ? '' : result.why
}

describe.each(rows)('%s', (name, example, allowed) => {
  const property = hex(example)

  test.each(places)('stands where the standard lets it: %s', (place) => {
    const bytes = listed(property)
    if (allowed.includes(initial[place])) expect(end(bytes, place)).toBe(bytes.length)
    else expect(why(bytes, place)).toBe(`a ${name} in ${place}`)
  })

  test('is malformed when it is cut off, wherever and in whatever packet', () => {
    for (const place of places) {
      for (let length = 1; length < property.length; length++) {
        expect(end(listed(property.subarray(0, length)), place)).toMatchObject({ malformed: true })
      }
    }
  })
})

const single = rows.filter(([name, , allowed]) => allowed !== '' && name !== 'user property')
test.each(single)('a %s comes once', (name, example, allowed) => {
  const place = places.find((each) => allowed.includes(initial[each]))!
  expect(end(listed(hex(example), hex(example)), place)).toEqual({ malformed: false, why: `a ${name} twice` })
})

test('user properties come more than once, may be empty, and are so many at most, in whatever packet', () => {
  expect(end(listed(hex('2600000000'), hex('2600016100026263'), hex('2600000000')), 'SUBSCRIBE')).toBe(19)
  const many = (count: number): Buffer => {
    const whole = Buffer.alloc(5 * count, hex('2600000000'))
    return Buffer.concat([Buffer.of((whole.length & 0x7f) | 0x80, whole.length >> 7), whole])
  }
  for (const place of places) {
    expect(end(many(100), place)).toBe(502)
    expect(end(many(101), place)).toEqual({ malformed: false, tooMany: true, why: 'more than 100 user properties' })
  }
  const publish = frame(0x30, text('a'), many(101))
  expect(packetFault(publish, 0, publish.length, 5, defaultLimits)?.reasonCode).toBe(0x97)
})

test.each([
  ['payload format indicator', '0102', 'PUBLISH'],
  ['request problem information', '1702', 'CONNECT'],
  ['request response information', '19ff', 'CONNECT'],
  ['receive maximum', '210000', 'CONNECT'],
  ['maximum packet size', '2700000000', 'CONNECT'],
  ['subscription identifier', '0b00', 'SUBSCRIBE'],
  ['response topic', '080000', 'will'],
  ['response topic', '080003612f2b', 'PUBLISH'],
  ['response topic', '08000123', 'PUBLISH'],
  ['response topic', '08000107', 'PUBLISH'],
] as const)('a %s of %s is refused', (name, example, place) => {
  expect(end(listed(hex(example)), place)).toEqual({ malformed: false, why: `a ${name} of this value` })
})

test('authentication data needs its method, in whatever order', () => {
  expect(why(listed(hex('16000161')), 'CONNECT')).toBe('authentication data without a method')
  expect(end(listed(hex('16000161'), hex('15000161')), 'CONNECT')).toBe(9)
})

test.each([
  ['that does not exist', '027f01'],
  ['0', '020001'],
  ['of two bytes', '03800101'],
  ['whose text is not UTF-8', '04030001ff'],
  ['whose text holds NUL', '0403000100'],
  ['of a list longer than its packet', '050101'],
  ['of a list with no length', ''],
  ['of a list whose length is longer than it must be', '80000101'],
  ['of a list whose length has five bytes', '8080808001'],
])('a property %s is malformed', (_what, bytes) => {
  expect(end(hex(bytes), 'PUBLISH')).toMatchObject({ malformed: true })
})

test('whatever the bytes, they end within the packet or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...places), (bytes, place) => {
      const result = propertiesEnd(bytes, 0, bytes.length, place, defaultLimits)
      if (typeof result === 'number') expect(result).toBeLessThanOrEqual(bytes.length)
      else expect(result.why).not.toBe('')
    }),
    { numRuns: 5_000 },
  )
})

describe('a packet of MQTT 5', () => {
  const reason = (packet: Buffer) => packetFault(packet, 0, packet.length, 5, defaultLimits)?.reasonCode
  const id = Buffer.of(0, 7)
  const twice = listed(hex('1f000161'), hex('1f000161'))

  test.each([
    ['PUBACK', 0x40, [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]],
    ['PUBREC', 0x50, [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]],
    ['PUBREL', 0x62, [0x00, 0x92]],
    ['PUBCOMP', 0x70, [0x00, 0x92]],
  ] as const)('%s has a reason of its own list, then properties, then nothing', (_name, first, reasons) => {
    for (let code = 0; code < 256; code++) {
      const sound = (reasons as readonly number[]).includes(code)
      expect(reason(frame(first, id, Buffer.of(code)))).toBe(sound ? undefined : 0x82)
    }
    expect(reason(frame(first, id))).toBeUndefined()
    expect(reason(frame(first, id, Buffer.of(0), listed(hex('1f000161'))))).toBeUndefined()
    expect(reason(frame(first, id, Buffer.of(0), twice))).toBe(0x82)
    expect(reason(frame(first, id, Buffer.of(0), listed(), Buffer.of(0)))).toBe(0x81)
    expect(reason(frame(first, Buffer.of(7)))).toBe(0x81)
    expect(reason(frame(first, Buffer.of(0, 0)))).toBe(0x82)
  })

  test('DISCONNECT has a reason, then properties, then nothing', () => {
    expect(reason(frame(0xe0))).toBeUndefined()
    expect(reason(frame(0xe0, Buffer.of(4)))).toBeUndefined()
    expect(reason(frame(0xe0, Buffer.of(0), listed(hex('1100000005'))))).toBeUndefined()
    expect(reason(frame(0xe0, Buffer.of(0), twice))).toBe(0x82)
    expect(reason(frame(0xe0, Buffer.of(0), listed(), Buffer.of(0)))).toBe(0x81)
  })

  test('is read behind its properties: texts, filters, a will', () => {
    const some = listed(hex('2600016100026263'))
    const head = [text('MQTT'), Buffer.of(5, 6, 0, 60), some, text('me'), listed(hex('1800000001')), text('will/topic')]
    expect(reason(frame(0x10, ...head, text('gone')))).toBeUndefined()
    expect(reason(frame(0x10, ...head))).toBe(0x81)
    expect(reason(frame(0x10, ...head, text('gone'), Buffer.of(0)))).toBe(0x81)
    expect(reason(frame(0x82, id, listed(hex('0b07')), text('a/#'), Buffer.of(0x2d)))).toBeUndefined()
    expect(reason(frame(0x82, id, listed(hex('0b07')), text('a/#'), Buffer.of(0x30)))).toBe(0x81)
    expect(reason(frame(0xa2, id, some, text('a/#')))).toBeUndefined()
    expect(reason(frame(0xa2, id, some))).toBe(0x81)
    expect(reason(frame(0x32, text('a'), id, some, Buffer.from('payload')))).toBeUndefined()
    expect(reason(frame(0x32, text('a'), id, listed(hex('0b07')), Buffer.from('payload')))).toBe(0x82)
  })

  test('CONNECT with a client id that is no text is told so', () => {
    expect(reason(connectPacket({ version: 5, clientId: 'a\u0007' }))).toBe(0x85)
  })
})

test('a session expiry that comes twice costs its connection, and not the process', async () => {
  const { port } = await startBroker()
  const expiry = hex('1100000001')
  const raw = await openRaw(port)
  raw.send(frame(0x10, text('MQTT'), Buffer.of(5, 0, 0, 60), listed(expiry, expiry), text('twice')))
  await raw.closed
  const next = await openRaw(port)
  next.send(connectPacket(), publishPacket('a', { id: 5 }))
  await next.packet(mqtt.puback)
  next.close()
})
