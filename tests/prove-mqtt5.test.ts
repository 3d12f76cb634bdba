// A small part of `npm run prove` for every day: what MQTT 5 adds to it, on the gateway alone.

import { expect, test } from 'vitest'
import { expiryOfMqtt5 } from './prove/expiry.ts'
import { oneFrozenOfMqtt5 } from './prove/frozen.ts'
import { killOfMqtt5 } from './prove/kill.ts'
import { orderOfMqtt5 } from './prove/order.ts'
import { provedSmall } from './prove/small.ts'

test.each([orderOfMqtt5, killOfMqtt5])('$name: $promise', { timeout: 90_000 }, async (row) => {
  expect(await provedSmall(row)).toBe('met')
})

test(`${oneFrozenOfMqtt5.name}: ${oneFrozenOfMqtt5.promise}`, { timeout: 90_000 }, async () => {
  // On a machine that is late by itself nobody can say who held them up; what is lost, doubled or held back is told all the same.
  expect(['met', 'not judged']).toContain(await provedSmall(oneFrozenOfMqtt5))
})

test(`${expiryOfMqtt5.name}: ${expiryOfMqtt5.promise}`, { timeout: 90_000 }, async () => {
  // Without libfaketime it cannot be run.
  expect(['met', 'not run']).toContain(await provedSmall(expiryOfMqtt5))
})
