// What events say, in a few words, for whoever decides about their device: the kind, and the first measurements with their values.

import type { Event, Measurement } from '../../proto/generated/types.ts'

const charsMax = 200
const measurementsMax = 5

export function saysOf(events: readonly Event[]): string {
  const text = events.map(ofOne).join('; ')
  return text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text
}

function ofOne(event: Event): string {
  const measurements = event.body === 'observation' ? (event.observation.measurements ?? []) : []
  const values = measurements.slice(0, measurementsMax).map((measurement) => {
    const { quantity = '', unit = '' } = measurement
    const value = valueOf(measurement)
    return [quantity, value, value && unit !== '1' ? unit : ''].filter((part) => part !== '').join(' ')
  })
  const more = measurements.length > measurementsMax ? ` and ${measurements.length - measurementsMax} more` : ''
  return [event.body ?? 'event', values.join(', ') + more].filter((part) => part !== '').join(': ')
}

/** Words and bytes of a device are not shown: they may be anything. */
function valueOf(measurement: Measurement): string {
  if (measurement.value === 'number') return String(Number(measurement.number.toPrecision(6)))
  if (measurement.value === 'integer') return String(measurement.integer)
  return measurement.value === 'flag' ? String(measurement.flag) : ''
}
