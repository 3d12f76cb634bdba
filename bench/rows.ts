// Every row of the benchmark, in the order of the goals.

import { consoleLatency } from './console-latency.ts'
import { frozenConsole } from './frozen-console.ts'
import { idleConnections } from './idle.ts'
import { wholeJob, wholeJobOfSingles } from './influxdb-rows.ts'
import { durableIngest, durableIngestOfMany } from './ingest.ts'
import { telemetryAnswers, telemetryIngest } from './telemetry.ts'
import { permissions } from './permissions.ts'
import type { Row } from './row.ts'
import { version5AliasIngest, version5Ingest } from './versions.ts'

export const rows: readonly Row[] = [
  durableIngest,
  durableIngestOfMany,
  version5Ingest,
  version5AliasIngest,
  wholeJob,
  wholeJobOfSingles,
  consoleLatency,
  frozenConsole,
  idleConnections,
  telemetryAnswers,
  telemetryIngest,
  permissions,
]
