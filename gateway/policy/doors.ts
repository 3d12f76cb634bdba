// Open on loopback, locked on the network: finds every listener that would be an unprotected door, and says which line to change.

import { parseAddress } from '../addresses.ts'
import { authorityFiles, isOwnMissing } from '../ca/paths.ts'
import type { Settings } from '../settings.ts'
import { isLoopback } from './principals.ts'

export function* plainMqttDoors(settings: Settings): Generator<string> {
  for (const door of settings['mqtt.listen']) {
    const { scheme, address } = parseAddress(door, 'mqtt.listen')
    if (isLoopback(address)) continue
    if (scheme === 'mqtt' || scheme === 'ws') {
      yield `mqtt.listen: ${door} would take passwords and data in plain text from the network; write ${scheme === 'mqtt' ? 'mqtts' : 'wss'}:// and set tls.certificate and tls.key`
    }
  }
}

export function* plainOtherDoors(settings: Settings): Generator<string> {
  for (const key of ['grpc.listen', 'http.listen'] as const) {
    const door = settings[key]
    if (door === 'off') continue
    const { scheme, address } = parseAddress(door, key)
    const hasKeys = settings['tls.certificate'] && settings['tls.key']
    if (isLoopback(address)) continue
    if (key === 'http.listen' && scheme !== 'https') {
      yield `http.listen: ${door} would send tokens and data in plain text over the network; write https://${door.replace(/^.*:\/\//, '')} and set tls.certificate and tls.key`
    } else if (key === 'grpc.listen' && !hasKeys) {
      yield `grpc.listen: ${door} would send tokens and data in plain text over the network; set tls.certificate and tls.key, and tls.client_ca for client certificates`
    }
  }
}

export function* missingKeys(settings: Settings): Generator<string> {
  const file = settings['tls.key']
  if (isOwnMissing(settings.data_dir, settings['tls.certificate'])) {
    yield `tls.certificate: there is no certificate in ${authorityFiles(settings.data_dir).folder} yet; make an authority, and with it the gateway's certificate, with tocsin ca init --name <its name in the network>`
  }
  if (settings['mqtt.listen'].some((door) => /^(mqtts|wss):/.test(door)) && !(file && settings['tls.certificate'])) {
    yield 'mqtt.listen: a TLS listener needs tls.certificate and tls.key'
  }
  for (const key of ['grpc.listen', 'http.listen'] as const) {
    if (settings[key].startsWith('https://') && !(file && settings['tls.certificate']))
      yield `${key}: ${settings[key]} needs tls.certificate and tls.key`
  }
}
