// Backups: what is restored is what was there, whatever was written, killed, full or damaged meanwhile.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { backup, restore, verify } from '../gateway/log/backup.ts'
import type { BackupOptions } from '../gateway/log/backup.ts'
import { walkSegment } from '../gateway/log/backup-segments.ts'
import { createBookmarks } from '../gateway/log/bookmarks.ts'
import { createCurrent } from '../gateway/log/current.ts'
import { type Disk, nodeDisk } from '../gateway/log/disk.ts'
import { readEpoch } from '../gateway/log/epoch.ts'
import { createHolds } from '../gateway/log/holds.ts'
import { recover } from '../gateway/log/recovery.ts'
import { openState } from '../gateway/log/state.ts'
import { EventKind, MessageStatus } from '../proto/generated/types.ts'
import { createLogSource, type LogSource } from './tools/log-source.ts'
import { tempFolder } from './tools/temp-folder.ts'

const never = Number.MAX_SAFE_INTEGER
const madeAt = 1_790_000_123_000_000_000n

const options = (dataDir: string, target: string, change: Partial<BackupOptions> = {}): BackupOptions => ({
  dataDir,
  target,
  gatewayVersion: '0.1.0',
  madeAt,
  ...change,
})

async function commits(source: LogSource, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await source.commit()
}

/** A data folder with a log of some segments, state and another file. */
async function dataFolder(count = 150, segmentBytes?: number): Promise<{ dataDir: string; source: LogSource }> {
  const dataDir = tempFolder('data')
  const source = createLogSource(dataDir, segmentBytes)
  await commits(source, count)
  const state = openState({ dataDir })
  createBookmarks({ state, head: () => source.head, now: () => 1n }).set('influx', source.head, { pins: true })
  createHolds({ dataDir, state }).add({ name: 'case 1', reason: 'court', from: 1n, to: 2n })
  state.close()
  mkdirSync(join(dataDir, 'certificates'))
  writeFileSync(join(dataDir, 'certificates', 'ca.pem'), 'a certificate')
  return { dataDir, source }
}

/** The bytes of every record and frame, by series, as a reader would get them. */
function content(dataDir: string): Record<string, string[]> {
  const { segments, damage } = recover(nodeDisk, join(dataDir, 'log'))
  expect(damage).toEqual([])
  return Object.fromEntries(
    segments.map((all, series) => [
      series,
      all.map(({ path, length }) => readFileSync(path).subarray(4096, length).toString('base64')),
    ]),
  )
}

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted()

const started: { kill(): void }[] = []
afterEach(() => started.splice(0).forEach((one) => one.kill()))

