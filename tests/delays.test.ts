// Devices whose secret is wrong: they wait longer and longer, are never locked out, and hold up nobody else.

import { expect, test } from 'vitest'
import { createDelays } from '../gateway/policy/delays.ts'
import { createPermissions } from '../gateway/policy/principals.ts'
import { readRoles } from '../gateway/policy/roles.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { readSettings } from '../gateway/settings.ts'
import { noWaitingRoom, openRegistry, principal } from './tools/registry.ts'

function house() {
  const time = { ms: 1_000 }
  const waits: number[] = []
  const delays = createDelays({ monotonic: () => BigInt(time.ms) * 1_000_000n }, async (ms) => {
    waits.push(ms)
    time.ms += ms
  })
  return { time, waits, delays }
}

test('a device that fails again and again waits up to eight seconds for each try, and is checked each time', async () => {
  const { waits, delays } = house()
  for (let n = 0; n < 12; n += 1) {
    expect(await delays.pass('gauge-7', '10.0.0.9')).toBe(true)
    delays.failed('gauge-7', '10.0.0.9')
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000])
})

test('another device, another address, and one that has succeeded, do not wait', async () => {
  const { waits, delays } = house()
  for (let n = 0; n < 6; n += 1) delays.failed('gauge-7', '10.0.0.9')
  await delays.pass('gauge-8', '10.0.0.9')
  await delays.pass('gauge-7', '10.0.0.10')
  delays.succeeded('gauge-7', '10.0.0.9')
  await delays.pass('gauge-7', '10.0.0.9')
  expect(waits).toEqual([])
})

test('an address that tries ever new names waits too', async () => {
  const { waits, delays } = house()
  for (let n = 0; n < 52; n += 1) delays.failed(`gauge-${n}`, '2001:db8::1')
  await delays.pass('gauge-99', '2001:db8::2')
  expect(waits).toEqual([1_000])
})

test('many tries at once stand behind each other, and beyond nine seconds are told to come later', async () => {
  const time = 1_000
  const waits: number[] = []
  const monotonic = () => BigInt(time) * 1_000_000n
  const delays = createDelays({ monotonic }, async (ms) => void waits.push(ms))
  for (let n = 0; n < 5; n += 1) delays.failed('gauge-7', '10.0.0.9')
  const answers = await Promise.all(Array.from({ length: 100 }, () => delays.pass('gauge-7', '10.0.0.9')))
  expect(waits).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000])
  expect(answers.filter(Boolean)).toHaveLength(9)
})

test('over MQTT a wrong name and a wrong secret get one answer, and the right secret after 100 failures is let in', async () => {
  const { waits, time, delays } = house()
  const secretHash = await hashSecret(Buffer.from('a secret of a gauge'))
  const registry = openRegistry(principal('device:gauge-7', { secretHash }))
  const settings = readSettings({ environment: {} })
  const { authenticate } = createPermissions({
    settings,
    registry,
    roles: readRoles([]),
    labelsOf: () => 0,
    devices: noWaitingRoom,
    delays,
  })
  const attempt = {
    clientId: 'gauge-7',
    protocolVersion: 5,
    listener: 'mqtt://127.0.0.1:1883',
    address: '10.0.0.9',
  } as const
  const by = (username: string, secret: string) => authenticate({ ...attempt, username, password: Buffer.from(secret) })
  expect(await by('gauge-7', 'wrong')).toEqual({ refused: 'credentials' })
  expect(await by('gauge-9', 'wrong')).toEqual({ refused: 'credentials' })
  for (let n = 0; n < 100; n += 1) delays.failed('gauge-7', '10.0.0.9')
  const before = time.ms
  expect(await by('gauge-7', 'a secret of a gauge')).toMatchObject({ name: 'device:gauge-7', authenticated: true })
  expect(time.ms - before).toBe(8_000)
  expect(await by('gauge-7', 'a secret of a gauge')).toMatchObject({ authenticated: true })
  expect(waits.every((ms) => ms <= 8_000)).toBe(true)
})
