// Which frames of the quarantine were read again, when, and what came of it: a small file beside the segments that only grows,
// one line for each. The frames themselves stay as they were received.

import { join } from 'node:path'
import { GatewayError } from '../../proto/errors.ts'
import { Fate } from '../../proto/generated/types.ts'
import type { Frame } from '../../proto/generated/types.ts'
import { timestamp } from '../../proto/time.ts'
import type { Disk } from './disk.ts'
import { writeAll } from './disk.ts'

import type { FrameQuery } from './log.ts'
import type { Search } from './search.ts'
import { readWhole } from './segment-file.ts'
import { decodeFrame } from './stored.ts'

export const replaysFile = 'replays'

type ReplayFate = 'stored' | 'refused' | 'duplicate' | 'ignored'

export interface Replays {
  mark(id: Uint8Array, at: bigint, fate: ReplayFate): void
  marked(frame: Frame | undefined): Frame | undefined
  list(search: Search, query: FrameQuery): readonly Frame[]
  each(search: Search, query: Omit<FrameQuery, 'limit'>): Iterable<Frame>
}

const fates = { stored: Fate.STORED, refused: Fate.REFUSED, duplicate: Fate.DUPLICATE, ignored: Fate.IGNORED } as const
const line = /^([0-9a-f]{32}) (\d+) (stored|refused|duplicate|ignored)$/

export function createReplays(disk: Disk, folder: string): Replays {
  const path = join(folder, replaysFile)
  const notes = new Map<string, { at: bigint; fate: ReplayFate }>()
  const bytes = readWhole(disk, path)
  const text = bytes?.toString('latin1') ?? ''
  for (const one of text.split('\n')) {
    const [, id, at, fate] = line.exec(one) ?? []
    if (id !== undefined) notes.set(id, { at: BigInt(at!), fate: fate as ReplayFate })
  }
  // A line that a loss of power cut off ends here, so that the next one begins on its own.
  let isCut = text !== '' && !text.endsWith('\n')
  let end = bytes?.length ?? 0

  function marked(frame: Frame | undefined): Frame | undefined {
    const note = frame?.id && notes.get(Buffer.from(frame.id).toString('hex'))
    return note ? { ...frame, replayedAt: timestamp(note.at), replayFate: fates[note.fate] } : frame
  }

  return {
    mark(id, at, fate) {
      const hex = Buffer.from(id).toString('hex')
      const added = Buffer.from(`${isCut ? '\n' : ''}${hex} ${at} ${fate}\n`)
      try {
        const file = disk.open(path, bytes || end > 0 ? 'write' : 'create')
        try {
          writeAll(file, added, end)
          file.syncNow()
          if (end === 0) disk.syncFolder(folder)
        } finally {
          file.close()
        }
      } catch (cause) {
        throw new GatewayError('log_failed', `${path} could not be written`, { cause })
      }
      end += added.length
      isCut = false
      notes.set(hex, { at, fate })
    },
    marked,
    *each(search, query) {
      for (const entry of search.frameEntries(query)) yield marked(decodeFrame(entry))!
    },
    list(search, query) {
      const frames: Frame[] = []
      for (const entry of search.frameEntries(query)) {
        if (frames.length >= query.limit) break
        frames.push(marked(decodeFrame(entry))!)
      }
      return frames
    },
  }
}
