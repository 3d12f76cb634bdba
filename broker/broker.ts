// The MQTT broker of the gateway. Its promise: nothing is acknowledged before `receive` says that it is safe, every permitted
// message reaches its subscribers in order, and no client can hold up, crash or fill the house. Who does what: docs/mqtt.md.

import type { Duplex } from 'node:stream'

import { Aedes, type Client, type PublishPacket } from 'aedes'

import { createAdmission } from './admission.ts'
import type { AedesInside, ClientInside } from './aedes-inside.ts'
import { createPersistence } from './aedes-persistence.ts'
import { createDelivery } from './delivery.ts'
import { Gate } from './gate.ts'
import { lookAtAll, newGates } from './gates.ts'
import { Inflow } from './inflow.ts'
import { defaultLimits } from './limits.ts'
import { type DoorParts, openDoors, type Doors } from './listeners.ts'
import { createOutwardAliases } from './outward-aliases.ts'
import { createNotices } from './notices.ts'
import { packetType, reasonCode } from './packets.ts'
import { createPermissions, type Member } from './permissions.ts'
import type { Broker, BrokerParts, Counts, Peer, Principal } from './port.ts'
import { createReading } from './reading.ts'
import { createRetained, type Retained } from './retained.ts'
import { createSending, type Sending } from './sending.ts'
import type { Connection, Session } from './session.ts'
import { createSessions, type Sessions } from './sessions.ts'
import type { MessageSource } from './stored.ts'
import { createSharing, type Sharing } from './sharing.ts'
import { createSubscribing } from './subscribing.ts'
import { createTally } from './tally.ts'
import { createWills, willOf } from './wills.ts'

export type * from './port.ts'
export type * from './stored.ts'

// Sooner than the shortest keep-alive ends, one and a half seconds.
const lookEveryMs = 250

