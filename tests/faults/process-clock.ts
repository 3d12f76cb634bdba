// A program whose clock can be set while it runs, by libfaketime of Debian's archive; only the time of day moves, as when somebody
// sets it, and the monotonic clock goes on. The machine's own clock is never touched.

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../tools/temp-folder.ts'

export interface ProcessClock {
  /** For the program's environment. */
  readonly env: Readonly<Record<string, string>>
  /** Seconds ahead of the machine's clock; below zero: behind. Seen by the program within a moment. */
  set(seconds: number): void
}

/** Fetched by `sh tests/tools/fetch.sh faults`. */
const unpacked = join(import.meta.dirname, '../../.cache/debian/faults/root/usr/lib')

/** Undefined where the library is not there. */
export function createProcessClock(): ProcessClock | undefined {
  const library = libraryPath()
  if (library === undefined) return undefined
  const file = join(tempFolder('clock'), 'offset')
  const set = (seconds: number): void => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  set(0)
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // Looked at each time: a test does not wait for the library's ten seconds.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    },
    set,
  }
}

function libraryPath(): string | undefined {
  if (!existsSync(unpacked)) return undefined
  return readdirSync(unpacked)
    .map((folder) => join(unpacked, folder, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path))
}
