// The audit of a whole gateway: what is done at each door is an entry, the chain survives a kill, and what is outside its files says how
// far it is.

import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mqtt from 'mqtt'
import { describe, expect, test } from 'vitest'
import { logAnchors, readStateAnchor } from '../gateway/audit/anchors.ts'
import { verifyAudit } from '../gateway/audit/verify.ts'
import { leaveNote } from '../gateway/audit/waiting-notes.ts'
import { nameOf } from '../gateway/cli/event-summary.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { AuditOutcome, SystemEventType } from '../proto/generated/types.ts'
import type { AuditEntry } from '../proto/generated/types.ts'
import { toNumber } from '../proto/int64.ts'
import { rfc3339, timestamp } from '../proto/time.ts'
import { testClient } from './grpc-house.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { tempFolder } from './tools/temp-folder.ts'

/** All that is written, as who verifies it reads it. */
function read(dataDir: string) {
  const anchors = [readStateAnchor(dataDir), ...logAnchors(dataDir, 1 << 30)].filter((anchor) => anchor !== undefined)
  const entries: AuditEntry[] = []
  const found = verifyAudit({ folder: join(dataDir, 'audit'), anchors, each: ({ entry }) => void entries.push(entry) })
  return { ...found, list: entries }
}

const short = ({ action, principal, outcome }: AuditEntry): string =>
  `${action} ${principal || '-'} ${nameOf(AuditOutcome, outcome)}`

async function connect(gateway: GatewayProcess, options: mqtt.IClientOptions): Promise<mqtt.MqttClient | Error> {
  try {
    const url = `mqtt://127.0.0.1:${gateway.mqttPort}`
    return await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 5_000, ...options }, false)
  } catch (error) {
    return error as Error
  }
}

async function settingsFile(): Promise<string> {
  const hash = await hashSecret(Buffer.from('correct horse'))
  const path = join(tempFolder('settings'), 'tocsin.yaml')
  writeFileSync(
    path,
    `gateway: {name: gateway.county-a.example, owner: em.county-a.example}\nmqtt: {anonymous: false, users: [{name: tank-7, secret_hash: "${hash}", publish: ['plant/#'], subscribe: ['plant/#']}]}\n`,
  )
  return path
}

