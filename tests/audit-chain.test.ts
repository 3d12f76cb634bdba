// The audit's chain: whatever is taken out of it, changed, moved, put in or cut off is found, and nothing else is.

import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Head } from '../gateway/audit/chain.ts'
import { auditFolderOf, filesOf, noteOf, openAudit, placesOf, verifyFolder } from './tools/audit-house.ts'
import { tempFolder } from './tools/temp-folder.ts'

const count = 800
const whole = tempFolder('audit')
let head: Head

beforeAll(async () => {
  const { audit, anchor } = openAudit(whole, { settings: { whenItFails: 'alarm', keepMs: 1e12, fileBytes: 40_000 } })
  for (let number = 1; number <= count; number += 1) {
    if (number % 100 === 0) await audit.write(noteOf(number))
    else audit.note(noteOf(number))
  }
  await audit.close()
  head = anchor.head!
})

/** A copy in which one file has other bytes; undefined: it is gone. */
function damaged(
  at: number,
  change: (bytes: Buffer) => Buffer | undefined,
): { dataDir: string; [Symbol.dispose](): void } {
  const dataDir = tempFolder('audit-damaged')
  mkdirSync(auditFolderOf(dataDir))
  for (const [index, path] of filesOf(whole).entries()) {
    const target = join(auditFolderOf(dataDir), basename(path))
    if (index !== at) copyFileSync(path, target)
    else {
      const changed = change(readFileSync(path))
      if (changed) writeFileSync(target, changed)
    }
  }
  return { dataDir, [Symbol.dispose]: () => rmSync(dataDir, { recursive: true }) }
}

const without = (bytes: Buffer, from: number, to: number): Buffer =>
  Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])

test('as it was written it is whole: every entry, to the anchored end, in several files of mode 0600', () => {
  const found = verifyFolder(whole, head)
  expect(found).toMatchObject({ entries: count, first: 1, faults: [], unfinishedBytes: 0 })
  expect(found.head.number).toBe(count)
  expect(found.anchored).toHaveLength(1)
  expect(found.files).toBeGreaterThan(3)
  expect(filesOf(whole).map((path) => statSync(path).mode & 0o777)).toEqual(Array(found.files).fill(0o600))
})

describe('it is found, with the number of the entry, when', () => {
  const fileCount = () => filesOf(whole).length
  const where = fc.record({ file: fc.nat(), entry: fc.nat(), byte: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) })
  const runs = { numRuns: 150 }

  /** The place of an entry anywhere. */
  function chosen({ file, entry }: { file: number; entry: number }) {
    const at = file % fileCount()
    const places = placesOf(readFileSync(filesOf(whole)[at]!))
    return { at, places, index: entry % places.length, place: places[entry % places.length]! }
  }
  /** A change may be seen at the entry itself, or at the one that names its digest. */
  function expectFound(dataDir: string, number: number): void {
    const { faults } = verifyFolder(dataDir, head)
    expect(faults.length).toBeGreaterThan(0)
    expect(faults[0]!.number).toBeGreaterThanOrEqual(number - 1)
    expect(faults[0]!.number).toBeLessThanOrEqual(number)
  }

  test('a byte of any entry is changed, its length included', () => {
    fc.assert(
      fc.property(where, (given) => {
        const { at, place } = chosen(given)
        using copy = damaged(at, (bytes) => {
          bytes[place.from + (given.byte % (place.to - place.from))]! ^= given.flip
          return bytes
        })
        expectFound(copy.dataDir, place.number)
      }),
      runs,
    )
  })

  test('any single entry is taken out', () => {
    fc.assert(
      fc.property(where, (given) => {
        const { at, place } = chosen(given)
        using copy = damaged(at, (bytes) => without(bytes, place.from, place.to))
        const { faults } = verifyFolder(copy.dataDir, head)
        expect(faults[0]?.number).toBe(place.number)
      }),
      runs,
    )
  })

  test('two neighbours change places, or one is there twice', () => {
    fc.assert(
      fc.property(where, fc.boolean(), (given, isSwap) => {
        const { at, places, index } = chosen(given)
        const [one, other] = [places[index]!, places[index + 1]]
        if (!other) return
        using copy = damaged(at, (bytes) => {
          const [first, second] = [bytes.subarray(one.from, one.to), bytes.subarray(other.from, other.to)]
          const middle = isSwap ? [second, first] : [first, first, second]
          return Buffer.concat([bytes.subarray(0, one.from), ...middle, bytes.subarray(other.to)])
        })
        expectFound(copy.dataDir, isSwap ? one.number : other.number)
      }),
      runs,
    )
  })

  test('the end is cut off at any byte', () => {
    const last = fileCount() - 1
    const bytes = readFileSync(filesOf(whole)[last]!)
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), (length) => {
        const kept = placesOf(bytes.subarray(0, length)).at(-1)?.number ?? placesOf(bytes)[0]!.number - 1
        using copy = damaged(last, (all) => all.subarray(0, length))
        const { faults } = verifyFolder(copy.dataDir, head)
        expect(faults[0]).toMatchObject({ number: kept + 1, what: expect.stringContaining('missing at the end') })
      }),
      runs,
    )
  })

  test('a whole file is gone, the first, the last or one between, or it is empty', () => {
    for (let at = 0; at < fileCount(); at += 1) {
      const first = placesOf(readFileSync(filesOf(whole)[at]!))[0]!.number
      for (const change of [() => undefined, () => Buffer.alloc(0)]) {
        using copy = damaged(at, change)
        expect(verifyFolder(copy.dataDir, head).faults[0]?.number).toBe(first)
      }
    }
  })

  test('all of it is gone', () => {
    const dataDir = tempFolder('audit-gone')
    expect(verifyFolder(dataDir, head).faults).toMatchObject([{ number: 1 }])
  })

  test('a length is written in a longer way, which no digest would show', () => {
    using copy = damaged(0, (bytes) => {
      const { from } = placesOf(bytes)[0]!
      const low = bytes[from]!
      const high = bytes[from + 1]!
      // Two bytes of length, as all of these have; a third that adds nothing.
      expect([low > 0x7f, high > 0 && high < 0x80]).toEqual([true, true])
      return Buffer.concat([Buffer.from([low, high | 0x80, 0]), bytes.subarray(from + 2)])
    })
    expect(verifyFolder(copy.dataDir, head).faults.length).toBeGreaterThan(0)
  })

  test('the whole chain is written anew with one entry changed: the anchor tells', async () => {
    const forged = tempFolder('audit-forged')
    const { audit, anchor } = openAudit(forged)
    for (let number = 1; number <= count; number += 1) {
      audit.note(number === 400 ? { ...noteOf(number), principal: 'mqtt:somebody-else' } : noteOf(number))
    }
    await audit.close()
    expect(verifyFolder(forged, anchor.head).faults).toEqual([])
    expect(verifyFolder(forged, head).faults).toMatchObject([
      { number: count, what: expect.stringContaining('is not the one that was written') },
    ])
  })
})
