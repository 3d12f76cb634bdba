// One temporary folder for a whole test run, removed at its end: vitest ends its workers by a signal, so they cannot tidy
// up themselves. os.tmpdir() names it in every test.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-tests-'))
  // Workers are started after this and inherit it.
  process.env.TMPDIR = folder
  // A program whose worker has just died may still be writing its last.
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