describe('each door', () => {
  test('tells who came, from where, and what was refused; start and stop stand around it, and the log has the head', async () => {
    const file = await settingsFile()
    const gateway = await startGatewayProcess({ file })
    const { dataDir } = gateway
    const good = await connect(gateway, { username: 'tank-7', password: 'correct horse', clientId: 'tank-7' })
    expect(good).not.toBeInstanceOf(Error)
    const client = good as mqtt.MqttClient
    await client.subscribeAsync('plant/+/level')
    await client.publishAsync('somewhere/else', 'no', { qos: 1 })
    for (let time = 0; time < 5; time += 1) {
      const bad = await connect(gateway, { username: 'tank-7', password: 'guess', clientId: 'guesser' })
      expect(bad).toBeInstanceOf(Error)
    }
    const admin = testClient(gateway.grpc, 'tocsin.v1.AdminService')
    for (let time = 0; time < 3; time += 1) await admin.unary('GetStatus', {})
    await admin.unary('ListRefusals', {})
    admin.close()
    expect((await fetch(`${gateway.http}/v1/status`)).status).toBe(200)
    expect((await fetch(`${gateway.http}/v1/events`, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(401)
    expect(await (await fetch(`${gateway.http}/metrics`)).text()).toMatch(/^tocsin_audit_head \d+$/m)
    await client.endAsync()
    await sleep(100)
    await gateway.stop()

    const { list, faults, anchored, head } = read(dataDir)
    expect(faults).toEqual([])
    expect(list.map(short)).toEqual([
      'start - done',
      'sign_in mqtt:tank-7 done',
      'subscribe mqtt:tank-7 done',
      'publish mqtt:tank-7 denied',
      'sign_in - denied',
      'get_status grpc:anonymous done',
      'list_refusals grpc:anonymous done',
      'get_status http:anonymous done',
      'list_events - denied',
      'sign_out mqtt:tank-7 done',
      // What came again within the minute.
      'sign_in - denied',
      'get_status grpc:anonymous done',
      'stop - done',
    ])
    expect(list[4]).toMatchObject({ address: '127.0.0.1', type: SystemEventType.ACCESS_DENIED })
    expect(toNumber(list[10]?.count)).toBe(4)
    expect(list[10]?.details).toEqual(expect.arrayContaining([{ name: 'name_given', value: 'tank-7' }]))
    expect(toNumber(list[11]?.count)).toBe(2)
    expect(list[1]).toMatchObject({ element: 'gateway.county-a.example', agency: 'em.county-a.example' })
    expect(JSON.stringify(list)).not.toMatch(/guess"|correct horse/)
    // state.sqlite, the start and the stop in the log.
    expect(anchored.map(({ from }) => from.replace(/\d+/, 'N'))).toEqual([
      'state.sqlite',
      'record N of the log',
      'record N of the log',
    ])
    expect(anchored[0]?.number).toBe(head.number)
    expect(anchored[1]?.number).toBe(head.number)

    // With state.sqlite gone as well, the log still tells that the end was cut off.
    const again = await startGatewayProcess({ dataDir, file, settings: { GRPC_LISTEN: 'off' } })
    await again.stop()
    const second = read(dataDir)
    expect(second.list.slice(13).map(short)).toEqual(['change_settings - done', 'start - done', 'stop - done'])
    expect(second.list[13]).toMatchObject({ details: [{ name: 'grpc.listen', value: '"127.0.0.1:0" → "off"' }] })
    rmSync(join(dataDir, 'audit'), { recursive: true })
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(dataDir, `state.sqlite${suffix}`), { force: true })
    const third = await startGatewayProcess({ dataDir, file })
    await third.stop()
    const { list: left, faults: gone } = read(dataDir)
    expect(left.slice(0, 2).map(({ action }) => action)).toEqual(['audit_unanchored', 'audit_damaged'])
    expect(gone[0]).toMatchObject({ number: 1 })
  }, 60_000)

  test('a start that is refused, and what a command did beside the gateway, are entries at the next start', async () => {
    const dataDir = tempFolder('gateway')
    await (await startGatewayProcess({ dataDir })).stop()
    await expect(startGatewayProcess({ dataDir, settings: { MQTT_LISTEN: 'mqtt://0.0.0.0:0' } })).rejects.toThrow(
      /mqtt\.listen/,
    )
    leaveNote(dataDir, 1_790_000_000_000_000_000n, {
      action: 'backup',
      type: SystemEventType.BACKUP_MADE,
      outcome: 'done',
      object: '/mnt/usb',
    })
    await (await startGatewayProcess({ dataDir })).stop()
    const { list, faults } = read(dataDir)
    expect(faults).toEqual([])
    expect(list.map(({ action, outcome }) => `${action} ${nameOf(AuditOutcome, outcome)}`)).toEqual([
      'start done',
      'stop done',
      'backup done',
      'start denied',
      'start done',
      'stop done',
    ])
    expect(list[3]).toMatchObject({
      principal: expect.stringMatching(/^os:/),
      text: expect.stringContaining('mqtt.listen'),
    })
  }, 60_000)
})

test('each change of a principal is an entry with what was asked for, and nothing of its secrets', async () => {
  const gateway = await startGatewayProcess()
  const admin = testClient(gateway.grpc, 'tocsin.v1.AdminService')
  const secretHash = await hashSecret(Buffer.from('correct horse'))
  const principal = { principal: 'device:tank-9', roles: [], publishTopics: ['plant/tank-9/#'], note: 'pump house' }
  const until = BigInt(Math.floor(Date.now() / 1_000) + 30 * 86_400) * 1_000_000_000n
  const token = { id: 'tk1234567890', sha256: randomBytes(32), expiresAt: timestamp(until) }
  await admin.unary('PutPrincipal', { principal, secretHash, addTokens: [token], onlyNew: true })
  await admin.unary('PutPrincipal', { principal: { ...principal, disabled: true }, removeTokens: ['tk1234567890'] })
  await admin.unary('PutPrincipal', { principal, onlyNew: true }).catch(() => {})
  await admin.unary('RemovePrincipal', { principal: 'device:tank-9' })
  admin.close()
  await gateway.stop()
  const { list, faults } = read(gateway.dataDir)
  expect(faults).toEqual([])
  const changes = list.filter(({ type }) => type === SystemEventType.POLICY_CHANGE)
  expect(changes.map((entry) => `${short(entry)} ${entry.object}`)).toEqual([
    'put_principal grpc:anonymous done device:tank-9',
    'put_principal grpc:anonymous done device:tank-9',
    'put_principal grpc:anonymous failed device:tank-9',
    'remove_principal grpc:anonymous done device:tank-9',
  ])
  const details = changes.map(({ details: all = [] }) =>
    Object.fromEntries(all.map(({ name, value }) => [name, value])),
  )
  expect(details[0]).toEqual({
    publish_topics: '["plant/tank-9/#"]',
    note: 'pump house',
    secret: 'a new one',
    tokens_added: `tk1234567890 until ${rfc3339(until)}`,
    only_new: 'true',
  })
  expect(details[1]).toMatchObject({ disabled: 'true', tokens_removed: 'tk1234567890' })
  expect(JSON.stringify(list)).not.toContain('argon2id')
}, 60_000)

test('a gateway killed again and again while clients come and go leaves a whole chain, and loses nothing that was anchored', async () => {
  const dataDir = tempFolder('gateway')
  let before = 0
  for (let life = 0; life < 4; life += 1) {
    const gateway = await startGatewayProcess({ dataDir })
    let isOver = false
    const coming = (async () => {
      while (!isOver) {
        const clients = await Promise.all(
          Array.from({ length: 20 }, () => connect(gateway, { clientId: randomBytes(6).toString('hex') })),
        )
        for (const client of clients) if (!(client instanceof Error)) client.end(true)
      }
    })()
    await sleep(300 + 150 * life)
    await gateway.kill()
    isOver = true
    await coming
    const { faults, head } = read(dataDir)
    expect(faults).toEqual([])
    expect(head.number).toBeGreaterThan(before)
    before = head.number
  }
  await (await startGatewayProcess({ dataDir })).stop()
  expect(read(dataDir)).toMatchObject({ faults: [], unfinishedBytes: 0 })
  expect(before).toBeGreaterThan(50)
}, 90_000)
