// A small part of `npm run prove` for every day: what is acknowledged survives kills, and sessions get it in order, on the
// gateway alone. A full disk has a test of its own.

import { expect, test } from 'vitest'
import { kill } from './prove/kill.ts'
import { order, orderThroughKills } from './prove/order.ts'
import { provedSmall } from './prove/small.ts'

test.each([kill, order, orderThroughKills])('$name: $promise', { timeout: 90_000 }, async (row) => {
  expect(await provedSmall(row)).toBe('met')
})
