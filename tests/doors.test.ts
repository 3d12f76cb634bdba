// A gateway as it stands on a network: TLS, a name and a secret, permissions by topic; and consoles with a client certificate.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentials } from '@grpc/grpc-js'
import { type MqttClient, connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { listAll } from './gateway/reader.ts'
import { certificateAuthority } from './tools/certificates.ts'
import { tempFolder } from './tools/temp-folder.ts'

const secret = 'a long and secret sentence'

describe('a gateway with TLS, users and client certificates', () => {
  const folder = tempFolder('doors')
  const authority = certificateAuthority('County A test authority')
  const server = authority.issue('localhost', { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] })
  const console = authority.issue('console-1')
  let gateway: GatewayProcess

  beforeAll(async () => {
    const file = join(folder, 'tocsin.yaml')
    const user = { name: 'gauges', secret_hash: await hashSecret(Buffer.from(secret)) }
    writeFileSync(
      file,
      `mqtt:\n  anonymous: false\n  users:\n    - {name: ${user.name}, secret_hash: "${user.secret_hash}", publish: [tocsin/in/senml/+], subscribe: [news/#]}\n`,
    )
    for (const [name, content] of [
      ['cert.pem', server.certificate],
      ['key.pem', server.key],
      ['ca.pem', authority.certificate],
    ] as const) {
      writeFileSync(join(folder, name), content)
      chmodSync(join(folder, name), 0o600)
    }
    gateway = await startGatewayProcess({
      file,
      settings: {
        MQTT_LISTEN: 'mqtts://127.0.0.1:0',
        TLS_CERTIFICATE: join(folder, 'cert.pem'),
        TLS_KEY: join(folder, 'key.pem'),
        TLS_CLIENT_CA: join(folder, 'ca.pem'),
      },
    })
  }, 60_000)

  afterAll(() => gateway?.stop())

  const connect = (options: object): Promise<MqttClient> =>
    connectAsync(`mqtts://127.0.0.1:${mqttsPort()}`, {
      ca: authority.certificate,
      cert: console.certificate,
      key: console.key,
      reconnectPeriod: 0,
      protocolVersion: 5,
      servername: 'localhost',
      ...options,
    })
  const mqttsPort = (): string => /mqtts:\/\/127\.0\.0\.1:(\d+)/.exec(gateway.stdout)?.[1] ?? ''

  test('a certificate whose name nobody has entered lets its device speak, and what it says waits; it reads nothing', async () => {
    const stranger = await connect({ clientId: 'stranger' })
    await stranger.publishAsync('tocsin/in/senml/stranger', '[{"n":"water-level","u":"m","v":9}]', { qos: 1 })
    const wide = await stranger.subscribeAsync('#', { qos: 1 }).catch((error: unknown) => error)
    expect(JSON.stringify(wide) + String(wide)).toMatch(/135|128|not authorized|unspecified/i)
    const answer = await fetch(`${gateway.http}/v1/devices/waiting`)
    const { devices } = (await answer.json()) as { devices: Record<string, unknown>[] }
    expect(devices).toMatchObject([{ principal: 'unknown', messages: '1', topics: ['tocsin/in/senml/stranger'] }])
    const { device } = devices[0] as { device: string }
    const cut = new Promise<void>((resolve) => stranger.once('close', () => resolve()))
    const blocked = await fetch(`${gateway.http}/v1/devices/block?device=${device}`, { method: 'POST' })
    expect(await blocked.json()).toEqual({ devices: 1, messages: 1 })
    await cut
    await expect(connect({})).rejects.toThrow(/not authori|bad user|refused/i)
  })

  test('nobody is let in with a wrong secret', async () => {
    await expect(connect({ username: 'gauges', password: 'wrong' })).rejects.toThrow(/not authori|bad user|refused/i)
    await expect(connect({ cert: undefined, key: undefined, username: 'gauges', password: secret })).rejects.toThrow(
      /certificate|alert|closed|reset|hang up/i,
    )
  })

  test('a user publishes and reads where the settings say, and nowhere else', async () => {
    const client = await connect({ username: 'gauges', password: secret })
    await client.publishAsync('tocsin/in/senml/gauge-7', '[{"n":"water-level","u":"m","v":1}]', { qos: 1 })
    await expect(client.publishAsync('other/topic', 'x', { qos: 1 })).rejects.toThrow(/not authorized/i)
    const [granted] = await client.subscribeAsync('news/#', { qos: 1 })
    expect(granted?.qos).toBe(1)
    const wide = await client.subscribeAsync('#', { qos: 1 }).catch((error: unknown) => error)
    expect(JSON.stringify(wide) + String(wide)).toMatch(/135|128|not authorized|unspecified/i)
    await client.endAsync()
  })

  test('a console with a certificate reads; what came is AUTHENTICATED, what was forbidden is in quarantine', async () => {
    const channel = credentials.createSsl(
      Buffer.from(authority.certificate),
      Buffer.from(console.key),
      Buffer.from(console.certificate),
    )
    const events = await listAll(gateway.grpc, { devices: ['gauge-7'] }, channel)
    expect(events.map(({ authenticity }) => authenticity)).toEqual([2])
    const metrics = await (await fetch(`${gateway.http}/metrics`)).text()
    expect(metrics).toMatch(/tocsin_frames_refused_total\{fault="forbidden"\} 1/)
  })

  test('neither secrets nor keys are in what the gateway says', () => {
    expect(gateway.stdout + gateway.stderr).not.toContain(secret)
    expect(gateway.stdout + gateway.stderr).not.toContain('PRIVATE KEY')
  })
})
