// What an event says, in one line for people: its values with their units, its own words first. What comes back is still the
// source's text and must go through `safe` before it is printed.

import {
  Action,
  AlarmCategory,
  CommandStatus,
  DeviceTransition,
  FacilityOperations,
  IncidentStatus,
  Online,
  PrimaryUnitStatus,
  Quality,
  ReceiptType,
  ResourceVerb,
  SecondaryUnitStatus,
} from '../../proto/generated/types.ts'
import type { Event, Measurement } from '../../proto/generated/types.ts'
import { durationMs } from '../../proto/time.ts'
import { spanText } from './time.ts'

/** Parts that are not there are left out. */
type Part = string | false | 0 | undefined | null

export function summaryOf(event: Event): string {
  const said = event.texts?.map(({ headline }) => headline)[0]
  return listed(bodyParts(event)) || said || ''
}

function bodyParts(event: Event): Part[] {
  switch (event.body) {
    case 'observation':
      return (event.observation.measurements ?? []).map(measurementText)
    case 'detection':
    case 'deviceStatus':
      return sensorParts(event)
    case 'position':
    case 'unitStatus':
    case 'radioCall':
      return unitParts(event)
    case 'incident':
    case 'call':
    case 'alarm':
    case 'alert':
      return incidentParts(event)
    default:
      return otherParts(event)
  }
}

/** "water level 3.42 m", "air temperature (roof) 21.5 °C suspect", "rain rate 34.2 mm/h". */
function measurementText(measurement: Measurement): string {
  const { quantity = '', channel, index, quality, unit = '' } = measurement
  const isSaid = channel?.toLowerCase().replaceAll(/[ -]/g, '_') === quantity
  const which = (isSaid ? '' : channel) || (own(measurement, 'index') && index ? `#${index}` : '')
  const name = quantity.replaceAll('_', ' ') + (which ? ` (${which})` : '')
  const doubt = quality && quality !== Quality.GOOD ? nameOf(Quality, quality) : ''
  const { sourceValue = '', sourceUnit = '' } = measurement
  const isSource = measurement.value === 'number' && isUnreadable(measurement.number) && sourceValue && sourceUnit
  const value = isSource ? [sourceValue, sourceUnit] : [valueText(measurement), unitText(unit)]
  return spaced([name, ...value, doubt])
}

/** "0.0000095 m/s" of rain says nothing to people; there the source's own "34.2 mm/h" stands. */
const isUnreadable = (number: number): boolean => number !== 0 && Math.abs(number) < 0.001

function valueText(measurement: Measurement): string {
  switch (measurement.value) {
    case 'number':
      return numberText(measurement.number)
    case 'integer':
      return String(measurement.integer)
    case 'flag':
      return measurement.flag ? 'yes' : 'no'
    case 'text':
      return `“${measurement.text}”`
    case 'blob':
      return `${measurement.blob.length} bytes`
    default:
      return ''
  }
}

/** Six digits are more than any sensor of the field has; the event keeps all. */
export const numberText = (number: number): string =>
  Number.isFinite(number) ? String(Number(number.toPrecision(6))) : String(number)

/** UCUM codes that people write otherwise. */
const unitSigns: Readonly<Record<string, string>> = {
  '1': '', Cel: '°C', '[degF]': '°F', deg: '°', Ohm: 'Ω', 'm/s2': 'm/s²', m2: 'm²', m3: 'm³', 'm3/s': 'm³/s', 'W/m2': 'W/m²',
} // prettier-ignore
export const unitText = (unit: string): string => unitSigns[unit] ?? unit

function sensorParts(event: Event): Part[] {
  if (event.body === 'detection') {
    const { detection } = event
    const { agent = '', measured, limit, unit = '', level, measurements = [] } = detection
    const reading = own(detection, 'measured') && spaced([numberText(measured ?? 0), unitText(unit)])
    const threshold = own(detection, 'limit') && `limit ${spaced([numberText(limit ?? 0), unitText(unit)])}`
    const isCalm = own(detection, 'alarm') && !detection.alarm
    return [
      spaced([agent.replaceAll('_', ' '), isCalm ? 'over' : 'DETECTED', level]),
      reading,
      threshold,
      ...measurements.map(measurementText),
    ]
  }
  if (event.body !== 'deviceStatus') return []
  const { deviceStatus: status } = event
  const { online, transition, faults = [] } = status
  const parts = [
    online && nameOf(Online, online),
    transition && nameOf(DeviceTransition, transition),
    own(status, 'batteryFraction') && `battery ${numberText((status.batteryFraction ?? 0) * 100)} %`,
    own(status, 'batteryV') && `battery ${numberText(status.batteryV ?? 0)} V`,
    own(status, 'batteryLow') && (status.batteryLow ? 'BATTERY LOW' : 'battery ok'),
    own(status, 'rssiDbm') && `${numberText(status.rssiDbm ?? 0)} dBm`,
    status.tamper && 'TAMPER',
    status.firmware && `firmware ${status.firmware}`,
    ...faults,
  ]
  // That it was heard at all is what such a message says.
  return parts.some(Boolean) ? parts : [own(status, 'lastSeen') && 'heard']
}

