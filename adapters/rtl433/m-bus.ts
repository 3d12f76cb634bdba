// Readings of Wireless M-Bus meters: value and unit in one text, what kind of value and which of the meter's stores in the key.
//
//   "inst_volume_0": "12.345 m3"     "max_power_w_0": "1.230 kW"     "inst_energy_wh_3": "…"
//    │    │      │    │      │                                          │              │
//    now  what   │    value  metric prefix and unit                     now            a store of the past: an attribute
//                the store of this moment

import { Aggregation } from '../../proto/generated/types.ts'
import type { Measurement } from '../../proto/generated/types.ts'
import type { QuantityName } from '../quantities.ts'
import { type Unit, words } from '../units.ts'
import { numberValue } from '../values.ts'

const keyForm = /^(inst|max|min)_([a-z_]+)_0$/
const valueForm =
  /^(-?\d{1,15}(?:\.\d{1,9})?) ([umkMG]?)(Wh|J|m3\/h|m3\/min|m3|kg\/h|kg|W|l\/s|C|K|bar|s|min|hours|days)$/

const quantities: Readonly<Record<string, QuantityName>> = {
  energy_wh: 'energy',
  energy_j: 'energy',
  volume: 'volume',
  mass: 'mass',
  power_w: 'power',
  volume_flow_h: 'flow',
  volume_flow_min: 'flow',
  volume_flow_s: 'flow',
  temperature_flow: 'temperature',
  temperature_return: 'temperature',
  temperature_ext: 'temperature',
  temperature_diff: 'temperature_difference',
  pressure: 'pressure',
  ontime_s: 'uptime',
  ontime_m: 'uptime',
  ontime_h: 'uptime',
  ontime_d: 'uptime',
  opertime_s: 'uptime',
  opertime_m: 'uptime',
  opertime_h: 'uptime',
  opertime_d: 'uptime',
}

const accumulated: ReadonlySet<string> = new Set(['energy', 'volume', 'mass', 'uptime'])

const factors: Readonly<Record<string, number>> = { u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9 }

/** Their words → those of units.ts. */
const units: ReadonlyMap<string, Unit> = new Map(
  Object.entries({
    ...same('Wh', 'J', 'm3/h', 'm3', 'kg', 'W', 'l/s', 'K', 'bar', 's', 'min'),
    C: 'Cel',
    hours: 'h',
    days: 'd',
  })
    .map(([theirs, ours]): [string, Unit] => [theirs, words.get(ours)!])
    .concat([['m3/min', { code: 'm3/s', per: 60 }]]),
)

function same(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]))
}

/** Undefined: no reading of this moment, or in a unit that no quantity has. */
export function meterReadingOf(key: string, value: unknown): Measurement | undefined {
  const [, kind, what = ''] = (typeof value === 'string' && keyForm.exec(key)) || []
  const quantity = kind !== undefined && Object.hasOwn(quantities, what) ? quantities[what] : undefined
  const [, digits = '', prefix = '', word = ''] = (quantity !== undefined && valueForm.exec(value as string)) || []
  const unit = units.get(word)
  if (quantity === undefined || !unit) return undefined
  const { code, times = 1 } = unit
  const factor = times * (factors[prefix] ?? 1)
  const scaled: Unit = factor === 1 ? unit : { ...unit, times: factor }
  const aggregation = aggregationOf(kind, quantity)
  return {
    quantity,
    ...numberValue(Number(digits), scaled),
    unit: code,
    ...((factor !== 1 || unit.per !== undefined) && { sourceUnit: prefix + word }),
    channel: what,
    ...(aggregation !== undefined && { aggregation }),
  }
}

function aggregationOf(kind: string | undefined, quantity: string): Aggregation | undefined {
  if (kind === 'max') return Aggregation.MAXIMUM
  if (kind === 'min') return Aggregation.MINIMUM
  return accumulated.has(quantity) ? Aggregation.ACCUMULATED : undefined
}
