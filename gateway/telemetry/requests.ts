// Requests for series as plans: everything that a caller may have got wrong is said here, by the field's name, before a store is
// asked. A page token is the last series of the page before, sealed with what was asked for.

import { crc32 } from 'node:zlib'
import { GatewayError } from '../../proto/errors.ts'
import { MessageStatus, SeriesAggregate } from '../../proto/generated/types.ts'
import type { ListSeriesRequest, QuerySeriesRequest } from '../../proto/generated/types.ts'
import { durationMs, nsPerMs, timestampNs } from '../../proto/time.ts'
import type { ListedSeries, ListPlace, ListPlan, QueryPlan } from './store.ts'
import { placeOf } from './store.ts'

const pointsDefault = 10_000
const pointsMax = 100_000
const seriesDefault = 100
const seriesMax = 1_000
const windowMsMin = 1_000
/** The longest that is kept as a level. */
const windowMsMax = 10 * 366 * 86_400_000
const pageDefault = 100
const pageMax = 1_000
/** Names in one list of a request. */
const namesMax = 1_000

/** Throws GatewayError invalid_argument. */
export function queryPlan(request: QuerySeriesRequest, now: bigint): QueryPlan {
  const { quantity = '', devices = [], subjects = [], aggregate = SeriesAggregate.UNSPECIFIED } = request
  if (quantity === '') refuse('quantity is empty; it must name one, such as "water_level" (ListSeries lists them).')
  checkCount('devices', devices)
  checkCount('subjects', subjects)
  const from = timestampNs(request.from)
  if (from === undefined) refuse('from is absent; it must be a time.')
  const to = timestampNs(request.to) ?? now
  if (to < from) refuse('to lies before from.')
  const windowMs = durationMs(request.window)
  if (windowMs !== undefined && !(windowMs >= windowMsMin && windowMs <= windowMsMax && Number.isInteger(windowMs)))
    refuse(`window must be whole milliseconds, at least 1 s and at most ten years; it is ${windowMs} ms.`)
  if (!Object.values<number>(SeriesAggregate).includes(aggregate))
    refuse(`aggregate is ${aggregate}, which is none of SeriesAggregate.`)
  if (windowMs === undefined && aggregate !== SeriesAggregate.UNSPECIFIED)
    refuse('aggregate needs window: without one, values are given as they are.')
  const statuses = [...new Set(request.messageStatuses ?? [])]
  for (const status of statuses) if (!stored.has(status)) refuse(`message_statuses: ${statusText(status)}`)
  return {
    quantity,
    devices: [...new Set(devices)],
    subjects: [...new Set(subjects)],
    fromMs: wholeMs(from),
    toMs: wholeMs(to),
    aggregate,
    statuses: statuses.length > 0 ? statuses : [MessageStatus.ACTUAL],
    includeBad: request.includeBad ?? false,
    pointsMax: limitOf('max_points', request.maxPoints, pointsDefault, pointsMax),
    seriesMax: limitOf('max_series', request.maxSeries, seriesDefault, seriesMax),
    ...(windowMs !== undefined && { windowMs }),
    ...(typeof request.index === 'number' && { index: String(request.index) }),
  }
}

const stored = new Set<number>([MessageStatus.ACTUAL, MessageStatus.EXERCISE, MessageStatus.SYSTEM, MessageStatus.TEST])
const statusText = (status: number): string =>
  status === MessageStatus.DRAFT
    ? 'drafts are in no telemetry store.'
    : `${status} is none of ACTUAL, EXERCISE, SYSTEM and TEST.`

/** Throws GatewayError invalid_argument. */
export function listPlan(request: ListSeriesRequest): ListPlan {
  const { quantities = [], devices = [], jurisdictions = [] } = request
  checkCount('quantities', quantities)
  checkCount('devices', devices)
  checkCount('jurisdictions', jurisdictions)
  const activeSince = timestampNs(request.activeSince)
  const after = request.pageToken?.length ? openToken(request.pageToken, sealOf(request)) : undefined
  return {
    quantities,
    devices,
    jurisdictions,
    size: Math.min(request.pageSize || pageDefault, pageMax),
    ...(activeSince !== undefined && { activeSinceMs: wholeMs(activeSince) }),
    ...(after && { after }),
  }
}

export const pageToken = (request: ListSeriesRequest, last: ListedSeries): Uint8Array =>
  Buffer.from(JSON.stringify([sealOf(request), ...placeOf(last)]))

function openToken(token: Uint8Array, seal: number): ListPlace {
  const [sealed, ...place] = parse(Buffer.from(token).toString('utf8'))
  const isPlace = place.length === 4 && place.every((part) => typeof part === 'string')
  if (!isPlace) refuse('page_token is none that this gateway gave: give it back exactly as it came.')
  if (sealed !== seal) refuse('page_token belongs to another request: ask for the first page again.')
  return place as unknown as ListPlace
}

function parse(text: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? (parsed as unknown[]) : []
  } catch {
    return []
  }
}

/** A token holds for the request it was given for, whatever the size of the page. */
function sealOf({ quantities = [], devices = [], jurisdictions = [], activeSince }: ListSeriesRequest): number {
  return crc32(JSON.stringify([quantities, devices, jurisdictions, String(timestampNs(activeSince))]))
}

/** The first whole millisecond at or after it: points have milliseconds. */
function wholeMs(ns: bigint): number {
  const ms = ns / nsPerMs
  return Number(ms * nsPerMs < ns ? ms + 1n : ms)
}

function limitOf(field: string, given: number | undefined, normal: number, most: number): number {
  const limit = given || normal
  if (limit > most) refuse(`${field} may be at most ${most}; it is ${limit}.`)
  return limit
}

function checkCount(field: string, names: readonly string[]): void {
  if (names.length > namesMax) refuse(`${field} may hold at most ${namesMax} names; it holds ${names.length}.`)
}

function refuse(text: string): never {
  throw new GatewayError('invalid_argument', text)
}
