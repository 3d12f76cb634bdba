// One line for each event: when, how urgent, what kind, who, what, where. Columns stand below each other as far as they can; an
// exercise or a test is shouted, so that nobody takes it for real.

import { EventKind, Flag, Lane, MessageStatus, Severity } from '../../proto/generated/types.ts'
import type { Event, Location, Record as StoredRecord } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { rfc3339, timestampNs } from '../../proto/time.ts'
import { codec } from '../../proto/wire.ts'
import { idText } from '../ids.ts'
import { nameOf, summaryOf } from './event-summary.ts'
import { pad, safe, safeJson, type Style, type Terminal } from './terminal.ts'
import { clockText, dayText, stampText } from './time.ts'

const removedFlag = 1
export const voidFlag = 2
const eventCodec = codec('tocsin.v1.Event')

/** The longest name of a common kind; rarer, longer ones push their line to the right. */
const kindColumns = 13
/** The column of names grows to fit them, and no further. */
const whoColumnsMax = 28
/** A reading this much older than its arrival is shown with its own time. */
const lateNs = 60_000_000_000n

export interface EventLines {
  /** `day`: also the date, for events of several days; `id`: also the id, to ask for more of it. */
  line(record: StoredRecord, show?: { readonly day?: boolean; readonly id?: boolean }): string
}

/** Undefined when the payload was removed. */
export const eventOf = (record: StoredRecord): Event | undefined =>
  ((record.flags ?? 0) & removedFlag) !== 0 || !record.event ? undefined : eventCodec.decode(record.event)

export function createEventLines({ paint }: Pick<Terminal, 'paint'>): EventLines {
  let whoColumns = 12

  return {
    line(record, { day = false, id = false } = {}) {
      const { header = {}, lane } = record
      const event = eventOf(record)
      const at = toBigInt(record.loggedAtNs as never)
      const isUrgent = lane === Lane.URGENT
      // A program that publishes for others is not the device it speaks of.
      const device = header.device === header.sender ? '' : header.device
      const who = safe(device || header.subject || header.sender || '–', 60)
      whoColumns = Math.min(Math.max(whoColumns, who.length), whoColumnsMax)
      const [mark, style] = markOf(header.severity, isUrgent)
      const kind = nameOf(EventKind, header.kind) || 'unknown'
      const parts = [
        paint('dim', day ? stampText(at) : clockText(at)),
        paint(style, mark),
        paint(isUrgent ? 'bold' : 'cyan', pad(kind, kindColumns)),
        pad(who, whoColumns),
        ...shouts(header.messageStatus).map((word) => paint(['black', 'bgYellow'], ` ${word} `)),
        event ? paint(style === 'dim' ? [] : style, safe(summaryOf(event))) : paint('dim', '(removed from the log)'),
        ...(event ? asides(event, at).map((aside) => paint('dim', safe(aside))) : []),
        id && event?.id ? paint('dim', idText(event.id)) : '',
      ]
      return parts.filter((part) => part !== '').join('  ')
    },
  }
}

/** As wide as each other. Severity is the source's own; the lane is only the order of delivery. */
function markOf(severity: Severity | undefined, isUrgent: boolean): [mark: string, style: Style] {
  switch (severity) {
    case Severity.EXTREME:
      return ['EXTREME ', ['white', 'bgRed', 'bold']]
    case Severity.SEVERE:
      return ['SEVERE  ', ['red', 'bold']]
    case Severity.MODERATE:
      return ['moderate', 'yellow']
    case Severity.MINOR:
      return ['minor   ', isUrgent ? 'bold' : 'dim']
    default:
      return isUrgent ? ['urgent  ', 'bold'] : ['routine ', 'dim']
  }
}

function shouts(status: MessageStatus | undefined): string[] {
  if (status === MessageStatus.ACTUAL) return []
  return [nameOf(MessageStatus, status).toUpperCase() || 'STATUS UNKNOWN']
}

function asides(event: Event, arrivedAt: bigint): string[] {
  const found: string[] = []
  const place = placeText(event.location)
  if (place) found.push(`@ ${place}`)
  const observedAt = timestampNs(event.observedAt)
  if (observedAt !== undefined && (arrivedAt - observedAt > lateNs || observedAt - arrivedAt > lateNs)) {
    const isToday = dayText(observedAt) === dayText(arrivedAt)
    const fault = event.flags?.includes(Flag.CLOCK_FAULT) ? ' by a clock that is wrong' : ''
    found.push(`(observed ${isToday ? clockText(observedAt) : stampText(observedAt)}${fault})`)
  }
  return found
}

export function placeText(location: Location | undefined | null): string {
  if (!location) return ''
  const isPoint = Object.hasOwn(location, 'latitude') && Object.hasOwn(location, 'longitude')
  if (isPoint) return `${degrees(location.latitude)},${degrees(location.longitude)}`
  const { polygons = [], circles = [], geocodes = [], description = '' } = location
  if (description) return description
  if (geocodes.length > 0) return geocodes.map(({ code }) => code).join(' ')
  const areas = polygons.length + circles.length
  return areas > 0 ? `${areas} area${areas > 1 ? 's' : ''}` : ''
}

/** Five decimals are about a metre. */
const degrees = (value = 0): string => String(Number(value.toFixed(5)))

/** One line of JSON for programs: where it stands in the log, and the event as ProtoJSON. */
export function eventJson(record: StoredRecord): string {
  const event = eventOf(record)
  return safeJson({
    lane: nameOf(Lane, record.lane),
    sequence: Number(toBigInt(record.sequence as never)),
    loggedAt: rfc3339(toBigInt(record.loggedAtNs as never)),
    eventId: event?.id ? idText(event.id) : undefined,
    frameId: record.frameId?.length ? idText(record.frameId) : undefined,
    topic: record.header?.topic,
    event: event ? eventCodec.toJson(event) : undefined,
  })
}
