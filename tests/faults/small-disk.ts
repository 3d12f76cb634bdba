// A disk of a few megabytes that can be filled: a tmpfs in a mount namespace of the program's own, so that no rights are needed and
// nobody else sees it.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../tools/run.ts'

/** Put in front of a command: `folder`, which must exist, is then a disk of its own for that command. */
export function smallDiskPrefix(folder: string, mebibytes: number): readonly string[] {
  const mount = `mount -t tmpfs -o size=${mebibytes}m tmpfs "$0" && exec "$@"`
  return ['unshare', '-rm', 'sh', '-c', mount, folder]
}

/** False where this machine lets no user mount a disk of its own. */
export const canMountSmallDisks = async (): Promise<boolean> =>
  (await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])).code === 0

/** The folder as the program sees it, from outside its namespace. */
export const insideOf = (pid: number, folder: string): string => join('/proc', String(pid), 'root', folder)

/** Takes what is left; returns the way to give it back. */
export function fillDisk(folder: string): () => void {
  const filler = join(folder, 'filler')
  const block = Buffer.alloc(64 << 10, 1)
  try {
    for (;;) writeFileSync(filler, block, { flag: 'a' })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOSPC') throw error
  }
  return () => rmSync(filler)
}
