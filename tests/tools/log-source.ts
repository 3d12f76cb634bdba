// Writes a log as the gateway does, commit by commit, for tests that need one without a gateway: both lanes, both classes, frames
// and refused frames, small segments.

import { join } from 'node:path'
import { createCommitWriter } from '../../gateway/log/commit-writer.ts'
import { nodeDisk } from '../../gateway/log/disk.ts'
import { writeEpoch } from '../../gateway/log/epoch.ts'
import { createGather } from '../../gateway/log/gather.ts'
import type { Lane, NewRecord } from '../../gateway/log/log.ts'
import { stampOf } from '../../gateway/log/record.ts'
import { noTotals } from '../../gateway/log/segment.ts'
import { allSeries } from '../../gateway/log/series.ts'
import { EventKind, Fate, MessageStatus } from '../../proto/generated/types.ts'

export interface LogSource {
  /** One commit of a few frames. */
  commit(): Promise<void>
  /** Durable. */
  readonly head: Readonly<Record<Lane, number>>
  close(): Promise<void>
}

const startMs = 1_790_000_000_000
const eventBytes = 700

export function createLogSource(dataDir: string, segmentBytes = 256 * 1024): LogSource {
  const folder = join(dataDir, 'log')
  nodeDisk.makeFolder(folder)
  writeEpoch(nodeDisk, folder, 7n)
  const next = { urgent: 1, routine: 1 }
  const gather = createGather({ ...next, frame: 1 })
  const series = allSeries.map(() => ({ next: 1, totals: noTotals() }))
  const settings = { folder, epoch: '7', segmentBytes, urgentReserveBytes: 0, diskLowBytes: 0, series, abandoned: [] }
  const writer = createCommitWriter(nodeDisk, settings, () => 0)
  const head = { urgent: 0, routine: 0 }
  let [commit, frames] = [0, 0]

  function addFrame(lane: Lane): void {
    frames += 1
    const nowMs = startMs + commit * 10
    const id = Buffer.alloc(16)
    id.writeUIntBE(nowMs, 0, 6)
    id.writeUInt32BE(frames, 12)
    const refused = frames % 11 === 0
    const records = refused ? [] : [record(lane, frames)]
    const fate = refused ? Fate.REFUSED : Fate.STORED
    gather.add(
      { id, channel: 'a/b', sender: 'mqtt:a', payload: Buffer.from(`payload ${frames}`), fate },
      records,
      stampOf(BigInt(nowMs) * 1_000_000n),
    )
    if (!refused) next[lane] += 1
  }

  return {
    head,
    async commit() {
      commit += 1
      for (let n = 0; n < 5; n += 1) addFrame(n === 0 ? 'urgent' : 'routine')
      const result = await writer.write(gather.finish(commit, false))
      if (result.failed) throw new Error(result.failed.message)
      Object.assign(head, { urgent: next.urgent - 1, routine: next.routine - 1 })
      await writer.idle()
    },
    close: () => writer.close(),
  }
}

function record(lane: Lane, number: number): NewRecord {
  const header = { kind: EventKind.OBSERVATION, messageStatus: MessageStatus.ACTUAL, subject: `gauge ${number % 7}` }
  return {
    lane,
    retention: number % 5 === 0 ? 'record' : 'standard',
    header,
    event: Buffer.alloc(eventBytes, number % 251 || 1),
  }
}
