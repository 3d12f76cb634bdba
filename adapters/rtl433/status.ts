// What a message says of the device itself and of how it was heard: battery, tamper, power, and with -M level the radio.

import { Online } from '../../proto/generated/types.ts'
import type { DeviceStatus, Reception } from '../../proto/generated/types.ts'
import { flagOf, numberOf } from './fields.ts'

type Message = Readonly<Record<string, unknown>>

/** Keys that are read here, and are neither measurements nor attributes. */
export const statusKeys: ReadonlySet<string> = new Set([
  'battery_ok',
  'battery_V',
  'battery_mV',
  'battery_pct',
  'battery_low',
  'battery',
  'tamper',
  'tampered',
  'ext_power',
  'firmware',
  'snr',
  'freq',
  'freq1',
])

/** Undefined: the message says nothing of it. */
export function statusOf(message: Message, receiver: string): DeviceStatus | undefined {
  const status: DeviceStatus = { ...batteryOf(message) }
  const tamper = flagOf(message['tamper'] ?? message['tampered'] ?? coverLatch(message))
  if (tamper !== undefined) status.tamper = tamper
  const externalPower = flagOf(message['ext_power'])
  if (externalPower !== undefined) status.externalPower = externalPower
  const firmware = message['firmware']
  if (typeof firmware === 'string' || typeof firmware === 'number') status.firmware = String(firmware).slice(0, 64)
  const reception = receptionOf(message, receiver)
  if (reception) {
    if (reception.snrDb !== undefined) status.snrDb = reception.snrDb
    status.receptions = [reception]
  }
  return Object.keys(status).length > 0 ? status : undefined
}

/** The third latch of an Interlogix smoke or motion detector is its cover; that of a contact floats without a resistor. */
const coverLatch = ({ model, subtype, switch3 }: Message): unknown =>
  model === 'Interlogix-Security' && (subtype === 'smoke' || subtype === 'motion') ? switch3 : undefined

/**
 * DATA_FORMAT.md: battery_ok is 0 (empty) to 1 (full), but a sensor that knows only "ok" and "low" says 1 and 0. So 1 and 0 are
 * taken as ok and low, never as 100 % and 0 %; what lies between is a charge.
 */
function batteryOf(message: Message): DeviceStatus {
  const status: DeviceStatus = {}
  const ok = numberOf(message['battery_ok'])
  if (ok === 0 || ok === 1) status.batteryLow = ok === 0
  else if (ok !== undefined && ok > 0 && ok < 1) status.batteryFraction = ok
  const percent = numberOf(message['battery_pct'])
  if (percent !== undefined && percent >= 0 && percent <= 100) status.batteryFraction = percent / 100
  const volts = numberOf(message['battery_V'])
  const millivolts = numberOf(message['battery_mV'])
  if (volts !== undefined && volts >= 0) status.batteryV = volts
  else if (millivolts !== undefined && millivolts >= 0) status.batteryV = millivolts / 1000
  const low = flagOf(message['battery_low']) ?? oldBattery(message['battery'])
  if (low !== undefined) status.batteryLow = low
  return status
}

/** Before 2019, and until 2021 by request. */
const oldBattery = (word: unknown): boolean | undefined => (word === 'LOW' ? true : word === 'OK' ? false : undefined)

/** rssi is relative to what the receiver can take at most, no dBm; it stays an attribute. */
function receptionOf(message: Message, receiver: string): Reception | undefined {
  const snrDb = numberOf(message['snr'])
  const megahertz = numberOf(message['freq'] ?? message['freq1'])
  if (snrDb === undefined && megahertz === undefined) return undefined
  return {
    ...(receiver !== '' && { receiver }),
    ...(snrDb !== undefined && { snrDb }),
    ...(megahertz !== undefined && { frequencyHz: Math.round(megahertz * 1e6) }),
  }
}

/** What rtl_433 says of itself on `<base>/availability`, and the broker for it. */
export const availabilityOf = (text: string): DeviceStatus | undefined =>
  text === 'online' ? { online: Online.ONLINE } : text === 'offline' ? { online: Online.OFFLINE } : undefined
