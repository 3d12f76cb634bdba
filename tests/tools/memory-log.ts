// A log and a store of sessions in memory, for tests of the broker alone. Both may be given to a second broker, which then is the
// first one after a restart.

import type {
  DeliverableMessage,
  InboundPublish,
  MessageSource,
  SessionChange,
  SessionStore,
} from '../../broker/broker.ts'
import type { StoredSession, StoredSessions } from '../../broker/broker.ts'

export interface MemoryLog extends MessageSource {
  append(message: InboundPublish, kind?: DeliverableMessage['kind']): DeliverableMessage
  has(frameId: Uint8Array): boolean
  /** Removes it, as retention does. */
  remove(number: number): void
}

export function createMemoryLog(name = 'frames', urgent = false): MemoryLog {
  const messages: (DeliverableMessage | undefined)[] = []
  const ids = new Set<string>()
  return {
    name,
    urgent,
    retains: !urgent,
    get head() {
      return messages.length
    },
    fetch: (number) => messages[number - 1],
    scan(after, limit) {
      if (after >= messages.length) return undefined
      const found = messages.slice(after, after + limit)
      return { messages: found.filter((one) => one !== undefined), through: after + found.length }
    },
    append({ topic, payload, qos, retain, clientId, properties, frameId }, kind = 'other') {
      if (frameId) ids.add(Buffer.from(frameId).toString('hex'))
      const number = messages.length + 1
      const receivedAt = BigInt(Date.now()) * 1_000_000n
      const stored = {
        number,
        topic,
        payload: Buffer.from(payload),
        qos,
        retain,
        clientId,
        properties,
        receivedAt,
        kind,
      }
      messages.push(stored)
      return stored
    },
    has: (frameId) => ids.has(Buffer.from(frameId).toString('hex')),
    remove: (number) => void (messages[number - 1] = undefined),
  }
}

export interface MemoryStore extends SessionStore {
  /** What a crash now would leave: all that was flushed. */
  crashed(): MemoryStore
  /** Set: flushes are refused. */
  refusing: boolean
}

export function createMemoryStore(flushed: readonly SessionChange[] = []): MemoryStore {
  const changes: SessionChange[] = [...flushed]
  let safe = changes.length
  return {
    refusing: false,
    load: () => replay(changes),
    write: (...more) => void changes.push(...more),
    flush() {
      if (this.refusing) return Promise.reject(new Error('the disk refuses'))
      const end = changes.length
      return new Promise((resolve) =>
        setImmediate(() => {
          safe = Math.max(safe, end)
          resolve()
        }),
      )
    },
    crashed: () => createMemoryStore(changes.slice(0, safe)),
  }
}

interface Kept {
  session: Omit<StoredSession, 'subscriptions' | 'owed' | 'sent' | 'received'>
  readonly subscriptions: Map<string, StoredSession['subscriptions'][number]>
  readonly owed: Map<string, StoredSession['owed'][number]>
  readonly sent: Map<number, StoredSession['sent'][number]>
  readonly received: Map<number, StoredSession['received'][number]>
}

function replay(changes: readonly SessionChange[]): StoredSessions {
  const sessions = new Map<string, Kept>()
  const retained = new Map<string, StoredSessions['retained'][number]>()
  const wills = new Map<string, StoredSessions['wills'][number]>()
  const through = new Map<string, number>()
  for (const change of changes) {
    switch (change.kind) {
      case 'session': {
        const { session } = change
        const kept = sessions.get(session.clientId)
        if (kept) kept.session = session
        else {
          const empty = { subscriptions: new Map(), owed: new Map(), sent: new Map(), received: new Map() }
          sessions.set(session.clientId, { session, ...empty })
        }
        break
      }
      case 'session_gone':
        sessions.delete(change.clientId)
        break
      case 'retained':
        retained.set(change.retained.topic, change.retained)
        break
      case 'retained_gone':
        retained.delete(change.topic)
        break
      case 'will':
        wills.set(change.will.clientId, change.will)
        break
      case 'will_gone':
        wills.delete(change.clientId)
        break
      case 'through':
        through.set(change.source, change.number)
        break
      default:
        ofSession(sessions.get(change.clientId), change)
    }
  }
  const all = [...sessions.values()].map(({ session, ...kept }) => ({
    ...session,
    subscriptions: [...kept.subscriptions.values()],
    owed: [...kept.owed.values()].toSorted((one, other) => one.number - other.number),
    sent: [...kept.sent.values()],
    received: [...kept.received.values()],
  }))
  return { sessions: all, retained: [...retained.values()], wills: [...wills.values()], through }
}

type OfSession = Extract<SessionChange, { clientId: string }>

function ofSession(kept: Kept | undefined, change: OfSession): void {
  if (!kept) return
  switch (change.kind) {
    case 'subscribed':
      kept.subscriptions.set(change.subscription.filter, change.subscription)
      break
    case 'unsubscribed':
      kept.subscriptions.delete(change.filter)
      break
    case 'owed':
      kept.owed.set(`${change.owed.source} ${change.owed.number}`, change.owed)
      break
    case 'paid':
      kept.owed.delete(`${change.source} ${change.number}`)
      break
    case 'sent':
      kept.sent.set(change.sent.packetId, change.sent)
      break
    case 'completed':
      kept.sent.delete(change.packetId)
      break
    case 'received':
      kept.received.set(change.received.packetId, change.received)
      break
    case 'forgotten':
      kept.received.delete(change.packetId)
      break
    default:
  }
}
