// The InfluxDB store: answers from what the InfluxDB output has written; it writes nothing of its own.

import type { Clock } from '../../clock.ts'
import type { Log } from '../../log/log.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import { createReading, type Reading } from '../reading.ts'

export interface InfluxdbStoreParts {
  readonly settings: InfluxdbSettings
  readonly log: Log
  readonly clock: Clock
}

/** The name of the output, and of its bookmark. */
const writer = 'influxdb'

export function createInfluxdbStore({ settings, log, clock }: InfluxdbStoreParts): Reading {
  return createReading({
    program: new URL('./thread-program.ts', import.meta.url),
    data: settings,
    log,
    clock,
    place: () => log.bookmarks.get(writer) ?? { urgent: 0, routine: 0 },
  })
}
