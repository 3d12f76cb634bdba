// Saves the index of current records (current.ts) into state.sqlite, a few thousand rows at a time. The checkpoint is moved only
// when everything that was noted before it is in the table: rows that are newer than it do no harm, because noting them again
// changes nothing.

import type { EventKind, MessageStatus } from '../../proto/generated/types.ts'
import type { Entry, Noted } from './current.ts'
import { lanes } from './log.ts'
import type { LanePosition, Retention } from './log.ts'
import type { State } from './state.ts'

export interface CurrentTable {
  readonly checkpoint: LanePosition
  /** What was saved; nothing when it is of another log than this one. Sets `checkpoint`. */
  load(head: LanePosition): Iterable<Noted>
  changed(entry: Entry): void
  advance(head: LanePosition): void
  finish(): void
}

/** kind, status, subject, lane, retention, sequence, logged_at. */
type Row = [bigint, bigint, string, bigint, bigint, bigint, bigint]

/** About 10 ms of this thread, once a second. */
const rowsPerWrite = 4000
const retentions: readonly Retention[] = ['standard', 'record']
/** Marks in state.sqlite; `restore` gives the first one the new epoch. */
export const currentEpochMark = 'current epoch'
const laneMark = { urgent: 'current urgent', routine: 'current routine' } as const

export function createCurrentTable(parts: { state: State; epoch: bigint; entriesMax: number }): CurrentTable {
  const { state, epoch, entriesMax } = parts
  const { database } = state
  const replace = database.prepare('INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?, ?, ?)')
  const remove = database.prepare('DELETE FROM current WHERE kind = ? AND status = ? AND subject = ?')
  const forget = database.prepare('DELETE FROM marks WHERE name = ?')
  const checkpoint = { urgent: 0, routine: 0 }

  let head: LanePosition = checkpoint
  let fresh: Entry[] = []
  let compactAt = 2 * entriesMax
  /** Being saved: all that changed up to `roundHead`. */
  let round: Entry[] = []
  let roundHead: LanePosition = checkpoint
  let written = 0
  let rows = rowsPerWrite

  function write(): void {
    if (written >= round.length) beginRound()
    for (const entry of round.slice(written, written + rows)) {
      const { kind, status } = entry.shelf
      if (entry.gone) remove.run(kind, status, entry.subject)
      else {
        const lane = lanes.indexOf(entry.lane)
        const retention = retentions.indexOf(entry.retention)
        replace.run(kind, status, entry.subject, lane, retention, entry.sequence, entry.loggedAt)
      }
      entry.saved = !entry.gone
    }
  }

  function beginRound(): void {
    round = fresh.filter(matters)
    for (const entry of round) entry.dirty = false
    fresh = []
    roundHead = head
    written = 0
  }

  function done(): void {
    written += rows
    if (written < round.length) return later()
    // In the next transaction, so that no failure can save the checkpoint without the rows.
    state.setMark(currentEpochMark, epoch)
    for (const lane of lanes) state.setMark(laneMark[lane], BigInt(roundHead[lane]))
    if (fresh.length > 0) later()
  }

  const later = (): void => state.later('current', write, done)

  return {
    checkpoint,
    *load(headNow) {
      const saved = readCheckpoint(state, epoch)
      if (!saved || lanes.some((lane) => saved[lane] > headNow[lane])) {
        state.now(() => {
          database.exec('DELETE FROM current')
          // Or a head that grows past the old checkpoint would make it look right again.
          forget.run(currentEpochMark)
        })
        return
      }
      Object.assign(checkpoint, saved)
      const select = database.prepare('SELECT kind, status, subject, lane, retention, sequence, logged_at FROM current')
      select.setReadBigInts(true)
      select.setReturnArrays(true)
      for (const row of select.iterate()) yield noted(row as unknown as Row)
    },
    changed(entry) {
      if (entry.dirty) return
      entry.dirty = true
      fresh.push(entry)
      if (fresh.length < compactAt) return
      // A flood of subjects that come and go at once: what came and went between two writes need not be written.
      fresh = fresh.filter(matters)
      compactAt = 2 * Math.max(fresh.length, entriesMax)
    },
    advance(headNow) {
      head = { urgent: headNow.urgent, routine: headNow.routine }
      later()
    },
    finish() {
      rows = Infinity
      // What was left of a round, what came since, and the checkpoint.
      for (let turn = 0; turn < 3; turn += 1) {
        if (turn < 2) later()
        state.flush()
      }
    },
  }
}

const matters = (entry: Entry): boolean => entry.saved || !entry.gone

function readCheckpoint(state: State, epoch: bigint): LanePosition | undefined {
  const [urgent, routine] = [state.mark(laneMark.urgent), state.mark(laneMark.routine)]
  if (state.mark(currentEpochMark) !== epoch || urgent === undefined || routine === undefined) return undefined
  return { urgent: Number(urgent), routine: Number(routine) }
}

function noted([kind, status, subject, lane, retention, sequence, loggedAt]: Row): Noted {
  return {
    kind: Number(kind) as EventKind,
    status: Number(status) as MessageStatus,
    subject,
    lane: lanes[Number(lane)] ?? 'routine',
    retention: retentions[Number(retention)] ?? 'standard',
    sequence: Number(sequence),
    loggedAt,
  }
}
