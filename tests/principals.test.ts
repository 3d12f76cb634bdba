// Who is let in by MQTT, and as whom.

import { expect, test } from 'vitest'
import { createHashGate } from '../gateway/policy/hash-gate.ts'
import { createPermissions, type Permissions } from '../gateway/policy/principals.ts'
import { readRoles } from '../gateway/policy/roles.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { readSettings, type Settings } from '../gateway/settings.ts'
import { noWaitingRoom, openRegistry } from './tools/registry.ts'

const attempt = { clientId: 'gauge-7', protocolVersion: 4, listener: 'mqtt://127.0.0.1:1883' } as const
const named = { ...attempt, username: 'gauge', password: Buffer.from('secret') }

const permissionsOf = (settings: Settings, registry = openRegistry(), labelsOf = (_topic: string) => 0): Permissions =>
  createPermissions({ settings, registry, roles: readRoles([]), labelsOf, devices: noWaitingRoom })

async function permissions(environment: Record<string, string> = {}) {
  return permissionsOf(readSettings({ environment }))
}

async function withUser() {
  const users = [
    { name: 'gauge', secret_hash: await hashSecret(Buffer.from('secret')), publish: ['gauges/#'], subscribe: ['#'] },
  ]
  return permissionsOf({ ...readSettings({ environment: {} }), 'mqtt.users': users })
}

test('while nobody is listed, a device on this machine that has a name set is let in as one that has none', async () => {
  const { authenticate } = await permissions()
  for (const given of [attempt, named, { ...attempt, username: '' }]) {
    const principal = await authenticate({ ...given, address: '127.0.0.1' })
    expect(principal).toMatchObject({ name: 'mqtt:gauge-7', authenticated: false })
  }
})

test('who is anonymous on this machine may subscribe to $SYS; who is listed only where his own filters name it', async () => {
  const open = await permissions()
  const anonymous = await open.authenticate({ ...attempt, address: '127.0.0.1' })
  if ('refused' in anonymous) throw new Error('refused')
  expect(open.maySubscribe(anonymous, '$SYS/#')).toBe(true)
  const listed = await withUser()
  const user = await listed.authenticate({ ...named, address: '127.0.0.1' })
  if ('refused' in user) throw new Error('refused')
  expect(listed.maySubscribe(user, 'gauges/#')).toBe(true)
  expect(listed.maySubscribe(user, '$SYS/#')).toBe(false)
})

test('but not from elsewhere, and not where anonymous clients are unwanted', async () => {
  const open = await permissions()
  expect(await open.authenticate({ ...named, address: '192.0.2.7' })).toEqual({ refused: 'credentials' })
  const closed = await permissions({ TOCSIN_MQTT_ANONYMOUS: 'false' })
  expect(await closed.authenticate({ ...named, address: '127.0.0.1' })).toEqual({ refused: 'credentials' })
})

test('as soon as somebody is listed, a name is checked', async () => {
  const { authenticate } = await withUser()
  const address = '127.0.0.1'
  expect(await authenticate({ ...named, address })).toMatchObject({ name: 'mqtt:gauge', authenticated: true })
  for (const wrong of [{ password: Buffer.from('Secret') }, { username: 'gauge-8' }]) {
    expect(await authenticate({ ...named, ...wrong, address })).toEqual({ refused: 'credentials' })
  }
  expect(await authenticate({ ...attempt, address })).toMatchObject({ name: 'mqtt:gauge-7', authenticated: false })
})

test('who guesses from one address has so many tries at once, and who comes from elsewhere is let in meanwhile', async () => {
  const users = [{ name: 'gauge', secret_hash: await hashSecret(Buffer.from('secret')) }]
  const { authenticate } = createPermissions({
    devices: noWaitingRoom,
    settings: { ...readSettings({ environment: {} }), 'mqtt.users': users },
    registry: openRegistry(),
    roles: readRoles([]),
    labelsOf: () => 0,
    hashing: createHashGate({ atOnceMax: 1, waitingMax: 100, perHostMax: 3 }),
  })
  const guesses = Array.from({ length: 20 }, (_, i) =>
    authenticate({ ...named, password: Buffer.from(`guess ${i}`), address: '192.0.2.66' }),
  )
  const honest = authenticate({ ...named, address: '192.0.2.7' })
  expect(await honest).toMatchObject({ name: 'mqtt:gauge' })
  const answers = (await Promise.all(guesses)).map((answer) => ('refused' in answer ? answer.refused : 'let in'))
  expect(answers.slice(0, 3)).toEqual(['credentials', 'credentials', 'credentials'])
  expect(new Set(answers.slice(3))).toEqual(new Set(['unavailable']))
})
