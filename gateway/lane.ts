// Which lane an event travels in, and in which retention class it is kept: from its kind, its severity and a radio emergency.

import { EventKind, RetentionClass, Severity } from '../proto/generated/types.ts'
import type { Event } from '../proto/generated/types.ts'
import type { Lane, Retention } from './log/log.ts'

/** `Event.body` names and kinds are the same words; a test holds them together. */
export const kindOf: Readonly<Record<NonNullable<Event['body']>, EventKind>> = {
  observation: EventKind.OBSERVATION,
  detection: EventKind.DETECTION,
  deviceStatus: EventKind.DEVICE_STATUS,
  position: EventKind.POSITION,
  unitStatus: EventKind.UNIT_STATUS,
  incident: EventKind.INCIDENT,
  call: EventKind.CALL,
  alarm: EventKind.ALARM,
  radioCall: EventKind.RADIO_CALL,
  alert: EventKind.ALERT,
  resourceRequest: EventKind.RESOURCE_REQUEST,
  resourceResponse: EventKind.RESOURCE_RESPONSE,
  facilityStatus: EventKind.FACILITY_STATUS,
  message: EventKind.MESSAGE,
  command: EventKind.COMMAND,
  receipt: EventKind.RECEIPT,
  systemEvent: EventKind.SYSTEM_EVENT,
}

const urgentKinds: ReadonlySet<EventKind> = new Set([
  EventKind.ALERT,
  EventKind.INCIDENT,
  EventKind.CALL,
  EventKind.ALARM,
  EventKind.DETECTION,
  EventKind.MESSAGE,
  EventKind.COMMAND,
  EventKind.RESOURCE_REQUEST,
  EventKind.RESOURCE_RESPONSE,
  EventKind.RECEIPT,
])

/** What an agency's records schedule speaks of; telemetry is not among it. */
const recordKinds: ReadonlySet<EventKind> = new Set([...urgentKinds, EventKind.UNIT_STATUS, EventKind.RADIO_CALL])

export function laneOf(event: Event, kind: EventKind): Lane {
  if (urgentKinds.has(kind)) return 'urgent'
  if (event.severity === Severity.EXTREME || event.severity === Severity.SEVERE) return 'urgent'
  if (event.body === 'radioCall' && event.radioCall.emergency) return 'urgent'
  return 'routine'
}

export function retentionOf(event: Event, kind: EventKind): Retention {
  const stated = event.handling?.retentionClass ?? RetentionClass.UNSPECIFIED
  if (stated === RetentionClass.RECORD) return 'record'
  if (stated === RetentionClass.STANDARD) return 'standard'
  return recordKinds.has(kind) ? 'record' : 'standard'
}
