// What the standard forbids is found on the bytes of a packet, and what it allows passes: MQTT 3.1 and 3.1.1.

import { describe, expect, test } from 'vitest'

import { defaultLimits } from '../broker/limits.ts'
import { clearUnusedBits, connectVersion, packetFault } from '../broker/packets.ts'
import { ackPacket, connectPacket, frame, mqtt, publishPacket, subscribePacket, text } from './tools/raw-mqtt.ts'

const fault = (packet: Buffer, version = 4) => packetFault(packet, 0, packet.length, version, defaultLimits)
const versionOf = (packet: Buffer) => connectVersion(packet, 0, packet.length)

// MQTT 3.1.1 §1.5.3: the first and the last of each range, and their neighbours outside; U+2A6D4 is the standard's own example.
const forbidden = ['\u0000', '\u0001', '\u001f', '\u007f', '\u0080', '\u009f']
const allowed = [' ', '~', '\u00a0', 'é', '\u{2a6d4}']

const user = (name: string): Buffer =>
  frame(0x10, text('MQTT'), Buffer.of(4, 0x82, 0, 60), text('x'), text(`a${name}b`))
const places: readonly [string, (character: string) => Buffer][] = [
  ['a topic', (c) => publishPacket(`a${c}b`)],
  ['a topic that ends with it', (c) => publishPacket(`a${c}`)],
  ['a filter', (c) => subscribePacket([`a${c}b`])],
  ['a filter that is given up', (c) => frame(0xa2, Buffer.of(0, 1), text(`a${c}b`))],
  ['a client id', (c) => connectPacket({ clientId: `a${c}b` })],
  ['the topic of a will', (c) => connectPacket({ will: { topic: `a${c}b`, payload: '' } })],
  ['a user name', user],
]

describe.each(places)('%s', (_where, packet) => {
  test.each(forbidden)('is refused with the control character %j', (character) => {
    expect(fault(packet(character))?.why).toMatch(/control character/)
  })
  test.each(allowed)('is taken with %j', (character) => expect(fault(packet(character))).toBeUndefined())
  test('is refused with half of a surrogate pair', () => {
    // U+D800, as no UTF-8 writes it; latin1 keeps the bytes as they are here.
    const marked = packet('???')
    marked.set([0xed, 0xa0, 0x80], marked.indexOf('???'))
    expect(fault(marked)?.why).toMatch(/UTF-8/)
  })
})

test('a password and the message of a will are bytes, not text', () => {
  const secret = frame(
    0x10,
    text('MQTT'),
    Buffer.of(4, 0xc6, 0, 60),
    text('x'),
    text('will'),
    text(Buffer.of(0, 0xff)),
    text('user'),
    text(Buffer.of(0, 1, 0xff)),
  )
  expect(fault(secret)).toBeUndefined()
})

describe('PUBACK, PUBREC, PUBREL and PUBCOMP', () => {
  const types = [mqtt.puback, mqtt.pubrec, mqtt.pubrel, mqtt.pubcomp]
  const longer = (type: number): Buffer => frame((type << 4) | (type === mqtt.pubrel ? 2 : 0), Buffer.of(0, 1, 0))

  test.each(types)('of type %i are a packet identifier and no more', (type) => {
    expect(fault(ackPacket(type, 1))).toBeUndefined()
    expect(fault(longer(type))?.why).toBe('an acknowledgement that is more than a packet identifier')
    expect(fault(frame((type << 4) | (type === mqtt.pubrel ? 2 : 0), Buffer.of(1)))?.why).toMatch(/missing/)
  })
  test.each(types)('of type %i have a reason in MQTT 5', (type) => expect(fault(longer(type), 5)).toBeUndefined())
})

describe('a CONNECT', () => {
  const greeting = (name: string, version: number): Buffer =>
    frame(0x10, text(name), Buffer.of(version, 2, 0, 60), text('x'))

  test.each([
    ['MQIsdp', 3],
    ['MQTT', 4],
    ['MQTT', 5],
  ])('of %s version %i is understood', (name, version) => expect(versionOf(greeting(name, version))).toBe(version))

  test('of a bridge says so in the highest bit of its version', () => {
    expect(versionOf(greeting('MQTT', 0x84))).toBe(4)
    expect(versionOf(greeting('MQIsdp', 0x83))).toBe(3)
  })

  test.each([
    // Return code 1 of MQTT 3.1.1 §3.2.2.3; 0x84 of MQTT 5 §3.2.2.2.
    ['MQTT', 3, [0x20, 2, 0, 1]],
    ['MQIsdp', 4, [0x20, 2, 0, 1]],
    ['MQTT', 2, [0x20, 3, 0, 0x84, 0]],
    ['MQTT', 6, [0x20, 3, 0, 0x84, 0]],
    ['MQIsdp', 6, [0x20, 3, 0, 0x84, 0]],
  ])('of %s version %i is answered that this is not spoken', (name, version, answer) => {
    expect(versionOf(greeting(name, version))).toMatchObject({ answer: Buffer.from(answer) })
  })

  test.each([
    ['another name', greeting('MQTTT', 4)],
    ['a name in other letters', greeting('mqtt', 4)],
    ['no name', greeting('', 4)],
    ['a name longer than its packet', frame(0x10, Buffer.of(0, 9), Buffer.from('MQTT'))],
    ['nothing after the name', frame(0x10, text('MQTT'))],
    ['nothing at all', frame(0x10)],
  ])('with %s gets no answer', (_what, packet) => expect(versionOf(packet)).not.toHaveProperty('answer'))

  test('is found behind other bytes, with a length of more than one byte', () => {
    const packet = connectPacket({ clientId: 'x'.repeat(200) })
    expect(connectVersion(Buffer.concat([Buffer.of(0xc0, 0), packet, packet]), 2, 2 + packet.length)).toBe(4)
  })

  test('of MQTT 3.1 may have set what 3.1 does not use; it is cleared and the rest is kept', () => {
    const sound = connectPacket({ version: 3, clientId: 'x'.repeat(200), will: { topic: 'a', payload: 'b' } })
    const odd = Buffer.from(sound)
    odd[0]! |= 0x0f
    odd[12]! |= 1
    expect(fault(odd, 3)).toBeUndefined()
    expect(fault(Buffer.concat([Buffer.of(0x14), connectPacket().subarray(1)]), 4)?.why).toMatch(/flags/)
    clearUnusedBits(odd, 0, odd.length)
    expect(odd).toEqual(sound)
  })
})
