// What the gateway tells of itself when somebody asks: AdminService.GetStatus, and the disk for metrics.

import { statfsSync } from 'node:fs'
import { SystemLevel } from '../proto/generated/types.ts'
import type { GetStatusResponse } from '../proto/generated/types.ts'
import { duration, timestamp } from '../proto/time.ts'
import { type Accounting, wireFate } from './accounting.ts'
import type { Alarms } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { ClockOffset } from './clock-offset.ts'
import type { Log } from './log/log.ts'
import type { Site } from './normalise.ts'
import type { UnknownQuantities } from './quantities.ts'
import { version } from './version.ts'

export interface Status {
  (): GetStatusResponse
  disk(): { readonly freeBytes: number; readonly totalBytes: number }
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
}

/** Of each adapter; enough to see which device it is. */
const namesShownMax = 20
const byCount = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts].toSorted(([, one], [, other]) => other - one).map(([name]) => name)

const settledFates = ['stored', 'duplicate', 'ignored', 'carried', 'refused', 'not_taken'] as const

export function createStatus(parts: Parts): Status {
  const { site, clock, accounting, alarms, dataDir } = parts
  const startedAt = clock.now()

  function disk() {
    const { bavail, blocks, bsize } = statfsSync(dataDir)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }

  function status(): GetStatusResponse {
    const { received, pending, ...fates } = accounting.totals
    const { freeBytes, totalBytes } = disk()
    const offset = parts.offset()
    return {
      gateway: site.gateway,
      jurisdiction: site.jurisdiction,
      version,
      startedAt: timestamp(startedAt),
      received,
      pending,
      diskFreeBytes: freeBytes,
      diskTotalBytes: totalBytes,
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

  return Object.assign(status, { disk })
}
