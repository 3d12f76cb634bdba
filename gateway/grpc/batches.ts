// Batches for readers, put together once and shared by all streams that are at the same place with the same filter and the same
// rights. A reader that sees everything gets the bytes as they lie on disk; a filter copies ranges of them and opens no event.

import { addReading, countFrame, countRecord, labelsGiven, newReading, type Reading } from '../audit/reads.ts'
import type { Lane, LanePosition, Log, Missing, ReadLimit, StoredRecord } from '../log/log.ts'
import { codec } from '../../proto/wire.ts'
import type { View } from './access.ts'
import { encodeCursor, type LaneTimes } from './cursor.ts'
import type { CompiledFilter } from './filter.ts'
import { joinParts, lengthTag, partLength, type Part } from './message-bytes.ts'
import { indexSlice, type SliceIndex } from './slice-index.ts'

/** What decides the bytes of a stream, beside its place. */
export interface ReadingPlan {
  readonly filter: CompiledFilter
  readonly view: View
  readonly raw: boolean
  readonly limit: ReadLimit
}

/** A reader's place, with the times that let it go on in another epoch. */
export interface ReaderPlace {
  readonly bookmark: LanePosition
  readonly loggedAt: LaneTimes
}

export interface NextBatch extends ReaderPlace {
  /** An encoded SubscribeResponse; absent: nothing passed. */
  readonly message: Buffer | undefined
  readonly records: number
  /** What of it carries labels beyond OPS. */
  readonly reading: Reading
  readonly missing: readonly (Missing & { readonly lane: Lane })[]
}

export interface Batches {
  /** What comes after `place`: urgent before routine. `bookmark` moves on whenever the log has anything. */
  next(plan: ReadingPlan, place: ReaderPlace): NextBatch
  /** How many batches were put together; all others were shared. */
  readonly assembled: number
}

/** Urgent takes at most this part of a batch, so that routine never stands still. Source: design, "routine keeps at least 5 %". */
const urgentShare = 0.95
/** Enough for a hundred streams at different places; what is dropped is put together again. */
const sharedBytesMax = 4 << 20
const sharedEntriesMax = 512
const slicesMax = 16
/** Beyond, equal plans of old and new streams are no longer known as equal. */
const planKeysMax = 10_000

const responseTag = { batch: lengthTag(1) }
const batchTag = { records: lengthTag(1), cursor: lengthTag(3), frames: lengthTag(4) }
const snapshotField: Part = { bytes: Buffer.from([5 << 3, 1]) }
const frameCodec = codec('tocsin.v1.Frame')

export function createBatches(log: Log): Batches {
  const numberOf = createPlanNumbers()
  const shared = new Map<string, NextBatch>()
  let sharedBytes = 0
  let assembled = 0
  const slices = new Map<string, SliceIndex>()

  function next(plan: ReadingPlan, place: ReaderPlace): NextBatch {
    const { bookmark } = place
    // With the head: a batch without an urgent record that came since would let routine overtake it.
    const key = `${bookmark.urgent} ${bookmark.routine} ${log.head.urgent} ${numberOf(plan)}`
    const known = shared.get(key)
    if (known) return known
    const batch = assemble(plan, place)
    assembled += 1
    shared.set(key, batch)
    sharedBytes += batch.message?.length ?? 0
    for (const [oldKey, old] of shared) {
      if (sharedBytes <= sharedBytesMax && shared.size <= sharedEntriesMax) break
      shared.delete(oldKey)
      sharedBytes -= old.message?.length ?? 0
    }
    return batch
  }

  function assemble(plan: ReadingPlan, place: ReaderPlace): NextBatch {
    const through = { ...place.bookmark }
    const loggedAt = { ...place.loggedAt }
    const taken = nothingTaken()
    const missing: (Missing & { lane: Lane })[] = []
    let left = plan.limit
    for (const lane of ['urgent', 'routine'] as const) {
      if (!plan.filter.lanes.includes(lane)) {
        through[lane] = Math.max(through[lane], log.head[lane])
        continue
      }
      const index = read(lane, through[lane], lane === 'urgent' ? partOf(left, urgentShare) : left)
      if (!index) continue
      const { slice } = index
      through[lane] = takeSlice(log, plan, index, taken)
      for (const gone of slice.missing) if (gone.from <= through[lane]) missing.push({ ...gone, lane })
      if (through[lane] === slice.through) loggedAt[lane] = index.lastLoggedAt ?? loggedAt[lane]
      else loggedAt[lane] = slice.records.find(({ sequence }) => sequence === through[lane])?.loggedAt ?? loggedAt[lane]
      left = {
        records: Math.max(1, left.records - index.records),
        bytes: Math.max(1, left.bytes - slice.batch.length),
      }
    }
    // Most batches of a selective reader are empty.
    const message = taken.records > 0 ? batchMessage(taken, cursorAfter(through, loggedAt)) : undefined
    return { message, bookmark: through, loggedAt, records: taken.records, reading: taken.reading, missing }
  }

  const cursorAfter = (bookmark: LanePosition, loggedAt: LaneTimes): Buffer =>
    encodeCursor({ epoch: log.epoch, bookmark, loggedAt, inSnapshot: false })

  /** Headers of a slice are decoded once for all filters. */
  function read(lane: Lane, after: number, limit: ReadLimit): SliceIndex | undefined {
    if (after >= log.head[lane]) return undefined
    const key = `${lane} ${after} ${limit.records} ${limit.bytes} ${lane === 'urgent' ? log.head.urgent : ''}`
    const known = slices.get(key)
    if (known) return known
    const slice = log.read(lane, after, limit)
    if (!slice) return undefined
    const index = indexSlice(slice)
    slices.set(key, index)
    if (slices.size > slicesMax) slices.delete(slices.keys().next().value ?? '')
    return index
  }

  return {
    next,
    get assembled() {
      return assembled
    },
  }
}

