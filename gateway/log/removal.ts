// Removes what a record and its frame say, and leaves that they were there: bytes become zeros in place. A change is written to a
// file of its own first, so that a stop in the middle is made good at the next start.

import { relative } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import type { Disk } from './disk.ts'
import { blockCommit, blockLoggedAtMs, frameEntries, makeBlock, unpackBlock } from './frames.ts'
import type { Place } from './log.ts'
import { applyPatches, endPatches, notePatches, type Patch } from './patch.ts'
import type { Reader } from './reader.ts'
import { eventRange, flagRemoved, flagsAt, frameIdAt, sealRecord } from './record.ts'
import type { Search } from './search.ts'
import { type Found, sequenceOf } from './walk.ts'
import { setUint32 } from './wire-bytes.ts'

export interface RemovalParts {
  readonly disk: Disk
  readonly folder: string
  readonly reader: Reader
  readonly search: Search
  /** Nobody is given what was read of it before. */
  forget(found: Found): void
}

export function createRemoval({ disk, folder, reader, search, forget }: RemovalParts): (place: Place) => Promise<void> {
  return async ({ lane, sequence }) => {
    const found = reader.locate(lane, sequence)
    if (!found || sequenceOf(found) !== sequence)
      throw new GatewayError('not_found', `there is no ${lane} record ${sequence}`)
    const frame = search.findFrameEntry(frameIdAt(found.window.bytes, found.at))
    const changed = frame ? [found, frame.found] : [found]
    const patches = frame
      ? [emptiedRecord(folder, found), emptiedFrame(folder, frame.found, frame.id)]
      : [emptiedRecord(folder, found)]
    try {
      notePatches(disk, folder, patches)
      applyPatches(disk, folder, patches)
      endPatches(disk, folder)
    } catch (cause) {
      throw new GatewayError('log_failed', `the payload of ${lane} record ${sequence} could not be removed`, { cause })
    } finally {
      for (const one of changed) forget(one)
    }
  }
}

function emptiedRecord(folder: string, { segment, window, at, size }: Found): Patch {
  const bytes = Buffer.from(window.bytes.subarray(at, at + size))
  const { start, end } = eventRange(bytes, 0)
  bytes.fill(0, start, end)
  setUint32(bytes, 29, flagsAt(bytes, 0) | flagRemoved)
  sealRecord(bytes, 0)
  return { path: relative(folder, segment.path), offset: window.base + at, bytes }
}

/** Zeros compress better than what they replace, so the block fits where it stood; if it ever does not, the others' payloads stay. */
function emptiedFrame(folder: string, { segment, window, at, size }: Found, id: Buffer): Patch {
  const raw = Buffer.from(unpackBlock(window.bytes, at))
  for (const entry of frameEntries(raw)) if (entry.id.equals(id)) entry.payload.fill(0)
  const block = makeBlock(raw, blockCommit(window.bytes, at), blockLoggedAtMs(window.bytes, at), size)
  if (!block) throw new RangeError('the block of frames does not fit its place any more')
  return { path: relative(folder, segment.path), offset: window.base + at, bytes: block }
}
