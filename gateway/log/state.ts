// state.sqlite: the small things that stand beside the segments (bookmarks, holds, the current record of each subject, marks, the
// sessions of MQTT). Its promise: it is never on the hot path. Writes are gathered and done in one transaction at most once a
// second and at close; only what must be durable before somebody is answered is written at once.

import { chmodSync, closeSync, existsSync, openSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../proto/errors.ts'
import { transact } from '../transact.ts'
import { createWalSync } from './wal-sync.ts'

export interface State {
  readonly path: string
  readonly database: DatabaseSync
  /** Where the damaged file went, when it had to be made anew. */
  readonly movedAside: string | undefined
  /**
   * Does `write` within a second, in one transaction with whatever else has gathered, then `done`; a second one under the same
   * name replaces the first. `write` may run again when the transaction fails.
   */
  later(name: string, write: () => void, done?: () => void): void
  /** Does `write` in a transaction of its own, and returns when it is on disk; throws what SQLite throws. */
  now(write: () => void): void
  /** Does what has gathered. It is kept and tried again a second later when the disk refuses. */
  flush(): void
  /**
   * Does what has gathered, and resolves when that and all that was written before outlives a loss of power. Nobody waits for the disk on
   * this thread; calls that come while a sync is on its way share the next. Rejects when the disk refuses; then as `flush`.
   */
  durable(): Promise<void>
  /** A number under a name, such as a time; undefined: never set. */
  mark(name: string): bigint | undefined
  setMark(name: string, value: bigint): void
  close(): void
}

export interface StateParts {
  readonly dataDir: string
  /** Told once when writes begin to fail and once when they succeed again. */
  readonly failed?: (error: Error | undefined) => void
  /** What a person should know, such as a damaged file that was moved aside. */
  readonly warn?: (text: string) => void
  /** Syncs the write-ahead file; tests replace it. */
  readonly syncFile?: (fd: number) => Promise<void>
}

export const stateFile = 'state.sqlite'

/** Bookmarks are promised on disk within a second (log.ts). */
const flushDelayMs = 900
/** A backup that reads the file at the same time holds a lock for a moment. */
const busyTimeoutMs = 1000

// Forward only: an entry is never changed once it was released, a new one is added.
const migrations: readonly string[] = [
  `CREATE TABLE bookmarks (name TEXT PRIMARY KEY, urgent INTEGER NOT NULL, routine INTEGER NOT NULL, pins INTEGER NOT NULL,
     saved_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE holds (name TEXT PRIMARY KEY, reason TEXT NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE current (kind INTEGER NOT NULL, status INTEGER NOT NULL, subject TEXT NOT NULL, lane INTEGER NOT NULL,
     retention INTEGER NOT NULL, sequence INTEGER NOT NULL, logged_at INTEGER NOT NULL, PRIMARY KEY (kind, status, subject)) WITHOUT ROWID;
   CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;`,
  // gateway/mqtt-state says what they hold.
  `CREATE TABLE mqtt_sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, through INTEGER);
   CREATE TABLE mqtt_sessions (id INTEGER PRIMARY KEY, client TEXT NOT NULL UNIQUE, principal TEXT NOT NULL, version INTEGER NOT NULL,
     expiry_seconds INTEGER NOT NULL, left_at INTEGER);
   CREATE TABLE mqtt_subscriptions (session INTEGER NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL, no_local INTEGER NOT NULL,
     retain_as_published INTEGER NOT NULL, retain_handling INTEGER NOT NULL, identifier INTEGER, PRIMARY KEY (session, filter)) WITHOUT ROWID;
   CREATE TABLE mqtt_owed (session INTEGER NOT NULL, source INTEGER NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL,
     qos INTEGER NOT NULL, PRIMARY KEY (session, source, number)) WITHOUT ROWID;
   CREATE TABLE mqtt_sent (session INTEGER NOT NULL, packet_id INTEGER NOT NULL, source INTEGER NOT NULL, number INTEGER NOT NULL,
     released INTEGER NOT NULL, PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
   CREATE TABLE mqtt_received (session INTEGER NOT NULL, packet_id INTEGER NOT NULL, frame_id BLOB NOT NULL,
     PRIMARY KEY (session, packet_id)) WITHOUT ROWID;
   CREATE TABLE mqtt_retained (topic TEXT PRIMARY KEY, payload BLOB NOT NULL, qos INTEGER NOT NULL, received_at INTEGER NOT NULL,
     properties TEXT);
   CREATE TABLE mqtt_wills (client TEXT PRIMARY KEY, principal TEXT NOT NULL, version INTEGER NOT NULL, topic TEXT NOT NULL,
     payload BLOB NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL, properties TEXT, silent_seconds_max INTEGER NOT NULL,
     delay_seconds INTEGER NOT NULL);`,
  // gateway/audit: how far the audit is, told outside its own files.
  `CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, sha256 BLOB NOT NULL);`,
  `ALTER TABLE mqtt_retained ADD COLUMN client TEXT;`,
  // gateway/policy/registry.ts says what an entry holds.
  `CREATE TABLE principals (name TEXT PRIMARY KEY, entry TEXT NOT NULL) WITHOUT ROWID;`,
  `ALTER TABLE mqtt_wills ADD COLUMN frame_id BLOB;`,
  // gateway/links: how far each link is, what is on its way in at QoS 2, and what it is subscribed to at the other broker.
  `CREATE TABLE link_places (link TEXT NOT NULL, source TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (link, source)) WITHOUT ROWID;
   CREATE TABLE link_received (link TEXT NOT NULL, packet_id INTEGER NOT NULL, frame_id BLOB NOT NULL,
     PRIMARY KEY (link, packet_id)) WITHOUT ROWID;
   CREATE TABLE link_filters (link TEXT NOT NULL, filter TEXT NOT NULL, PRIMARY KEY (link, filter)) WITHOUT ROWID;`,
  // gateway/people: who has signed in, and the last step of each authenticator app that was used.
  `CREATE TABLE people_sessions (id TEXT PRIMARY KEY, sha256 BLOB NOT NULL, person TEXT NOT NULL, position TEXT NOT NULL,
     bound INTEGER NOT NULL, ends_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE people_steps (person TEXT PRIMARY KEY, step INTEGER NOT NULL) WITHOUT ROWID;`,
  // gateway/devices/known-devices.ts says what they are.
  `CREATE TABLE devices (sender TEXT NOT NULL, device TEXT NOT NULL, state TEXT NOT NULL, decided_at INTEGER NOT NULL,
     through INTEGER NOT NULL, PRIMARY KEY (sender, device)) WITHOUT ROWID;`,
]

export function openState(parts: StateParts): State {
  const path = join(parts.dataDir, stateFile)
  let movedAside: string | undefined
  let database: DatabaseSync
  try {
    database = openDatabase(path)
  } catch (error) {
    if (error instanceof GatewayError || !isDamage(error)) throw error
    movedAside = moveAside(path)
    parts.warn?.(
      `${path} is damaged (${(error as Error).message}) and was moved to ${movedAside}. A new one is made: readers without a ` +
        'bookmark begin again where they are told to begin, and the index of current records is built again from the log. MQTT ' +
        'sessions, what they were still to be sent, retained messages and wills are gone (every message is in the log): clients ' +
        'must subscribe again, and a topic has a retained message again when one is published. Principals are gone too: nobody from the ' +
        'network is let in until they are entered again, or the file is restored from a backup.',
    )
    database = openDatabase(path)
  }
  return createState(parts, path, database, movedAside)
}

function createState(parts: StateParts, path: string, database: DatabaseSync, movedAside: string | undefined): State {
  const gathered = new Map<string, { write: () => void; done: (() => void) | undefined }>()
  let timer: NodeJS.Timeout | undefined
  let failing = false
  let open = true
  const selectMark = database.prepare('SELECT value FROM marks WHERE name = ?')
  selectMark.setReadBigInts(true)
  const replaceMark = database.prepare('INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)')
  const marks = new Map<string, bigint>()
  const selectChanges = database.prepare('SELECT total_changes() AS count')
  const changes = (): unknown => (selectChanges.get() as { count: number }).count

  const settled = (error: Error | undefined): void => {
    if (error) schedule()
    if (failing === (error !== undefined)) return
    failing = error !== undefined
    parts.failed?.(error)
  }

  const wal = createWalSync({
    database,
    path: `${path}-wal`,
    settled,
    write: () => {
      const error = writeGathered()
      if (error) throw error
    },
    ...(parts.syncFile && { syncFile: parts.syncFile }),
  })

  function writeGathered(): Error | undefined {
    if (gathered.size === 0) return undefined
    const writes = [...gathered]
    gathered.clear()
    let changed = false
    try {
      transact(database, () => {
        const before = changes()
        for (const [, { write }] of writes) write()
        changed = changes() !== before
      })
    } catch (error) {
      for (const [name, entry] of writes) if (!gathered.has(name)) gathered.set(name, entry)
      wal.failed(error as Error)
      settled(error as Error)
      return error as Error
    }
    // What was taken back before it was written leaves nothing to sync.
    if (changed) wal.committed()
    for (const [, { done }] of writes) done?.()
    return undefined
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (writeGathered() || wal.isSynced) return
    // Whoever is to know of it was told by `settled`.
    wal.durable().catch(() => {})
  }

  function schedule(): void {
    if (open) timer ??= setTimeout(flush, flushDelayMs).unref()
  }

  const state: State = {
    path,
    database,
    movedAside,
    later(name, write, done) {
      gathered.set(name, { write, done })
      schedule()
    },
    now(write) {
      wal.mend()
      database.exec('PRAGMA synchronous = FULL')
      try {
        transact(database, write)
      } catch (error) {
        wal.failed(error as Error)
        schedule()
        throw error
      } finally {
        database.exec('PRAGMA synchronous = NORMAL')
      }
    },
    flush,
    durable: wal.durable,
    mark(name) {
      return marks.get(name) ?? (selectMark.get(name) as { value: bigint } | undefined)?.value
    },
    setMark(name, value) {
      marks.set(name, value)
      state.later(`mark ${name}`, () => replaceMark.run(name, value))
    },
    close() {
      if (!open) return
      flush()
      clearTimeout(timer)
      open = false
      database.exec('PRAGMA synchronous = FULL')
      wal.close()
      // The last connection to close writes everything into the one file and syncs it.
      database.close()
    },
  }
  return state
}

function openDatabase(path: string): DatabaseSync {
  // SQLite gives its other two files the mode of this one.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  else chmodSync(path, 0o600)
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    // A checkpoint syncs on this thread: one for every 16 MB, not for every 4.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000')
    const check = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
    if (check.quick_check !== 'ok') throw Object.assign(new Error(check.quick_check), { errcode: sqliteCorrupt })
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > migrations.length) {
    throw new GatewayError(
      'log_foreign',
      `${path} has version ${version}, this gateway knows ${migrations.length}: start the newer gateway, or restore a backup of the older one`,
    )
  }
  // Written even when there is nothing to do, so that the write-ahead file is there.
  transact(database, () => {
    for (const migration of migrations.slice(version)) database.exec(migration)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

// https://sqlite.org/rescode.html: SQLITE_CORRUPT and SQLITE_NOTADB; the low byte of an extended code.
const sqliteCorrupt = 11
const sqliteNotADatabase = 26

function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && [sqliteCorrupt, sqliteNotADatabase].includes(code & 0xff)
}

function moveAside(path: string): string {
  let count = 1
  while (existsSync(`${path}.damaged-${count}`)) count += 1
  const target = `${path}.damaged-${count}`
  for (const part of ['-wal', '-shm']) if (existsSync(path + part)) renameSync(path + part, target + part)
  renameSync(path, target)
  return target
}