describe('a backup', () => {
  test('restored, has the same records, frames, bookmarks, holds and files, and a new epoch', async () => {
    const { dataDir, source } = await dataFolder()
    await source.close()
    const [target, to] = [join(tempFolder('backup'), 'b'), join(tempFolder('restored'), 'data')]
    const settings = join(tempFolder('settings'), 'tocsin.yaml')
    writeFileSync(settings, 'data_dir: ./data\n')
    const steps: number[] = []
    const made = await backup(
      options(dataDir, target, { settings, progress: ({ doneBytes }) => steps.push(doneBytes) }),
    )
    expect(made.manifest).toMatchObject({
      madeAt: '2026-09-21T14:15:23Z',
      epoch: '7',
      heads: source.head,
      gatewayVersion: '0.1.0',
    })
    expect(steps.at(-1)).toBeGreaterThan(400_000)

    const restored = await restore({ source: target, dataDir: to })
    expect(restored).toMatchObject({ heads: source.head, damaged: 0, settings: join(to, 'tocsin.yaml') })
    expect(restored.records).toBe(source.head.urgent + source.head.routine)
    expect(content(to)).toEqual(content(dataDir))
    expect(readEpoch(nodeDisk, join(to, 'log'))).toBe(restored.epoch)
    expect(restored.epoch).not.toBe(7n)
    expect(readFileSync(join(to, 'certificates', 'ca.pem'), 'utf8')).toBe('a certificate')
    for (const name of files(to)) expect([name, statSync(join(to, name)).mode & 0o077]).toEqual([name, 0])

    const state = openState({ dataDir: to })
    const bookmarks = createBookmarks({ state, head: () => source.head, now: () => 1n })
    expect(bookmarks.list()).toEqual([{ name: 'influx', bookmark: source.head, pins: true, savedAt: 1n }])
    expect(createHolds({ dataDir: to, state }).list()).toHaveLength(1)
    state.close()
  })

  test('takes the settings along also when they lie in the data folder, or are called like something there', async () => {
    const { dataDir, source } = await dataFolder(2)
    await source.close()
    writeFileSync(join(dataDir, 'tocsin.yaml'), 'inner')
    const other = join(tempFolder('settings'), 'tocsin.yaml')
    writeFileSync(other, 'outer')
    for (const [settings, text] of [
      [join(dataDir, 'tocsin.yaml'), 'inner'],
      [other, 'outer'],
    ] as const) {
      const target = join(tempFolder('backup'), 'b')
      await backup(options(dataDir, target, { settings }))
      const restored = await restore({ source: target, dataDir: join(tempFolder('restored'), 'data') })
      expect(readFileSync(restored.settings!, 'utf8')).toBe(text)
    }
  })

  test('into the same folder copies only what is new, and removes what no longer belongs to it', async () => {
    const { dataDir, source } = await dataFolder(150, 32 * 1024)
    const target = join(tempFolder('backup'), 'b')
    const first = await backup(options(dataDir, target))
    await commits(source, 20)
    const second = await backup(options(dataDir, target))
    expect(first.copiedFiles).toBeGreaterThan(10)
    expect(second.copiedBytes).toBeLessThan(first.copiedBytes / 2)
    expect(second.manifest.heads).toEqual(source.head)
    await source.close()
    const third = await backup(options(dataDir, target))
    const fourth = await backup(options(dataDir, target))
    expect([fourth.copiedFiles, fourth.copiedBytes]).toEqual([0, 0])
    expect(readdirSync(join(target, 'objects')).toSorted()).toEqual(
      [...new Set(third.manifest.files.map(({ sha256 }) => sha256))].toSorted(),
    )
    await verify({ source: target })
  })

  test('while the log is written to is a log as of one moment, with bookmarks that are not ahead of it', async () => {
    const { dataDir, source } = await dataFolder(20)
    const state = openState({ dataDir })
    const bookmarks = createBookmarks({ state, head: () => source.head, now: () => 1n })
    const current = createCurrent({ state, epoch: 7n, head: { urgent: 0, routine: 0 } })
    let stop = false
    const writing = (async () => {
      while (!stop) {
        await source.commit()
        bookmarks.set('influx', source.head)
        const { routine: sequence } = source.head
        const noted = { lane: 'routine', retention: 'standard', loggedAt: BigInt(sequence), subject: 'a' } as const
        current.note({ ...noted, sequence, kind: EventKind.OBSERVATION, status: MessageStatus.ACTUAL })
        current.advance(source.head)
        state.flush()
        await sleep(1)
      }
    })()
    for (let round = 0; round < 4; round += 1) {
      const [target, to] = [join(tempFolder('backup'), 'b'), join(tempFolder('restored'), 'data')]
      const { manifest } = await backup(options(dataDir, target))
      await restore({ source: target, dataDir: to })
      const { head, damage, cleared } = recover(nodeDisk, join(to, 'log'))
      expect([damage, cleared]).toEqual([[], 0])
      expect(head).toEqual(manifest.heads)
      const warnings: string[] = []
      const copy = openState({ dataDir: to })
      const restored = createBookmarks({
        state: copy,
        head: () => head,
        now: () => 1n,
        warn: (text) => warnings.push(text),
      })
      expect([restored.get('influx') !== undefined, warnings]).toEqual([true, []])
      copy.close()
    }
    stop = true
    await writing
    state.close()
    await source.close()
  })

  test('carries over what was damaged in the log already, and counts it', async () => {
    const { dataDir, source } = await dataFolder(30)
    await source.close()
    const path = join(dataDir, 'log', 'routine-standard', '00000001.seg')
    const bytes = readFileSync(path)
    bytes[20_000]! ^= 1
    writeFileSync(path, bytes)
    const target = join(tempFolder('backup'), 'b')
    await backup(options(dataDir, target))
    expect(await verify({ source: target })).toMatchObject({
      damaged: 1,
      records: source.head.urgent + source.head.routine - 1,
    })
    expect(await restore({ source: target, dataDir: join(tempFolder('restored'), 'data') })).toMatchObject({
      damaged: 1,
    })
  })
})

