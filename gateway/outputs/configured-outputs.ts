// The outputs that the settings switch on. A new gateway only listens: without a setting there is none.

import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Ids } from '../ids.ts'
import type { Log } from '../log/log.ts'
import type { Logger } from '../logger.ts'
import { includedOf } from '../policy/configured-view.ts'
import { isLoopback } from '../policy/principals.ts'
import { proxyFor } from '../proxy.ts'
import type { Settings } from '../settings.ts'
import { extraAuthorities } from '../trust.ts'
import { type InfluxdbOutput, createInfluxdbOutput } from './influxdb/influxdb.ts'
import { createQuarantine } from './influxdb/quarantine.ts'
import { createMqttOutput, type MqttOutParts, type MqttOutput } from './mqtt/mqtt.ts'
import { batchRowsMax, type InfluxdbSettings } from './influxdb/settings.ts'
import type { Touched } from './influxdb/touched.ts'

interface Parts {
  readonly settings: Settings
  readonly log: Log
  readonly ids: Ids
  readonly clock: Clock
  readonly alarms: Alarms
  readonly logger: Logger
}

/** Made before the broker, which reads from it; started after. */
export function mqttOutput(settings: Settings, parts: Omit<MqttOutParts, 'include'>): MqttOutput | undefined {
  const include = includedOf(settings['mqtt.out_include'], 'mqtt.out_include')
  return settings['mqtt.out'] ? createMqttOutput({ ...parts, include }) : undefined
}

export function influxdbOutput(parts: Parts & { readonly touched?: Touched }): InfluxdbOutput | undefined {
  const { settings, log, ids, ...others } = parts
  if (!settings['influx.url']) return undefined
  const quarantine = createQuarantine({ log, ids, clock: others.clock })
  return createInfluxdbOutput(influxdbSettings(settings), { ...others, quarantine })
}

/** Asked for where `influx.url` is set. */
export function influxdbSettings(settings: Settings): InfluxdbSettings {
  const url = settings['influx.url'] ?? ''
  const optional = {
    retentionPolicy: settings['influx.retention_policy'],
    org: settings['influx.org'],
    token: settings['influx.token'],
    username: settings['influx.username'],
    password: settings['influx.password'],
    keepMs: settings['influx.keep'],
    authorities: extraAuthorities(settings),
    proxy: proxyFor(url, settings),
  }
  return {
    url,
    version: settings['influx.version'],
    database: settings['influx.database'],
    exerciseDatabase: settings['influx.exercise_database'],
    gzip: settings['influx.gzip'] === 'auto' ? !isLocal(url) : settings['influx.gzip'] === 'on',
    timeoutMs: settings['influx.timeout'],
    batchRows: batchRowsMax,
    include: includedOf(settings['influx.include'], 'influx.include'),
    manage: settings['influx.manage'],
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value)) as Partial<InfluxdbSettings>),
  }
}

/** An address that is none is left to the output's own check, which says so. */
const isLocal = (url: string): boolean => URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''))
