// Calls into a thread of our own and back, so that long questions and large writes hold up nobody else. A thread that fails rejects
// what waits for it, and is made anew for the next call.

import { parentPort, Worker } from 'node:worker_threads'
import { type ErrorCode, GatewayError } from '../../proto/errors.ts'

/** What crosses: bytes, numbers, plain objects. */
export type Handlers = Readonly<Record<string, (...args: never[]) => unknown>>

interface Call {
  readonly call: number
  readonly name: string
  readonly args: readonly unknown[]
}
interface Answer {
  readonly answer: number
  readonly value?: unknown
  readonly error?: { readonly code: ErrorCode | undefined; readonly message: string }
}

export interface Thread {
  call<Result>(name: string, args: readonly unknown[], transfer?: readonly ArrayBuffer[]): Promise<Result>
  /** Lets it finish what it does, then ends it. */
  close(): Promise<void>
}

export interface ThreadParts {
  readonly program: URL
  readonly name: string
  readonly data: object
  /** What the thread may call here. */
  readonly handlers?: Handlers
}

export function createThread({ program, name, data, handlers = {} }: ThreadParts): Thread {
  let port: { readonly worker: Worker; readonly caller: Caller } | undefined
  let closing = false

  function open() {
    const worker = new Worker(program, { workerData: data, name })
    const caller = createCaller((message, transfer) => worker.postMessage(message, transfer as ArrayBuffer[]))
    const opened = { worker, caller }
    const fail = (error: unknown): void => {
      if (port === opened) port = undefined
      const why = error instanceof Error ? error.message : String(error)
      caller.fail(new GatewayError('store_failed', `the thread "${name}" ended: ${why}`))
    }
    worker.on('message', receiver(caller, handlers, worker))
    worker.on('error', fail)
    worker.on('exit', (code) => fail(`exit code ${code}`))
    return opened
  }

  return {
    call(method, args, transfer) {
      if (closing) return Promise.reject(new GatewayError('stopping', 'the gateway is stopping'))
      port ??= open()
      return port.caller.call(method, args, transfer)
    },
    async close() {
      closing = true
      const open_ = port
      if (!open_) return
      // A thread that cannot close in order is ended all the same.
      await open_.caller.call('close', []).catch(() => undefined)
      port = undefined
      await open_.worker.terminate()
    },
  }
}

/** Inside the thread; answers the way to call back. */
export function serveThread(handlers: Handlers): Caller {
  const port = parentPort
  if (!port) throw new TypeError('this is no thread')
  const caller = createCaller((message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]))
  port.on('message', receiver(caller, handlers, port))
  return caller
}

export interface Caller {
  call<Result>(name: string, args: readonly unknown[], transfer?: readonly ArrayBuffer[]): Promise<Result>
  fail(error: Error): void
  settle(answer: Answer): void
}

type Post = (message: Call | Answer, transfer?: readonly ArrayBuffer[]) => void

function createCaller(post: Post): Caller {
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  let last = 0
  return {
    call: (name, args, transfer) =>
      new Promise((resolve, reject) => {
        last += 1
        waiting.set(last, { resolve, reject })
        post({ call: last, name, args }, transfer)
      }),
    fail(error) {
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
    settle({ answer, value, error }) {
      const one = waiting.get(answer)
      waiting.delete(answer)
      if (!error) one?.resolve(value as never)
      else one?.reject(new GatewayError(error.code ?? 'store_failed', error.message))
    },
  }
}

function receiver(caller: Caller, handlers: Handlers, port: { postMessage: Worker['postMessage'] }) {
  const run = async ({ call, name, args }: Call): Promise<void> => {
    try {
      const value = await handlers[name]!(...(args as never[]))
      port.postMessage(
        { answer: call, value } satisfies Answer,
        value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [],
      )
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const code = error instanceof GatewayError ? error.code : undefined
      port.postMessage({ answer: call, error: { code, message } } satisfies Answer)
    }
  }
  return (message: Call | Answer): void => {
    if ('answer' in message) caller.settle(message)
    else void run(message)
  }
}
