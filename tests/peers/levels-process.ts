// Makes the levels of an InfluxDB in a process of its own, so that it can be killed while it does. Arguments: the data folder, the address
// of InfluxDB, its database, and how long values are kept, in milliseconds.

import { createAlarms } from '../../gateway/alarms.ts'
import { systemClock } from '../../gateway/clock.ts'
import { createInfluxdbLevels } from '../../gateway/telemetry/influxdb/levels.ts'
import { settingsFor } from './influxdb-readings.ts'

const [dataDir = '', url = '', database = '', keepMs = ''] = process.argv.slice(2)
const levels = createInfluxdbLevels({
  dataDir,
  settings: {
    ...settingsFor(url, { database, exerciseDatabase: `${database}_exercise`, manage: true }),
    keepMs: Number(keepMs),
  },
  keepMs: { minutes: 1e12, hours: 1e12 },
  clock: systemClock,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  alarms: createAlarms(systemClock, () => {}),
  gatherMs: 0,
})
await levels.expire()
await levels.close()
process.stdout.write('done\n')
