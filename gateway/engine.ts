// What is said to Node.js and V8 before anything else of ours is loaded. Compiled code is kept in .cache/, which halves the time to the
// first message; where that cannot be written, it is compiled anew.

import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const compiled = fileURLToPath(new URL('../.cache/compiled', import.meta.url))

export function prepareEngine(): void {
  // Where a thousand messages wait when V8 first collects, it makes their like in old space from then on; dead there, each keeps
  // alive what it refers to until the next full collection (docs/performance.md, "What was tried"). First, because compiled code is
  // good only under the flags under which it was kept.
  setFlagsFromString('--no-allocation-site-pretenuring')
  enableCompileCache(compiled)
  // Threads learn of it from the environment; else each compiles all of its TypeScript anew, and keeps the memory that this took.
  if (getCompileCacheDir() !== undefined) process.env['NODE_COMPILE_CACHE'] ??= compiled
}
