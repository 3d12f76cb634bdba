// Creates the parts of a gateway, starts them in order and stops them in reverse. The one place that knows everybody.

import type { Broker } from '../broker/port.ts'
import { createBroker } from '../broker/broker.ts'
import { SystemEventType, SystemLevel } from '../proto/generated/types.ts'
import { createAccounting } from './accounting.ts'
import { type Alarm, createAlarms } from './alarms.ts'
import type { Clock } from './clock.ts'
import { createClockLog } from './clock-faults.ts'
import { createClockOffset } from './clock-offset.ts'
import { auditedPermissions, brokerNotes } from './audit/broker-notes.ts'
import { createBrokerReads } from './audit/broker-reads.ts'
import { alarmNotes } from './audit/alarm-notes.ts'
import { createCallNotes } from './audit/calls.ts'
import { openDoorKeys } from './ca/keys.ts'
import { refuseUnsafeStart } from './audit/unsafe-start.ts'
import { openGatewayAudit } from './audit/gateway-audit.ts'
import { configuredInputs, siteOf } from './configured-inputs.ts'
import { createGrpcServer } from './grpc/server.ts'
import { createFanOut } from './grpc/fan-out.ts'
import { eventsReceiver } from './grpc/publish.ts'
import { apiRoutes } from './http/routes.ts'
import { createHttpServer } from './http/server.ts'
import { createIds } from './ids.ts'
import { openWaitingRoom, waitingParts } from './devices/open-waiting-room.ts'
import { createDeviceNotices } from './inputs/device-notices.ts'
import { mqttEvents, mqttInput, mqttListeners } from './inputs/mqtt.ts'
import { followFrames, frameMessages } from './inputs/mqtt-messages.ts'
import { configuredLinks } from './links/link-settings.ts'
import { createLinks } from './links/links.ts'
import { httpUrl, mqttUrl, orPortTaken, withPort } from './listening.ts'
import { createLog } from './log/create-log.ts'
import type { Logger } from './logger.ts'
import { createSessionStore } from './mqtt-state/session-store.ts'
import { influxdbOutput, mqttOutput } from './outputs/configured-outputs.ts'
import type { MqttOutParts } from './outputs/mqtt/mqtt.ts'
import { streamFamilies } from './http/stream-families.ts'
import { influxdbFamilies } from './http/influxdb-families.ts'
import { linkFamilies } from './http/link-families.ts'
import { mqttOutFamilies } from './http/mqtt-families.ts'
import { type RunningOutput, runOutput } from './outputs/run-output.ts'
import { createPeople } from './people/people.ts'
import { createPipeline, type PipelineParts } from './pipeline.ts'
import { hostAndPort, logSettings, zonesOf } from './part-settings.ts'
import { createPlaintextWatch } from './plaintext-watch.ts'
import { createPlaces } from './places/places.ts'
import { plaintextDoors, plaintextListeners } from './policy/plaintext-doors.ts'
import { createPermissions } from './policy/principals.ts'
import { createAccess } from './policy/readers.ts'
import { createRegistry } from './policy/registry.ts'
import { readRoles } from './policy/roles.ts'
import { labelsOfTopics } from './policy/topic-labels.ts'
import { mayPublishEvent } from './policy/senders.ts'
import { createUnknownQuantities } from './quantities.ts'
import { createReplay } from './replay.ts'
import { createRoutes } from './routes.ts'
import type { Settings } from './settings.ts'
import { createStatus } from './status.ts'
import { createSystemEvents } from './system-events.ts'
import { configuredLevels, configuredStore } from './telemetry/configured-store.ts'
import { keysOfGrpc, keysOfHttp, renewDoors } from './tls-files.ts'
import { extraAuthorities, trustAlso } from './trust.ts'
import { createUnreadTopics } from './unread-topics.ts'
import { version } from './version.ts'

export interface GatewayParts {
  readonly settings: Settings
  /** Where secrets may stand that the settings name. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Where they were read; undefined: no file. */
  readonly settingsFile?: string | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly fillRandom: (bytes: Uint8Array) => void
  /** 0 ≤ x < 1. */
  readonly random: () => number
  /** One of our own promises is broken; the process must end and be started again. The log is whole. */
  fatal(error: Error): void
}

export interface Gateway {
  /** Where it really listens, with the ports that were given; such as "mqtt://127.0.0.1:1883". */
  readonly addresses: { readonly mqtt: readonly string[]; readonly grpc?: string; readonly http?: string }
  /** Settles what is on its way, ends what is open, and closes the log. */
  stop(): Promise<void>
}

