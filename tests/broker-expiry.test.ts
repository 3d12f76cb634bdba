// The rest of a message's life, as its readers are told (MQTT 5 §3.3.2.3.3): never more than its sender gave it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isExpired, restOfLife } from '../broker/expiry.ts'

const message = (messageExpirySeconds: number) => ({
  receivedAt: 1_000_000_000_000n,
  properties: { messageExpirySeconds },
})
const after = (ms: number): bigint => 1_000_000_000_000n + BigInt(ms) * 1_000_000n

test.each([
  [10, 0, 10],
  [10, 400, 10],
  [10, 9_400, 1],
  [10, 10_000, 0],
  [0, 0, 0],
  // A clock that was set back.
  [10, -5_000, 10],
])('of %i s after %i ms: %i s', (given, ms, left) => {
  expect(restOfLife(message(given), after(ms))?.messageExpirySeconds).toBe(left)
  expect(isExpired(message(given), after(ms))).toBe(left === 0)
})

test('is never more than was given, and never less than nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: -1e9, max: 1e12 }), (given, ms) => {
      const left = restOfLife(message(given), after(ms))!.messageExpirySeconds!
      expect(left).toBeGreaterThanOrEqual(0)
      expect(left).toBeLessThanOrEqual(given)
    }),
  )
})
