// Answers as the schema has them, series by series, within what one message can carry.

import { GatewayError } from '../../proto/errors.ts'
import type { QuerySeriesResponse, Series, SeriesData, SeriesPoint } from '../../proto/generated/types.ts'
import { timestampOfMs } from './aggregate.ts'
import { compareSeries } from './store.ts'
import type { ListedSeries, Permit, QueryPlan, SeriesKey } from './store.ts'

/** Clients of gRPC take 4 MB unless told otherwise; a point is counted for a little more than it takes. */
const answerBytesMax = 3_800_000
const pointBytes = 32
const seriesBytes = 300
/** Values read for one answer; a few seconds' work of a thread. */
export const valuesReadMax = 5_000_000

export const tooLarge = (): GatewayError =>
  new GatewayError(
    'too_large',
    'The answer would be too large: ask for fewer devices, a shorter range, a longer window, or fewer max_points.',
  )

export interface Gathered {
  readonly key: SeriesKey
  readonly points: readonly SeriesPoint[]
  readonly truncated: boolean
}

/** Puts series in order and within the limit; those without a point are left out. Throws too_large. */
export function queryAnswer(gathered: readonly Gathered[], plan: QueryPlan, more: boolean): QuerySeriesResponse {
  const found = gathered.filter(({ points }) => points.length > 0).toSorted((a, b) => compareSeries(a.key, b.key))
  const series: SeriesData[] = found
    .slice(0, plan.seriesMax)
    .map(({ key, points, truncated }) => ({ series: wireSeries(key), points: points as SeriesPoint[], truncated }))
  return { series, truncated: more || found.length > plan.seriesMax || series.some(({ truncated }) => truncated) }
}

/** Counts while an answer is gathered. Throws too_large before memory is spent. */
export function createMeter() {
  let bytes = 0
  return {
    add(points: readonly SeriesPoint[]): void {
      bytes += seriesBytes + points.length * pointBytes
      for (const point of points) if (point.value === 'text') bytes += point.text.length * 3
      if (bytes > answerBytesMax) throw tooLarge()
    },
  }
}

export function wireSeries(key: SeriesKey): Series {
  return {
    quantity: key.quantity,
    device: key.device,
    subject: key.subject,
    jurisdiction: key.jurisdiction,
    owner: key.owner,
    unit: key.unit,
    deviceClass: key.deviceClass,
    messageStatus: key.status,
    ...(key.index !== '' && { index: Number(key.index) }),
  }
}

export const wireListed = (series: ListedSeries): Series => ({
  ...wireSeries(series),
  firstAt: timestampOfMs(series.firstMs),
  lastAt: timestampOfMs(series.lastMs),
})

/** Only what the reader may see. */
export async function permitted<Key extends SeriesKey>(series: readonly Key[], permit: Permit): Promise<Key[]> {
  const may = await permit(series)
  return series.filter((_, at) => may[at])
}
