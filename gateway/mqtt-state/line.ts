// What is to be written and is not yet, by what it concerns, so that only the last word on each thing is written, and nothing of
// what came and went in between. Knows of each session under which number its rows are stored.

import { strict as assert } from 'node:assert'
import type {
  Owed,
  Received,
  Sent,
  SessionChange,
  StoredFilter,
  StoredRetained,
  StoredSession,
  StoredWill,
} from '../../broker/stored.ts'

export interface Line {
  /** O(1), but for a session that is gone, which costs what was in line for it. */
  add(change: SessionChange): void
  /** It was all written. */
  clear(): void
  /** For what is read at start. */
  knowSession(id: number, clientId: string, stored: boolean): KnownSession
  knowSource(id: number, name: string): void
  sourceOf(name: string): KnownSource
  /** Places of those that are owed only grow. */
  place: number

  readonly gone: readonly number[]
  readonly changed: Iterable<KnownSession>
  readonly sources: Iterable<KnownSource>
  readonly retained: Waiting<string, StoredRetained>
  readonly wills: Waiting<string, StoredWill>
}

/** What is to be put, or undefined for what is to be removed. */
export type Waiting<K, V> = ReadonlyMap<K, V | undefined>

export interface KnownSession {
  /** A session that comes again after it was gone gets another one, so the order of the two does not matter. */
  readonly id: number
  readonly clientId: string
  /** Its row may be on disk. */
  stored: boolean
  /** By source: nothing above it was ever written as owed, so what is paid above it has no row. */
  readonly owedMax: number[]
  waiting: SessionWaiting | undefined
}

export interface SessionWaiting {
  facts: SessionFacts | undefined
  readonly subscriptions: Waiting<string, StoredFilter>
  /** By `owedKey`, in the order in which they were owed. */
  readonly owed: Waiting<number, Owed>
  readonly sent: Waiting<number, Sent>
  readonly received: Waiting<number, Received>
}

export interface KnownSource {
  readonly id: number
  readonly name: string
  stored: boolean
  /** To be written. */
  through: number | undefined
}

export type SessionFacts = Omit<StoredSession, 'subscriptions' | 'owed' | 'sent' | 'received'>

/** The log has a few; with the source in it, a key stays exact up to number 2^47. */
const sourcesMax = 64

export const owedKey = (source: number, number: number): number => number * sourcesMax + source
export const ofOwedKey = (key: number): { readonly source: number; readonly number: number } => ({
  source: key % sourcesMax,
  number: Math.floor(key / sourcesMax),
})

interface Changeable extends SessionWaiting {
  readonly subscriptions: Map<string, StoredFilter | undefined>
  readonly owed: Map<number, Owed | undefined>
  readonly sent: Map<number, Sent | undefined>
  readonly received: Map<number, Received | undefined>
}

export function createLine(): Line {
  const sessions = new Map<string, KnownSession>()
  const sources = new Map<string, KnownSource>()
  const changed = new Set<KnownSession>()
  const retained = new Map<string, StoredRetained | undefined>()
  const wills = new Map<string, StoredWill | undefined>()
  let gone: number[] = []
  let sessionId = 0

  function sourceOf(name: string): KnownSource {
    let source = sources.get(name)
    if (!source) {
      assert(sources.size < sourcesMax - 1, `more than ${sourcesMax - 1} sources of messages`)
      sources.set(name, (source = { id: sources.size + 1, name, stored: false, through: undefined }))
    }
    return source
  }

  function knowSession(id: number, clientId: string, stored: boolean): KnownSession {
    const session: KnownSession = { id, clientId, stored, owedMax: [], waiting: undefined }
    sessions.set(clientId, session)
    sessionId = Math.max(sessionId, id)
    return session
  }

  function waitingOf(session: KnownSession): Changeable {
    if (session.waiting) return session.waiting as Changeable
    const waiting: Changeable = {
      facts: undefined,
      subscriptions: new Map(),
      owed: new Map(),
      sent: new Map(),
      received: new Map(),
    }
    session.waiting = waiting
    changed.add(session)
    return waiting
  }

  /** Undefined: it is gone, and with it whatever is still said of it. */
  function waitingFor(clientId: string): Changeable | undefined {
    const session = sessions.get(clientId)
    return session && waitingOf(session)
  }

  function owe(clientId: string, owed: Owed): void {
    const waiting = waitingFor(clientId)?.owed
    if (!waiting) return
    const key = owedKey(sourceOf(owed.source).id, owed.number)
    // Owed again, it comes last.
    waiting.delete(key)
    waiting.set(key, owed)
  }

  function pay(clientId: string, sourceName: string, number: number): void {
    const session = sessions.get(clientId)
    if (!session) return
    const source = sourceOf(sourceName).id
    const waiting = waitingOf(session).owed
    const key = owedKey(source, number)
    if (number > (session.owedMax[source] ?? 0)) waiting.delete(key)
    else waiting.set(key, undefined)
  }

  function add(change: SessionChange): void {
    switch (change.kind) {
      case 'owed':
        return owe(change.clientId, change.owed)
      case 'paid':
        return pay(change.clientId, change.source, change.number)
      case 'through':
        sourceOf(change.source).through = change.number
        return
      case 'sent':
        sourceOf(change.sent.source)
        waitingFor(change.clientId)?.sent.set(change.sent.packetId, change.sent)
        return
      case 'completed':
        waitingFor(change.clientId)?.sent.set(change.packetId, undefined)
        return
      case 'received':
        waitingFor(change.clientId)?.received.set(change.received.packetId, change.received)
        return
      case 'forgotten':
        waitingFor(change.clientId)?.received.set(change.packetId, undefined)
        return
      case 'session': {
        const { clientId } = change.session
        const session = sessions.get(clientId) ?? knowSession(sessionId + 1, clientId, false)
        waitingOf(session).facts = change.session
        return
      }
      case 'session_gone': {
        const session = sessions.get(change.clientId)
        if (!session) return
        sessions.delete(change.clientId)
        changed.delete(session)
        if (session.stored) gone.push(session.id)
        return
      }
      case 'subscribed':
        waitingFor(change.clientId)?.subscriptions.set(change.subscription.filter, change.subscription)
        return
      case 'unsubscribed':
        waitingFor(change.clientId)?.subscriptions.set(change.filter, undefined)
        return
      case 'retained':
        retained.set(change.retained.topic, change.retained)
        return
      case 'retained_gone':
        retained.set(change.topic, undefined)
        return
      case 'will':
        wills.set(change.will.clientId, change.will)
        return
      case 'will_gone':
        wills.set(change.clientId, undefined)
        return
    }
  }

  return {
    add,
    clear() {
      for (const session of changed) Object.assign(session, { stored: true, waiting: undefined })
      changed.clear()
      gone = []
      for (const source of sources.values()) Object.assign(source, { stored: true, through: undefined })
      retained.clear()
      wills.clear()
    },
    knowSession,
    knowSource: (id, name) => void sources.set(name, { id, name, stored: true, through: undefined }),
    sourceOf,
    place: 0,
    get gone() {
      return gone
    },
    changed,
    sources: { [Symbol.iterator]: () => sources.values() },
    retained,
    wills,
  }
}
