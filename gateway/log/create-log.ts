// Makes a log of the parts in this folder: what is on the disk is recovered, the writer is started, and what was appended is
// readable as soon as it is durable. Everything else is in the parts.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fate } from '../../proto/generated/types.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import { createBookmarks } from './bookmarks.ts'
import type { CommitResult } from './commit-writer.ts'
import { type Commits, createCommits, type Pending } from './commits.ts'
import { createCurrent } from './current.ts'
import { createDamageReport } from './damage.ts'
import { createDuplicates, dedupWindowNs } from './duplicates.ts'
import { type Disk, nodeDisk } from './disk.ts'
import { newEpoch, readEpoch, writeEpoch } from './epoch.ts'
import { createGather } from './gather.ts'
import { createHolds } from './holds.ts'
import { createIntake } from './intake.ts'
import { lockFolder } from './lock.ts'
import { createLogTime } from './log-time.ts'
import { createFrameReader } from './frame-reader.ts'
import type { AppendedFrame, Lane, Log, LogCounts } from './log.ts'
import { lanes } from './log.ts'
import { createReader } from './reader.ts'
import { recover, totalsAfter } from './recovery.ts'
import { createRemoval } from './removal.ts'
import { createReplays } from './replays.ts'
import { createResends } from './resends.ts'
import { confirmedMark, restoreMemory } from './restore-memory.ts'
import { createRetaining } from './retaining.ts'
import type { RetentionSettings } from './retention.ts'
import { stampOf } from './record.ts'
import { createSearch } from './search.ts'
import { newSegment, noteWritten, type Segment } from './segment.ts'
import { segmentPath } from './segment-file.ts'
import { fateSlot } from './frames.ts'
import { framesSeries, laneOfSeries, refusedSeries, seriesOfLane } from './series.ts'
import { openState, type State, stateFile } from './state.ts'
import { createTail } from './tail.ts'
import { createWindows } from './windows.ts'
import { createInlineWriter, createThreadWriter } from './writer.ts'

export interface LogSettings {
  readonly segmentBytes: number
  /** Kept for urgent messages when the disk is full. */
  readonly urgentReserveBytes: number
  /** Below this much free space only urgent messages are taken. */
  readonly diskLowBytes: number
  readonly pendingBytesMax: number
  /** Under load commits start no more often. */
  readonly commitIntervalMs: number
  /** The end of the log kept in memory for readers that keep up. */
  readonly tailBytesMax: number
  readonly retention: RetentionSettings
}

export interface LogParts {
  readonly dataDir: string
  readonly clock: Clock
  readonly alarms: Alarms
  readonly settings?: Partial<LogSettings>
  /** The log can acknowledge nothing any more: stop the process, the supervisor starts it again. */
  fatal(error: Error): void
  /** What a person should know, such as a file that was moved aside. */
  readonly warn?: (text: string) => void
  /** Another disk, written in this thread: for tests. */
  readonly disk?: Disk
  /** One that is open already, and is closed by whoever opened it. */
  readonly state?: State
}

const MiB = 1024 * 1024
const dayMs = 24 * 3600 * 1000
export const logSettingsDefault: LogSettings = {
  segmentBytes: 64 * MiB,
  urgentReserveBytes: 1024 * MiB,
  diskLowBytes: 2048 * MiB,
  // Half a second at the fastest that one core takes.
  pendingBytesMax: 64 * MiB,
  // 400 commits a second: more of them cost CPU and buy nothing that anybody notices.
  commitIntervalMs: 2.5,
  tailBytesMax: 16 * MiB,
  retention: {
    classes: {
      standard: { ageMs: 90 * dayMs, bytes: 100 * 1024 * MiB },
      record: { ageMs: 10 * 365 * dayMs, bytes: 100 * 1024 * MiB },
      frames: { ageMs: 30 * dayMs, bytes: 50 * 1024 * MiB },
      refused: { ageMs: 365 * dayMs, bytes: 10 * 1024 * MiB },
    },
    holdMs: 8 * dayMs,
  },
}

export interface OpenLog extends Log {
  /** For others whose small things stand beside the segments; closed with the log. */
  readonly state: State
}

