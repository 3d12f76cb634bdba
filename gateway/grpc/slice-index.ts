// A slice of the log with what many streams ask of it, found out once: how many records it holds, and which of them speak of a
// device, a subject or a kind. A hundred consoles that each want a few devices then cost little more than one.

import { Label } from '../../proto/generated/types.ts'
import type { RecordHeader } from '../../proto/generated/types.ts'
import { countBatch, newReading, type Reading } from '../audit/reads.ts'
import type { Slice, StoredRecord } from '../log/log.ts'
import { claimedBytes, kindAt, labelsAt, mayTellPlaceAt, recordTag } from '../log/record.ts'
import type { Selector } from './filter.ts'
import { surveyBatch } from './message-bytes.ts'

/** Of all records of a slice. */
export interface SliceFacts {
  /** Bit n for label n. */
  readonly labels: number
  /** Bit n for kind n. */
  readonly kinds: number
  /** Some may tell the place of a law-enforcement unit. */
  readonly places: boolean
}

export interface SliceIndex {
  readonly slice: Slice
  /** Records on disk, void ones too, and when the last of them was logged. */
  readonly records: number
  readonly lastLoggedAt: bigint | undefined
  /** What of it carries labels beyond OPS. */
  reading(): Reading
  /** What all of it together has; for views that are not everything. */
  facts(): SliceFacts
  /** In order; all when nothing selects. Who asks still has to try its filter. */
  select(selector: Selector | undefined): readonly StoredRecord[]
}

const keyOf: Readonly<Record<Selector['by'], (header: RecordHeader) => string | number>> = {
  device: (header) => header.device ?? '',
  subject: (header) => header.subject ?? '',
  kind: (header) => header.kind ?? 0,
}

export function indexSlice(slice: Slice): SliceIndex {
  const groups = new Map<Selector['by'], Map<string | number, StoredRecord[]>>()

  function groupsBy(by: Selector['by']): Map<string | number, StoredRecord[]> {
    let grouped = groups.get(by)
    if (!grouped) groups.set(by, (grouped = Map.groupBy(slice.records, ({ header }) => keyOf[by](header))))
    return grouped
  }

  let reading: Reading | undefined

  function readingOf(): Reading {
    if (!reading) countBatch((reading = newReading()), slice.batch)
    return reading
  }

  let facts: SliceFacts | undefined

  return {
    slice,
    ...surveyBatch(slice.batch),
    facts: () => (facts ??= factsOf(slice.batch)),
    reading: readingOf,
    select(selector) {
      if (!selector) return slice.records
      const grouped = groupsBy(selector.by)
      const found = selector.values.flatMap((value) => grouped.get(value) ?? [])
      return selector.values.length > 1 ? found.toSorted((a, b) => a.sequence - b.sequence) : found
    },
  }
}

/** Read from the bytes: no header is decoded for readers who see all of most slices. */
function factsOf(batch: Uint8Array): SliceFacts {
  let [labels, kinds, places] = [0, 0, false]
  for (let at = 0; at < batch.length;) {
    const size = claimedBytes(batch, at, batch.length)
    if (size === 0) break
    if (batch[at] === recordTag) {
      labels |= labelsAt(batch, at) || 1 << Label.OPS
      kinds |= 1 << kindAt(batch, at)
      places ||= mayTellPlaceAt(batch, at)
    }
    at += size
  }
  return { labels, kinds, places }
}
