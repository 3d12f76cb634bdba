// Where each reader is in the log. Set in memory at once, on disk within a second and at close: after a crash a reader is given
// again what it had in its last second, and never misses any.

import { strict as assert } from 'node:assert'
import type { Bookmark, Bookmarks, LanePosition } from './log.ts'
import { lanes } from './log.ts'
import type { State } from './state.ts'

export interface BookmarkParts {
  readonly state: State
  /** The log's head: no bookmark is beyond it. */
  readonly head: () => LanePosition
  /** Log time, for `savedAt`. */
  readonly now: () => bigint
  readonly warn?: (text: string) => void
}

interface Entry {
  readonly name: string
  bookmark: Bookmark
  pins: boolean
  savedAt: bigint
}

interface Row {
  name: string
  urgent: bigint
  routine: bigint
  pins: bigint
  saved_at: bigint
}

/** Consoles keep their own cursors; these are outputs and partners. */
const bookmarksMax = 10_000

export function createBookmarks({ state, head, now, warn }: BookmarkParts): Bookmarks {
  const entries = load(state, head(), warn)
  const changed = new Set<string>()
  const replace = state.database.prepare(
    'INSERT OR REPLACE INTO bookmarks (name, urgent, routine, pins, saved_at) VALUES (?, ?, ?, ?, ?)',
  )
  const remove = state.database.prepare('DELETE FROM bookmarks WHERE name = ?')

  // The names stay noted until the transaction is done: one that fails is tried again and writes what is true by then.
  function write(): void {
    for (const name of changed) {
      const entry = entries.get(name)
      if (entry) {
        const { urgent, routine } = entry.bookmark
        replace.run(name, urgent, routine, entry.pins ? 1 : 0, entry.savedAt)
      } else remove.run(name)
    }
  }

  function note(name: string): void {
    changed.add(name)
    state.later('bookmarks', write, () => changed.clear())
  }

  return {
    get: (name) => entries.get(name)?.bookmark,
    set(name, { urgent, routine }, options) {
      const limit = head()
      assert(urgent <= limit.urgent && routine <= limit.routine, `bookmark ${name} is beyond the head of the log`)
      const entry = entries.get(name)
      assert(entry || entries.size < bookmarksMax, `more than ${bookmarksMax} bookmarks`)
      const pins = options?.pins ?? entry?.pins ?? false
      if (entry) Object.assign(entry, { bookmark: { urgent, routine }, pins, savedAt: now() })
      else entries.set(name, { name, bookmark: { urgent, routine }, pins, savedAt: now() })
      note(name)
    },
    remove(name) {
      if (entries.delete(name)) note(name)
    },
    list: () =>
      Array.from(entries.values(), ({ name, bookmark, pins, savedAt }) => ({ name, bookmark, pins, savedAt })),
  }
}

function load(state: State, head: LanePosition, warn: BookmarkParts['warn']): Map<string, Entry> {
  const select = state.database.prepare('SELECT name, urgent, routine, pins, saved_at FROM bookmarks ORDER BY name')
  select.setReadBigInts(true)
  const entries = new Map<string, Entry>()
  for (const row of select.iterate() as Iterable<Row & Record<string, unknown>>) {
    const bookmark = { urgent: Number(row.urgent), routine: Number(row.routine) }
    // Only a log that lost its end (a file removed by hand, a damaged disk) has a head before a bookmark. The reader goes on from
    // the head, or it would skip what now gets the numbers that it had read.
    if (lanes.some((lane) => bookmark[lane] > head[lane])) {
      warn?.(`bookmark ${row.name} was beyond the end of the log and now stands at it: the log has lost records`)
      for (const lane of lanes) bookmark[lane] = Math.min(bookmark[lane], head[lane])
    }
    entries.set(row.name, { name: row.name, bookmark, pins: row.pins === 1n, savedAt: row.saved_at })
  }
  return entries
}
