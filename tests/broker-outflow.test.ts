// What a client is sent is given to its socket in pieces, whatever the socket makes of them, and who does not take it is noticed.

import { Writable } from 'node:stream'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Outflow } from '../broker/outflow.ts'

/** A socket that takes at once what fits in `room` bytes, and the rest when it is told to. */
function slowSocket(room: number) {
  const taken: Buffer[] = []
  let later: (() => void) | undefined
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const take = (): void => {
        taken.push(chunk)
        done()
      }
      if (chunk.length > room) later = take
      else take()
    },
  })
  const goOn = (): void => {
    const next = later
    later = undefined
    next?.()
  }
  return { socket, goOn, text: () => Buffer.concat(taken).toString('latin1') }
}

/** Their place is free. No packet of these tests has the byte with which they begin. */
const withoutAcknowledgements = (text: string): string => text.replaceAll(/@[^]{3}/g, '')

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('what leaves', () => {
  test('is given at once where the socket takes it, and nobody is called', async () => {
    const { socket, text } = slowSocket(100)
    let progress = 0
    const out = new Outflow(socket, 1_000, () => progress++)
    out.pushShort('puback', 0x0102)
    expect(out.unreadBytes).toBe(4)
    expect(out.flush()).toBe(true)
    expect(text()).toBe('\x40\x02\x01\x02')
    expect(out.unreadBytes).toBe(0)
    expect(out.stillSince(performance.now())).toBe(Infinity)
    await settled()
    expect(progress).toBe(0)
  })

  test('is all of it and in order, and who was to wait until less is unread is called then', async () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 200_000 }) }),
      fc.record({ acknowledge: fc.integer({ min: 1, max: 0xffff }) }),
      fc.constant('flush' as const),
      fc.constant('take' as const),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 0, max: 70_000 }),
        fc.integer({ min: 0, max: 100_000 }),
        async (steps, room, heedlessBytes) => {
          const { socket, goOn, text } = slowSocket(room)
          let waiting = false
          const out = new Outflow(socket, heedlessBytes, () => {
            if (out.unreadBytes <= heedlessBytes) waiting = false
          })
          const pushed = (): void => {
            if (out.unreadAfterPush() > heedlessBytes) waiting = true
          }
          let bytes = 0
          let given = ''
          for (const [index, one] of steps.entries()) {
            if (one === 'flush') out.flush()
            else if (one === 'take') goOn()
            else if ('push' in one) {
              const packet = Buffer.alloc(one.push, 97 + (index % 26))
              out.push(packet)
              given += packet.toString('latin1')
              bytes += one.push
              pushed()
            } else {
              out.pushShort('puback', one.acknowledge)
              bytes += 4
              pushed()
            }
            if (index % 5 === 4) await settled()
          }
          while (!out.flush()) {
            goOn()
            await settled()
          }
          await settled()
          expect(waiting).toBe(false)
          expect(text().length).toBe(bytes)
          expect(withoutAcknowledgements(text())).toBe(given)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('who does not take it', () => {
  test('has stood still since it was given the piece, until it takes one', async () => {
    const { socket, goOn } = slowSocket(0)
    const out = new Outflow(socket, 1_000_000, () => {})
    const before = performance.now()
    out.push(Buffer.alloc(200_000, 'x'))
    expect(out.flush()).toBe(false)
    const since = out.stillSince(before + 3_000)
    expect(since).toBeGreaterThanOrEqual(before)
    expect(since).toBeLessThan(before + 1_000)
    expect(out.stillSince(before + 4_000)).toBe(since)
    const tookAt = performance.now()
    goOn()
    await settled()
    const again = out.stillSince(before + 9_000)
    expect(again).toBeGreaterThanOrEqual(tookAt)
    expect(again).toBeLessThan(tookAt + 1_000)
  })

  test('is not blamed for what came while it took what was before', () => {
    const { socket, goOn } = slowSocket(0)
    const out = new Outflow(socket, 1_000_000, () => {})
    out.push(Buffer.alloc(10))
    out.flush()
    goOn()
    const later = performance.now() + 60_000
    out.push(Buffer.alloc(10))
    out.flush()
    expect(out.stillSince(later)).toBeGreaterThan(later - 60_100)
    goOn()
    expect(out.stillSince(later)).toBe(Infinity)
  })
})
