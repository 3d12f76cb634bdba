// A disk that is full, and the choice to close the doors: nobody signs in and nobody is given labelled data while that cannot be written,
// who reads already goes on, and all of it ends by itself. The disk is a small tmpfs in a mount namespace of the gateway's own.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { expect, test } from 'vitest'
import { findAnchors } from '../gateway/audit/find-anchors.ts'
import { verifyAudit } from '../gateway/audit/verify.ts'
import { canMountSmallDisks, mountSmallDisk } from './faults/small-disk.ts'
import { testClient } from './grpc-house.ts'
import { startGatewayProcess } from './gateway/process.ts'
import { tempFolder } from './tools/temp-folder.ts'

const canMount = await canMountSmallDisks()
const why = canMount ? '' : ' (left out: this machine lets no user mount a tmpfs of its own)'

test.skipIf(!canMount)(`close_doors on a full disk${why}`, { timeout: 120_000 }, async () => {
  const dataDir = join(tempFolder('full'), 'disk')
  mkdirSync(dataDir)
  await using disk = await mountSmallDisk(dataDir, 24)
  const file = join(tempFolder('settings'), 'tocsin.yaml')
  writeFileSync(file, 'inputs: [{name: people, adapter: senml, topics: [people/#], labels: [PII]}]\n')
  const gateway = await startGatewayProcess({
    dataDir,
    file,
    prefix: disk.prefix,
    settings: { LOG_SEGMENT_BYTES: '1MiB', AUDIT_WHEN_IT_FAILS: 'close_doors' },
  })
  const url = `mqtt://127.0.0.1:${gateway.mqttPort}`
  const signIn = async (): Promise<string> => {
    try {
      await (await mqtt.connectAsync(url, { reconnectPeriod: 0 }, false)).endAsync()
      return 'in'
    } catch (error) {
      return String(error)
    }
  }
  const read = async (): Promise<number> => (await fetch(`${gateway.http}/v1/events?topic=people/%23`)).status
  const device = await mqtt.connectAsync(url)
  await device.publishAsync('people/ring-7', '[{"n":"pulse","u":"beat/min","v":61}]', { qos: 1 })
  await device.endAsync()
  const console1 = testClient(gateway.grpc, 'tocsin.v1.EventService')
  const reader = console1.subscribe({ start: 'earliest', earliest: {}, heartbeatInterval: { seconds: 2 } })
  await reader.until(({ records }) => records.length >= 2)
  expect(await read()).toBe(200)

  disk.fill()
  // What fits into blocks that are there already is still written.
  await until(async () => (await read()) === 503)
  const answer = (await (await fetch(`${gateway.http}/v1/events?topic=people/%23`)).json()) as object
  expect(answer).toMatchObject({ error: 'audit_failed', message: expect.stringContaining('audit.when_it_fails') })
  expect(await signIn()).toMatch(/unavailable/i)
  expect((await fetch(`${gateway.http}/v1/status`)).status, 'who runs it can ask how it is').toBe(200)
  expect(await (await fetch(`${gateway.http}/readyz`)).text()).toContain('audit')
  expect(await (await fetch(`${gateway.http}/metrics`)).text()).toMatch(/tocsin_alarms_active\{code="audit_failed"\} 1/)
  const admin = testClient(gateway.grpc, 'tocsin.v1.AdminService')
  await expect(admin.unary('RemovePrincipal', { principal: 'device:x' })).rejects.toThrow(/audit\.when_it_fails/)
  admin.close()
  const heartbeats = reader.count('heartbeat')
  await reader.until((each) => each.count('heartbeat') > heartbeats)
  expect(reader.ended).toBe(false)
  const late = console1.subscribe({})
  await until(() => late.error !== undefined)
  expect(late.error?.message).toContain('audit')

  disk.makeRoom()
  await until(async () => (await read()) === 200)
  expect(await signIn()).toBe('in')
  reader.cancel()
  console1.close()
  await gateway.stop()

  const inside = disk.inside
  const actions: string[] = []
  const found = verifyAudit({
    folder: join(inside, 'audit'),
    anchors: findAnchors(inside),
    each: ({ action }) => void actions.push(action),
  })
  expect(found.faults).toEqual([])
  expect(found.anchored.length).toBeGreaterThan(0)
  expect(actions).toContain('audit_resumed')
  expect(actions.filter((action) => action === 'alarm_raised').length).toBeGreaterThan(0)
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 100) {
    if (await isSo()) return
    await sleep(100)
  }
  throw new Error('it did not come')
}
