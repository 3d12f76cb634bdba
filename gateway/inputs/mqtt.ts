// The MQTT input: wires the broker's functions to permissions and the pipeline. A message is acknowledged when its fate is settled.

import type { Frame } from '../../adapters/adapter.ts'
import type {
  BrokerEvent,
  BrokerParts,
  Explained,
  InboundPublish,
  Listener,
  TlsFiles,
  ToldVerdict,
  Verdict,
} from '../../broker/port.ts'
import { cutAdvice } from '../../broker/reasons.ts'
import { parseAddress } from '../addresses.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import type { MqttPrincipal, Permissions } from '../policy/principals.ts'
import { adviceFor } from '../refusal-advice.ts'
import { ingestRoot, type Routes } from '../routes.ts'
import type { DeviceNotices } from './device-notices.ts'
import { type Usual, createUsual, frameOf, transportOf } from './mqtt-message.ts'
import type { Fate, Take, ToldFate } from './receive.ts'
import { createResponseTopics } from './response-topics.ts'

const kinds: Record<string, Listener['kind']> = { mqtt: 'tcp', mqtts: 'tls', ws: 'ws', wss: 'wss' }

/** Throws GatewayError settings_invalid when an address is none. */
export function mqttListeners(addresses: readonly string[], tls: TlsFiles | undefined): Listener[] {
  return addresses.map((text) => {
    const { scheme, address, port } = parseAddress(text, 'mqtt.listen')
    const kind = kinds[scheme] ?? 'tcp'
    return { name: text, kind, address, port, ...(tls && (kind === 'tls' || kind === 'wss') ? { tls } : undefined) }
  })
}

type Functions = Pick<
  BrokerParts<MqttPrincipal>,
  | 'authenticate'
  | 'mayPublish'
  | 'maySubscribe'
  | 'mayReceive'
  | 'mayBeAnswered'
  | 'explain'
  | 'take'
  | 'recall'
  | 'newFrameId'
  | 'isStored'
>

export interface MqttInputParts {
  readonly permissions: Permissions
  readonly take: Take
  readonly clock: Clock
  readonly notices: DeviceNotices
  readonly ids: Ids
  readonly log: Pick<Log, 'findFrame'>
  /** Whether anybody is subscribed to a topic. */
  isWanted(topic: string): boolean
  /** Why no adapter reads a topic, and what to do. */
  whyUnread(topic: string): string
  readonly routes: Pick<Routes, 'find'>
}

export function mqttInput(parts: MqttInputParts): Functions {
  const { permissions, take, clock, notices, ids, log, isWanted, routes } = parts
  const responseTopics = createResponseTopics({ permissions, isRead: (topic) => routes.find(topic) !== undefined })
  const usuals = new WeakMap<MqttPrincipal, Usual>()

  function usualOf(principal: MqttPrincipal): Usual {
    let usual = usuals.get(principal)
    if (!usual) {
      const authenticity = principal.authenticated ? 'authenticated' : 'unverified'
      const { name, address, guard } = principal
      // Only those that wait tell where they are.
      const waits = guard && { guard, ...(address !== undefined && { address }) }
      usuals.set(principal, (usual = createUsual({ name, authenticity, link: 'mqtt', ...waits })))
    }
    return usual
  }

  function whyDenied(principal: MqttPrincipal, { what, topic }: Explained): string {
    if (what === 'subscribe') return 'this client may not subscribe to this'
    if (what !== 'answer') return topic.startsWith('$') ? dollarTopic : permissions.whyForbidden(topic)
    return responseTopics.why(principal, topic) ?? 'its response topic is no topic that can be published on here'
  }

  /** By naming a format a message is read as if it had come where that is read: so its sender must be one who may publish there. */
  function mayChoose(principal: MqttPrincipal, { topic, clientId, properties }: InboundPublish): boolean {
    if (properties.contentType === undefined) return true
    const route = routes.find(topic, properties.contentType)
    return !route?.isNamed || permissions.mayPublish(principal, `${ingestRoot}/${route.input.adapter.name}/${clientId}`)
  }

  return {
    authenticate: (attempt) => permissions.authenticate(attempt),
    mayPublish: (principal, topic) => permissions.mayPublish(principal, topic),
    maySubscribe: (principal, filter) => permissions.maySubscribe(principal, filter),
    mayReceive: (principal, topic) => permissions.mayReceive(principal, topic),
    mayBeAnswered: (principal, topic) => responseTopics.why(principal, topic) === undefined,
    explain(principal, about) {
      if (about.what === 'unread') return `${parts.whyUnread(about.topic)}; the message is kept`
      // A filter and a will are not kept.
      const isKept = about.what === 'publish' || about.what === 'answer'
      return `${whyDenied(principal, about)}; ${isKept ? adviceFor('forbidden') : rightsAdvice}`
    },
    recall: (name, clientId) => permissions.recall(name, clientId),
    newFrameId: () => ids.next(clock.now()),
    isStored: (frameId) => log.findFrame(frameId) !== undefined,
    take(principal, message, told) {
      const usual = usualOf(principal)
      const frame = frameOf(message, clock.now())
      const { topic, retain, denied } = message
      const transport = transportOf(message, usual, {
        forbidden: denied && whyDenied(principal, denied),
        byTopicOnly: !mayChoose(principal, message),
        wanted: retain || (denied === undefined && isWanted(topic)),
      })
      take(usual.sender, frame, transport, new Taken(notices, message, frame, told))
    },
  }
}

