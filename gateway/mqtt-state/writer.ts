// Writes what is in line into the tables. It may be run again when its transaction failed: it only puts and removes by key.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { StoredFilter, StoredRetained, StoredWill } from '../../broker/stored.ts'
import { type KnownSession, type Line, ofOwedKey, type SessionFacts, type SessionWaiting } from './line.ts'
import { propertiesText } from './properties-text.ts'

/** A row at a time takes twice as long. */
const owedAtOnce = 32
const owedColumns = 5

export function createWriter(database: DatabaseSync, line: Line): { write(): void } {
  const put = {
    source: database.prepare(
      'INSERT INTO mqtt_sources VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET through = excluded.through',
    ),
    session: upsert('mqtt_sessions', ['id'], ['client', 'principal', 'version', 'expiry_seconds', 'left_at']),
    subscription: upsert(
      'mqtt_subscriptions',
      ['session', 'filter'],
      ['qos', 'no_local', 'retain_as_published', 'retain_handling', 'identifier'],
    ),
    owed: upsert('mqtt_owed', ['session', 'source', 'number'], ['place', 'qos']),
    manyOwed: upsert('mqtt_owed', ['session', 'source', 'number'], ['place', 'qos'], owedAtOnce),
    sent: upsert('mqtt_sent', ['session', 'packet_id'], ['source', 'number', 'released']),
    received: upsert('mqtt_received', ['session', 'packet_id'], ['frame_id']),
    retained: upsert('mqtt_retained', ['topic'], ['payload', 'qos', 'received_at', 'properties', 'client']),
    will: upsert(
      'mqtt_wills',
      ['client'],
      [
        'principal',
        'version',
        'topic',
        'payload',
        'qos',
        'retain',
        'properties',
        'silent_seconds_max',
        'delay_seconds',
        'frame_id',
      ],
    ),
  }
  const remove = {
    subscription: removal('mqtt_subscriptions', ['session', 'filter']),
    owed: removal('mqtt_owed', ['session', 'source', 'number']),
    sent: removal('mqtt_sent', ['session', 'packet_id']),
    received: removal('mqtt_received', ['session', 'packet_id']),
    retained: removal('mqtt_retained', ['topic']),
    will: removal('mqtt_wills', ['client']),
  }
  const removeSession = [
    removal('mqtt_sessions', ['id']),
    ...['subscriptions', 'owed', 'sent', 'received'].map((name) => removal(`mqtt_${name}`, ['session'])),
  ]

  function upsert(table: string, key: readonly string[], rest: readonly string[], rows = 1) {
    const row = `(${[...key, ...rest].map(() => '?').join(', ')})`
    const values = Array.from({ length: rows }, () => row).join(', ')
    const update = rest.map((name) => `${name} = excluded.${name}`).join(', ')
    return database.prepare(
      `INSERT INTO ${table} (${[...key, ...rest].join(', ')}) VALUES ${values} ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${update}`,
    )
  }

  function removal(table: string, key: readonly string[]) {
    return database.prepare(`DELETE FROM ${table} WHERE ${key.map((name) => `${name} = ?`).join(' AND ')}`)
  }

  function writeSources(): void {
    for (const { id, name, stored, through } of line.sources) {
      if (!stored || through !== undefined) put.source.run(id, name, through ?? null)
    }
  }

  function writeSession(session: KnownSession, waiting: SessionWaiting): void {
    const { id } = session
    if (waiting.facts) put.session.run(id, ...sessionCells(waiting.facts))
    for (const [filter, subscription] of waiting.subscriptions) {
      if (subscription) put.subscription.run(id, filter, ...subscriptionCells(subscription))
      else remove.subscription.run(id, filter)
    }
    writeOwed(session, waiting.owed)
    for (const [packetId, sent] of waiting.sent) {
      if (sent) put.sent.run(id, packetId, line.sourceOf(sent.source).id, sent.number, flag(sent.state === 'released'))
      else remove.sent.run(id, packetId)
    }
    for (const [packetId, received] of waiting.received) {
      if (received) put.received.run(id, packetId, received.frameId)
      else remove.received.run(id, packetId)
    }
  }

  function writeOwed({ id, owedMax }: KnownSession, waiting: SessionWaiting['owed']): void {
    const cells: SQLInputValue[] = []
    for (const [key, owed] of waiting) {
      const { source, number } = ofOwedKey(key)
      if (!owed) {
        remove.owed.run(id, source, number)
        continue
      }
      cells.push(id, source, number, (line.place += 1), owed.qos)
      owedMax[source] = Math.max(owedMax[source] ?? 0, number)
      if (cells.length < owedAtOnce * owedColumns) continue
      put.manyOwed.run(...cells)
      cells.length = 0
    }
    for (let at = 0; at < cells.length; at += owedColumns) put.owed.run(...cells.slice(at, at + owedColumns))
  }

  return {
    write() {
      for (const id of line.gone) for (const statement of removeSession) statement.run(id)
      writeSources()
      for (const session of line.changed) if (session.waiting) writeSession(session, session.waiting)
      for (const [topic, retained] of line.retained) {
        if (retained) put.retained.run(topic, ...retainedCells(retained))
        else remove.retained.run(topic)
      }
      for (const [clientId, will] of line.wills) {
        if (will) put.will.run(clientId, ...willCells(will))
        else remove.will.run(clientId)
      }
    },
  }
}

const flag = (is: boolean): number => (is ? 1 : 0)

const sessionCells = ({
  clientId,
  principal,
  protocolVersion,
  expirySeconds,
  leftAt,
}: SessionFacts): SQLInputValue[] => [clientId, principal, protocolVersion, expirySeconds, leftAt ?? null]

const subscriptionCells = (subscription: StoredFilter): SQLInputValue[] => [
  subscription.qos,
  flag(subscription.noLocal),
  flag(subscription.retainAsPublished),
  subscription.retainHandling,
  subscription.identifier ?? null,
]

const retainedCells = ({ payload, qos, receivedAt, properties, clientId }: StoredRetained): SQLInputValue[] => [
  payload,
  qos,
  receivedAt,
  propertiesText(properties),
  clientId ?? null,
]

const willCells = (will: StoredWill): SQLInputValue[] => [
  will.principal,
  will.protocolVersion,
  will.topic,
  will.payload,
  will.qos,
  flag(will.retain),
  propertiesText(will.properties),
  will.silentSecondsMax,
  will.delaySeconds,
  will.frameId ?? null,
]
