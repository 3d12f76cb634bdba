// What somebody was given of what is labelled PII, PHI or CJI: counted for a call, and for a stream until its entry of the minute is
// written. Nothing is remembered of single records but the range of their sequences.

import { Label } from '../../proto/generated/types.ts'
import type { RecordHeader } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import type { View } from '../grpc/access.ts'
import { type Lane, lanes, type StoredRecord } from '../log/log.ts'
import { claimedBytes, labelsAt, laneAt, recordTag, sequenceAt } from '../log/record.ts'
import { labelsBeyond } from '../policy/configured-view.ts'

export interface Reading {
  /** Records with such a label. */
  records: number
  /** Frames as received whose source can carry one. */
  frames: number
  /** By label, in the order of `labelsBeyond`. */
  readonly labels: number[]
  /** First and last sequence of these records. */
  readonly ranges: Partial<Record<Lane, { from: number; to: number }>>
}

export const newReading = (): Reading => ({ records: 0, frames: 0, labels: labelsBeyond.map(() => 0), ranges: {} })

const bits = labelsBeyond.map((label) => 1 << Label[label])
const beyond = bits.reduce((mask, bit) => mask | bit, 0)

/** `mask` has bit n for label n. */
export function countRecord(reading: Reading, lane: Lane, sequence: number, mask: number): void {
  if ((mask & beyond) === 0) return
  reading.records += 1
  countLabels(reading, mask)
  const range = (reading.ranges[lane] ??= { from: sequence, to: sequence })
  range.from = Math.min(range.from, sequence)
  range.to = Math.max(range.to, sequence)
}

export function countFrame(reading: Reading, mask: number): void {
  if ((mask & beyond) === 0) return
  reading.frames += 1
  countLabels(reading, mask)
}

function countLabels(reading: Reading, mask: number): void {
  for (const [at, bit] of bits.entries()) if ((mask & bit) !== 0) reading.labels[at]! += 1
}

export function addReading(into: Reading, other: Reading): void {
  into.records += other.records
  into.frames += other.frames
  for (const [at, count] of other.labels.entries()) into.labels[at]! += count
  for (const lane of lanes) {
    const range = other.ranges[lane]
    if (!range) continue
    const known = (into.ranges[lane] ??= { ...range })
    known.from = Math.min(known.from, range.from)
    known.to = Math.max(known.to, range.to)
  }
}

/** Of records as they lie on disk, one after the other. */
export function countBatch(reading: Reading, batch: Uint8Array): void {
  for (let at = 0; at < batch.length;) {
    const size = claimedBytes(batch, at, batch.length)
    if (size === 0) return
    if (batch[at] === recordTag) {
      const mask = labelsAt(batch, at)
      if ((mask & beyond) !== 0) countRecord(reading, laneAt(batch, at), sequenceAt(batch, at), mask)
    }
    at += size
  }
}

export const isLabelled = ({ records, frames }: Reading): boolean => records + frames > 0

/** As an entry says it; undefined: nothing labelled was given. */
export function readingDetails(reading: Reading): Record<string, string> | undefined {
  if (!isLabelled(reading)) return undefined
  const { records, frames, labels, ranges } = reading
  const details: Record<string, string> = {}
  for (const [at, label] of labelsBeyond.entries()) if (labels[at]! > 0) details[label] = String(labels[at])
  if (records > 0) details['records'] = String(records)
  if (frames > 0) details['frames'] = String(frames)
  for (const lane of lanes) {
    const range = ranges[lane]
    if (range) details[lane] = range.from === range.to ? String(range.from) : `${range.from} to ${range.to}`
  }
  return details
}

/** The same view, of which is counted what it gives. */
export function watchedView(view: View): { readonly view: View; readonly reading: Reading } {
  const reading = newReading()
  return {
    reading,
    view: {
      key: view.key,
      everything: view.everything,
      mayPassWhole: (facts) => view.mayPassWhole(facts),
      mayRead: (header: RecordHeader) => view.mayRead(header),
      shown(record) {
        const shown = view.shown(record)
        if (shown) countRecord(reading, shown.lane, shown.sequence, labelsGiven(record, shown))
        return shown
      },
      mayReadFrame(frame) {
        const may = view.mayReadFrame(frame)
        if (may) countFrame(reading, frame.labels ?? 0)
        return may
      },
    },
  }
}

const recordCodec = codec('tocsin.v1.Record')

/** The labels of a record without those whose fields were taken out of what was shown. */
export function labelsGiven(record: StoredRecord, shown: StoredRecord): number {
  const mask = record.header.labels ?? 0
  if (shown === record || (mask & beyond) === 0) return mask
  const { withheldLabels = [] } = recordCodec.decode(shown.bytes)
  return withheldLabels.reduce((left, label) => left & ~(1 << label), mask)
}
