// Room that is kept for urgent messages: files full of zeros, made in the background at a polite rate, which become segments when
// the disk has no room for new ones.

import { join } from 'node:path'
import { type Disk, type DiskFile, writeAll } from './disk.ts'

export interface Reserve {
  /** One file of the reserve under a new name, open for writing; undefined: none is left. */
  take(path: string): DiskFile | undefined
  /** Writes one slice when `room` bytes can be spared; false: nothing to do. */
  fill(room: number): Promise<boolean>
  close(): void
}

/** One slice costs a commit at most some milliseconds. */
const sliceBytes = 1024 * 1024
const suffix = '.spare'
const unfinished = '.filling'

export function createReserve(disk: Disk, folder: string, reserveBytes: number, segmentBytes: number): Reserve {
  const wanted = reserveBytes === 0 ? 0 : Math.ceil(reserveBytes / segmentBytes)
  const zeros = Buffer.alloc(Math.min(sliceBytes, segmentBytes))
  let filling: { file: DiskFile; path: string; at: number } | undefined
  let spare: string[] = []
  let started = false

  function start(): void {
    started = true
    if (wanted === 0) return
    disk.makeFolder(folder)
    for (const name of disk.list(folder)) {
      if (name.endsWith(suffix)) spare.push(join(folder, name))
      else if (name.endsWith(unfinished)) disk.unlink(join(folder, name))
    }
  }

  function begin(): void {
    const taken = new Set(spare)
    let number = 1
    while (taken.has(join(folder, `${number}${suffix}`))) number += 1
    const path = join(folder, `${number}${unfinished}`)
    filling = { file: disk.open(path, 'create'), path, at: 0 }
  }

  function finish({ file, path }: { file: DiskFile; path: string }): void {
    file.close()
    const done = path.replace(unfinished, suffix)
    disk.rename(path, done)
    disk.syncFolder(folder)
    spare.push(done)
    filling = undefined
  }

  return {
    take(path) {
      if (!started) start()
      const from = spare.pop()
      if (from === undefined) return undefined
      disk.rename(from, path)
      return disk.open(path, 'write')
    },
    async fill(room) {
      if (!started) start()
      if (spare.length >= wanted || room < segmentBytes) return false
      if (!filling) begin()
      const now = filling!
      const slice = zeros.subarray(0, Math.min(zeros.length, segmentBytes - now.at))
      writeAll(now.file, slice, now.at)
      now.at += slice.length
      // Slice by slice: what gathers unsynced would stop the next commit's sync for as long as it takes.
      await now.file.sync()
      if (filling !== now) return false
      if (now.at >= segmentBytes) finish(now)
      return true
    },
    close() {
      filling?.file.close()
      filling = undefined
      spare = []
    },
  }
}
