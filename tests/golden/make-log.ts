// Writes the golden log of the present format version; run once for each version, never again: what was released opens for ever.
//   node tests/golden/make-log.ts tests/golden/log-v1-numbered

import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createAlarms } from '../../gateway/alarms.ts'
import { createLog } from '../../gateway/log/create-log.ts'
import { nodeDisk } from '../../gateway/log/disk.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import { goldenClock, goldenFrames } from './log-content.ts'

const target = process.argv[2]
if (target === undefined) throw new TypeError('say where to')
const dataDir = tempFolder('golden')
const clock = goldenClock()
const fatal = (error: Error): void => {
  throw error
}
const settings = { segmentBytes: 8 * 1024, urgentReserveBytes: 0, diskLowBytes: 0, commitIntervalMs: 0 }
const log = await createLog({ dataDir, clock, alarms: createAlarms(clock, () => {}), settings, fatal, disk: nodeDisk })
for (const frame of goldenFrames()) await log.append(frame)
await log.removePayload({ lane: 'routine', sequence: 2 })
await log.markReplayed(goldenFrames().at(-1)!.frame.id!, 1_790_000_100_000_000_000n, 'stored')
await log.close()
rmSync(target, { recursive: true, force: true })
cpSync(join(dataDir, 'log'), join(target, 'log'), { recursive: true })
// One series without its companions, as a crash leaves it.
for (const name of nodeDisk.list(join(target, 'log', 'urgent-standard'))) {
  if (name.endsWith('.idx')) rmSync(join(target, 'log', 'urgent-standard', name))
}
