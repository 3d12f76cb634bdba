// Recognises a frame without identity that its sender sends again because it never saw the acknowledgement. A key (of
// client, packet id and topic) and the payload counts only while that may be so; afterwards the same packet id with the same bytes is a
// new message. Asked only when the sender itself says that it sends again (the DUP flag of MQTT, 3.1.1 and 5 §3.3.1.1).
//
// The cases:
// - A panic button pressed twice, a device that always uses packet id 1: the second PUBLISH has no DUP flag, so nobody asks here;
//   it is stored.
// - The connection breaks between our PUBACK and the client's receiving it: the client sends again with DUP; known for
//   `confirmNs` after the acknowledgement.
// - Killed after the record was durable and before the PUBACK: at start the keys of the frames that were not yet confirmed are
//   restored from the log, and are known for a day, because a client in the field may come back late.
// - A restored key that was recognised is acknowledged now, so it lives on for `confirmNs` only: the client goes on to use that
//   packet id for new messages.
// - What remains: a press that never reached us because the connection was gone, sent again with DUP, within 10 s after an equal
//   press with the same packet id was acknowledged, is taken for that one. An equal press was stored seconds before, and
//   responders see it. The opposite choice doubles every message of a broken connection.
// - Acknowledged more than 10 s before the client comes back without having received it (dead radio link): stored twice. Doubling is
//   the safer mistake: by then the same bytes may well be a new alarm.

import { strict as assert } from 'node:assert'
import { latin1 } from './wire-bytes.ts'

export interface Resends {
  /** Ask only when the sender set DUP. True: it is in the log; what is on its way there is not known here. */
  known(digest: Uint8Array, at: bigint): boolean
  /** At append, for every frame that has a key. Keep what it returns for one of the next two. */
  add(at: bigint): ResendBatch
  /** It is durable and its acknowledgement is being written. */
  acknowledged(batch: ResendBatch, digest: Uint8Array, at: bigint): void
  /** It did not reach the disk: when it is sent again, it is stored. */
  failed(batch: ResendBatch): void
  /** At start, for each frame with a key that was logged after `restoreAfter(…)`, in order of the log. */
  restore(digest: Uint8Array, loggedAt: bigint): void
  /** Everything logged up to here was acknowledged more than `confirmNs` ago; save it once a second for `restoreAfter`. */
  confirmedThrough(at: bigint): bigint
  readonly size: number
}

/** Opaque: frames that were added within the same second. */
export interface ResendBatch {
  /** Of those that are durable, 16 bytes each, the oldest first. */
  digests: Uint8Array
  count: number
  since: bigint
  /** How many are on their way. */
  pending: number
  acknowledgedAt: bigint
  /** Dropped early, to stay within memory. */
  gone: boolean
  /** Made when somebody asks; most are never asked for. */
  readonly keys: Set<string>
  indexed: number
}

export interface ResendsOptions {
  /** When this run of the gateway began, by the log's time. */
  readonly startedAt: bigint
  readonly confirmNs?: bigint
  readonly entriesMax?: number
  /** Unacknowledged or recent entries were dropped early to stay within memory. */
  readonly overfull?: (dropped: number) => void
}

const nsPerSecond = 1_000_000_000n
/** A PUBACK that is not received within this time on a live connection was lost with the connection. */
export const confirmNsDefault = 10n * nsPerSecond
/** How far before the end of the log unconfirmed frames are sought when nothing better is known. */
export const restoreWindowNs = 60n * nsPerSecond
const restoredLifeNs = 24n * 3600n * nsPerSecond
const digestBytes = 16
/** Of a digest, in which the payload has its part. */
const payloadBytes = 8
const batchNs = nsPerSecond
/** 10 s at 130,000/s, the most that the front takes on one core (hot-path.md), at 16 bytes each. */
const entriesMaxDefault = 2_000_000
const batchEntriesFirst = 256
/** About 100 bytes each; the newest are kept, because the newest were the least likely to be acknowledged. */
const restoredMax = 500_000

/** Frames logged after this are to be restored; `saved` is what the last run saved of `confirmedThrough`. */
export function restoreAfter(lastLoggedAt: bigint, saved: bigint | undefined): bigint {
  const window = lastLoggedAt - restoreWindowNs
  return saved !== undefined && saved > window ? saved : window
}

