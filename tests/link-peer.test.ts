// A link to a real broker: over TLS with a name and a password that stands in a file, through kill -9 of the gateway, and in the other
// version and over the other transport through cuts.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createMqttClient } from './faults/mqtt-client.ts'
import { startTcpProxy } from './faults/tcp-proxy.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { scrape } from './prove/metrics.ts'
import { startPeer } from './prove/peer.ts'
import { until } from './tools/broker.ts'
import { certificateAuthority } from './tools/certificates.ts'
import { debian } from './tools/debian.ts'
import { freePort } from './tools/free-port.ts'
import { mosquittoSub, startMosquitto } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { tempFolder } from './tools/temp-folder.ts'

function settingsFile(folder: string, link: readonly string[]): string {
  const file = join(folder, 'tocsin.yaml')
  const lines = [
    'gateway: {name: a.example}',
    'mqtt:',
    '  links:',
    '    - name: b',
    ...link.map((line) => `      ${line}`),
  ]
  writeFileSync(file, lines.join('\n'))
  return file
}

const up = async ({ http }: GatewayProcess): Promise<boolean> => (await scrape(http)).total('tocsin_link_up') === 1
async function untilUp(gateway: GatewayProcess): Promise<void> {
  for (const lateMs = performance.now() + 20_000; !(await up(gateway)); await sleep(50))
    if (performance.now() > lateMs) throw new Error(`the link does not come up: ${gateway.stderr.slice(-800)}`)
}

describeWithTools('a link to mosquitto', () => {
  test('over TLS shows its name and password, and trusts only the authority that it is told', async () => {
    const folder = tempFolder('link-tls')
    const [ours, others] = [certificateAuthority('County B'), certificateAuthority('Somebody else')]
    const server = ours.issue('localhost', { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] })
    const put = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content, { mode: 0o600 })
      return join(folder, name)
    }
    const users = put('users', '')
    const passwd = debian.programPath('mosquitto_passwd')
    execFileSync(passwd, ['-b', users, 'county-a', 'hush-hush-hush'], { env: debian.environment() })
    await using mosquitto = await startMosquitto({
      config: [
        'allow_anonymous false',
        `password_file ${users}`,
        `cafile ${put('ca.pem', ours.certificate)}`,
        `certfile ${put('cert.pem', server.certificate)}`,
        `keyfile ${put('key.pem', server.key)}`,
      ].join('\n'),
    })
    const link = (ca: string): string =>
      settingsFile(folder, [
        `url: mqtts://localhost:${mosquitto.port}`,
        'username: county-a',
        `password_file: ${put('secret', 'hush-hush-hush\n')}`,
        `ca: ${ca}`,
        'out: [{filter: "orders/#", remote_prefix: "county-a/"}]',
      ])
    await using gateway = await startGatewayProcess({ file: link(join(folder, 'ca.pem')) })
    await untilUp(gateway)
    const login = ['-u', 'county-a', '-P', 'hush-hush-hush', '--cafile', join(folder, 'ca.pem')]
    const where = ['-h', 'localhost', '-p', String(mosquitto.port), '-V', '5', ...login]
    await using sub = mosquittoSub([...where, '-q', '1', '-d', '-t', '#', '-F', '%t %p'])
    await sub.waitFor(/Subscribed \(mid/)
    const device = createMqttClient({ port: gateway.mqttPort, clientId: 'device' })
    await device.connect()
    device.publish({ topic: 'orders/7', payload: 'go', qos: 1 })
    await sub.waitFor(/county-a\/orders\/7 go/)
    await device.disconnect()
    expect(gateway.stderr + gateway.stdout).not.toContain('hush')

    await using deceived = await startGatewayProcess({ file: link(put('others.pem', others.certificate)) })
    await deceived.waitFor(/the link is down/)
    expect(await up(deceived)).toBe(false)
    expect(deceived.stderr).toMatch(/certificate/)
  }, 90_000)

  test('loses nothing and doubles no QoS 2 through kill -9 of the gateway', async () => {
    const folder = tempFolder('link-kill')
    await using mosquitto = await startPeer('mosquitto', { mosquitto: 'max_inflight_messages 100' })
    const file = settingsFile(folder, [
      `url: mqtt://127.0.0.1:${mosquitto.port}`,
      'in: [{filter: "up/#", qos: 2}]',
      'out: [{filter: "down/#"}]',
    ])
    const options = { file, dataDir: tempFolder('link-kill-data'), mqttPort: await freePort() }
    let gateway = await startGatewayProcess(options)
    await untilUp(gateway)
    const acknowledged = { up: new Set<number>(), down: new Set<number>() }
    const got = { up: [] as number[], down: [] as number[] }
    const client = (port: number, way: 'up' | 'down', role: string) =>
      createMqttClient({
        port,
        clientId: `${role}-${way}`,
        onMessage: ({ payload }) => void got[way].push(Number(payload.toString('latin1'))),
        onAcknowledged: (token) => void acknowledged[way].add(token),
      })
    const here = [client(options.mqttPort, 'up', 'reader'), client(options.mqttPort, 'down', 'publisher')] as const
    const there = [client(mosquitto.port, 'up', 'publisher'), client(mosquitto.port, 'down', 'reader')] as const
    for (const each of [...here, ...there]) await each.connect()
    await here[0].subscribe(['up/#'], 2)
    await there[1].subscribe(['down/#'], 2)
    let n = 0
    const filler = setInterval(() => {
      n++
      there[0].publish({ topic: 'up/2', payload: String(n), qos: 2, token: n })
      here[1].publish({ topic: 'down/2', payload: String(n), qos: 2, token: n })
    }, 4)
    for (let kill = 0; kill < 3; kill++) {
      await sleep(700 + kill * 150)
      await gateway.kill()
      gateway = await startGatewayProcess(options)
      for (const each of here) await each.connect()
    }
    await untilUp(gateway)
    await sleep(500)
    clearInterval(filler)
    const missing = (way: 'up' | 'down'): number[] => {
      const had = new Set(got[way])
      return [...acknowledged[way]].filter((each) => !had.has(each))
    }
    await until(() => missing('up').length + missing('down').length === 0, 'all that was acknowledged', 20_000)
    expect(acknowledged.up.size).toBeGreaterThan(200)
    expect(new Set(got.up).size).toBe(got.up.length)
    for (const each of [...here, ...there]) await each.disconnect()
    await gateway.stop()
  }, 120_000)

  test('in MQTT 3.1.1 loses nothing through cuts, and doubles no QoS 2', async () => {
    await using mosquitto = await startMosquitto({ config: 'max_queued_messages 0\nmax_inflight_messages 50' })
    await throughCuts(mosquitto.port, mosquitto.port, 'mqtt', 4)
  }, 60_000)
})

