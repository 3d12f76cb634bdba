// A disk of a few megabytes that can be filled: a tmpfs in a mount namespace of its own, so that no rights are needed and nobody
// else sees it. It outlives the programs that use it, so that what they find after a crash is what they had written.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from '../tools/child.ts'
import { run } from '../tools/run.ts'

export interface SmallDisk extends AsyncDisposable {
  /** Put in front of a command, which then finds the disk in the folder. */
  readonly prefix: readonly string[]
  /** The folder as those inside see it, from outside. */
  readonly inside: string
  /** Takes what is left. */
  fill(): void
  /** Gives it back. */
  makeRoom(): void
}

/** Who enters a namespace stands in its root; those inside expect the project's folder. */
const home = join(import.meta.dirname, '../..')

/** False where this machine lets no user mount a disk of its own. */
export const canMountSmallDisks = async (): Promise<boolean> =>
  (await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])).code === 0

/** `folder` must exist. */
export async function mountSmallDisk(folder: string, mebibytes: number): Promise<SmallDisk> {
  const mount = `mount -t tmpfs -o size=${mebibytes}m,mode=0700 tmpfs "$0" && echo mounted && exec sleep infinity`
  const holder = startChild('unshare', ['-rm', 'sh', '-c', mount, folder])
  await holder.waitFor('mounted')
  const inside = join('/proc', String(holder.pid), 'root', folder)
  const filler = join(inside, 'filler')
  return {
    prefix: ['nsenter', '--preserve-credentials', '-U', '-m', '-t', String(holder.pid), '--', 'env', '-C', home],
    inside,
    fill() {
      const block = Buffer.alloc(64 << 10, 1)
      try {
        for (;;) writeFileSync(filler, block, { flag: 'a' })
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ENOSPC') throw error
      }
    },
    makeRoom: () => rmSync(filler),
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  }
}
