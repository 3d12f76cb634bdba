// The thread that keeps the levels of an InfluxDB: it has the file of touched hours, reads values and writes levels.

import { setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { systemClock } from '../../clock.ts'
import { type Caller, serveThread } from '../thread.ts'
import { createKeeper, type KeeperParts } from './keeper.ts'
import { openTouchedFile, type Touch, type TouchedHour } from './touched-file.ts'

export interface LevelsThreadData extends Pick<KeeperParts, 'settings' | 'keepMs' | 'gatherMs'> {
  readonly file: string
}

/** Behind everything that acknowledges: on Linux this is the thread's own priority, elsewhere it is left alone. */
const niceness = 10
if (process.platform === 'linux') setPriority(0, niceness)

const { file, ...parts } = workerData as LevelsThreadData
const touched = openTouchedFile(file, parts.settings)
const keeper = createKeeper({
  ...parts,
  touched,
  clock: systemClock,
  taking: (hours: readonly TouchedHour[]) => caller.call('taking', [hours]),
  begun: (hours: number) => caller.call('begun', [hours]),
  forgotten: () => caller.call('forgotten', []),
})

const caller: Caller = serveThread({
  touch: (touches: readonly Touch[], nowMs: number) => touched.touch(touches, nowMs),
  expire: (nowMs: number, mayMove: boolean) => keeper.expire(nowMs, mayMove),
  async close() {
    await keeper.close()
    touched.close()
  },
})
