// A gateway in a county's network: InfluxDB elsewhere is reached only by the county's proxy, and shows a certificate of the county's own
// authority.

import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { proxyFor } from '../gateway/proxy.ts'
import { readSettings, type Settings } from '../gateway/settings.ts'
import { extraAuthorities } from '../gateway/trust.ts'
import { nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { until } from './tools/broker.ts'
import { certificateAuthority } from './tools/certificates.ts'
import { run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const folder = tempFolder('proxy')
const host = 'influx.county-a.example'
const county = certificateAuthority('County A root')
const countyFile = join(folder, 'county-root.pem')
writeFileSync(countyFile, county.certificate, { mode: 0o644 })

const databases = {
  results: [
    { statement_id: 0, series: [{ name: 'databases', columns: ['name'], values: [['tocsin'], ['tocsin_exercise']] }] },
  ],
}

describe('a gateway behind a proxy', () => {
  const asked: string[] = []
  const tunnels: { target: string; authorization: string | undefined }[] = []
  let influxdb: Server
  let proxy: Server
  const portOf = (server: Server): number => (server.address() as AddressInfo).port
  const opened = (server: Server): Promise<Server> =>
    new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))

  beforeAll(async () => {
    const { certificate, key } = county.issue(host, { dnsNames: [host] })
    influxdb = await opened(
      createHttpsServer({ cert: certificate, key }, (request, response) => {
        asked.push(`${request.method} ${request.url?.split('?')[0]}`)
        request.resume().on('end', () => {
          response.setHeader('x-influxdb-version', '1.8.10')
          if (request.url?.startsWith('/query')) response.end(JSON.stringify(databases))
          else response.writeHead(204).end()
        })
      }),
    )
    // It alone knows where the name is.
    proxy = await opened(
      createHttpServer().on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        tunnels.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] })
        const beyond = connectTcp(portOf(influxdb), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
          beyond.write(head)
          beyond.pipe(socket).pipe(beyond)
        })
        beyond.on('error', () => socket.destroy())
        socket.on('error', () => beyond.destroy())
      }),
    )
  })
  afterAll(() => {
    for (const server of [proxy, influxdb]) {
      server.closeAllConnections()
      server.close()
    }
  })

  const settings = () => ({
    INFLUX_URL: `https://${host}:8086`,
    TELEMETRY_STORE: 'sqlite',
    PROXY_URL: `http://gateway:weir-heron-42@127.0.0.1:${portOf(proxy)}`,
  })

  async function publishTo(mqttPort: number): Promise<void> {
    const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`)
    await client.publishAsync('tocsin/in/senml/gauge-7', '[{"n":"water-level","u":"m","v":2.5}]', { qos: 1 })
    await client.endAsync()
  }

  test('writes nothing to an InfluxDB whose authority it does not know', async () => {
    const gateway = await startGatewayProcess({ settings: settings() })
    await publishTo(gateway.mqttPort)
    // The first answer may still be on its way when the second question is asked.
    await until(() => tunnels.length > 1, 'the proxy is asked', 10_000)
    const { stdout } = await run(nodePath, ['bin/tocsin', 'status', '--server', gateway.grpc], { cwd: projectHome })
    expect(stdout).toMatch(
      /influxdb .*influx\.county-a\.example:8086 cannot be reached \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/,
    )
    await gateway.stop()
    expect(asked).toEqual([])
  }, 40_000)

  test('writes to it with the county’s authority, and never asks for it but by the proxy', async () => {
    const gateway = await startGatewayProcess({ settings: { ...settings(), TLS_EXTRA_CA: countyFile } })
    await publishTo(gateway.mqttPort)
    await until(() => asked.includes('POST /write'), 'it is written', 15_000)
    await gateway.stop()
    // By the package influx, and by our own client.
    expect(new Set(asked)).toEqual(new Set(['GET /ping', 'GET /query', 'POST /write']))
    expect(new Set(tunnels.map(({ target }) => target))).toEqual(new Set([`${host}:8086`]))
    const authorization = `Basic ${Buffer.from('gateway:weir-heron-42').toString('base64')}`
    expect(new Set(tunnels.map((tunnel) => tunnel.authorization))).toEqual(new Set([authorization]))
    expect(gateway.stdout + gateway.stderr).not.toContain('weir-heron')
  }, 40_000)
})

const settingsOf = (environment: Record<string, string>): Settings => readSettings({ environment })

test.each([
  ['http://influx.county-b.example:8086', 'http://proxy.example:3128'],
  ['http://influx.county-a.example:8086', undefined],
  ['http://county-a.example', undefined],
  ['http://other-county-a.example', 'http://proxy.example:3128'],
  ['http://127.0.0.1:8086', undefined],
  ['http://[::1]:8086', undefined],
])('%s is asked by %s', (url, proxy) => {
  const settings = settingsOf({
    TOCSIN_PROXY_URL: 'http://proxy.example:3128',
    TOCSIN_PROXY_EXCEPT: 'county-a.example',
  })
  expect(proxyFor(url, settings)).toBe(proxy)
})

test('what is no proxy and what is no authority is said with its setting, without the password', () => {
  const wrong = settingsOf({ TOCSIN_PROXY_URL: 'socks5://me:weir-heron-42@proxy.example' })
  expect(() => proxyFor('http://x.example', wrong)).toThrow(/^proxy\.url: must be an address(?!.*weir)/)
  const none = join(folder, 'none.pem')
  writeFileSync(none, 'no certificate\n')
  expect(() => extraAuthorities(settingsOf({ TOCSIN_TLS_EXTRA_CA: none }))).toThrow(
    /^tls\.extra_ca: .* holds no certificate/,
  )
  expect(() => extraAuthorities(settingsOf({ TOCSIN_TLS_EXTRA_CA: `${none}.not` }))).toThrow(/cannot be read/)
  expect(extraAuthorities(settingsOf({ TOCSIN_TLS_EXTRA_CA: countyFile }))).toBe(county.certificate)
})
