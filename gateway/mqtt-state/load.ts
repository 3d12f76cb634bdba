// Reads what is stored, once, at start. What a session is owed comes as two lists of numbers for each source, written by SQLite as
// JSON: a row for each of a million takes four times as long.

import type { DatabaseSync } from 'node:sqlite'
import type { QoS } from '../../broker/port.ts'
import type {
  Owed,
  Received,
  Sent,
  StoredFilter,
  StoredRetained,
  StoredSession,
  StoredSessions,
  StoredWill,
} from '../../broker/stored.ts'
import type { KnownSession, Line } from './line.ts'
import { propertiesOf } from './properties-text.ts'

/** Tells the line what is stored under which number. */
export function loadSessions(database: DatabaseSync, line: Line): StoredSessions {
  const { names, through } = loadSources(database, line)
  const sessions = loadFacts(database, line)
  for (const [id, subscription] of loadSubscriptions(database))
    sessions.get(id)?.stored.subscriptions.push(subscription)
  loadOwed(database, line, sessions, names)
  for (const [id, sent] of loadSent(database, names)) sessions.get(id)?.stored.sent.push(sent)
  for (const [id, received] of loadReceived(database)) sessions.get(id)?.stored.received.push(received)
  return {
    sessions: Array.from(sessions.values(), ({ stored }) => stored),
    retained: [...loadRetained(database)],
    wills: [...loadWills(database)],
    through,
  }
}

interface Loading {
  readonly known: KnownSession
  readonly stored: StoredSession & {
    readonly subscriptions: StoredFilter[]
    readonly owed: Owed[]
    readonly sent: Sent[]
    readonly received: Received[]
  }
}

type ProtocolVersion = StoredSession['protocolVersion']

/** The rows of a query whose columns are what `Row` says. */
function rowsOf<Row>(database: DatabaseSync, query: string, bigInts = false): Iterable<Row> {
  const statement = database.prepare(query)
  statement.setReadBigInts(bigInts)
  return statement.iterate() as Iterable<unknown> as Iterable<Row>
}

function loadSources(database: DatabaseSync, line: Line) {
  const names = new Map<number, string>()
  const through = new Map<string, number>()
  type Row = { id: number; name: string; through: number | null }
  for (const row of rowsOf<Row>(database, 'SELECT id, name, through FROM mqtt_sources')) {
    names.set(row.id, row.name)
    line.knowSource(row.id, row.name)
    if (row.through !== null) through.set(row.name, row.through)
  }
  return { names, through }
}

function loadFacts(database: DatabaseSync, line: Line): Map<number, Loading> {
  const sessions = new Map<number, Loading>()
  // Nanoseconds since 1970 are more than a number holds.
  type Row = {
    id: bigint
    client: string
    principal: string
    version: bigint
    expiry_seconds: bigint
    left_at: bigint | null
  }
  const query = 'SELECT id, client, principal, version, expiry_seconds, left_at FROM mqtt_sessions'
  for (const row of rowsOf<Row>(database, query, true)) {
    const id = Number(row.id)
    const stored = {
      clientId: row.client,
      principal: row.principal,
      protocolVersion: Number(row.version) as ProtocolVersion,
      expirySeconds: Number(row.expiry_seconds),
      leftAt: row.left_at ?? undefined,
      subscriptions: [],
      owed: [],
      sent: [],
      received: [],
    }
    sessions.set(id, { known: line.knowSession(id, row.client, true), stored })
  }
  return sessions
}

function* loadSubscriptions(database: DatabaseSync): Iterable<[number, StoredFilter]> {
  type Row = {
    session: number
    filter: string
    qos: QoS
    no_local: number
    retain_as_published: number
    retain_handling: 0 | 1 | 2
    identifier: number | null
  }
  const query =
    'SELECT session, filter, qos, no_local, retain_as_published, retain_handling, identifier FROM mqtt_subscriptions'
  for (const row of rowsOf<Row>(database, query)) {
    const subscription = {
      filter: row.filter,
      qos: row.qos,
      noLocal: row.no_local === 1,
      retainAsPublished: row.retain_as_published === 1,
      retainHandling: row.retain_handling,
      ...(row.identifier !== null && { identifier: row.identifier }),
    }
    yield [row.session, subscription]
  }
}

