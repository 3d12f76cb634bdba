// `tocsin` runs this file. Compiled code is kept in .cache/, so that a command answers sooner the next time.

import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../../.cache/compiled', import.meta.url)))
const { runCommand } = await import('./run-command.ts')
process.exitCode = await runCommand(process.argv.slice(2))
