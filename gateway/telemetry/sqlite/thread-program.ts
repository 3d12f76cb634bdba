// The threads of the SQLite store: one writes, one answers, on the same file. Its promise: a batch is there whole, with the place in
// the log it ends at, or not at all.

import { setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { codec } from '../../../proto/wire.ts'
import type { Included } from '../../policy/configured-view.ts'
import type { ListPlan, QueryPlan, SeriesKey } from '../store.ts'
import { serveThread } from '../thread.ts'
import { openFile } from './file.ts'
import { createSqliteReader } from './reader.ts'
import { createSqliteWriter, type Place } from './writer.ts'

export interface SqliteThreadData {
  readonly file: string
  readonly include: readonly Included[]
}

const answerCodec = codec('tocsin.v1.QuerySeriesResponse')
/** Behind everything that acknowledges: on Linux this is the thread's own priority, elsewhere it is left alone. */
const niceness = 10
if (process.platform === 'linux') setPriority(0, niceness)

const { file, include } = workerData as SqliteThreadData
const database = openFile(file)
const writer = createSqliteWriter(database, new Set(include))
const reader = createSqliteReader(database)
const permitFor = (request: number) => (series: readonly SeriesKey[]) =>
  caller.call<readonly boolean[]>('permit', [request, series])

const caller = serveThread({
  write: (bytes: Uint8Array, ends: Uint32Array, place: Place) => writer.write(bytes, ends, place),
  place: () => writer.place(),
  expire: (beforeMs: number) => writer.expire(beforeMs),
  // A copy with memory of its own, which is handed over.
  query: async (request: number, plan: QueryPlan) =>
    new Uint8Array(answerCodec.encode(await reader.query(plan, permitFor(request)))),
  list: (request: number, plan: ListPlan) => reader.list(plan, permitFor(request)),
  close: () => database.close(),
})
