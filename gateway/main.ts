// `npm start` runs this file.

import { prepareEngine } from './engine.ts'

prepareEngine()
const { runGateway } = await import('./run-gateway.ts')
process.exitCode = await runGateway()
