// The MQTT input: wires the broker's functions to permissions and the pipeline. A message is acknowledged when its fate is settled.

import { crc32 } from 'node:zlib'
import type { Frame } from '../../adapters/adapter.ts'
import type {
  BrokerEvent,
  BrokerParts,
  Explained,
  InboundPublish,
  Listener,
  TlsFiles,
  Verdict,
} from '../../broker/port.ts'
import { cutAdvice } from '../../broker/reasons.ts'
import { parseAddress } from '../addresses.ts'
import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import type { MqttEnvelope } from '../../proto/generated/types.ts'
import type { MqttPrincipal, Permissions } from '../policy/principals.ts'
import { adviceFor } from '../refusal-advice.ts'
import { ingestRoot, type Routes } from '../routes.ts'
import type { DeviceNotices } from './device-notices.ts'
import type { Fate, Sender, Take, Transport } from './receive.ts'
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
  const senders = new WeakMap<MqttPrincipal, Sender>()

  function senderOf(principal: MqttPrincipal): Sender {
    let sender = senders.get(principal)
    if (!sender) {
      const authenticity = principal.authenticated ? 'authenticated' : 'unverified'
      senders.set(principal, (sender = { name: principal.name, authenticity, link: 'mqtt' }))
    }
    return sender
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
      const frame = frameOf(message, clock)
      const { clientId, denied } = message
      const why = denied && whyDenied(principal, denied)
      take(senderOf(principal), frame, transportOf(message, why, isWanted, mayChoose(principal, message)), {
        settled(fate) {
          if (isTold(fate)) notices.settled(clientId, frame.channel, frame.receivedAt, fate)
          told.settled(verdictOf(fate))
        },
        notTaken: () => told.notTaken(),
      })
    },
  }
}

/** Looked at for each message, and true for few. */
const isTold = (fate: Fate): boolean => (fate.fate === 'stored' ? fate.clockFault !== undefined : true)

/** What the broker tells of connections, as far as a device should hear of it. */
export function mqttEvents(notices: DeviceNotices, logger: Logger, clock: Clock): (event: BrokerEvent) => void {
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
const rightsAdvice = 'if it should be let to, change mqtt.users'

const warnEveryNs = 60_000_000_000n
const warningsMax = 100

function verdictOf(fate: Fate): Verdict {
  if (fate.fate === 'refused' && fate.fault === 'forbidden') return 'forbidden'
  return fate.fate === 'carried' ? 'unread' : 'accepted'
}

function frameOf(message: InboundPublish, clock: Clock): Frame {
  const { contentType, userProperties } = message.properties
  return {
    bytes: message.payload,
    receivedAt: clock.now(),
    channel: message.topic,
    ...(contentType === undefined ? undefined : { contentType }),
    ...(userProperties === undefined ? undefined : { properties: userProperties }),
  }
}

function transportOf(
  message: InboundPublish,
  forbidden: string | undefined,
  isWanted: (topic: string) => boolean,
  mayChoose: boolean,
): Transport {
  return {
    qos: message.qos,
    retain: message.retain,
    resent: message.dup,
    // With an id of its own it is recognised by that, and never by what it looks like.
    ...(message.frameId
      ? { frameId: message.frameId }
      : message.packetId === undefined
        ? undefined
        : { resendKey: resendKey(message) }),
    ...(forbidden === undefined ? undefined : { forbidden }),
    ...(mayChoose ? undefined : { byTopicOnly: true }),
    // Topics with a $ are the server's own (MQTT 5.0, 4.7.2): what is published there goes to nobody.
    ...(message.permitted && !message.topic.startsWith('$')
      ? { envelope: envelopeOf(message), wanted: message.retain || isWanted(message.topic) }
      : undefined),
  }
}

function envelopeOf({ qos, retain, clientId, properties }: InboundPublish): MqttEnvelope {
  const { responseTopic, correlationData, messageExpirySeconds, payloadFormatIndicator } = properties
  const envelope: MqttEnvelope = { qos, retain, clientId }
  if (responseTopic !== undefined) envelope.responseTopic = responseTopic
  if (correlationData !== undefined) envelope.correlationData = correlationData
  if (messageExpirySeconds !== undefined) envelope.messageExpirySeconds = messageExpirySeconds
  if (payloadFormatIndicator !== undefined) envelope.payloadFormatIndicator = payloadFormatIndicator
  return envelope
}

/** Same client, topic, packet id and bytes give the same 16 bytes; they are only ever compared for a message that says DUP. */
function resendKey(message: InboundPublish): Uint8Array {
  const { clientId, topic, payload, packetId = 0 } = message
  const key = Buffer.allocUnsafe(16)
  key.writeUInt32LE(crc32(payload), 0)
  key.writeUInt32LE(payload.length, 4)
  key.writeUInt32LE(crc32(topic, crc32(clientId)), 8)
  key.writeUInt16LE(packetId, 12)
  key.writeUInt16LE(topic.length & 0xffff, 14)
  return key
}
