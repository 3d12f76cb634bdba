// What a session is owed, as numbers: in order, and never more memory than it is owed.

import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'

import { createOwed } from '../broker/owed.ts'
import { createOwedQueue, qosBits, retainedBit } from '../broker/owed-queue.ts'
import { newSession } from '../broker/session.ts'
import { closeBrokers, startBroker, until } from './tools/broker.ts'
import { ackPacket, connectPacket, mqtt, openRaw, subscribePacket } from './tools/raw-mqtt.ts'

afterEach(closeBrokers)

interface Entry {
  readonly number: number
  readonly bits: number
}

/** A plain list, looked through from the front. */
function createModel() {
  const entries: Entry[] = []
  return {
    entries,
    remove(number: number): number | undefined {
      const at = entries.findIndex((entry) => entry.number === number && !(entry.bits & retainedBit))
      return at < 0 ? undefined : entries.splice(at, 1)[0]!.bits
    },
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      gap: fc.integer({ min: 1, max: 3 }),
      bits: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retained' as const), bits: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('shift' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), of: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
)

test('it is a list from which the first and any message can be taken', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (steps, times) => {
      const queue = createOwedQueue()
      const model = createModel()
      let number = 0
      let retained = 0
      for (let round = 0; round < times; round++) {
        for (const one of steps) {
          if (one.kind === 'push') {
            number += one.gap
            queue.push(number, one.bits)
            model.entries.push({ number, bits: one.bits })
          } else if (one.kind === 'retained') {
            queue.push(++retained, one.bits | retainedBit)
            model.entries.push({ number: retained, bits: one.bits | retainedBit })
          } else if (one.kind === 'shift') {
            queue.shift()
            model.entries.shift()
          } else {
            const which = Math.floor(one.of * (number + 1))
            const bits = queue.remove(which)
            expect(bits === undefined ? undefined : bits & qosBits).toBe(model.remove(which))
          }
          expect(queue.size).toBe(model.entries.length)
          expect(queue.peek()).toEqual(model.entries[0])
        }
      }
      for (const entry of model.entries) {
        expect(queue.peek()).toEqual(entry)
        queue.shift()
      }
      expect(queue.peek()).toBeUndefined()
    }),
    { numRuns: 100 },
  )
})

test('a million positions of one device, behind a message that waits, take the room of two', () => {
  const queue = createOwedQueue()
  const before = heapBytes()
  queue.push(1, 1)
  queue.push(2, 1)
  for (let number = 3; number <= 1_000_000; number++) {
    queue.remove(number - 1)
    queue.push(number, 1)
  }
  // Sixteen would be those of a million; a collector that is late leaves some.
  expect(heapBytes() - before).toBeLessThan(8 << 20)
  expect(queue.size).toBe(2)
  queue.shift()
  expect(queue.peek()).toEqual({ number: 1_000_000, bits: 1 })
})

test('the older one of ten thousand positions is found without looking through the others', () => {
  const queue = createOwedQueue()
  const devices = 10_000
  let number = 0
  for (let device = 0; device < devices; device++) queue.push(++number, 1)
  const begun = performance.now()
  for (let round = 0; round < 20; round++) {
    for (let device = 0; device < devices; device++) {
      queue.remove(number + 1 - devices)
      queue.push(++number, 1)
    }
  }
  // 200,000 times: it took 2 s when each looked through ten thousand.
  expect(performance.now() - begun).toBeLessThan(500)
  expect(queue.size).toBe(devices)
})

test('a QoS 0 message waits behind positions that came at QoS 0 and then at 1', async () => {
  const { port, say, broker } = await startBroker()
  const reader = await openRaw(port)
  reader.send(connectPacket(), subscribePacket(['p/#']))
  await reader.packet(mqtt.suback)
  for (let i = 0; i < 200; i++) say({ topic: 'p/fill', payload: `${i}` })
  for (const qos of [0, 1] as const) {
    for (let i = 0; i < 1_100; i++) say({ topic: `p/${i}`, payload: `${i}`, qos, kind: 'position' })
  }
  say({ topic: 'p/last', payload: 'last', qos: 0 })
  expect(broker.counts().dropped).toEqual({ superseded: 1_100 })
  let seen = 0
  const texts: string[] = []
  await until(() => {
    for (; seen < reader.packets.length; seen++) {
      const { type, flags, body } = reader.packets[seen]!
      if (type !== mqtt.publish) continue
      const at = 2 + body.readUInt16BE(0)
      if (flags & 6) reader.send(ackPacket(mqtt.puback, body.readUInt16BE(at)))
      texts.push(body.toString('latin1', flags & 6 ? at + 2 : at))
    }
    return texts.at(-1) === 'last'
  }, 'the last')
  expect(texts.slice(-2)).toEqual(['1099', 'last'])
})

function heapBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

test('of a reader that never catches up as many positions are remembered as it may be owed, whatever their topics', () => {
  const nothing = (): void => {}
  const owed = createOwed({
    limits: { queuedMessagesMax: 200, queuedMessagesInAllMax: 200 },
    dropped: nothing,
    paid: nothing,
    keep: nothing,
  })
  const session = newSession('reader', { name: 'reader', principal: { name: 'reader' } }, 5)
  const position = { payload: Buffer.alloc(0), qos: 1, retain: false, receivedAt: 0n, kind: 'position' } as const
  for (let number = 1; number <= 5_000; number++) {
    owed.wait(session, 0, { ...position, number, topic: `unit/${number}` }, 1)
    if (number > 100) owed.dequeue(session, 0, 1)
  }
  expect(session.owedCount).toBe(100)
  expect(session.positions.size).toBeLessThanOrEqual(200)
})
