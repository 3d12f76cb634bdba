// An event as rows of InfluxDB. Its promise: the same event gives the same points, however often it is written, and two readings
// never share one. So a point's identity (measurement, tags, time) comes from the event alone, and its time is the observation's
// millisecond with the running counter of the event's id in the digits below.

import { MessageStatus } from '../../../proto/generated/types.ts'
import type { Event, Measurement, Timestamp } from '../../../proto/generated/types.ts'
import { toNumber } from '../../../proto/int64.ts'
import { timestampNs } from '../../../proto/time.ts'
import { counterOf } from '../../ids.ts'
import { type Included, labelWithheld, mayTellPlace, newWithheld } from '../../policy/configured-view.ts'
import { labelsMask } from '../../record-header.ts'
import { overBudget } from './cardinality.ts'
import type { BudgetTag, TagBudget } from './cardinality.ts'
import { detectionFields, deviceStatusFields, locationFields, measurementFields, positionFields } from './fields.ts'
import type { Fields } from './fields.ts'
import { familyOf } from './families.ts'
import type { Lines } from './line-protocol.ts'
import { createPointIndexes, statedIndex } from './point-indexes.ts'

/** ACTUAL goes to `main`; EXERCISE, TEST and SYSTEM to `exercise`: a chart of the main database shows what is real and nothing else. */
export type Target = 'main' | 'exercise'

export interface RowCounts {
  /** Rows that went into lines, retries not counted. */
  rows: number
  /** Events by label that were not written, and those left out for other reasons. */
  withheld: Record<Included, number>
  /** Events of kinds that are no telemetry, and drafts. */
  notTelemetry: number
  drafts: number
  /** Values that were no finite number, left out of their rows. */
  notFinite: number
  /** Rows with a tag that was over its budget. */
  overBudget: number
}

export const newRowCounts = (): RowCounts => ({
  rows: 0,
  withheld: newWithheld(),
  notTelemetry: 0,
  drafts: 0,
  notFinite: 0,
  overBudget: 0,
})

const noId = new Uint8Array(16)

export const statusNames: Readonly<Record<MessageStatus, string>> = {
  [MessageStatus.UNSPECIFIED]: 'unspecified',
  [MessageStatus.ACTUAL]: 'actual',
  [MessageStatus.EXERCISE]: 'exercise',
  [MessageStatus.SYSTEM]: 'system',
  [MessageStatus.TEST]: 'test',
  [MessageStatus.DRAFT]: 'draft',
}

/** Where an event is written; undefined: nowhere, and `counts` says why. */
export function targetOf(event: Event, include: ReadonlySet<Included>, counts: RowCounts): Target | undefined {
  const { body } = event
  if (body !== 'observation' && body !== 'position' && body !== 'deviceStatus' && body !== 'detection') {
    counts.notTelemetry++
    return undefined
  }
  const label = labelWithheld(labelsMask(event.handling?.labels), include)
  if (label) {
    counts.withheld[label]++
    return undefined
  }
  if (body === 'position' && !mayTellPlace(event, include)) {
    counts.withheld.law_enforcement_position++
    return undefined
  }
  if (event.messageStatus === MessageStatus.ACTUAL) return 'main'
  if (event.messageStatus === MessageStatus.DRAFT || !event.messageStatus) {
    counts.drafts++
    return undefined
  }
  return 'exercise'
}

export interface RowParts {
  readonly lines: Lines
  readonly budget: TagBudget
  readonly include: ReadonlySet<Included>
  readonly counts: RowCounts
  /** The record's sequence in this gateway's log. */
  readonly sequence: number
  /** Told of each row of a series. */
  readonly touched?: (measurement: string, atMs: number, device: string) => void
}

/** No event gives more rows than this. */
export function rowsMostOf(event: Event): number {
  if (event.body === 'observation') return event.observation.measurements?.length ?? 0
  return event.body === 'detection' ? 1 + (event.detection.measurements?.length ?? 0) : 1
}

