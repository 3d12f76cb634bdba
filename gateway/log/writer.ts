// The thread that writes: a thin shell around commit-writer.ts, and the two ways to reach it. Between commits it seals, prepares
// and fills, a little at a time.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { createCommitWriter, type CommitResult, type CommitWriter, type WriterSettings } from './commit-writer.ts'
import { type Disk, nodeDisk } from './disk.ts'
import type { CommitJob } from './gather.ts'

export interface Writer {
  /** One at a time. */
  write(job: CommitJob): Promise<CommitResult>
  close(): Promise<void>
}

interface WriterThreadData {
  readonly tocsinWriter: WriterSettings
}

/** Between two steps of work that can wait: at a megabyte a step, 50 MB/s at most. */
const idlePauseMs = 20
/** Enough steps for what one commit can leave behind. */
const idleStepsMax = 8

/** In this thread: for tests over a disk of their own. */
export function createInlineWriter(disk: Disk, settings: WriterSettings): Writer {
  const writer = createCommitWriter(disk, settings, () => performance.now())
  return {
    async write(job) {
      const result = await writer.write(job)
      for (let step = 0; step < idleStepsMax && (await writer.idle()); step++);
      return result
    },
    close: () => writer.close(),
  }
}

/** In a thread of its own; `died` is called when that ends by itself. */
export function createThreadWriter(settings: WriterSettings, died: (error: Error) => void): Writer {
  const data: WriterThreadData = { tocsinWriter: settings }
  const thread = new Worker(new URL(import.meta.url), { workerData: data, name: 'tocsin-log-writer' })
  let waiting: ((result: CommitResult) => void) | undefined
  let closed: (() => void) | undefined
  thread.on('message', (message: CommitResult | 'closed') => {
    if (message === 'closed') return closed?.()
    const resolve = waiting
    waiting = undefined
    resolve?.({ ...message, parts: message.parts.map((part) => ({ ...part, bytes: asBuffer(part.bytes) })) })
  })
  thread.on('error', (error) => died(error instanceof Error ? error : new Error(String(error))))
  thread.on('exit', (code) => {
    if (!closed) died(new Error(`the thread that writes the log ended with code ${code}`))
    closed?.()
  })
  return {
    write: (job) =>
      new Promise((resolve) => {
        waiting = resolve
        thread.postMessage(
          job,
          job.parts.map(({ bytes }) => bytes.buffer as ArrayBuffer),
        )
      }),
    async close() {
      await new Promise<void>((resolve) => {
        closed = resolve
        thread.postMessage('close')
      })
      await thread.terminate()
    },
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

function serve(writer: CommitWriter): void {
  let busy = false
  let timer: NodeJS.Timeout | undefined

  async function rest(): Promise<void> {
    timer = undefined
    if (busy) return
    if (await writer.idle()) schedule()
  }
  const schedule = (): void => void (timer ??= setTimeout(() => void rest(), idlePauseMs))

  async function take(message: CommitJob | 'close'): Promise<void> {
    busy = true
    if (message === 'close') {
      clearTimeout(timer)
      await writer.close()
      parentPort!.postMessage('closed')
      return
    }
    const result = await writer.write({
      ...message,
      parts: message.parts.map((part) => ({ ...part, bytes: asBuffer(part.bytes) })),
    })
    parentPort!.postMessage(
      result,
      result.parts.map(({ bytes }) => bytes.buffer as ArrayBuffer),
    )
    busy = false
    schedule()
  }
  parentPort!.on('message', (message: CommitJob | 'close') => void take(message))
}

const given = (isMainThread ? undefined : workerData) as WriterThreadData | undefined
if (given?.tocsinWriter) serve(createCommitWriter(nodeDisk, given.tocsinWriter, () => performance.now()))
