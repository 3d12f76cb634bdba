// What counts as "here before": by the source's own identity, and by a resend that says it is one.

import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDuplicates, dedupWindowNs } from '../gateway/log/duplicates.ts'
import { confirmNsDefault, createResends, resendDigest, restoreAfter, restoreWindowNs } from '../gateway/log/resends.ts'

const second = 1_000_000_000n
const hour = 3600n * second

describe('duplicates by identity', () => {
  test('are known for at least the window and forgotten within twice that', () => {
    const window = fc.bigInt(0n, dedupWindowNs)
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, 6n * hour), { maxLength: 30 }), window, (gaps, later) => {
        const seen = createDuplicates({ windowNs: dedupWindowNs, rotations: 2 })
        let at = 0n
        for (const [index, gap] of gaps.entries()) {
          at += gap
          seen.add(`key ${index}`, at)
        }
        seen.add('last', at)
        expect(seen.known('last', at + later)).toBe(true)
        expect(seen.known('last', at + 2n * dedupWindowNs + 1n)).toBe(false)
        expect(seen.known('never', at)).toBe(false)
      }),
    )
  })

  test('a key whose frame the disk refused is not known', () => {
    const seen = createDuplicates({ windowNs: dedupWindowNs, rotations: 2 })
    seen.add('a', 0n)
    seen.add('b', 0n)
    seen.remove('a')
    expect([seen.known('a', 1n), seen.known('b', 1n), seen.size]).toEqual([false, true, 1])
  })

  test('when too many come, the window is shorter, and that is said', () => {
    const kept: bigint[] = []
    const overfull = (ns: bigint) => kept.push(ns)
    const seen = createDuplicates({ windowNs: dedupWindowNs, rotations: 2, keysPerSetMax: 1000, overfull })
    for (let n = 0; n < 10_000; n += 1) seen.add(`key ${n}`, BigInt(n) * second)
    expect(seen.size).toBeLessThanOrEqual(2000)
    expect(kept).toHaveLength(9)
    expect(kept.at(-1)).toBe(1000n * second)
    expect([seen.known('key 9999', 10_000n * second), seen.known('key 1', 10_000n * second)]).toEqual([true, false])
  })
})

const start = 1000n * hour
const digest = (text: string) => createHash('sha256').update(text).digest().subarray(0, 16)
const press = digest('button-1, packet id 1, alarm/pressed, {"pressed":true}')

function sent(resends: ReturnType<typeof createResends>, key: Uint8Array, at: bigint): void {
  resends.acknowledged(resends.add(at), key, at)
}

describe('resends', () => {
  test('connection broken before the acknowledgement arrived: known, again and again, until 10 s after it', () => {
    const resends = createResends({ startedAt: start })
    sent(resends, press, start)
    expect(resends.known(press, start + 9n * second)).toBe(true)
    expect(resends.known(press, start + 10n * second)).toBe(true)
    expect(resends.known(press, start + 11n * second)).toBe(false)
    expect(resends.known(digest('another'), start)).toBe(false)
  })

  test('slow disk: known for 10 s after the acknowledgement was written, however long that took', () => {
    const resends = createResends({ startedAt: start })
    const batch = resends.add(start)
    resends.acknowledged(batch, press, start + hour)
    expect(resends.known(press, start + hour + confirmNsDefault)).toBe(true)
    expect(resends.known(press, start + hour + confirmNsDefault + 1n)).toBe(false)
  })

  test('disk refused: sent again, it is a new message', () => {
    const resends = createResends({ startedAt: start })
    resends.failed(resends.add(start))
    expect(resends.known(press, start + second)).toBe(false)
  })

  test('a button pressed twice with the same packet id: nobody asks without DUP, and the second has its own 10 s', () => {
    const resends = createResends({ startedAt: start })
    sent(resends, press, start)
    sent(resends, press, start + 8n * second)
    expect(resends.known(press, start + 17n * second)).toBe(true)
    expect(resends.known(press, start + 20n * second)).toBe(false)
  })

  test('killed before the acknowledgement: known for a day after start, then for 10 s after it was recognised', () => {
    const resends = createResends({ startedAt: start })
    const [other, late] = [digest('b'), digest('c')]
    for (const key of [press, other, late]) resends.restore(key, start - second)
    expect(resends.known(press, start + 5n * hour)).toBe(true)
    expect(resends.known(press, start + 5n * hour + 9n * second)).toBe(true)
    // From now on packet id 1 with these bytes is a new press.
    expect(resends.known(press, start + 5n * hour + 12n * second)).toBe(false)
    expect(resends.known(other, start + 24n * hour)).toBe(true)
    expect(resends.known(late, start + 24n * hour + second)).toBe(false)
  })

  test('what is confirmed need not be restored: neither an acknowledged frame nor an old one', () => {
    const resends = createResends({ startedAt: start })
    sent(resends, press, start)
    const waiting = resends.add(start + 5n * second)
    expect(resends.confirmedThrough(start + 6n * second)).toBe(start - 1n)
    expect(resends.confirmedThrough(start + 12n * second)).toBe(start + 5n * second - 1n)
    resends.acknowledged(waiting, digest('b'), start + 12n * second)
    expect(resends.confirmedThrough(start + 30n * second)).toBe(start + 30n * second - 1n)
    resends.restore(digest('c'), start - 7n)
    expect(resends.confirmedThrough(start + 30n * second)).toBe(start - 8n)

    expect(restoreAfter(start, undefined)).toBe(start - restoreWindowNs)
    expect(restoreAfter(start, start - 3n * second)).toBe(start - 3n * second)
    expect(restoreAfter(start, start - hour)).toBe(start - restoreWindowNs)
  })

  test('the same key with another payload, or another key with the same payload, is another message', () => {
    const [key, payload] = [digest('client and packet id'), digest('payload')]
    const once = Buffer.from(resendDigest(key, payload))
    expect(resendDigest(key, payload)).toEqual(new Uint8Array(once))
    for (let at = 0; at < 16; at++) {
      const otherKey = Buffer.from(key)
      otherKey[at]! ^= 1
      expect(resendDigest(otherKey, payload)).not.toEqual(new Uint8Array(once))
    }
    for (let at = 0; at < 8; at++) {
      const otherPayload = Buffer.from(payload)
      otherPayload[at]! ^= 0x80
      expect(resendDigest(key, otherPayload)).not.toEqual(new Uint8Array(once))
    }
    expect(resendDigest(key, Buffer.concat([Buffer.alloc(5), payload]), 5)).toEqual(new Uint8Array(once))
  })

  test('memory is bounded: the oldest are dropped early, and that is said', () => {
    let dropped = 0
    const resends = createResends({ startedAt: start, entriesMax: 10_000, overfull: (count) => (dropped += count) })
    for (let n = 0; n < 100_000; n += 1) sent(resends, digest(String(n)), start + BigInt(n) * (second / 1000n))
    expect(resends.size).toBeLessThanOrEqual(11_100)
    expect(dropped + resends.size).toBe(100_000)
    expect(resends.known(digest('99999'), start + 100n * second)).toBe(true)
  })
})
