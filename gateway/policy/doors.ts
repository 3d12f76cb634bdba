// Open on loopback, locked on the network: finds every setting that would open an unprotected door, and says which line to change.

import { accessSync, constants, statSync } from 'node:fs'
import { GatewayError } from '../../proto/errors.ts'
import { parseAddress } from '../addresses.ts'
import type { Settings } from '../settings.ts'
import { plainLinks } from '../links/link-settings.ts'
import { isLoopback } from './principals.ts'

/** Throws GatewayError unsafe_settings with a sentence for each open door. */
export function refuseOpenDoors(settings: Settings): void {
  const faults = [...mqttFaults(settings), ...plainFaults(settings), ...keyFaults(settings), ...plainLinks(settings)]
  if (faults.length > 0) throw new GatewayError('unsafe_settings', faults.join('\n'))
}

function* mqttFaults(settings: Settings): Generator<string> {
  for (const door of settings['mqtt.listen']) {
    const { scheme, address } = parseAddress(door, 'mqtt.listen')
    if (isLoopback(address)) continue
    if (scheme === 'mqtt' || scheme === 'ws') {
      yield `mqtt.listen: ${door} would take passwords and data in plain text from the network; write ${scheme === 'mqtt' ? 'mqtts' : 'wss'}:// and set tls.certificate and tls.key`
    }
  }
}

function* plainFaults(settings: Settings): Generator<string> {
  for (const key of ['grpc.listen', 'http.listen'] as const) {
    const door = settings[key]
    if (door === 'off') continue
    const { scheme, address } = parseAddress(door, key)
    const hasKeys = settings['tls.certificate'] && settings['tls.key']
    if (scheme === 'https' && !hasKeys) yield `${key}: ${door} needs tls.certificate and tls.key`
    if (isLoopback(address)) continue
    if (key === 'http.listen' && scheme !== 'https') {
      yield `http.listen: ${door} would send tokens and data in plain text over the network; write https://${door.replace(/^.*:\/\//, '')} and set tls.certificate and tls.key`
    } else if (key === 'grpc.listen' && !hasKeys) {
      yield `grpc.listen: ${door} would send tokens and data in plain text over the network; set tls.certificate and tls.key, and tls.client_ca for client certificates`
    }
  }
}

function* keyFaults(settings: Settings): Generator<string> {
  const file = settings['tls.key']
  if (settings['mqtt.listen'].some((door) => /^(mqtts|wss):/.test(door)) && !(file && settings['tls.certificate'])) {
    yield 'mqtt.listen: a TLS listener needs tls.certificate and tls.key'
  }
  if (!file) return
  try {
    accessSync(file, constants.R_OK)
    // Bits 077: group and others.
    if ((statSync(file).mode & 0o077) !== 0) yield `tls.key: ${file} can be read by other users; run chmod 600 ${file}`
  } catch {
    yield `tls.key: ${file} cannot be read`
  }
}