/** How often retention looks for what may go. */
const retainEveryMs = 60_000

/** Resolves when it listens; rejects with a GatewayError that says what to do, and leaves nothing open. */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  const { settings, clock, logger, fillRandom, random, fatal } = parts
  const { environment = {}, settingsFile } = parts
  const warnings = refuseUnsafeStart({ settings, environment, now: clock.now(), settingsFile })
  const inputs = configuredInputs(settings)
  const authorities = extraAuthorities(settings)
  if (authorities !== undefined) trustAlso(authorities)
  const linked = configuredLinks(settings, environment)
  const doors = plaintextDoors(settings)
  const stops: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each()
  }

  try {
    const changedEarly: [Alarm, boolean][] = []
    let alarmChanged = (alarm: Alarm, raised: boolean): void => void changedEarly.push([alarm, raised])
    const alarms = createAlarms(clock, (alarm, raised) => alarmChanged(alarm, raised))
    const log = await createLog({
      dataDir: settings.data_dir,
      clock,
      alarms,
      settings: logSettings(settings),
      fatal,
      warn: (text) => logger.warn({}, text),
    })
    stops.push(() => log.close())

    const ids = createIds(fillRandom)
    const site = siteOf(settings)
    const systemEvents = createSystemEvents({ log, ids, clock, site, logger })
    alarmChanged = (alarm, raised) => {
      systemEvents.alarm(alarm, raised)
      noteAlarm(alarm, raised)
    }
    let noteAlarm = (alarm: Alarm, raised: boolean): void => void changedEarly.push([alarm, raised])
    for (const [alarm, raised] of changedEarly) systemEvents.alarm(alarm, raised)
    /** A full disk is no reason not to start: readers are served, and what comes is not acknowledged. */
    const note = (type: SystemEventType, code: string, what: string): Promise<void> => {
      const text = `Gateway ${site.gateway} ${what}.`
      return systemEvents
        .say({ type, code, text, level: SystemLevel.NOTICE, details: auditing.anchor() }, 'record')
        .catch((err: unknown) => logger.warn({ err }, `${code} could not be logged`))
    }
    const auditing = openGatewayAudit({ settings, site, log, clock, alarms, systemEvents, logger })
    const { audit } = auditing
    noteAlarm = alarmNotes(audit)
    for (const [alarm, raised] of changedEarly) noteAlarm(alarm, raised)
    const notes = createCallNotes(audit)
    stops.push(() => note(SystemEventType.GATEWAY_STOPPED, 'gateway_stopped', 'stopped in order'))
    stops.push(() => auditing.stopped())
    stops.push(() => notes.close())

    const accounting = createAccounting()
    const unknownQuantities = createUnknownQuantities()
    const unread = createUnreadTopics(
      inputs.flatMap(({ topics }) => topics),
      logger,
    )
    const pipelineParts: PipelineParts = {
      routes: createRoutes(inputs),
      log,
      ids,
      clock,
      accounting,
      unknownQuantities,
      mayPublish: mayPublishEvent,
      whyUnread: (channel) => unread.why(channel),
      clockFaulty: createClockLog(clock, logger),
      ...waitingParts(() => room),
      isKnown: (id) => log.findEvent(id) !== undefined,
      adapterFailed: (adapter, err) => logger.error({ adapter, err }, 'an adapter failed; the frame is in quarantine'),
    }
    const { take, receive } = createPipeline(pipelineParts)

    const levels = configuredLevels({ settings, clock, logger, alarms })
    const influxdb = influxdbOutput({ settings, log, ids, clock, alarms, logger, ...(levels && { touched: levels }) })
    const outputs: RunningOutput[] = []
    if (influxdb) outputs.push(runOutput(influxdb, { log, alarms, logger, random }))
    const telemetry = await configuredStore({ settings, log, clock, logger, alarms, levels })
    if (telemetry) stops.push(() => telemetry.close())
    if (telemetry?.output) outputs.push(runOutput(telemetry.output, { log, alarms, logger, random }))
    for (const output of outputs) stops.push(() => output.stop())

    const offset = createClockOffset({
      servers: settings['clock.sntp_servers'],
      intervalMs: settings['clock.interval'],
      clock,
      alarms,
      logger,
      fillRandom,
      random,
    })
    offset.start()
    stops.push(() => offset.stop())

    const closesDoors = settings['audit.when_it_fails'] === 'close_doors'
    const closing = new Set<Alarm['code']>([
      'disk_full',
      'disk_failed',
      ...(closesDoors ? ['audit_failed' as const] : []),
    ])
    let stopping = false
    const notReady = () => [
      ...(stopping ? [{ part: 'gateway', why: 'The gateway is stopping.' }] : []),
      ...alarms
        .list()
        .filter(({ code }) => closing.has(code))
        .map(({ code, text }) => ({ part: code, why: text })),
    ]

    const doorKeys = await openDoorKeys({ settings, clock, alarms, audit, logger })
    stops.push(() => doorKeys.close())
    const { tls, revocation } = doorKeys
    // The broker is made last, of those that speak to it.
    const toBroker: MqttOutParts['broker'] = {
      deliver(source, messages, through) {
        broker.deliver(source, messages, through)
        links.wake()
      },
      isWanted: (topic) => broker.isWanted(topic),
      isWantedBelow: (root) => broker.isWantedBelow(root),
    }
    const notices = createDeviceNotices({
      clock,
      publish: (message) => broker.publish(message),
      isWanted: toBroker.isWanted,
      whyUnread: (topic) => unread.why(topic),
    })
    const mqttOut = mqttOutput(settings, { broker: toBroker, log, logger })
    const published = frameMessages(log)
    const registry = createRegistry(log.state)
    const roles = readRoles(settings.roles)
    const room = openWaitingRoom({ ...parts, log, alarms, registry, pipeline: pipelineParts, broker: () => broker })
    stops.push(() => room.stop())
    const brokerReads = createBrokerReads(audit, labelsOfTopics(pipelineParts.routes, settings))
    stops.push(() => brokerReads.close())
    const policy = { registry, roles, clock, revocation, labelsOf: brokerReads.labelsOf }
    const permissions = createPermissions({ settings, ...policy, doors, devices: room })
    const plaintext = createPlaintextWatch({ doors, clock, alarms, audit })
    stops.push(() => plaintext.stop())
    const noted = brokerNotes(audit, mqttEvents(notices, logger, clock, alarms))
    const broker: Broker = createBroker({
      listeners: [
        ...mqttListeners(settings['mqtt.listen'], tls),
        ...plaintextListeners(doors, (door, address) => plaintext.admits(door, address)),
      ],
      ...mqttInput({
        permissions: auditedPermissions(brokerReads.watch(permissions), audit),
        take: plaintext.counting(take),
        clock,
        notices,
        ids,
        log,
        isWanted: toBroker.isWanted,
        whyUnread: (topic) => unread.why(topic),
        routes: pipelineParts.routes,
      }),
      sources: [...(mqttOut?.sources ?? []), published],
      store: createSessionStore({ state: log.state }),
      limits: {
        packetBytesMax: settings['mqtt.packet_bytes_max'],
        connectionsMax: settings['mqtt.connections_max'],
        keepAliveSecondsMax: Math.floor(settings['mqtt.keep_alive_max'] / 1_000),
      },
      log: logger,
      clock,
      onEvent(event) {
        noted(event)
        plaintext.hear(event)
      },
    })
    stops.push(followFrames(log, published, broker))
    const links = createLinks({
      links: linked,
      routes: pipelineParts.routes,
      gateway: site.gateway,
      permissions,
      take,
      clock,
      ids,
      log,
      isWanted: toBroker.isWanted,
      events: mqttOut?.sources ?? [],
      alarms,
      logger,
      random,
      packetBytesMax: settings['mqtt.packet_bytes_max'],
    })
    const status = createStatus({
      site,
      clock,
      log,
      accounting,
      unknownQuantities,
      alarms,
      offset: () => offset.latest,
      dataDir: settings.data_dir,
      inputs,
      links: () => links.states(),
      plaintextExceptions: () => plaintext.states(),
      warnings,
      connections: () => ({ mqtt: broker.counts().connections, grpc: grpc?.metrics().streams ?? 0 }),
    })
    stops.push(() => status.stop())
    const cut = (session: string): void => [grpc, streams].forEach((each) => each?.cutSession(session))
    const people = createPeople({ settings, state: log.state, registry, roles, clock, audit, alarms, cut })
    stops.push(() => people.close())
    const access = createAccess({
      sessions: people.sessions,
      registry,
      roles,
      clock,
      loopback: settings['access.loopback'],
      jurisdiction: site.jurisdiction,
      revocation,
    })
    const admin = {
      status,
      readers: () => [
        ...outputs.map(({ name, failing, lag }) => ({ name, lag: lag(), ...problem(failing()) })),
        ...links.readers(),
      ],
      replay: createReplay(pipelineParts),
      audit,
      principals: { registry, roles, seen: access.seen, ...people.administered },
      room,
    }
    const door = { ...people.signIn, certifiedBy: access.certifiedBy }
    const grpc =
      settings['grpc.listen'] === 'off'
        ? undefined
        : createGrpcServer({
            address: hostAndPort(settings['grpc.listen'], 'grpc.listen'),
            ...keysOfGrpc(settings, tls),
            log,
            clock,
            logger,
            access,
            ...(telemetry ? { telemetry: telemetry.store } : undefined),
            recentFates: accounting,
            receiveEvents: eventsReceiver(receive, clock),
            admin,
            notes,
            signIn: door,
            ready: () => notReady().length === 0,
          })
    const streams = createFanOut({ log, clock })
    const places = createPlaces({ zones: zonesOf(settings) })
    const http =
      settings['http.listen'] === 'off'
        ? undefined
        : createHttpServer({
            address: hostAndPort(settings['http.listen'], 'http.listen'),
            ...keysOfHttp(settings, tls),
            logger,
            notReady,
            api: {
              access,
              clock,
              notes,
              streams,
              routes: apiRoutes({
                streams,
                places,
                ...(telemetry ? { telemetry: telemetry.store } : undefined),
                log,
                clock,
                access,
                admin,
                signIn: door,
                recentFates: accounting,
                ingest: {
                  receive,
                  routes: pipelineParts.routes,
                  adapters: [...new Set(inputs.map(({ adapter }) => adapter.name))],
                  enabled: settings['http.ingest'],
                },
              }),
            },
            metrics: {
              version,
              accounting,
              unknownQuantities,
              log,
              outputs: () => outputs,
              alarms: () => alarms.list(),
              clockOffset: () => offset.latest,
              broker: () => broker.counts(),
              ...(grpc ? { grpc: () => grpc.metrics() } : undefined),
              disk: () => status.disk(),
              further: [
                ...streamFamilies(() => streams.metrics()),
                ...(influxdb ? influxdbFamilies(() => influxdb.metrics()) : []),
                ...(mqttOut ? mqttOutFamilies(() => mqttOut.metrics()) : []),
                ...auditing.families(),
                ...plaintext.families(),
                ...(linked.length > 0 ? linkFamilies(() => links.states()) : []),
              ],
            },
          })

    const cutPrincipal = (principal: string): void => {
      broker.renew(principal)
      for (const each of [grpc, streams]) each?.cut(principal)
      people.cutPosition(principal)
    }
    registry.onChange(cutPrincipal)

    room.start()
    await auditing.started()
    // Readers first, then senders: whoever is acknowledged can be read.
    if (grpc) {
      await grpc.start()
      stops.push(() => grpc.close())
    }
    if (http) {
      await http.start()
      stops.push(() => http.close())
    }
    await orPortTaken(broker.start(), settings)
    doorKeys.watch({ cut: cutPrincipal, renewed: (keys) => renewDoors(settings, keys, { broker, grpc, http }) })
    stops.push(() => broker.close())
    if (mqttOut) {
      const running = runOutput(mqttOut, { log, alarms, logger, random })
      outputs.push(running)
      stops.push(() => running.stop())
    }
    plaintext.start((principal) => broker.renew(principal))
    links.start()
    stops.push(() => links.stop())
    stops.push(() => void (stopping = true))

    const retaining = setInterval(() => {
      log.retain(clock.now()).then(
        (removed) => removed.length > 0 && logger.info({ removed }, 'retention removed segments'),
        (err: unknown) => logger.error({ err }, 'retention failed; it is tried again'),
      )
      telemetry?.expire().catch((err: unknown) => logger.error({ err }, 'telemetry was not thinned; it is tried again'))
    }, retainEveryMs).unref()
    stops.push(() => clearInterval(retaining))

    await note(SystemEventType.GATEWAY_STARTED, 'gateway_started', `started, version ${version}`)
    return {
      addresses: {
        mqtt: broker.addresses.map(mqttUrl),
        ...(grpc ? { grpc: withPort(settings['grpc.listen'], grpc.port) } : undefined),
        ...(http ? { http: withPort(httpUrl(settings['http.listen']), http.port) } : undefined),
      },
      stop,
    }
  } catch (error) {
    await stop().catch((err: unknown) => logger.error({ err }, 'stopping after a failed start'))
    throw error
  }
}

const problem = (text: string | undefined) => (text === undefined ? undefined : { problem: text })
