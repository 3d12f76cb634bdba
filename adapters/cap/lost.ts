// What CAP cannot say of an event: compared, field by field, with what our own decoder makes of the message. Status, cancel, handling
// and precision may not be among it.

import { encodeEvent } from '../../proto/generated/encode.ts'
import { Action, MessageStatus } from '../../proto/generated/types.ts'
import type { Alert, Event, Location } from '../../proto/generated/types.ts'
import { handlingOf } from './alert.ts'

/** Why nothing may be written at all; undefined: it may. */
export function unsayable(event: Event): string | undefined {
  if (event.body !== 'alert') return 'not an alert'
  const { messageStatus, action, handling = {}, alert } = event
  if (!messageStatus || messageStatus > MessageStatus.DRAFT) return 'the event has no message status'
  if (action === Action.REQUEST || action === Action.RESPONSE) return 'CAP has no request and no response'
  if (!alert.identifier || !alert.sender || (!alert.sentText && !event.sentAt)) return 'no identifier, sender or time'
  if (!alert.scope) return 'the alert does not say for whom it is; it is treated as private'
  const said = handlingOf(alert)
  const isWider = (handling.labels ?? []).some((label) => !said.labels?.includes(label)) || !handling.labels?.length
  if (isWider || beyond(handling.releasableTo, said.releasableTo) || (handling.caveat ?? '') !== (said.caveat ?? '')) {
    return 'its handling is stricter than its scope, and CAP has only the scope'
  }
  const areas = (alert.infos ?? []).flatMap((info) => info.areas ?? [])
  return [event.location, ...areas.map(({ location }) => location)].some(isBlurred)
    ? 'CAP has no accuracy of a position'
    : undefined
}

/** An empty list releases to whoever the labels allow, so it is wider than any other. */
const beyond = (mine: readonly string[] = [], said: readonly string[] = []): boolean =>
  mine.length > 0 && (said.length === 0 || said.some((name) => !mine.includes(name)))

const isBlurred = (location: Location | undefined): boolean =>
  location !== undefined &&
  (Boolean(location.precisionBits) ||
    location.horizontalAccuracyM !== undefined ||
    location.verticalAccuracyM !== undefined)

/** Names as in the schema: "priority", "alert.signedBy". */
export function lostOf(event: Event, again: Event): { names: readonly string[] } | { why: string } {
  if (event.body !== 'alert' || again.body !== 'alert') return { why: 'it does not read as an alert' }
  const names = keysOf(event).filter(
    (key) => key !== 'handling' && !isSame({ [key]: event[key] }, { [key]: again[key] }),
  )
  const alertNames = keysOf(event.alert).filter((key) => !isSame(ofAlert(event.alert, key), ofAlert(again.alert, key)))
  if (names.includes('messageStatus')) return { why: 'the message status would be lost' }
  if (names.includes('action') && (event.action || Action.REPORT) !== again.action)
    return { why: 'the action would be lost' }
  if (names.includes('references') && event.action === Action.CANCEL) return { why: 'what it cancels would be lost' }
  const retention = event.handling?.retentionClass ? ['handling.retentionClass'] : []
  return { names: [...names, ...alertNames.map((name) => `alert.${name}`), ...retention].toSorted() }
}

type Key = Exclude<keyof Event, 'alert' | 'body'>

const keysOf = <T extends object>(of: T): (keyof T & Key)[] =>
  Object.keys(of).filter((key) => key !== 'alert' && key !== 'body') as (keyof T & Key)[]

const ofAlert = (alert: Alert, key: string): Event => ({ body: 'alert', alert: { [key]: Reflect.get(alert, key) } })

/** On the wire, where absent and default, Long and number are the same. */
const isSame = (a: Event, b: Event): boolean => Buffer.compare(encodeEvent(a), encodeEvent(b)) === 0
