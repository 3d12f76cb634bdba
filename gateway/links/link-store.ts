// What links keep beside the log, in state.sqlite: how far each source of messages is acknowledged at the other broker, which QoS 2
// messages from there are on their way in, and what its session is subscribed to.

import type { LinkStore } from '../../broker/link-port.ts'
import type { SessionChange } from '../../broker/stored.ts'
import type { State } from '../log/state.ts'

export function createLinkStore(state: State, link: string): LinkStore {
  const { database } = state
  const places = new Map<string, number>()
  const received = new Map<number, Uint8Array>()
  /** To be written; undefined: to be removed. */
  const changed = new Map<number, Uint8Array | undefined>()
  const moved = new Set<string>()
  let filters: readonly string[] = []
  let areFiltersChanged = false

  for (const { source, number } of rows<{ source: string; number: number }>('source, number', 'link_places'))
    places.set(source, number)
  for (const row of rows<{ packet_id: number; frame_id: Uint8Array }>('packet_id, frame_id', 'link_received'))
    received.set(row.packet_id, row.frame_id)
  filters = rows<{ filter: string }>('filter', 'link_filters').map(({ filter }) => filter)

  const putPlace = database.prepare('INSERT OR REPLACE INTO link_places (link, source, number) VALUES (?, ?, ?)')
  const putReceived = database.prepare(
    'INSERT OR REPLACE INTO link_received (link, packet_id, frame_id) VALUES (?, ?, ?)',
  )
  const removeReceived = database.prepare('DELETE FROM link_received WHERE link = ? AND packet_id = ?')
  const putFilter = database.prepare('INSERT INTO link_filters (link, filter) VALUES (?, ?)')
  const removeFilters = database.prepare('DELETE FROM link_filters WHERE link = ?')

  function rows<Row>(columns: string, table: string): Row[] {
    return database.prepare(`SELECT ${columns} FROM ${table} WHERE link = ?`).all(link) as unknown as Row[]
  }

  // What is noted stays so until the transaction is done: one that fails is tried again and writes what is true by then.
  function write(): void {
    for (const source of moved) putPlace.run(link, source, places.get(source)!)
    for (const [packetId, frameId] of changed) {
      if (frameId) putReceived.run(link, packetId, frameId)
      else removeReceived.run(link, packetId)
    }
    if (!areFiltersChanged) return
    removeFilters.run(link)
    for (const filter of filters) putFilter.run(link, filter)
  }

  function note(): void {
    state.later(`link ${link}`, write, () => {
      moved.clear()
      changed.clear()
      areFiltersChanged = false
    })
  }

  function change(one: SessionChange): void {
    if (one.kind === 'received') changed.set(one.received.packetId, one.received.frameId)
    else if (one.kind === 'forgotten') changed.set(one.packetId, undefined)
  }

  return {
    place: (source) => places.get(source),
    setPlace(source, number) {
      if (places.get(source) === number) return
      places.set(source, number)
      moved.add(source)
      note()
    },
    received: () => received,
    filters: () => filters,
    setFilters(next) {
      const unique = [...new Set(next)]
      if (unique.length === filters.length && unique.every((filter) => filters.includes(filter))) return
      filters = unique
      areFiltersChanged = true
      note()
    },
    write(...changes) {
      for (const one of changes) change(one)
      note()
    },
    flush: () => state.durable(),
  }
}
