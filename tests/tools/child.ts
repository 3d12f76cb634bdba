// A program started by a test: its output is kept up to a bound, it can be awaited and stopped by its own pid, and it
// never outlives the test process, however that ends.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child extends AsyncDisposable {
  readonly pid: number
  readonly stdin: Writable
  /** What it has written so far, the latest `outputCharsMax` of it. */
  readonly stdout: string
  readonly stderr: string
  /** Of both streams, also what is no longer kept. */
  readonly outputChars: number
  readonly exited: Promise<Exit>
  readonly running: boolean
  /** Resolves when what it has written, to either stream, matches; throws when it ends first or the time is over. */
  waitFor(pattern: RegExp | string, timeoutMs?: number): Promise<void>
  /** Asks it to end, and ends it when it has not done so in `stopTimeoutMs`. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
  /** SIGKILL: as when the machine loses power, as far as the program can tell. */
  kill(): Promise<Exit>
  /** Sends a signal and does not wait, e.g. SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Written to its standard input, which is then closed; without it the input stays open for `stdin`. */
  readonly input?: string | Uint8Array
  /** The signal it gets when the test process dies without ending it; SIGKILL when not set. */
  readonly deathSignal?: NodeJS.Signals
}

// Enough for any test's output, and too little to be noticed when a program babbles for minutes.
const outputCharsMax = 4 << 20
const stopTimeoutMs = 10_000
const waitTimeoutMs = 10_000
// Often enough that a test does not wait for the poll, seldom enough that it costs nothing.
const pollMs = 10

// util-linux, Essential in Debian: asks the kernel to signal the program when its parent dies, then becomes the program
// itself, so the pid stays. It covers the ends at which no code of ours runs any more.
const setpriv = '/usr/bin/setpriv'

const alive = new Set<ChildProcessByStdio<Writable, Readable, Readable>>()
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')))

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const { env, cwd, input, deathSignal = 'SIGKILL' } = options
  const [program, programArgs] = tied(command, args, deathSignal)
  const spawned = spawn(program, programArgs, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
  })
  alive.add(spawned)
  const output = { stdout: '', stderr: '', chars: 0 }
  const exited = observe(spawned, output)
  let ended = false
  const end = () => (ended = true)
  exited.then(end, end)
  // A program may end before it has read its input; how it ended says all there is to say.
  spawned.stdin.on('error', () => {})
  if (input !== undefined) spawned.stdin.end(input)

  const child: Child = {
    pid: spawned.pid ?? 0,
    stdin: spawned.stdin,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    get outputChars() {
      return output.chars
    },
    get running() {
      return !ended
    },
    exited,
    waitFor: (pattern, timeoutMs = waitTimeoutMs) => waitForOutput(child, command, pattern, timeoutMs),
    async stop(signal = 'SIGTERM') {
      spawned.kill(signal)
      const late = setTimeout(() => spawned.kill('SIGKILL'), stopTimeoutMs)
      return exited.finally(() => clearTimeout(late))
    },
    async kill() {
      spawned.kill('SIGKILL')
      return exited
    },
    signal: (signal) => void spawned.kill(signal),
    async [Symbol.asyncDispose]() {
      await child.stop()
    },
  }
  return child
}

function tied(command: string, args: readonly string[], deathSignal: NodeJS.Signals): [string, string[]] {
  if (!existsSync(setpriv)) return [command, [...args]]
  return [setpriv, ['--pdeathsig', deathSignal.replace('SIG', ''), '--', command, ...args]]
}

function observe(
  spawned: ChildProcessByStdio<Writable, Readable, Readable>,
  output: { stdout: string; stderr: string; chars: number },
): Promise<Exit> {
  for (const stream of ['stdout', 'stderr'] as const) {
    spawned[stream].setEncoding('utf8')
    spawned[stream].on('data', (text: string) => {
      output.chars += text.length
      output[stream] = (output[stream] + text).slice(-outputCharsMax)
    })
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    spawned.once('error', reject)
    spawned.once('close', (code, signal) => resolve({ code, signal }))
  }).finally(() => alive.delete(spawned))
  // Whoever awaits it is told of a program that could not start; nobody has to await it.
  exited.catch(() => {})
  return exited
}

async function waitForOutput(
  child: Child,
  command: string,
  pattern: RegExp | string,
  timeoutMs: number,
): Promise<void> {
  const matches = (text: string) => (typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0)
  const isThere = () => matches(child.stdout) || matches(child.stderr)
  const polls = Math.ceil(timeoutMs / pollMs)
  for (let poll = 0; poll < polls; poll++) {
    if (isThere()) return
    if (!child.running) break
    await sleep(pollMs)
  }
  if (!child.running) await child.exited
  if (isThere()) return
  const state = child.running ? `did not write ${pattern} in ${timeoutMs} ms` : `ended before it wrote ${pattern}`
  throw new Error(`${command} ${state}\n${child.stdout}${child.stderr}`)
}
