// A small part of `npm run prove` for every day: what is acknowledged survives kills and a full disk, and sessions get it in order, on
// the gateway alone.

import { expect, test } from 'vitest'
import { diskFull } from './prove/disk-full.ts'
import { kill } from './prove/kill.ts'
import { order, orderThroughKills } from './prove/order.ts'
import { provedSmall } from './prove/small.ts'

test.each([kill, order, orderThroughKills])('$name: $promise', { timeout: 90_000 }, async (row) => {
  expect(await provedSmall(row)).toBe('met')
})

test('disk-full', { timeout: 60_000 }, async () => {
  // Left out where no user may mount a disk of his own.
  expect(['met', 'not run']).toContain(await provedSmall(diskFull))
})
