// What the broker keeps of sessions, in state.sqlite beside the log (broker/stored.ts is the contract). Its promise: a change costs a
// place in memory at once, and a row on disk only if it still holds when the gathered rows are written.

import { strict as assert } from 'node:assert'
import type { SessionStore } from '../../broker/stored.ts'
import type { State } from '../log/state.ts'
import { createLine } from './line.ts'
import { loadSessions } from './load.ts'
import { createWriter } from './writer.ts'

/** The state is the owner's to close; what is in line is written then. */
export function createSessionStore({ state }: { readonly state: State }): SessionStore {
  const line = createLine()
  const writer = createWriter(state.database, line)
  let loaded = false
  let noted = false

  function done(): void {
    line.clear()
    noted = false
  }

  return {
    load() {
      assert(!loaded, 'sessions are loaded once')
      loaded = true
      return loadSessions(state.database, line)
    },
    write(...changes) {
      assert(loaded, 'sessions are loaded before anything is written')
      for (const change of changes) line.add(change)
      if (noted) return
      noted = true
      state.later('mqtt sessions', writer.write, done)
    },
    flush: () => state.durable(),
  }
}
