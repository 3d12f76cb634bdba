// Where the last record of each subject and kind stands in the log: what a console shows when it starts. Kept in memory, bounded,
// and saved to state.sqlite a little at a time; at start the log is scanned only after `checkpoint`. An exercise never hides what
// is actual: each message status is kept apart.

import { EventKind } from '../../proto/generated/types.ts'
import type { MessageStatus } from '../../proto/generated/types.ts'
import { createCurrentTable } from './current-table.ts'
import { lanes } from './log.ts'
import type { Lane, LanePosition, Place, Retention } from './log.ts'
import type { State } from './state.ts'

export interface Current {
  /** When this was saved the log was noted up to here; what follows is to be given to `note`. */
  readonly checkpoint: LanePosition
  /** For each record, in sequence order within its lane. One that was noted before does no harm. */
  note(record: Noted): void
  /** All records up to `head` were noted: call it after each commit, and after the scan at start. */
  advance(head: LanePosition): void
  /** Retention removed these; at start: what is no longer there. */
  removed(lane: Lane, retention: Retention, through: number): void
  /** Urgent first, in sequence order. Of the kinds asked for; undefined: of all. */
  places(kinds?: ReadonlySet<EventKind>): readonly Place[]
  readonly size: number
  /** Subjects that were let go to stay within memory, since start. */
  readonly evicted: number
  /** Saves the rest, so that the next start scans nothing. */
  close(): void
}

export interface Noted {
  readonly lane: Lane
  readonly retention: Retention
  readonly sequence: number
  readonly loggedAt: bigint
  readonly kind: EventKind
  readonly status: MessageStatus
  readonly subject: string
}

export interface CurrentParts {
  readonly state: State
  readonly epoch: bigint
  readonly head: LanePosition
  readonly entriesMax?: number
  /** Told once, when the first subject is let go. */
  readonly crowded?: () => void
}

/** The last record of one subject and kind. */
export interface Entry {
  readonly shelf: Shelf
  readonly subject: string
  lane: Lane
  retention: Retention
  sequence: number
  loggedAt: bigint
  /** Since the hand of the clock came by last. */
  touched: boolean
  /** Waits to be saved. */
  dirty: boolean
  /** Is in the table. */
  saved: boolean
  gone: boolean
}

/** The entries of one kind and message status. */
export interface Shelf {
  readonly kind: EventKind
  readonly status: MessageStatus
  readonly entries: Map<string, Entry>
  /** Goes round the entries and lets go the first that was not touched since it came by last (CLOCK, a cheap form of LRU). */
  hand: IterableIterator<Entry>
}

/** About 300 bytes each: 100,000 subjects take 30 MB. */
const entriesMaxDefault = 100_000

// What is let go first, when there are too many: it comes again with the next reading. Alerts and incidents go last.
const comesAgain: ReadonlySet<EventKind> = new Set([
  EventKind.OBSERVATION,
  EventKind.POSITION,
  EventKind.DEVICE_STATUS,
  EventKind.RADIO_CALL,
  EventKind.SYSTEM_EVENT,
])
const staysLongest: ReadonlySet<EventKind> = new Set([
  EventKind.ALERT,
  EventKind.INCIDENT,
  EventKind.ALARM,
  EventKind.CALL,
  EventKind.DETECTION,
])
const rank = (kind: EventKind): number => (comesAgain.has(kind) ? 0 : staysLongest.has(kind) ? 2 : 1)

export function createCurrent({ state, epoch, head, entriesMax = entriesMaxDefault, crowded }: CurrentParts): Current {
  const shelves = new Map<number, Shelf>()
  let size = 0
  let evicted = 0
  const table = createCurrentTable({ state, epoch, entriesMax })
  for (const row of table.load(head)) put(row, true)

  function put(record: Noted, saved: boolean): void {
    if (record.subject === '' || record.kind === EventKind.UNSPECIFIED) return
    const shelf = shelfOf(record.kind, record.status)
    const known = shelf.entries.get(record.subject)
    if (!known) {
      const { subject, lane, retention, sequence, loggedAt } = record
      const flags = { touched: true, dirty: false, saved, gone: false }
      const entry: Entry = { shelf, subject, lane, retention, sequence, loggedAt, ...flags }
      shelf.entries.set(subject, entry)
      size += 1
      if (!saved) table.changed(entry)
      if (size > entriesMax) evict()
    } else if (isLater(record, known)) {
      known.lane = record.lane
      known.retention = record.retention
      known.sequence = record.sequence
      known.loggedAt = record.loggedAt
      known.touched = true
      table.changed(known)
    }
  }

  function shelfOf(kind: EventKind, status: MessageStatus): Shelf {
    const key = kind * 16 + status
    let shelf = shelves.get(key)
    if (!shelf) {
      const entries = new Map<string, Entry>()
      shelf = { kind, status, entries, hand: entries.values() }
      shelves.set(key, shelf)
    }
    return shelf
  }

  function drop(entry: Entry): void {
    entry.shelf.entries.delete(entry.subject)
    entry.gone = true
    size -= 1
    table.changed(entry)
  }

  /** From the fullest shelf of those that matter least. */
  function evict(): void {
    const filled = [...shelves.values()].filter(({ entries }) => entries.size > 0)
    const lowest = Math.min(...filled.map(({ kind }) => rank(kind)))
    const shelf = filled
      .filter(({ kind }) => rank(kind) === lowest)
      .reduce((a, b) => (b.entries.size > a.entries.size ? b : a))
    for (;;) {
      const next = shelf.hand.next()
      if (next.done) shelf.hand = shelf.entries.values()
      else if (next.value.touched) next.value.touched = false
      else {
        drop(next.value)
        break
      }
    }
    evicted += 1
    if (evicted === 1) crowded?.()
  }

  return {
    checkpoint: table.checkpoint,
    note: (record) => put(record, false),
    advance: table.advance,
    removed(lane, retention, through) {
      for (const { entries } of shelves.values()) {
        for (const entry of entries.values()) {
          if (entry.lane === lane && entry.retention === retention && entry.sequence <= through) drop(entry)
        }
      }
    },
    places(kinds) {
      const places: Record<Lane, Place[]> = { urgent: [], routine: [] }
      for (const { kind, entries } of shelves.values()) {
        if (kinds && !kinds.has(kind)) continue
        for (const { lane, sequence } of entries.values()) places[lane].push({ lane, sequence })
      }
      return lanes.flatMap((lane) => places[lane].toSorted((a, b) => a.sequence - b.sequence))
    },
    get size() {
      return size
    },
    get evicted() {
      return evicted
    },
    close: table.finish,
  }
}

/** Sequences tell within a lane; between lanes the log's time does, and of the same moment the urgent one counts. */
function isLater(record: Noted, known: Entry): boolean {
  if (record.lane === known.lane) return record.sequence > known.sequence
  if (record.loggedAt !== known.loggedAt) return record.loggedAt > known.loggedAt
  return record.lane === 'urgent'
}
