// What one reader may see of each record: all of it, a copy without the fields that are beyond his labels, or nothing. A record is
// opened only when its header says that something is beyond the view; what was made is remembered for the next who asks.

import { crc32 } from 'node:zlib'
import { encodeEvent } from '../../proto/generated/encode.ts'
import { EventKind, Label } from '../../proto/generated/types.ts'
import type { Event, Frame, RecordHeader } from '../../proto/generated/types.ts'
import { codec } from '../../proto/wire.ts'
import { createBoxTest } from '../grpc/box.ts'
import type { View } from '../grpc/access.ts'
import { kindOf } from '../lane.ts'
import type { StoredRecord } from '../log/log.ts'
import { type Included, labelsBeyond, labelsOfWhole } from './configured-view.ts'
import { isPlainBody } from './labelled-fields.ts'
import { redact } from './redact.ts'
import type { Rights } from './rights.ts'

/** As copies are put together once for all streams with the same rights, few are asked for again. */
const copiesMax = 2_000

// Kinds whose fields have labels are opened whatever their header says: those that an older version wrote say nothing of fields.
const plainMask = Object.entries(kindOf).reduce(
  (mask, [body, kind]) => (isPlainBody(body) ? mask | (1 << kind) : mask),
  0,
)

const eventCodec = codec('tocsin.v1.Event')
const recordCodec = codec('tocsin.v1.Record')

/** Of a reader with these rights; `key` is the same for equal rights. */
export function createView(rights: Rights): View {
  const { include, only } = rights
  const allowed = labelsAllowed(rights)
  const everything = isEverything(rights)
  const passes = narrowed(rights)
  const areas = only.areas?.map((box) => createBoxTest(box))
  const seesLabels = labelsBeyond.every((label) => include.has(label))
  const copies = new Map<string, StoredRecord | undefined>()

  function mayRead(header: RecordHeader): boolean {
    return rights.reads && ((labelsOfWhole(header) || 1 << Label.OPS) & ~allowed) === 0 && passes(header)
  }

  function isWhole({ kind = 0, labels = 0, lawEnforcementPlace }: RecordHeader): boolean {
    if ((labels & ~allowed) !== 0) return false
    if (lawEnforcementPlace && !include.has('law_enforcement_position')) return false
    return seesLabels || (plainMask & (1 << kind)) !== 0
  }

  function copied(record: StoredRecord): StoredRecord | undefined {
    const key = `${record.lane}${record.sequence}`
    if (copies.has(key)) return copies.get(key)
    const copy = copyWithout(record, include)
    if (copies.size >= copiesMax) copies.delete(copies.keys().next().value!)
    copies.set(key, copy)
    return copy
  }

  const isHere = ({ header, event, removed }: StoredRecord): boolean =>
    !areas || areas.some((area) => area.contains(header, () => (removed ? undefined : event)))

  return {
    key: keyOf(rights),
    everything,
    mayPassWhole({ labels, kinds, places }) {
      if (everything) return true
      if (!rights.reads || isNarrowed(rights) || (labels & ~allowed) !== 0) return false
      if (places && !include.has('law_enforcement_position')) return false
      return (kinds & ~plainMask) === 0 || seesLabels
    },
    mayRead: everything ? () => true : mayRead,
    mayReadFrame: ({ labels = 0 }: Frame) =>
      everything || (rights.frames && ((labels || 1 << Label.OPS) & ~allowed) === 0 && !isNarrowed(rights)),
    shown(record) {
      if (everything) return record
      if (!mayRead(record.header)) return undefined
      const seen = record.removed || isWhole(record.header) ? record : copied(record)
      return seen && isHere(seen) ? seen : undefined
    },
  }
}

const isEverything = (rights: Rights): boolean =>
  rights.reads && rights.ops && rights.frames && rights.include.size === 4 && !isNarrowed(rights)

const isNarrowed = ({ only }: Rights): boolean => Object.keys(only).length > 0

/** As a mask: bit n for label n. */
export function labelsAllowed({ include, ops }: Pick<Rights, 'include' | 'ops'>): number {
  let mask = (1 << Label.PUBLIC) | (ops ? 1 << Label.OPS : 0)
  for (const label of labelsBeyond) if (include.has(label)) mask |= 1 << Label[label]
  return mask
}

function narrowed({ only }: Rights): (header: RecordHeader) => boolean {
  const { kinds, messageStatuses, jurisdictions, owners } = only
  return (header) =>
    (!kinds || kinds.includes(header.kind ?? EventKind.UNSPECIFIED)) &&
    (!messageStatuses || messageStatuses.includes(header.messageStatus ?? 0)) &&
    (!jurisdictions || jurisdictions.includes(header.jurisdiction ?? '')) &&
    (!owners || owners.includes(header.owner ?? ''))
}

const keyOf = ({ reads, include, ops, frames, only }: Rights): string =>
  isEverything({ reads, include, ops, frames, only, calls: new Set() })
    ? 'everything'
    : JSON.stringify([reads, ops, frames, [...include].toSorted(), Object.entries(only).toSorted()])

/** Undefined: what would be left says nothing, or the event cannot be read. */
function copyWithout(record: StoredRecord, include: ReadonlySet<Included>): StoredRecord | undefined {
  let event: Event
  try {
    event = eventCodec.decode(record.event)
  } catch {
    return undefined
  }
  const taken = redact(event, include)
  if (taken.size === 0) return record
  const placeWithheld = taken.has('law_enforcement_position')
  if (placeWithheld && event.body === 'position') return undefined
  const { cell: _cell, hasArea: _hasArea, ...placeless } = record.header
  const header = placeWithheld ? placeless : record.header
  const eventBytes = encodeEvent(event)
  const bytes = sealed({
    ...recordCodec.decode(record.bytes),
    // Filled in when the rest is there.
    crc: 1,
    header,
    withheldLabels: labelsBeyond.filter((label) => taken.has(label)).map((label) => Label[label]),
    placeWithheld,
    unknownFieldsWithheld: taken.has('unknown_fields'),
    event: eventBytes,
  })
  const { lane, sequence, loggedAt, removed, frameId } = record
  return { lane, sequence, loggedAt, removed, frameId, header, event: eventBytes, bytes }
}

/** `Record.crc` is of every byte after it (record.proto). */
function sealed(record: Parameters<typeof recordCodec.encode>[0]): Uint8Array {
  const bytes = recordCodec.encode(record)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(1, crc32(bytes.subarray(5)), true)
  return bytes
}