function unitParts(event: Event): Part[] {
  if (event.body === 'position') {
    const { position, location } = event
    const { callsign, unitId, team, role } = position
    const speed = location && own(location, 'speedMps') && `${numberText(location.speedMps ?? 0)} m/s`
    const course = location && own(location, 'courseDeg') && `course ${numberText(location.courseDeg ?? 0)}°`
    return [position.emergency && 'EMERGENCY', position.emergencyText, callsign || unitId, team, role, speed, course]
  }
  if (event.body === 'unitStatus') {
    const { unitId, primary, secondary = [], localText, localCode, incident } = event.unitStatus
    const stated = secondary.map((status) => nameOf(SecondaryUnitStatus, status)).join(', ')
    return [
      unitId,
      localText || localCode || stated || nameOf(PrimaryUnitStatus, primary),
      incident && `incident ${incident}`,
    ]
  }
  if (event.body !== 'radioCall') return []
  const { radioCall: call } = event
  const talkgroup = call.talkgroupAlias || (own(call, 'talkgroup') && `talkgroup ${call.talkgroup}`)
  const radio = call.radioAlias || (own(call, 'radioId') && `radio ${call.radioId}`)
  const lasted = durationMs(call.duration)
  return [
    call.emergency && 'EMERGENCY',
    call.system,
    talkgroup,
    radio,
    lasted !== undefined && spanText(lasted),
    call.transcript && `“${call.transcript}”`,
  ]
}

function incidentParts(event: Event): Part[] {
  switch (event.body) {
    case 'incident': {
      const { numbers = [], localTypeText, commonType, name, statuses = [] } = event.incident
      return [
        numbers[0]?.number,
        localTypeText || commonType,
        name,
        ...statuses.map((status) => nameOf(IncidentStatus, status)),
      ]
    }
    case 'call': {
      const { callId, state, queue, incident } = event.call
      return [callId, state, queue && `queue ${queue}`, incident && `incident ${incident}`]
    }
    case 'alarm': {
      const { category, categoryText, description, sensors = [] } = event.alarm
      return [
        categoryText || nameOf(AlarmCategory, category),
        description,
        ...sensors.map(({ zone }) => zone && `zone ${zone}`),
      ]
    }
    case 'alert': {
      const info = event.alert.infos?.[0]
      return [
        actionText(event),
        !info && event.alert.references?.join(' '),
        info?.event,
        info?.headline || info?.description,
        ...(info?.areas ?? []).map(({ description }) => description),
      ]
    }
    default:
      return []
  }
}

/** A cancel has the words and the severity of what it ends: without this it would read as the warning itself. */
function actionText({ action }: Event): Part {
  return action && action !== Action.REPORT && nameOf(Action, action).toUpperCase()
}

function otherParts(event: Event): Part[] {
  switch (event.body) {
    case 'resourceRequest':
    case 'resourceResponse': {
      const body = event.body === 'resourceRequest' ? event.resourceRequest : event.resourceResponse
      return [
        nameOf(ResourceVerb, body.verb),
        body.description,
        ...(body.resources ?? []).map(({ name, type }) => name || type),
      ]
    }
    case 'facilityStatus':
      return [
        event.facilityStatus.name,
        event.facilityStatus.operationsText || nameOf(FacilityOperations, event.facilityStatus.operations),
      ]
    case 'message': {
      const { text, title, sender, room } = event.message
      return [sender?.name || sender?.address, room, title, text && `“${text}”`]
    }
    case 'command': {
      const { device, verb, status, statusText } = event.command
      return [spaced([verb, device]), nameOf(CommandStatus, status), statusText]
    }
    case 'receipt':
      return [
        nameOf(ReceiptType, event.receipt.type),
        event.receipt.agency || event.receipt.gateway,
        event.receipt.reason,
      ]
    case 'systemEvent':
      return [event.systemEvent.text || event.systemEvent.code]
    default:
      return []
  }
}

/** "en route" for EN_ROUTE; '' for UNSPECIFIED. */
export function nameOf(of: Readonly<Record<string, number>>, value: number | undefined): string {
  if (!value) return ''
  const name = Object.entries(of).find(([, each]) => each === value)?.[0] ?? String(value)
  return name.toLowerCase().replaceAll('_', ' ')
}

/** Absent is not zero: an absent field reads as a default through the prototype. */
const own = (message: object, field: string): boolean => Object.hasOwn(message, field)
const spaced = (parts: readonly Part[]): string => parts.filter((part) => part).join(' ')
const listed = (parts: readonly Part[]): string => parts.filter((part) => part).join(' · ')
