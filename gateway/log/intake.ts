// Appending, seen from outside: tells what was here before, and gives the rest to the next commit. A duplicate of what is still
// on its way waits for it: "it is here already" is said only when it is on disk.

import { strict as assert } from 'node:assert'
import { hash } from 'node:crypto'
import { Fate } from '../../proto/generated/types.ts'
import type { Frame } from '../../proto/generated/types.ts'
import type { CommitResult } from './commit-writer.ts'
import type { Commits, Pending } from './commits.ts'
import type { Duplicates } from './duplicates.ts'
import { shaAt } from './frames.ts'
import { seriesOfFrame } from './gather.ts'
import type { Appended, NewFrame, NewRecord, Place, Told } from './log.ts'
import { eventBytesMax } from './record.ts'
import { type Resends, resendDigest } from './resends.ts'
import { framesSeries, refusedSeries } from './series.ts'
import { latin1 } from './wire-bytes.ts'

export interface IntakeParts {
  readonly commits: Commits
  readonly duplicates: Duplicates
  readonly resends: Resends
  now(): bigint
}

export interface Intake {
  append(frame: NewFrame): Promise<Appended>
  put(frame: NewFrame, told: Told): void
  /** With what the writer made of them and gave back. */
  durable(pending: readonly Pending[], parts: CommitResult['parts']): void
  refused(pending: Pending): void
}

const duplicate: Appended = { fate: 'duplicate' }
const none: readonly string[] = []
const noPlaces: readonly Place[] = []
/** What a record or a frame takes beside its bytes, about: for the bound on what is on its way. */
const framingBytes = 512

export function createIntake({ commits, duplicates, resends, now }: IntakeParts): Intake {
  /** Keys of what is on its way. */
  const onTheWay = new Map<string, Pending>()
  /** Who waits for it. */
  const waiters = new Map<Pending, (() => void)[]>()

  function put(frame: NewFrame, told: Told): void {
    assert(frame.frame.id?.length === 16, 'a frame has an id of 16 bytes')
    const urgent = frame.records.some(isUrgent)
    const obstacle = commits.obstacle(urgent)
    if (obstacle) return queueMicrotask(() => told.notTaken(obstacle))
    const original = resent(frame)
    if (original === 'known') return queueMicrotask(() => told.duplicate())
    if (original) return after([original], frame, told)
    if (!frame.records.some(hasKey)) return take(frame.frame, frame.records, none, urgent, told, frame.encodedRest)
    const { records, keys, originals } = newOnes(frame.records)
    if (originals.length > 0) return after(originals, frame, told)
    if (records.length > 0) return take(frame.frame, records, keys, urgent, told)
    if (!frame.carry) return queueMicrotask(() => told.duplicate())
    take({ ...frame.frame, fate: Fate.DUPLICATE }, records, keys, false, asDuplicate(told))
  }

  function take(
    kept: Frame,
    records: readonly NewRecord[],
    keys: readonly string[],
    urgent: boolean,
    told: Told,
    encodedRest?: Uint8Array,
  ): void {
    let bytes = framingBytes + (kept.payload?.length ?? 0)
    for (const record of records) bytes += framingBytes + eventBytesMax(record)
    const key = kept.resendKey
    const pending: Pending = {
      number: 0,
      frameAt: 0,
      frame: kept,
      encodedRest,
      records,
      loggedAt: 0n,
      keys,
      resend: undefined,
      urgent,
      bytes,
      places: noPlaces,
      told,
    }
    for (const one of keys) onTheWay.set(one, pending)
    commits.append(pending)
    // By the time that it got there, which many share.
    if (key && key.length > 0) pending.resend = resends.add(pending.loggedAt)
  }

  /** The sender says that it sends this again. */
  function resent({
    resent: isResent,
    frame: { resendKey: key, payload = noBytes },
  }: NewFrame): Pending | 'known' | undefined {
    if (!isResent || !key || key.length === 0) return undefined
    const isIt = ({ frame }: Pending): boolean =>
      frame.resendKey !== undefined && same(frame.resendKey, key) && same(frame.payload ?? noBytes, payload)
    return commits.find(isIt) ?? (resends.known(resendDigest(key, sha256(payload)), now()) ? 'known' : undefined)
  }

  /** Of records with keys. */
  function newOnes(all: readonly NewRecord[]): { records: NewRecord[]; keys: string[]; originals: Pending[] } {
    const originals: Pending[] = []
    const at = now()
    const keys = new Set<string>()
    const records = all.filter((record) => {
      if (!hasKey(record)) return true
      const key = latin1(record.header.dedupKey!)
      const original = onTheWay.get(key)
      if (original) originals.push(original)
      if (original || keys.has(key) || duplicates.known(key, at)) return false
      keys.add(key)
      return true
    })
    return { records, keys: [...keys], originals }
  }

  /** When they are settled, one way or the other, it is looked at again: known by then, or stored itself. */
  function after(originals: readonly Pending[], frame: NewFrame, told: Told): void {
    let left = originals.length
    const settled = (): void => {
      if (--left === 0) queueMicrotask(() => put(frame, told))
    }
    for (const original of originals) {
      const list = waiters.get(original) ?? []
      list.push(settled)
      waiters.set(original, list)
    }
  }

  function settle(pending: Pending): void {
    for (const key of pending.keys) onTheWay.delete(key)
    const list = waiters.get(pending)
    if (!list) return
    waiters.delete(pending)
    for (const settled of list) settled()
  }

  return {
    put,
    append: (frame) =>
      new Promise((resolve, reject) =>
        put(frame, {
          stored: (number, places) => resolve({ fate: 'stored', number, places }),
          duplicate: () => resolve(duplicate),
          notTaken: reject,
        }),
      ),
    durable(all, parts) {
      const at = now()
      const bytesOf = (series: number) => parts.find((part) => part.series === series)?.bytes ?? noBytes
      const [frames, refused] = [bytesOf(framesSeries), bytesOf(refusedSeries)]
      for (const pending of all) {
        for (const key of pending.keys) duplicates.add(key, at)
        const { resend, frame, frameAt } = pending
        if (resend) {
          const written = seriesOfFrame(frame) === framesSeries ? frames : refused
          resends.acknowledged(resend, resendDigest(frame.resendKey!, written, shaAt(frameAt)), at)
        }
        if (pending.keys.length > 0 || waiters.size > 0) settle(pending)
      }
    },
    refused(pending) {
      if (pending.resend) resends.failed(pending.resend)
      settle(pending)
    },
  }
}

/** The frame is kept, and says nothing new. */
const asDuplicate = (told: Told): Told => ({
  stored: () => told.duplicate(),
  duplicate: () => told.duplicate(),
  notTaken: (error) => told.notTaken(error),
})

const noBytes = new Uint8Array()
const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0
const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
const isUrgent = ({ lane }: NewRecord): boolean => lane === 'urgent'
const hasKey = ({ header: { dedupKey } }: NewRecord): boolean => dedupKey !== undefined && dedupKey.length > 0
