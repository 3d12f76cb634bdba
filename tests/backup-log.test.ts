// The log with all its parts: backed up while it runs and restored, and what retention, holds and pins do to it.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { backup, restore } from '../gateway/log/backup.ts'
import { createLog, logSettingsDefault, type LogSettings } from '../gateway/log/create-log.ts'
import type { Lane, Log, StoredRecord } from '../gateway/log/log.ts'
import { EventKind, Fate, MessageStatus } from '../proto/generated/types.ts'
import { tempFolder } from './tools/temp-folder.ts'

const second = 1_000_000_000n
const day = 24n * 3600n * second
const dayMs = 24 * 3600 * 1000

/** A log whose clock stands until it is moved. */
async function openLog(dataDir: string, settings: Partial<LogSettings> = {}) {
  let [wall, monotonic] = [1_790_000_000n * second, 0n]
  const clock = { now: () => wall, monotonic: () => monotonic }
  const alarms = createAlarms(clock, () => undefined)
  const fatal = (error: Error) => {
    throw error
  }
  const small = { segmentBytes: 256 * 1024, urgentReserveBytes: 0, diskLowBytes: 0 }
  const log = await createLog({ dataDir, clock, alarms, settings: { ...small, ...settings }, fatal })
  const pass = (ns: bigint) => ([wall, monotonic] = [wall + ns, monotonic + ns])
  return { log, alarms, pass, now: () => wall, step: (ns: bigint) => (wall += ns) }
}

let count = 0
function append(log: Log, lane: Lane, subject = `gauge ${count % 5}`) {
  count += 1
  const kind = lane === 'urgent' ? EventKind.ALERT : EventKind.OBSERVATION
  const event = Buffer.concat([Buffer.from(`event ${count}`), randomBytes(1000)])
  return log.append({
    frame: { id: randomBytes(16), channel: 'a/b', sender: 'mqtt:a', payload: event, fate: Fate.STORED },
    records: [{ lane, retention: 'standard', header: { kind, messageStatus: MessageStatus.ACTUAL, subject }, event }],
  })
}

function readAll(log: Log, lane: Lane): StoredRecord[] {
  const all: StoredRecord[] = []
  for (let after = 0; ;) {
    const slice = log.read(lane, after, { records: 1000, bytes: 1 << 20 })
    if (!slice) return all
    expect(slice.missing).toEqual([])
    all.push(...slice.records)
    after = slice.through
  }
}

const told = (records: readonly StoredRecord[]) =>
  records.map(({ lane, sequence, loggedAt, event, frameId }) => [
    lane,
    sequence,
    loggedAt,
    Buffer.from(event).toString('base64'),
    Buffer.from(frameId).toString('hex'),
  ])

describe('a log that was backed up while it ran', () => {
  test('gives the same records, bookmarks and current records when it is restored, in a new epoch', async () => {
    const dataDir = tempFolder('data')
    const { log } = await openLog(dataDir)
    for (let n = 0; n < 60; n += 1)
      await Promise.all(['urgent', 'routine', 'routine', 'routine'].map((lane) => append(log, lane as Lane)))
    log.bookmarks.set('influx', { urgent: 10, routine: 20 }, { pins: true })
    log.holds.add({ name: 'case 1', reason: 'court', from: 1n, to: 2n })
    await expect
      .poll(
        async () => {
          const trial = join(tempFolder('backup'), 'b')
          await backup({ dataDir, target: trial, gatewayVersion: '0.1.0', madeAt: 1n })
          await restore({ source: trial, dataDir: join(trial, '..', 'data') })
          const { log: copy } = await openLog(join(trial, '..', 'data'))
          const mark = copy.bookmarks.get('influx')
          await copy.close()
          return mark
        },
        { timeout: 5000, interval: 300 },
      )
      .toEqual({ urgent: 10, routine: 20 })
    const target = join(tempFolder('backup'), 'b')
    const { manifest } = await backup({ dataDir, target, gatewayVersion: '0.1.0', madeAt: 1n })
    expect(manifest).toMatchObject({ epoch: String(log.epoch), heads: log.head })
    const [urgent, routine] = [told(readAll(log, 'urgent')), told(readAll(log, 'routine'))]
    const [current, counts, epoch] = [told(log.current()), log.counts, log.epoch]
    // What comes after the backup is not in it, and its sequences are given again.
    await append(log, 'urgent')
    await log.close()

    const to = join(tempFolder('restored'), 'data')
    const restored = await restore({ source: target, dataDir: to })
    const { log: copy } = await openLog(to)
    expect([copy.epoch === restored.epoch, copy.epoch === epoch]).toEqual([true, false])
    expect([copy.head, copy.counts]).toEqual([manifest.heads, counts])
    expect([told(readAll(copy, 'urgent')), told(readAll(copy, 'routine'))]).toEqual([urgent, routine])
    expect(told(copy.current())).toEqual(current)
    expect(copy.bookmarks.list()).toMatchObject([{ name: 'influx', bookmark: { urgent: 10, routine: 20 }, pins: true }])
    expect(copy.holds.list()).toHaveLength(1)
    expect(copy.findFrame(copy.current()[0]!.frameId)).toBeDefined()
    expect(await append(copy, 'urgent')).toMatchObject({ places: [{ sequence: manifest.heads.urgent + 1 }] })
    await copy.close()
  })
})

describe('retention of a log', () => {
  const classes = { ...logSettingsDefault.retention.classes, standard: { ageMs: 2 * dayMs, bytes: 1e9 } }
  const settings = { retention: { classes, holdMs: 8 * dayMs } }

  /** Some segments, each of which was filled within one of the last days. */
  async function aged() {
    const opened = await openLog(tempFolder('data'), settings)
    for (let n = 0; n < 6; n += 1) {
      for (let m = 0; m < 25; m += 1) await Promise.all(Array.from({ length: 12 }, () => append(opened.log, 'routine')))
      opened.pass(day)
    }
    return opened
  }

  test('removes what is old, drops it from what is current, and keeps what a bookmark pins, for 8 days', async () => {
    const { log, alarms, pass, now } = await aged()
    await append(log, 'routine', 'gauge 1')
    log.bookmarks.set('influx', { urgent: 0, routine: 0 }, { pins: true })
    expect(await log.retain(now())).toEqual([])
    pass(4n * day)
    log.bookmarks.set('console', { urgent: 0, routine: 0 })
    const removed = await log.retain(now())
    expect(removed).toMatchObject([{ series: 'routine-standard', pinnedBy: ['influx'] }])
    expect(log.oldest.routine).toBe(removed[0]!.records + 1)
    expect(alarms.list().map(({ code, about }) => [code, about])).toEqual([['retention_gap', 'influx']])
    log.bookmarks.remove('influx')
    const rest = await log.retain(now())
    expect(rest[0]!.records).toBeGreaterThan(0)
    for (const { sequence } of log.current()) expect(sequence).toBeGreaterThanOrEqual(log.oldest.routine)
    await log.close()
  })

  test('never removes what is held, nor anything while the clock has stepped', async () => {
    const { log, now, step, pass } = await aged()
    log.holds.add({ name: 'case 1', reason: 'court', from: 0n, to: now() })
    pass(100n * day)
    expect(await log.retain(now())).toEqual([])
    log.holds.release('case 1')
    step(400n * day)
    expect(await log.retain(now())).toEqual([])
    step(-400n * day)
    expect((await log.retain(now())).map(({ series }) => series)).toEqual(['frames', 'routine-standard'])
    await log.close()
  })
})
