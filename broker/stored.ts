// What the broker asks of the house about things that outlive the process: the messages, which the log has, and the small state of
// sessions beside it. Sessions are a projection of the log: `through` says how far the log is in what is stored, and at start the
// broker reads on from there. So nothing is written twice, and a write may be a second late.

import type { MessageProperties, QoS } from './port.ts'

/** Where messages for subscribers come from, as they are numbered; a session is owed numbers, never copies. */
export interface MessageSource {
  /** Part of what is stored; never changed. */
  readonly name: string
  /** Its messages go before those of the others, and never wait for their acknowledgements. */
  readonly urgent: boolean
  /** Those of its messages that ask for it are retained. */
  readonly retains: boolean
  /** Everything up to here is durable and can be read; 0: nothing yet. Numbers are whole, from 1, and only grow. */
  readonly head: number
  /** Undefined: it is gone (retention, damage, payload removed), or nothing that may be delivered. Throws when it cannot be read now. */
  fetch(number: number): DeliverableMessage | undefined
  /**
   * Those above `after`, in order, at most `limit` numbers further; undefined: `after` is the head. `through` > `after`. Where `wanted`
   * says no to a topic, its messages need not be made.
   */
  scan(
    after: number,
    limit: number,
    wanted?: (topic: string) => boolean,
  ): { readonly messages: readonly DeliverableMessage[]; readonly through: number } | undefined
}

export interface DeliverableMessage {
  readonly number: number
  readonly topic: string
  /** May be a view of something larger; whoever keeps it copies it. */
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  /** Who published it, for MQTT 5 No Local. */
  readonly clientId?: string
  readonly properties?: MessageProperties
  /** Nanoseconds since 1970, for expiry. */
  readonly receivedAt: bigint
  /** What may happen to it when its reader does not keep up. */
  readonly kind: MessageKind
}

/** `urgent`: never dropped. `position`: the latest of its topic is enough. `other`: QoS 0 may be dropped, counted. */
export type MessageKind = 'urgent' | 'position' | 'other'

export interface SessionStore {
  /** What is stored; called once, before anything is written. */
  load(): StoredSessions
  /**
   * Puts changes in line, in memory. They are on disk within a second and at `close`, in order, those of one call together. A change that
   * takes back an earlier one that is still in line (owed, then paid) leaves nothing to write. What is given is not copied and must not
   * change afterwards. What is said of a session that is not there is nothing: it may have ended meanwhile.
   */
  write(...changes: readonly SessionChange[]): void
  /**
   * Resolves when all that was written before is on disk and synced; rejects when the disk refuses, and then it is kept in line and
   * tried again. Many callers share one sync.
   */
  flush(): Promise<void>
}

export interface StoredSessions {
  readonly sessions: readonly StoredSession[]
  readonly retained: readonly StoredRetained[]
  readonly wills: readonly StoredWill[]
  /**
   * By source: how far the log is in `owed` and `retained`; absent: nothing was ever stored of it. These numbers and those that are owed
   * may be above the source's head when the log has lost its end.
   */
  readonly through: ReadonlyMap<string, number>
}

export interface StoredSession {
  readonly clientId: string
  readonly principal: string
  readonly protocolVersion: 3 | 4 | 5
  /** How long it is kept after its client has left. */
  readonly expirySeconds: number
  /** Nanoseconds since 1970; undefined: its client was connected. */
  readonly leftAt: bigint | undefined
  readonly subscriptions: readonly StoredFilter[]
  /** In the order in which they were put in line, which is that in which they are to be sent; the other lists are in none. */
  readonly owed: readonly Owed[]
  readonly sent: readonly Sent[]
  readonly received: readonly Received[]
}

export interface StoredFilter {
  readonly filter: string
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
  readonly identifier?: number
}

/** A message that the session is to get and has not acknowledged, at the QoS at which it is to be sent. */
export interface Owed {
  readonly source: string
  readonly number: number
  readonly qos: 1 | 2
}

/** A message of QoS 2 on its way out: `published` until its PUBREC, then `released` until its PUBCOMP. */
export interface Sent {
  readonly packetId: number
  readonly source: string
  readonly number: number
  readonly state: 'published' | 'released'
}

/** A message of QoS 2 that came in and whose PUBREL has not. */
export interface Received {
  readonly packetId: number
  /** The frame that the log has of it, 16 bytes. */
  readonly frameId: Uint8Array
}

export interface StoredRetained {
  readonly topic: string
  /** Who published it, for MQTT 5 No Local. */
  readonly clientId?: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly receivedAt: bigint
  readonly properties?: MessageProperties
}

export interface StoredWill {
  readonly clientId: string
  readonly principal: string
  readonly protocolVersion: 3 | 4 | 5
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties?: MessageProperties
  /** One and a half times the keep-alive: so long it may take until the client is known to be gone. */
  readonly silentSecondsMax: number
  /** MQTT 5 Will Delay Interval. */
  readonly delaySeconds: number
  /** It is about to be stored under this id, or was. */
  readonly frameId?: Uint8Array
}

export type SessionChange =
  | { readonly kind: 'session'; readonly session: Omit<StoredSession, 'subscriptions' | 'owed' | 'sent' | 'received'> }
  /** All that belongs to it goes with it, but for its will. */
  | { readonly kind: 'session_gone'; readonly clientId: string }
  | { readonly kind: 'subscribed'; readonly clientId: string; readonly subscription: StoredFilter }
  | { readonly kind: 'unsubscribed'; readonly clientId: string; readonly filter: string }
  /** One that was owed already comes last now. */
  | { readonly kind: 'owed'; readonly clientId: string; readonly owed: Owed }
  | { readonly kind: 'paid'; readonly clientId: string; readonly source: string; readonly number: number }
  | { readonly kind: 'sent'; readonly clientId: string; readonly sent: Sent }
  | { readonly kind: 'completed'; readonly clientId: string; readonly packetId: number }
  | { readonly kind: 'received'; readonly clientId: string; readonly received: Received }
  | { readonly kind: 'forgotten'; readonly clientId: string; readonly packetId: number }
  | { readonly kind: 'retained'; readonly retained: StoredRetained }
  | { readonly kind: 'retained_gone'; readonly topic: string }
  | { readonly kind: 'will'; readonly will: StoredWill }
  | { readonly kind: 'will_gone'; readonly clientId: string }
  /** `owed` and `retained` hold all of the source's messages up to this number. */
  | { readonly kind: 'through'; readonly source: string; readonly number: number }
