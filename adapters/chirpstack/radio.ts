// How the gateways heard an uplink: strongest first, with frequency and spreading factor. A gateway's place stands beside it and is
// never taken for the device's.

import { LocationMethod } from '../../proto/generated/types.ts'
import type { DeviceStatus, Location, Reception } from '../../proto/generated/types.ts'
import { gatewayTime } from './device.ts'
import {
  type Fields,
  type Reading,
  addressAt,
  countAt,
  fail,
  fieldsAt,
  listAt,
  nameAt,
  numberAt,
  shortFloat,
  textAt,
} from './reading.ts'

/** As many as a network of a large city has within reach of one device. */
const receptionsMax = 64

export function signalOf(reading: Reading, message: Fields): DeviceStatus {
  const radio = radioOf(reading, message)
  const heard = listAt(reading, message, 'rxInfo').map((rxInfo) => receptionOf(reading, rxInfo, radio))
  heard.sort(byStrength)
  if (heard.length > receptionsMax)
    reading.warnings.add(`more than ${receptionsMax} gateways: the weakest are left out`)
  const relay = fieldsAt(reading, message, 'relayRxInfo')
  // Through a relay the gateways hear the relay, and only the relay hears the device.
  const receptions = relay ? [relayOf(reading, relay), ...heard.map((each) => ({ ...each, hops: 1 }))] : heard
  const [best] = receptions
  return {
    ...(best?.rssiDbm !== undefined && { rssiDbm: best.rssiDbm }),
    ...(best?.snrDb !== undefined && { snrDb: best.snrDb }),
    ...(receptions.length > 0 && { receptions: receptions.slice(0, receptionsMax) }),
  }
}

const byStrength = (a: Reception, b: Reception): number =>
  (b.rssiDbm ?? -Infinity) - (a.rssiDbm ?? -Infinity) || (b.snrDb ?? -Infinity) - (a.snrDb ?? -Infinity) || 0

interface Radio {
  readonly frequencyHz: number | undefined
  readonly spreadingFactor: number | undefined
  readonly isVersion3: boolean
}

function radioOf(reading: Reading, message: Fields): Radio {
  const txInfo = fieldsAt(reading, message, 'txInfo') ?? {}
  const modulation = txInfo['modulation']
  const isVersion3 = !('deviceInfo' in message)
  const lora = isVersion3
    ? fieldsAt(reading, txInfo, 'loRaModulationInfo')
    : fieldsAt(reading, (modulation ?? {}) as Fields, 'lora')
  return {
    frequencyHz: numberAt(reading, txInfo, 'frequency') || undefined,
    spreadingFactor: spreadingFactorOf(reading, lora),
    isVersion3,
  }
}

/** LoRa has 5 to 12. */
function spreadingFactorOf(reading: Reading, lora: Fields | undefined): number | undefined {
  const factor = lora ? countAt(reading, lora, 'spreadingFactor') : 0
  if (Number.isInteger(factor) && factor >= 5 && factor <= 12) return factor
  if (factor !== 0) reading.warnings.add('a spreading factor is not 5 to 12: left in the frame')
  return undefined
}

function receptionOf(reading: Reading, rxInfo: Fields, radio: Radio): Reception {
  // No gateway hears a device at 0 dBm: a zero is what proto3 leaves out.
  const rssi = numberAt(reading, rxInfo, 'rssi') || undefined
  const snr = numberAt(reading, rxInfo, 'snr') ?? numberAt(reading, rxInfo, 'loRaSNR') ?? omittedSnr(rssi, radio)
  const location = placeOf(reading, rxInfo)
  const receivedAt = gatewayTime(reading, rxInfo)
  const receiver = addressAt(reading, rxInfo, 'gatewayId', 8) ?? addressAt(reading, rxInfo, 'gatewayID', 8)
  return {
    receiver: receiver ?? '',
    ...(rssi !== undefined && { rssiDbm: rssi }),
    ...(snr !== undefined && { snrDb: shortFloat(snr) }),
    ...(location && { location }),
    ...(receivedAt && { receivedAt }),
    ...(radio.frequencyHz !== undefined && { frequencyHz: radio.frequencyHz }),
    ...(radio.spreadingFactor !== undefined && { spreadingFactor: radio.spreadingFactor }),
  }
}

/** 0 dB is a frequent ratio, and proto3 leaves it out; version 3 writes it. Other modulations have none. */
const omittedSnr = (rssi: number | undefined, { isVersion3, spreadingFactor }: Radio): number | undefined =>
  !isVersion3 && rssi !== undefined && spreadingFactor !== undefined ? 0 : undefined

function relayOf(reading: Reading, relay: Fields): Reception {
  const frequency = countAt(reading, relay, 'frequency')
  const rssi = countAt(reading, relay, 'rssi')
  return {
    receiver: textAt(reading, relay, 'devEui'),
    ...(rssi !== 0 && { rssiDbm: rssi, snrDb: countAt(reading, relay, 'snr') }),
    ...(frequency !== 0 && { frequencyHz: frequency }),
  }
}

const sources = [
  'UNKNOWN',
  'GPS',
  'CONFIG',
  'GEO_RESOLVER_TDOA',
  'GEO_RESOLVER_RSSI',
  'GEO_RESOLVER_GNSS',
  'GEO_RESOLVER_WIFI',
]
const methodBySource: Readonly<Record<string, LocationMethod>> = {
  GPS: LocationMethod.GNSS,
  CONFIG: LocationMethod.MANUAL,
  GEO_RESOLVER_TDOA: LocationMethod.RADIO,
  GEO_RESOLVER_RSSI: LocationMethod.RADIO,
  GEO_RESOLVER_GNSS: LocationMethod.GNSS,
  GEO_RESOLVER_WIFI: LocationMethod.RADIO,
}

/**
 * ChirpStack's Location. One coordinate alone stands on the equator or the zero meridian; an empty one is a place nobody has set.
 * Neither an altitude nor an accuracy of zero can be told from one that is not known.
 */
export function placeOf(reading: Reading, message: Fields): Location | undefined {
  const place = fieldsAt(reading, message, 'location')
  if (!place) return undefined
  const [latitude, longitude] = [countAt(reading, place, 'latitude'), countAt(reading, place, 'longitude')]
  if (latitude === 0 && longitude === 0) return undefined
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
    return fail(reading, 'location is not on the globe', 'range')
  const [altitude, accuracy] = [countAt(reading, place, 'altitude'), countAt(reading, place, 'accuracy')]
  const name = nameAt(place, 'source', sources)
  const method = Object.hasOwn(methodBySource, name) ? methodBySource[name] : undefined
  return {
    latitude,
    longitude,
    ...(altitude !== 0 && { altitudeM: altitude }),
    ...(accuracy > 0 && { horizontalAccuracyM: shortFloat(accuracy) }),
    ...(method !== undefined && { method }),
  }
}
