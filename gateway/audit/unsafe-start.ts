// A start that is refused because it would be unsafe is an entry as well, at the next start: somebody tried.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { Site } from '../policy/unsafe/unsafe-check.ts'
import { refuseUnsafe } from '../policy/unsafe/unsafe-checks.ts'
import { auditFolder } from './files.ts'
import { leaveNote } from './waiting-notes.ts'

/** The warnings. Throws GatewayError unsafe_settings with a sentence for each setting that is unsafe. */
export function refuseUnsafeStart(site: Site): string[] {
  try {
    return refuseUnsafe(site)
  } catch (error) {
    leaveRefusal(site.settings.data_dir, site.now, error)
    throw error
  }
}

/** Where there is no audit yet nothing was ever done, and no folder is made. */
function leaveRefusal(dataDir: string, at: bigint, error: unknown): void {
  if (!existsSync(join(dataDir, auditFolder))) return
  const text = error instanceof Error ? error.message : String(error)
  try {
    leaveNote(dataDir, at, { action: 'start', type: SystemEventType.ACCESS_DENIED, outcome: 'denied', text })
  } catch {
    // Whoever started it is told why it does not start; that is what matters then.
  }
}
