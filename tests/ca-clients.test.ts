// Certificates as clients that we did not write meet them: mosquitto_pub and mosquitto_sub, Python's grpcio, and curl, with one of the own
// authority, one of an agency's, of nobody's, one that has ended, none, and one that is revoked while its connection is open; what each
// is told, and what the audit says of it.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LogEvent } from '../gateway/audit/log-event.ts'
import { openAuthority } from '../gateway/ca/authority.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { certificateAuthority, type Certified } from './tools/certificates.ts'
import { type Child, startChild } from './tools/child.ts'
import { mosquittoPub, mosquittoSub } from './tools/mosquitto.ts'
import { describeWithTools } from './tools/present.ts'
import { generatedFolder } from './tools/python-contract.ts'
import { runPython, startPython } from './tools/python.ts'
import { type Outcome, run } from './tools/run.ts'
import { tempFolder } from './tools/temp-folder.ts'

const home = tempFolder('ca-clients')
const dataDir = join(home, 'data')
const agency = certificateAuthority('An agency of the county')
const stranger = certificateAuthority('Somebody else')
const settings = {
  GATEWAY_JURISDICTION: 'county-a.example',
  TLS_CERTIFICATE: 'auto',
  TLS_CLIENT_CA: join(home, 'agency.pem'),
  TLS_CLIENT_CRL: join(home, 'agency-crl.pem'),
  MQTT_LISTEN: 'mqtts://127.0.0.1:0',
  HTTP_LISTEN: 'https://127.0.0.1:0',
}
const environment = Object.fromEntries(
  Object.entries({ DATA_DIR: dataDir, ...settings }).map(([name, value]) => [`TOCSIN_${name}`, value]),
)
let gateway: GatewayProcess
let contract: string

const tocsin = async (...args: string[]): Promise<Outcome> => {
  const env = { ...environment, PATH: process.env['PATH'] ?? '', HOME: home }
  const outcome = await run(nodePath, [join(projectHome, 'gateway/cli/main.ts'), ...args], {
    cwd: home,
    env,
    timeoutMs: 30_000,
  })
  expect([outcome.code, outcome.stderr]).toEqual([0, expect.not.stringContaining('tocsin:')])
  return outcome
}
const enroll = (...args: string[]): Promise<Outcome> => tocsin('enroll', ...args, '--server', gateway.grpc)

/** Of somebody else's making, as a folder like those that `tocsin enroll` makes. */
function bundle(name: string, { certificate, key }: Certified): string {
  const folder = join(home, name)
  mkdirSync(folder)
  for (const [file, content] of [
    ['certificate.pem', certificate],
    ['key.pem', key],
  ] as const) {
    writeFileSync(join(folder, file), content, { mode: 0o600 })
  }
  return folder
}

const authorityFile = join(dataDir, 'ca/authority.pem')
const pem = (folder: string | undefined, file: string): string =>
  folder === undefined ? '-' : join(home, folder, file)

const mqttsPort = (): string => /mqtts:\/\/127\.0\.0\.1:(\d+)/.exec(gateway.stdout)?.[1] ?? ''
const mqttArgs = (folder: string | undefined): string[] => [
  '-h',
  'localhost',
  '-p',
  mqttsPort(),
  '--cafile',
  authorityFile,
  ...(folder === undefined ? [] : ['--cert', pem(folder, 'certificate.pem'), '--key', pem(folder, 'key.pem')]),
]
const reading = '[{"n":"water-level","u":"m","v":2.31}]'
const publish = (folder: string | undefined, device = 'gauge-7'): Promise<Outcome> =>
  mosquittoPub([...mqttArgs(folder), '-q', '1', '-t', `tocsin/in/senml/${device}`, '-m', reading])

const callArgs = (folder: string | undefined, what: string): string[] => [
  contract,
  gateway.grpc.replace('127.0.0.1', 'localhost'),
  authorityFile,
  pem(folder, 'certificate.pem'),
  pem(folder, 'key.pem'),
  what,
]
const caller = join(import.meta.dirname, 'clients/caller.py')
const call = (folder: string | undefined): Promise<Outcome> => runPython(caller, callArgs(folder, 'list'))

const curlArgs = (folder: string | undefined, path: string): string[] => [
  '-sS',
  '-N',
  '--cacert',
  authorityFile,
  ...(folder === undefined ? [] : ['--cert', pem(folder, 'certificate.pem'), '--key', pem(folder, 'key.pem')]),
  gateway.http.replace('127.0.0.1', 'localhost') + path,
]
const curl = (folder: string | undefined, path = '/v1/events?limit=1'): Promise<Outcome> =>
  run('/usr/bin/curl', curlArgs(folder, path), { env: { PATH: '/usr/bin:/bin' } })

