// The threads of the SQLite store: one writes, one answers, on the same file. Its promise: a batch is there whole, with the place in
// the log it ends at, or not at all.

import { setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import type { Included } from '../../policy/configured-view.ts'
import { readerHandlers } from '../reading.ts'
import { type Caller, serveThread } from '../thread.ts'
import { openFile } from './file.ts'
import { createSqliteReader } from './reader.ts'
import { createSqliteWriter, type Expiry, type Place } from './writer.ts'

export interface SqliteThreadData {
  readonly file: string
  readonly include: readonly Included[]
}

/** Behind everything that acknowledges: on Linux this is the thread's own priority, elsewhere it is left alone. */
const niceness = 10
if (process.platform === 'linux') setPriority(0, niceness)

const { file, include } = workerData as SqliteThreadData
const database = openFile(file)
const writer = createSqliteWriter(database, new Set(include))
const reader = createSqliteReader(database)

const caller: Caller = serveThread({
  ...readerHandlers(reader, () => caller),
  write: (bytes: Uint8Array, ends: Uint32Array, place: Place) => writer.write(bytes, ends, place),
  place: () => writer.place(),
  expire: (expiry: Expiry) => writer.expire(expiry),
})
