// Logs of every released format version open for ever, and hold what they held.

import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAlarms } from '../gateway/alarms.ts'
import { createLog } from '../gateway/log/create-log.ts'
import { nodeDisk } from '../gateway/log/disk.ts'
import { readAll } from './faults/fault-log.ts'
import { goldenClock, goldenFrames } from './golden/log-content.ts'
import { tempFolder } from './tools/temp-folder.ts'

const home = join(import.meta.dirname, 'golden')
const versions = readdirSync(home).filter((name) => name.startsWith('log-v'))

test('there is a golden log of each version', () => {
  expect(versions).toEqual(['log-v1', 'log-v1-numbered'])
})

test.each(versions)('%s opens and holds what it held', async (version) => {
  const dataDir = tempFolder('golden')
  cpSync(join(home, version), dataDir, { recursive: true })
  const said: string[] = []
  const clock = goldenClock()
  const alarms = createAlarms(clock, ({ text }, raised) => raised && said.push(text))
  const fatal = (error: Error): void => {
    throw error
  }
  const settings = { segmentBytes: 8 * 1024, urgentReserveBytes: 0, diskLowBytes: 0 }
  const log = await createLog({ dataDir, clock, alarms, settings, fatal, disk: nodeDisk })
  const frames = goldenFrames()
  const records = frames.flatMap((frame) => frame.records)
  const { events, missing } = readAll(log)
  expect(said).toEqual([])
  expect(missing).toEqual([])
  expect(log.head.urgent + log.head.routine).toBe(records.length)
  const removed = log.read('routine', 1, { records: 1, bytes: 1 })!.records[0]!
  expect(removed.removed).toBe(true)
  const gone = records.filter(({ event }) => !events.has(Buffer.from(event).toString('hex')))
  expect(gone.map(({ header }) => header.subject)).toEqual([removed.header.subject])
  for (const { frame } of frames) {
    const found = log.findFrame(frame.id!)
    expect(found).toMatchObject({ channel: 'gölden/topic', sender: 'mqtt:golden', fate: frame.fate })
  }
  expect(log.findFrame(frames.at(-1)!.frame.id!)).toMatchObject({ why: 'not JSON', replayFate: 1 })
  expect(log.counts).toMatchObject({ stored: 18, ignored: 6, refused: 1, damaged: 0 })
  // Its payload was removed with that of the record.
  const emptied = frames.find(({ records: of }) => of.includes(gone[0]!))!.frame
  const numbered =
    version === 'log-v1' ? [] : frames.map(({ frame, records: of }, index) => [index + 1, frame, of] as const)
  expect(log.frameHead).toBe(numbered.length)
  const read = log.readFrames(0, { frames: 100, bytes: 1e6 })?.frames ?? []
  expect(read.map(({ number, frame: { id, mqtt, lane = 0, kind = 0 } }) => [number, id, mqtt, lane, kind])).toEqual(
    numbered.flatMap(([number, frame, of]) => {
      const lane = of.length === 0 ? 0 : of[0]!.lane === 'urgent' ? 1 : 2
      return frame === emptied ? [] : [[number, frame.id, frame.mqtt, lane, of.length === 0 ? 0 : 1]]
    }),
  )
  const again = frames.find((frame) => frame.records.length === 1)!
  expect((await log.append(again)).fate).toBe('duplicate')
  expect(await log.append({ frame: { ...again.frame, id: Buffer.alloc(16, 9) }, records: [] })).toMatchObject({
    number: numbered.length + 1,
  })
  expect(log.readFrames(numbered.length, { frames: 100, bytes: 1e6 })?.frames).toMatchObject([
    { number: numbered.length + 1 },
  ])
  await log.close()
})
