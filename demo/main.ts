// `npm run demo` runs this file: one hour of a flood in two minutes. Ctrl-C ends all that it started.

import { join } from 'node:path'
import { type Command, readWords, UsageError, wholeNumber } from '../gateway/cli/command.ts'
import { createTerminal } from '../gateway/cli/terminal.ts'
import { runDemo } from './run-demo.ts'

const speedDefault = 30
const speedMax = 3_600

const demo: Command = {
  name: 'demo',
  usage: '[options]',
  about: 'Plays an hour of a flood in an invented county.',
  options: {
    speed: { value: 'N', about: `Minutes of the story for each minute here; default ${speedDefault}.` },
    keep: { about: 'Keeps the data in demo-data/ and the gateway running until Ctrl-C.' },
  },
  wordsMax: 0,
  examples: [],
  async run(given, terminal) {
    const over = new AbortController()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => over.abort())
    const startedAt = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
    await runDemo(
      {
        speed: wholeNumber(given, 'speed', 1, speedMax) ?? speedDefault,
        signal: over.signal,
        ...(given.flag('keep') && { keepIn: join(import.meta.dirname, '../demo-data', startedAt) }),
      },
      terminal,
    )
    return 0
  },
}

const terminal = createTerminal(process.stdout, process.stderr)
try {
  const given = readWords(demo, process.argv.slice(2))
  if (given.flag('help')) {
    terminal.print('npm run demo -- [--speed N] [--keep]')
    for (const [name, { value, about }] of Object.entries(demo.options)) {
      terminal.print(`  --${[name, value].filter(Boolean).join(' ')}`.padEnd(14) + about)
    }
  } else {
    process.exitCode = await demo.run(given, terminal)
  }
} catch (error) {
  terminal.tell(`demo: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
