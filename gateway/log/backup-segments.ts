// Segments as a backup sees them, while a gateway may be writing: every series up to the same commit, so that what is restored
// is a log as a stop at that moment would have left it.

import { join } from 'node:path'
import { isRecordPart } from './gather.ts'
import { blockCommit, blockLoggedAtMs, describeBlock, soundBlockBytes } from './frames.ts'
import { nodeDisk } from './disk.ts'
import type { LanePosition } from './log.ts'
import { laneAt, loggedAtMsAt, markAt, markTag, sequenceAt, soundItemBytes } from './record.ts'
import { nextNonZero } from './scan.ts'
import { readWhole } from './segment-file.ts'
import { numberOf, segmentHeaderBytes } from './segment.ts'
import { allSeries } from './series.ts'

export interface SegmentPlace {
  /** In the data folder, with forward slashes. */
  readonly path: string
  readonly series: number
  readonly number: number
}

export interface Walked {
  /** Where the first later commit begins; undefined: there is nothing of one. */
  readonly laterAt: number | undefined
  /** Where what was written ends, without the zeros that were written ahead. */
  readonly end: number
  /** Records or frames. */
  readonly records: number
  /** Stretches that are neither sound nor cleared. */
  readonly damaged: number
  readonly lastCommit: number
  readonly heads: LanePosition
  readonly lastLoggedAtMs: number
}

/** Undefined when the path is none of a segment. */
export function segmentPlace(path: string): SegmentPlace | undefined {
  const [folder = '', name = ''] = path.split('/').slice(-2)
  const series = allSeries.find((one) => one.name === folder)?.number
  const number = numberOf(name)
  return series === undefined || number === undefined ? undefined : { path, series, number }
}

/** Reads a segment up to the first thing of a commit after `lastCommit`. */
export function walkSegment(bytes: Buffer, series: number, lastCommit: number): Walked {
  const isRecords = isRecordPart({ series })
  const sound = isRecords ? soundItemBytes : soundBlockBytes
  const heads = { urgent: 0, routine: 0 }
  let [records, damaged, commit, lastLoggedAtMs] = [0, 0, 0, 0]
  let at = segmentHeaderBytes
  let end = Math.min(at, bytes.length)
  while (at < bytes.length) {
    const size = sound(bytes, at, bytes.length)
    if (size === 0) {
      const next = nextSound(bytes, at, sound)
      if (nextNonZero(bytes, at) < next) damaged += 1
      if (next === bytes.length) break
      at = next
      continue
    }
    const isMark = isRecords && bytes[at] === markTag
    if (isMark || !isRecords) {
      const number = isMark ? markAt(bytes, at).commit : blockCommit(bytes, at)
      if (number > lastCommit) return { laterAt: at, end, records, damaged, lastCommit: commit, heads, lastLoggedAtMs }
      commit = Math.max(commit, number)
    }
    if (isRecords && !isMark) {
      records += 1
      const lane = laneAt(bytes, at)
      heads[lane] = Math.max(heads[lane], sequenceAt(bytes, at))
      lastLoggedAtMs = Math.max(lastLoggedAtMs, loggedAtMsAt(bytes, at))
    } else if (!isRecords) {
      records += describeBlock(bytes, at, at).records
      lastLoggedAtMs = Math.max(lastLoggedAtMs, blockLoggedAtMs(bytes, at))
    }
    at += size
    end = at
  }
  end = Math.max(end, lastNonZero(bytes) + 1)
  return { laterAt: undefined, end, records, damaged, lastCommit: commit, heads, lastLoggedAtMs }
}

/** The greatest number of a commit that anything was written of; what is after it began later. */
export function greatestCommit(dataDir: string, segments: readonly SegmentPlace[]): number {
  let greatest = 0
  for (const { number } of allSeries) {
    // The newest may be prepared and still empty.
    const newest = segments
      .filter(({ series }) => series === number)
      .toSorted((a, b) => b.number - a.number)
      .slice(0, 2)
    for (const { path, series } of newest) {
      const bytes = readWhole(nodeDisk, join(dataDir, path))
      if (bytes) greatest = Math.max(greatest, walkSegment(bytes, series, Number.MAX_SAFE_INTEGER).lastCommit)
    }
  }
  return greatest
}

function nextSound(bytes: Buffer, from: number, sound: typeof soundItemBytes): number {
  for (let at = from + 1; at < bytes.length; at += 1) {
    // Long stretches of zeros: what was not written yet.
    if (bytes[at] === 0) at = nextNonZero(bytes, at)
    if (at < bytes.length && sound(bytes, at, bytes.length) > 0) return at
  }
  return bytes.length
}

function lastNonZero(bytes: Buffer): number {
  let at = bytes.length - 1
  while (at >= 0 && bytes[at] === 0) at -= 1
  return at
}
