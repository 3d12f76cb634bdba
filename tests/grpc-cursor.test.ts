// A cursor comes back as it went, or is refused.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../gateway/grpc/cursor.ts'

const sequence = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const time = fc.bigInt({ min: 0n, max: 2n ** 62n })
const cursors = fc.record({
  epoch: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  bookmark: fc.record({ urgent: sequence, routine: sequence }),
  loggedAt: fc.record({ urgent: time, routine: time }),
  inSnapshot: fc.boolean(),
})
const refused = expect.objectContaining({ code: 'invalid_argument' })

test('comes back as it went', () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      expect(decodeCursor(encodeCursor(cursor), 'after_cursor')).toEqual(cursor)
    }),
  )
})

test('is refused when a bit of it is flipped or a byte is missing', () => {
  fc.assert(
    fc.property(cursors, fc.nat(46 * 8 - 1), fc.nat(45), (cursor, bit, length) => {
      const bytes = encodeCursor(cursor)
      expect(() => decodeCursor(bytes.subarray(0, length), 'after_cursor')).toThrow(refused)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => decodeCursor(bytes, 'after_cursor')).toThrow(refused)
    }),
  )
})

test('is refused when it is anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(() => decodeCursor(bytes, 'after_cursor')).toThrow(refused)
    }),
  )
})
