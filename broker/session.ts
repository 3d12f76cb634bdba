// What belongs to a client beyond a packet: who it is, what it subscribed to, what it is owed, what is on its way to and from it.
// A session that is kept outlives its connection, and the process.

import type { Gate } from './gate.ts'
import type { OutwardAliases } from './outward-aliases.ts'
import type { OwedQueue } from './owed-queue.ts'
import type { Principal, Verdict } from './port.ts'
import type { ShareGroup } from './sharing.ts'
import type { StoredFilter, StoredRetained } from './stored.ts'

export interface Session<P extends Principal> {
  readonly clientId: string
  readonly principalName: string
  /** Absent after a start, until the house knows it again. */
  principal: P | undefined
  protocolVersion: 3 | 4 | 5
  /** Outlives its connection; what it is owed is stored. */
  kept: boolean
  /** How long it is kept after its client has left. */
  expirySeconds: number
  /** Monotonic nanoseconds; undefined while its client is connected. */
  endsAt: bigint | undefined
  readonly subscriptions: Map<string, Subscription<P>>
  /** By source. */
  readonly owed: (OwedQueue | undefined)[]
  owedCount: number
  /** Of those owed, at QoS 0: they wait in memory only. */
  owedAtMostOnce: number
  /** Retained messages that wait for it, by a number of the session's own. */
  readonly retained: Map<number, RetainedForOne>
  retainedLast: number
  /** Positions that wait, by topic: a newer one takes their place. */
  readonly positions: Map<string, { readonly source: number; readonly number: number }>
  /** On their way to it, by packet identifier, in the order in which they were sent. */
  readonly flights: Map<number, Flight<P>>
  /** Of these, how many were sent over the connection that there is. */
  inFlight: number
  packetIdLast: number
  /** Of QoS 2, on their way in, by packet identifier: from PUBLISH to PUBREL. */
  readonly received: Map<number, ReceivedOnce>
  connection: Connection | undefined
}

export interface Subscription<P extends Principal> extends StoredFilter {
  readonly session: Session<P>
}

export interface Flight<P extends Principal> {
  readonly source: number
  readonly number: number
  readonly qos: 1 | 2
  /** QoS 2: `released` after its PUBREC. */
  state: 'published' | 'released'
  /** It has an identifier from before a restart, and its turn to be sent has not come yet. */
  waiting: boolean
  readonly retained?: RetainedForOne
  /** Whose it is until it is acknowledged. */
  readonly group?: ShareGroup<P>
  /** Of a group: what the member asked for, whatever other subscriptions it has. */
  readonly filter?: StoredFilter
}

/** A retained message, sent because its topic was subscribed to. */
export interface RetainedForOne {
  readonly message: StoredRetained
  readonly identifier: number | undefined
}

export interface ReceivedOnce {
  readonly frameId: Uint8Array | undefined
  /** From the moment that it came; absent for one of before a restart, and for one that was not taken. */
  settled: Promise<Verdict> | undefined
  readonly resolve?: (verdict: Verdict) => void
  readonly reject?: (error: Error) => void
}

/** The live end of a session. */
export interface Connection {
  readonly gate: Gate
  readonly protocolVersion: 3 | 4 | 5
  /** Messages of QoS 1 and 2 that may be on their way to it at once. */
  readonly window: number
  /** MQTT 5 Maximum Packet Size that it asked for. */
  readonly packetBytesMax: number
  readonly aliases: OutwardAliases | undefined
  /** Something must be on disk, or others have their turn, before more is sent. */
  busy: boolean
  /** By packet identifier: on their way over the connection before, and to be sent over this one before all others. */
  readonly again: Set<number>
  /** Sources that cannot be read for it now, and are asked again. */
  readonly unread: Set<number>
}

export function newSession<P extends Principal>(
  clientId: string,
  principal: { readonly name: string; readonly principal: P | undefined },
  protocolVersion: 3 | 4 | 5,
): Session<P> {
  return {
    clientId,
    principalName: principal.name,
    principal: principal.principal,
    protocolVersion,
    kept: false,
    expirySeconds: 0,
    endsAt: undefined,
    subscriptions: new Map(),
    owed: [],
    owedCount: 0,
    owedAtMostOnce: 0,
    retained: new Map(),
    retainedLast: 0,
    positions: new Map(),
    flights: new Map(),
    inFlight: 0,
    packetIdLast: 0,
    received: new Map(),
    connection: undefined,
  }
}

/** A message on its way, under an identifier of its own. */
export function newFlight<P extends Principal>(
  session: Session<P>,
  source: number,
  number: number,
  qos: 1 | 2,
  whose?: Pick<Flight<P>, 'retained' | 'group' | 'filter'>,
): { readonly packetId: number; readonly flight: Flight<P> } {
  const packetId = takePacketId(session)
  const flight: Flight<P> = { source, number, qos, state: 'published', waiting: false, ...whose }
  session.flights.set(packetId, flight)
  session.inFlight++
  return { packetId, flight }
}

function takePacketId(session: Session<Principal>): number {
  let id = session.packetIdLast
  do id = id >= 0xffff ? 1 : id + 1
  while (session.flights.has(id))
  session.packetIdLast = id
  return id
}
