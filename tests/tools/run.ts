// Runs a program to its end and gives back all it said; a program that takes too long is ended and reported.

import { startChild, type ChildOptions } from './child.ts'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions extends ChildOptions {
  readonly timeoutMs?: number
}

const runTimeoutMs = 15_000

export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { timeoutMs = runTimeoutMs } = options
  const child = startChild(command, args, { input: '', ...options })
  let late = false
  const timer = setTimeout(() => {
    late = true
    void child.kill()
  }, timeoutMs)
  const exit = await child.exited.finally(() => clearTimeout(timer))
  if (late) throw new Error(`${command} took longer than ${timeoutMs} ms\n${child.stdout}${child.stderr}`)
  return { code: exit.code, stdout: child.stdout, stderr: child.stderr }
}
