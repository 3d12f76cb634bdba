// Segments as files: made, sealed, and read back. A file is durable under its name when `createSegment` returns; a sealed one ends
// where its bytes end and has its companion beside it.

import { join } from 'node:path'
import { type Disk, type DiskFile, readUpTo, writeAll } from './disk.ts'
import {
  companionOf,
  decodeCompanion,
  decodeHeader,
  encodeCompanion,
  encodeHeader,
  type Segment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
} from './segment.ts'
import { allSeries } from './series.ts'

export const seriesFolder = (folder: string, series: number): string => join(folder, allSeries[series]!.name)

export const segmentPath = (folder: string, series: number, number: number): string =>
  join(seriesFolder(folder, series), segmentName(number))

export function createSegment(disk: Disk, path: string, header: SegmentHeader): DiskFile {
  const file = disk.open(path, 'create')
  try {
    writeAll(file, encodeHeader(header), 0)
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

/** Cuts what is not used, then writes the companion under a passing name and renames it, so that a half one is never read. */
export function sealSegment(disk: Disk, file: DiskFile, segment: Segment): void {
  if (file.size() !== segment.length) file.truncate(segment.length)
  file.syncNow()
  writeCompanion(disk, segment)
  segment.sealed = true
}

export function writeCompanion(disk: Disk, segment: Segment): void {
  const path = companionOf(segment.path)
  const passing = `${path}.new`
  removeIfThere(disk, passing)
  const file = disk.open(passing, 'create')
  try {
    writeAll(file, encodeCompanion(segment), 0)
    file.syncNow()
  } finally {
    file.close()
  }
  disk.rename(passing, path)
}

export function removeIfThere(disk: Disk, path: string): void {
  try {
    disk.unlink(path)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  }
}

export function readWhole(disk: Disk, path: string): Buffer | undefined {
  let file: DiskFile
  try {
    file = disk.open(path, 'read')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = Buffer.allocUnsafeSlow(file.size())
    return bytes.subarray(0, readUpTo(file, bytes, 0))
  } finally {
    file.close()
  }
}

export function readHeader(file: DiskFile): SegmentHeader | 'foreign' | undefined {
  const bytes = Buffer.allocUnsafe(segmentHeaderBytes)
  return decodeHeader(bytes.subarray(0, readUpTo(file, bytes, 0)))
}

/** What the companion says of a sealed segment; undefined when it is missing, damaged, or speaks of another file. */
export function readCompanion(
  disk: Disk,
  series: number,
  path: string,
  header: SegmentHeader,
  size: number,
): Segment | undefined {
  const bytes = readWhole(disk, companionOf(path))
  const segment = bytes && decodeCompanion(bytes, series, path, header)
  return segment?.length === size ? segment : undefined
}