/** Rejects with GatewayError folder_in_use or log_foreign. */
export async function createLog(parts: LogParts): Promise<OpenLog> {
  mkdirSync(parts.dataDir, { recursive: true, mode: 0o700 })
  const unlock = lockFolder(parts.dataDir)
  try {
    return openLog(parts, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function openLog(parts: LogParts, unlock: () => void): OpenLog {
  const { dataDir, clock, alarms, disk = nodeDisk, warn } = parts
  const settings = { ...logSettingsDefault, ...parts.settings }
  const folder = join(dataDir, 'log')
  disk.makeFolder(folder)
  const recovered = recover(disk, folder)
  const segments = recovered.segments as Segment[][]
  const epoch = readEpoch(disk, folder) ?? (recovered.epoch ? BigInt(recovered.epoch) : newEpoch())
  if (readEpoch(disk, folder) !== epoch) writeEpoch(disk, folder, epoch)
  const head: Record<Lane, number> = { ...recovered.head }
  const damage = createDamageReport(alarms, segments, recovered.damage)
  const windows = createWindows(disk)
  const tail = createTail(settings.tailBytesMax)
  const reader = createReader({ segments, windows, tail, head, damaged: damage.found })
  const search = createSearch({ segments, windows, head, damaged: damage.found })
  let frameHead = recovered.frameHead
  const frameReader = createFrameReader({ segments, windows, head: () => frameHead, damaged: damage.found })

  const lastMs = Math.max(0, ...segments.flat().map(({ lastLoggedAtMs }) => lastLoggedAtMs))
  const lastLoggedAt = lastMs === 0 ? undefined : BigInt(lastMs + 1) * 1_000_000n
  const logTime = createLogTime({ clock, lastLoggedAt, alarms })
  const state = parts.state ?? openState({ dataDir, failed: stateFailed(alarms), ...(warn && { warn }) })
  const bookmarks = createBookmarks({ state, head: () => head, now: logTime.now, ...(warn && { warn }) })
  const holds = createHolds({ dataDir, state, ...(warn && { warn }) })
  const current = createCurrent({ state, epoch, head })
  const duplicates = createDuplicates({ windowNs: dedupWindowNs, rotations: 2 })
  const resends = createResends({ startedAt: logTime.now() })
  try {
    restoreMemory({
      segments,
      windows,
      head,
      current,
      duplicates,
      resends,
      state,
      now: logTime.now(),
      lastLoggedAt,
    })
  } catch (error) {
    if (!parts.state) state.close()
    windows.close()
    throw error
  }
  const replays = createReplays(disk, folder)
  const removal = createRemoval({ disk, folder, reader, search, forget: ({ segment }) => forget(segment) })
  const listeners = new Set<() => void>()
  const frameListeners = new Set<(frames: readonly AppendedFrame[]) => void>()
  let shownHead = { ...head }
  let isAnnounced = true

  const writerSettings = {
    folder,
    epoch: String(epoch),
    segmentBytes: settings.segmentBytes,
    urgentReserveBytes: settings.urgentReserveBytes,
    diskLowBytes: settings.diskLowBytes,
    series: recovered.next,
    abandoned: [],
  }
  let commits: Commits | undefined
  const writer = parts.disk
    ? createInlineWriter(disk, writerSettings)
    : createThreadWriter(writerSettings, (error) => commits?.died(error))
  const next = () => ({ urgent: head.urgent + 1, routine: head.routine + 1, frame: frameHead + 1 })
  const gather = createGather(next())
  commits = createCommits({
    writer,
    gather,
    alarms,
    next,
    lastCommit: recovered.lastCommit,
    pendingBytesMax: settings.pendingBytesMax,
    commitIntervalMs: settings.commitIntervalMs,
    stamp: () => stampOf(logTime.loggedAt()),
    durable,
    announce,
    refused: (pending) => intake.refused(pending),
    fatal: parts.fatal,
  })
  const intake = createIntake({ commits, duplicates, resends, now: logTime.now })
  const confirming = setInterval(confirm, confirmEveryMs).unref()
  let confirmed = 0n
  const retaining = createRetaining({
    disk,
    folder,
    segments,
    settings: settings.retention,
    diskLowBytes: settings.diskLowBytes,
    logTime,
    bookmarks,
    holds,
    current,
    alarms,
    forget,
  })

  /**
   * Frames logged up to then are known to be acknowledged; also when nothing comes, or an old press would be restored at the next
   * start and a new, equal one be taken for it.
   */
  function confirm(): void {
    const through = resends.size > 0 || confirmed > 0n ? resends.confirmedThrough(logTime.now()) : 0n
    if (through <= confirmed) return
    state.setMark(confirmedMark, through)
    // With nothing left to confirm there is nothing more to say until something comes.
    confirmed = resends.size > 0 ? through : 0n
  }

  /** In the order that the log promises: readable, then the head, then those who follow frames, then the appends, then the listeners. */
  function durable(result: CommitResult, pending: readonly Pending[]): void {
    for (const { series, segment, header, written } of result.parts) {
      const known = segments[series]!.at(-1)
      if (header && known?.number !== segment)
        segments[series]!.push(newSegment(series, segmentPath(folder, series, segment), header))
      for (const one of written) noteWritten(segments[series]!.at(-1)!, one)
    }
    keepTail(result)
    for (const one of pending) note(one)
    frameHead = pending.at(-1)!.number
    if (head.urgent + head.routine > shownHead.urgent + shownHead.routine) {
      shownHead = { ...head }
      current.advance(shownHead)
      isAnnounced = false
    }
    intake.durable(pending, result.parts)
    for (const listener of frameListeners) listener(pending)
  }

  function note({ records, places, loggedAt }: Pending): void {
    for (let index = 0; index < places.length; index++) {
      const { lane, sequence } = places[index]!
      const { header, retention } = records[index]!
      const { kind, messageStatus: status, subject } = header
      head[lane] = sequence
      if (kind && subject && status) current.note({ lane, retention, sequence, loggedAt, kind, status, subject })
    }
  }

  /** After the appends were resolved: whoever waits for an acknowledgement comes before whoever reads. */
  function announce(): void {
    if (isAnnounced) return
    isAnnounced = true
    queueMicrotask(() => listeners.forEach((listener) => listener()))
  }

  function keepTail(result: CommitResult): void {
    const runs = result.parts.flatMap(({ series, bytes, written }) => {
      if (series >= framesSeries) return []
      const start = written[0]!.offset
      return written.map((one) => ({
        ...one,
        lane: laneOfSeries(series),
        bytes: bytes.subarray(one.offset - start, one.offset - start + one.bytes),
      }))
    })
    for (const { lane, first, last, bytes } of runs.toSorted((a, b) => a.first - b.first))
      tail.push(lane, first, last, bytes)
    for (const { bytes } of result.parts) gather.giveBack(bytes)
  }

  function forget(segment: Segment): void {
    reader.forget()
    frameReader.forget()
    tail.clear()
    windows.forget(segment)
  }

  function counts(): LogCounts {
    const frames = totalsAfter(segments[framesSeries]!.at(-1)).fates
    const refused = totalsAfter(segments[refusedSeries]!.at(-1)).fates
    const records = {} as Record<Lane, number>
    for (const lane of lanes) {
      records[lane] = seriesOfLane[lane].reduce((sum, series) => sum + totalsAfter(segments[series]!.at(-1)).records, 0)
    }
    return {
      stored: frames[Fate.STORED]!,
      ignored: frames[Fate.IGNORED]!,
      carried: frames[Fate.CARRIED]!,
      refused: refused[Fate.REFUSED]!,
      waiting: refused[fateSlot(Fate.WAITING)]!,
      records,
      damaged: damage.records,
    }
  }

  function oldest(lane: Lane): number {
    const firsts = seriesOfLane[lane].flatMap((series) => segments[series]!.find(({ first }) => first > 0)?.first ?? [])
    return Math.min(head[lane] + 1, ...firsts)
  }

  return {
    epoch,
    get head() {
      return shownHead
    },
    get frameHead() {
      return frameHead
    },
    get oldest() {
      return { urgent: oldest('urgent'), routine: oldest('routine') }
    },
    get counts() {
      return counts()
    },
    bookmarks,
    holds,
    state,
    append: intake.append,
    put: intake.put,
    read: reader.read,
    before: search.before,
    onAdvance(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onFrames(listener) {
      frameListeners.add(listener)
      return () => void frameListeners.delete(listener)
    },
    readFrames: frameReader.read,
    readFrame: frameReader.find,
    findEvent: search.findEvent,
    findFrameRecords: search.findFrameRecords,
    findFrame: (id) => replays.marked(search.findFrame(id)),
    frames: (query) => replays.list(search, query),
    eachFrame: (query) => replays.each(search, query),
    markReplayed: async (id, at, fate) => replays.mark(id, at, fate),
    current: (kinds) =>
      current.places(kinds).flatMap(({ lane, sequence }) => reader.read(lane, sequence - 1, one)?.records ?? []),
    removePayload: removal,
    retain: retaining,
    async close() {
      clearInterval(confirming)
      await commits.close()
      confirm()
      current.close()
      if (!parts.state) state.close()
      windows.close()
      unlock()
    },
  }
}

const one = { records: 1, bytes: 1 } as const
const confirmEveryMs = 1_000

function stateFailed(alarms: Alarms): (error: Error | undefined) => void {
  return (error) => {
    if (!error) return alarms.clear('disk_failed', stateFile)
    alarms.raise(
      'disk_failed',
      stateFile,
      `${stateFile} cannot be written (${error.message}). What belongs there is kept in memory and tried again each second; if the ` +
        'gateway ended now, readers and MQTT sessions would be given again what they had since.',
    )
  }
}
