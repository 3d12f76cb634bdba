// What stands for a window: one piece of arithmetic for every store, fed in the order of time.
// BAD and MISSING values are left out; where they are asked for they count, stand first or last, and never enter a mean, a sum, a
// smallest or a largest (Quality.BAD in the schema).

import { Quality, SeriesAggregate } from '../../proto/generated/types.ts'
import type { SeriesPoint } from '../../proto/generated/types.ts'
import { int64 } from '../../proto/int64.ts'
import type { Point, QueryPlan, Value } from './store.ts'

/** From the best to the worst. */
const ranks: Readonly<Record<Quality, number>> = {
  [Quality.GOOD]: 0,
  [Quality.UNSPECIFIED]: 1,
  [Quality.ESTIMATED]: 2,
  [Quality.SUSPECT]: 3,
  [Quality.BAD]: 4,
  [Quality.MISSING]: 5,
}
const rankOf = (quality: Quality): number => ranks[quality] ?? ranks[Quality.SUSPECT]

export const isUnsound = (quality: Quality): boolean => quality === Quality.BAD || quality === Quality.MISSING

/** What has gathered of one window. */
export type Summary = Readonly<Window>

interface Window {
  count: number
  bad: number
  quality: Quality
  numbers: number
  sum: number
  min: Value | undefined
  max: Value | undefined
  first: Value | undefined
  last: Value | undefined
}

const newWindow = (): Window => ({
  count: 0,
  bad: 0,
  quality: Quality.GOOD,
  numbers: 0,
  sum: 0,
  min: undefined,
  max: undefined,
  first: undefined,
  last: undefined,
})

function addPoint(window: Window, { value, quality }: Point, includeBad: boolean): void {
  const unsound = isUnsound(quality)
  if (unsound) {
    window.bad++
    if (!includeBad) return
  }
  if (!unsound) window.count++
  if (rankOf(quality) > rankOf(window.quality)) window.quality = quality
  if (!value) return
  window.first ??= value
  window.last = value
  if (unsound || (value.kind !== 'number' && value.kind !== 'integer' && value.kind !== 'flag')) return
  window.numbers++
  window.sum += Number(value.value)
  if (!window.min || value.value < (window.min as typeof value).value) window.min = value
  if (!window.max || value.value > (window.max as typeof value).value) window.max = value
}

/** A later part of the same window; what is kept of it has no bad values. */
function addPart(window: Window, part: Summary): void {
  window.count += part.count
  if (rankOf(part.quality) > rankOf(window.quality)) window.quality = part.quality
  window.first ??= part.first
  window.last = part.last ?? window.last
  window.numbers += part.numbers
  window.sum += part.sum
  if (!window.min || isLess(part.min, window.min)) window.min = part.min
  if (!window.max || isLess(window.max, part.max)) window.max = part.max ?? window.max
}

const isLess = (a: Value | undefined, b: Value | undefined): boolean =>
  a !== undefined && b !== undefined && (a as { value: number }).value < (b as { value: number }).value

/** Sums up values, or parts, of one window in the order of time, without what is bad. */
export function createSummary() {
  const window = newWindow()
  return {
    add({ value, quality }: Pick<Point, 'value' | 'quality'>): void {
      if (value !== undefined || isUnsound(quality)) addPoint(window, { atMs: 0, counter: 0, value, quality }, false)
    },
    addSummary: (part: Summary): void => addPart(window, part),
    end: (): Summary => window,
  }
}

/** Takes one series in the order of time, and gives its points. */
export interface SeriesBuilder {
  /** False: there are more than were asked for, and no more is needed. */
  add(point: Point): boolean
  /** What stands for a part of a window, where the values are no longer kept. */
  addPart(atMs: number, part: Summary): boolean
  /** Ends the last window. */
  finish(): { readonly points: readonly SeriesPoint[]; readonly truncated: boolean }
  readonly size: number
}

export function createSeriesBuilder(plan: QueryPlan): SeriesBuilder {
  const { windowMs, includeBad, pointsMax } = plan
  const points: SeriesPoint[] = []
  let truncated = false
  let begin = 0
  let window: Window | undefined

  function put(point: SeriesPoint): boolean {
    if (points.length === pointsMax) truncated = true
    else points.push(point)
    return !truncated
  }

  function close(): boolean {
    const ended = window
    window = undefined
    const count = ended ? ended.count + (includeBad ? ended.bad : 0) : 0
    if (!ended || count === 0) return true
    return put({
      at: timestampOfMs(begin),
      ...wireValue(standsFor(ended, plan.aggregate, count)),
      quality: ended.quality,
      count,
    })
  }

  function at(atMs: number): { readonly window: Window; readonly more: boolean } {
    const start = Math.floor(atMs / windowMs!) * windowMs!
    if (window && start === begin) return { window, more: true }
    const more = close()
    begin = start
    window = newWindow()
    return { window, more }
  }

  return {
    add(point) {
      if (windowMs === undefined) {
        if (isUnsound(point.quality) ? !includeBad : point.value === undefined) return true
        return put({ at: timestampOfMs(point.atMs), ...wireValue(point.value), quality: point.quality, count: 0 })
      }
      if (!isUnsound(point.quality) && point.value === undefined) return true
      const { window: open, more } = at(point.atMs)
      addPoint(open, point, includeBad)
      return more
    },
    addPart(atMs, part) {
      const { window: open, more } = at(atMs)
      addPart(open, part)
      return more
    },
    finish() {
      close()
      return { points, truncated }
    },
    get size() {
      return points.length
    },
  }
}

function standsFor(window: Window, aggregate: SeriesAggregate, count: number): Value | undefined {
  switch (aggregate) {
    case SeriesAggregate.COUNT:
      return { kind: 'integer', value: count }
    case SeriesAggregate.FIRST:
      return window.first
    case SeriesAggregate.LAST:
      return window.last
    case SeriesAggregate.MINIMUM:
      return window.min
    case SeriesAggregate.MAXIMUM:
      return window.max
    case SeriesAggregate.SUM:
      return window.numbers > 0 ? { kind: 'number', value: window.sum } : undefined
    default:
      return window.numbers > 0 ? { kind: 'number', value: window.sum / window.numbers } : undefined
  }
}

function wireValue(value: Value | undefined) {
  switch (value?.kind) {
    case 'number':
      return { value: 'number', number: value.value } as const
    case 'integer':
      return {
        value: 'integer',
        integer: typeof value.value === 'bigint' ? int64(value.value) : value.value,
      } as const
    case 'flag':
      return { value: 'flag', flag: value.value } as const
    case 'text':
      return { value: 'text', text: value.value } as const
    default:
      return {}
  }
}

export function timestampOfMs(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1_000)
  return { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 }
}
