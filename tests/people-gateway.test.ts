// People at a whole gateway: signing in over gRPC, HTTP and the command line, what a lock and a restart do to them, and who hears of it.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials, makeGenericClientConstructor, Metadata, type ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeOfStep, stepAt } from '../gateway/people/totp.ts'
import { hashSecret } from '../gateway/policy/secrets.ts'
import { serviceDefinition } from '../proto/wire.ts'
import { type GatewayProcess, nodePath, projectHome, startGatewayProcess } from './gateway/process.ts'
import { startChild } from './tools/child.ts'
import { tempFolder } from './tools/temp-folder.ts'

let gateway: GatewayProcess
const home = tempFolder('people-home')
const secret = 'correct horse battery'
const hashed = hashSecret(Buffer.from(secret))
/** Of anna's app, as the gateway's command line prints it. */
let app: Buffer
const lastSteps = new Map<string, number>()

async function tocsin(args: readonly string[], input = '') {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, NO_COLOR: '1' }
  const child = startChild(nodePath, ['gateway/cli/main.ts', ...args, '--server', gateway.grpc], {
    cwd: projectHome,
    env,
    input,
  })
  const { code } = await child.exited
  return { code, out: child.stdout, said: child.stderr }
}

/** Each step is good once; the next one counts too, so everybody has two at once and waits for a third. */
async function nextCode(name = 'anna'): Promise<string> {
  const last = lastSteps.get(name) ?? 0
  while (stepAt(Date.now()) + 1 <= last) await sleep(500)
  const step = Math.max(last + 1, stepAt(Date.now()))
  lastSteps.set(name, step)
  return codeOfStep(app, step)
}

/** Somebody with the secret and the app of anna. */
async function enter(name: string): Promise<void> {
  const entry = { principal: `person:${name}`, roles: ['dispatcher'] }
  await call('AdminService', 'PutPrincipal', { principal: entry, secretHash: await hashed, totpSecret: app })
}

const post = (path: string, body: object | string, headers: Record<string, string> = {}) =>
  fetch(gateway.http + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const get = (path: string, token: string) =>
  fetch(gateway.http + path, { headers: { authorization: `Bearer ${token}` } })

function call(service: string, method: string, request: object, token?: string): Promise<Record<string, unknown>> {
  const Client = makeGenericClientConstructor(serviceDefinition(`tocsin.v1.${service}`), service)
  const client = new Client(gateway.grpc, credentials.createInsecure())
  const metadata = new Metadata()
  if (token) metadata.set('authorization', `Bearer ${token}`)
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer: unknown): void => {
      client.close()
      return error ? reject(error) : resolve(answer as Record<string, unknown>)
    }
    ;(client[method] as unknown as (...args: unknown[]) => void).call(client, request, metadata, done)
  })
}

beforeAll(async () => {
  gateway = await startGatewayProcess()
}, 60_000)
afterAll(() => gateway.stop())

test('an operator enters a person: the app’s secret is printed once, as a QR code and a URL', async () => {
  const args = ['principals', 'add', 'person:anna', '--role', 'dispatcher', '--secret', '--totp']
  const { code, out, said } = await tocsin(args, `${secret}\n`)
  expect(said).toContain('person:anna is entered')
  expect(code).toBe(0)
  const [, text = ''] = /otpauth:\/\/totp\/Tocsin:anna\?secret=([A-Z2-7]{32})&issuer=Tocsin/.exec(out) ?? []
  expect(out).toContain('█')
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  app = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)))
  expect(app).toHaveLength(20)
  const listed = await tocsin(['principals', 'list', 'person:'])
  expect(listed.out).toMatch(/person:anna.*secret app/)
}, 30_000)

