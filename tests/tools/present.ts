// Says whether the unpacked Debian programs are there. A test that needs them is left out, and says so by name, where they
// could not be fetched; in CI it is never left out, so there it fails.

import { describe } from 'vitest'

import { debian } from './debian.ts'

export const toolsPresent: boolean = debian.isUnpacked()

/** `describe` for tests that start these programs. */
export function describeWithTools(name: string, tests: () => void): void {
  const leaveOut = !toolsPresent && process.env.CI === undefined
  describe.skipIf(leaveOut)(leaveOut ? `${name} (left out: run 'npm run tools' first)` : name, tests)
}
