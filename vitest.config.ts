// Every test is a process tree of its own kind (brokers, databases, workers), so test files run in forked processes, two
// at a time: the small machines that build this have two cores.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/tools/run-folder.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    watch: false,
  },
})
