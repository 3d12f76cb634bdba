// Whether the audit is as it was written: every entry of every file against the one before it, the ends against what was told outside. It
// only reads, also while a gateway writes; it says the first entry that is wrong, and everything else that is.

import { timestampNs } from '../../proto/time.ts'
import { type Disk, nodeDisk } from '../log/disk.ts'
import { readWhole } from '../log/segment-file.ts'
import type { Anchor } from './anchors.ts'
import { entryAt, type Head, hex, isEqual, noHead, type Placed, walkChain } from './chain.ts'
import { damagedAction, removedAction, restoredAction } from './entry.ts'
import { auditFiles } from './files.ts'
import { tornBytesMax } from './recover.ts'

export interface Fault {
  /** The first entry that it is about. */
  readonly number: number
  /** The file it should stand in; empty: there is none. */
  readonly file: string
  readonly what: string
}

export interface Verified {
  readonly files: number
  readonly entries: number
  readonly bytes: number
  /** The first that is kept; 0: there is none. */
  readonly first: number
  readonly head: Head
  /** Of the first and the last entry, ns UTC. */
  readonly from?: bigint
  readonly to?: bigint
  /** In the order of the files, then what was told outside. Empty: all is as it was written. */
  readonly faults: readonly Fault[]
  /** Bytes at the very end that are no whole entry: being written now, or left by a crash. */
  readonly unfinishedBytes: number
  /** Anchors that fit; without any, a tail that was cut off cannot be told from one that never was. */
  readonly anchored: readonly Anchor[]
  /** Entries that say that the audit goes on from a backup. */
  readonly restored: readonly number[]
}

export interface VerifyOptions {
  readonly folder: string
  /** Read before this is called: a gateway that writes meanwhile is only ahead of them. */
  readonly anchors: readonly Anchor[]
  readonly disk?: Disk
  /** Of each entry that can be read. */
  each?(placed: Placed): void
}

/** Somebody who made more of a mess than this needs no longer list. */
const faultsMax = 1_000

export function verifyAudit({ folder, anchors, disk = nodeDisk, each }: VerifyOptions): Verified {
  const files = auditFiles(disk, folder)
  const faults: Fault[] = []
  const wanted = new Set(anchors.map(({ number }) => number))
  const seen = new Map<number, Uint8Array>()
  const removed = new Set<string>()
  const restored: number[] = []
  let [entries, bytes, unfinishedBytes] = [0, 0, 0]
  let head: Head = noHead
  let isKnown = true
  let first: Placed | undefined
  let last: Placed | undefined

  function fault(number: number, file: string, what: string): void {
    if (faults.length < faultsMax) faults.push({ number, file, what })
  }

  function look(placed: Placed, now: Head, file: string): void {
    entries += 1
    first ??= placed
    last = placed
    if (wanted.has(now.number)) seen.set(now.number, now.sha256)
    const { action } = placed
    if (action === removedAction) removed.add((placed.entry.details ?? []).map(({ value }) => value).join(' '))
    if (action === restoredAction) restored.push(now.number)
    if (action === damagedAction) fault(now.number, file, `a start of the gateway found: ${placed.entry.text ?? ''}`)
    each?.(placed)
  }

  function walkFile(file: string, firstNumber: number, content: Buffer, isLast: boolean): void {
    let number = firstNumber
    for (let at = 0; at < content.length;) {
      const rest = content.subarray(at)
      const walked = walkChain(rest, number, isKnown ? head : undefined, (placed, now) => look(placed, now, file))
      if (walked.end > 0) head = walked.head
      isKnown = walked.end > 0 && walked.why === undefined
      at += walked.end
      if (walked.why === undefined) return
      const next = entryAt(content, at)
      if (!next && isLast && content.length - at <= tornBytesMax) {
        // No fault in itself: if anybody was told of what stood here, an anchor says so.
        unfinishedBytes = content.length - at
        return
      }
      fault(walked.changed ? walked.head.number : walked.head.number + 1, file, walked.why)
      if (!next || faults.length === faultsMax) return
      number = next.number
    }
  }

  let isBegun = false
  for (const [at, file] of files.entries()) {
    const content = readWhole(disk, file.path)
    // Retention removed it meanwhile, and an entry says so.
    if (!content && !isBegun) continue
    bytes += content?.length ?? 0
    if (isBegun && file.first !== head.number + 1) {
      fault(Math.min(head.number + 1, file.first), file.name, between(head.number, file.first))
      isKnown = false
    }
    if (!isBegun && file.first > 1) isKnown = false
    isBegun = true
    walkFile(file.name, file.first, content ?? Buffer.alloc(0), at === files.length - 1)
  }
  if (first && first.number > 1 && !removed.has(removalKey(first))) {
    faults.unshift({
      number: 1,
      file: '',
      what: `entries 1 to ${first.number - 1} are missing, and no entry says that they were removed for their age`,
    })
  }
  const anchored = checkAnchors()
  return {
    files: files.length,
    entries,
    bytes,
    first: first?.number ?? 0,
    head,
    ...timeOf('from', first),
    ...timeOf('to', last),
    faults,
    unfinishedBytes,
    anchored,
    restored,
  }

  function checkAnchors(): Anchor[] {
    const fit: Anchor[] = []
    for (const anchor of anchors) {
      const found = seen.get(anchor.number)
      if (found && isEqual(found, anchor.sha256)) fit.push(anchor)
      else if (found) {
        const what = `entry ${anchor.number}, or one before it, is not the one that was written: ${anchor.from} has SHA-256 ${hex(anchor.sha256)}, the file ${hex(found)}`
        fault(anchor.number, '', what)
      } else if (anchor.number > head.number) {
        const missing =
          anchor.number === head.number + 1
            ? `entry ${anchor.number} is`
            : `entries ${head.number + 1} to ${anchor.number} are`
        fault(
          head.number + 1,
          '',
          `${missing} missing at the end: ${anchor.from} says that ${anchor.number} was written`,
        )
      }
    }
    return fit
  }
}

const removalKey = ({ number, previousSha256 }: Placed): string => `${number - 1} ${hex(previousSha256)}`

function between(last: number, first: number): string {
  if (first <= last) return `the file begins with entry ${first}, and the one before it ends with ${last}`
  return first === last + 2 ? `entry ${last + 1} is missing` : `entries ${last + 1} to ${first - 1} are missing`
}

function timeOf<Name extends 'from' | 'to'>(
  name: Name,
  placed: Placed | undefined,
): { readonly [key in Name]?: bigint } {
  const at = timestampNs(placed?.entry.at)
  return at === undefined ? {} : ({ [name]: at } as { [key in Name]: bigint })
}
