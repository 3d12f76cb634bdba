// HTTP over TLS, as it stands on a network: who is known by a certificate or a token, and what the others are told.

import { chmodSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeToken } from '../gateway/policy/tokens.ts'
import { timestamp } from '../proto/time.ts'
import { serviceDefinition } from '../proto/wire.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway/process.ts'
import { certificateAuthority } from './tools/certificates.ts'
import { tempFolder } from './tools/temp-folder.ts'

const authority = certificateAuthority('County A test authority')
const stranger = certificateAuthority('Somebody else')
const server = authority.issue('gateway', { dnsNames: ['gateway.example'], ipAddresses: ['127.0.0.1'] })
const anna = authority.issue('person:anna')
const unknown = authority.issue('person:ben')
const foreign = stranger.issue('person:anna')
const token = makeToken()
let gateway: GatewayProcess

interface Answer {
  readonly status: number
  readonly body: string
}

function ask(path: string, options: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
  const { port } = new URL(gateway.http)
  const how = { host: '127.0.0.1', port, path, ca: authority.certificate, headers, agent: false, ...options }
  return new Promise((resolve, reject) => {
    const asked = request(how, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => (body += text))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    asked.on('error', reject).end()
  })
}
const by = ({ certificate, key }: { certificate: string; key: string }): object => ({ cert: certificate, key })

function put(principal: object, more: object = {}): Promise<void> {
  const Admin = makeGenericClientConstructor(serviceDefinition('tocsin.v1.AdminService'), 'Admin')
  // The gRPC door of this gateway is on this machine, but asks for a certificate as well; one that nobody entered makes nobody of anybody.
  const channel = credentials.createSsl(
    Buffer.from(authority.certificate),
    Buffer.from(unknown.key),
    Buffer.from(unknown.certificate),
  )
  const client = new Admin(gateway.grpc, channel)
  return new Promise<void>((resolve, reject) => {
    client['PutPrincipal']!({ principal, ...more }, (error: Error | null) => (error ? reject(error) : resolve()))
  }).finally(() => client.close())
}

beforeAll(async () => {
  const folder = tempFolder('https')
  for (const [name, content] of [
    ['cert.pem', server.certificate],
    ['key.pem', server.key],
    ['ca.pem', authority.certificate],
  ] as const) {
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), 0o600)
  }
  gateway = await startGatewayProcess({
    settings: {
      HTTP_LISTEN: 'https://127.0.0.1:0',
      TLS_CERTIFICATE: join(folder, 'cert.pem'),
      TLS_KEY: join(folder, 'key.pem'),
      TLS_CLIENT_CA: join(folder, 'ca.pem'),
      TLS_CLIENT_CERTIFICATES: 'optional',
    },
  })
  await put({ principal: 'person:anna', roles: ['observer'] })
  const expiresAt = timestamp(BigInt(Date.now() + 86_400_000) * 1_000_000n)
  const addTokens = [{ id: token.id, sha256: token.sha256, expiresAt }]
  await put({ principal: 'service:prometheus', roles: ['operator'] }, { addTokens })
  // What follows stands for a caller from elsewhere: behind a proxy nobody is on this machine.
}, 60_000)

afterAll(() => gateway?.stop())

const elsewhere = { 'x-forwarded-for': '192.0.2.1' }

describe('HTTP over TLS', () => {
  test('says so in its address, and is trusted by who trusts its authority alone', async () => {
    expect(gateway.http).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    await expect(ask('/healthz', { ca: stranger.certificate })).rejects.toThrow(/self.signed|unable to (get|verify)/)
    expect(await ask('/healthz')).toMatchObject({ status: 200 })
  })

  test('knows who has a certificate that its authority signed, and nobody by one of another', async () => {
    expect(await ask('/v1/events', by(anna))).toMatchObject({ status: 200 })
    const withName = await ask('/v1/status', by(anna))
    expect([withName.status, withName.body]).toEqual([403, expect.stringContaining('person:anna may not do this')])
    // Certificates that nobody entered, or of another authority, are as good as none: on this machine that is anybody.
    expect(await ask('/v1/status', by(unknown))).toMatchObject({ status: 200 })
    expect(await ask('/v1/status', by(foreign))).toMatchObject({ status: 200 })
  })

  test('from elsewhere nobody is let in without one, nor behind a proxy by the proxy’s', async () => {
    const nobody = await ask('/v1/events', {}, elsewhere)
    expect([nobody.status, nobody.body]).toEqual([401, expect.stringContaining('Say who you are')])
    expect((await ask('/v1/events', by(anna), elsewhere)).status).toBe(401)
    expect((await ask('/v1/events', {}, { ...elsewhere, authorization: `Bearer ${token.text}` })).status).toBe(200)
  })

  test('figures are for who may know the state; that it lives is for anybody', async () => {
    const [health, metrics] = await Promise.all([ask('/healthz'), ask('/metrics')])
    expect([health.status, metrics.status]).toEqual([200, 200])
    expect((await ask('/metrics', {}, { authorization: `Bearer ${token.text}` })).body).toContain('tocsin_frames')
    const wrong = { authorization: `Bearer ${makeToken().text}` }
    expect((await ask('/metrics', {}, wrong)).status).toBe(401)
    expect(JSON.parse((await ask('/readyz', {}, wrong)).body)).toEqual({ ready: true })
  })

  test('a page of another origin may not use the certificate that a browser sends with it', async () => {
    const { port } = new URL(gateway.http)
    const from = (origin: string): Promise<Answer> =>
      ask('/v1/events', by(anna), { host: `gateway.example:${port}`, origin })
    expect((await from('https://evil.example')).status).toBe(403)
    expect((await from(`https://gateway.example:${port}`)).status).toBe(200)
  })

  test('plain HTTP is not answered there', async () => {
    await expect(fetch(gateway.http.replace('https', 'http'))).rejects.toThrow('fetch failed')
  })
})
