// A process that fills a log, starts one, or appends until it is killed; tests run it and read what it says.
//   fill FOLDER COUNT · start FOLDER close|crash · load FOLDER

import { writeSync } from 'node:fs'
import { createAlarms } from '../../gateway/alarms.ts'
import { systemClock } from '../../gateway/clock.ts'
import { createLog } from '../../gateway/log/create-log.ts'
import type { Log } from '../../gateway/log/log.ts'
import { readAll, someFrame } from './fault-log.ts'
import { seededRandom } from './fault-disk.ts'

const [, , task, dataDir = '', argument = ''] = process.argv
const began = performance.now()
const alarms = createAlarms(systemClock, ({ text }, raised) => raised && say(`alarm ${text}`))
const fatal = (error: Error): void => {
  throw error
}
const settings = { urgentReserveBytes: 0, diskLowBytes: 0, ...(task === 'load' && { segmentBytes: 256 * 1024 }) }
const log = await createLog({ dataDir, clock: systemClock, alarms, settings, fatal })
const startMs = performance.now() - began
if (task === 'fill') await fill(log, Number(argument))
else if (task === 'start') await start(log, argument)
else await load(log)

async function fill(to: Log, count: number): Promise<void> {
  const perFrame = 50
  const frame = someFrame(seededRandom(1), systemClock.now(), {
    records: perFrame,
    lane: 'routine',
    retention: 'standard',
    eventBytes: 280,
  })
  for (let sent = 0; sent < count;) {
    const batch = Math.min(40, (count - sent) / perFrame)
    await Promise.all(Array.from({ length: batch }, () => to.append(frame)))
    sent += batch * perFrame
  }
  await to.close()
  say(`filled ${to.head.routine}`)
}

async function start(from: Log, sequel: string): Promise<void> {
  say(`started in ${Math.round(startMs)} ms, head ${from.head.routine}`)
  if (sequel === 'crash') {
    // Something unsealed is left behind.
    await from.append({ frame: someFrame(seededRandom(2), systemClock.now()).frame, records: [] })
    process.kill(process.pid, 'SIGKILL')
  }
  await from.close()
}

/** At once, also when it is killed the moment after: the pipe may be full for a while. */
function say(text: string): void {
  const bytes = Buffer.from(`${text}\n`)
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

/** Says each event that is safe, after it is; and at start each that is there. */
async function load(to: Log): Promise<void> {
  const random = seededRandom(process.pid)
  const { events, frames, missing } = readAll(to)
  for (const [event, { count }] of events) say(`there ${event.slice(0, 36)} ${count}`)
  say(`open ${events.size} ${frames.size} ${missing.length}`)
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (;;) {
        const frame = someFrame(random, systemClock.now())
        const id = `${process.pid.toString(16).padStart(8, '0')}`
        frame.frame.id!.set(Buffer.from(id, 'hex'), 6)
        for (const [index, { event }] of frame.records.entries())
          event.set([...frame.frame.id!.subarray(0, 15), index], 2)
        await to.append(frame)
        for (const { event } of frame.records) say(`safe ${Buffer.from(event.subarray(0, 18)).toString('hex')}`)
      }
    }),
  )
}