/** A message that the house has, until it is settled. A class, since there is one for each. */
class Taken implements ToldFate {
  readonly #notices: DeviceNotices
  readonly #message: InboundPublish
  readonly #frame: Frame
  readonly #told: ToldVerdict

  constructor(notices: DeviceNotices, message: InboundPublish, frame: Frame, told: ToldVerdict) {
    this.#notices = notices
    this.#message = message
    this.#frame = frame
    this.#told = told
  }

  storedPlainly(): void {
    this.#told.settled('accepted')
  }

  settled(fate: Fate): void {
    const { channel, receivedAt } = this.#frame
    if (isTold(fate)) this.#notices.settled(this.#message.clientId, channel, receivedAt, fate)
    this.#told.settled(verdictOf(fate))
  }

  notTaken(): void {
    this.#told.notTaken()
  }
}

/** Whether its device should hear of it. */
const isTold = (fate: Fate): boolean => (fate.fate === 'stored' ? fate.clockFault !== undefined : true)

/** What the broker tells of connections, as far as a device should hear of it. */
export function mqttEvents(
  notices: DeviceNotices,
  logger: Logger,
  clock: Clock,
  alarms: Alarms,
): (event: BrokerEvent) => void {
  // A client that comes again at once with the same packet is warned of once a minute; a crowd of them, as far as anybody can read.
  const warned = new Set<string>()
  let warnedSince = clock.monotonic()

  function isNew(clientId: string): boolean {
    const now = clock.monotonic()
    if (now - warnedSince > warnEveryNs) {
      warned.clear()
      warnedSince = now
    }
    if (warned.has(clientId) || warned.size >= warningsMax) return false
    warned.add(clientId)
    return true
  }

  return (event) => {
    if (event.kind === 'reading') {
      const { source, failure } = event
      const text = `Messages for MQTT subscribers cannot be read from the log (${failure}): look at the machine's disk. They wait, and it is tried again.`
      if (failure === undefined) alarms.clear('output_stalled', `mqtt ${source}`)
      else alarms.raise('output_stalled', `mqtt ${source}`, text)
      return
    }
    if (event.kind !== 'disconnected' || event.detail === undefined) return logger.debug(event, `mqtt ${event.kind}`)
    const { why, clientId, detail } = event
    const isFault = why === 'too_large' || why === 'protocol'
    const further = isFault ? { what_to_do: cutAdvice[why] } : {}
    const level = isNew(clientId) ? 'warn' : 'debug'
    logger[level]({ ...event, ...further }, 'an MQTT client was cut for its packet')
    if (isFault) notices.cut(clientId, why, detail)
  }
}

const dollarTopic = 'this sender may not publish on topics that begin with $, which are the gateway’s own'
const rightsAdvice = 'if it should be let to, give it the topic (tocsin principals change, or mqtt.users)'

const warnEveryNs = 60_000_000_000n
const warningsMax = 100

export function verdictOf(fate: Fate): Verdict {
  if (fate.fate === 'refused' && fate.fault === 'forbidden') return 'forbidden'
  return fate.fate === 'carried' ? 'unread' : 'accepted'
}
