// A gateway's way in and out in one process, with its clock, disk and randomness passed in: devices send frames through the pipeline
// into the log on a disk that fails, tears, fills and loses power, the clock jumps, and readers follow the log at their own pace.
// Everything is drawn from one seed; what must hold afterwards is judged by a ledger.

import { createAccounting } from '../../gateway/accounting.ts'
import { configuredInputs } from '../../gateway/configured-inputs.ts'
import { createIds } from '../../gateway/ids.ts'
import type { Receive } from '../../gateway/inputs/receive.ts'
import { type Lane, lanes, type Log } from '../../gateway/log/log.ts'
import { createPipeline } from '../../gateway/pipeline.ts'
import { createRoutes } from '../../gateway/routes.ts'
import { readSettings } from '../../gateway/settings.ts'
import { codec } from '../../proto/wire.ts'
import { createFaultDisk, diskError, type FaultDisk, type Random, seededRandom } from './fault-disk.ts'
import { faultFolder, openOn, testClock } from './fault-log.ts'
import { createLedger, type Ledger, type ReaderBook, type Verdict } from './ledger.ts'
import { numbersOf } from '../gateway/reader.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Restarts, most of them after a loss of power. */
  readonly lives: number
  readonly framesEachLife: number
  readonly faults: Partial<Faults>
  /** Puts a fault of the gateway itself in, to see that it is found. */
  readonly sabotage?: (log: Log) => Log
}

export interface Faults {
  readonly power: boolean
  /** Writes, syncs and renames fail for a while. */
  readonly disk: boolean
  /** Every so many syncs fail; 0: none. */
  readonly everySync: number
  readonly full: boolean
  /** By up to a day, forwards and backwards. */
  readonly clock: boolean
}

export interface Simulated {
  readonly verdict: Verdict
  readonly acknowledged: number
  /** Frames that were not taken, and were sent again. */
  readonly withheld: number
  /** What the books of each life say that cannot be. */
  readonly accounting: readonly string[]
  /** What happened, in order; equal for equal seeds. */
  readonly trace: readonly string[]
}

const devicesCount = 4
const readersCount = 3
const readLimit = { records: 20, bytes: 20_000 }
const hourNs = 3_600_000_000_000n
const eventCodec = codec('tocsin.v1.Event')
const inputs = configuredInputs(readSettings({ environment: {} }))

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export async function simulate(options: SimulationOptions): Promise<Simulated> {
  const { seed, lives, framesEachLife, faults, sabotage = (log) => log } = options
  const random = seededRandom(seed)
  const disk = createFaultDisk(random)
  const clock = testClock()
  const dataDir = faultFolder()
  const ledger = createLedger()
  const devices = Array.from({ length: devicesCount }, (_, stream) => createDevice(stream, ledger))
  const readers = Array.from({ length: readersCount }, (_, i) => createReader(`reader-${i}`, ledger))
  const trace: string[] = []
  const accounting: string[] = []
  const ids = createIds((bytes) => bytes.forEach((_, i) => (bytes[i] = random() * 256)))

  for (let life = 0; life <= lives; life++) {
    const isLast = life === lives
    const books = createAccounting()
    if (!isLast) arm(disk, random, faults)
    try {
      const log = sabotage((await openOn(disk, dataDir, clock)).log)
      const { receive } = createPipeline({
        routes: createRoutes(inputs),
        log,
        ids,
        clock,
        accounting: books,
        mayPublish: () => undefined,
        isKnown: (id) => log.findEvent(id) !== undefined,
        whyUnread: () => 'no adapter reads it',
        adapterFailed(_adapter, error) {
          throw error
        },
      })
      const stopReading = follow(log, readers, random)
      if (faults.clock && random() < 0.7) clock.step(BigInt(Math.floor((random() - 0.5) * 48)) * hourNs)
      await Promise.all(devices.map((device) => device.run(receive, clock.now, random, isLast ? 0 : framesEachLife)))
      disarm(disk, isLast)
      await stopReading()
      const { received, pending, stored, duplicate, ignored, carried, refused, not_taken } = books.totals
      const settled = stored + duplicate + ignored + carried + refused + not_taken
      if (received !== settled + pending)
        accounting.push(`life ${life}: ${received} received, ${settled} settled, ${pending} pending`)
      await log.close()
    } catch (error) {
      // The power went, or the disk failed, while it started or stopped; anything else is wrong.
      const { code } = error as { code?: string }
      if (code !== 'EIO' && code !== 'ENOSPC' && code !== 'log_failed') throw error
    }
    trace.push(`life ${life}: ${disk.calls} calls, ${ledger.published} sent, ${ledger.acknowledged} safe`)
    disarm(disk, true)
    if (faults.power && !isLast) disk.restart()
  }
  const withheld = devices.reduce((sum, device) => sum + device.withheld, 0)
  return { verdict: ledger.verdict(), acknowledged: ledger.acknowledged, withheld, accounting, trace }
}

