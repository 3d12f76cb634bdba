// The telemetry store that the settings choose: `auto` takes the InfluxDB that the gateway writes to, and without one the SQLite file.

import { GatewayError } from '../../proto/errors.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import { influxdbSettings } from '../outputs/configured-outputs.ts'
import type { Output } from '../outputs/output.ts'
import type { Settings } from '../settings.ts'
import { createInfluxdbStore } from './influxdb/influxdb-store.ts'
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
}

/** Throws GatewayError settings_invalid. */
export async function configuredStore({ settings, log, clock, logger }: Parts): Promise<ConfiguredStore | undefined> {
  const kind = chosenStore(settings)
  if (kind === 'off') return undefined
  if (kind === 'influxdb') {
    const store = createInfluxdbStore({ settings: influxdbSettings(settings), log, clock })
    // The database expires by itself.
    return { store, close: store.close, expire: async () => {} }
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
  return { store, output: store, expire: store.expire, close: async () => {} }
}

export function chosenStore(settings: Settings): 'sqlite' | 'influxdb' | 'off' {
  const chosen = settings['telemetry.store']
  if (chosen === 'auto') return settings['influx.url'] ? 'influxdb' : 'sqlite'
  if (chosen === 'influxdb' && !settings['influx.url'])
    throw new GatewayError('settings_invalid', 'telemetry.store is influxdb, but influx.url does not say where it is')
  return chosen
}
