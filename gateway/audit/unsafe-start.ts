// A start that is refused because it would open an unprotected door is an entry as well, at the next start: somebody tried.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SystemEventType } from '../../proto/generated/types.ts'
import type { Clock } from '../clock.ts'
import { refuseOpenDoors } from '../policy/doors.ts'
import type { Settings } from '../settings.ts'
import { auditFolder } from './files.ts'
import { leaveNote } from './waiting-notes.ts'

/** Throws GatewayError unsafe_settings with a sentence for each open door. */
export function refuseUnsafeStart(settings: Settings, clock: Clock): void {
  try {
    refuseOpenDoors(settings)
  } catch (error) {
    leaveRefusal(settings.data_dir, clock.now(), error)
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
