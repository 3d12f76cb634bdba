// The SQLite store: a reader of the log that keeps telemetry in a file of the data folder, and answers from it. Its promise: a
// console that asks much, and a disk that is slow, cost the gateway nothing but lag of this one output.

import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { timestamp } from '../../../proto/time.ts'
import { codec } from '../../../proto/wire.ts'
import type { Clock } from '../../clock.ts'
import type { Log, StoredRecord } from '../../log/log.ts'
import type { Logger } from '../../logger.ts'
import type { Output } from '../../outputs/output.ts'
import { wireListed } from '../answers.ts'
import { listPlan, pageToken, queryPlan } from '../requests.ts'
import type { ListedSeries, MayRead, SeriesKey, TelemetryStore } from '../store.ts'
import { createThread } from '../thread.ts'
import { telemetryFile } from './file.ts'
import type { SqliteThreadData } from './thread-program.ts'
import type { Place } from './writer.ts'

export interface SqliteStore extends TelemetryStore, Output {
  /** Where the file ends in the log; call before the output runs, so that a file that is gone is made anew. */
  resume(): Promise<void>
  /** Removes what is older than `keepMs`. */
  expire(): Promise<void>
}

export interface SqliteStoreParts {
  readonly dataDir: string
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly keepMs: number
}

/** Large transactions cost least; a value is seen within a fifth of a second. */
const gatherMs = 150
const batchRecords = 5_000
const batchBytes = 4 << 20
const name = 'telemetry'

const answerCodec = codec('tocsin.v1.QuerySeriesResponse')

export function createSqliteStore({ dataDir, log, clock, logger, keepMs }: SqliteStoreParts): SqliteStore {
  const file = join(dataDir, telemetryFile)
  const data: SqliteThreadData = { file, include: [] }
  const program = new URL('./thread-program.ts', import.meta.url)
  const asking = new Map<number, MayRead>()
  const writer = createThread({ program, name: 'tocsin-telemetry', data })
  const reader = createThread({
    program,
    name: 'tocsin-series',
    data,
    handlers: {
      permit: (request: number, series: readonly SeriesKey[]) => {
        const mayRead = asking.get(request)
        return series.map((each) => mayRead?.(each) ?? true)
      },
    },
  })
  const epoch = String(log.epoch)
  let place: Place = { epoch, urgent: 0, routine: 0 }
  let requests = 0

  async function ask<Result>(method: string, plan: object, mayRead: MayRead): Promise<Result> {
    const request = ++requests
    asking.set(request, mayRead)
    try {
      return await reader.call<Result>(method, [request, plan])
    } finally {
      asking.delete(request)
    }
  }

  async function querySeriesBytes(request: Parameters<TelemetryStore['querySeries']>[0], mayRead: MayRead) {
    const completeUntil = timestamp(completeUntilNs())
    const bytes = await ask<Uint8Array>('query', queryPlan(request, clock.now()), mayRead)
    // Encoded messages that stand one behind the other are one message.
    return Buffer.concat([bytes, answerCodec.encode({ completeUntil })])
  }

  /** When the first record was logged that the file does not have. */
  function completeUntilNs(): bigint {
    let least = clock.now()
    for (const lane of ['urgent', 'routine'] as const) {
      const next = log.read(lane, place[lane], { records: 1, bytes: 1 })?.records[0]
      if (next && next.loggedAt < least) least = next.loggedAt
    }
    return least
  }

  return {
    name,
    start: 'earliest',
    batch: { records: batchRecords, bytes: batchBytes, gatherMs },
    async resume() {
      let kept: Place | undefined
      try {
        kept = await writer.call<Place | undefined>('place', [])
      } catch (err) {
        logger.warn({ err }, `${file} cannot be used; it is moved aside and made anew from the log`)
        moveAside(file)
        kept = await writer.call<Place | undefined>('place', [])
      }
      if (kept?.epoch === epoch) place = kept
      const { urgent, routine } = place
      log.bookmarks.set(name, { urgent, routine }, { pins: true })
    },
    async deliver(records) {
      const { bytes, ends, reached } = packed(records, place)
      await writer.call('write', [bytes, ends, reached], [bytes.buffer as ArrayBuffer, ends.buffer as ArrayBuffer])
      place = reached
    },
    expire: () => writer.call('expire', [Number(clock.now() / 1_000_000n) - keepMs]),
    querySeriesBytes,
    querySeries: async (request, mayRead) => answerCodec.decode(await querySeriesBytes(request, mayRead)),
    async listSeries(request, mayRead) {
      const plan = listPlan(request)
      const found = await ask<readonly ListedSeries[]>('list', plan, mayRead)
      const page = found.slice(0, plan.size)
      const end = page.at(-1)
      return {
        series: page.map((each) => wireListed(each)),
        ...(end && found.length > plan.size && { nextPageToken: pageToken(request, end) }),
      }
    },
    async close() {
      await reader.close()
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