function loadOwed(
  database: DatabaseSync,
  line: Line,
  sessions: ReadonlyMap<number, Loading>,
  names: ReadonlyMap<number, string>,
): void {
  /** `ranks`: the place, and in the last two bits the QoS. */
  type Row = { session: number; source: number; numbers: string; ranks: string }
  const query = `SELECT session, source, json_group_array(number) AS numbers, json_group_array(place * 4 + qos) AS ranks
    FROM mqtt_owed GROUP BY session, source`
  const ranksOf = new Map<Loading, number[]>()
  for (const row of rowsOf<Row>(database, query)) {
    const session = sessions.get(row.session)
    const source = names.get(row.source)
    if (!session || source === undefined) continue
    const numbers = JSON.parse(row.numbers) as number[]
    const ranks = JSON.parse(row.ranks) as number[]
    const owed = session.stored.owed
    let max = 0
    numbers.forEach((number, index) => {
      const qos = (ranks[index]! % 4) as 1 | 2
      owed.push({ source, number, qos })
      if (number > max) max = number
    })
    session.known.owedMax[row.source] = max
    const before = ranksOf.get(session)
    if (before) for (const rank of ranks) before.push(rank)
    else ranksOf.set(session, ranks)
  }
  for (const [session, ranks] of ranksOf) {
    order(session.stored.owed, ranks)
    line.place = Math.max(line.place, Math.floor(ranks.at(-1)! / 4))
  }
}

/** Both, by rank. What is of one source is in order already, unless something was owed again. */
function order(owed: Owed[], ranks: number[]): void {
  if (ranks.every((rank, index) => index === 0 || rank > ranks[index - 1]!)) return
  const indexes = Array.from(ranks.keys()).toSorted((a, b) => ranks[a]! - ranks[b]!)
  const [owedBefore, ranksBefore] = [[...owed], [...ranks]]
  indexes.forEach((from, to) => {
    owed[to] = owedBefore[from]!
    ranks[to] = ranksBefore[from]!
  })
}

function* loadSent(database: DatabaseSync, names: ReadonlyMap<number, string>): Iterable<[number, Sent]> {
  type Row = { session: number; packet_id: number; source: number; number: number; released: number }
  const query = 'SELECT session, packet_id, source, number, released FROM mqtt_sent'
  for (const row of rowsOf<Row>(database, query)) {
    const source = names.get(row.source)
    if (source === undefined) continue
    const state = row.released === 1 ? 'released' : 'published'
    yield [row.session, { packetId: row.packet_id, source, number: row.number, state }]
  }
}

function* loadReceived(database: DatabaseSync): Iterable<[number, Received]> {
  type Row = { session: number; packet_id: number; frame_id: Uint8Array }
  const query = 'SELECT session, packet_id, frame_id FROM mqtt_received'
  for (const row of rowsOf<Row>(database, query)) {
    yield [row.session, { packetId: row.packet_id, frameId: row.frame_id }]
  }
}

function* loadRetained(database: DatabaseSync): Iterable<StoredRetained> {
  type Row = {
    topic: string
    payload: Uint8Array
    qos: bigint
    received_at: bigint
    properties: string | null
    client: string | null
  }
  const query = 'SELECT topic, payload, qos, received_at, properties, client FROM mqtt_retained'
  for (const row of rowsOf<Row>(database, query, true)) {
    yield {
      topic: row.topic,
      payload: row.payload,
      qos: Number(row.qos) as QoS,
      receivedAt: row.received_at,
      ...(row.client !== null && { clientId: row.client }),
      ...propertiesOf(row.properties),
    }
  }
}

function* loadWills(database: DatabaseSync): Iterable<StoredWill> {
  type Row = {
    client: string
    principal: string
    version: ProtocolVersion
    topic: string
    payload: Uint8Array
    qos: QoS
    retain: number
    properties: string | null
    silent_seconds_max: number
    delay_seconds: number
    frame_id: Uint8Array | null
  }
  const query = `SELECT client, principal, version, topic, payload, qos, retain, properties, silent_seconds_max,
    delay_seconds, frame_id FROM mqtt_wills`
  for (const row of rowsOf<Row>(database, query)) {
    yield {
      clientId: row.client,
      principal: row.principal,
      protocolVersion: row.version,
      topic: row.topic,
      payload: row.payload,
      qos: row.qos,
      retain: row.retain === 1,
      ...propertiesOf(row.properties),
      silentSecondsMax: row.silent_seconds_max,
      delaySeconds: row.delay_seconds,
      ...(row.frame_id && { frameId: row.frame_id }),
    }
  }
}
