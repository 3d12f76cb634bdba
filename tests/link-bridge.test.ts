// A few cuts of the proof of links, beside mosquitto: `npm run prove -- bridge` makes fifty.

import { expect, test } from 'vitest'
import { bridge } from './prove/bridge.ts'
import { provedSmall } from './prove/small.ts'
import { describeWithTools } from './tools/present.ts'

describeWithTools('a link to mosquitto, and a bridge from it', () => {
  test(bridge.promise, async () => expect(await provedSmall(bridge)).toBe('met'), 180_000)
})
