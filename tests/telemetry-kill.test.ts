// kill -9 while values are written to the SQLite store: after the restart each acknowledged reading is there, once.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ListSeriesResponse, QuerySeriesResponse } from '../proto/generated/types.ts'
import { timestamp } from '../proto/time.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { createPublisher } from './gateway/publisher.ts'
import { testClient } from './grpc-house.ts'
import { valuesOf } from './telemetry-house.ts'
import { freePort } from './tools/free-port.ts'
import { tempFolder } from './tools/temp-folder.ts'

const kills = 6

test(`${kills} kills while values are written: none is missing, none is doubled`, { timeout: 120_000 }, async () => {
  const dataDir = tempFolder('telemetry-kill')
  const mqttPort = await freePort()
  const start = (): Promise<GatewayProcess> =>
    startGatewayProcess({ dataDir, mqttPort, settings: { TELEMETRY_STORE: 'sqlite', LOG_DISK_LOW: '0' } })
  const publisher = createPublisher({ port: mqttPort, clientId: 'device-0', window: 50 })
  let gateway = await start()
  void publisher.run()
  for (let kill = 0; kill < kills; kill++) {
    await sleep(350 + ((kill * 97) % 300))
    await gateway.kill()
    gateway = await start()
  }
  await sleep(300)
  await publisher.finish()

  const client = testClient(gateway.grpc, 'tocsin.v1.TelemetryService')
  const from = timestamp(1n)
  const ask = async (): Promise<number[]> => {
    const { series = [] } = await client.unary<ListSeriesResponse>('ListSeries', { devices: ['device-0'] })
    const quantity = series[0]?.quantity
    if (quantity === undefined) return []
    const request = { quantity, from, maxPoints: 100_000 }
    return valuesOf(await client.unary<QuerySeriesResponse>('QuerySeries', request))
      .flat()
      .map(Number)
  }
  await expect.poll(async () => (await ask()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(publisher.sent)
  const values = await ask()
  client.close()
  await gateway.stop()
  expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: publisher.sent }, (_, n) => n))
  expect(publisher.sent).toBeGreaterThan(kills * 50)
})