describe('a backup that goes wrong', () => {
  test('is refused with the file named when any of its files is damaged or missing, and nothing is restored', async () => {
    const { dataDir, source } = await dataFolder(60)
    await source.close()
    const target = join(tempFolder('backup'), 'b')
    const { manifest } = await backup(options(dataDir, target))
    for (const { path, sha256, size } of manifest.files.filter((file) => file.size > 0)) {
      const object = join(target, 'objects', sha256)
      const whole = readFileSync(object)
      const flipped = Buffer.from(whole)
      flipped[size >> 1]! ^= 4
      const into = join(tempFolder('restored'), 'data')
      for (const bytes of [flipped, whole.subarray(0, size - 1)]) {
        writeFileSync(object, bytes)
        const wanted = expect.objectContaining({ code: 'backup_damaged', message: expect.stringContaining(path) })
        await expect(restore({ source: target, dataDir: into })).rejects.toEqual(wanted)
        await expect(verify({ source: target })).rejects.toEqual(wanted)
        expect(files(join(into, '..'))).toEqual([])
      }
      writeFileSync(object, whole)
    }
    await verify({ source: target })
    const text = readFileSync(join(target, 'manifest.json'), 'utf8')
    for (const wrong of [
      text.replace('"format": 1', '"format": 9'),
      text.slice(0, -9),
      text.replace('ca.pem', '../../x'),
    ]) {
      writeFileSync(join(target, 'manifest.json'), wrong)
      await expect(verify({ source: target })).rejects.toMatchObject({ code: 'backup_damaged' })
    }
    // The next backup makes it whole again.
    await backup(options(dataDir, target))
    await verify({ source: target })
  })

  test('on a full disk says so, leaves nothing half, and the one before stays whole', async () => {
    const { dataDir, source } = await dataFolder(60)
    const target = join(tempFolder('backup'), 'b')
    const first = await backup(options(dataDir, target))
    await commits(source, 60)
    await source.close()
    for (const room of [0, 10_000, 150_000]) {
      await expect(backup(options(dataDir, target, { disk: diskWithRoom(room) }))).rejects.toMatchObject({
        code: 'backup_failed',
        message: expect.stringContaining('disk is full'),
      })
      expect(files(target).filter((name) => name.includes('passing') || name.includes('lock'))).toEqual([])
      expect((await verify({ source: target })).heads).toEqual(first.manifest.heads)
    }
    await backup(options(dataDir, target))
    expect((await verify({ source: target })).heads).toEqual(source.head)
  })

  test('cut off at any one of its steps, leaves the one before whole, and the next goes on', async () => {
    const { dataDir, source } = await dataFolder(20)
    const target = join(tempFolder('backup'), 'b')
    const before = (await backup(options(dataDir, target))).manifest.heads
    await commits(source, 10)
    await source.close()
    let done = false
    for (let steps = 0; !done; steps += 1) {
      const outcome = await backup(options(dataDir, target, { disk: diskThatDiesAfter(steps) })).then(
        () => 'done',
        () => 'died',
      )
      done = outcome === 'done'
      const found = (await verify({ source: target })).heads
      expect(done ? [source.head] : [before, source.head]).toContainEqual(found)
    }
    const to = join(tempFolder('restored'), 'data')
    await restore({ source: target, dataDir: to })
    expect(content(to)).toEqual(content(dataDir))
  })

  test('killed at any moment, leaves the one before whole, and the next goes on', async () => {
    const { dataDir, source } = await dataFolder(60)
    const target = join(tempFolder('backup'), 'b')
    let heads = (await backup(options(dataDir, target))).manifest.heads
    for (const afterMs of [20, 45, 70, 100, 140]) {
      await commits(source, 40)
      const script = `
        import { backup } from ${JSON.stringify(new URL('../gateway/log/backup.ts', import.meta.url).href)}
        const [dataDir, target] = process.argv.slice(1)
        process.stdout.write('begins')
        await backup({ dataDir, target, gatewayVersion: '0.1.0', madeAt: ${madeAt}n })`
      const one = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir, target], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      started.push({ kill: () => one.kill('SIGKILL') })
      const ended = once(one, 'exit')
      await Promise.race([once(one.stdout, 'data'), ended])
      await sleep(afterMs)
      one.kill('SIGKILL')
      await ended
      const found = (await verify({ source: target })).heads
      expect([heads, source.head]).toContainEqual(found)
      heads = found
    }
    await source.close()
    await backup(options(dataDir, target))
    const to = join(tempFolder('restored'), 'data')
    await restore({ source: target, dataDir: to })
    expect(content(to)).toEqual(content(dataDir))
    expect(files(target).filter((name) => !name.startsWith('objects/'))).toEqual(['manifest.json'])
  })

  test('stops when it is told to', async () => {
    const { dataDir, source } = await dataFolder(30)
    await source.close()
    const target = join(tempFolder('backup'), 'b')
    const stop = new AbortController()
    const made = backup(
      options(dataDir, target, { signal: stop.signal, progress: () => stop.abort(new Error('enough')) }),
    )
    await expect(made).rejects.toThrow('enough')
    expect(existsSync(join(target, 'manifest.json'))).toBe(false)
    expect(files(target).filter((name) => !name.startsWith('objects/'))).toEqual([])
  })

  test('is not begun where it would do harm', async () => {
    const { dataDir, source } = await dataFolder(5)
    await source.close()
    const other = tempFolder('other')
    writeFileSync(join(other, 'letter.txt'), 'dear')
    const refused = { code: 'invalid_argument' }
    await expect(backup(options(dataDir, join(dataDir, 'backup')))).rejects.toMatchObject(refused)
    await expect(backup(options(dataDir, other))).rejects.toMatchObject(refused)
    await expect(backup(options(join(dataDir, 'none'), tempFolder('b')))).rejects.toMatchObject(refused)
    await expect(restore({ source: other, dataDir: tempFolder('x') })).rejects.toMatchObject(refused)
    const target = join(tempFolder('backup'), 'b')
    await backup(options(dataDir, target))
    const [one, two] = [backup(options(dataDir, target)), backup(options(dataDir, target))]
    await expect(two).rejects.toMatchObject({ code: 'backup_failed', message: expect.stringContaining('under way') })
    await one
    await expect(restore({ source: target, dataDir: other })).rejects.toMatchObject(refused)
    expect(readdirSync(other)).toEqual(['letter.txt'])
    // An empty folder that is there already is as good as none.
    await restore({ source: target, dataDir: tempFolder('empty') })
  })
})