/** Plans that mean the same have the same number: keys of filters are long, and asked for at every batch. */
function createPlanNumbers(): (plan: ReadingPlan) => number {
  const byKey = new Map<string, number>()
  const byPlan = new WeakMap<ReadingPlan, number>()
  let last = 0
  return (plan) => {
    const known = byPlan.get(plan)
    if (known !== undefined) return known
    const { filter, view, raw, limit } = plan
    const key = `${limit.records} ${limit.bytes} ${raw} ${view.everything ? 'all' : `only ${view.key}`}\n${filter.key}`
    if (byKey.size > planKeysMax) byKey.clear()
    const number = byKey.get(key) ?? ++last
    byKey.set(key, number)
    byPlan.set(plan, number)
    return number
  }
}

const partOf = ({ records, bytes }: ReadLimit, share: number): ReadLimit => ({
  records: Math.max(1, Math.floor(records * share)),
  bytes: Math.max(1, Math.floor(bytes * share)),
})

interface Taken {
  readonly parts: Part[]
  bytes: number
  records: number
  /** Of `raw` readers, by frame id. */
  readonly frames: Map<string, Part | undefined>
  readonly reading: Reading
}

const nothingTaken = (): Taken => ({ parts: [], bytes: 0, records: 0, frames: new Map(), reading: newReading() })

/** Adds what passes; returns how far it got: to the end of the slice, but for frames that fill the batch before. */
function takeSlice(log: Log, plan: ReadingPlan, index: SliceIndex, taken: Taken): number {
  const { filter, view, raw } = plan
  const { slice, records } = index
  if (filter.all && !raw && slice.clean && (view.everything || view.mayPassWhole(index.facts()))) {
    taken.parts.push({ bytes: slice.batch })
    taken.bytes += slice.batch.length
    taken.records += records
    addReading(taken.reading, index.reading())
    return slice.through
  }
  for (const record of index.select(filter.selector)) {
    const shown = passing(plan, record)
    if (!shown) continue
    take(taken, record, shown)
    if (!raw) continue
    takeFrame(log, view, record, taken)
    if (taken.bytes >= plan.limit.bytes) return record.sequence
  }
  return slice.through
}

/** The record as the reader may have it, when it passes as such: a filter tells nobody what he is not shown. */
export function passing(
  { filter, view }: Pick<ReadingPlan, 'filter' | 'view'>,
  record: StoredRecord,
): StoredRecord | undefined {
  if (!filter.passes(record)) return undefined
  const shown = view.shown(record)
  return shown === record || (shown && filter.passes(shown)) ? shown : undefined
}

function take(taken: Taken, record: StoredRecord, shown: StoredRecord): void {
  const part = { tag: batchTag.records, bytes: shown.bytes }
  taken.parts.push(part)
  taken.bytes += partLength(part)
  taken.records += 1
  countRecord(taken.reading, record.lane, record.sequence, labelsGiven(record, shown))
}

function takeFrame(log: Log, view: View, { frameId }: StoredRecord, taken: Taken): void {
  const id = Buffer.from(frameId).toString('hex')
  if (taken.frames.has(id)) return
  const frame = log.findFrame(frameId)
  const part = frame && view.mayReadFrame(frame) ? { tag: batchTag.frames, bytes: frameCodec.encode(frame) } : undefined
  taken.frames.set(id, part)
  if (!part) return
  taken.bytes += partLength(part)
  countFrame(taken.reading, frame?.labels ?? 0)
}

function batchMessage(taken: Taken, cursor: Buffer, snapshot = false): Buffer {
  const parts = [...taken.parts, { tag: batchTag.cursor, bytes: cursor }]
  for (const frame of taken.frames.values()) if (frame) parts.push(frame)
  if (snapshot) parts.push(snapshotField)
  return joinParts(parts, responseTag.batch)
}

/**
 * A batch of the snapshot of a `current` start, from `places` of which `at` were dealt with. A place whose record went since is
 * left out: something newer has taken its place, and comes live.
 */
export function snapshotBatch(
  log: Log,
  plan: ReadingPlan,
  places: readonly { lane: Lane; sequence: number }[],
  at: number,
  cursor: Buffer,
): { message: Buffer | undefined; records: number; reading: Reading; at: number } {
  const taken = nothingTaken()
  while (at < places.length && taken.records < plan.limit.records && taken.bytes < plan.limit.bytes) {
    const { lane, sequence } = places[at++]!
    const record = log.read(lane, sequence - 1, { records: 1, bytes: plan.limit.bytes })?.records[0]
    const shown = record?.sequence === sequence ? passing(plan, record) : undefined
    if (!record || !shown) continue
    take(taken, record, shown)
    if (plan.raw) takeFrame(log, plan.view, record, taken)
  }
  const message = taken.records > 0 ? batchMessage(taken, cursor, true) : undefined
  return { message, records: taken.records, reading: taken.reading, at }
}
