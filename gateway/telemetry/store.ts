// The contract of telemetry stores: values of series over time, written by a reader of the log, asked for by consoles. Its promise:
// every store gives the same answer to the same question, because what a window and a limit mean is said here once; a
// store only keeps rows and hands them out in order.

import type { ListSeriesRequest, MessageStatus, Quality, QuerySeriesRequest } from '../../proto/generated/types.ts'
import type { ListSeriesResponse, QuerySeriesResponse, SeriesAggregate } from '../../proto/generated/types.ts'

/** What gRPC and HTTP ask. Times are in the requests of proto/tocsin/v1/telemetry_service.proto, and so are limits and errors. */
export interface TelemetryStore {
  /** Rejects with a GatewayError: invalid_argument, too_large, peer_unreachable, store_failed. */
  querySeries(request: QuerySeriesRequest, mayRead: MayRead): Promise<QuerySeriesResponse>
  /** The same as the encoded response: made in another thread, and sent as it is. */
  querySeriesBytes(request: QuerySeriesRequest, mayRead: MayRead): Promise<Buffer>
  listSeries(request: ListSeriesRequest, mayRead: MayRead): Promise<ListSeriesResponse>
}

/** Whether the reader may see a series; undefined: all of them. */
export type MayRead = ((series: SeriesKey) => boolean) | undefined

/** What makes a series one; a unit that changes makes a new one, so that metres and feet are never averaged. */
export interface SeriesKey {
  readonly quantity: string
  readonly device: string
  /** Decimal; empty: none. */
  readonly index: string
  readonly status: MessageStatus
  readonly jurisdiction: string
  readonly owner: string
  readonly deviceClass: string
  readonly unit: string
  readonly subject: string
}

/** A value as it was measured; a whole number beyond 2^53 is a bigint. Bytes have no value here, but are counted. */
export type Value =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'integer'; readonly value: number | bigint }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'blob' }

/** One value of a series. `atMs` and `counter` together are its identity: written again, it is written over itself. */
export interface Point {
  readonly atMs: number
  /** 0 to 2^19 − 1: the running counter of the event's id. */
  readonly counter: number
  /** Absent where the source says that there is none. */
  readonly value: Value | undefined
  readonly quality: Quality
}

/** A QuerySeriesRequest that was checked. It can be posted to a thread. */
export interface QueryPlan {
  readonly quantity: string
  readonly devices: readonly string[]
  readonly subjects: readonly string[]
  /** Points at or after `fromMs` and before `toMs`. */
  readonly fromMs: number
  readonly toMs: number
  /** Absent: values as they are. Windows begin at multiples of it since 1970. */
  readonly windowMs?: number
  readonly aggregate: SeriesAggregate
  readonly statuses: readonly MessageStatus[]
  readonly includeBad: boolean
  readonly pointsMax: number
  readonly seriesMax: number
  readonly index?: string
}

/** A ListSeriesRequest that was checked. */
export interface ListPlan {
  readonly quantities: readonly string[]
  /** A trailing `*` stands for any ending. */
  readonly devices: readonly string[]
  readonly jurisdictions: readonly string[]
  readonly activeSinceMs?: number
  readonly size: number
  /** The last series of the page before. */
  readonly after?: ListPlace
}

export type ListPlace = readonly [quantity: string, device: string, index: string, rest: string]

export interface ListedSeries extends SeriesKey {
  readonly firstMs: number
  readonly lastMs: number
  /** Of the last value, so that of two at once the same one is the last in every store. */
  readonly lastCounter?: number
}

/**
 * Where values are read from. Series stand in the order of `compareSeries`. `permit` is asked for series before anything of them is
 * read out.
 */
export interface SeriesReader {
  query(plan: QueryPlan, permit: Permit): Promise<QuerySeriesResponse>
  /** One more than `size` when there are more. */
  list(plan: ListPlan, permit: Permit): Promise<readonly ListedSeries[]>
  close(): Promise<void> | void
}

export type Permit = (series: readonly SeriesKey[]) => Promise<readonly boolean[]>

/** An index as a number; none stands first. */
const indexNumber = (index: string): number => (index === '' ? -1 : Number(index))

/** By device and index; then whatever tells them apart, so that every store has the same order. */
export function compareSeries(a: SeriesKey, b: SeriesKey): number {
  return (
    compareText(a.device, b.device) ||
    indexNumber(a.index) - indexNumber(b.index) ||
    a.status - b.status ||
    compareText(restOf(a), restOf(b))
  )
}

export function compareListed(a: SeriesKey, b: SeriesKey): number {
  return compareText(a.quantity, b.quantity) || compareSeries(a, b)
}

export const placeOf = (series: SeriesKey): ListPlace => [
  series.quantity,
  series.device,
  series.index,
  `${series.status} ${series.jurisdiction}\n${series.owner}\n${series.deviceClass}`,
]

const restOf = ({ jurisdiction, owner, deviceClass, unit, subject }: SeriesKey): string =>
  `${jurisdiction}\n${owner}\n${deviceClass}\n${unit}\n${subject}`

/** By UTF-16 code units: the same on every machine. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