export function createResends(options: ResendsOptions): Resends {
  const { startedAt, confirmNs = confirmNsDefault, entriesMax = entriesMaxDefault, overfull } = options
  const restored = new Map<string, bigint>()
  const batches: ResendBatch[] = []
  let entries = 0

  function expire(at: bigint): void {
    while (batches.length > 0) {
      const oldest = batches[0]!
      const confirmed = oldest.pending === 0 && at - oldest.acknowledgedAt > confirmNs && at - oldest.since > batchNs
      const crowded = entries > entriesMax && batches.length > 1
      if (!confirmed && !crowded) break
      batches.shift()
      oldest.gone = true
      entries -= oldest.count
      if (!confirmed) overfull?.(oldest.count)
    }
    if (restored.size > 0 && at - startedAt > restoredLifeNs) restored.clear()
  }

  function newest(at: bigint): ResendBatch {
    const last = batches.at(-1)
    if (last && at - last.since <= batchNs) return last
    expire(at)
    const digests = new Uint8Array(batchEntriesFirst * digestBytes)
    const batch: ResendBatch = {
      digests,
      count: 0,
      since: at,
      pending: 0,
      acknowledgedAt: at,
      gone: false,
      keys: new Set(),
      indexed: 0,
    }
    batches.push(batch)
    return batch
  }

  function keep(batch: ResendBatch, digest: Uint8Array, at: bigint): void {
    assert(digest.length === digestBytes, 'a digest has 16 bytes')
    if (batch.gone) return
    const start = batch.count * digestBytes
    if (start === batch.digests.length) batch.digests = doubled(batch.digests)
    for (let index = 0; index < digestBytes; index++) batch.digests[start + index] = digest[index]!
    batch.count += 1
    entries += 1
    if (at > batch.acknowledgedAt) batch.acknowledgedAt = at
  }

  return {
    add(at) {
      const batch = newest(at)
      batch.pending += 1
      return batch
    },
    known(digest, at) {
      expire(at)
      const text = latin1(digest)
      if (batches.some((batch) => indexed(batch).has(text))) return true
      if (!restored.delete(text)) return false
      keep(newest(at), digest, at)
      return true
    },
    acknowledged(batch, digest, at) {
      assert(batch.pending > 0, 'acknowledged more often than added')
      batch.pending -= 1
      keep(batch, digest, at)
    },
    failed(batch) {
      assert(batch.pending > 0, 'failed more often than added')
      batch.pending -= 1
    },
    restore(digest, loggedAt) {
      restored.set(latin1(digest), loggedAt)
      const oldest = restored.size > restoredMax ? restored.keys().next().value : undefined
      if (oldest === undefined) return
      restored.delete(oldest)
      overfull?.(1)
    },
    confirmedThrough(at) {
      expire(at)
      const unconfirmed = batches[0]?.since ?? at
      const oldestRestored = restored.values().next().value ?? unconfirmed
      return (oldestRestored < unconfirmed ? oldestRestored : unconfirmed) - 1n
    },
    get size() {
      return entries + restored.size
    },
  }
}

/**
 * What a frame is known by again: its key, which is about all but the payload, and the payload's SHA-256, which the writer makes anyway.
 * Good until the next one.
 */
export function resendDigest(key: Uint8Array, sha256: Uint8Array, shaAt = 0): Uint8Array {
  assert(key.length === digestBytes, 'a resend key has 16 bytes')
  for (let index = 0; index < payloadBytes; index++) digestOf[index] = key[index]! ^ sha256[shaAt + index]!
  for (let index = payloadBytes; index < digestBytes; index++) digestOf[index] = key[index]!
  return digestOf
}

const digestOf = new Uint8Array(digestBytes)

/** Reading into a set is left until somebody asks: an append costs a copy of 16 bytes. */
function indexed(batch: ResendBatch): Set<string> {
  for (; batch.indexed < batch.count; batch.indexed += 1) {
    const start = batch.indexed * digestBytes
    batch.keys.add(latin1(batch.digests.subarray(start, start + digestBytes)))
  }
  return batch.keys
}

function doubled(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length * 2)
  larger.set(bytes)
  return larger
}
