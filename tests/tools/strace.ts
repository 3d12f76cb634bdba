// strace, the machine's own or the unpacked one: shows the order in which a program writes, syncs and answers.

import { existsSync } from 'node:fs'

import { startChild, type Child, type ChildOptions } from './child.ts'
import { debian } from './debian.ts'

const installed = '/usr/bin/strace'

export function stracePath(): string {
  return existsSync(installed) ? installed : debian.programPath('strace')
}

/** Starts strace with its options and the command to trace, e.g. `['-f', '-e', 'trace=fdatasync', '-o', file, 'node', …]`. */
export function startStrace(args: readonly string[], options: ChildOptions = {}): Child {
  const path = stracePath()
  // The libraries of the unpacked strace are its own: -E takes them from the environment of what it traces.
  const libraries = path === installed ? [] : ['-E', 'LD_LIBRARY_PATH']
  const env = path === installed ? options.env : debian.environment(options.env)
  // On SIGTERM strace ends what it started before itself; on SIGKILL it would leave it running.
  return startChild(path, [...libraries, ...args], { ...options, ...(env && { env }), deathSignal: 'SIGTERM' })
}