test('she signs in over HTTP and over gRPC, is herself at both, and goes out', async () => {
  const body = { name: 'anna', secret, totpCode: await nextCode(), position: 'fire 2' }
  const answer = await post('/v1/sign-in', body)
  const signedIn = (await answer.json()) as { token: string; principal: string; endsAt: string }
  expect(answer.status).toBe(200)
  expect(answer.headers.get('set-cookie')).toBeNull()
  expect(signedIn).toMatchObject({ principal: 'person:anna', position: 'fire 2' })
  expect(Date.parse(signedIn.endsAt) - Date.now()).toBeGreaterThan(11.9 * 3_600_000)
  const me = (await (await get('/v1/me', signedIn.token)).json()) as object
  expect(me).toMatchObject({ principal: 'person:anna', position: 'fire 2', mayAll: false })
  expect(me).toHaveProperty('labels', ['LABEL_PUBLIC', 'LABEL_OPS', 'LABEL_PII'])
  expect(await call('SignInService', 'WhoAmI', {}, signedIn.token)).toMatchObject({ principal: 'person:anna' })
  await expect(call('AdminService', 'GetStatus', {}, signedIn.token)).rejects.toMatchObject({ code: 7 })

  const headers = { authorization: `Bearer ${signedIn.token}` }
  const out = await fetch(`${gateway.http}/v1/sign-out`, { method: 'POST', headers })
  expect(out.status).toBe(204)
  expect((await get('/v1/me', signedIn.token)).status).toBe(401)
}, 60_000)

test('signing out ends the streams of that session at once, and no other’s', async () => {
  await enter('ben')
  const [one, two] = [await signInByGrpc('ben'), await signInByGrpc('ben')]
  const ends = [one, two].map((token) => openStream(token))
  await sleep(500)
  await call('SignInService', 'SignOut', {}, one)
  expect(await Promise.race([ends[0]!, sleep(2_000, 'open')])).toContain('session has ended')
  expect(await Promise.race([ends[1]!, sleep(300, 'open')])).toBe('open')
  await call('SignInService', 'SignOut', {}, two)
}, 120_000)

async function signInByGrpc(name: string): Promise<string> {
  const totpCode = await nextCode(name)
  const { token } = await call('SignInService', 'SignIn', { name, secret, totpCode })
  return String(token)
}

function openStream(token: string): Promise<string> {
  const Client = makeGenericClientConstructor(serviceDefinition('tocsin.v1.EventService'), 'EventService')
  const client = new Client(gateway.grpc, credentials.createInsecure())
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  const subscribe = client['Subscribe'] as unknown as (...args: unknown[]) => NodeJS.ReadableStream
  const stream = subscribe.call(client, { start: 'latest', latest: {} }, metadata)
  stream.on('data', () => {})
  return new Promise((resolve) => {
    stream.on('error', (error: ServiceError) => {
      client.close()
      resolve(error.details)
    })
  })
}

