// The thread of the InfluxDB store: it asks, reads long answers and encodes ours.

import { workerData } from 'node:worker_threads'
import { systemClock } from '../../clock.ts'
import { mainDatabase } from '../../outputs/influxdb/endpoint.ts'
import type { InfluxdbSettings } from '../../outputs/influxdb/settings.ts'
import { readerHandlers } from '../reading.ts'
import { type Caller, serveThread } from '../thread.ts'
import { createQueryClient } from './client.ts'
import { horizonOf } from './horizon.ts'
import { createInfluxdbReader } from './reader.ts'

const settings = workerData as InfluxdbSettings
const client = createQueryClient(settings, systemClock)
const databases = async () => ({
  main: mainDatabase(settings, await client.version()),
  exercise: settings.exerciseDatabase,
})
const reader = createInfluxdbReader(client, databases, () => horizonOf(client, settings))

const caller: Caller = serveThread(readerHandlers(reader, () => caller))
