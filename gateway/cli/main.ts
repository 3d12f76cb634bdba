// `tocsin` runs this file.

import { prepareEngine } from '../engine.ts'

prepareEngine()
const { runCommand } = await import('./run-command.ts')
process.exitCode = await runCommand(process.argv.slice(2))
