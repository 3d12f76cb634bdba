// What is no measurement: joins, status answers, downlinks and their fate, log lines, places that the network has computed.

import type { EventDraft } from '../adapter.ts'
import { DeviceTransition, SystemLevel } from '../../proto/generated/types.ts'
import type { DeviceStatus, SystemDetail } from '../../proto/generated/types.ts'
import { type Source, add } from './device.ts'
import { placeOf, signalOf } from './radio.ts'
import {
  type Fields,
  type Reading,
  addressAt,
  countAt,
  fail,
  fieldsAt,
  flagAt,
  nameAt,
  numberAt,
  shortFloat,
  textAt,
} from './reading.ts'

const named = ({ name }: Source): DeviceStatus => (name === '' ? {} : { displayName: name })
const seen = ({ observedAt }: Source): DeviceStatus => (observedAt ? { lastSeen: observedAt } : {})

export function joinEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const deviceStatus = {
    transition: DeviceTransition.JOIN,
    ...signalOf(reading, message),
    ...seen(source),
    ...named(source),
  }
  return [{ ...source.head(0), attributes: [...source.attributes], body: 'deviceStatus', deviceStatus }]
}

/** The device's answer to DevStatusReq (LoRaWAN 1.0.4 §5.5). On external power, and when it cannot measure, it gives no level. */
export function statusEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const isExternal = flagAt(reading, message, 'externalPowerSource')
  const isUnknown = flagAt(reading, message, 'batteryLevelUnavailable')
  const level = countAt(reading, message, 'batteryLevel')
  if (level < 0 || level > 100) fail(reading, 'batteryLevel is not 0 to 100', 'range')
  const deviceStatus: DeviceStatus = {
    ...(!isExternal && !isUnknown && { batteryFraction: shortFloat(level) / 100 }),
    ...(!isUnknown && { externalPower: isExternal }),
    ...seen(source),
    ...named(source),
  }
  const attributes = [...source.attributes]
  // The ratio at the device, of what it was sent: not the one at the gateways, so not `snr_db`.
  add(reading, attributes, 'margin', String(countAt(reading, message, 'margin')))
  return [{ ...source.head(0), attributes, body: 'deviceStatus', deviceStatus }]
}

/** Whether the device confirmed a downlink; if it did not in time, it was not heard either. */
export function ackEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const isConfirmed = flagAt(reading, message, 'acknowledged')
  const attributes = [...source.attributes, { name: 'acknowledged', value: String(isConfirmed) }]
  add(reading, attributes, 'queue_item_id', textAt(reading, message, 'queueItemId'))
  // `fCnt` is what version 3 calls it.
  const counter = numberAt(reading, message, 'fCntDown') ?? countAt(reading, message, 'fCnt')
  add(reading, attributes, 'f_cnt_down', String(counter))
  const deviceStatus: DeviceStatus = {
    ...(isConfirmed ? seen(source) : { faults: ['downlink_not_acknowledged'] }),
    ...(isConfirmed && signalOf(reading, message)),
    ...named(source),
  }
  return [{ ...source.head(0), attributes, body: 'deviceStatus', deviceStatus }]
}

/** A gateway has taken a downlink to transmit it: something the network says of itself, not the device. */
export function txAckEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const gateway = addressAt(reading, message, 'gatewayId', 8) ?? addressAt(reading, message, 'gatewayID', 8)
  const txInfo = fieldsAt(reading, message, 'txInfo') ?? {}
  const details: SystemDetail[] = []
  add(reading, details, 'queue_item_id', textAt(reading, message, 'queueItemId'))
  const counter = numberAt(reading, message, 'fCntDown') ?? countAt(reading, message, 'fCnt')
  add(reading, details, 'f_cnt_down', String(counter))
  add(reading, details, 'frequency_hz', textAt(reading, txInfo, 'frequency'))
  add(reading, details, 'power_dbm', textAt(reading, txInfo, 'power'))
  const systemEvent = {
    ...(gateway !== undefined && { element: gateway }),
    code: 'lorawan_downlink_taken',
    text: 'A LoRaWAN gateway has taken a downlink for transmission.',
    details,
    level: SystemLevel.NOTICE,
  }
  return [{ ...source.head(0), attributes: [...source.attributes], body: 'systemEvent', systemEvent }]
}

const levels = ['INFO', 'WARNING', 'ERROR']
const codes =
  'UNKNOWN DOWNLINK_PAYLOAD_SIZE UPLINK_CODEC DOWNLINK_CODEC OTAA UPLINK_F_CNT_RESET UPLINK_MIC UPLINK_F_CNT_RETRANSMISSION DOWNLINK_GATEWAY RELAY_NEW_END_DEVICE F_CNT_DOWN EXPIRED'.split(
    ' ',
  )
const contextMax = 64

/** An error concerns one device, and strangers can cause it (a join that is refused): a warning here, never an alarm. */
export function logEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  // Version 3: `error` with `type` and `error`.
  const isError = 'error' in message
  const code = isError ? textAt(reading, message, 'type') : nameAt(message, 'code', codes)
  const level = isError ? 'ERROR' : nameAt(message, 'level', levels)
  const details: SystemDetail[] = [{ name: 'level', value: level }]
  add(reading, details, 'code', code)
  const context = Object.entries(fieldsAt(reading, message, 'context') ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, value] of context.slice(0, contextMax)) {
    if (typeof value === 'string') add(reading, details, `context.${name}`.toWellFormed(), value.toWellFormed())
  }
  const text = textAt(reading, message, isError ? 'error' : 'description')
  const systemEvent = {
    code: `lorawan_${(/^\w{1,64}$/.test(code) ? code : 'unknown').toLowerCase()}`,
    text: text.slice(0, textLengthMax).toWellFormed(),
    details,
    level: level === 'INFO' ? SystemLevel.NOTICE : SystemLevel.WARNING,
  }
  return [{ ...source.head(0), attributes: [...source.attributes], body: 'systemEvent', systemEvent }]
}

/** An exception of a codec may print its whole input. */
const textLengthMax = 4_096

/** A place that the network has computed; empty: it found none. */
export function locationEvents(reading: Reading, message: Fields, source: Source): EventDraft[] {
  const location = placeOf(reading, message)
  if (!location) return []
  return [{ ...source.head(0), attributes: [...source.attributes], location, body: 'position', position: {} }]
}
