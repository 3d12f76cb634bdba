// What the gateway tells of itself when somebody asks: AdminService.GetStatus, and the disk for metrics.

import { statfsSync } from 'node:fs'
import { SystemLevel } from '../proto/generated/types.ts'
import type {
  GetStatusResponse,
  InputStatus,
  LinkStatus,
  PlaintextExceptionStatus,
  Timestamp,
} from '../proto/generated/types.ts'
import { duration, nsPerMs, timestamp } from '../proto/time.ts'
import { type Accounting, type FateName, noInput, wireFate } from './accounting.ts'
import type { Alarms } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { ClockOffset } from './clock-offset.ts'
import type { LinkReport } from './links/links.ts'
import type { Log } from './log/log.ts'
import type { Site } from './normalise.ts'
import { createRates } from './rates.ts'
import type { Input } from './routes.ts'
import type { UnknownQuantities } from './quantities.ts'
import { version } from './version.ts'

export interface Status {
  (): GetStatusResponse
  disk(): { readonly freeBytes: number; readonly totalBytes: number }
  stop(): void
}

interface Parts {
  readonly site: Site
  readonly clock: Clock
  readonly log: Log
  readonly accounting: Accounting
  readonly unknownQuantities: UnknownQuantities
  readonly alarms: Alarms
  readonly offset: () => ClockOffset | undefined
  readonly dataDir: string
  /** All that are configured, by the name under which they are counted. */
  readonly inputs: readonly Input[]
  readonly connections: () => { readonly mqtt: number; readonly grpc: number }
  readonly links: () => readonly LinkReport[]
  readonly plaintextExceptions: () => PlaintextExceptionStatus[]
  /** What was not as safe as it should be at the start. */
  readonly warnings: readonly string[]
}

const sumOf = (counts: Iterable<number>): number => [...counts].reduce((all, count) => all + count, 0)
const timeOf = (at: bigint | undefined): Timestamp | undefined => (at === undefined ? undefined : timestamp(at))

function linkStatus({ name, state }: LinkReport): LinkStatus {
  const [lastReceivedAt, lastPublishedAt] = [timeOf(state.lastReceivedAt), timeOf(state.lastPublishedAt)]
  return {
    name,
    up: state.isUp,
    since: timestamp(state.since),
    problem: state.problem ?? '',
    waiting: sumOf(state.lag.values()),
    received: state.received,
    published: state.published,
    dropped: sumOf(Object.values(state.dropped)),
    ...(lastReceivedAt && { lastReceivedAt }),
    ...(lastPublishedAt && { lastPublishedAt }),
  }
}

/** Of each adapter; enough to see which device it is. */
const namesShownMax = 20
const byCount = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts].toSorted(([, one], [, other]) => other - one).map(([name]) => name)

/** What lies further off than this says nothing; a century. */
const forecastMsMax = 3.156e12
const durationOfMs = (ms: number) => duration(BigInt(Math.round(ms)) * nsPerMs)

const settledFates = ['stored', 'duplicate', 'ignored', 'carried', 'waiting', 'refused', 'not_taken'] as const

export function createStatus(parts: Parts): Status {
  const { site, clock, accounting, alarms, dataDir } = parts
  const startedAt = clock.now()

  function disk() {
    const { bavail, blocks, bsize } = statfsSync(dataDir)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }

  const rates = createRates({ clock, accounting, freeBytes: () => disk().freeBytes })
  rates.start()

  function inputStatuses(perSecond: ReadonlyMap<string, number>): InputStatus[] {
    const adapterOf = new Map(parts.inputs.map(({ name, adapter }) => [name, adapter.name]))
    const names = [...new Set([...adapterOf.keys(), ...accounting.byInput.keys()])].filter((name) => name !== noInput)
    return [...names.toSorted(), noInput].map((name) => {
      const fates = accounting.byInput.get(name) ?? new Map<FateName, number>()
      const lastFrameAt = rates.lastFrameAt(name)
      return {
        name: name === noInput ? 'none' : name,
        adapter: adapterOf.get(name) ?? '',
        up: true,
        frames: [...fates.values()].reduce((sum, count) => sum + count, 0),
        fates: settledFates.flatMap((fate) => ({ fate: wireFate[fate], count: fates.get(fate) ?? 0 })),
        framesPerSecond: perSecond.get(name) ?? 0,
        ...(lastFrameAt !== undefined && { lastFrameAt: timestamp(lastFrameAt) }),
      }
    })
  }

  function status(): GetStatusResponse {
    const { received, pending, ...fates } = accounting.totals
    const { freeBytes, totalBytes } = disk()
    const offset = parts.offset()
    const { total, byInput } = rates.framesPerSecond()
    const { watchedMs, fullInMs } = rates.disk()
    const { mqtt, grpc } = parts.connections()
    return {
      gateway: site.gateway,
      jurisdiction: site.jurisdiction,
      version,
      startedAt: timestamp(startedAt),
      received,
      pending,
      diskFreeBytes: freeBytes,
      diskTotalBytes: totalBytes,
      ...(watchedMs !== undefined && { diskWatched: durationOfMs(watchedMs) }),
      ...(fullInMs !== undefined && { diskFullIn: durationOfMs(Math.min(fullInMs, forecastMsMax)) }),
      inputs: inputStatuses(byInput),
      framesPerSecond: total,
      links: parts.links().map(linkStatus),
      plaintextExceptions: parts.plaintextExceptions(),
      warnings: [...parts.warnings],
      mqttConnections: mqtt,
      grpcStreams: grpc,
      fates: settledFates.map((name) => ({ fate: wireFate[name], count: fates[name] })),
      unknownQuantities: [...parts.unknownQuantities.counts].map(([adapter, { measurements, names }]) => ({
        adapter,
        measurements,
        names: byCount(names).slice(0, namesShownMax),
      })),
      alarms: alarms.list().map(({ code, about, text, since }) => ({
        code,
        text,
        alarmKey: `${code} ${about}`.trim(),
        active: true,
        level: SystemLevel.WARNING,
        since: timestamp(since),
      })),
      ...(offset ? { clockOffset: duration(BigInt(Math.round(offset.offsetS * 1e9))) } : undefined),
    }
  }

  return Object.assign(status, { disk, stop: () => rates.stop() })
}
