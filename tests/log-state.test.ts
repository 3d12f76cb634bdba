// What stands beside the segments: state.sqlite, bookmarks, and what they do when the file is damaged or the disk refuses.

import { closeSync, copyFileSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { createBookmarks } from '../gateway/log/bookmarks.ts'
import { createLog } from '../gateway/log/create-log.ts'
import { openState, stateFile } from '../gateway/log/state.ts'
import type { State, StateParts } from '../gateway/log/state.ts'
import { testClock } from './faults/fault-log.ts'
import { tempFolder } from './tools/temp-folder.ts'

const head = () => ({ urgent: 100, routine: 1000 })
const bookmarksOf = (state: State, headNow = head, warnings: string[] = []) =>
  createBookmarks({ state, head: headNow, now: () => 7n, warn: (text) => warnings.push(text) })

describe('state.sqlite', () => {
  test('is readable by its owner only, with its side files', () => {
    const dataDir = tempFolder('state')
    const state = openState({ dataDir })
    for (const name of readdirSync(dataDir))
      expect([name, statSync(join(dataDir, name)).mode & 0o777]).toEqual([name, 0o600])
    expect(readdirSync(dataDir)).toContain(`${stateFile}-wal`)
    state.close()
    expect(readdirSync(dataDir)).toEqual([stateFile])
  })

  test('keeps a mark across a close, gathers writes, and writes them within a second', async () => {
    const dataDir = tempFolder('state')
    const state = openState({ dataDir })
    state.setMark('since', 2n ** 62n)
    expect(state.mark('since')).toBe(2n ** 62n)
    const other = openState({ dataDir })
    expect(other.mark('since')).toBeUndefined()
    await expect.poll(() => other.mark('since'), { timeout: 2000, interval: 50 }).toBe(2n ** 62n)
    other.close()
    state.setMark('since', 5n)
    state.close()
    const again = openState({ dataDir })
    expect([again.mark('since'), again.mark('other')]).toEqual([5n, undefined])
    again.close()
  })

  test('is moved aside and made anew when it is no database, and when a page of it is damaged', () => {
    for (const damage of ['whole', 'page'] as const) {
      const dataDir = tempFolder('state')
      const first = openState({ dataDir })
      const path = first.path
      const bookmarks = bookmarksOf(first)
      for (let n = 0; n < 2000; n += 1) bookmarks.set(`reader ${n} ${'x'.repeat(50)}`, { urgent: 1, routine: 1 })
      first.close()
      if (damage === 'whole') writeFileSync(path, Buffer.alloc(5000, 0xa5))
      else {
        const file = openSync(path, 'r+')
        writeSync(file, Buffer.alloc(3000, 0xa5), 0, 3000, 4096 * 12)
        closeSync(file)
      }
      const warnings: string[] = []
      const state = openState({ dataDir, warn: (text) => warnings.push(text) })
      expect(state.movedAside).toBe(`${path}.damaged-1`)
      expect(existsSync(`${path}.damaged-1`)).toBe(true)
      expect(warnings).toHaveLength(1)
      expect(bookmarksOf(state).list()).toEqual([])
      state.close()
    }
  })

  test('of a newer version is refused and left as it is', () => {
    const dataDir = tempFolder('state')
    const state = openState({ dataDir })
    state.database.exec('PRAGMA user_version = 99')
    state.close()
    expect(() => openState({ dataDir })).toThrow(expect.objectContaining({ code: 'log_foreign' }))
    expect(readdirSync(dataDir)).toEqual([stateFile])
  })

  test('keeps what it could not write, says so once, and writes it when the disk takes it again', async () => {
    const dataDir = tempFolder('state')
    const said: (string | undefined)[] = []
    const parts: StateParts = { dataDir, failed: (error) => said.push(error?.message) }
    const state = openState(parts)
    const bookmarks = bookmarksOf(state)
    const { page_count: pages } = state.database.prepare('PRAGMA page_count').get() as { page_count: number }
    state.database.exec(`PRAGMA max_page_count = ${pages}`)
    for (let n = 0; n < 500; n += 1) bookmarks.set(`reader ${n} ${'x'.repeat(100)}`, { urgent: n % 100, routine: n })
    state.flush()
    state.flush()
    expect(said).toEqual(['database or disk is full'])
    state.database.exec('PRAGMA max_page_count = 100000')
    await expect.poll(() => said.at(-1), { timeout: 3000 }).toBeUndefined()
    state.close()
    const again = openState(parts)
    expect(bookmarksOf(again).list()).toHaveLength(500)
    again.close()
  })

  test('a write that must be durable is rolled back whole when it fails', () => {
    const dataDir = tempFolder('state')
    const state = openState({ dataDir })
    expect(() =>
      state.now(() => {
        state.database.exec("INSERT INTO marks VALUES ('a', 1)")
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(state.mark('a')).toBeUndefined()
    state.close()
  })
})

describe('what must be durable, without this thread waiting for the disk', () => {
  /** Syncs that end when the test says so. */
  function heldSyncs() {
    const begun: PromiseWithResolvers<void>[] = []
    const syncFile = (): Promise<void> => {
      begun.push(Promise.withResolvers<void>())
      return begun.at(-1)!.promise
    }
    return { begun, syncFile }
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  test('is written at once; those who come while a sync is on its way share the next one', async () => {
    const dataDir = tempFolder('durable')
    const { begun, syncFile } = heldSyncs()
    const state = openState({ dataDir, syncFile })
    const other = openState({ dataDir })
    const settled: string[] = []
    const durable = (name: string): void => void state.durable().then(() => settled.push(name))
    state.setMark('a', 1n)
    durable('first')
    durable('with it')
    await turn()
    expect([begun.length, other.mark('a'), settled]).toEqual([1, 1n, []])
    state.setMark('b', 2n)
    durable('second')
    durable('third')
    await turn()
    expect([begun.length, other.mark('b')]).toEqual([1, undefined])
    begun[0]!.resolve()
    await turn()
    expect([begun.length, other.mark('b'), settled]).toEqual([2, 2n, ['first', 'with it']])
    begun[1]!.resolve()
    await turn()
    expect(settled).toEqual(['first', 'with it', 'second', 'third'])
    await state.durable()
    expect(begun).toHaveLength(2)
    other.close()
    state.close()
  })

  test('after a sync that failed is in the database file itself before it is called durable', async () => {
    const dataDir = tempFolder('durable')
    const { begun, syncFile } = heldSyncs()
    const said: (string | undefined)[] = []
    const state = openState({ dataDir, syncFile, failed: (error) => said.push(error?.message) })
    state.setMark('a', 1n)
    const first = state.durable()
    await turn()
    state.setMark('b', 2n)
    const second = state.durable()
    begun[0]!.reject(new Error('EIO'))
    await expect(first).rejects.toThrow('EIO')
    await second
    expect([begun.length, said]).toEqual([1, ['EIO', undefined]])
    expect(statSync(`${state.path}-wal`).size).toBe(0)
    // What a disk that lost the write-ahead file would have.
    const copy = tempFolder('durable')
    copyFileSync(state.path, join(copy, stateFile))
    const there = openState({ dataDir: copy })
    expect([there.mark('a'), there.mark('b')]).toEqual([1n, 2n])
    there.close()
    state.close()
  })

  test('is refused while the disk is full, kept, and durable when there is room', async () => {
    const dataDir = tempFolder('durable')
    const state = openState({ dataDir })
    const bookmarks = bookmarksOf(state)
    const { page_count: pages } = state.database.prepare('PRAGMA page_count').get() as { page_count: number }
    state.database.exec(`PRAGMA max_page_count = ${pages}`)
    for (let n = 0; n < 500; n += 1) bookmarks.set(`reader ${n} ${'x'.repeat(100)}`, { urgent: 1, routine: 1 })
    await expect(state.durable()).rejects.toThrow('full')
    state.database.exec('PRAGMA max_page_count = 100000')
    await state.durable()
    const other = openState({ dataDir })
    expect(bookmarksOf(other).list()).toHaveLength(500)
    other.close()
    state.close()
  })

  test('that is on its way at close is resolved when it is, and later is refused', async () => {
    const dataDir = tempFolder('durable')
    const { begun, syncFile } = heldSyncs()
    const state = openState({ dataDir, syncFile })
    state.setMark('a', 1n)
    const first = state.durable()
    await turn()
    state.setMark('b', 2n)
    const second = state.durable()
    state.close()
    begun[0]!.resolve()
    await first
    await second
    expect(begun).toHaveLength(1)
    const again = openState({ dataDir })
    expect([again.mark('a'), again.mark('b')]).toEqual([1n, 2n])
    again.close()
    state.setMark('c', 3n)
    await expect(state.durable()).rejects.toThrow('not open')
  })
})

test('a log whose state.sqlite cannot be written raises an alarm that names it, and clears it when it can', async () => {
  const dataDir = tempFolder('state-alarm')
  const clock = testClock()
  const alarms = createAlarms(clock, () => {})
  const fatal = (error: Error): void => {
    throw error
  }
  const log = await createLog({ dataDir, clock, alarms, settings: { urgentReserveBytes: 0, diskLowBytes: 0 }, fatal })
  const { page_count: pages } = log.state.database.prepare('PRAGMA page_count').get() as { page_count: number }
  log.state.database.exec(`PRAGMA max_page_count = ${pages}`)
  for (let n = 0; n < 500; n += 1) log.bookmarks.set(`reader ${n} ${'x'.repeat(100)}`, { urgent: 0, routine: 0 })
  await expect(log.state.durable()).rejects.toThrow('full')
  expect(alarms.list()).toMatchObject([
    { code: 'disk_failed', about: stateFile, text: expect.stringContaining('database or disk is full') },
  ])
  log.state.database.exec('PRAGMA max_page_count = 100000')
  await log.state.durable()
  expect(alarms.list()).toEqual([])
  await log.close()
})

describe('bookmarks', () => {
  test('are there at once, within a second on disk, and stay after close', async () => {
    const dataDir = tempFolder('bookmarks')
    const state = openState({ dataDir })
    const bookmarks = bookmarksOf(state)
    bookmarks.set('influx', { urgent: 3, routine: 900 }, { pins: true })
    bookmarks.set('mqtt', { urgent: 1, routine: 2 })
    expect(bookmarks.get('influx')).toEqual({ urgent: 3, routine: 900 })
    await sleep(1100)
    const other = openState({ dataDir })
    expect(bookmarksOf(other).get('influx')).toEqual({ urgent: 3, routine: 900 })
    other.close()
    bookmarks.set('influx', { urgent: 4, routine: 901 })
    bookmarks.remove('mqtt')
    state.close()

    const again = openState({ dataDir })
    expect(bookmarksOf(again).list()).toEqual([
      { name: 'influx', bookmark: { urgent: 4, routine: 901 }, pins: true, savedAt: 7n },
    ])
    again.close()
  })

  test('beyond the head are a fault of ours; beyond the head of a log that lost its end they stand at the end', () => {
    const dataDir = tempFolder('bookmarks')
    const state = openState({ dataDir })
    const bookmarks = bookmarksOf(state)
    expect(() => bookmarks.set('a', { urgent: 101, routine: 0 })).toThrow('beyond the head')
    bookmarks.set('a', { urgent: 100, routine: 1000 })
    state.close()
    const again = openState({ dataDir })
    const warnings: string[] = []
    const shorter = bookmarksOf(again, () => ({ urgent: 100, routine: 10 }), warnings)
    expect(shorter.get('a')).toEqual({ urgent: 100, routine: 10 })
    expect(warnings).toHaveLength(1)
    again.close()
  })
})
