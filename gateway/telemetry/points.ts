// An event as points of series. Its promise: a point is the one that the InfluxDB output makes of the same measurement, with the same
// identity, whichever store keeps it; what that output withholds stands in no store.

import { Quality } from '../../proto/generated/types.ts'
import type { Event, Measurement } from '../../proto/generated/types.ts'
import { toBigInt } from '../../proto/int64.ts'
import { counterOf } from '../ids.ts'
import { createPointIndexes, statedIndex } from '../outputs/influxdb/point-indexes.ts'
import { millisecondsOf, type RowCounts, targetOf } from '../outputs/influxdb/rows.ts'
import type { Included } from '../policy/configured-view.ts'
import { isUnsound } from './aggregate.ts'
import type { Point, SeriesKey, Value } from './store.ts'

/** Gives each point of the event to `put`: the values of observations, and those that led to a detection. */
export function pointsOf(
  event: Event,
  include: ReadonlySet<Included>,
  counts: RowCounts,
  put: (series: SeriesKey, point: Point) => void,
): void {
  const measurements = measurementsOf(event)
  if (measurements.length === 0 || !targetOf(event, include, counts)) return
  const origin = event.origin ?? {}
  const device = origin.device || event.subject || ''
  const counter = event.id ? counterOf(event.id) : 0
  const indexes = measurements.length > 1 ? createPointIndexes() : undefined
  for (const measurement of measurements) {
    const quantity = measurement.quantity ?? ''
    const atMs = millisecondsOf(measurement.measuredAt ?? event.observedAt ?? event.receivedAt)
    const stated = statedIndex(measurement.index)
    const index = indexes ? indexes(quantity, atMs, stated) : stated
    const value = valueOf(measurement)
    const quality = measurement.quality ?? Quality.UNSPECIFIED
    // A value that is absent without a word is no value.
    if (!value && !isUnsound(quality)) continue
    const series: SeriesKey = {
      quantity,
      device,
      index,
      status: event.messageStatus ?? 0,
      jurisdiction: origin.jurisdiction ?? '',
      owner: origin.owner ?? '',
      deviceClass: origin.adapter ?? '',
      unit: measurement.unit ?? '',
      subject: event.subject || device,
    }
    put(series, { atMs, counter, value, quality })
  }
}

function measurementsOf(event: Event): readonly Measurement[] {
  if (event.body === 'observation') return event.observation.measurements ?? []
  return event.body === 'detection' ? (event.detection.measurements ?? []) : []
}

function valueOf(measurement: Measurement): Value | undefined {
  switch (measurement.value) {
    case 'number':
      return Number.isFinite(measurement.number) ? { kind: 'number', value: measurement.number } : undefined
    case 'integer': {
      const exact = toBigInt(measurement.integer)
      const value = Number(exact)
      return { kind: 'integer', value: Number.isSafeInteger(value) ? value : exact }
    }
    case 'flag':
      return { kind: 'flag', value: measurement.flag }
    case 'text':
      // An empty word says nothing, and not every store can tell it from none.
      return measurement.text === '' ? undefined : { kind: 'text', value: measurement.text }
    case 'blob':
      return { kind: 'blob' }
    default:
      return undefined
  }
}
