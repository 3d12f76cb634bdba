// A message that a wrong mapping refused: the device is acknowledged, the operator is told why, and after the fix it is read again
// with its original time. Through the command line, as an operator does it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { timestampNs } from '../proto/time.ts'
import { nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { listAll } from './gateway/reader.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const mapping = (path: string): string => `
mappings:
  - name: tank
    topics: [plant/+/state]
    device: =$topic[1]
    measurements:
      - {quantity: water_level, value: ${path}, unit: cm, required: true}
`

test('refused, fixed, replayed: stored with its original time, once', { timeout: 120_000 }, async () => {
  const dataDir = tempFolder('replay')
  const file = join(tempFolder('settings'), 'tocsin.yaml')
  const tocsin = (address: string, ...args: string[]): Promise<Outcome> =>
    run(nodePath, ['bin/tocsin', ...args, '--server', address], { cwd: projectHome, timeoutMs: 30_000 })

  writeFileSync(file, mapping('level.m'))
  const before = await startGatewayProcess({ dataDir, file })
  const device = await connectAsync(`mqtt://127.0.0.1:${before.mqttPort}`)
  // Resolves with the PUBACK: what cannot be read is acknowledged, or the device would send it for ever.
  await device.publishAsync('plant/tank-7/state', '{"level": {"cm": 142.5}}', { qos: 1 })
  await device.endAsync()
  const refusals = await tocsin(before.grpc, 'refusals')
  expect(refusals.stdout).toContain('plant/tank-7/state')
  expect(refusals.stdout).toContain('tank.measurements[0].value: is required and absent')
  expect(refusals.stdout, 'no payload is quoted').not.toContain('142.5')
  expect(await listAll(before.grpc, { devices: ['tank-7'] })).toEqual([])
  const receivedBefore = process.hrtime.bigint()
  await before.stop()

  writeFileSync(file, mapping('level.cm'))
  const after = await startGatewayProcess({ dataDir, file })
  const replayed = await tocsin(after.grpc, 'refusals', '--replay', '--all')
  expect(replayed.code, replayed.stderr).toBe(0)
  const again = await tocsin(after.grpc, 'refusals', '--replay', '--all')
  const events = await listAll(after.grpc, { devices: ['tank-7'] })
  await after.stop()

  expect(events).toHaveLength(1)
  const [event] = events
  expect(event?.body === 'observation' && event.observation.measurements?.[0]?.value).toBe('number')
  expect(event?.flags).toContain(3)
  // It was received by the first gateway, seconds before the second one even started.
  const ageNs = BigInt(Date.now()) * 1_000_000n - (timestampNs(event?.receivedAt) ?? 0n)
  expect(ageNs).toBeGreaterThan(process.hrtime.bigint() - receivedBefore)
  expect(again.stdout + again.stderr).not.toMatch(/1 stored/)
})
