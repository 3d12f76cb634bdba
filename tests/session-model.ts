// Random changes of MQTT sessions, and what must be stored after them: the contract of broker/stored.ts, done with plain maps.

import fc from 'fast-check'
import type {
  Owed,
  Received,
  Sent,
  SessionChange,
  StoredFilter,
  StoredRetained,
  StoredSessions,
  StoredWill,
} from '../broker/stored.ts'

type Facts = Extract<SessionChange, { kind: 'session' }>['session']

interface ModelSession {
  facts: Facts
  readonly subscriptions: Map<string, StoredFilter>
  readonly owed: Map<string, Owed>
  readonly sent: Map<number, Sent>
  readonly received: Map<number, Received>
}

export interface SessionModel {
  apply(...changes: readonly SessionChange[]): void
  stored(): StoredSessions
}

export function createSessionModel(): SessionModel {
  const sessions = new Map<string, ModelSession>()
  const retained = new Map<string, StoredRetained>()
  const wills = new Map<string, StoredWill>()
  const through = new Map<string, number>()
  const owedKey = (source: string, number: number): string => `${source} ${number}`

  function ofSession(clientId: string, change: SessionChange): void {
    const session = sessions.get(clientId)
    if (!session) return
    if (change.kind === 'subscribed') session.subscriptions.set(change.subscription.filter, change.subscription)
    if (change.kind === 'unsubscribed') session.subscriptions.delete(change.filter)
    if (change.kind === 'owed') {
      const key = owedKey(change.owed.source, change.owed.number)
      session.owed.delete(key)
      session.owed.set(key, change.owed)
    }
    if (change.kind === 'paid') session.owed.delete(owedKey(change.source, change.number))
    if (change.kind === 'sent') session.sent.set(change.sent.packetId, change.sent)
    if (change.kind === 'completed') session.sent.delete(change.packetId)
    if (change.kind === 'received') session.received.set(change.received.packetId, change.received)
    if (change.kind === 'forgotten') session.received.delete(change.packetId)
  }

  function applyOne(change: SessionChange): void {
    if (change.kind === 'session') {
      const { clientId } = change.session
      const session = sessions.get(clientId)
      if (session) session.facts = change.session
      else {
        const empty = { subscriptions: new Map(), owed: new Map(), sent: new Map(), received: new Map() }
        sessions.set(clientId, { facts: change.session, ...empty })
      }
    } else if (change.kind === 'session_gone') sessions.delete(change.clientId)
    else if (change.kind === 'retained') retained.set(change.retained.topic, change.retained)
    else if (change.kind === 'retained_gone') retained.delete(change.topic)
    else if (change.kind === 'will') wills.set(change.will.clientId, change.will)
    else if (change.kind === 'will_gone') wills.delete(change.clientId)
    else if (change.kind === 'through') through.set(change.source, change.number)
    else ofSession(change.clientId, change)
  }

  return {
    apply: (...changes) => changes.forEach(applyOne),
    stored: () => ({
      sessions: Array.from(sessions.values(), ({ facts, subscriptions, owed, sent, received }) => ({
        ...facts,
        subscriptions: [...subscriptions.values()],
        owed: [...owed.values()],
        sent: [...sent.values()],
        received: [...received.values()],
      })),
      retained: [...retained.values()],
      wills: [...wills.values()],
      through: new Map(through),
    }),
  }
}

/** One text for all that is the same: sorted, but for what is owed, whose order counts. */
export function textOf({ sessions, retained, wills, through }: StoredSessions): string {
  const by =
    <T>(key: (one: T) => string | number) =>
    (a: T, b: T): number =>
      key(a) < key(b) ? -1 : 1
  const sorted = {
    sessions: sessions
      .map((session) => ({
        ...session,
        subscriptions: session.subscriptions.toSorted(by(({ filter }) => filter)),
        sent: session.sent.toSorted(by(({ packetId }) => packetId)),
        received: session.received.toSorted(by(({ packetId }) => packetId)),
      }))
      .toSorted(by(({ clientId }) => clientId)),
    retained: retained.toSorted(by(({ topic }) => topic)),
    wills: wills.toSorted(by(({ clientId }) => clientId)),
    through: [...through].toSorted(by(([source]) => source)),
  }
  return JSON.stringify(sorted, inOrder)
}

