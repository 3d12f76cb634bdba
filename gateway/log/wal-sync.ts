// Makes durable what SQLite has committed and not synced, without stopping this thread for as long as the disk takes: libuv's
// threads sync the write-ahead file. One sync is on its way at a time, and all who come meanwhile share the next one.
//
// Why a sync of that file is enough (https://sqlite.org/wal.html, and SQLite's wal.c, with synchronous = NORMAL;
// tests/mqtt-power.test.ts takes the power away after every flush):
// - COMMIT has written all its frames to the file, so a sync that begins after it covers them and all before them. What did not
//   reach the disk whole is found by its checksum at the next start, and it and all after it are left out.
// - At a checkpoint, which may be part of any COMMIT, SQLite syncs the file, copies its pages into the database and syncs that. Only
//   when all are copied may the next writer begin the file anew. So what was committed is on the disk in the one or in
//   the other, whatever the file holds when our sync comes to it; and the new header is synced before any frame follows it.
// - The file is removed by the last connection that closes. Ours is open as long as this is, so it stays the same file; its name was
//   synced with its first header, which SQLite writes when the database is opened here (`migrate`).
// - After a failed sync the kernel takes the pages for written, and the next sync says that all is well: a frame may be missing in
//   the middle, and nothing after it would be read. So everything is then brought into the database file, which SQLite syncs, and
//   the write-ahead file is begun anew, before anything is called durable again.

import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'

export interface WalSync {
  /** A transaction was committed that SQLite has not synced. */
  committed(): void
  /** SQLite itself could not write or sync. */
  failed(error: Error): void
  readonly isSynced: boolean
  /** Calls `write`, then syncs; rejects with what either of them throws. */
  durable(): Promise<void>
  /** Before SQLite syncs by itself; throws when the disk still refuses. */
  mend(): void
  /** Syncs at once. */
  close(): void
}

export interface WalSyncParts {
  readonly database: DatabaseSync
  readonly path: string
  /** Commits what has gathered; called at the beginning of each round. */
  readonly write: () => void
  readonly settled: (error: Error | undefined) => void
  readonly syncFile?: (fd: number) => Promise<void>
}

export function createWalSync({ database, path, write, settled, syncFile = fdatasyncLater }: WalSyncParts): WalSync {
  const file = openSync(path, 'r+')
  let open = true
  let synced = true
  let doubtful = false
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  async function round(): Promise<void> {
    await running?.catch(() => {})
    // Whoever comes from here on writes what this round does not cover.
    next = undefined
    write()
    running = sync().finally(() => (running = undefined))
    await running
  }

  async function sync(): Promise<void> {
    if (synced && !doubtful) return
    if (!open) throw new Error(`${path} was closed before it could be synced`)
    try {
      if (doubtful) mend()
      else {
        synced = true
        await syncFile(file)
      }
    } catch (error) {
      doubtful = true
      settled(error as Error)
      throw error
    }
    settled(undefined)
  }

  function mend(): void {
    if (!doubtful) return
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
    if (busy !== 0) throw new Error(`${path} could not be begun anew after a failed sync: somebody reads it`)
    doubtful = false
    synced = true
  }

  return {
    committed: () => void (synced = false),
    failed(error) {
      if (isInputOutput(error)) doubtful = true
    },
    get isSynced() {
      return synced && !doubtful
    },
    durable: () => (next ??= round()),
    mend,
    close() {
      open = false
      try {
        fdatasyncSync(file)
        synced = true
      } catch (error) {
        settled(error as Error)
      }
      const end = (): void => closeSync(file)
      // Not while a thread may still be about to sync it.
      if (running) running.then(end, end)
      else end()
    },
  }
}

const fdatasyncLater = promisify(fdatasync)

// https://sqlite.org/rescode.html: SQLITE_IOERR; the low byte of an extended code.
const sqliteIoError = 10

function isInputOutput(error: Error): boolean {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' && (code & 0xff) === sqliteIoError
}
