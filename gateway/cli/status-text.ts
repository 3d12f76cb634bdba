// How the gateway is, on one screen. Silence is shown as silence: an input or a lane that has had nothing for long says so, and a figure
// that is not known is not shown as a zero.

import { Fate, Lane } from '../../proto/generated/types.ts'
import type {
  BookmarkStatus,
  FateCount,
  GetStatusResponse,
  InputStatus,
  LinkStatus,
} from '../../proto/generated/types.ts'
import { toNumber } from '../../proto/int64.ts'
import { durationMs, timestampNs } from '../../proto/time.ts'
import { nameOf } from './event-summary.ts'
import { bytesText } from './progress.ts'
import { counted, pad, safe, type Terminal } from './terminal.ts'
import { spanText } from './time.ts'

/** All that the screen shows, as it was asked for at one moment. */
export interface Picture {
  readonly state: GetStatusResponse
  readonly bookmarks: readonly BookmarkStatus[]
  readonly refusals: readonly RefusalSummary[]
  /** The quarantine holds more than were counted. */
  readonly isCut: boolean
}

export interface RefusalSummary {
  readonly fault: string
  readonly count: number
  readonly lastHour: number
  readonly newest: { readonly at: bigint; readonly topic: string; readonly why: string }
}

/** An input that has had nothing for longer is called silent. */
const silentAfterMs = 600_000
const nameColumns = 11
const whoColumns = 14
const whyCharsMax = 90
const count = (value: number): string => value.toLocaleString('en-US')

export function statusLines(picture: Picture, paint: Terminal['paint']): string[] {
  const { state } = picture
  const now = timestampNs(state.now) ?? 0n
  const lines: string[] = []
  let last = ''
  /** The name of a group stands before its first row only. */
  const row: Row = (name, text) => {
    lines.push(`${paint('dim', pad(name === last ? '' : name, nameColumns))}${text}`)
    last = name
  }
  addHouse(state, now, row)
  addInputs(state.inputs ?? [], now, row, paint)
  addLanes(state, now, row)
  addReaders(picture.bookmarks, row, paint)
  addLinks(state.links ?? [], now, row, paint)
  addRefusals(picture, now, row)
  addUnknownQuantities(state, row)
  addSurroundings(state, row, paint)
  addSafety(state, row, paint)
  for (const { code = '', text = '', since } of state.alarms ?? []) {
    const from = timestampNs(since)
    const age = from === undefined ? '' : ` (for ${spanText(msBetween(from, now))})`
    lines.push(`${paint(['red', 'bold'], pad('ALARM', nameColumns))}${safe(code)}: ${safe(text)}${age}`)
  }
  return lines
}

type Row = (name: string, text: string) => void
const msBetween = (from: bigint, to: bigint): number => Math.max(Number(to - from) / 1e6, 0)
const ago = (at: bigint, now: bigint): string => `${spanText(msBetween(at, now))} ago`

function addHouse(state: GetStatusResponse, now: bigint, row: Row): void {
  const { gateway = '', jurisdiction = '', version = '', framesPerSecond = 0, fates = [] } = state
  const up = spanText(msBetween(timestampNs(state.startedAt) ?? now, now))
  row('gateway', `${safe(gateway)} of ${safe(jurisdiction)}, version ${safe(version)}, up for ${up}`)
  const all = [...fates.map(fateText), `${toNumber(state.pending)} pending`].join(', ')
  row('frames', `${count(toNumber(state.received))} received (${rateText(framesPerSecond)} in the last minute): ${all}`)
  const { mqttConnections = 0, grpcStreams = 0 } = state
  row('connected', `${counted(mqttConnections, 'MQTT client')}, ${counted(grpcStreams, 'subscription')} by gRPC`)
}

const fateText = ({ fate, count: number }: FateCount): string => `${count(toNumber(number))} ${nameOf(Fate, fate)}`
/** A message an hour is no "0.0". */
const rateText = (perSecond: number): string =>
  perSecond > 0 && perSecond < 0.05 ? `${(perSecond * 60).toFixed(1)}/min` : `${perSecond.toFixed(1)}/s`

function addInputs(inputs: readonly InputStatus[], now: bigint, row: Row, paint: Terminal['paint']): void {
  const never: string[] = []
  for (const { name = '', frames, fates = [], framesPerSecond = 0, lastFrameAt } of inputs) {
    if (toNumber(frames) === 0) {
      if (name !== 'none') never.push(safe(name))
      continue
    }
    const at = timestampNs(lastFrameAt)
    const silentMs = at === undefined ? 0 : msBetween(at, now)
    const pace =
      silentMs > silentAfterMs ? paint('yellow', `silent for ${spanText(silentMs)}`) : pad(rateText(framesPerSecond), 9)
    const came = fates.filter((each) => toNumber(each.count) > 0).map(fateText)
    const what = name === 'none' ? '(no adapter)' : safe(name)
    row('input', `${pad(what, whoColumns)}${pace}  ${came.join(', ')}`)
  }
  if (never.length > 0) row('input', paint('dim', `nothing since the start: ${never.join(', ')}`))
}

function addLanes({ lanes = [] }: GetStatusResponse, now: bigint, row: Row): void {
  for (const { lane, head, oldest, oldestAt, newestAt } of lanes) {
    const [from, to] = [toNumber(oldest), toNumber(head)]
    const [first, last] = [timestampNs(oldestAt), timestampNs(newestAt)]
    const ages =
      first === undefined || last === undefined ? '' : `; the oldest ${ago(first, now)}, the last ${ago(last, now)}`
    const kept = from > to ? 'nothing kept' : `${count(from)} to ${count(to)}${ages}`
    row('lane', `${pad(nameOf(Lane, lane), whoColumns)}${kept}`)
  }
}

