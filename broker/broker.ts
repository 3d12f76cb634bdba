// The MQTT broker of the gateway. Its promise: nothing is acknowledged before `receive` says that it is safe, every permitted
// message reaches its subscribers, and no client can hold up, crash or fill the house.

import type { Duplex } from 'node:stream'

import { Aedes, type Client, type PublishPacket } from 'aedes'

import { createAdmission } from './admission.ts'
import type { AedesInside, ClientInside } from './aedes-inside.ts'
import { orderDelivery, type Delivery } from './delivery.ts'
import { Guard, type Direct, type Held, type Peer } from './guard.ts'
import { createInflow, type Inflow } from './inflow.ts'
import { defaultLimits } from './limits.ts'
import { openDoors, type Doors } from './listeners.ts'
import { createPermissions, type Member } from './permissions.ts'
import type { Broker, BrokerParts, Counts, OutgoingMessage, Principal } from './port.ts'
import { createSessions } from './sessions.ts'
import { boundStore, type Store } from './store.ts'
import { createTally } from './tally.ts'
import { filterReachesBelow } from './topics.ts'
import { createWills } from './wills.ts'

export type * from './port.ts'

const sweepMs = 60_000

export function createBroker<P extends Principal>(parts: BrokerParts<P>): Broker {
  const limits = { ...defaultLimits, ...parts.limits }
  const tally = createTally(parts.clock, parts.onEvent ?? (() => {}))
  const admission = createAdmission(limits, parts.clock)
  const sessions = createSessions(limits.sessionsMax, limits.sessionExpirySecondsMax, parts.clock)
  const members = new WeakMap<Client, Member<P>>()
  const inflows = new WeakMap<Client, Inflow>()
  // Principals of stored sessions, to ask the house for them while they are away.
  const owners = new Map<string, { principal: P; filters: ReadonlySet<string> }>()
  // The filters of those who are connected, and what is known of them until they change.
  const reading = new Set<ReadonlySet<string>>()
  const readBelow = new Map<string, boolean>()
  const held: Held = { bytes: 0 }
  const inFlight = { messages: 0 }
  const member = (client: Client): Member<P> => members.get(client)!
  let running: { aedes: AedesInside; store: Store; delivery: Delivery; doors: Doors; sweep: NodeJS.Timeout } | undefined
  let closing = false

  async function start(): Promise<void> {
    const aedes = (await Aedes.createBroker({
      ...createPermissions({ house: parts, limits, tally, sessions, granted: () => readBelow.clear(), member }),
      authorizePublish: (client, packet, done) => authorizePublish(client, packet, done),
      // 0: no bound over all publishers together, which one frozen subscriber would use up.
      concurrency: 0,
      drainTimeout: limits.unreadMsMax,
      connectTimeout: limits.connectMsMax,
      keepaliveLimit: limits.keepAliveSecondsMax,
      maxClientsIdLength: limits.clientIdBytesMax,
      maxTopicLevels: limits.topicLevelsMax,
      maximumPacketSize: limits.packetBytesMax,
      receiveMaximum: limits.inFlightMax,
      topicAliasMaximum: limits.topicAliasesMax,
      sessionExpiryIntervalLimit: limits.sessionExpirySecondsMax,
      pendingSessionsLimit: limits.sessionsMax,
    })) as unknown as AedesInside
    const store = boundStore(aedes, {
      limits,
      dropped: tally.drop,
      granted: (clientId, filter) => owners.get(clientId)?.filters.has(filter) ?? false,
      mayQueue: (clientId, topic) => {
        const owner = owners.get(clientId)
        return owner !== undefined && parts.mayReceive(owner.principal, topic)
      },
    })
    const delivery = orderDelivery(aedes, store.hasSessions)
    const wills = createWills({ house: parts, limits, tally, delivery })
    follow(aedes)

    function authorizePublish(
      client: Client | null,
      packet: PublishPacket,
      done: (error?: Error | null) => void,
    ): void {
      const from = client && members.get(client)
      if (!client || !from?.principal || closing) return done(new Error('nobody to publish this for'))
      if (packet === from.connect?.will) return wills.send(from.principal, packet, client, done)
      inflowOf(client, from.principal).arrive(packet, done)
    }

    function inflowOf(client: Client, principal: P): Inflow {
      let inflow = inflows.get(client)
      if (!inflow) {
        const inflowParts = { house: parts, limits, tally, delivery, incoming: store.incoming, inFlight }
        inflows.set(client, (inflow = createInflow(inflowParts, principal, client, member(client).guard)))
      }
      return inflow
    }

    function directOf(client: Client): Direct {
      const { guard, principal } = member(client)
      const inflow = inflowOf(client, principal!)
      const inside = client as ClientInside
      return {
        publish: (packet) => (closing ? guard.stop() : inflow.arriveDirectly(packet)),
        heard: () => inside._keepaliveTimer?.refresh(),
      }
    }

    const enter = (stream: Duplex, peer: Peer): void => {
      const guard = new Guard(stream, peer, limits, held)
      const client = aedes.handle(guard) as ClientInside
      // A plain object would answer to the filter 'constructor', and aedes would stop the process.
      client.subscriptions = Object.create(null)
      contain(client)
      members.set(client, { guard, filters: new Set() })
    }
    const refuse = (address: string, listener: string, why: Parameters<typeof tally.refuse>[0]['why']): void =>
      tally.refuse({ kind: 'refused', address, listener, why })
    const sweep = setInterval(() => {
      for (const clientId of sessions.expired()) {
        owners.delete(clientId)
        store.forget(clientId).catch((error: unknown) => parts.log.error({ error }, 'a session could not be removed'))
      }
    }, sweepMs)
    sweep.unref()
    try {
      const doors = await openDoors(parts.listeners, { limits, admission, enter, refuse })
      running = { aedes, store, delivery, doors, sweep }
    } catch (error) {
      clearInterval(sweep)
      await new Promise<void>((resolve) => aedes.close(resolve))
      throw error
    }

    function follow(source: AedesInside): void {
      source.on('client', (client) => {
        const { principal, filters, guard, connect } = member(client)
        sessions.enter(client.id, principal!.name)
        reading.add(filters)
        if (filters.size > 0) readBelow.clear()
        if (connect?.clean) store.incoming.clear(client.id)
        if (!client.clean) owners.set(client.id, { principal: principal!, filters })
        tally.totals.connects++
        const { address, listener } = guard.peer
        const protocolVersion = guard.version as 3 | 4 | 5
        tally.tell({
          kind: 'connected',
          clientId: client.id,
          principal: principal!.name,
          address,
          listener,
          protocolVersion,
        })
      })
      source.on('clientReady', (client) => member(client).guard.open(directOf(client)))
      source.on('unsubscribe', (filters, client) => {
        for (const filter of filters) member(client).filters.delete(filter)
        readBelow.clear()
      })
      source.on('clientDisconnect', (client) => {
        const { principal, filters, guard } = member(client)
        reading.delete(filters)
        if (filters.size > 0) readBelow.clear()
        sessions.leave(client.id, client.clean ? 0 : client.sessionExpiryInterval)
        if (client.clean) {
          owners.delete(client.id)
          store.incoming.clear(client.id)
        }
        const why = closing ? 'closing' : (guard.cutReason ?? 'left')
        const detail = guard.fault
        tally.leave({
          kind: 'disconnected',
          clientId: client.id,
          principal: principal?.name ?? '',
          why,
          ...(detail !== undefined && { detail }),
        })
      })
      source.on('clientError', (client, error) => {
        const { guard } = member(client)
        if (/drain timeout/.test(error.message)) guard.cutReason ??= 'slow'
        parts.log.debug({ clientId: client.id, why: error.message }, 'client error')
      })
      source.on('connectionError', (client, error) => {
        const guard = members.get(client)?.guard
        if (guard && !member(client).connect) tally.refuse({ kind: 'refused', ...guard.peer, why: 'protocol' })
        parts.log.debug({ why: error.message }, 'connection error')
      })
      source.on('error' as 'closed', ((error: Error) => parts.log.error({ error }, 'broker error')) as () => void)
    }
  }

  return {
    start,
    get addresses() {
      return running?.doors.addresses ?? []
    },
    publish: (message) =>
      new Promise((resolve, reject) => {
        if (!running || closing) return reject(new Error('the broker is not running'))
        if (message.topic.startsWith('$')) return reject(new Error('topics with $ are not delivered'))
        running.delivery.publish(outgoing(message), null, (error) => (error ? reject(error) : resolve()))
      }),
    isWanted: (topic) => running !== undefined && !closing && running.delivery.isWanted(topic),
    isWantedBelow(root) {
      if (!running || closing) return false
      if (running.store.hasSessions()) return true
      let wanted = readBelow.get(root)
      if (wanted === undefined) {
        wanted = [...reading].some((filters) => [...filters].some((filter) => filterReachesBelow(filter, root)))
        readBelow.set(root, wanted)
      }
      return wanted
    },
    counts: (): Counts => ({
      connections: admission.connections,
      sessions: sessions.size,
      ...(running?.store.counts() ?? { retained: 0, queued: 0, queuedBytes: 0 }),
      inFlight: inFlight.messages,
      ...tally.totals,
      refused: { ...tally.refused },
      cut: { ...tally.cut },
      dropped: { ...tally.dropped },
    }),
    async close() {
      closing = true
      if (!running) return
      const { aedes, doors, sweep } = running
      clearInterval(sweep)
      const doorsClosed = doors.close()
      await new Promise<void>((resolve) => aedes.close(resolve))
      await doorsClosed
    },
  }
}

/**
 * Reading is where a client's bytes meet code that is not ours: a property of a wrong kind makes it throw, which must cost this
 * client its connection, and not the house its process.
 */
function contain(client: ClientInside): void {
  const parser = client._parser
  const parse = parser.parse.bind(parser)
  parser.parse = (bytes) => {
    try {
      return parse(bytes)
    } catch (error) {
      client.emit('error', error)
      return 0
    }
  }
}

function outgoing({ topic, payload, qos, retain, properties }: OutgoingMessage): PublishPacket {
  return {
    cmd: 'publish',
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    qos,
    retain,
    dup: false,
    ...(properties && {
      properties: {
        ...(properties.contentType !== undefined && { contentType: properties.contentType }),
        ...(properties.userProperties && { userProperties: Object.fromEntries(properties.userProperties) }),
        ...(properties.responseTopic !== undefined && { responseTopic: properties.responseTopic }),
        ...(properties.correlationData && { correlationData: Buffer.from(properties.correlationData) }),
        ...(properties.messageExpirySeconds !== undefined && {
          messageExpiryInterval: properties.messageExpirySeconds,
        }),
      },
    }),
  }
}
