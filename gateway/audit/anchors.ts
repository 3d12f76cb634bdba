// The head of the audit, told outside its own files, so that a tail that is cut off is missed: in state.sqlite with each commit, and
// in the main log at start and stop and each minute in which something was written.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SystemDetail, SystemEvent } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import { type Disk, nodeDisk } from '../log/disk.ts'
import { eventRange, recordTag, sequenceAt, soundItemBytes } from '../log/record.ts'
import { readWhole } from '../log/segment-file.ts'
import { numberOf, segmentHeaderBytes } from '../log/segment.ts'
import { allSeries, seriesOf } from '../log/series.ts'
import { type State, stateFile } from '../log/state.ts'
import { type Head, hex } from './chain.ts'

/** A head, and where it was found. */
export interface Anchor extends Head {
  /** Such as "state.sqlite", "record 4711 of the log". */
  readonly from: string
}

export interface StateAnchor {
  get(): Head | undefined
  /** Resolves when it outlives a loss of power. */
  set(head: Head): Promise<void>
}

export function createStateAnchor(state: State): StateAnchor {
  const replace = state.database.prepare('INSERT OR REPLACE INTO audit_head (one, number, sha256) VALUES (1, ?, ?)')
  return {
    get: () => headIn(state.database),
    set(head) {
      state.later('audit head', () => void replace.run(head.number, head.sha256))
      return state.durable()
    },
  }
}

/** Also while a gateway runs on it; undefined: there is none, or it cannot be read. */
export function readStateAnchor(dataDir: string): Anchor | undefined {
  const path = join(dataDir, stateFile)
  if (!existsSync(path)) return undefined
  // To read beside a gateway SQLite writes a file of its own there; who may not do so can still read one that nobody has open.
  const ways = [path, ...(existsSync(`${path}-wal`) ? [] : [`file:${encodeURI(resolve(path))}?immutable=1`])]
  for (const way of ways) {
    try {
      const head = headOf(way)
      return head && { ...head, from: stateFile }
    } catch (error) {
      if (!isSqliteError(error)) throw error
    }
  }
  return undefined
}

function headOf(location: string): Head | undefined {
  const database = new DatabaseSync(location, { readOnly: true, timeout: busyTimeoutMs })
  try {
    return headIn(database)
  } finally {
    database.close()
  }
}

const isSqliteError = (error: unknown): boolean => (error as { code?: unknown }).code === 'ERR_SQLITE_ERROR'

const busyTimeoutMs = 5_000

function headIn(database: DatabaseSync): Head | undefined {
  // A data folder of a gateway that had no audit has no such table.
  const table = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'audit_head'").get()
  const row = table && database.prepare('SELECT number, sha256 FROM audit_head').get()
  return row as Head | undefined
}

const numberDetail = 'audit_number'
const digestDetail = 'audit_sha256'

/** What an event of the log says of the head. */
export const anchorDetails = ({ number, sha256 }: Head): SystemDetail[] => [
  { name: numberDetail, value: String(number) },
  { name: digestDetail, value: hex(sha256) },
]

function anchorIn({ details = [] }: SystemEvent): Head | undefined {
  const value = (name: string): string => details.find((detail) => detail.name === name)?.value ?? ''
  const [number, sha256] = [value(numberDetail), value(digestDetail)]
  if (!/^\d{1,15}$/.test(number) || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  return { number: Number(number), sha256: Buffer.from(sha256, 'hex') }
}

/** Those events are kept as records, which have a series of their own. */
const anchorSeries = seriesOf('routine', 'record')
const eventCodec = codec('tocsin.v1.Event')

/** Of the log of a gateway, running or not, the newest first; `bytesMax` bounds how much of it is read. */
export function* logAnchors(dataDir: string, bytesMax: number, disk: Disk = nodeDisk): Generator<Anchor> {
  const folder = join(dataDir, 'log', allSeries[anchorSeries]!.name)
  const names = disk.list(folder).filter((name) => numberOf(name) !== undefined)
  let left = bytesMax
  for (const name of names.toSorted((a, b) => (numberOf(b) ?? 0) - (numberOf(a) ?? 0))) {
    if (left <= 0) return
    const bytes = readWhole(disk, join(folder, name)) ?? Buffer.alloc(0)
    left -= bytes.length
    yield* [...anchorsOf(bytes)].toReversed()
  }
}

function* anchorsOf(segment: Buffer): Generator<Anchor> {
  let next = segment.indexOf(digestDetail, segmentHeaderBytes)
  for (let at = segmentHeaderBytes; next >= 0 && at < segment.length;) {
    const size = soundItemBytes(segment, at, segment.length)
    if (size === 0) {
      at += 1
      continue
    }
    if (segment[at] === recordTag && at + size > next) {
      const { start, end } = eventRange(segment, at)
      const head = anchorOf(segment.subarray(start, end))
      if (head) yield { ...head, from: `record ${sequenceAt(segment, at)} of the log` }
    }
    at += size
    while (next >= 0 && next < at) next = segment.indexOf(digestDetail, at)
  }
}

function anchorOf(event: Uint8Array): Head | undefined {
  try {
    const decoded = eventCodec.decode(event)
    // Nobody else may say so (policy/senders.ts).
    const isOwn = decoded.body === 'systemEvent' && decoded.origin?.system === 'tocsin'
    return isOwn ? anchorIn(decoded.systemEvent) : undefined
  } catch {
    return undefined
  }
}
