// One transaction of SQLite.

import type { DatabaseSync } from 'node:sqlite'

/** All of `work` or nothing of it; throws what it, or SQLite, throws. */
export function transact(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