test('the command line keeps the session where only its user can read it, and uses it', async () => {
  const signedIn = await tocsin(['sign-in', 'anna', '--position', 'desk'], `${secret}\n${await nextCode()}\n`)
  expect(signedIn.said).toMatch(/person:anna is signed in at desk until/)
  const file = join(home, '.local/state/tocsin/sessions.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty([gateway.grpc, 'principal'], 'person:anna')
  const who = await tocsin(['whoami'])
  expect(who.out).toMatch(/^person:anna at desk until/)
  expect(who.out).toContain('sees  PUBLIC OPS PII')
  expect((await tocsin(['status'])).said).toContain('person:anna may not do this')

  const { dataDir } = gateway
  await gateway.stop()
  const [, port] = /:(\d+)$/.exec(gateway.grpc) ?? []
  gateway = await startGatewayProcess({ dataDir, settings: { GRPC_LISTEN: `127.0.0.1:${port}` } })
  expect((await tocsin(['whoami'])).out).toMatch(/^person:anna at desk/)
  expect((await tocsin(['sign-out'])).said).toContain('person:anna is signed out')
  expect((await tocsin(['whoami'])).out).toMatch(/^grpc:anonymous/)
}, 120_000)

test('five failures lock her out with one answer, her open stream goes on, and an operator opens it again', async () => {
  await enter('carla')
  const token = await signInByGrpc('carla')
  const stream = openStream(token)
  const answers: string[] = []
  for (const attempt of [{ name: 'nobody' }, ...Array.from({ length: 5 }, () => ({ name: 'carla' }))]) {
    const answer = await post('/v1/sign-in', { secret: 'wrong', ...attempt })
    answers.push(`${answer.status} ${await answer.text()}`)
  }
  const locked = await post('/v1/sign-in', { name: 'carla', secret, totpCode: await nextCode('carla') })
  answers.push(`${locked.status} ${await locked.text()}`)
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toMatch(/^401 .*"error":"not_authenticated"/)
  expect(await Promise.race([stream, sleep(300, 'open')])).toBe('open')
  expect((await get('/v1/me', token)).status).toBe(200)
  expect((await tocsin(['status'])).out).toContain('Somebody guesses')
  expect((await tocsin(['principals', 'unlock', 'person:carla'])).out).toContain('may try again')
  expect((await tocsin(['principals', 'unlock', 'person:carla'])).said).toContain('No account of this name is locked')
  await expect(signInByGrpc('carla')).resolves.toMatch(/^tocsin_s_/)

  const { out } = await tocsin(['audit', 'list', '--json', '--limit', '500'])
  expect(out).toContain('"lock"')
  for (const word of [secret, token.slice(-43), 'correct horse']) expect(out).not.toContain(word)
}, 180_000)

test('a change of what she may ends her sessions', async () => {
  await enter('dan')
  const token = await signInByGrpc('dan')
  await tocsin(['principals', 'change', 'person:dan', '--role', 'observer'])
  expect((await get('/v1/me', token)).status).toBe(401)
}, 120_000)

test('what is not a sign-in is told so, without what stood in it', async () => {
  const plain = await post('/v1/sign-in', '{"name":"anna","secret":"s3cret', {})
  expect(plain.status).toBe(400)
  expect(await plain.text()).not.toContain('s3cret')
  expect((await post('/v1/sign-in', { name: 'anna', secret, colour: 'red' })).status).toBe(400)
  const form = await post('/v1/sign-in', 'name=anna', { 'content-type': 'application/x-www-form-urlencoded' })
  expect(form.status).toBe(415)
  expect((await post('/v1/sign-in', { name: 'a', secret: 'x'.repeat(9_000) })).status).toBe(413)
  const foreign = await post('/v1/sign-in', { name: 'anna', secret }, { origin: 'https://evil.example' })
  expect(foreign.status).toBe(403)
  await expect(call('SignInService', 'SignOut', {})).rejects.toMatchObject({ code: 9 })
})

test('the sealed account comes in by its envelope once, and the urgent lane is told', async () => {
  const sealed = await tocsin(['break-glass', 'seal'])
  const envelope = sealed.out.trim()
  expect(envelope).toMatch(/^([A-Z2-7]{4}-){7}[A-Z2-7]{4}$/)
  expect((await tocsin(['sign-in', 'break-glass'], `${envelope}\n`)).said).toContain('person:break-glass is signed in')
  expect((await tocsin(['whoami'])).out).toContain('sees  PUBLIC OPS PII PHI CJI')
  expect((await tocsin(['sign-in', 'break-glass'], `${envelope}\n`)).said).toContain('is wrong')
  const events = (await call('EventService', 'ListEvents', { filter: { kinds: [17] }, pageSize: 200 })) as {
    records?: { lane?: number; event?: Uint8Array }[]
  }
  const told = (events.records ?? []).filter(({ event }) => Buffer.from(event ?? []).includes('break_glass'))
  expect(told.map(({ lane }) => lane)).toContain(1)
  expect((await tocsin(['principals', 'change', 'person:break-glass', '--role', 'auditor'])).said).toContain(
    'break-glass seal',
  )
  await tocsin(['break-glass', 'seal'])
  expect((await tocsin(['whoami'])).said).toContain('sign in again')
  await tocsin(['sign-out'])
}, 120_000)
