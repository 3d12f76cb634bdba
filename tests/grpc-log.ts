// The real log, in a temporary folder and with little of the disk: 4 MB segments, so that tests cross their edges.

import { createAlarms } from '../gateway/alarms.ts'
import { systemClock } from '../gateway/clock.ts'
import { createLog, type LogSettings } from '../gateway/log/create-log.ts'
import type { Log } from '../gateway/log/log.ts'
import { tempFolder } from './tools/temp-folder.ts'

export function openTestLog(dataDir = tempFolder('grpc'), settings: Partial<LogSettings> = {}): Promise<Log> {
  return createLog({
    dataDir,
    clock: systemClock,
    alarms: createAlarms(systemClock, () => {}),
    settings: {
      segmentBytes: 4 << 20,
      urgentReserveBytes: 4 << 20,
      diskLowBytes: 0,
      tailBytesMax: 4 << 20,
      ...settings,
    },
    fatal: (error) => {
      throw error
    },
  })
}
