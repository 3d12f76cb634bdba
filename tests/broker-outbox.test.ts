// What a client is sent leaves as whole packets, one behind the other, whatever comes in between.

import { describe, expect, test } from 'vitest'

import { Outbox } from '../broker/outbox.ts'

describe('packets leave whole', () => {
  test('a PUBREC does not come into the middle of a packet that has begun to leave', () => {
    const outbox = new Outbox()
    const large = Buffer.alloc(200, 'L')
    outbox.push(large)
    const left = [outbox.take(64)!]
    outbox.pushShort('pubrec', 7)
    for (let piece = outbox.take(64); piece; piece = outbox.take(64)) left.push(piece)
    const pubrec = Buffer.of(0x50, 2, 0, 7)
    expect(Buffer.concat(left).toString('latin1')).toBe(Buffer.concat([large, pubrec]).toString('latin1'))
  })

  test('a PUBREC goes before a packet that has not begun to leave', () => {
    const outbox = new Outbox()
    outbox.push(Buffer.from('first'))
    outbox.push(Buffer.alloc(200, 'L'))
    outbox.take(64)
    outbox.pushShort('pubrec', 7)
    expect(outbox.take(Infinity)!.subarray(0, 5)).toEqual(Buffer.from([0x50, 2, 0, 7, 'L'.charCodeAt(0)]))
  })

  test('what is taken in pieces of any size is what was pushed', () => {
    const outbox = new Outbox()
    const packets = Array.from({ length: 50 }, (_, i) =>
      Buffer.alloc((i * 37) % 200, String.fromCharCode(65 + (i % 26))),
    )
    let left = ''
    for (const [i, packet] of packets.entries()) {
      outbox.push(packet)
      if (i % 3 === 0) left += outbox.take(1 + ((i * 13) % 90))?.toString('latin1') ?? ''
    }
    left += outbox.take(Infinity)?.toString('latin1') ?? ''
    expect(left).toBe(Buffer.concat(packets).toString('latin1'))
    expect(outbox.bytes).toBe(0)
  })
})