/** Writes the event's rows; `targetOf` has said where to. Returns how many there are. */
export function writeRows(event: Event, parts: RowParts): number {
  const before = parts.lines.count
  switch (event.body) {
    case 'observation':
      writeMeasurements(event, event.observation.measurements ?? [], parts)
      break
    case 'detection':
      writeRow(event, 'detection', event.detection.agent ?? '', '', event.observedAt, parts, (fields) =>
        detectionFields(fields, event.detection),
      )
      writeMeasurements(event, event.detection.measurements ?? [], parts)
      break
    case 'deviceStatus':
      writeRow(event, 'device_status', '', '', event.observedAt, parts, (fields) =>
        deviceStatusFields(fields, event.deviceStatus),
      )
      break
    case 'position':
      writeRow(event, 'position', '', '', event.observedAt, parts, (fields) => positionFields(fields, event.position))
      break
    default:
  }
  const written = parts.lines.count - before
  parts.counts.rows += written
  return written
}

function writeMeasurements(event: Event, measurements: readonly Measurement[], parts: RowParts): void {
  const indexes = measurements.length > 1 ? createPointIndexes() : undefined
  for (const measurement of measurements) {
    const quantity = measurement.quantity ?? ''
    const time = measurement.measuredAt ?? event.observedAt
    const stated = measurement.index
    let index = statedIndex(stated)
    if (indexes) {
      const shown = parts.budget.admit('quantity', quantity) ? quantity : `${overBudget} ${familyOf(quantity)}`
      index = indexes(shown, millisecondsOf(time ?? event.receivedAt), index)
    }
    const family = familyOf(quantity)
    writeRow(event, family, quantity, index, time, parts, (fields) => {
      measurementFields(fields, measurement, event)
      if (typeof stated === 'number' && index !== String(stated)) fields.lines.integer('stated_index', stated)
    })
    parts.touched?.(family, millisecondsOf(time ?? event.receivedAt), deviceTagOf(event, parts))
  }
}

function writeRow(
  event: Event,
  measurement: string,
  quantity: string,
  index: string,
  observedAt: Timestamp | undefined | null,
  parts: RowParts,
  writeBody: (fields: Fields) => void,
): void {
  const { lines, counts } = parts
  const origin = event.origin ?? {}
  const device = deviceOf(event)
  lines.begin(measurement)
  // What queries ask for first stands first: InfluxDB 3 sorts a new table by its tags in this order.
  const quantityFits = tag(parts, 'quantity', quantity)
  const deviceFits = tag(parts, 'device', device)
  const agencyFits = tag(parts, 'agency', origin.owner)
  const jurisdictionFits = tag(parts, 'jurisdiction', origin.jurisdiction)
  const classFits = tag(parts, 'device_class', origin.adapter)
  lines.tag('status', statusNames[event.messageStatus ?? MessageStatus.UNSPECIFIED])
  parts.lines.tag('index', index)

  const fields: Fields = { lines, notFinite: () => counts.notFinite++ }
  writeBody(fields)
  if (mayTellPlace(event, parts.include)) locationFields(fields, event.location)
  if (event.subject && event.subject !== device) lines.text('subject', event.subject)
  lines.id('event_id', event.id ?? noId)
  lines.integer('sequence', parts.sequence)
  if (!(quantityFits && deviceFits && agencyFits && jurisdictionFits && classFits)) {
    if (!quantityFits) lines.text('quantity_name', quantity)
    if (!deviceFits) lines.text('device_name', device)
    if (!agencyFits) lines.text('agency_name', origin.owner ?? '')
    if (!jurisdictionFits) lines.text('jurisdiction_name', origin.jurisdiction ?? '')
    if (!classFits) lines.text('device_class_name', origin.adapter ?? '')
    counts.overBudget++
  }

  const time = observedAt ?? event.receivedAt
  if (observedAt && (observedAt.nanos ?? 0) % 1_000_000 !== 0)
    lines.integer('observed_ns', timestampNs(observedAt) ?? 0n)
  lines.end(millisecondsOf(time), event.id ? counterOf(event.id) : 0)
}

const deviceOf = (event: Event): string => event.origin?.device || event.subject || ''

/** As the tag has it. */
export function deviceTagOf(event: Event, { budget }: Pick<RowParts, 'budget'>): string {
  const device = deviceOf(event)
  return device === '' || budget.admit('device', device) ? device : overBudget
}

/** False when the value is over the tag's budget; the tag then says so. */
function tag(parts: RowParts, name: BudgetTag, value: string | undefined): boolean {
  if (!value) return true
  const fits = parts.budget.admit(name, value)
  parts.lines.tag(name, fits ? value : overBudget)
  return fits
}

export function millisecondsOf(time: Timestamp | undefined | null): number {
  if (!time) return 0
  return toNumber(time.seconds) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000)
}
