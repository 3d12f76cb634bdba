// Levels of the InfluxDB store, as the gateway has them: told by the output which rows it wrote, and once a minute to make levels and let
// values expire. Its promise: what the output counts as delivered is noted, on disk, for its hour to be made anew.

import type { Alarms } from '../../alarms.ts'
import type { Clock } from '../../clock.ts'
import type { Touched } from '../../outputs/influxdb/touched.ts'
import type { Logger } from '../../logger.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import type { Target } from '../../outputs/influxdb/rows.ts'
import { GatewayError } from '../../../proto/errors.ts'
import { rfc3339 } from '../../../proto/time.ts'
import { hourMs as hourLengthMs } from '../levels.ts'
import { createThread } from '../thread.ts'
import type { Expired } from './keeper.ts'
import type { LevelsThreadData } from './levels-program.ts'
import type { LevelKeepMs } from './level-policies.ts'
import { type Touch, touchedFile, type TouchedHour } from './touched-file.ts'

export interface InfluxdbLevels extends Touched {
  /** Makes levels of what was written, and moves the horizon. Rejects with a GatewayError that says what to do. */
  expire(): Promise<void>
  close(): Promise<void>
}

export interface InfluxdbLevelsParts {
  readonly dataDir: string
  readonly settings: InfluxdbSettings
  readonly keepMs: LevelKeepMs
  readonly clock: Clock
  readonly logger: Logger
  readonly alarms: Alarms
  /** Other than usual (KeeperParts), for tests. */
  readonly gatherMs?: number
}

/** A value that comes so long after its hour makes only its device's part of the hour anew. */
const lateMs = 600_000
/** What is remembered as noted; beyond it is noted again. */
const notedMax = 10_000

const name = 'influxdb levels'

export function createInfluxdbLevels(parts: InfluxdbLevelsParts): InfluxdbLevels {
  const { dataDir, settings, keepMs, clock, logger, alarms } = parts
  const { gatherMs } = parts
  const data: LevelsThreadData = {
    file: touchedFile(dataDir),
    settings,
    keepMs,
    ...(gatherMs !== undefined && { gatherMs }),
  }
  const program = new URL('./levels-program.ts', import.meta.url)
  const thread = createThread({
    program,
    name: 'tocsin-levels',
    data,
    handlers: { taking, begun, forgotten: () => noted.clear() },
  })
  /** Touches of the rows of a delivery, by hour and device; and of each measurement the hour that was touched last. */
  let touches = new Map<string, Touch>()
  let last: Readonly<Record<Target, Map<string, number>>> = { main: new Map(), exercise: new Map() }
  /** What is on disk: devices by hour. */
  const noted = new Map<string, Set<string>>()
  let lateBeforeMs = -Infinity
  let expiring: Promise<void> | undefined
  let closing = false

  const nowMs = (): number => Number(clock.now() / 1_000_000n)

  function taking(hours: readonly TouchedHour[]): void {
    for (const hour of hours) noted.delete(textOf(hour))
  }

  function begun(hours: number): void {
    logger.info({ hours }, 'minutes and hours are made of all values that InfluxDB has, the oldest first')
  }

  async function expire(): Promise<void> {
    const mayMove = !alarms.list().some(({ code }) => code === 'clock_step')
    try {
      tell(await thread.call<Expired>('expire', [nowMs(), mayMove]))
      alarms.clear('output_stalled', name)
    } catch (error) {
      if (closing) return
      // An InfluxDB that is away is told of by the output.
      if (error instanceof GatewayError && error.code !== 'peer_unreachable')
        alarms.raise(
          'output_stalled',
          name,
          `Minutes and hours of values are not made in InfluxDB: ${error.message}. It is tried again.`,
        )
      throw error
    }
  }

  function tell({ hours, gone, refused }: Expired): void {
    if (hours > 0) logger.debug({ hours }, 'levels of values were made in InfluxDB')
    if (hours > 0 && !refused) alarms.clear('output_refused', name)
    if (refused)
      alarms.raise(
        'output_refused',
        name,
        `InfluxDB refuses ${refused.rows} rows of minutes or hours, the last: ${refused.why}. What they stand for is lost when its values expire.`,
      )
    if (gone)
      alarms.raise(
        'retention_gap',
        name,
        `Values of ${gone.hours} hours between ${timeOf(gone.fromMs)} and ${timeOf(gone.toMs)} expired in InfluxDB before their minutes and ` +
          `hours were made: the gateway or InfluxDB was away for too long. Make influx.keep longer than that.`,
      )
  }

  return {
    add(target, measurement, atMs, device) {
      const hourMs = Math.floor(atMs / hourLengthMs) * hourLengthMs
      if (last[target].get(measurement) === hourMs) return
      const isLate = hourMs < lateBeforeMs
      if (!isLate) last[target].set(measurement, hourMs)
      const touch: Touch = { target, measurement, hourMs, device: isLate ? device : '' }
      touches.set(`${textOf(touch)}\n${touch.device}`, touch)
    },
    async flush() {
      const collected = [...touches.values()]
      touches = new Map()
      last = { main: new Map(), exercise: new Map() }
      lateBeforeMs = Math.floor((nowMs() - lateMs) / hourLengthMs) * hourLengthMs
      const fresh = collected.filter((touch) => {
        const devices = noted.get(textOf(touch))
        return !devices?.has('') && !devices?.has(touch.device)
      })
      if (fresh.length === 0) return
      // Noted as known only when it is on disk, and after the rows are in InfluxDB: an hour that is taken meanwhile is noted again.
      await thread.call('touch', [fresh, nowMs()])
      if (noted.size > notedMax) noted.clear()
      for (const touch of fresh) {
        const text = textOf(touch)
        const devices = noted.get(text)
        if (devices) devices.add(touch.device)
        else noted.set(text, new Set([touch.device]))
      }
    },
    expire: () => (expiring ??= expire().finally(() => (expiring = undefined))),
    async close() {
      closing = true
      await thread.close()
    },
  }
}

const textOf = ({ target, measurement, hourMs }: TouchedHour): string => `${target}\n${measurement}\n${hourMs}`

const timeOf = (ms: number): string => rfc3339(BigInt(ms) * 1_000_000n)
