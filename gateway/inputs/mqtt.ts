// The MQTT input: wires the broker's functions to permissions and the pipeline. A message is acknowledged when its fate is settled.

import { crc32 } from 'node:zlib'
import type { Frame } from '../../adapters/adapter.ts'
import type { BrokerParts, InboundPublish, Listener, TlsFiles } from '../../broker/port.ts'
import { parseAddress } from '../addresses.ts'
import type { Clock } from '../clock.ts'
import type { MqttPrincipal, Permissions } from '../policy/principals.ts'
import type { Receive, Sender, Transport } from './receive.ts'

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
  'authenticate' | 'mayPublish' | 'maySubscribe' | 'mayReceive' | 'receive'
>

export function mqttInput(permissions: Permissions, receive: Receive, clock: Clock): Functions {
  const senders = new WeakMap<MqttPrincipal, Sender>()

  function senderOf(principal: MqttPrincipal): Sender {
    let sender = senders.get(principal)
    if (!sender) {
      const authenticity = principal.authenticated ? 'authenticated' : 'unverified'
      senders.set(principal, (sender = { name: principal.name, authenticity, link: 'mqtt' }))
    }
    return sender
  }

  return {
    authenticate: (attempt) => permissions.authenticate(attempt),
    mayPublish: (principal, topic) => permissions.mayPublish(principal, topic),
    maySubscribe: (principal, filter) => permissions.maySubscribe(principal, filter),
    mayReceive: (principal, topic) => permissions.mayReceive(principal, topic),
    async receive(principal, message) {
      const fate = await receive(senderOf(principal), frameOf(message, clock), transportOf(message))
      return fate.fate === 'refused' && fate.fault === 'forbidden' ? 'forbidden' : 'accepted'
    },
  }
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

function transportOf(message: InboundPublish): Transport {
  return {
    qos: message.qos,
    retain: message.retain,
    resent: message.dup,
    ...(message.qos > 0 && message.packetId !== undefined ? { resendKey: resendKey(message) } : undefined),
    ...(message.permitted ? undefined : { forbidden: 'this sender may not publish on this topic' }),
  }
}

/** Another start value gives a second digest of the payload, so that equal ones mean equal bytes for practical purposes. */
const secondStart = 0x9e3779b9

/** Same client, topic, packet id and bytes give the same 16 bytes. */
function resendKey(message: InboundPublish): Uint8Array {
  const key = Buffer.allocUnsafe(16)
  key.writeUInt32LE(crc32(message.topic, crc32(message.clientId)), 0)
  key.writeUInt32LE(crc32(message.payload), 4)
  key.writeUInt32LE(crc32(message.payload, secondStart), 8)
  key.writeUInt16LE(message.packetId ?? 0, 12)
  key.writeUInt16LE(message.payload.length & 0xffff, 14)
  return key
}