test('a walk over a segment ends before the first commit that is too new', async () => {
  const { dataDir, source } = await dataFolder(10)
  await source.close()
  const bytes = readFileSync(join(dataDir, 'log', 'routine-standard', '00000001.seg'))
  const whole = walkSegment(bytes, 2, never)
  expect(whole).toMatchObject({ laterAt: undefined, end: bytes.length, damaged: 0, lastCommit: 10 })
  const part = walkSegment(bytes, 2, 4)
  expect(part.lastCommit).toBe(4)
  expect(walkSegment(bytes.subarray(0, part.laterAt), 2, never)).toMatchObject({
    records: part.records,
    end: part.laterAt,
  })
})

/** Takes `room` bytes and then no more. */
function diskWithRoom(room: number): Disk {
  let left = room
  return {
    ...nodeDisk,
    open(path, mode) {
      const file = nodeDisk.open(path, mode)
      const write: typeof file.write = (source, position) => {
        if (left === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        const count = file.write(source.subarray(0, Math.min(left, source.length)), position)
        left -= count
        return count
      }
      return { ...file, write }
    },
  }
}

/** Does so many steps, and then nothing any more, as when the process or the machine is gone. */
function diskThatDiesAfter(steps: number): Disk {
  let left = steps
  const alive =
    <Given extends unknown[], Result>(act: (...given: Given) => Result) =>
    (...given: Given): Result => {
      if (left <= 0) throw new Error('gone')
      left -= 1
      return act(...given)
    }
  return {
    ...nodeDisk,
    makeFolder: alive(nodeDisk.makeFolder),
    rename: alive(nodeDisk.rename),
    unlink: alive(nodeDisk.unlink),
    syncFolder: alive(nodeDisk.syncFolder),
    open: alive((path, mode) => {
      const file = nodeDisk.open(path, mode)
      return { ...file, write: alive(file.write), sync: alive(file.sync), syncNow: alive(file.syncNow) }
    }),
  }
}
