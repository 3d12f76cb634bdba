// A log on a fault disk, frames to append, and what must hold of it afterwards.

import { createAlarms, type Alarms } from '../../gateway/alarms.ts'
import type { Clock } from '../../gateway/clock.ts'
import { createLog, type LogSettings } from '../../gateway/log/create-log.ts'
import type { Appended, Lane, Log, Missing, NewFrame, NewRecord, Retention } from '../../gateway/log/log.ts'
import { lanes } from '../../gateway/log/log.ts'
import { openState, type State } from '../../gateway/log/state.ts'
import { Fate } from '../../proto/generated/types.ts'
import { timestamp } from '../../proto/time.ts'
import { tempFolder } from '../tools/temp-folder.ts'
import type { Disk } from '../../gateway/log/disk.ts'
import type { Random } from './fault-disk.ts'

const second = 1_000_000_000n

/** Goes on by a millisecond each time that it is read. */
export function testClock(): Clock & { ahead(ns: bigint): void; step(ns: bigint): void } {
  let now = 1_790_000_000n * second
  let stepped = 0n
  const tick = (): bigint => (now += 1_000_000n)
  return {
    now: () => tick() + stepped,
    monotonic: tick,
    // Time passes.
    ahead: (ns) => (now += ns),
    // Somebody sets the clock, forwards or backwards; the monotonic one does not notice.
    step: (ns) => (stepped += ns),
  }
}

export interface Opened {
  readonly log: Log
  readonly alarms: Alarms
  readonly said: string[]
}

export async function openOn(
  disk: Disk,
  dataDir: string,
  clock: Clock,
  settings: Partial<LogSettings> = {},
  state: State = sharedState(),
): Promise<Opened> {
  const said: string[] = []
  const alarms = createAlarms(clock, ({ code, about, text }, raised) => raised && said.push(`${code} ${about} ${text}`))
  const fatal = (error: Error): void => {
    throw error
  }
  const small = { segmentBytes: 32 * 1024, urgentReserveBytes: 0, diskLowBytes: 0, commitIntervalMs: 0, ...settings }
  return {
    log: await createLog({ dataDir, clock, alarms, settings: small, fatal, disk, state }),
    alarms,
    said,
  }
}

let shared: State | undefined
/** One file of SQLite for all logs of a test process: opening one takes longer than all the rest. */
const sharedState = (): State => (shared ??= openState({ dataDir: tempFolder('fault-state') }))

export const faultFolder = (): string => tempFolder('fault')

let made = 0

/** An id of the clock's time; unlike any other. */
export function frameId(ns: bigint): Buffer {
  const id = Buffer.alloc(16)
  id.writeUIntBE(Number(ns / 1_000_000n), 0, 6)
  id[6] = 0x70
  id.writeUInt32BE(++made, 10)
  return id
}

export interface FrameChoice {
  readonly lane?: Lane
  readonly retention?: Retention
  readonly records?: number
  readonly eventBytes?: number
}

export function someFrame(random: Random, now: bigint, choice: FrameChoice = {}): NewFrame {
  const id = frameId(now)
  const count = choice.records ?? 1 + Math.floor(random() * random() * 5)
  const records = Array.from({ length: count }, (_, index): NewRecord => {
    const size = choice.eventBytes ?? 20 + Math.floor(random() * random() * 1500)
    const event = Buffer.alloc(size + 18).map(() => random() * 256)
    event.set([0x0a, 16, ...id.subarray(0, 15), index])
    return {
      lane: choice.lane ?? (random() < 0.3 ? 'urgent' : 'routine'),
      retention: choice.retention ?? (random() < 0.2 ? 'record' : 'standard'),
      header: {
        kind: 1,
        messageStatus: 1,
        subject: `urn:test:${Math.floor(random() * 50)}`,
        topic: 'a/b',
        sender: 'mqtt:x',
      },
      event,
    }
  })
  const fate = count > 0 ? Fate.STORED : random() < 0.5 ? Fate.IGNORED : Fate.REFUSED
  const payload = Buffer.alloc(Math.floor(random() * 300)).map(() => random() * 256)
  return { frame: { id, receivedAt: timestamp(now), channel: 'a/b', sender: 'mqtt:x', payload, fate }, records }
}

export interface Acknowledged {
  readonly frame: NewFrame
  readonly appended: Appended
}

export interface Everything {
  /** By event, as hex: how often it is there. */
  readonly events: Map<string, { lane: Lane; sequence: number; count: number }>
  /** Records of each frame, by id as hex. */
  readonly frames: Map<string, number>
  readonly missing: (Missing & { lane: Lane })[]
}

const readLimit = { records: 50, bytes: 20_000 }

export function readAll(log: Log): Everything {
  const everything: Everything = { events: new Map(), frames: new Map(), missing: [] }
  for (const lane of lanes) {
    for (let after = 0, slice = log.read(lane, 0, readLimit); slice; slice = log.read(lane, after, readLimit)) {
      let last = after
      for (const { event, sequence, frameId: id } of slice.records) {
        if (sequence <= last) throw new Error(`${lane} ${sequence} comes after ${last}`)
        last = sequence
        const key = Buffer.from(event).toString('hex')
        everything.events.set(key, { lane, sequence, count: (everything.events.get(key)?.count ?? 0) + 1 })
        const frame = Buffer.from(id).toString('hex')
        everything.frames.set(frame, (everything.frames.get(frame) ?? 0) + 1)
      }
      everything.missing.push(...slice.missing.map((one) => ({ ...one, lane })))
      if (slice.through <= after) throw new Error(`${lane} does not go on after ${after}`)
      after = slice.through
    }
  }
  return everything
}

/** What is wrong, in words; empty when all that was acknowledged is there once and every frame is whole. */
export function faults(log: Log, acknowledged: readonly Acknowledged[], sent: readonly NewFrame[]): string[] {
  const { events, frames } = readAll(log)
  const wrong: string[] = []
  for (const { frame, appended } of acknowledged) {
    const id = Buffer.from(frame.frame.id!).toString('hex')
    if (appended.fate !== 'stored') continue
    frame.records.forEach((record, index) => {
      const found = events.get(Buffer.from(record.event).toString('hex'))
      const place = appended.places[index]!
      if (!found) wrong.push(`${id} ${index} is lost (${place.lane} ${place.sequence})`)
      else if (found.lane !== place.lane || found.sequence !== place.sequence) wrong.push(`${id} ${index} is elsewhere`)
    })
    if (!log.findFrame(frame.frame.id!)) wrong.push(`frame ${id} is lost`)
  }
  for (const [event, { count }] of events) if (count > 1) wrong.push(`${event.slice(0, 36)} is there ${count} times`)
  for (const { frame, records } of sent) {
    const id = Buffer.from(frame.id!).toString('hex')
    const count = frames.get(id) ?? 0
    if (count !== 0 && count !== records.length) wrong.push(`${id} has ${count} of ${records.length} records`)
  }
  return wrong
}
