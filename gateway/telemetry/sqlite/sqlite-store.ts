// The SQLite store: a reader of the log that keeps telemetry in a file of the data folder, and answers from it. Its promise: a
// console that asks much, and a disk that is slow, cost the gateway nothing but lag of this one output.

import { existsSync, renameSync, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../../proto/errors.ts'
import type { Clock } from '../../clock.ts'
import type { Log, StoredRecord } from '../../log/log.ts'
import type { Logger } from '../../logger.ts'
import type { Output } from '../../outputs/output.ts'
import { createReading } from '../reading.ts'
import type { TelemetryStore } from '../store.ts'
import { createThread } from '../thread.ts'
import { telemetryFile } from './file.ts'
import type { SqliteThreadData } from './thread-program.ts'
import type { Expiry, Place } from './writer.ts'

export interface SqliteStore extends TelemetryStore, Output {
  /** Where the file ends in the log; call before the output runs, so that a file that is gone is made anew. */
  resume(): Promise<void>
  /** Makes levels, and removes what is older than `keepMs`. */
  expire(): Promise<void>
}

export interface SqliteStoreParts {
  readonly dataDir: string
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  /** How long values are kept, and what stands for minutes and for hours of them. */
  readonly keepMs: Readonly<Record<'values' | 'minutes' | 'hours', number>>
  /** Free disk space below which nothing is written. */
  readonly diskLowBytes: number
}

/** Large transactions cost least; a value is seen within a fifth of a second. */
const gatherMs = 150
const batchRecords = 5_000
const batchBytes = 4 << 20
const name = 'telemetry'
/** Records a second that are taken in beside keeping them; above it senders come first, and the store lags. */
const busyPerSecond = 5_000
/** What it takes all the same. */
const busyTakesPerMs = 1
/** A burst is put off; a load that lasts is kept up with, at the price of intake. */
const lagMax = 500_000
const yieldMs = 100
/** As SQLite says it, and as file.ts does. */
const damaged = /malformed|not a database|newer version/

export function createSqliteStore({
  dataDir,
  log,
  clock,
  logger,
  keepMs,
  diskLowBytes,
}: SqliteStoreParts): SqliteStore {
  const file = join(dataDir, telemetryFile)
  const data: SqliteThreadData = { file, include: [] }
  const program = new URL('./thread-program.ts', import.meta.url)
  const writer = createThread({ program, name: 'tocsin-telemetry', data })
  const epoch = String(log.epoch)
  let place: Place = { epoch, urgent: 0, routine: 0 }
  let seen = { atNs: clock.monotonic(), records: log.head.urgent + log.head.routine }
  const reading = createReading({ program, data, log, clock, place: () => place })

  /** Where the file ends; one that is damaged is begun anew. */
  async function openPlace(): Promise<Place | undefined> {
    try {
      return await writer.call<Place | undefined>('place', [])
    } catch (err) {
      if (!(err instanceof Error) || !damaged.test(err.message)) throw err
      logger.warn({ err }, `${file} cannot be used; it is moved aside and made anew from the log`)
      moveAside(file)
      return writer.call<Place | undefined>('place', [])
    }
  }

  /** The last of the disk is the log's: what is not written now is read from it later. */
  async function checkRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(dataDir)
    if (bavail * bsize < diskLowBytes)
      throw new GatewayError('store_failed', 'telemetry is not written while the disk is low (log.disk_low); make room')
  }

  /** Waits as long as so many records may take while much comes in; less when it ends. Throws when the gateway stops. */
  async function giveWay(records: number, signal: AbortSignal): Promise<void> {
    for (let waitMs = 0; isBusy() && waitMs < records / busyTakesPerMs; waitMs += yieldMs)
      await sleep(yieldMs, undefined, { signal })
  }

  /** Whether more came in, since it was asked last, than can be kept without taking from those who send. */
  function isBusy(): boolean {
    const now = { atNs: clock.monotonic(), records: log.head.urgent + log.head.routine }
    const perSecond = ((now.records - seen.records) * 1e9) / Math.max(1, Number(now.atNs - seen.atNs))
    seen = now
    const lag = now.records - place.urgent - place.routine
    return perSecond > busyPerSecond && lag < lagMax
  }

  return {
    name,
    start: 'earliest',
    batch: { records: batchRecords, bytes: batchBytes, gatherMs },
    async resume() {
      let kept: Place | undefined
      try {
        kept = await openPlace()
      } catch (err) {
        // A full disk is no reason not to start: from its beginning the log is read again when there is room, to the same rows.
        logger.warn({ err }, `${file} cannot be opened; it is tried again`)
      }
      if (kept?.epoch === epoch) place = kept
      const { urgent, routine } = place
      log.bookmarks.set(name, { urgent, routine }, { pins: true })
    },
    async deliver(records, signal) {
      await checkRoom()
      await giveWay(records.length, signal)
      const { bytes, ends, reached } = packed(records, place)
      await writer.call('write', [bytes, ends, reached], [bytes.buffer as ArrayBuffer, ends.buffer as ArrayBuffer])
      place = reached
    },
    async expire() {
      const nowMs = Number(clock.now() / 1_000_000n)
      const { values, minutes, hours } = keepMs
      const expiry: Expiry = { valuesMs: nowMs - values, minutesMs: nowMs - minutes, hoursMs: nowMs - hours }
      await writer.call('expire', [expiry])
    },
    ...reading,
    async close() {
      await reading.close()
      await writer.close()
    },
  }
}

/** The events of a batch as one piece of memory that is handed to the thread, and the place it ends at. */
function packed(records: readonly StoredRecord[], from: Place) {
  const kept = records.filter(({ removed }) => !removed)
  const bytes = new Uint8Array(kept.reduce((sum, { event }) => sum + event.length, 0))
  const ends = new Uint32Array(kept.length)
  const reached = { epoch: from.epoch, urgent: from.urgent, routine: from.routine }
  let at = 0
  for (const [index, { event }] of kept.entries()) {
    bytes.set(event, at)
    at += event.length
    ends[index] = at
  }
  for (const { lane, sequence } of records) reached[lane] = Math.max(reached[lane], sequence)
  return { bytes, ends, reached }
}

function moveAside(file: string): void {
  for (const part of ['-wal', '-shm']) rmSync(file + part, { force: true })
  if (existsSync(file)) renameSync(file, `${file}.damaged`)
}
