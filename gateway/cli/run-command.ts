// The command line: finds the command, runs it, and says in one sentence what went wrong. Exit codes: 0 done, 1 failed, 2 misused.

import { GatewayError } from '../../proto/errors.ts'
import { nearest } from '../nearest.ts'
import { type Command, readWords, UsageError } from './command.ts'
import { commands } from './commands.ts'
import { printCommand, printCommands } from './help.ts'
import { createTerminal, safe, type Terminal } from './terminal.ts'

/** Answers the exit code. */
export function runCommand(args: readonly string[]): Promise<number> {
  // Whoever reads us may stop when they have enough (`tocsin events | head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return runWords(args, createTerminal(process.stdout, process.stderr))
}

export async function runWords([name, ...rest]: readonly string[], to: Terminal): Promise<number> {
  try {
    if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
      await printCommands(to)
      return 0
    }
    if (name === 'help') {
      printCommand(await find(rest[0] ?? ''), to)
      return 0
    }
    const command = await find(name === '--version' ? 'version' : name)
    const given = readWords(command, rest)
    if (given.flag('help')) {
      printCommand(command, to)
      return 0
    }
    return await command.run(given, to)
  } catch (error) {
    const isMisuse = error instanceof UsageError
    to.tell(`tocsin: ${sentence(error)}`)
    return isMisuse ? 2 : 1
  }
}

async function find(name: string): Promise<Command> {
  const entry = commands.find((each) => each.name === name)
  if (entry) return entry.load()
  const near = nearest(name, ['help', ...commands.map((each) => each.name)])
  const hint = near ? `; did you mean ${near}?` : '; tocsin help lists them'
  throw new UsageError(`${safe(name, 40)} is not a command${hint}`)
}

function sentence(error: unknown): string {
  if (error instanceof UsageError || error instanceof GatewayError)
    return error.message
      .split('\n')
      .map((line) => safe(line))
      .join('\n        ')
  if (isSystemError(error)) return safe(error.message)
  // A fault of ours: whoever mends it needs to see where.
  return error instanceof Error ? `this is a fault of tocsin: ${error.stack ?? error.message}` : String(error)
}

/** ENOENT and the like: trouble of the surroundings, said by the system itself. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