/** Keys by name; bytes as hex, big numbers with their n. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  // A Buffer comes here as what its toJSON made of it.
  if (isBufferJson(value)) return `bytes ${Buffer.from(value.data).toString('hex')}`
  if (value instanceof Map) return [...value]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const isBufferJson = (value: unknown): value is { data: number[] } =>
  typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer'

// Few clients, numbers and packet ids, so that changes meet.
const clientId = fc.constantFrom('a', 'b', 'gauge-7', 'ключ 鍵 🔑')
const source = fc.constantFrom('frames', 'alerts')
const number = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(2 ** 33, 2 ** 46 + 1))
const packetId = fc.constantFrom(1, 2, 65_535)
const topic = fc.constantFrom('a/b', 'tocsin/refused/x', '/', 'ü')
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const)
const protocolVersion = fc.constantFrom(3 as const, 4 as const, 5 as const)
const principal = fc.constantFrom('mqtt:a', 'cert:b')
const nanoseconds = fc.constantFrom(1_795_348_800_123_456_789n, 1n, 2n ** 63n - 1n)
const bytes = fc.uint8Array({ maxLength: 40 })
const text = fc.string({ unit: 'grapheme', maxLength: 5 })
const seconds = fc.constantFrom(0, 30, 4_294_967_295)
const always = { noNullPrototype: true }

const properties = fc
  .record(
    {
      contentType: text,
      userProperties: fc.array(fc.tuple(text, text), { maxLength: 3 }),
      responseTopic: text,
      correlationData: bytes,
      messageExpirySeconds: seconds,
      payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
    },
    { requiredKeys: [], ...always },
  )
  .map((given) => ({ properties: given }))
const maybeProperties = fc.oneof(fc.constant({}), properties)

const subscription: fc.Arbitrary<StoredFilter> = fc
  .record({
    filter: fc.constantFrom('#', 'a/+', 'a/b'),
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom(0 as const, 1 as const, 2 as const),
    identifier: fc.constantFrom(undefined, 1, 268_435_455),
  })
  .map(({ identifier, ...rest }) => ({ ...rest, ...(identifier !== undefined && { identifier }) }))
const owedQos = fc.constantFrom(1 as const, 2 as const)
const sent = fc.record({ packetId, source, number, state: fc.constantFrom('published' as const, 'released' as const) })
const received = fc.record({ packetId, frameId: fc.uint8Array({ minLength: 16, maxLength: 16 }) })
const facts = fc.record({
  clientId,
  principal,
  protocolVersion,
  expirySeconds: seconds,
  leftAt: fc.option(nanoseconds, { nil: undefined }),
})
const retained: fc.Arbitrary<StoredRetained> = fc
  .tuple(fc.record({ topic, payload: bytes, qos, receivedAt: nanoseconds }), maybeProperties, fc.option(clientId))
  .map(([plain, more, by]) => ({ ...plain, ...more, ...(by !== null && { clientId: by }) }))
const will: fc.Arbitrary<StoredWill> = fc
  .tuple(
    fc.record({
      clientId,
      principal,
      protocolVersion,
      topic,
      payload: bytes,
      qos,
      retain: fc.boolean(),
      silentSecondsMax: fc.constantFrom(0, 90, 22.5),
      delaySeconds: seconds,
    }),
    maybeProperties,
    fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 })),
  )
  .map(([plain, more, frameId]) => ({ ...plain, ...more, ...(frameId && { frameId }) }))

const kind = <K extends SessionChange['kind']>(name: K) => fc.constant(name)
const oneChange: fc.Arbitrary<SessionChange> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('session'), session: facts }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('session_gone'), clientId }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('subscribed'), clientId, subscription }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('unsubscribed'), clientId, filter: fc.constantFrom('#', 'a/b') }) },
  {
    weight: 12,
    arbitrary: fc.record({ kind: kind('owed'), clientId, owed: fc.record({ source, number, qos: owedQos }) }),
  },
  { weight: 8, arbitrary: fc.record({ kind: kind('paid'), clientId, source, number }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('sent'), clientId, sent }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('completed'), clientId, packetId }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('received'), clientId, received }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('forgotten'), clientId, packetId }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('retained'), retained }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('retained_gone'), topic }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('will'), will }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('will_gone'), clientId }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('through'), source, number }) },
)

/** Those of one call of `write`. */
export const someChanges = fc.array(oneChange, { minLength: 1, maxLength: 12 })

/** Without end, and the same for the same seed, in whichever process. */
export function* callsOfSeed(seed: number): Generator<SessionChange[]> {
  for (let part = seed; ; part++) yield* fc.sample(someChanges, { seed: part, numRuns: 50 })
}
