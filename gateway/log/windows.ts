// Bytes of segments, read a window at a time; the last few windows and open files are kept, so that readers at the same place
// share one read. A window's bytes never change once they were handed out.

import { type Disk, type DiskFile, readUpTo } from './disk.ts'
import type { Segment } from './segment.ts'

export interface Window {
  readonly bytes: Buffer
  /** Offset of its first byte in the file. */
  readonly base: number
}

export interface Windows {
  /** Holds `size` bytes from `offset`, or all up to the end of what is in use. */
  at(segment: Segment, offset: number, size: number): Window
  /** Its bytes changed, or it is gone. */
  forget(segment: Segment): void
  close(): void
}

const windowBytes = 256 * 1024
const windowsKept = 8
const filesKept = 16

export function createWindows(disk: Disk): Windows {
  const files = new Map<string, DiskFile>()
  let kept: (Window & { readonly path: string })[] = []

  function fileOf({ path }: Segment): DiskFile {
    const file = files.get(path) ?? disk.open(path, 'read')
    files.delete(path)
    files.set(path, file)
    const oldest = files.size > filesKept ? files.keys().next().value : undefined
    if (oldest !== undefined) close(oldest)
    return file
  }

  function close(path: string): void {
    files.get(path)?.close()
    files.delete(path)
  }

  return {
    at(segment, offset, size) {
      const end = Math.min(offset + size, segment.length)
      const found = kept.find(
        ({ path, base, bytes }) => path === segment.path && base <= offset && base + bytes.length >= end,
      )
      if (found) return found
      const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(windowBytes, size), segment.length - offset))
      const count = readUpTo(fileOf(segment), bytes, offset)
      const window = { path: segment.path, base: offset, bytes: bytes.subarray(0, count) }
      // One that this one goes beyond is of no more use.
      kept = [window, ...kept.filter(({ path, base }) => path !== segment.path || base !== offset)].slice(
        0,
        windowsKept,
      )
      return window
    },
    forget(segment) {
      kept = kept.filter(({ path }) => path !== segment.path)
      close(segment.path)
    },
    close() {
      files.forEach((_, path) => close(path))
      kept = []
    },
  }
}
