// The thread of the InfluxDB store: it asks, reads long answers and encodes ours.

import { workerData } from 'node:worker_threads'
import { systemClock } from '../../clock.ts'
import { mainDatabase } from '../../outputs/influxdb/endpoint.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import { readerHandlers } from '../reading.ts'
import { type Caller, serveThread } from '../thread.ts'
import { createQueryClient } from './client.ts'
import { noHorizon, readHorizon } from './horizon.ts'
import { createInfluxdbReader } from './reader.ts'

const settings = workerData as InfluxdbSettings
const client = createQueryClient(settings, systemClock)
const databases = async () => ({
  main: mainDatabase(settings, await client.version()),
  exercise: settings.exerciseDatabase,
})
const reader = createInfluxdbReader(client, databases, async () => {
  // In 1.x levels answer also when none are made any more; elsewhere a bucket may be missing, and is not asked for in vain.
  const mayHaveLevels = settings.keepMs !== undefined || (await client.version()) === 'v1'
  return mayHaveLevels ? readHorizon(client, (await databases()).main) : noHorizon
})

const caller: Caller = serveThread(readerHandlers(reader, () => caller))
