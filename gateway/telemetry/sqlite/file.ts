// The file of the SQLite store: telemetry.sqlite in the data folder. It can be made again from the log, as far as the log reaches: a
// file that is gone or damaged is begun anew, and the writer reads the log from its beginning.

import { DatabaseSync } from 'node:sqlite'

export const telemetryFile = 'telemetry.sqlite'

const schemaVersion = 2
/** What stands for a minute or an hour; `…_form` as in points, without the quality. */
function levelTable(name: string): string {
  return `CREATE TABLE ${name} (series INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL, quality INTEGER NOT NULL,
    numbers INTEGER NOT NULL, sum REAL NOT NULL, min_form INTEGER NOT NULL, min, max_form INTEGER NOT NULL, max,
    first_form INTEGER NOT NULL, first, last_form INTEGER NOT NULL, last, PRIMARY KEY (series, at)) WITHOUT ROWID;`
}

/** Points lie in the order they are asked for: series, then time. `form` is the kind of the value × 8 + its quality. */
const schema = `
  CREATE TABLE series (id INTEGER PRIMARY KEY, quantity TEXT NOT NULL, device TEXT NOT NULL, idx TEXT NOT NULL, status INTEGER NOT NULL,
    jurisdiction TEXT NOT NULL, owner TEXT NOT NULL, device_class TEXT NOT NULL, unit TEXT NOT NULL, subject TEXT NOT NULL,
    UNIQUE (quantity, device, idx, status, jurisdiction, owner, device_class, unit, subject));
  CREATE TABLE points (series INTEGER NOT NULL, at INTEGER NOT NULL, counter INTEGER NOT NULL, form INTEGER NOT NULL, value,
    PRIMARY KEY (series, at, counter)) WITHOUT ROWID;
  CREATE TABLE place (only INTEGER PRIMARY KEY CHECK (only = 1), epoch TEXT NOT NULL, urgent INTEGER NOT NULL, routine INTEGER NOT NULL);
  CREATE TABLE touched (series INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (series, at)) WITHOUT ROWID;
  CREATE TABLE horizon (only INTEGER PRIMARY KEY CHECK (only = 1), before INTEGER NOT NULL);
  ${levelTable('minutes')}
  ${levelTable('hours')}
  PRAGMA user_version = ${schemaVersion};`

export function openFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  // The place stands in the same transaction as the points, so what a power cut takes away is read from the log again.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000')
  database.exec('BEGIN IMMEDIATE')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  // Version 1 had no levels and was in no release: the log makes the file anew.
  if (version === 1) database.exec('DROP TABLE points; DROP TABLE series; DROP TABLE place')
  if (version < schemaVersion) database.exec(schema)
  database.exec('COMMIT')
  if (version > schemaVersion) {
    database.close()
    throw new Error(`${path} is of a newer version of this gateway: start that one, or move the file away`)
  }
  return database
}