function arm(disk: FaultDisk, random: Random, { power, disk: fails, everySync = 0, full }: Partial<Faults>): void {
  if (power) disk.losePowerAt = disk.calls + 20 + Math.floor(random() * 600)
  disk.shortWrites = random() < 0.5 ? 0.2 : 0
  if (full && random() < 0.7) {
    const used = disk.files().reduce((sum, file) => sum + disk.bytesOf(file).length, 0)
    disk.capacityBytes = used + Math.floor(random() * 100_000)
  }
  let syncs = 0
  const rate = fails ? random() * 0.1 : 0
  disk.fault = (call) => {
    if (everySync > 0 && call === 'sync' && ++syncs % everySync === 0) return diskError('EIO')
    return rate > 0 && random() < rate ? diskError('EIO') : undefined
  }
}

function disarm(disk: FaultDisk, alsoPower: boolean): void {
  disk.fault = undefined
  disk.shortWrites = 0
  disk.capacityBytes = Infinity
  if (alsoPower) disk.losePowerAt = Infinity
}

interface Device {
  readonly withheld: number
  /** Sends so many, and before them what was not acknowledged in an earlier life, in order. */
  run(receive: Receive, now: () => bigint, random: Random, frames: number): Promise<void>
}

/** As a device of QoS 1 with a window: what is not acknowledged is sent again in its order, and says so. */
function createDevice(stream: number, ledger: Ledger): Device {
  const channel = `tocsin/in/senml/device-${stream}`
  const sender = { name: `mqtt:device-${stream}`, authenticity: 'unverified', link: 'mqtt' } as const
  const unacknowledged: number[] = []
  const state = { withheld: 0 }

  /** `isHeard`: the acknowledgement reaches the device. */
  function send(receive: Receive, now: () => bigint, n: number, resent: boolean, isHeard = true): Promise<boolean> {
    const bytes = Buffer.from(`[{"n":"count","u":"count","v":${n}}]`)
    const resendKey = Buffer.alloc(16)
    resendKey.writeUInt32BE(stream, 0)
    resendKey.writeUInt32BE(n, 4)
    return receive(sender, { bytes, receivedAt: now(), channel }, { qos: 1, retain: false, resent, resendKey }).then(
      () => {
        if (!isHeard) return false
        unacknowledged.splice(unacknowledged.indexOf(n), 1)
        ledger.acknowledge(stream, n)
        return true
      },
      () => {
        state.withheld += 1
        return false
      },
    )
  }

  return {
    get withheld() {
      return state.withheld
    },
    async run(receive, now, random, frames) {
      // A connection reads in order: what waits is all sent before anything new.
      if (!(await Promise.all(unacknowledged.slice().map((n) => send(receive, now, n, true)))).every(Boolean)) return
      for (let left = frames; left > 0;) {
        const some = Math.min(left, 1 + Math.floor(random() * 8))
        left -= some
        const numbers = Array.from({ length: some }, () => ledger.publish(stream, 1))
        unacknowledged.push(...numbers)
        // Cut off as soon as one is not taken, or without any reason: the others may be safe without the device knowing it.
        const isHeard = random() > 0.05
        if (!(await Promise.all(numbers.map((n) => send(receive, now, n, false, isHeard)))).every(Boolean)) return
        for (let turns = Math.floor(random() * 3); turns > 0; turns--) await turn()
      }
    },
  }
}

interface Reader {
  readonly book: ReaderBook
  /** As a client keeps it, outside of the gateway. */
  readonly cursor: Record<Lane, number>
}

function createReader(name: string, ledger: Ledger): Reader {
  // Towards a reader of the log nothing may come twice.
  const book = ledger.reader(name, { qos: 2, owedAll: true })
  book.subscribed()
  return { book, cursor: { urgent: 0, routine: 0 } }
}

/** Each reads when the head moves, or not, and goes on where it was; returns the way to let all read to the end. */
function follow(log: Log, readers: readonly Reader[], random: Random): () => Promise<void> {
  const read = (reader: Reader): boolean => {
    let any = false
    for (const lane of lanes) {
      const slice = log.read(lane, reader.cursor[lane], readLimit)
      if (!slice) continue
      any = true
      for (const { event } of slice.records) {
        for (const [device, numbers] of numbersOf([eventCodec.decode(event)])) {
          for (const n of numbers) reader.book.arrive(Number(device.slice('device-'.length)), n)
        }
      }
      reader.cursor[lane] = slice.through
    }
    return any
  }
  const stop = log.onAdvance(() => {
    for (const reader of readers) if (random() < 0.5) read(reader)
  })
  return async () => {
    stop()
    for (const reader of readers) while (read(reader)) await turn()
  }
}