function addReaders(bookmarks: readonly BookmarkStatus[], row: Row, paint: Terminal['paint']): void {
  if (bookmarks.length === 0) row('reader', paint('dim', 'none: no output is on'))
  for (const { reader = '', urgentLag, routineLag, lagAge, problem, connected } of bookmarks) {
    const [urgent, routine] = [toNumber(urgentLag), toNumber(routineLag)]
    const age = durationMs(lagAge)
    const waiting = `${count(urgent + routine)} wait${urgent > 0 ? ` (${count(urgent)} urgent)` : ''}`
    const lag =
      urgent + routine === 0 ? 'has all' : `${waiting}${age === undefined ? '' : `, the oldest for ${spanText(age)}`}`
    const trouble = problem ? `; ${paint('red', safe(problem))}` : connected ? '' : paint('yellow', '; not running')
    row('reader', `${pad(safe(reader), whoColumns)}${lag}${trouble}`)
  }
}

function addLinks(links: readonly LinkStatus[], now: bigint, row: Row, paint: Terminal['paint']): void {
  for (const { name = '', up, since, problem, waiting, received, published, dropped, lastReceivedAt } of links) {
    const span = spanText(msBetween(timestampNs(since) ?? now, now))
    const state = up ? `up for ${span}` : paint('red', `down for ${span}`)
    const heardAt = timestampNs(lastReceivedAt)
    const came =
      heardAt === undefined ? 'nothing came' : `${count(toNumber(received))} in, the last ${ago(heardAt, now)}`
    const left = toNumber(dropped) > 0 ? paint('yellow', `, ${count(toNumber(dropped))} left out`) : ''
    const went = `${count(toNumber(published))} out, ${count(toNumber(waiting))} wait${left}`
    row(
      'link',
      `${pad(safe(name), whoColumns)}${state}; ${came}; ${went}${problem ? `; ${paint('red', safe(problem))}` : ''}`,
    )
  }
}

function addRefusals({ refusals, isCut }: Picture, now: bigint, row: Row): void {
  if (refusals.length === 0) return row('quarantine', 'empty')
  for (const { fault, count: number, lastHour, newest } of refusals) {
    const where = `${safe(newest.topic, whyCharsMax)}: ${safe(newest.why, whyCharsMax)}`
    row('quarantine', `${pad(safe(fault), whoColumns)}${count(number)}, ${count(lastHour)} in the last hour`)
    row('quarantine', `${pad('', whoColumns)}the last ${ago(newest.at, now)} on ${where}`)
  }
  const more = isCut ? 'of the newest only; ' : ''
  row('quarantine', `${more}tocsin refusals shows them, with what to do`)
}

function addUnknownQuantities({ unknownQuantities = [] }: GetStatusResponse, row: Row): void {
  for (const { adapter = '', measurements, names = [] } of unknownQuantities) {
    const listed = `${count(toNumber(measurements))} measurements: ${names.map((name) => safe(name)).join(', ')}`
    row('unknown', `quantities of ${safe(adapter)}, ${listed}`)
  }
}

function addSurroundings(state: GetStatusResponse, row: Row, paint: Terminal['paint']): void {
  const [free, total] = [toNumber(state.diskFreeBytes), toNumber(state.diskTotalBytes)]
  if (total > 0) {
    const used = `${bytesText(total - free)} used, ${bytesText(free)} free of ${bytesText(total)}`
    row('disk', `${used}; ${forecastText(state, paint)}`)
  }
  const offsetMs = durationMs(state.clockOffset)
  row('clock', offsetMs === undefined ? 'not measured (see clock.sntp_servers)' : offsetText(offsetMs))
}

function addSafety(
  { plaintextExceptions = [], warnings = [] }: GetStatusResponse,
  row: Row,
  paint: Terminal['paint'],
): void {
  for (const { name = '', listen = '', messages, turnedAway } of plaintextExceptions) {
    const came = `${counted(toNumber(messages), 'message')}, ${count(toNumber(turnedAway))} turned away`
    row('plain text', `${pad(safe(name), whoColumns)}${paint('yellow', safe(listen))}; ${came}`)
  }
  if (warnings.length > 0) row('warnings', `${count(warnings.length)}; tocsin doctor shows them, with what to do`)
}

/** Below this a person must act soon. */
const fullSoonMs = 7 * 86_400_000
/** Beyond this nobody can tell. */
const fullNeverMs = 3_650 * 86_400_000

function forecastText(state: GetStatusResponse, paint: Terminal['paint']): string {
  const [watchedMs, fullInMs] = [durationMs(state.diskWatched), durationMs(state.diskFullIn)]
  if (watchedMs === undefined) return 'too early for a forecast'
  const rate = `at the rate of the last ${spanText(watchedMs)}`
  if (fullInMs === undefined || fullInMs > fullNeverMs) return `not filling, ${rate}`
  return paint(fullInMs < fullSoonMs ? ['red', 'bold'] : [], `full in ${spanText(fullInMs)}, ${rate}`)
}

const offsetText = (ms: number): string =>
  `${Math.abs(ms).toFixed(1)} ms ${ms < 0 ? 'behind' : 'ahead of'} its time servers`
