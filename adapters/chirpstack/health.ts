// What a decoded object says of the device itself: battery, case, firmware. Only words that leave no doubt count: "battery": 98 may be
// percent and 3.6 volts, so that word alone is a measurement and nothing more.

import { snakeCase } from '../quantities.ts'
import type { DeviceStatus, Measurement } from '../../proto/generated/types.ts'
import type { Leaf } from './object.ts'

export interface Measured {
  readonly leaf: Leaf
  readonly measurement: Measurement | undefined
}

const lowWords: ReadonlySet<string> = new Set(['battery_low', 'low_battery', 'bat_low'])
const tamperWords: ReadonlySet<string> = new Set([
  'tamper',
  'tampered',
  'tamper_alarm',
  'tamper_detected',
  'tamper_status',
])
const firmwareWords: ReadonlySet<string> = new Set(['firmware', 'firmware_version', 'fw_version', 'software_version'])
const hardwareWords: ReadonlySet<string> = new Set(['hardware', 'hardware_version', 'hw_version'])
const textLengthMax = 64

export function healthOf(measured: readonly Measured[]): DeviceStatus {
  const status: DeviceStatus = {}
  for (const { leaf, measurement } of measured) {
    if (measurement?.value === 'number') readNumber(status, measurement)
    else if (measurement?.value === 'flag') readFlag(status, snakeCase(leaf.word), measurement.flag)
    else if (measurement?.value === 'text') readText(status, snakeCase(leaf.word), measurement.text)
  }
  return status
}

function readNumber(
  status: DeviceStatus,
  { quantity, unit, number, aggregation }: Measurement & { number: number },
): void {
  if (aggregation !== undefined) return
  if (quantity === 'battery_level' && unit === '%' && number >= 0 && number <= 100) {
    status.batteryFraction ??= number / 100
  }
  if (quantity === 'battery_voltage' && unit === 'V' && number >= 0) status.batteryV ??= number
}

function readFlag(status: DeviceStatus, word: string, flag: boolean): void {
  if (lowWords.has(word)) status.batteryLow ??= flag
  if (tamperWords.has(word)) status.tamper ??= flag
  if (word === 'charging') status.charging ??= flag
}

function readText(status: DeviceStatus, word: string, text: string): void {
  if (text.length > textLengthMax) return
  if (firmwareWords.has(word)) status.firmware ??= text
  if (hardwareWords.has(word)) status.hardware ??= text
}