export function createBroker<P extends Principal>(parts: BrokerParts<P>): Broker {
  const limits = { ...defaultLimits, ...parts.limits }
  const { store, clock } = parts
  const tally = createTally(clock, parts.onEvent ?? (() => {}))
  const admission = createAdmission(limits, clock)
  const members = new WeakMap<Client, Member<P>>()
  const gates = newGates()
  const inFlight = { messages: 0, unreleased: 0 }
  /** Let in and not gone, by client id. */
  const here = new Map<string, Client>()
  const member = (client: Client): Member<P> => members.get(client)!
  const wills = createWills({ house: parts, limits, tally, store })
  let running: Running<P> | undefined
  let closing = false

  async function start(): Promise<void> {
    const state = restore()
    const { sessions } = state
    const persistence = createPersistence({
      storeWill(client, will) {
        const { principal, gate } = member(client)
        const silentSeconds = Math.ceil(Math.max(0, (client as ClientInside)._keepaliveInterval) / 1_000)
        const kept = willOf(client.id, principal!.name, versionOf(gate), will, gate.willProperties, silentSeconds)
        return wills.keep(client, principal!, kept)
      },
      cameBack(client) {
        running?.aedes.clearDelayedWill(client.id)
        wills.came(client.id, member(client).connect?.clean ?? true)
      },
    })
    const aedes = (await Aedes.createBroker({
      ...createPermissions({ house: parts, limits, tally, sessions: () => sessions, member }),
      authorizePublish: sendWill,
      persistence: persistence as never,
      // 0: no bound over all clients together, which one frozen one would use up.
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
    // Messages never go through aedes, and wills are sent by `sendWill`.
    aedes.publish = (_packet, from, then) => (typeof from === 'function' ? from : then)?.()
    // Sessions are ours.
    aedes.scheduleSessionExpiry = () => {}
    follow(aedes, state)

    function enter(stream: Duplex, peer: Peer): void {
      const gate = new Gate(stream, peer, limits, gates)
      const client = aedes.handle(gate) as ClientInside
      contain(client)
      members.set(client, { gate })
    }
    const refuse: DoorParts['refuse'] = (address, listener, why, text) =>
      tally.refuse({ kind: 'refused', address, listener, why, ...(text !== undefined && { text }) })
    const timers = [
      setInterval(() => {
        sessions.expire()
        state.retained.expire(clock.now())
      }, limits.expireEveryMs).unref(),
      setInterval(() => lookAtAll(gates, limits.unreadMsMax), lookEveryMs).unref(),
    ]
    running = { ...state, aedes, doors: undefined, enter, timers }
    try {
      running.doors = await openDoors(parts.listeners, { limits, admission, enter, refuse })
    } catch (error) {
      running = undefined
      timers.forEach(clearInterval)
      wills.close()
      await new Promise<void>((resolve) => aedes.close(resolve))
      throw error
    }
  }

  /** What was there before the process began, up to the head of the log. */
  function restore(): State<P> {
    const stored = store.load()
    const notices = createNotices(stored.through.get('house') ?? 0)
    const urgent = parts.sources.filter((source) => source.urgent)
    const sources = [...urgent, notices, ...parts.sources.filter((source) => !source.urgent)]
    const retained = createRetained({
      limits,
      store,
      stored: stored.retained,
      dropped: () => tally.drop('retained', ''),
    })
    const mayReceive: BrokerParts<P>['mayReceive'] = (principal, topic) => parts.mayReceive(principal, topic)
    const delivery = createDelivery<P>({
      sources,
      store,
      retained,
      sending: () => sending,
      sharing: () => sharing,
      mayReceive,
    })
    const sending: Sending<P> = createSending<P>({
      sources,
      store,
      limits,
      now: () => clock.now(),
      dropped: tally.drop,
      reading: createReading(sources, tally.tell),
      recipientOf: delivery.recipientOf,
      sharing: () => sharing,
    })
    const sharing = createSharing<P>({ ...sending, sources, store, limits, dropped: tally.drop, mayReceive })
    const sessions = createSessions<P>({ limits, clock, store, sources, delivery, sending, sharing, inFlight })
    sessions.restore(stored.sessions, parts.recall)
    delivery.catchUp(stored.through)
    wills.restore(stored, clock.now())
    return { notices, sources, retained, delivery, sending, sharing, sessions }
  }

  function sendWill(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const from = client && members.get(client)
    if (!client || !from?.principal || closing) return done(new Error('nobody to publish this for'))
    const { gate, principal } = from
    const will = willOf(client.id, principal.name, versionOf(gate), packet, gate.willProperties, 0)
    const goOn = (): void => done(null)
    void wills.send(client, principal, will).then(goOn, goOn)
  }

  function follow(aedes: AedesInside, state: State<P>): void {
    const { sessions, delivery, sending, sources } = state
    const inflowParts = { house: parts, limits, tally, store, inFlight, isWanted: delivery.isWanted }
    const retaining = sources.findIndex((source) => source.retains)
    const subscribing = createSubscribing<P>({ ...state, house: parts, limits, tally, store, retaining })

    aedes.on('client', (client) => {
      const { principal, gate } = Object.assign(member(client), { isIn: true })
      here.set(client.id, client)
      gate.once('close', () => gone(client))
      tally.totals.connects++
      const { address, listener } = gate.peer
      const protocolVersion = versionOf(gate)
      tally.tell({
        kind: 'connected',
        clientId: client.id,
        principal: principal!.name,
        address,
        listener,
        protocolVersion,
      })
    })

    aedes.on('clientReady', (client) => {
      const from = member(client)
      const { gate, connect } = from
      // It may have been taken over, or have gone, while it was told that it is let in.
      if (client.closed) return
      const session = sessions.enter(client.id, from.principal!, versionOf(gate), {
        clean: connect?.clean ?? true,
        expirySeconds: expiryOf(client),
      })
      from.session = session
      for (const filter of [...session.subscriptions.keys()].filter((each) => !subscribing.permits(session, each))) {
        // It may not read this any more.
        delivery.unsubscribe(session, filter)
        store.write({ kind: 'unsubscribed', clientId: client.id, filter })
      }
      admit(client as ClientInside, session)
    })

    function admit(client: ClientInside, session: Session<P>): void {
      const { gate, principal, connect } = member(client)
      // Most who only read never need one.
      let made: Inflow<P> | undefined
      const inflow = (): Inflow<P> => (made ??= new Inflow(inflowParts, principal!, session, gate))
      const connection: Connection = {
        gate,
        protocolVersion: session.protocolVersion,
        window: Math.min(client.receiveMaximum, limits.sentUnansweredMax),
        packetBytesMax: client.maximumPacketSize ?? Infinity,
        aliases: createOutwardAliases(Math.min(connect?.properties?.topicAliasMaximum ?? 0, limits.topicAliasesMax)),
        busy: false,
        again: new Set(),
        unread: new Set(),
      }
      const isHere = (): boolean => session.connection === connection
      sending.attach(session, connection)
      gate.open({
        publish: (packet) => (closing ? gate.stop() : inflow().arrive(packet)),
        answer(type, packetId, reason) {
          if (type === packetType.pubrel) inflow().release(packetId)
          else if (isHere()) sending.answer(session, type, packetId, reason)
        },
        subscribe: (packet) => isHere() && subscribing.subscribe(session, gate, packet),
        unsubscribe: (packet) => isHere() && subscribing.unsubscribe(session, gate, packet),
        isIdle: () => made?.isIdle() ?? true,
        heard: () => client._keepaliveTimer?.refresh(),
        drained: () => isHere() && sending.pump(session),
      })
    }

    const register = aedes.registerClient.bind(aedes)
    aedes.registerClient = (client) => {
      // It went while its will was stored.
      if (client.closed) return
      const before = here.get(client.id)
      if (before) {
        // The session of before ends here, and with it the delay of its will (MQTT 5 §3.1.2.5).
        if (member(client).connect?.clean) Object.assign(before, { sessionExpiryInterval: 0 })
        // At once: aedes waits for the last word to the one before, and of two that come in that time overlooks the first.
        member(before).gate.cut('taken_over', reasonCode.takenOver)
        before.close()
        gone(before)
      }
      const { gate, connect } = member(client)
      // Not before: while its will was stored the session may have ended.
      gate.sessionPresent = connect?.clean === false && sessions.isKept(client.id)
      register(client)
    }

    aedes.on('keepaliveTimeout', (client) => member(client).gate.cut('keep_alive', reasonCode.keepAlive))

    // aedes forgets who is here when another with his id goes before it is let in.
    aedes.on('clientDisconnect', gone)

    function gone(client: Client): void {
      const from = member(client)
      if (!from.isIn) return
      from.isIn = false
      if (here.get(client.id) === client) here.delete(client.id)
      const { principal, session, gate } = from
      if (session && session.connection?.gate === gate) {
        sessions.leave(session, expiryOf(client))
      }
      // When the gateway goes away the devices do not: their wills wait for the next start.
      if (!closing) {
        if ((client as ClientInside)._disconnected) wills.forget(client)
        else wills.left(client, expiryOf(client))
      }
      const why = closing ? 'closing' : (gate.cutReason ?? 'left')
      const detail = gate.fault
      tally.leave({
        kind: 'disconnected',
        clientId: client.id,
        principal: principal?.name ?? '',
        why,
        ...(detail !== undefined && { detail }),
      })
    }

    aedes.on('clientError', (client, error) =>
      parts.log.debug({ clientId: client.id, why: error.message }, 'client error'),
    )
    aedes.on('connectionError', (client, error) => {
      const gate = members.get(client)?.gate
      if (gate && !member(client).connect) tally.refuse({ kind: 'refused', ...gate.peer, why: 'protocol' })
      parts.log.debug({ why: error.message }, 'connection error')
    })
    aedes.on('error' as 'closed', ((error: Error) => parts.log.error({ error }, 'broker error')) as () => void)
  }

  return {
    start,
    get addresses() {
      return running?.doors?.addresses ?? []
    },
    enter(stream, peer) {
      if (running && !closing) running.enter(stream, peer)
      else stream.destroy()
    },
    deliver(source, messages, through) {
      // What comes before the start is found in the log by it.
      running?.delivery.advance(running.sources.indexOf(source), messages, through)
    },
    publish(message) {
      if (!running || closing || message.topic.startsWith('$')) return
      const { notices, delivery, sources } = running
      const added = notices.add(message, clock.now())
      delivery.advance(sources.indexOf(notices), [added], added.number)
    },
    renew(principal) {
      for (const client of here.values()) {
        const { gate, principal: owner } = member(client)
        if (owner?.name === principal) gate.cut('rights_changed', reasonCode.administrative)
      }
      running?.sessions.renew(principal, parts.recall)
    },
    renewKeys: (tls) => running?.doors?.renewKeys(tls),
    isWanted: (topic) => running !== undefined && running.delivery.isWanted(topic),
    isWantedBelow: (root) => running !== undefined && running.delivery.isWantedBelow(root),
    counts: (): Counts => ({
      connections: admission.connections,
      sessions: running?.sessions.kept ?? 0,
      retained: running?.retained.count ?? 0,
      queued: running ? running.sending.owedCount + running.sharing.owedCount : 0,
      inFlight: inFlight.messages,
      ...tally.totals,
      refused: { ...tally.refused },
      cut: { ...tally.cut },
      dropped: { ...tally.dropped },
    }),
    async close() {
      closing = true
      if (!running) return
      const { aedes, doors, timers } = running
      timers.forEach(clearInterval)
      wills.close()
      for (const client of here.values()) member(client).gate.cut('closing', reasonCode.shuttingDown)
      const doorsClosed = doors?.close()
      await new Promise<void>((resolve) => aedes.close(resolve))
      await doorsClosed
      await store.flush().catch((error: unknown) => parts.log.error({ error }, 'MQTT sessions could not be stored'))
    },
  }
}

interface State<P extends Principal> {
  readonly notices: ReturnType<typeof createNotices>
  readonly sources: readonly MessageSource[]
  readonly retained: Retained
  readonly delivery: ReturnType<typeof createDelivery<P>>
  readonly sending: Sending<P>
  readonly sharing: Sharing<P>
  readonly sessions: Sessions<P>
}

interface Running<P extends Principal> extends State<P> {
  readonly aedes: AedesInside
  doors: Doors | undefined
  enter(stream: Duplex, peer: Peer): void
  readonly timers: readonly NodeJS.Timeout[]
}

/** 0: it ends with its connection. */
const expiryOf = ({ clean, sessionExpiryInterval }: Client): number =>
  clean || !Number.isFinite(sessionExpiryInterval) ? 0 : sessionExpiryInterval

const versionOf = ({ version }: Gate): 3 | 4 | 5 => version as 3 | 4 | 5

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
