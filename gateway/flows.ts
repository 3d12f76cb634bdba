// Every flow of the settings that a firewall must let through: who opens it, to where, how it is secured, what for, and which line says so.

import { parseAddress } from './addresses.ts'
import { configuredLinks, type Environment } from './links/link-settings.ts'
import { plaintextDoors } from './policy/plaintext-doors.ts'
import { isLoopback } from './policy/principals.ts'
import { proxyFor } from './proxy.ts'
import type { Settings } from './settings.ts'

export interface Flow {
  /** Who opens the connection: `in`: somebody else. */
  readonly direction: 'in' | 'out'
  readonly transport: 'tcp' | 'udp'
  /** Of this gateway for `in`, of the other for `out`; "0.0.0.0" and "::": all of this machine's. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly protocol: string
  readonly security: 'TLS 1.2 or 1.3' | 'none'
  /** Who is at the other end. */
  readonly who: string
  readonly purpose: string
  /** The settings' key. */
  readonly line: string
  /** It never leaves this machine, so that no firewall need know it. */
  readonly isLocal: boolean
}

const mqttSchemes: Readonly<Record<string, string>> = {
  mqtt: 'MQTT',
  mqtts: 'MQTT',
  ws: 'MQTT over WebSocket',
  wss: 'MQTT over WebSocket',
}
const secured = 'TLS 1.2 or 1.3'
// RFC 5905 §7.2
const ntpPort = 123

/** Throws GatewayError settings_invalid where an address is none. */
export function flowsOf(settings: Settings, environment: Environment): Flow[] {
  return [...mqttFlows(settings), ...apiFlows(settings), ...outward(settings, environment)]
}

function* mqttFlows(settings: Settings): Generator<Flow> {
  for (const door of settings['mqtt.listen']) {
    const { scheme, address, port } = parseAddress(door, 'mqtt.listen')
    yield {
      ...inward(address, port, 'mqtt.listen'),
      protocol: mqttSchemes[scheme] ?? 'MQTT',
      security: scheme.endsWith('s') && scheme !== 'ws' ? secured : 'none',
      who: isLoopback(address) ? 'programs on this machine' : 'devices and systems by name or certificate',
      purpose: 'sensors and systems publish and read',
    }
  }
  for (const { name, place, onlyFrom, until } of plaintextDoors(settings)) {
    yield {
      ...inward(place.address, place.port, `plaintext_exceptions, ${name}`),
      protocol: mqttSchemes[place.scheme] ?? 'MQTT',
      security: 'none',
      who: `only ${onlyFrom.join(', ')}`,
      purpose: `old devices publish, until ${until}; nothing goes to them`,
    }
  }
}

function* apiFlows(settings: Settings): Generator<Flow> {
  const hasKeys = Boolean(settings['tls.certificate'])
  if (settings['grpc.listen'] !== 'off') {
    const { address, port } = parseAddress(settings['grpc.listen'], 'grpc.listen')
    const isPlain = isLoopback(address) && !settings['tls.client_ca']
    yield {
      ...inward(address, port, 'grpc.listen'),
      protocol: 'gRPC (HTTP/2)',
      security: hasKeys && !isPlain ? secured : 'none',
      who: isLoopback(address) ? 'programs on this machine' : 'consoles and services by certificate or token',
      purpose: 'events to consoles, administration',
    }
  }
  if (settings['http.listen'] !== 'off') {
    const { scheme, address, port } = parseAddress(settings['http.listen'], 'http.listen')
    yield {
      ...inward(address, port, 'http.listen'),
      protocol: 'HTTP',
      security: scheme === 'https' ? secured : 'none',
      who: isLoopback(address) ? 'programs on this machine' : 'programs and browsers by certificate or token',
      purpose: 'health, metrics, the HTTP API, feeds',
    }
  }
}

function* outward(settings: Settings, environment: Environment): Generator<Flow> {
  const url = URL.parse(settings['influx.url'] ?? '')
  if (url) {
    const isSecure = url.protocol === 'https:'
    const proxy = URL.parse(proxyFor(url.href, settings) ?? '')
    const to = proxy ?? url
    yield {
      ...toward(bare(to.hostname), portOf(to), proxy ? 'proxy.url' : 'influx.url'),
      protocol: 'HTTP',
      security: isSecure ? secured : 'none',
      who: proxy ? `InfluxDB at ${url.host}, by the proxy` : 'InfluxDB',
      purpose: 'readings and events are written, series are asked for',
    }
  }
  for (const { name, place } of configuredLinks(settings, environment)) {
    yield {
      ...toward(place.host, place.port, `mqtt.links, ${name}`),
      protocol: place.kind.startsWith('ws') ? 'MQTT over WebSocket' : 'MQTT',
      security: place.kind === 'tls' || place.kind === 'wss' ? secured : 'none',
      who: 'another MQTT broker',
      purpose: 'messages in and out, over a connection that this gateway opens',
    }
  }
  for (const server of settings['clock.sntp_servers']) {
    const [, host = server, port] = /^(.*?)(?::(\d+))?$/.exec(server) ?? []
    yield {
      ...toward(bare(host), Number(port ?? ntpPort), 'clock.sntp_servers'),
      transport: 'udp',
      protocol: 'SNTP',
      security: 'none',
      who: 'a time server',
      purpose: 'the offset of the clock is measured',
    }
  }
}

const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80)
const bare = (host: string): string => host.replace(/^\[|\]$/g, '')
const flow = (direction: Flow['direction'], host: string, port: number, line: string) =>
  ({ direction, transport: 'tcp', host, port, line, isLocal: isLoopback(host) }) as const
const inward = (host: string, port: number, line: string) => flow('in', host, port, line)
const toward = (host: string, port: number, line: string) => flow('out', host, port, line)
