// The telemetry store that the settings choose: `auto` takes the InfluxDB that the gateway writes to, and without one the SQLite file. And
// the levels that outlive its values.

import { GatewayError } from '../../proto/errors.ts'
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import { influxdbSettings } from '../outputs/configured-outputs.ts'
import type { Output } from '../outputs/output.ts'
import type { Settings } from '../settings.ts'
import { createInfluxdbStore } from './influxdb/influxdb-store.ts'
import { createInfluxdbLevels, type InfluxdbLevels } from './influxdb/levels.ts'
import { removeTouchedFile, touchedFile } from './influxdb/touched-file.ts'
import { createSqliteStore } from './sqlite/sqlite-store.ts'
import type { TelemetryStore } from './store.ts'

export interface ConfiguredStore {
  readonly store: TelemetryStore
  /** Where the store is filled by an output of its own; it closes the store. */
  readonly output?: Output
  expire(): Promise<void>
  close(): Promise<void>
}

interface Parts {
  readonly settings: Settings
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly alarms: Alarms
  /** Of `configuredLevels`. */
  readonly levels: InfluxdbLevels | undefined
}

/**
 * Levels of the InfluxDB that is the store; the output tells them what it writes. Throws GatewayError settings_invalid.
 */
export function configuredLevels({
  settings,
  clock,
  logger,
  alarms,
}: Pick<Parts, 'settings' | 'clock' | 'logger' | 'alarms'>): InfluxdbLevels | undefined {
  const { data_dir: dataDir } = settings
  if (chosenStore(settings) !== 'influxdb') {
    // What is written from now on stands in it no longer: should levels be made again, they are made of everything.
    removeTouchedFile(touchedFile(dataDir))
    return undefined
  }
  return createInfluxdbLevels({
    dataDir,
    settings: influxdbSettings(settings),
    keepMs: { minutes: settings['telemetry.keep_minutes'], hours: settings['telemetry.keep_hours'] },
    clock,
    logger,
    alarms,
  })
}

/** Throws GatewayError settings_invalid. */
export async function configuredStore(parts: Parts): Promise<ConfiguredStore | undefined> {
  const { settings, log, clock, logger, alarms, levels } = parts
  const kind = chosenStore(settings)
  if (kind === 'off') return undefined
  if (kind === 'influxdb') {
    const store = createInfluxdbStore({ settings: influxdbSettings(settings), log, clock })
    return {
      store,
      // Without levels the database expires by itself.
      expire: async () => levels?.expire(),
      async close() {
        await store.close()
        await levels?.close()
      },
    }
  }
  const store = createSqliteStore({
    dataDir: settings.data_dir,
    keepMs: {
      values: settings['telemetry.keep'],
      minutes: settings['telemetry.keep_minutes'],
      hours: settings['telemetry.keep_hours'],
    },
    diskLowBytes: settings['log.disk_low'],
    log,
    clock,
    logger,
  })
  await store.resume()
  // A clock that jumped says nothing of what is old.
  const expire = async (): Promise<void> => {
    if (!alarms.list().some(({ code }) => code === 'clock_step')) await store.expire()
  }
  return { store, output: store, expire, close: async () => {} }
}

export function chosenStore(settings: Settings): 'sqlite' | 'influxdb' | 'off' {
  const chosen = settings['telemetry.store']
  if (chosen === 'auto') return settings['influx.url'] ? 'influxdb' : 'sqlite'
  if (chosen === 'influxdb' && !settings['influx.url'])
    throw new GatewayError('settings_invalid', 'telemetry.store is influxdb, but influx.url does not say where it is')
  return chosen
}