test('a link to another gateway over WebSocket loses nothing through cuts, and doubles no QoS 2', async () => {
  await using other = await startGatewayProcess({ settings: { MQTT_LISTEN: 'mqtt://127.0.0.1:0, ws://127.0.0.1:0' } })
  const webSocketPort = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(other.stdout)?.[1])
  await throughCuts(other.mqttPort, webSocketPort, 'ws', 5)
}, 60_000)

/** `port` is where the other broker takes plain MQTT, `linkPort` where the link goes. */
async function throughCuts(port: number, linkPort: number, scheme: string, version: 4 | 5): Promise<void> {
  await using proxy = await startTcpProxy(linkPort)
  const file = settingsFile(tempFolder('link-cuts'), [
    `url: ${scheme}://127.0.0.1:${proxy.port}`,
    `version: ${version}`,
    'in: [{filter: "up/#", qos: 2}]',
    'out: [{filter: "down/#"}]',
  ])
  await using gateway = await startGatewayProcess({ file })
  await untilUp(gateway)
  const got: Record<string, number[]> = { up: [], down: [] }
  const reader = async (at: number, way: string) => {
    const client = createMqttClient({
      port: at,
      clientId: `reader-${way}`,
      onMessage: ({ payload }) => void got[way]!.push(Number(payload.toString('latin1'))),
    })
    await client.connect()
    await client.subscribe([`${way}/#`], 2)
    return client
  }
  const readers = [await reader(gateway.mqttPort, 'up'), await reader(port, 'down')]
  const [there, here] = [port, gateway.mqttPort].map((at) =>
    createMqttClient({ port: at, clientId: `publisher-${at}` }),
  )
  await Promise.all([there!.connect(), here!.connect()])
  let n = 0
  const filler = setInterval(() => {
    n++
    there!.publish({ topic: 'up/2', payload: String(n), qos: 2 })
    here!.publish({ topic: 'down/1', payload: String(n), qos: 1 })
  }, 4)
  for (const how of ['fin', 'rst', 'rst'] as const) {
    await sleep(600)
    proxy.cut(how)
    await sleep(100)
    await untilUp(gateway)
  }
  clearInterval(filler)
  await until(() => new Set(got['up']).size === n && new Set(got['down']).size === n, 'all of it', 20_000)
  await sleep(300)
  expect(got['up']!.length).toBe(n)
  for (const client of [...readers, there!, here!]) await client.disconnect()
}
