// `npm start` runs this file. Compiled code is kept in .cache/, which halves the time to the first message; where that cannot be
// written, it is compiled anew.

import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)))
const { runGateway } = await import('./run-gateway.ts')
process.exitCode = await runGateway()