/** An entry as one line: what, by whom, on what, why. */
async function entries(having: RegExp): Promise<readonly string[]> {
  for (let look = 0; look < 20; look += 1) {
    const { stdout } = await tocsin('audit', 'list', '--json', '--limit', '1000', '--server', gateway.grpc)
    const lines = stdout.trim().split('\n').map(lineOf)
    const found = lines.filter((line) => having.test(line))
    if (found.length > 0) return found
    await sleep(250)
  }
  return []
}

function lineOf(json: string): string {
  const { agencyAgentId = '', extension } = JSON.parse(json) as LogEvent
  const { action, outcome, object = '', text = '', details = {} } = extension
  return [action, outcome, agencyAgentId, object, text, Object.values(details).join(' ')].join(' | ')
}

const doorsIn = (lines: readonly string[]): string[] =>
  [...new Set(lines.map((line) => line.split(' | ')[3]!.replace(/:\/\/.*/, '')))].toSorted()

describeWithTools('certificates and clients that others made', () => {
  beforeAll(async () => {
    writeFileSync(settings.TLS_CLIENT_CA, agency.certificate)
    writeFileSync(settings.TLS_CLIENT_CRL, await (await openAuthority(agency)).list([], Date.now()))
    await tocsin('ca', 'init', '--name', 'gateway.county-a.example')
    gateway = await startGatewayProcess({ dataDir, settings })
    contract = await generatedFolder()
    await enroll('device', 'gauge-7')
    await enroll('service', 'rms', '--role', 'observer')
    bundle('foreign', stranger.issue('gauge-7', { uris: ['spiffe://county-a.example/device/gauge-7'] }))
    const notAfter = new Date(Date.now() - 60_000)
    bundle('ended', agency.issue('gauge-7', { uris: ['spiffe://county-a.example/device/gauge-7'], notAfter }))
  }, 90_000)
  afterAll(() => gateway?.stop())

  test('the right one is let in, under its own name', async () => {
    expect(await publish('device-gauge-7')).toMatchObject({ code: 0, stderr: '' })
    expect((await call('service-rms')).stdout).toMatch(/^OK [1-9]\d*\n$/)
    const answer = await curl('service-rms')
    expect(JSON.parse(answer.stdout)).toMatchObject({ events: [{ sender: 'device:gauge-7' }] })
    expect(await entries(/^sign_in \| done \| device:gauge-7/)).toHaveLength(1)
    expect((await entries(/^list_events \| done \| service:rms/)).length).toBeGreaterThan(0)
    expect(await entries(/^issue_certificate \| done \| os:\S+ \| device:gauge-7/)).toHaveLength(1)
  }, 60_000)

  describe.each([
    ['foreign', 'of another authority', 'Its certificate is of an authority that is not trusted here.'],
    ['ended', 'that has ended', 'Its certificate has expired.'],
    [undefined, 'not at all', 'It showed no certificate.'],
  ])('one %s', (folder, _title, text) => {
    test(`is not let in by any door, and the audit says: ${text}`, async () => {
      const sent = await publish(folder)
      expect(sent.code).not.toBe(0)
      expect(sent.stderr).toMatch(/connection was lost|Protocol error|handshake|certificate/i)
      expect((await call(folder)).stdout).toMatch(/^UNAVAILABLE /)
      const asked = await curl(folder)
      expect([asked.code === 0, asked.stdout]).toEqual([false, ''])
      expect(asked.stderr).toMatch(/alert|reset|SSL|closed|empty reply|unexpected eof/i)
      expect(doorsIn(await entries(new RegExp(text)))).toEqual(['grpc', 'http', 'mqtts'])
    }, 60_000)
  })

  test('one that is revoked while it is in use is cut within seconds by every door, and not let in again', async () => {
    const sub = mosquittoSub([
      ...mqttArgs('service-rms'),
      '-d',
      '-V',
      '5',
      '-t',
      'tocsin/refused/rms',
      '-i',
      'rms',
      '-k',
      '60',
    ])
    const stream = startPython(caller, callArgs('service-rms', 'subscribe'), { input: '' })
    const http = startChild('/usr/bin/curl', curlArgs('service-rms', '/v1/stream'), {
      input: '',
      env: { PATH: '/usr/bin:/bin' },
    })
    const open: readonly Child[] = [sub, stream, http]
    try {
      await sub.waitFor('Subscribed (mid')
      await stream.waitFor('item caught_up')
      await http.waitFor(/event:|data:|:/)
      await tocsin('revoke', 'service:rms', '--reason', 'laptop lost')
      const since = Date.now()
      await stream.waitFor(/UNAUTHENTICATED|PERMISSION_DENIED/)
      await Promise.race([http.exited, sleep(10_000)])
      await sub.waitFor(/received DISCONNECT \(152\)/i)
      const tookMs = Date.now() - since
      expect(http.running).toBe(false)
      expect(tookMs).toBeLessThan(8_000)
    } finally {
      await Promise.all(open.map((child) => child.kill()))
    }
    const words = /The certificate [0-9a-f]{32} of service:rms was revoked: ask those who run the gateway for another\./
    expect((await call('service-rms')).stdout).toMatch(new RegExp(`^UNAUTHENTICATED ${words.source}`))
    expect((await curl('service-rms')).stdout).toMatch(words)
    const sent = await publish('service-rms')
    expect([sent.code === 0, sent.stderr]).toEqual([false, expect.stringMatching(/not authori[sz]ed/i)])
    const told = (await entries(words)).map((line) => line.split(' | ').slice(0, 2).join(' '))
    expect(told).toEqual(expect.arrayContaining(['sign_in denied', 'list_events denied']))
    expect(await entries(/^revoke_certificate \| done \| os:\S+ \| service:rms.*laptop lost/)).toHaveLength(1)
    expect(await publish('device-gauge-7')).toMatchObject({ code: 0 })
  }, 60_000)

  test('with one certificate revoked a principal goes on with another', async () => {
    const { stdout } = await enroll('device', 'gauge-7', '--out', 'second')
    const serial = /serial ([0-9a-f]+)/.exec(stdout)?.[1] ?? ''
    expect(await publish('second')).toMatchObject({ code: 0 })
    await tocsin('revoke', serial.slice(0, 12))
    await sleep(2_500)
    expect((await publish('second')).code).not.toBe(0)
    expect(await publish('device-gauge-7')).toMatchObject({ code: 0 })
  }, 60_000)

  test('an agency’s own authority vouches for its devices, and its own list revokes them', async () => {
    const issued = agency.issue('gauge-8', { uris: ['spiffe://county-a.example/device/gauge-8'] })
    bundle('gauge-8', issued)
    await tocsin('principals', 'add', 'device:gauge-8', '--server', gateway.grpc)
    expect(await publish('gauge-8', 'gauge-8')).toMatchObject({ code: 0 })
    const { X509Certificate } = await import('node:crypto')
    const { serialNumber } = new X509Certificate(issued.certificate)
    const list = await (await openAuthority(agency)).list([{ serial: serialNumber, atMs: Date.now() }], Date.now())
    writeFileSync(settings.TLS_CLIENT_CRL, list)
    await sleep(2_500)
    const sent = await publish('gauge-8', 'gauge-8')
    expect([sent.code === 0, sent.stderr]).toEqual([false, expect.stringMatching(/not authori[sz]ed/i)])
  }, 60_000)

  test('the gateway’s certificate is renewed without a restart, and who is connected stays', async () => {
    const sub = mosquittoSub([
      ...mqttArgs('device-gauge-7'),
      '-d',
      '-t',
      'tocsin/refused/stays',
      '-i',
      'stays',
      '-k',
      '60',
    ])
    try {
      await sub.waitFor('Subscribed (mid')
      await tocsin('ca', 'renew', '--name', 'gateway2.county-a.example')
      await expect.poll(async () => (await subjectNames()).join(' '), { timeout: 10_000 }).toContain('gateway2')
      expect(await publish('device-gauge-7')).toMatchObject({ code: 0 })
      expect(sub.running && !/disconnect/i.test(sub.stdout)).toBe(true)
    } finally {
      await sub.kill()
    }
    expect((await entries(/^load_certificate/)).length).toBeGreaterThan(0)
    expect((await entries(/^renew_certificate/)).length).toBeGreaterThan(0)
  }, 60_000)

  /** Of the certificates that the doors show now. */
  async function subjectNames(): Promise<string[]> {
    const { connect } = await import('node:tls')
    const ports = [gateway.grpc, new URL(gateway.http).host].map((address) => Number(address.split(':')[1]))
    return Promise.all(
      [...ports, Number(mqttsPort())].map(
        (port) =>
          new Promise<string>((resolve, reject) => {
            const socket = connect(
              { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] },
              () => {
                resolve(socket.getPeerCertificate().subjectaltname ?? '')
                socket.destroy()
              },
            )
            socket.on('error', reject)
          }),
      ),
    )
  }
})
