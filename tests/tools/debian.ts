// Where the Debian programs that fetch.sh unpacked lie, and what environment they need to run from there. Nothing of them
// is installed, so their own libraries are found through LD_LIBRARY_PATH, which is given to them alone.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../.cache/debian/tests/root')
const stamp = join(root, '../packages')

export const debian = { root, programPath, environment, isUnpacked }

const programFolders = ['usr/bin', 'usr/sbin', 'bin', 'sbin']

function programPath(name: string): string {
  const found = programFolders.map((folder) => join(root, folder, name)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${name} is not among the unpacked programs: run 'npm run tools'`)
  return found
}

/** A small environment of our own: no proxy, no locale and no search path of the user's reaches these programs. */
function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: '/nonexistent', LD_LIBRARY_PATH: libraryPath(), ...extra }
}

function isUnpacked(): boolean {
  return existsSync(stamp) && existsSync(root)
}

/** Debian keeps libraries in a folder named after the machine, e.g. usr/lib/aarch64-linux-gnu. */
function libraryPath(): string {
  return ['usr/lib', 'lib']
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => /-linux-gnu[a-z0-9]*$/.test(folder))
    .join(':')
}
