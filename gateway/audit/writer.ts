// Writes entries: what has gathered while the disk was busy is one commit, on disk and anchored before anybody is told. What fails is
// kept and written again each second, byte for byte at the same place, so that numbers have no holes.

import { GatewayError } from '../../proto/errors.ts'
import type { AuditEntry } from '../../proto/generated/types.ts'
import { type Disk, type DiskFile, writeAll } from '../log/disk.ts'
import { encodeLinked, type Head } from './chain.ts'
import { type AuditFile, auditFile, createFile } from './files.ts'

export interface Writer {
  /** `settled` is called when it is on disk and anchored, or with why it cannot be written now; then it still waits. */
  put(entry: AuditEntry, settled?: (error?: GatewayError) => void): void
  /** Last entry that is on disk. */
  readonly head: Head
  readonly failing: boolean
  readonly counts: { readonly entries: number; readonly failed: number; readonly lost: number }
  /** Resolves when nothing waits any more, or the disk refuses. */
  close(): Promise<void>
}

export interface WriterParts {
  readonly disk: Disk
  readonly folder: string
  readonly fileBytes: number
  readonly head: Head
  readonly file?: { readonly file: AuditFile; readonly length: number }
  /** Tells the head outside; rejects when it cannot. */
  anchor(head: Head): Promise<void>
  /** Told when writing begins to fail. */
  failed(error: unknown): void
  /** Told when it succeeds again, with how many entries found no room meanwhile; what it answers is written first. */
  recovered(lost: number): AuditEntry
}

/** Of one commit; more wait for the next. recover.ts counts on a commit not being larger than what it takes for torn. */
const commitBytesMax = 256 << 10
/** What waits while the disk refuses; about 5 MB. */
const waitingMax = 10_000
const retryMs = 1_000

interface Waiting {
  readonly entry: AuditEntry
  readonly settled: ((error?: GatewayError) => void) | undefined
}

export function createWriter(parts: WriterParts): Writer {
  const { disk, folder, fileBytes } = parts
  const waiting: Waiting[] = []
  /** Encoded, and not on disk yet. */
  let commit:
    { bytes: Buffer; head: Head; settled: Waiting['settled'][]; count: number; isWritten: boolean } | undefined
  let head = parts.head
  let current = parts.file?.file
  let length = parts.file?.length ?? 0
  let open: DiskFile | undefined
  let isRunning = false
  let isFailing = false
  let isClosed = false
  let retry: NodeJS.Timeout | undefined
  let idle: (() => void)[] = []
  let lostNow = 0
  const counts = { entries: 0, failed: 0, lost: 0 }

  function put(entry: AuditEntry, settled?: (error?: GatewayError) => void): void {
    if (isClosed) return settled?.(new GatewayError('stopping', 'The gateway is stopping: try again in a few seconds.'))
    if (waiting.length >= waitingMax) {
      counts.lost += 1
      lostNow += 1
      return settled?.(cannot())
    }
    waiting.push({ entry, settled })
    if (isFailing) settled?.(cannot())
    if (!isRunning && !isFailing) start()
  }

  function start(): void {
    isRunning = true
    // What is noted in the same turn goes with the same commit.
    setImmediate(() => void run())
  }

  async function run(): Promise<void> {
    try {
      while (commit || waiting.length > 0) {
        commit ??= nextCommit()
        await write(commit)
        const { settled, count } = commit
        commit = undefined
        counts.entries += count
        if (isFailing) succeed()
        for (const each of settled) each?.()
      }
      isRunning = false
      finish()
    } catch (error) {
      isRunning = false
      fail(error)
    }
  }

  function nextCommit(): NonNullable<typeof commit> {
    const pieces: Buffer[] = []
    const settled: Waiting['settled'][] = []
    let bytes = 0
    let last = head
    for (;;) {
      const next = waiting[pieces.length]
      if (!next || bytes >= commitBytesMax) break
      const linked = encodeLinked(next.entry, last)
      pieces.push(linked.framed)
      settled.push(next.settled)
      bytes += linked.framed.length
      last = linked.head
    }
    waiting.splice(0, pieces.length)
    return { bytes: Buffer.concat(pieces), head: last, settled, count: pieces.length, isWritten: false }
  }

  async function write(what: NonNullable<typeof commit>): Promise<void> {
    if (!what.isWritten) {
      const file = fileFor(what)
      writeAll(file, what.bytes, length)
      await file.sync()
      length += what.bytes.length
      head = what.head
      what.isWritten = true
    }
    await parts.anchor(what.head)
  }

  function fileFor({ head: last, count }: NonNullable<typeof commit>): DiskFile {
    if (current && length < fileBytes) return (open ??= disk.open(current.path, 'write'))
    const next = auditFile(folder, last.number - count + 1)
    const made = createFile(disk, folder, next)
    open?.close()
    open = made
    current = next
    length = 0
    return made
  }

  function fail(error: unknown): void {
    counts.failed += 1
    // A file that failed is opened anew: what it holds beyond `length` is written over.
    open?.close()
    open = undefined
    // Before anybody is told, who may have something to note about it.
    const isNew = !isFailing
    isFailing = true
    if (isNew) parts.failed(error)
    for (const each of [...(commit?.settled ?? []), ...waiting.map(({ settled }) => settled)]) each?.(cannot())
    if (commit) commit.settled = []
    for (const [at, { entry }] of waiting.entries()) waiting[at] = { entry, settled: undefined }
    if (isClosed) return finish()
    retry = setTimeout(() => {
      if (isRunning) return
      isRunning = true
      void run()
    }, retryMs).unref()
  }

  function succeed(): void {
    isFailing = false
    waiting.unshift({ entry: parts.recovered(lostNow), settled: undefined })
    lostNow = 0
  }

  function finish(): void {
    for (const resolve of idle) resolve()
    idle = []
  }

  return {
    put,
    get head() {
      return head
    },
    get failing() {
      return isFailing
    },
    get counts() {
      return counts
    },
    async close() {
      isClosed = true
      clearTimeout(retry)
      if (commit || waiting.length > 0) {
        await new Promise<void>((resolve) => {
          idle.push(resolve)
          if (!isRunning) start()
        })
      } else if (isRunning) await new Promise<void>((resolve) => idle.push(resolve))
      open?.close()
      open = undefined
    },
  }
}

const cannot = (): GatewayError =>
  new GatewayError(
    'audit_failed',
    'What is done cannot be written to the audit now: free or repair the disk of the data folder. It is tried again each second.',
  )
