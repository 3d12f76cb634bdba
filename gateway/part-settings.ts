// What single parts of the gateway take of the settings, in the form in which they want it.

import { parseAddress } from './addresses.ts'
import { readZones } from './places/zone-file.ts'
import type { Settings } from './settings.ts'

export function hostAndPort(text: string, key: string): { host: string; port: number } {
  const { address, port } = parseAddress(text, key)
  return { host: address, port }
}

export function logSettings(settings: Settings) {
  const kept = (name: 'standard' | 'record' | 'frames' | 'refused') => ({
    ageMs: settings[`log.keep_${name}`],
    bytes: settings[`log.keep_${name}_bytes`],
  })
  return {
    segmentBytes: settings['log.segment_bytes'],
    urgentReserveBytes: settings['log.urgent_reserve'],
    diskLowBytes: settings['log.disk_low'],
    pendingBytesMax: settings['log.pending_bytes_max'],
    retention: {
      classes: { standard: kept('standard'), record: kept('record'), frames: kept('frames'), refused: kept('refused') },
      holdMs: settings['log.hold'],
    },
  }
}

export function zonesOf(settings: Settings) {
  const file = settings['places.zones']
  return file ? readZones(file) : undefined
}
